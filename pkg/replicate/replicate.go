// Package replicate is the phase that follows the source: it reads the change log from the position that the target
// holds and applies every later change, exactly once.
//
// Its one invariant: rows and position commit together, at the end of a source transaction. So after a crash the
// position says exactly which changes the target has. For example, wherry is killed after the rows of transaction 7
// were sent: either they and position 7 are committed, or neither, and transaction 7 is read again.
//
// It knows no engine. A schema change ends a session: what came before it is committed, Options.Schema carries it over,
// and a new session goes on with the routes as they are then.
package replicate

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// Schema carries schema changes over.
type Schema interface {
	// Routes returns the routes as of the target's position, after it has finished what was begun.
	Routes(ctx context.Context, applier db.Applier) ([]*route.Route, error)
	// Passed tells whether the routes have the change already.
	Passed(ctx context.Context, change *db.SchemaChange) (bool, error)
	// Change makes the change on the target and moves the position from before to after it.
	Change(ctx context.Context, applier db.Applier, change *db.SchemaChange) error
}

// Options configure a Replicator; the zero value is usable.
type Options struct {
	BatchRows  int // net rows of one target transaction; 5,000
	BatchBytes int // bytes of one target transaction, roughly; 16 MiB
	// the longest that a change of a backlog waits for others to join it while more keep coming; 500 ms
	BatchAge time.Duration
	// changes that were committed longer ago are a backlog: batches grow to their limits; 2 s. Negative: always
	Backlog  time.Duration
	Workers  int           // connections that apply in parallel; 1
	Schema   Schema        // nil: a schema change is an error
	RetryFor time.Duration // how long to go on without any progress before giving up; 10 minutes
	Clock    time.Duration // the source's clock minus ours, for the lag

	// Unseen is set while rows on the target may be newer than the log, as during a copy. Actions of foreign keys that
	// the log does not show cannot be carried out then: a row may reference a parent already that it gets only later in
	// the log. Unseen is called, at least once, before changes that trigger such actions are applied. The caller must
	// compare those tables afterwards (see ReplayExactly).
	Unseen func(ctx context.Context) error
	// Displaced is set while rows on the target may be newer than the log, see db.ApplyOptions.
	Displaced func(ctx context.Context, r *route.Route) (may bool, err error)
	// Reconciled is asked before the log is followed without Unseen. An error means that tables were not compared yet,
	// and ends the run.
	Reconciled func(ctx context.Context) error

	// Report is told about every commit and, about once a second, about standing still. It must be quick.
	Report func(Progress)
	Log    zerolog.Logger
}

// Progress is how far the target has come.
type Progress struct {
	Position     db.Position
	Rows         int64 // net rows written and removed since the start of this run
	Changes      int64 // row changes read since the start of this run
	Transactions int64
	Absent       int64         // rows to remove that the target did not have
	Lag          time.Duration // how far the target is behind the source
	CaughtUp     bool          // nothing more is in the log right now
}

// Replicator applies the source's changes to the target.
type Replicator struct {
	source db.Log
	target Opener
	routes []*route.Route
	opts   Options
	stats  Progress
	moved  time.Time // when the position last moved

	cascades *route.Cascades
	exact    bool // nothing beyond the goal is applied
	noted    bool // Options.Unseen was called
	alone    bool // one connection applies, see errAlone
}

// Opener is what a Replicator needs of a target.
type Opener interface {
	NewApplier(ctx context.Context, opts db.ApplyOptions) (db.Applier, error)
}

// New returns a Replicator.
func New(source db.Log, target Opener, routes []*route.Route, opts Options) *Replicator {
	if opts.BatchRows == 0 {
		opts.BatchRows = 5000
	}
	if opts.BatchBytes == 0 {
		opts.BatchBytes = 16 << 20
	}
	if opts.BatchAge == 0 {
		opts.BatchAge = 500 * time.Millisecond
	}
	if opts.Backlog == 0 {
		opts.Backlog = 2 * time.Second
	}
	if opts.RetryFor == 0 {
		opts.RetryFor = 10 * time.Minute
	}
	if opts.Report == nil {
		opts.Report = func(Progress) {}
	}
	return &Replicator{source: source, target: target, routes: routes, opts: opts}
}

// ReplayTo applies changes until the target holds everything up to goal.
func (r *Replicator) ReplayTo(ctx context.Context, goal db.Position) error { return r.run(ctx, goal) }

// ReplayExactly applies changes until the target holds everything up to goal, and no transaction after it. goal must be
// between two transactions of the server that is read from, such as the position of a snapshot.
func (r *Replicator) ReplayExactly(ctx context.Context, goal db.Position) error {
	r.exact = true
	defer func() { r.exact = false }()
	return r.run(ctx, goal)
}

// Run applies changes until ctx ends, which is its only good end (it returns the context's cause), or until the move
// is sealed (db.ErrSealed).
func (r *Replicator) Run(ctx context.Context) error { return r.run(ctx, "") }

// CatchUp applies changes until the target holds everything that was in the source's log when it began.
func (r *Replicator) CatchUp(ctx context.Context) error {
	var goal db.Position
	err := r.repeat(ctx, func() (err error) {
		goal, err = r.source.Head(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the source's head: %w", err)
	}
	return r.run(ctx, goal)
}

// run runs one session after another until one reaches the goal. A session that ends at a schema change is followed by
// one with other routes.
func (r *Replicator) run(ctx context.Context, goal db.Position) error {
	return r.repeat(ctx, func() error {
		for {
			if evolved, err := r.session(ctx, goal); err != nil || !evolved {
				return err
			}
		}
	})
}

// repeat calls f again after a lost connection or a deadlock, as long as something moved within RetryFor.
func (r *Replicator) repeat(ctx context.Context, f func() error) error {
	r.moved = time.Now()
	return db.Retry{
		For: r.opts.RetryFor, First: 100 * time.Millisecond, Max: 30 * time.Second, GivingUp: "no progress for",
		Progress: func() time.Time { return r.moved },
		Notify: func(err error, pause time.Duration) {
			r.opts.Log.Warn().Err(err).Stringer("again_in", pause).Msg("replication interrupted")
		},
	}.Do(ctx, f)
}
