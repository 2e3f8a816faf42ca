package db

import (
	"context"
	"time"

	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Reader reads tables and rows. Rows, sums, keys and bounds, those that are asked for too, are as the relation's rules
// read them; of a key that the server cannot have there is no row. Every method may be called by several goroutines at
// once; errors of a lost connection are ErrConnection and the call may be made again.
type Reader interface {
	// Tables returns every table, view and sequence whose name matches, in name order, without system databases.
	Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error)
	// Sizes returns how large tables are, as the server estimates at this moment: it keeps no answer of an earlier
	// one. A table that is not there is not in the map.
	Sizes(ctx context.Context, tables []schema.Name) (map[schema.Name]Size, error)
	// Bound returns the key that is n rows after the given key (from the start when after is nil), or nil when
	// fewer than n rows follow. The order is the server's. Where is not applied: it bounds rows of the table.
	Bound(ctx context.Context, rel *route.Relation, after Row, n int) (Row, error)
	RowReader
	// Sum returns the checksum of the rows of a range that meet rel.Where.
	Sum(ctx context.Context, rel *route.Relation, r Range) (Sum, error)
	// Fetch streams the rows that have one of the keys (at most a few thousand) and meet rel.Where, in any order.
	Fetch(ctx context.Context, rel *route.Relation, keys []Row) (Rows, error)
	// Orphans counts rows that reference by a foreign key a row of the parent that is not there, limit at most. Rows
	// that do not meet their relation's Where are taken not to be there either.
	Orphans(ctx context.Context, rel, parent *route.Relation, key schema.ForeignKey, limit int) (int64, error)
	// Dialect writes and compares tables in this server's language.
	Dialect() schema.Dialect
	// Identity tells which server this is.
	Identity(ctx context.Context) (Identity, error)
	ObjectReader
	// Close releases every connection. It may be called twice.
	Close() error
}

// Size is how large a table is, roughly, and how far its automatic values are.
type Size struct {
	Rows  int64
	Bytes int64 // data and indexes
	// the automatic value that the next row gets, exactly; 0 or 1 where none was given yet, 0 without such a column
	Next uint64
}

// RowReader is what rows can be loaded from: a Reader, or a Snapshot.
type RowReader interface {
	// Rows streams the rows of a range that meet rel.Where, in key order (in any order without a key).
	Rows(ctx context.Context, rel *route.Relation, r Range) (Rows, error)
}

// Snapshot is a consistent view with an exact position: what is read from it holds every change at or before the
// position, and none after it. It is used by one goroutine; rows that it streams are closed before anything else is
// read. After ErrConnection it is lost. It holds a transaction open on its server, so it is closed as soon as it is
// done with.
type Snapshot interface {
	RowReader
	// Position returns the position, in the source's change log.
	Position() Position
	// Bound and Fetch are Reader's.
	Bound(ctx context.Context, rel *route.Relation, after Row, n int) (Row, error)
	Fetch(ctx context.Context, rel *route.Relation, keys []Row) (Rows, error)
	// Sum returns the checksum of the rows of a range that meet rel.Where.
	Sum(ctx context.Context, rel *route.Relation, r Range) (Sum, error)
	// Close ends the view. It may be called twice.
	Close() error
}

// Source is the end that rows are read from.
type Source interface {
	Reader
	Log
	Successor
	// Check returns what the engine finds right and wrong for this move; the error is for a check that could not be
	// made.
	Check(ctx context.Context, plan Plan) ([]Finding, error)
	// NewFence prepares what stops writes to the tables, changing nothing yet. saved is what Saved returned in an
	// interrupted run, or empty.
	NewFence(ctx context.Context, kind FenceKind, tables []schema.Name, saved string) (Fence, error)
	// Snapshot returns a view that is exact for the relations' tables, at one position for all, and made for reading
	// only those. ErrRetry: transactions that change a table are in the way, and it was given up so that others need
	// not wait behind it.
	Snapshot(ctx context.Context, rels ...*route.Relation) (Snapshot, error)
}

// Log is a source's change log.
type Log interface {
	// SafePosition returns a visible-safe position: every transaction at or before it is visible to every later read.
	SafePosition(ctx context.Context) (Position, error)
	// Head returns a position at or after every transaction that any read has been able to see so far.
	Head(ctx context.Context) (Position, error)
	// Reached tells whether everything up to goal is contained in at.
	Reached(at, goal Position) (bool, error)
	// Retained returns ErrPositionGone when the log no longer reaches back to pos.
	Retained(ctx context.Context, pos Position) error
	// Retention returns how long the log is kept at least, or 0 when nothing limits it.
	Retention(ctx context.Context) (time.Duration, error)
	// Stream opens the log after pos. Changes of tables that are not sources of routes are passed over, and so are
	// row changes of a route in transactions at or before its since, the position of a Snapshot of its table, or from
	// which on it has its shape; schema changes are not. A since that has no measure in common with a transaction is
	// an error. Rows that do not have their route's shape are CopyAgain.
	Stream(ctx context.Context, pos Position, routes []*route.Route, since Since) (Stream, error)
	// SchemaChanges returns the schema changes in the log after a position: all up to another, in order, that touch
	// tables of the move, the named ones or databases.
	SchemaChanges(ctx context.Context, after, until Position, tables []schema.Name) ([]*DDL, error)
	// Databases returns the default collation of new tables in each database, by its name in lower case, as of now.
	Databases(ctx context.Context) (map[string]string, error)
	// Effects tells what a schema change does to tables and databases. known are the tables of the move as they were
	// before. The error is schema.ErrUnknownStatement when the statement is not understood. It completes the change:
	// Parsed keeps the statement read, for the next call, and a Moment in the time zone SYSTEM gets the offset that the
	// source had then, because the target's SYSTEM is another.
	Effects(ctx context.Context, change *DDL, known []*schema.Table) ([]schema.Effect, error)
}

// Since has, per route, the position up to which the log's row changes are not wanted: they are in the rows already, or
// have another shape than the route. A route that is not in it gets all changes.
type Since map[*route.Route]Position

// Stream is an open change log. It is used by one goroutine.
type Stream interface {
	// Next returns the next part of a transaction, or nil when the log has nothing more within wait (0: at once). The
	// part belongs to the caller. Errors: ErrConnection, ErrPositionGone, ErrUnsupported (statement-format changes
	// to a routed table and the like; the position stays before it).
	Next(ctx context.Context, wait time.Duration) (*Part, error)
	// Position returns the position after the last whole transaction that Next returned, exactly; what was passed over
	// since counts only after a further call of Next. Within a transaction it stays before it.
	Position() Position
	Close() error
}

// Part is a piece of one transaction's changes, in commit order. Large transactions come in several parts of bounded
// bytes.
type Part struct {
	Changes  []Change
	Bytes    int  // roughly, of all changes
	End      bool // the transaction ends with this part
	Rollback bool // with End: the transaction was rolled back, its parts must not be kept
	// Contained are routes whose rows contain the transaction already (see Since), so that what foreign keys did to
	// them must not be done once more. It is set only with changes that cascade.
	Contained map[*route.Route]bool
	// a schema change that touches tables of the move; Changes is empty. Without End its rows follow (CREATE .. SELECT)
	DDL  *DDL
	Time time.Time // of the commit, by the source's clock; second precision on some servers
}

// Change is one row insert (Before nil), delete (After nil) or update of a routed table, with full images.
type Change struct {
	Route  *route.Route
	Before Row
	After  Row
	// Lacks tells that values which the route's rows carry for comparing only (see route.Relation.Computed) are not
	// in the log and NULL in the images: some servers leave generated columns out of it.
	Lacks bool
	// Cascades tells that foreign keys acted when the row changed, and that what they did to other rows is not in the
	// log: it happened right after this change and before the next one.
	Cascades bool
}

// FenceKind names what stops writes on the source.
type FenceKind string

// The fences that an engine may offer. FenceHook and FenceNone are not the engine's: the user stops the writes.
const (
	FenceReadOnly   FenceKind = "read_only"
	FenceLockTables FenceKind = "lock_tables"
	FenceHook       FenceKind = "hook"
	FenceNone       FenceKind = "none"
)

// Fence stops writes on the source. Each method may be called again after an error.
type Fence interface {
	// Saved describes what Lift will put back, to be kept durably before Raise.
	Saved() string
	// Raise stops writes; when it returns without error, transactions open before can no longer commit changes.
	Raise(ctx context.Context) error
	// Holds proves that writes are stopped, or returns an error that says why not.
	Holds(ctx context.Context) error
	// Lift puts back what Raise changed. It does nothing when the fence is down.
	Lift(ctx context.Context) error
	// Release gives up the fence's connections and leaves what is durable of it in place, for after the switch.
	Release() error
}

// Position is a place in a source's change log, as opaque text that only its engine reads. The zero value is no place.
type Position string

// IsZero tells whether p is no place.
func (p Position) IsZero() bool { return p == "" }

// String returns the text that the state file keeps and a user may give.
func (p Position) String() string { return string(p) }

// Identity tells servers apart.
type Identity struct {
	UUID    string // unique per server; MariaDB has none before 11: host, port and server id then stand in
	Host    string // host:port or the socket's path, as configured
	Flavor  string // "mysql", "mariadb", ...
	Version string
	Names   string        // how the server treats the case of table names; two that differ may confuse two tables
	Clock   time.Duration // the server's clock minus ours
	Packet  int64         // bytes of the largest statement that the server takes; 0 for no limit
	Streams bool          // whether rows are written as a stream, so that only a JSON document must fit into a packet
}
