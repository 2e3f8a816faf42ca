package state

import "time"

// Duration is a time.Duration that is written as "1.2s" in YAML and JSON alike.
type Duration time.Duration

// String writes what time.Duration does.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes what String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration does.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}
