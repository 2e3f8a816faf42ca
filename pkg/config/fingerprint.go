package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// Fingerprint identifies how rows are moved: the SHA-256 in hex over move, routes, filters and alter, whatever the
// order inside lists. Servers, passwords, workers and limits may change during a move; these may not: half of the rows
// would be moved by one rule and half by another. tables may change, because it must be possible to exclude a new table
// of the source; which tables the move has is recorded on the target.
func (c *Config) Fingerprint() string {
	what := struct {
		Format  int
		Move    string
		Routes  []string
		Filters []string
		Alter   []string
	}{
		Format:  1,
		Move:    c.Move,
		Routes:  pairs(c.Routes, func(r Route) [2]string { return [2]string{r.From, r.To} }),
		Filters: pairs(c.Filters, func(f Filter) [2]string { return [2]string{f.Table, f.Where} }),
		Alter:   pairs(c.Alter, func(a Alter) [2]string { return [2]string{a.Table, a.DDL} }),
	}
	text, err := json.Marshal(what)
	if err != nil {
		panic("config: strings always marshal: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// sorted returns a sorted copy, never nil: an empty list and a missing one have the same fingerprint.
func sorted(list []string) []string { return append([]string{}, slices.Sorted(slices.Values(list))...) }

// pairs writes each entry as JSON, so that no separator can be forged, and sorts them.
func pairs[T any](list []T, of func(T) [2]string) []string {
	out := make([]string, 0, len(list))
	for _, entry := range list {
		text, err := json.Marshal(of(entry))
		if err != nil {
			panic("config: strings always marshal: " + err.Error())
		}
		out = append(out, string(text))
	}
	return sorted(out)
}
