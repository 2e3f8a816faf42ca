package config

import (
	"fmt"
	"io"
)

// Secret is text that no printing, formatting or encoding shows: it appears as *** or, when empty, as "". Only a
// conversion to string, or Reveal, gives the text. So a Config that somebody logs with %+v leaks nothing.
type Secret string

const redacted = "***"

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String returns *** or "".
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString returns what String does.
func (s Secret) GoString() string { return s.String() }

// Format writes what String does, whatever the verb and flags.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText writes what String does.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON writes what String does.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// MarshalYAML writes what String does.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }
