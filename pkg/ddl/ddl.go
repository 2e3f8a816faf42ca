// Package ddl reads the schema changes that a MySQL or MariaDB server writes to its log, and works out what they do
// to tables.
//
// Its one invariant: an effect that it cannot tell exactly is left open (a nil After, an Opaque reason), never
// guessed. It talks to no server: who uses it compares what it worked out with what the server says.
package ddl

import (
	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// ErrUnknown is a statement that cannot be read.
var ErrUnknown = schema.ErrUnknownStatement

// Context is what a statement means beyond its text.
type Context = schema.StatementContext

// Effect is what a statement does to one table.
type Effect = schema.Effect

// Catalog is what the tables were before a statement.
type Catalog struct {
	// Table returns a table as it was, or nil when it is not known.
	Table func(schema.Name) *schema.Table
	// Database returns the default character set and collation of a database's new tables, "" when they are not known.
	// It is asked only where the statement's context does not tell.
	Database func(name string) (charset, collation string)
	// Children returns the tables with a foreign key to the named one, itself among them, as far as they are known;
	// nil means that none are. Their keys follow when columns of the parent, or the parent, are renamed.
	Children func(schema.Name) []*schema.Table
	// UTC tells a moment that is written as in the session's time zone (2006-01-02 15:04:05) in UTC; ok is false when
	// that is not known, or there was no such moment. nil knows none.
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
