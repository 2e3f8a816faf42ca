// Package copy is the phase that brings every row over: it records a safe start position, copies all tables in parallel
// chunks, has the changes since replayed until the target is consistent, and builds indexes and foreign keys.
//
// Its one invariant: every change after the start position is replayed, in order, as "make the row equal the
// after-image" or "make the row absent". So chunks may be read in any order, at any time, without locks. For example,
// an UPDATE after the start position sets a row from 1 to 2. A chunk may read the row before that (1) or after it (2);
// once the UPDATE is replayed, the target has 2 either way.
//
// Rows of a table without a key are only counted: there, replaying a change that a chunk shows already would count it
// twice. Such a table is loaded from a snapshot, and only changes after the snapshot are replayed. The package knows no
// engine, and it applies no change itself.
package copy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Replayer brings the target from its position to a goal.
type Replayer interface {
	ReplayTo(ctx context.Context, goal db.Position) error
}

// Shapes keeps the tables in step with the source's schema while they are copied.
type Shapes interface {
	// Pending tells whether rows of any table are still to be copied.
	Pending(ctx context.Context) (bool, error)
	// Ready makes the named tables ready to be copied anew, and those whose schema has changed since their copy began.
	// It returns the routes of the tables whose rows are still to be copied. The others were copied before, or were
	// created later, so that all of their rows come by the log.
	Ready(ctx context.Context, again []schema.Name) ([]*route.Route, error)
	// Changed returns the tables that are being copied and whose definition on the source is no longer the one that
	// their copy began with.
	Changed(ctx context.Context) ([]schema.Name, error)
	// All returns the routes of all tables of the move as they are by now.
	All(ctx context.Context) ([]*route.Route, error)
	// Copied records that all rows are there, and returns the routes of all tables of the move as they are by now.
	Copied(ctx context.Context) ([]*route.Route, error)
}

// Options configure a Copy; the zero value is usable.
type Options struct {
	Shapes Shapes        // nil: the source's schema does not change
	Recopy []schema.Name // source tables to copy anew

	Workers      int           // chunks in flight; 4
	ChunkRows    int           // rows of a chunk; 0 learns from ChunkBytes and time
	ChunkBytes   int64         // aimed bytes of a chunk; 16 MiB
	IndexWorkers int           // tables whose indexes are built at a time; 2
	RetryFor     time.Duration // how long to go on without a chunk done before giving up; 10 minutes
	Observe      Observer
	// Reconcile brings the target to a later position at which it holds exactly the source's rows, and returns that
	// position. It is called if FactCascades or FactDisplaced is set: then the log does not show everything that
	// happened to rows while they were copied. nil: such a copy ends with db.ErrUnsupported.
	Reconcile func(ctx context.Context, routes []*route.Route) (db.Position, error)
	Log       zerolog.Logger
}

// Observer is told how far the phase is. Its methods are called by several goroutines at once and must be quick.
type Observer interface {
	// Step names what is done now: "copy", "replay", "reconcile", "index".
	Step(name string)
	// Positions tells the start position, and the consistent one once it is known.
	Positions(start, consistent db.Position)
	// Chunk tells that a chunk of a table is done; done is false for one that is only planned.
	Chunk(table schema.Name, loaded db.Loaded, done bool)
	// Table tells that all rows of a table are copied, or that its indexes are built.
	Table(table schema.Name, step string)
}

// Copy is the phase.
type Copy struct {
	source db.Source
	target db.Target
	routes []*route.Route
	replay Replayer
	opts   Options
	ledger db.Ledger
}

// New returns the phase.
func New(source db.Source, target db.Target, routes []*route.Route, replay Replayer, opts Options) *Copy {
	if opts.Workers == 0 {
		opts.Workers = 4
	}
	if opts.ChunkBytes == 0 {
		opts.ChunkBytes = 16 << 20
	}
	if opts.IndexWorkers == 0 {
		opts.IndexWorkers = 2
	}
	if opts.RetryFor == 0 {
		opts.RetryFor = 10 * time.Minute
	}
	if opts.Observe == nil {
		opts.Observe = silent{}
	}
	return &Copy{source: source, target: target, routes: routes, replay: replay, opts: opts, ledger: target.Ledger()}
}

// Run brings the phase to its end, from wherever an earlier run left it. What is done is read from the ledger and from
// the target's tables, so nothing is handed over from one run to the next.
func (c *Copy) Run(ctx context.Context) error {
	consistent, err := c.fact(ctx, db.FactConsistent)
	if err != nil {
		return err
	}
	unreconciled, err := c.unreconciled(ctx)
	if err != nil {
		return err
	}
	pending := consistent.IsZero() || len(unreconciled) > 0 || len(c.opts.Recopy) > 0
	if !pending && c.opts.Shapes != nil {
		if pending, err = c.opts.Shapes.Pending(ctx); err != nil {
			return err
		}
	}
	if pending {
		err = c.copy(ctx)
	} else {
		err = c.copied(ctx, consistent)
	}
	if err != nil {
		return err
	}
	c.opts.Observe.Step("index")
	return c.finish(ctx)
}

// copy brings all rows over and makes the target consistent. A table whose schema changes meanwhile is copied anew: its
// rows were read with other columns than the changes have that are to be replayed onto them.
func (c *Copy) copy(ctx context.Context) error {
	for again := c.opts.Recopy; ; {
		start, err := c.load(ctx, again)
		if err != nil {
			return err
		}
		consistent, err := c.converge(ctx)
		var changed *db.CopyAgain
		if c.opts.Shapes == nil || !errors.As(err, &changed) {
			if err == nil {
				c.opts.Observe.Positions(start, consistent)
			}
			return err
		}
		c.opts.Log.Warn().Str("why", changed.Why).Msg("schema change during the copy")
		again = changed.Tables
	}
}

// load brings all rows over that are not there yet. The lock is given up afterwards: whoever replays takes it. The
// start position is recorded before the first row is read, see start.
func (c *Copy) load(ctx context.Context, again []schema.Name) (db.Position, error) {
	lock, err := c.lock(ctx)
	if err != nil {
		return "", err
	}
	if err := c.ledger.Create(ctx); err != nil { // adds what bookkeeping of an earlier version lacks
		return "", errors.Join(err, lock.Close())
	}
	start, err := c.start(ctx)
	if err != nil {
		return "", errors.Join(err, lock.Close())
	}
	c.opts.Observe.Positions(start, "")
	return start, c.locked(ctx, lock, start, func(ctx context.Context) error {
		failed := map[schema.Name]bool{}
		for {
			if c.opts.Shapes != nil {
				var err error
				if c.routes, err = c.opts.Shapes.Ready(ctx, again); err != nil {
					return err
				}
			}
			err := c.rows(ctx, start)
			if err == nil || c.opts.Shapes == nil || ctx.Err() != nil {
				return err
			}
			// Rows that cannot be read or written may be of a table whose schema has changed: then it is copied anew.
			// Or the table was gone for a moment, as in a swap: then one more try finds it. A second failure of the
			// same table is an error.
			table, ok := tableOf(err)
			if !ok {
				return err
			}
			changed, lookErr := c.opts.Shapes.Changed(ctx)
			switch {
			case lookErr != nil:
				return errors.Join(err, lookErr)
			case slices.Contains(changed, table):
				again = []schema.Name{table}
			case !failed[table] && !errors.Is(err, db.ErrUnsupported):
				again, failed[table] = nil, true
			default:
				return err
			}
		}
	})
}

// copied is copy for a run that finds all of it done.
func (c *Copy) copied(ctx context.Context, consistent db.Position) error {
	start, err := c.start(ctx)
	if err == nil {
		c.opts.Observe.Positions(start, consistent)
	}
	return err
}

// start returns the position that the copy began from. It is recorded before the first row is read: if wherry is killed
// in between, the next run must replay from there, and a later position would miss the changes in between. A recorded
// start without a position of the applier means that the target has taken over (db.ErrSealed).
func (c *Copy) start(ctx context.Context) (db.Position, error) {
	start, err := c.fact(ctx, db.FactStart)
	if err != nil {
		return "", err
	}
	if !start.IsZero() {
		at, err := c.fact(ctx, db.FactPosition)
		if err == nil && at.IsZero() {
			return "", fmt.Errorf("continue copy: %w", db.ErrSealed)
		}
		if err == nil {
			err = c.source.Retained(ctx, at)
		}
		if err != nil {
			return "", fmt.Errorf("continue copy from %s: %w", at, err)
		}
		return start, nil
	}
	if err := c.untouched(ctx); err != nil {
		return "", err
	}
	if start, err = c.source.SafePosition(ctx); err != nil {
		return "", fmt.Errorf("read a safe start position: %w", err)
	}
	if start, err = c.ledger.Begin(ctx, start); err != nil {
		return "", err
	}
	c.opts.Log.Info().Stringer("position", start).Msg("copy begins")
	return start, nil
}

// untouched refuses to begin with tables that hold rows: afterwards nobody could tell which of them are the source's.
// It reports all such tables at once.
func (c *Copy) untouched(ctx context.Context) error {
	found := make([]error, len(c.routes))
	group, looking := errgroup.WithContext(ctx)
	group.SetLimit(c.opts.Workers)
	for i, r := range c.routes {
		group.Go(func() error {
			return c.retry(looking, "look for rows in "+r.Target.Name().String(), func() error {
				empty, err := c.empty(looking, &r.Target)
				if err == nil && !empty {
					found[i] = fmt.Errorf("table %s on the target has rows that this move did not bring: empty it",
						r.Target.Name())
				}
				return err
			})
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if all := slices.DeleteFunc(found, func(err error) bool { return err == nil }); len(all) > 0 {
		return fmt.Errorf("begin copy, nothing was changed: %w: %w", errors.Join(all...), db.ErrUnsupported)
	}
	return nil
}

func (c *Copy) empty(ctx context.Context, rel *route.Relation) (empty bool, err error) {
	rows, err := c.target.Rows(ctx, rel, db.Range{})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	_, err = rows.Next()
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, err
}

func (c *Copy) fact(ctx context.Context, name string) (db.Position, error) {
	value, err := c.ledger.Get(ctx, name)
	return db.Position(value), err
}

// converge replays until the target holds everything that any chunk has read. The goal is the head of the log after the
// last chunk, so no chunk can have read anything later. Changes before it may be older than the rows that they meet;
// from there on the target is a state that the source had.
//
// The fact consistent is written before the notes are cleared. A crash in between leaves notes that say "compare once
// more", which costs time. The other order could leave a target that was never compared and looks as if it were.
func (c *Copy) converge(ctx context.Context) (db.Position, error) {
	c.opts.Observe.Step("replay")
	var goal db.Position
	err := c.retry(ctx, "read the source's head", func() (err error) {
		goal, err = c.source.Head(ctx)
		return err
	})
	if err != nil {
		return "", err
	}
	if err := c.replay.ReplayTo(ctx, goal); err != nil {
		return "", fmt.Errorf("replay the changes made during the copy: %w", err)
	}
	if goal, err = c.reconcile(ctx, goal); err != nil {
		return "", err
	}
	if c.opts.Shapes != nil {
		if c.routes, err = c.opts.Shapes.Copied(ctx); err != nil {
			return "", err
		}
	}
	if err := c.ledger.Put(ctx, db.FactConsistent, goal.String()); err != nil {
		return "", err
	}
	if err := c.reconciled(ctx); err != nil {
		return "", err
	}
	c.opts.Log.Info().Stringer("position", goal).Msg("target is consistent")
	return goal, nil
}

// reconcile compares tables of which the log does not show everything. A foreign key may have changed a row before its
// chunk was read, or after; afterwards nobody can tell which. So they are compared once, at a later position, which is
// returned. If there are none, that is consistent itself.
func (c *Copy) reconcile(ctx context.Context, consistent db.Position) (db.Position, error) {
	unreconciled, err := c.unreconciled(ctx)
	if err != nil || len(unreconciled) == 0 {
		return consistent, err
	}
	if c.opts.Reconcile == nil {
		return "", fmt.Errorf("rows changed in a way that the log does not show (%v): %w", unreconciled,
			db.ErrUnsupported)
	}
	c.opts.Observe.Step("reconcile")
	err = c.retry(ctx, "compare rows that the log does not tell all of", func() (err error) {
		routes := c.routes
		if c.opts.Shapes != nil { // also those whose rows are not copied now: foreign keys reach them
			if routes, err = c.opts.Shapes.All(ctx); err != nil {
				return err
			}
		}
		consistent, err = c.opts.Reconcile(ctx, routes)
		return err
	})
	return consistent, err
}

// reconciled clears the notes. From here on, whoever follows carries out what foreign keys do.
func (c *Copy) reconciled(ctx context.Context) error {
	unreconciled, err := c.unreconciled(ctx)
	for _, name := range unreconciled {
		err = errors.Join(err, c.ledger.Put(ctx, name, ""))
	}
	return err
}

// unreconciled returns the notes that are set: facts that say that tables have to be compared, see reconcile.
func (c *Copy) unreconciled(ctx context.Context) (names []string, err error) {
	for _, name := range []string{db.FactCascades, db.FactDisplaced} {
		value, err := c.ledger.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		if value != "" {
			names = append(names, name)
		}
	}
	return names, nil
}

// retry repeats what a lost connection or a deadlock interrupted, until RetryFor after it was interrupted first: the
// time before that was work.
func (c *Copy) retry(ctx context.Context, what string, f func() error) error {
	again := db.Retry{
		For: c.opts.RetryFor, First: 100 * time.Millisecond, Max: 15 * time.Second, GivingUp: "no progress for",
		Notify: func(err error, pause time.Duration) {
			c.opts.Log.Warn().Err(err).Str("what", what).Stringer("again_in", pause).Msg("copy interrupted")
		},
	}
	err := again.Do(ctx, f)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

type silent struct{}

func (silent) Step(string)                        {}
func (silent) Positions(_, _ db.Position)         {}
func (silent) Chunk(schema.Name, db.Loaded, bool) {}
func (silent) Table(_ schema.Name, _ string)      {}
