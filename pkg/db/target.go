package db

import (
	"context"

	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Target is the end that rows are written to.
type Target interface {
	Reader
	// Check returns what the engine finds right and wrong for this move.
	Check(ctx context.Context, plan Plan) ([]Finding, error)
	// Dialect writes tables for this server.
	Dialect() schema.Dialect
	// Execute runs one schema statement of the dialect's. When its answer was lost the error is ErrConnection and the
	// caller reads the table back to see what happened.
	Execute(ctx context.Context, statement string) error
	// Ledger is the move's durable bookkeeping on the target.
	Ledger() Ledger
	// Load copies the rows of a chunk from the reader and marks the chunk done, in one transaction. It returns the rows
	// and bytes loaded. A chunk already done is ErrChunkDone. Safe for concurrent use.
	Load(ctx context.Context, from Reader, r *route.Route, c Chunk) (Loaded, error)
	// NewApplier takes the move's lock on the target (ErrLocked when another wherry has it) and reads the position. Once
	// the ledger is sealed it returns ErrSealed.
	NewApplier(ctx context.Context, opts ApplyOptions) (Applier, error)
	// Repair writes a batch in one transaction of its own, without the move's lock and without moving the position, so it
	// may run beside an applier. Expect is ignored: keys that are absent already are fine. ErrRetry and ErrConnection
	// leave the outcome open; the same batch, or a newer one for its keys, may be written again. ErrSealed: the target
	// has taken over and nothing was written. Safe for concurrent use.
	Repair(ctx context.Context, b *Batch) error
}

// Ledger keeps a move's facts and chunks on the target, where they commit together with the rows.
type Ledger interface {
	// Create makes the bookkeeping when it is absent.
	Create(ctx context.Context) error
	// Get returns a fact, or "" when it (or the whole ledger) is absent.
	Get(ctx context.Context, name string) (string, error)
	// Put sets a fact durably. Once the ledger is sealed, FactPosition is refused with ErrSealed.
	Put(ctx context.Context, name, value string) error
	// Chunks returns the chunks of a source table in order of Number.
	Chunks(ctx context.Context, table schema.Name) ([]Chunk, error)
	// Plan records a chunk that is to be copied.
	Plan(ctx context.Context, table schema.Name, c Chunk) error
	// Seal records that the target has taken over, and in the same transaction takes the position away, so that no
	// applier, wherever it runs, can commit anything more. It returns the final position; sealed already, it
	// returns the same again and leaves the first record as it is.
	Seal(ctx context.Context, record string) (Position, error)
	// Drop removes the bookkeeping.
	Drop(ctx context.Context) error
}

// Names of the facts that phases share through a Ledger.
const (
	FactPosition   = "position"       // the change log position up to which the target holds the source's changes
	FactTables     = "tables"         // the target tables that this move made, as a JSON list of db.table
	FactStart      = "start"          // the position that copying began from
	FactConsistent = "consistent"     // the position at which the target was consistent for the first time
	FactCutover    = "cutover"        // the durable record that the target has taken over: the point of no return
	FactFinal      = "final_position" // what FactPosition was when the target took over
)

// Chunk is a key range of one table, the unit of copying. Chunks of a table follow one another by Number from 0: each begins
// where the one before ends, the first is open below and the last above.
type Chunk struct {
	Number int
	Range  Range
	Done   bool
	Rows   int64 // when done
}

// Loaded is what a chunk brought.
type Loaded struct {
	Rows  int64
	Bytes int64
}

// ApplyOptions configure an Applier.
type ApplyOptions struct {
	Workers int // connections that apply in parallel; more than 1 gives up transaction boundaries
}

// Applier writes changes to the target, one transaction at a time. It is used by one goroutine.
type Applier interface {
	// Position returns the durable position as read when the applier was opened, or as last committed.
	Position() Position
	// Apply writes a batch within the current transaction, beginning one when none is open.
	Apply(ctx context.Context, b *Batch) (Applied, error)
	// Commit makes everything applied since the last commit durable together with the position. With nothing applied it
	// only moves the position. ErrSealed: the target has taken over and nothing was committed. An error that is ErrConnection leaves the outcome open: close, open anew, read Position.
	Commit(ctx context.Context, pos Position) error
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
type Batch struct {
	Tables []TableBatch
}

// TableBatch is the part of a batch that is for one table.
type TableBatch struct {
	Route   *route.Route
	Deletes []Row // keys
	Expect  int64 // how many of the deleted keys the target must hold unless rows are newer than the log
	Upserts []Row // whole rows
}
