// Package ddl reads the schema changes that a MySQL or MariaDB server writes to its log, and works out what they do
// to tables.
//
// Its one invariant: an effect that it does not know exactly is left open (a nil After, an Opaque reason), never
// guessed. It talks to no server: who uses it compares what it worked out with what the server says.
//
// For example, of the table t (id INT, v VARCHAR(9)) in latin1 the statement
//
//	ALTER TABLE t ADD w VARCHAR(9) AFTER id, DROP v
//
// has one effect: t is Altered, After is (id INT, w VARCHAR(9) in latin1, default NULL), and Former says that id comes
// from id. Had it been `ADD w VARCHAR(9) DEFAULT (UUID())`, the effect would be Opaque too: no other server can
// repeat the values.
//
// A statement goes through the files like this:
//
//	scan.go, parse*.go     text to a statement value: clauses in the order in which they were written
//	world.go               the tables before the statement, with what its first parts have changed
//	create.go, alter*.go   clauses to shapes
//	column.go, default.go, expression.go, builder.go, constraint.go
//	                       what the server adds by itself: types, defaults, names, the order of indexes
//
// What is unknown travels as words: "how the server prints NOW(3)". An empty text means that everything is known.
package ddl

import (
	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// ErrUnknown is a statement that cannot be read.
var ErrUnknown = schema.ErrUnknownStatement

// Context is what decides the meaning of a statement besides its text: the session's variables, the server's version.
type Context = schema.StatementContext

// Effect is what a statement does to one table.
type Effect = schema.Effect

// Catalog is what the tables were before a statement.
type Catalog struct {
	// Table returns a table as it was, or nil when it is not known.
	Table func(schema.Name) *schema.Table
	// Database returns the default character set and collation of a database's new tables, "" when they are not known.
	// It is asked only where Context.Databases is nil.
	Database func(name string) (charset, collation string)
	// Children returns the tables with a foreign key to the named one, itself among them, as far as they are known;
	// nil means that none are. Their keys follow when columns of the parent, or the parent, are renamed.
	Children func(schema.Name) []*schema.Table
	// UTC converts a moment from the session's time zone to UTC (2006-01-02 15:04:05). ok is false when the zone is not
	// known, or has no such moment, as in the hour that daylight saving time leaves out. nil converts none.
	UTC func(local string) (utc string, ok bool)
	// Collations are those of the server.
	Collations mysql.Collations
}

// What a statement does to a table.
const (
	Altered   = schema.Altered
	Created   = schema.Created
	Dropped   = schema.Dropped
	Renamed   = schema.Renamed
	Truncated = schema.Truncated
	Database  = schema.Database
)
