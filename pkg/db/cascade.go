package db

import (
	"bytes"

	"wherry/pkg/route"
)

// Lookup asks an Applier for rows of a target table that reference rows of another one. A transaction of the source may
// have changed rows that are not in its log: those that a foreign key's action changed (see Change.Cascades). For
// example, after DELETE of customer 7, the orders with customer_id 7.
type Lookup struct {
	Route *route.Route
	// Columns are positions in the route's rows, and Values what they hold: a few hundred at most, none of them NULL.
	// The server compares them by the columns' own rules, as it does for a foreign key.
	Columns []int
	Values  []Row
	// Except leaves out rows that hold exactly these bytes in the columns. A nil element is not compared; a nil Except
	// leaves out no row. With ON UPDATE CASCADE these are the rows that have the new value already.
	Except Row
}

// LookupRows is how many rows a Lookup returns at most; it returns fewer when they are large. The caller handles them
// and asks once more, until none is left.
const LookupRows = 1000

// Excludes tells whether a row is left out because of Except. It is false when Except compares nothing.
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
