package cutover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/count"
	"wherry/pkg/db"
)

// prePasses is how often changes are compared before writes are blocked: each pass has less to do than the one before.
const prePasses = 3

// prepare checks and does everything that can be done while writes go on. It returns how far the comparison has come.
// If an interrupted run has left its fence up, writes are blocked already, and Options.Timeout counts for this part
// too.
func (c *Cutover) prepare(ctx context.Context, b *barrier) (Verified, error) {
	if b.up {
		under, cancel := context.WithTimeoutCause(ctx, c.opts.Timeout, ErrTimeout)
		defer cancel()
		ctx = under
	}
	c.observe(StepCheck, "preconditions")
	if err := c.gates(ctx); err != nil {
		return Verified{}, err
	}
	if err := c.hook(ctx, HookBefore, Record{FenceKind: c.opts.Fence}, nil); err != nil {
		return Verified{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := c.makeObjects(ctx); err != nil {
		return Verified{}, err
	}
	if err := c.increments(ctx); err != nil { // so that few are left to do while writes are blocked
		return Verified{}, err
	}
	if c.opts.Verify != VerifyChanged {
		return Verified{}, nil
	}
	return c.prePass(ctx)
}

// transient tells that a server did not answer, or asked for a retry. Then it is unknown whether a precondition is met,
// and the cutover fails (exit status 1) instead of being refused (12).
func transient(err error) bool {
	return errors.Is(err, db.ErrConnection) || errors.Is(err, db.ErrRetry)
}

// gates checks every precondition and reports all that are not met.
func (c *Cutover) gates(ctx context.Context) error {
	gates := append([]Gate{{"lag", c.lag}, {"verified", c.verified}, {"objects", c.findObjects}}, c.opts.Gates...)
	var broken []error
	for _, g := range gates {
		err := g.Check(ctx)
		if transient(err) && ctx.Err() == nil {
			return fmt.Errorf("check precondition %s: %w; nothing was changed", g.Name, err)
		}
		if err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", g.Name, err))
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(broken) > 0 {
		return fmt.Errorf("%w: %w", ErrRefused, errors.Join(broken...))
	}
	return nil
}

func (c *Cutover) lag(ctx context.Context) error {
	if c.opts.Lag == nil {
		return nil
	}
	lag, err := c.opts.Lag(ctx)
	if err == nil && lag > c.opts.MaxLag {
		err = fmt.Errorf("the target is %s behind, more than %s", lag.Round(time.Millisecond), c.opts.MaxLag)
	}
	return err
}

func (c *Cutover) verified(context.Context) error {
	if c.opts.Verify != VerifyChanged {
		return nil
	}
	if c.opts.VerifiedUpTo.IsZero() {
		return errors.New("no clean verify yet")
	}
	if age := c.opts.Now().Sub(c.opts.VerifiedAt); age > c.opts.MaxVerifyAge {
		return fmt.Errorf("the last clean verify is %s old, more than %s", age.Round(time.Second), c.opts.MaxVerifyAge)
	}
	return nil
}

// prePass compares what changed since the last verify, while writes go on, until a pass takes less than a tenth of the
// time that writes may be blocked. What is left for the fence is then what changes during one such pass.
func (c *Cutover) prePass(ctx context.Context) (Verified, error) {
	sum := Verified{Position: c.opts.VerifiedUpTo}
	for range prePasses {
		c.observe(StepVerify, "what changed since the last verify")
		began := c.opts.Now()
		to, err := c.source.SafePosition(ctx)
		if err != nil {
			return sum, fmt.Errorf("read the source's position: %w", err)
		}
		v, err := c.opts.VerifyChanged(ctx, sum.Position, to)
		if err != nil {
			return sum, fmt.Errorf("verify what changed: %w", err)
		}
		if v.Differences > 0 {
			return sum, fmt.Errorf("%w: %w: %s", ErrRefused, ErrDifferent, count.Of(v.Differences, "row"))
		}
		sum.Rows, sum.Position = sum.Rows+v.Rows, v.Position
		if c.opts.Now().Sub(began) < c.opts.Timeout/10 {
			break
		}
	}
	return sum, nil
}
