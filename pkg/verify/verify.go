// Package verify is the phase that proves both ends equal, also while changes flow, and mends rows that are not.
//
// Its one invariant: a row is reported as different only after the target has applied everything that the source's row
// showed, and the source's log proves that nobody changed the row meanwhile; and no row is passed over that was last
// changed at or before the report's position. For example, a row that is updated between the two reads differs at first
// sight. Once the target has caught up, it equals what the source showed before or after, and it is not reported.
//
// It writes only when it is asked to repair, and it never relies on both ends sorting keys alike.
package verify

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

var (
	// ErrNothingCompared is a comparison that saw no row although the source has some: it proves nothing.
	ErrNothingCompared = errors.New("no row was compared")
	// ErrBehind is a target that did not apply the source's changes in time.
	ErrBehind = errors.New("the target does not keep up with the source")
	// ErrSchemaChange is a schema change in the part of the log that was to be verified.
	ErrSchemaChange = errors.New("schema change in the source's log")
)

// Source is what is needed of the end that is right.
type Source interface {
	db.Reader
	db.Log
	// Snapshot is db.Source's.
	Snapshot(ctx context.Context, rels ...*route.Relation) (db.Snapshot, error)
}

// Target is what is needed of the end that is to be proved.
type Target interface {
	db.Reader
	// Repair, Snapshot and Ledger are db.Target's.
	Repair(ctx context.Context, b *db.Batch) error
	Snapshot(ctx context.Context) (db.Snapshot, error)
	Ledger() db.Ledger
}

// Options configure a Verify; the zero value compares two ends that rest.
type Options struct {
	Workers   int                    // chunks compared at a time; 4
	ChunkRows int                    // rows of a chunk; 10,000
	Repair    bool                   // rewrite rows that are proved different
	Tables    func(schema.Name) bool // source tables to compare; nil means all of the routes
	MaxListed int                    // rows listed per table, all are counted; 100
	// distinct rows without a key that are counted at a time, about 100 bytes each; 1,048,576
	MaxCount int

	// Since is, per source table, the position from which on it has the shape of its route. Older changes in the log
	// have other columns and cannot be read with that shape. So a table that has changed its shape since a position is
	// compared as a whole if its changes after that position are asked for.
	Since map[schema.Name]db.Position
	// Applied returns the position up to which the target durably holds the source's changes. nil means that
	// nothing is replicated and both ends rest.
	Applied     func(ctx context.Context) (db.Position, error)
	WaitTimeout time.Duration // for the target to reach a position of the source; 5 minutes
	RetryFor    time.Duration // how long a lost connection is tried again; 10 minutes

	// Observe is told about every chunk. It is called by one goroutine at a time and must be quick.
	Observe func(Progress)
	Now     func() time.Time // time.Now
	Log     zerolog.Logger
}

// Progress is how far a comparison has come.
type Progress struct {
	Table      schema.Name // that was compared last
	Finished   bool        // this table is compared as a whole
	Tables     int
	TablesDone int
	Rows       int64 // compared so far
	Estimate   int64 // of all tables, by the source's statistics
	Differing  int64 // rows found different so far, in whatever way, mended or not
}

// Verify compares a source and a target.
type Verify struct {
	source Source
	target Target
	routes []*route.Route
	all    []*route.Route // of the move, also those that are not compared
	opts   Options

	cascades *route.Cascades
}

// New returns a Verify of the routes' tables.
func New(source Source, target Target, routes []*route.Route, opts Options) *Verify {
	if opts.Workers == 0 {
		opts.Workers = 4
	}
	if opts.ChunkRows == 0 {
		opts.ChunkRows = 10000
	}
	if opts.MaxListed == 0 {
		opts.MaxListed = 100
	}
	if opts.MaxCount == 0 {
		opts.MaxCount = 1 << 20
	}
	if opts.WaitTimeout == 0 {
		opts.WaitTimeout = 5 * time.Minute
	}
	if opts.RetryFor == 0 {
		opts.RetryFor = 10 * time.Minute
	}
	if opts.Observe == nil {
		opts.Observe = func(Progress) {}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	v := &Verify{source: source, target: target, all: routes, opts: opts, cascades: route.NewCascades(routes)}
	for _, r := range routes {
		if opts.Tables == nil || opts.Tables(r.Source.Name()) {
			v.routes = append(v.routes, r)
		}
	}
	return v
}

// Run compares every row of every table. With ErrNothingCompared, and with the errors of tables that could not be
// compared, such as because their schema changed meanwhile, there is a report too: it is about the other tables.
//
// The report's position is visible-safe, and the target has reached it before the first row is read. So every read, on
// either end, shows all that was changed up to there, and only later changes have to be compared after it (Changed).
func (v *Verify) Run(ctx context.Context) (*Report, error) {
	pos, err := v.safe(ctx)
	if err != nil {
		return nil, err
	}
	r := v.begin(pos)
	if err := v.await(ctx, pos); err != nil {
		return nil, err
	}
	if err := r.chunks(ctx); err != nil {
		return nil, err
	}
	if err := r.recheck(ctx); err != nil {
		return nil, err
	}
	report := r.finish()
	if err := r.failures(); err != nil {
		return report, err
	}
	return report, r.compared(ctx)
}

// Changed compares only the rows that changed after from, up to to; a zero to means now. It waits until both ends hold
// to. If a report of Run or Changed was clean at from, and this one is clean, both ends are equal at to.
func (v *Verify) Changed(ctx context.Context, from, to db.Position) (*Report, error) {
	if to.IsZero() {
		now, err := v.safe(ctx)
		if err != nil {
			return nil, err
		}
		to = now
	}
	r := v.begin(to)
	if err := r.follow(ctx, from, to); err != nil {
		return nil, err
	}
	if err := r.recheck(ctx); err != nil {
		return nil, err
	}
	return r.finish(), nil
}
