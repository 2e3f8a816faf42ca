// Package cutover is the phase that hands over from the source to the target: it stops writes, lets the target catch
// up, proves it, records the takeover and calls for the switch; or it puts everything back.
//
// Its one invariant: before the record on the target (Ledger.Seal) every failure opens the source for writes again and
// the move runs as before; after it, nothing is undone and every later run only goes forward. What it needs to keep
// either promise after a crash is in the journal before it is done. For example, the journal says "fence, and read_only
// was OFF before" before read_only is set: if wherry is killed then, the next run knows what to put back.
//
// It replicates nothing and compares nothing itself: both are functions that the caller hands over (Options).
package cutover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

var (
	// ErrRefused is a cutover that did not begin: a precondition is not met, and writes were not stopped.
	ErrRefused = errors.New("cutover refused")
	// ErrDifferent is a target that does not hold what the source holds.
	ErrDifferent = errors.New("differences between source and target")
	// ErrTimeout is writes that would have been blocked for longer than Options.Timeout.
	ErrTimeout = errors.New("writes were blocked for as long as is allowed")
	// ErrLeaks is a fence that was up and yet let writes through.
	ErrLeaks = errors.New("the fence does not hold")
	// ErrReshaped is a schema change that was followed while the cutover was prepared: the routes are stale, and the
	// caller plans anew and begins again.
	ErrReshaped = errors.New("the schema of the move has changed since the cutover began")
	// ErrOutcomeUnknown is a takeover of which nobody can tell whether it is recorded. The fence stays up: with it
	// down, applications could write to both servers.
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrUnfinished is a target that has taken over while something is left to do, such as the switch.
	ErrUnfinished = errors.New("the target has taken over, and the rest is not done")
	// ErrNotLifted is a fence that could not be taken down: writes to the source may still be blocked.
	ErrNotLifted = errors.New("the fence could not be lifted")
)

// Cutover is the phase.
type Cutover struct {
	source open // deliberately without Head: see closed
	gate   func(b *barrier) *closed
	target Target
	routes []*route.Route
	opts   Options
	plans  []schema.ObjectPlan // views and the like, as findObjects planned them
}

// Result is what a finished cutover tells.
type Result struct {
	Blocked  time.Duration // how long writes were blocked
	Head     db.Position   // the source's last position, read while writes were blocked
	Final    db.Position   // up to which the target held the source's changes when it took over
	Verified int64         // rows compared by this run
	Stray    int64         // rows written on the source after the takeover: the target does not have them
	Already  bool          // an earlier run had finished
	Spent    Spent         // the parts of Blocked, when this run came from the fence to the takeover
}

// Spent is how long writes were blocked for what.
type Spent struct {
	Fence  time.Duration // until writes were stopped, and proved to be
	Drain  time.Duration // until the target had the last change
	Verify time.Duration // until what changed was compared
}

// Run hands over, or continues an interrupted run, or finishes one that has passed the point of no return. A rehearsal
// turns back just before that point. Every error before it comes with the fence taken down, apart from two:
// ErrOutcomeUnknown and ErrNotLifted.
func (c *Cutover) Run(ctx context.Context) (*Result, error) {
	record, sealed, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	if sealed && c.opts.Rehearse {
		return nil, fmt.Errorf("rehearse the cutover: %w", db.ErrSealed)
	}
	if sealed {
		return c.forward(ctx, record, nil)
	}
	b, err := c.barrier(ctx, record)
	if err != nil {
		return nil, err
	}
	verified, err := c.prepare(ctx, b)
	if err != nil {
		return nil, b.undo(ctx, err)
	}
	done, err := c.fenceAndSeal(ctx, b, verified)
	if errors.Is(err, ErrOutcomeUnknown) {
		return nil, err
	}
	if err != nil {
		return nil, b.undo(ctx, err)
	}
	if c.opts.Rehearse {
		return done.turnBack(ctx)
	}
	return c.forward(ctx, b.record, done)
}

// Abort lifts the fence of an interrupted cutover and clears the journal, so that the move runs as before. It tells
// whether there was anything to lift: without an interrupted cutover it does nothing.
func (c *Cutover) Abort(ctx context.Context) (lifted bool, err error) {
	record, sealed, err := c.load(ctx)
	if err != nil {
		return false, err
	}
	if sealed {
		return false, fmt.Errorf("abort cutover: %w", db.ErrSealed)
	}
	if record.Step == "" {
		return false, nil
	}
	b, err := c.adopt(ctx, record)
	if err != nil {
		return false, err
	}
	return true, b.lift(ctx)
}

// fenceAndSeal blocks writes and records the takeover on the target, the point of no return; a rehearsal ends before
// the record. All of it has to be done within Options.Timeout.
//
// The order is the proof. The head is read after the fence is up, so nothing comes after it. The target reaches the
// head before it is compared. still comes last: it finds writers whom the fence did not stop. With the fence none, such
// writers are expected until the application has stopped, so it drains again, a few times.
func (c *Cutover) fenceAndSeal(ctx context.Context, b *barrier, verified Verified) (*closed, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.Timeout, ErrTimeout)
	defer cancel()
	source, err := b.raise(ctx)
	if err != nil {
		return nil, err
	}
	if err := source.head(ctx); err != nil {
		return nil, err
	}
	source.verified = verified
	for range drains {
		if err := source.drain(ctx); err != nil {
			return nil, err
		}
		if err := c.steady(ctx); err != nil {
			return nil, err
		}
		if err := source.verify(ctx); err != nil {
			return nil, err
		}
		if err := c.increments(ctx); err != nil {
			return nil, err
		}
		if err := c.confirmObjects(ctx); err != nil {
			return nil, err
		}
		still, err := source.still(ctx)
		if err != nil {
			return nil, err
		}
		if still && c.opts.Rehearse {
			return source, nil
		}
		if still {
			return source, source.seal(ctx)
		}
	}
	return nil, fmt.Errorf("drain the source: rows are still being written: %w", ErrLeaks)
}

// steady refuses to go on with tables that are no longer what they were when the cutover was planned: a column that was
// added since would be in no comparison.
func (c *Cutover) steady(ctx context.Context) error {
	if c.opts.Steady == nil {
		return nil
	}
	var steady bool
	if err := retry(ctx, func() (err error) {
		steady, err = c.opts.Steady(ctx)
		return err
	}); err != nil {
		return timely(ctx, fmt.Errorf("read the tables of the move: %w", err))
	}
	if !steady {
		return ErrReshaped
	}
	return nil
}

// forward does what is left after the takeover. It undoes nothing; run again, it skips what is done. Triggers come
// before the switch: the first write of the application must find them.
func (c *Cutover) forward(ctx context.Context, record Record, source *closed) (*Result, error) {
	result := &Result{Already: record.Done, Blocked: record.Blocked, Head: record.Head}
	if source != nil {
		result.Verified, result.Spent = source.rows, source.spent
	}
	f, err := c.takeover(ctx, record, source)
	if err != nil {
		return nil, f.unfinished(err)
	}
	result.Final = f.final
	if record.Done {
		return result, nil
	}
	for _, step := range []func(context.Context) error{
		f.objects, f.switchOver, f.proveKeys, f.strays, f.after,
		f.release,
	} {
		if err := step(ctx); err != nil {
			return nil, f.unfinished(err)
		}
	}
	result.Blocked, result.Stray, result.Head = f.record.Blocked, f.stray, f.record.Head
	return result, nil
}
