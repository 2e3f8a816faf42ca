package db

import (
	"bytes"

	"wherry/pkg/route"
)

// Lookup asks an Applier for rows of a target table that reference rows of another one. A transaction of the source's
// log may have changed rows that are not in it: those that a foreign key's action changed (see Change.Cascades).
type Lookup struct {
	Route *route.Route
	// Columns are positions in the route's rows, and Values what they hold, at most a few hundred times. None of it
	// is NULL. The server compares them by the columns' own rules, as it does for a foreign key.
	Columns []int
	Values  []Row
	// Except leaves out rows that hold exactly these bytes in the columns; a nil element is not looked at, and nil
	// leaves out none.
	Except Row
}

// LookupRows is how many rows a Lookup brings at most; it brings fewer when they are large.
const LookupRows = 1000

// Excludes tells whether a row is left out because of Except.
func (l *Lookup) Excludes(row Row) bool {
	looked := false
	for i, p := range l.Columns {
		if l.Except == nil || l.Except[i] == nil {
			continue
		}
		if row[p] == nil || !bytes.Equal(row[p], l.Except[i]) {
			return false
		}
		looked = true
	}
	return looked
}
