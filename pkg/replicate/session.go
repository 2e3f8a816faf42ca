package replicate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

const (
	idleWait  = 250 * time.Millisecond // for news when there has been none for a while
	busyWait  = 2 * time.Millisecond   // for news of a backlog
	freeWait  = time.Millisecond / 2   // for news while the applier is busy with the batch before
	moveEvery = 200 * time.Millisecond // how often a position is committed that moved without routed changes
	heartbeat = time.Second            // how often standing still is told, and the applier's connection used
	retries   = 5                      // of one batch that met a deadlock
)

// work is what the collector hands to the applier: the net effect of whole transactions, or of a piece of a large one.
type work struct {
	steps    []step
	commit   bool // a transaction ends here
	rollback bool // a transaction that was begun in earlier pieces must be dropped
	pos      db.Position
	time     time.Time // commit time on the source of the last transaction
	changes  int64
	count    int64 // transactions
	idle     bool  // nothing more was in the log
}

// session runs from the target's durable position to the goal, or over a schema change (evolved): then another session
// goes on after it. What is not committed when an error ends a session is read again by the next one, so nothing of it
// has to be saved.
//
// The applier is opened first: it holds the move's lock, and the position that it reads cannot change any more. The
// stream begins there. Two goroutines work side by side: one collects the next batch while the other applies this one.
func (r *Replicator) session(ctx context.Context, goal db.Position) (evolved bool, err error) {
	applier, err := r.target.NewApplier(ctx, db.ApplyOptions{Workers: r.workers(), Displaced: r.opts.Displaced})
	if err != nil {
		return false, fmt.Errorf("open the target for changes: %w", err)
	}
	defer func() { err = errors.Join(err, ignoreConnection(applier.Close())) }()
	if applier.Position().IsZero() {
		return false, errors.New("no position on the target: run init-copy first")
	}
	if r.opts.Unseen == nil && r.opts.Reconciled != nil {
		if err := r.opts.Reconciled(ctx); err != nil {
			return false, err
		}
	}
	if r.opts.Schema != nil {
		if r.routes, err = r.opts.Schema.Routes(ctx, applier); err != nil {
			return false, err
		}
	}
	r.cascades = route.NewCascades(r.routes)
	pos := applier.Position()
	stream, err := r.source.Stream(ctx, pos, r.routes, nil)
	if err != nil {
		return false, fmt.Errorf("open the source's log at %s: %w", pos, err)
	}
	defer func() { err = errors.Join(err, ignoreConnection(stream.Close())) }()
	r.opts.Log.Debug().Stringer("position", pos).Msg("replication session begins")

	out, ready, free := make(chan work), make(chan struct{}, 1), make(chan *coalescer, 3)
	whole := ctx
	group, ctx := errgroup.WithContext(ctx)
	c := &collector{
		r: r, stream: stream, goal: goal, out: out, ready: ready, free: free, net: newCoalescer(), end: pos,
	}
	group.Go(func() error {
		defer close(out)
		return c.run(ctx)
	})
	group.Go(func() error { return r.applyAll(ctx, applier, out, ready, free) })
	if err = group.Wait(); err != nil || c.change == nil {
		return false, err
	}
	return true, r.evolve(whole, applier, c.change)
}

// evolve has Options.Schema carry a schema change over. Without one it is db.ErrUnsupported.
func (r *Replicator) evolve(ctx context.Context, applier db.Applier, c *db.SchemaChange) error {
	if r.opts.Schema == nil {
		return fmt.Errorf("schema change on %v in the source's log at %s: %.500s: %w",
			c.Tables, c.After, c.Statement, db.ErrUnsupported)
	}
	if err := r.opts.Schema.Change(ctx, applier, c); err != nil {
		return err
	}
	r.moved = time.Now()
	r.stats.Position = applier.Position()
	return nil
}

// ignoreConnection drops errors of closing what is lost anyway.
func ignoreConnection(err error) error {
	if errors.Is(err, db.ErrConnection) || err == nil || strings.Contains(err.Error(), "closed") {
		return nil
	}
	return err
}

// applyAll writes what is handed over.
func (r *Replicator) applyAll(ctx context.Context, applier db.Applier, in <-chan work, ready chan<- struct{},
	free chan<- *coalescer,
) error {
	pieces := 0 // applied since the last commit
	ready <- struct{}{}
	for w := range in {
		if w.rollback {
			if err := applier.Rollback(ctx); err != nil {
				return err
			}
			pieces = 0
		}
		for i := range w.steps {
			if err := r.applyStep(ctx, applier, &w.steps[i], pieces == 0); err != nil {
				return fmt.Errorf("apply changes up to %s: %w", w.pos, err)
			}
			pieces++
			select {
			case free <- w.steps[i].net:
			default:
			}
		}
		r.stats.Changes += w.changes
		if w.commit {
			if err := applier.Commit(ctx, w.pos); err != nil {
				return fmt.Errorf("commit changes up to %s: %w", w.pos, err)
			}
			pieces = 0
			r.committed(w)
		}
		ready <- struct{}{} // never blocks: the collector has taken the last token before it handed over this work
	}
	return nil
}

// applyStep applies the net effect of a run of changes, and then what foreign keys did.
func (r *Replicator) applyStep(ctx context.Context, applier db.Applier, s *step, first bool) error {
	applied, err := r.applyOne(ctx, applier, s.batch, first)
	if err != nil {
		return err
	}
	r.stats.Rows += applied.Upserted + applied.Deleted
	r.stats.Absent += applied.Absent
	s.net.reset()
	return r.carry(ctx, applier, s.acts)
}

// applyOne applies a batch. When it is the first piece of its target transaction, a deadlock costs only another try.
func (r *Replicator) applyOne(ctx context.Context, applier db.Applier, b *db.Batch, first bool) (db.Applied, error) {
	for try := 1; ; try++ {
		applied, err := applier.Apply(ctx, b)
		if err == nil || !first || !errors.Is(err, db.ErrRetry) || try == retries {
			return applied, err
		}
		r.opts.Log.Warn().Err(err).Int("try", try).Msg("changes are applied again")
		if err := applier.Rollback(ctx); err != nil {
			return applied, err
		}
	}
}

func (r *Replicator) committed(w work) {
	r.moved = time.Now()
	r.stats.Position = w.pos
	r.stats.Transactions += w.count
	r.stats.CaughtUp = w.idle
	switch {
	case w.idle:
		r.stats.Lag = 0
	case !w.time.IsZero():
		r.stats.Lag = max(time.Since(w.time)+r.opts.Clock, 0)
	}
	r.opts.Report(r.stats)
}
