package replicate

import (
	"context"
	"fmt"
	"time"

	"wherry/pkg/db"
)

// collector reads the log and joins whole transactions into batches. Without a backlog it hands over what it has as
// soon as the applier is free, so a change waits for nothing but the batch before it. Of a backlog it hands over
// large batches only: until a limit is reached, or the log has nothing more.
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

	done   bool             // the session ends here, and all before is committed
	change *db.SchemaChange // and then it is because of this one
}

// run reads until the goal, or up to a schema change.
func (c *collector) run(ctx context.Context) error {
	if err := c.goalReached(ctx); err != nil {
		return err
	}
	wait := busyWait // longer and longer while there is no news: a goal is mostly near, and then seen at once
	for !c.done {
		part, err := c.stream.Next(ctx, wait)
		if err != nil {
			return fmt.Errorf("read the source's log after %s: %w", c.stream.Position(), err)
		}
		if part == nil {
			err = c.idle(ctx)
		} else {
			err = c.receive(ctx, part)
		}
		if err != nil {
			return err
		}
		switch {
		case c.nothing() && part == nil:
			wait = min(max(2*wait, busyWait), idleWait)
		case c.nothing() || c.open || c.behind():
			wait = busyWait
		case part == nil:
			wait = freeWait // the applier is busy
		default:
			wait = 0
		}
	}
	return nil
}

// behind tells whether the target has a backlog: what was read last was committed longer ago than Options.Backlog.
// Commit times may be in whole seconds, and the clocks of two machines are compared, so less than a second or two says
// nothing.
func (c *collector) behind() bool {
	return !c.time.IsZero() && time.Since(c.time)+c.r.opts.Clock > c.r.opts.Backlog
}

// receive adds a part to the batch and hands the batch over when it is full.
func (c *collector) receive(ctx context.Context, part *db.Part) error {
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
	if !c.open && !c.nothing() && !c.behind() {
		if err := c.offer(ctx, false); err != nil {
			return err
		}
	}
	if part.Rollback {
		return c.dropTransaction(ctx)
	}
	if !part.End && !c.open && !c.nothing() {
		// A large transaction begins: what came before is committed apart from it, so that it can be dropped as a
		// whole.
		if err := c.hand(ctx, true, false); err != nil {
			return err
		}
	}
	if c.nothing() {
		c.oldest = time.Now()
	}
	for i := range part.Changes {
		if err := c.add(ctx, &part.Changes[i], part.Contained); err != nil {
			return err
		}
	}
	c.net.bytes += part.Bytes
	c.changes += int64(len(part.Changes))
	c.open = !part.End
	if part.End {
		c.count++
		c.time, c.end = part.Time, c.stream.Position()
		if err := c.goalReached(ctx); err != nil || c.done {
			return err
		}
	}
	o := &c.r.opts
	if c.cutRows+c.net.rows+len(c.pending.acts) >= o.BatchRows || c.net.bytes >= o.BatchBytes ||
		(!c.open && time.Since(c.oldest) > o.BatchAge) {
		return c.hand(ctx, !c.open, false)
	}
	return nil
}

// dropTransaction undoes a transaction that the source rolled back after all, such as one with a table that is not
// transactional. If it came in a single part, nothing of it is in the batch yet: what is there belongs to others.
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

// stopBefore ends the session before the transaction that has just been read. Pieces of it may have been applied, and
// are undone: ReplayExactly promises that nothing after the goal is there.
func (c *collector) stopBefore(ctx context.Context) error {
	if c.open {
		if err := c.undo(ctx); err != nil {
			return err
		}
	} else if err := c.hand(ctx, true, true); err != nil {
		return err
	}
	return c.finish(ctx)
}

// finish ends the session once the applier is done with everything handed over.
func (c *collector) finish(ctx context.Context) error {
	if err := c.await(ctx); err != nil {
		return err
	}
	c.done = true
	return nil
}

// idle is called when the log has nothing more for the moment.
func (c *collector) idle(ctx context.Context) error {
	if c.open {
		return nil // the rest of the transaction is on its way
	}
	if !c.nothing() {
		return c.offer(ctx, true)
	}
	c.end = c.stream.Position()
	if err := c.goalReached(ctx); err != nil || c.done {
		return err
	}
	idle := time.Since(c.sentAt)
	if idle >= heartbeat || idle >= moveEvery && c.end != c.sent {
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
	return c.finish(ctx)
}

// offer hands the batch over if the applier is free; else the batch grows on. idle: the log has nothing more.
func (c *collector) offer(ctx context.Context, idle bool) error {
	select {
	case <-c.ready:
		return c.give(ctx, true, idle)
	default:
		return nil
	}
}

// hand hands the batch over, waiting for the applier. commit: it ends with a whole transaction.
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
	w.steps = c.collected()
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

// schemaChange lets everything before a schema change be applied and ends the session there, unless the routes have it
// already.
func (c *collector) schemaChange(ctx context.Context, part *db.Part) error {
	change := &db.SchemaChange{DDL: part.DDL, Before: c.end, After: c.stream.Position(), More: !part.End}
	passed := len(change.Tables) == 0 // only a Schema needs to know what databases have
	if c.r.opts.Schema != nil {
		var err error
		if passed, err = c.r.opts.Schema.Passed(ctx, change); err != nil {
			return err
		}
	}
	if passed {
		c.open, c.end = change.More, change.After
		return c.goalReached(ctx)
	}
	if err := c.hand(ctx, true, false); err != nil {
		return err
	}
	c.change = change
	return c.finish(ctx)
}
