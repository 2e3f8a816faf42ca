package db

import (
	"context"
	"slices"

	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Target is the end that rows are written to.
type Target interface {
	Reader
	ObjectWriter
	Fitter
	Fitter
	// Check returns what the engine finds right and wrong for this move.
	Check(ctx context.Context, plan Plan) ([]Finding, error)
	// Execute runs one schema statement of the dialect's. When its answer was lost the error is ErrConnection and the
	// caller reads the table back to see what happened.
	//
	// A statement on a table is run only if the table is the move's (see Ledger.Owned), and one that creates a table,
	// or gives one another name, only if nothing has that name; else the error is ErrNotOwned and nothing was changed.
	// What a statement will create, rename or drop is noted in the ledger before it is run, so that after a kill a
	// table of somebody else is not taken for the move's.
	Execute(ctx context.Context, statement string) error
	// Announce tells the ledger that tables are about to be created, all at once, so that each CREATE TABLE need not
	// be noted by itself. It is called with few tables, whose statements follow at once. made notes what came of
	// them; without it the tables themselves tell.
	Announce(ctx context.Context, tables []schema.Name) (made func(context.Context) error, err error)
	// Obstacles tells what in existing tables would be in the way of a copy, in words: rows, and triggers, which
	// would fire. A table without any is not in the map.
	Obstacles(ctx context.Context, tables []schema.Name) (map[schema.Name][]string, error)
	// Scratch makes empty databases, of names that belong to this move, for trying statements in. What a Scratch that
	// was killed has left is removed first. NoScratchError: they cannot be made, and nothing was changed.
	Scratch(ctx context.Context, plan ScratchPlan) (Scratch, error)
	// Leftovers returns the scratch databases of this move that are on the server, without any of the same name that
	// others made.
	Leftovers(ctx context.Context) ([]string, error)
	// Ledger is the move's durable bookkeeping on the target.
	Ledger() Ledger
	// Load copies the rows of a chunk and marks the chunk done, in one transaction, which also records the chunk's
	// Position, and what the rows can show, where from is a Successor or the chunk has a Position. It returns the
	// rows and bytes loaded. A chunk already done is ErrChunkDone; one that is recorded with other bounds is
	// ErrLocked: another wherry cuts the table elsewhere. Safe for concurrent use.
	//
	// A row of another chunk that holds a unique value of a new row, besides the row key, gives way to it where the
	// target has that unique index already: it has a change after the start position, and the replay puts it right. A
	// row that has the key of a new one is an error, and so is any competing row in a table without a key.
	Load(ctx context.Context, from RowReader, r *route.Route, c Chunk) (Loaded, error)
	// Snapshot returns a view whose position is the fact FactPosition as of the same instant: the rows are those that
	// the target holds at that position. Exact once the target is consistent and while one worker applies, or for
	// tables without a key. Without a position it is zero; after the takeover it is the final one, and rows may be
	// newer. Rows may be read of any table.
	Snapshot(ctx context.Context) (Snapshot, error)
	// NewApplier takes the move's lock on the target (ErrLocked when another wherry has it) and reads the position.
	// Once the ledger is sealed it returns ErrSealed.
	NewApplier(ctx context.Context, opts ApplyOptions) (Applier, error)
	// Repair writes a batch in one transaction of its own, without the move's lock and without moving the position,
	// so it may run beside an applier. Expect is ignored: keys that are absent already are fine. ErrRetry and
	// ErrConnection leave the outcome open; the same batch, or a newer one for its keys, may be written again. Not so
	// for rows without a key: after any error the target must be read once more (see Batch). ErrSealed: the target has
	// taken over and nothing was written. Safe for concurrent use.
	Repair(ctx context.Context, b *Batch) error
}

// Ledger keeps a move's facts and chunks on the target, where they commit together with the rows.
type Ledger interface {
	// Create makes the bookkeeping when it is absent, and brings one that an earlier version made up to date.
	Create(ctx context.Context) error
	// Get returns a fact, or "" when it (or the whole ledger) is absent.
	Get(ctx context.Context, name string) (string, error)
	// Put sets a fact durably. Once the ledger is sealed, FactPosition is refused with ErrSealed.
	Put(ctx context.Context, name, value string) error
	// Begin records a start as FactStart and FactPosition, in one transaction, unless a start is recorded: the first
	// one stays, whoever comes later. It returns the start that is recorded then.
	Begin(ctx context.Context, start Position) (Position, error)
	// Chunks returns the chunks of a source table in order of Number.
	Chunks(ctx context.Context, table schema.Name) ([]Chunk, error)
	// Begun tells of which source tables chunks are recorded, as of now.
	Begun(ctx context.Context) (func(table schema.Name) bool, error)
	// Plan records a chunk that is to be copied, of each of the tables. Recording the same number again changes
	// nothing.
	Plan(ctx context.Context, c Chunk, tables ...schema.Name) error
	// Records returns the tables of the move, by the names of their sources; none before any is recorded.
	Records(ctx context.Context) ([]Record, error)
	// Amend puts records, in place of older ones with the same source, and takes others away, in one transaction. The
	// chunks of the tables taken away, and of those put whose Copy is true, are forgotten with it.
	Amend(ctx context.Context, put []Record, gone []schema.Name) error
	// Owned returns the tables of the target that are the move's, with those of statements whose outcome is known by
	// looking at the tables. It is nil when an earlier version made the bookkeeping, which kept no list, and Own was
	// not called since: see ReadOwned.
	Owned(ctx context.Context) (Owned, error)
	// Own records tables as the move's, and others as no longer the move's, in one transaction. It is for tables that
	// exist; those that Execute makes, renames and drops are recorded by itself. Statements whose outcome was not
	// known until now are recorded as what the tables tell: so it must be called, with nil and nil for no other
	// reason, after Execute was interrupted and before rows are written, with the move's lock held, so that no
	// statement is still on its way.
	Own(ctx context.Context, put Owned, gone []schema.Name) error
	// Seal records that the target has taken over, and in the same transaction takes the position away, so that no
	// applier, wherever it runs, can commit anything more. It returns the final position; sealed already, it returns
	// the same again and leaves the first record as it is. With it FactReturn is recorded, the end of the target's
	// own log: all that was ever applied is before it, and all that others write after the takeover is behind it. It
	// is empty where the target keeps no log.
	Seal(ctx context.Context, record string) (Position, error)
	// Drop removes the bookkeeping.
	Drop(ctx context.Context) error
}

// Names of the facts that phases share through a Ledger.
const (
	FactPosition = "position" // the change log position up to which the target holds the source's changes
	FactMove     = "move"     // which move this is: what its configuration may not change while it runs
	// the target tables that init-schema was about to make, as a JSON list of db.table: the move has begun
	FactTables     = "tables"
	FactStart      = "start"          // the position that copying began from
	FactConsistent = "consistent"     // the position at which the target was consistent for the first time
	FactCutover    = "cutover"        // the durable record that the target has taken over: the point of no return
	FactFinal      = "final_position" // what FactPosition was when the target took over
	FactChange     = "schema_change"  // what is being done on the target for a schema change of the source
	// a position at or before changes that foreign keys made unseen while rows were copied; empty once those are
	// compared
	FactCascades = "cascades"
	// the source tables of which rows gave way while they were copied, as a JSON list of db.table; empty once those
	// are compared
	FactDisplaced = "displaced"
	// the default collation of each source database by its name in lower case, as of FactPosition, a JSON object
	FactDatabases = "databases"
	FactObjects   = "objects" // what the cutover makes besides tables, see Objects
	FactRepairs   = "repairs" // how many repairs of rows without a key were made, see Batch
)

// Record is a table of the move as of the position that the target holds.
type Record struct {
	Source schema.Name
	Target schema.Name
	// of the source table; nil: as of Since there is none, and what the log tells of it before is over
	Shape *schema.Table
	// Since is the position from which on the log's rows have this shape, and are not in the target's rows yet; zero:
	// from the move's start on.
	Since Position
	Copy  bool // the rows are still to be copied
}

// Chunk is a key range of one table, the unit of copying. Chunks of a table follow one another by Number from 0: each
// begins where the one before ends, the first is open below and the last above.
type Chunk struct {
	Number int
	Range  Range
	Done   bool
	Rows   int64 // when done
	// Position is that of the snapshot that the rows were read from; zero when they were read from none. A table
	// without a key is one chunk with a position: changes at or before it are in the rows already (see Stream).
	Position Position
	// Seen is at or after everything that the rows show, see Successor; zero when not done, or when no server could
	// tell.
	Seen Position
}

// Loaded is what a chunk brought.
type Loaded struct {
	Rows      int64
	Bytes     int64
	Displaced int64 // rows of other chunks that gave way
}

// ApplyOptions configure an Applier.
type ApplyOptions struct {
	Workers int // connections that apply in parallel; more than 1 gives up transaction boundaries
	// Displaced is called, by several goroutines, before rows of a table give way to others with values that the
	// target calls equal and the source does not. It tells whether they may: then the table must be compared
	// afterwards. Else, and when it is nil, Apply returns ErrUnsupported.
	Displaced func(ctx context.Context, r *route.Route) (may bool, err error)
}

// Applier writes changes to the target, one transaction at a time. It is used by one goroutine.
type Applier interface {
	// Position returns the durable position as read when the applier was opened, or as last committed.
	Position() Position
	// Apply writes a batch within the current transaction, beginning one when none is open.
	Apply(ctx context.Context, b *Batch) (Applied, error)
	// Referencing returns rows that a lookup finds, as they are within the current transaction, beginning one when
	// none is open. They stay as they are until it ends, but for what is applied. With several workers everything
	// applied before, in this transaction, to tables that it reads must have been applied by one.
	Referencing(ctx context.Context, l *Lookup) ([]Row, error)
	// Commit makes everything applied since the last commit durable together with the position. With nothing applied
	// it only moves the position. ErrSealed: the target has taken over and nothing was committed. An error that is
	// ErrConnection leaves the outcome open: close, open anew, read Position.
	Commit(ctx context.Context, pos Position) error
	// Execute runs one schema statement of the dialect's on the connection that holds the lock, as of the moment
	// given. Nothing may be open. When its answer was lost the error is ErrConnection; the next applier's opening
	// waits until it has ended.
	Execute(ctx context.Context, statement string, at Moment) error
	// Amend puts records and takes others away within the current transaction, beginning one when none is open;
	// Commit makes it durable. The chunks of the tables taken away are forgotten with it, and FactChange. Those of
	// tables put stay: what is copied of them is right.
	Amend(ctx context.Context, put []Record, gone []schema.Name) error
	// Rollback drops everything applied since the last commit.
	Rollback(ctx context.Context) error
	// Close gives up the lock. An open transaction is rolled back.
	Close() error
}

// Applied counts what a batch did on the target.
type Applied struct {
	Upserted int64 // rows written
	Deleted  int64 // rows removed
	Absent   int64 // rows to remove that the target did not have
}

// Batch is the net effect of a run of changes: per table, keys to remove and rows to write, each key at most once.
// Removals of a table come before its writes.
//
// A route without a key has whole rows in both: each of Deletes removes exactly one row that is equal to it by
// canonical bytes (not by collation), each of Upserts adds one. Equal rows are given as often as they are to be
// removed or added. A row to remove that the target does not hold is an error that names it, and is ErrUnsupported.
type Batch struct {
	Tables []TableBatch
	// Ticket makes a Repair of rows without a key happen at most once. It is the value of FactRepairs before the target
	// was read. The repair increments that fact in its transaction, and is refused with ErrRetry if it is another one
	// by then. So a repair whose answer was lost cannot add its rows a second time.
	Ticket string
}

// Keyless tells whether a table of the batch has no key.
func (b *Batch) Keyless() bool {
	return slices.ContainsFunc(b.Tables, func(t TableBatch) bool { return len(t.Route.Target.Key) == 0 })
}

// TableBatch is the part of a batch that is for one table.
type TableBatch struct {
	Route   *route.Route
	Deletes []Row // keys, or whole rows
	Expect  int64 // how many of the deleted keys the target must hold unless rows are newer than the log
	Upserts []Row // whole rows
}
