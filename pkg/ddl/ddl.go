// Package ddl reads the schema changes that a MySQL or MariaDB server writes to its log, and works out what they do to tables.
//
// Its one invariant: an effect that it cannot tell exactly is left open (a nil After, an Opaque reason), never guessed. It talks to
// no server: who uses it compares what it worked out with what the server says.
package ddl

import (
	"errors"

	"wherry/pkg/schema"
)

// ErrUnknown is a statement that cannot be read.
var ErrUnknown = errors.New("statement is not understood")

// Context is what a statement means beyond its text.
type Context struct {
	Database           string // the session's default database
	ANSIQuotes         bool   // sql_mode
	NoBackslashEscapes bool   // sql_mode
	Flavor             schema.Flavor
}

// Catalog is what the tables were before a statement.
type Catalog struct {
	// Table returns a table as it was, or nil when it is not known.
	Table func(schema.Name) *schema.Table
	// Database returns the default character set and collation of a database's new tables, "" when they are not known.
	Database func(name string) (charset, collation string)
	// Collations are those of the server.
	Collations schema.Collations
}

// Kind is what becomes of a table.
type Kind int

// What a statement does to a table.
const (
	Altered   Kind = iota // has another shape; or other rows, see Empties and Opaque
	Created               // is there now, and was not before
	Dropped               // is gone, with its rows
	Renamed               // has another name, and the same shape
	Truncated             // is there, without rows
)

// Effect is what a statement does to one table.
type Effect struct {
	Kind Kind
	Name schema.Name // of the table before, or of the created one
	To   schema.Name // of a renamed table: its new name

	// After is the shape of an altered or created table, as SHOW CREATE TABLE would tell it afterwards; nil when it cannot be told
	// from the statement. Its Definition is empty. Of an altered table it may be equal to what was before: nothing changed.
	After *schema.Table
	// Former tells, for the columns of an altered table that were there before, by what name; nil when that cannot be told.
	Former map[string]string
	// Converts lists the columns (by their new names) whose values the server converts, so that they may not be what they were.
	Converts []string
	// Empties lists the partitions whose rows are removed.
	Empties []string
	// Opaque tells why rows changed, or came, in a way that the log does not show and no other server can repeat, in words; empty when
	// they did not.
	Opaque string
	// Logged tells that the rows of a created table follow in the log (CREATE TABLE .. SELECT in row format).
	Logged bool
}
