package route

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// Allowances say which losses the user allowed, and for which source tables. The zero value allows none.
type Allowances struct{ entries []allowance }

type allowance struct {
	loss  string
	table glob
}

// NewAllowances compiles entries: the name of a loss for all tables ("json"), or for some of them ("json@shop.log_*"),
// by a glob as in Rules. It does not check that a loss of that name exists: the configuration does.
func NewAllowances(entries []string) (Allowances, error) {
	var a Allowances
	for _, entry := range entries {
		loss, table, some := strings.Cut(entry, "@")
		where := glob{"*", "*"}
		if some {
			var err error
			if where, err = parseGlob(table); err != nil {
				return Allowances{}, fmt.Errorf("read allowed loss %q: %w", entry, err)
			}
		}
		a.entries = append(a.entries, allowance{loss, where})
	}
	return a, nil
}

// Allows returns whether the loss is allowed for a source table.
func (a Allowances) Allows(loss string, table schema.Name) bool {
	for _, entry := range a.entries {
		if entry.loss == loss && entry.table.match(table) {
			return true
		}
	}
	return false
}
