package replicate

import (
	"context"
	"fmt"
	"time"

	"wherry/pkg/db"
)

// collector reads the log and joins whole transactions until a limit is reached, or until the log has nothing more for the
// moment and the applier is free: with a backlog batches are large, without one changes wait for nothing.
type collector struct {
	r      *Replicator
	stream db.Stream
	goal   db.Position
	out    chan<- work
	ready  <-chan struct{} // a token when the applier waits for work
	free   <-chan *coalescer

	net     *coalescer
	steps   []step    // of the batch, before net
	pending pending   // actions that come after net
	cutRows int       // net rows of steps
	open    bool      // within a transaction
	oldest  time.Time // when the first change of the batch was read
	time    time.Time // commit time of the last transaction read
	changes int64
	count   int64
	end     db.Position // after the last whole transaction in the batch
	sent    db.Position // what the applier was given last
	sentAt  time.Time   // and when
}

func (c *collector) run(ctx context.Context) error {
	if err := c.goalReached(ctx); err != nil {
		return err
	}
	wait := busyWait // longer and longer while there is no news: a goal is mostly near, and then seen at once
	for {
		part, err := c.stream.Next(ctx, wait)
		if err != nil {
			return fmt.Errorf("read the source's log after %s: %w", c.stream.Position(), err)
		}
		if part == nil {
			wait = min(2*wait, idleWait)
			err = c.idle(ctx)
		} else {
			err = c.take(ctx, part)
		}
		if !c.nothing() {
			wait = busyWait
		}
		if err != nil {
			return err
		}
	}
}

// take adds a part to the batch and hands the batch over when it is full.
func (c *collector) take(ctx context.Context, part *db.Part) error {
	if part.End && c.r.exact {
		switch beyond, err := c.beyond(); {
		case err != nil:
			return err
		case beyond:
			return c.stopBefore(ctx)
		}
	}
	if part.DDL != nil {
		return c.schemaChange(ctx, part)
	}
	if part.Rollback {
		return c.dropTransaction(ctx)
	}
	if !part.End && !c.open && !c.nothing() {
		// A large transaction begins: what came before is committed apart from it, so that it can be dropped as a whole.
		if err := c.hand(ctx, true, false); err != nil {
			return err
		}
	}
	if c.nothing() {
		c.oldest = time.Now()
	}
	for i := range part.Changes {
		if err := c.add(ctx, &part.Changes[i], part.Held); err != nil {
			return err
		}
	}
	c.net.bytes += part.Bytes
	c.changes += int64(len(part.Changes))
	c.open = !part.End
	if part.End {
		c.count++
		c.time, c.end = part.Time, c.stream.Position()
		if err := c.goalReached(ctx); err != nil {
			return err
		}
	}
	o := &c.r.opts
	if c.cutRows+c.net.rows+len(c.pending.acts) >= o.BatchRows || c.net.bytes >= o.BatchBytes || (!c.open && time.Since(c.oldest) > o.BatchAge) {
		return c.hand(ctx, !c.open, false)
	}
	return nil
}

// dropTransaction undoes a transaction that the source rolled back after all. One that came in a single part has not been
// taken in: what the batch holds then is of others.
func (c *collector) dropTransaction(ctx context.Context) error {
	c.end = c.stream.Position()
	if !c.open {
		return c.goalReached(ctx)
	}
	if err := c.undo(ctx); err != nil {
		return err
	}
	return c.goalReached(ctx)
}

// undo drops the transaction that is open, and what of it was applied.
func (c *collector) undo(ctx context.Context) error {
	c.drop()
	c.open, c.changes = false, 0
	if err := c.await(ctx); err != nil {
		return err
	}
	return c.send(ctx, work{rollback: true, commit: true, pos: c.end, time: c.time})
}

// beyond tells whether the transaction that has just been read is after the goal.
func (c *collector) beyond() (bool, error) {
	within, err := c.r.source.Reached(c.goal, c.stream.Position())
	return !within, err
}

// stopBefore ends the session before the transaction that has just been read, of which pieces may have been applied.
func (c *collector) stopBefore(ctx context.Context) error {
	if c.open {
		if err := c.undo(ctx); err != nil {
			return err
		}
	} else if err := c.hand(ctx, true, true); err != nil {
		return err
	}
	if err := c.await(ctx); err != nil {
		return err
	}
	return errReached
}

// idle is called when the log has nothing more for the moment.
func (c *collector) idle(ctx context.Context) error {
	if c.open {
		return nil // the rest of the transaction is on its way
	}
	if !c.nothing() {
		return c.offer(ctx)
	}
	c.end = c.stream.Position()
	if err := c.goalReached(ctx); err != nil {
		return err
	}
	quiet := time.Since(c.sentAt)
	if quiet >= heartbeat || quiet >= moveEvery && c.end != c.sent {
		return c.hand(ctx, true, true)
	}
	return nil
}

func (c *collector) goalReached(ctx context.Context) error {
	if c.goal.IsZero() {
		return nil
	}
	reached, err := c.r.source.Reached(c.end, c.goal)
	if err != nil || !reached {
		return err
	}
	if err := c.hand(ctx, true, true); err != nil {
		return err
	}
	if err := c.await(ctx); err != nil { // until that is committed
		return err
	}
	return errReached
}

// offer hands the batch over if the applier is free.
func (c *collector) offer(ctx context.Context) error {
	select {
	case <-c.ready:
		return c.give(ctx, true, true)
	default:
		return nil
	}
}

// hand hands the batch over, waiting for the applier.
func (c *collector) hand(ctx context.Context, commit, idle bool) error {
	if err := c.await(ctx); err != nil {
		return err
	}
	return c.give(ctx, commit, idle)
}

// await waits until the applier is done with everything handed over.
func (c *collector) await(ctx context.Context) error {
	select {
	case <-c.ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// give hands the batch to the applier that waits for it.
func (c *collector) give(ctx context.Context, commit, idle bool) error {
	w := work{commit: commit, pos: c.end, time: c.time, changes: c.changes, idle: idle, count: c.count}
	w.steps = c.taken()
	c.sent, c.sentAt, c.changes, c.count = c.end, time.Now(), 0, 0
	return c.send(ctx, w)
}

func (c *collector) send(ctx context.Context, w work) error {
	select {
	case c.out <- w:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// schemaChange ends the session at a schema change, once everything before it is committed.
type schemaChange struct {
	ddl           *db.DDL
	before, after db.Position
	more          bool // its rows follow in the same transaction
}

func (e *schemaChange) Error() string {
	return fmt.Sprintf("schema change on %v in the source's log at %s: %.500s", e.ddl.Tables, e.after, e.ddl.Statement)
}

// schemaChange lets everything before it be applied and ends the session there, unless the routes have it already.
func (c *collector) schemaChange(ctx context.Context, part *db.Part) error {
	change := &schemaChange{ddl: part.DDL, before: c.end, after: c.stream.Position(), more: !part.End}
	if c.r.opts.Schema != nil {
		passed, err := c.r.opts.Schema.Passed(ctx, change.ddl, change.before, change.after, change.more)
		if err != nil {
			return err
		}
		if passed {
			c.open, c.end = change.more, change.after
			return c.goalReached(ctx)
		}
	}
	if err := c.hand(ctx, true, false); err != nil {
		return err
	}
	if err := c.await(ctx); err != nil {
		return err
	}
	return change
}
