package cutover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

const (
	liftTimeout = 30 * time.Second      // to open the source again, whatever else has ended
	patience    = 30 * time.Second      // with a server that does not answer
	pause       = 10 * time.Millisecond // before something is asked again
)

// barrier is the fence of this cutover, of whatever kind, with what the journal has to know of it.
type barrier struct {
	c      *Cutover
	fence  db.Fence // nil for the kinds that are the user's
	record Record
	up     bool      // it is up, or may be: a statement to raise it was sent
	began  time.Time // when this run went to raise it
	spent  Spent
}

// barrier prepares the fence. That of an interrupted run is adopted: writes have been blocked since, and it knows what
// to put back. One of another kind is lifted first.
func (c *Cutover) barrier(ctx context.Context, record Record) (*barrier, error) {
	if record.Step != "" {
		old, err := c.adopt(ctx, record)
		if err != nil || record.FenceKind == c.opts.Fence {
			return old, err
		}
		if err := old.lift(ctx); err != nil {
			return nil, err
		}
	}
	return c.newBarrier(ctx, c.opts.Fence, "")
}

func (c *Cutover) adopt(ctx context.Context, record Record) (*barrier, error) {
	c.opts.Log.Warn().Str("step", string(record.Step)).Time("fenced_at", record.FencedAt).
		Msg("an earlier cutover was interrupted")
	b, err := c.newBarrier(ctx, record.FenceKind, record.Saved)
	if err != nil {
		return nil, fmt.Errorf("%w: %w: adopt the fence of the interrupted cutover: %s", ErrNotLifted, err,
			byHand(record))
	}
	b.record, b.up = record, true
	return b, nil
}

func (c *Cutover) newBarrier(ctx context.Context, kind db.FenceKind, saved string) (*barrier, error) {
	b := &barrier{c: c, record: Record{FenceKind: kind}}
	if kind == db.FenceHook || kind == db.FenceNone {
		return b, nil
	}
	names := make([]schema.Name, len(c.routes))
	for i, r := range c.routes {
		names[i] = r.Source.Name()
	}
	fence, err := c.source.NewFence(ctx, kind, names, saved)
	if err != nil {
		return nil, fmt.Errorf("prepare fence %s: %w", kind, err)
	}
	b.fence, b.record.Saved = fence, fence.Saved()
	return b, nil
}

// raise blocks writes, and returns the source in that state once the fence has proved to hold. The journal is written
// first: after a crash in between, the next run lifts a fence that may not be up, which does no harm. The other order
// could leave a read-only source that no journal knows of.
func (b *barrier) raise(ctx context.Context) (*closed, error) {
	b.c.observe(StepFence, string(b.record.FenceKind))
	b.began = b.c.opts.Now()
	defer b.c.timed(&b.spent.Fence)()
	if !b.up { // else writes have been blocked for longer
		b.record.FencedAt = b.began
	}
	b.record.Step = StepFence
	if err := b.c.save(ctx, b.record); err != nil {
		return nil, err
	}
	b.up = true
	switch {
	case b.fence != nil:
		if err := b.fence.Raise(ctx); err != nil {
			return nil, timely(ctx, fmt.Errorf("raise fence %s: %w", b.record.FenceKind, err))
		}
	case b.record.FenceKind == db.FenceHook:
		if err := b.c.hook(ctx, HookFence, b.record, nil); err != nil {
			return nil, timely(ctx, err)
		}
	}
	if err := b.holds(ctx); err != nil {
		return nil, err
	}
	return b.c.gate(b), nil
}

// holds proves that the fence stops writes. The user's own fences (hook, none) are proved by the log alone, see still.
// They may have stopped writes on a primary of the source; then everything that was received from there has to be
// applied, and so be in the source's log, before its head means anything.
func (b *barrier) holds(ctx context.Context) error {
	if b.fence == nil {
		if err := b.c.source.AwaitPending(ctx); err != nil {
			return timely(ctx, err)
		}
		return nil
	}
	if err := b.fence.Holds(ctx); err != nil {
		if ctx.Err() != nil {
			return timely(ctx, err)
		}
		return fmt.Errorf("%w: %w", ErrLeaks, err)
	}
	return nil
}

// undo takes the fence down, if it may be up, and returns cause together with the state of the source: open again, or
// possibly still closed (ErrNotLifted).
func (b *barrier) undo(ctx context.Context, cause error) error {
	if !b.up {
		return cause
	}
	if err := b.lift(ctx); err != nil {
		return errors.Join(cause, err)
	}
	if b.record.FenceKind == db.FenceNone {
		return fmt.Errorf("%w (undone: the move runs as before; writes to the source are yours to allow again)", cause)
	}
	return fmt.Errorf("%w (undone: writes to the source are open again, the move runs as before)", cause)
}

// lift opens the source for writes, also when ctx is over, and clears the journal.
func (b *barrier) lift(ctx context.Context) error {
	b.c.observe(StepLift, string(b.record.FenceKind))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), liftTimeout)
	defer cancel()
	var err error
	switch {
	case b.fence != nil:
		err = retry(ctx, func() error { return b.fence.Lift(ctx) })
		err = errors.Join(err, b.fence.Release())
	case b.record.FenceKind == db.FenceHook:
		err = b.c.hook(ctx, HookUnfence, b.record, nil)
	}
	if err != nil {
		return fmt.Errorf("%w: %w: %s", ErrNotLifted, err, byHand(b.record))
	}
	b.up = false
	return b.c.save(ctx, Record{})
}

// byHand says what a person has to do when wherry cannot take the fence down.
func byHand(r Record) string {
	if r.FenceKind == db.FenceHook {
		return "writes to the source may still be blocked; allow them as hooks.unfence would"
	}
	return fmt.Sprintf("writes to the source may still be blocked; put back by hand what fence %s has changed: %s",
		r.FenceKind, r.Saved)
}

// retry repeats f, which must be harmless when repeated, for up to patience after lost connections and deadlocks.
func retry(ctx context.Context, f func() error) error {
	var last error
	// The last error of f is returned, not Retry's: callers ask for its kind, and add the reason of an ended ctx.
	_ = db.Retry{For: patience, First: 10 * pause}.Do(ctx, func() error {
		last = f()
		return last
	})
	return last
}

// timely puts the reason first if ctx has ended: "writes were blocked for as long as is allowed: read the head: ..."
// and not only the driver's "context deadline exceeded".
func timely(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}
