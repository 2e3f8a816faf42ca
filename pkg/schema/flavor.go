package schema

import "encoding/json"

// Family is the servers that mean the same by a definition: they read one language and sort and compare alike. The
// zero value is no family: nothing is known of what such a server means.
type Family string

// The families that this version knows.
const (
	MySQL      Family = "MySQL"
	MariaDB    Family = "MariaDB"
	PostgreSQL Family = "PostgreSQL"
)

// Across returns whether a move between servers of the two families leaves one for another, so that definitions are
// translated and values may compare otherwise. No family is like no family.
func (f Family) Across(other Family) bool { return f == "" || f != other }

// Measured returns whether this version knows how servers of the two families differ: what is said of both MySQL and
// MariaDB was tried out on them, and of no others.
func Measured(a, b Family) bool {
	return (a == MySQL || a == MariaDB) && (b == MySQL || b == MariaDB)
}

// Flavor is the family that a server belongs to and its version. The zero value belongs to no family.
type Flavor struct {
	Family  Family
	Version int // major*10000 + minor*100 + patch, such as 90704 or 101104
}

// writtenFlavor is a Flavor in the records of ledgers. They began when there were two families and a bool told them
// apart, and another version of wherry may go on with the move: those two are written as they ever were.
type writtenFlavor struct {
	MariaDB bool
	Version int
	Family  Family `json:",omitempty"`
}

// MarshalJSON writes the flavor for a ledger.
func (f Flavor) MarshalJSON() ([]byte, error) {
	w := writtenFlavor{Version: f.Version, MariaDB: f.Family == MariaDB}
	if f.Family != MariaDB && (f.Family != MySQL || f.Version == 0) {
		w.Family = f.Family
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads what a ledger has. A version without a family is MySQL's.
func (f *Flavor) UnmarshalJSON(text []byte) error {
	var w writtenFlavor
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	*f = Flavor{Family: w.Family, Version: w.Version}
	switch {
	case w.Family != "":
	case w.MariaDB:
		f.Family = MariaDB
	case w.Version != 0:
		f.Family = MySQL
	}
	return nil
}
