package db

import (
	"time"

	"wherry/pkg/schema"
)

// DDL is a schema change in the log.
type DDL struct {
	Statement string
	Context   schema.StatementContext
	// Tables are the tables of the move that it touches, and those that it brings into the move. There may be none when
	// it is about a database (ALTER DATABASE .. COLLATE): then no table changes, only what new tables get by default.
	Tables   []schema.Name
	Database string // the database that it creates, alters or drops; "" for other changes
	Moment   Moment
	Parsed   any // the parsed statement, for the engine that reads the log alone; nil: not parsed yet
}

// Moment is what a schema change depends on besides its text and the tables, because it gives values to existing rows:
// ADD COLUMN c TIMESTAMP DEFAULT CURRENT_TIMESTAMP, for example, gives each the time of the statement.
type Moment struct {
	Time time.Time // by the source's clock
	schema.StatementSession
}

// SchemaChange is a schema change at its place in the log, on its way from the stream to whoever carries it over.
type SchemaChange struct {
	*DDL
	Before, After Position
	More          bool // its rows follow in the same transaction (CREATE TABLE .. SELECT)
}

// Since is the position from which on the log's rows have the shapes that the change leads to. With rows that follow in
// the same transaction it is the position before that transaction.
func (c *SchemaChange) Since() Position {
	if c.More {
		return c.Before
	}
	return c.After
}

// CopyAgain is a schema change, or rows of another shape than the move's, after which the tables must be copied again.
type CopyAgain struct {
	Tables []schema.Name // of the source
	Why    string
}

// Error implements error.
func (e *CopyAgain) Error() string { return e.Why }

// Unwrap tells that it is ErrUnsupported unless somebody knows how to go on.
func (e *CopyAgain) Unwrap() error { return ErrUnsupported }

// NotFollowed is a schema change that cannot be made on the target exactly. The position stays before it. A new copy of
// the tables begins behind it.
type NotFollowed struct {
	Tables []schema.Name // of the source
	Err    error         // ErrUnsupported
}

// Error implements error.
func (e *NotFollowed) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *NotFollowed) Unwrap() error { return e.Err }
