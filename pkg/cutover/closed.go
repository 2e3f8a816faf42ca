package cutover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/count"
	"wherry/pkg/db"
)

// drains is how often changes that came despite a fence of kind none are drained before the cutover gives up: an
// application that still writes after five rounds has not stopped.
const drains = 5

// closed is the source while writes are blocked. Only barrier.raise makes one, and only it can read the head of the
// log: a head that is read before writes have stopped could be passed by another write, and the compiler rules that
// out.
type closed struct {
	*barrier
	c        *Cutover
	readHead func(ctx context.Context) (db.Position, error)
	verified Verified // so far
	rows     int64    // compared
	final    db.Position
}

// head reads the position that the target has to reach: everything that was ever committed on the source.
func (s *closed) head(ctx context.Context) error {
	defer s.c.timed(&s.spent.Drain)()
	err := retry(ctx, func() (err error) {
		s.record.Head, err = s.readHead(ctx)
		return err
	})
	if err != nil {
		return timely(ctx, fmt.Errorf("read the source's head: %w", err))
	}
	return nil
}

// drain waits until the target holds everything up to the head. Who applies changes is not its business: a replicator
// of this process, or a start-replica elsewhere.
func (s *closed) drain(ctx context.Context) error {
	defer s.c.timed(&s.spent.Drain)()
	s.c.observe(StepDrain, s.record.Head.String())
	var at db.Position
	for {
		err := retry(ctx, func() (err error) {
			at, err = s.c.opts.Applied(ctx)
			return err
		})
		if err != nil {
			return timely(ctx, fmt.Errorf("read the target's position: %w", err))
		}
		reached, err := s.c.source.Reached(at, s.record.Head)
		if err != nil {
			return fmt.Errorf("compare positions: %w", err)
		}
		if reached {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the target: it is at %s, the source's head is %s: %w", at, s.record.Head,
				context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// verify compares what is not compared yet: the changes since the last comparison, everything, or nothing, as
// Options.Verify says.
func (s *closed) verify(ctx context.Context) (err error) {
	defer s.c.timed(&s.spent.Verify)()
	var v Verified
	switch s.c.opts.Verify {
	case VerifyChanged:
		s.c.observe(StepVerify, "what changed since "+s.verified.Position.String())
		v, err = s.c.opts.VerifyChanged(ctx, s.verified.Position, s.record.Head)
	case VerifyFull:
		s.c.observe(StepVerify, "everything")
		v, err = s.c.opts.VerifyFull(ctx)
	default:
		return nil
	}
	if err != nil {
		return timely(ctx, fmt.Errorf("verify: %w", err))
	}
	if v.Differences > 0 {
		return fmt.Errorf("verify: %w: %s", ErrDifferent, count.Of(v.Differences, "row"))
	}
	s.verified = Verified{Rows: s.verified.Rows + v.Rows, Position: v.Position}
	s.rows = s.verified.Rows
	return nil
}

// still tells whether no row of the move was written since the head was read. It is asked last before the takeover:
// whoever got past the fence, by privilege or because the fence is none, is seen in the log. With a fence that should
// have stopped it, that is ErrLeaks. With the fence none the result is false, and the new changes are drained.
func (s *closed) still(ctx context.Context) (bool, error) {
	if err := s.holds(ctx); err != nil {
		return false, err
	}
	before := s.record.Head
	if err := s.head(ctx); err != nil {
		return false, err
	}
	written, err := s.c.written(ctx, before, s.record.Head)
	if err != nil {
		return false, timely(ctx, err)
	}
	if written == 0 {
		return true, nil
	}
	if s.record.FenceKind != db.FenceNone {
		return false, fmt.Errorf("%w: somebody wrote %s behind it between %s and %s", ErrLeaks,
			count.Of(written, "row"), before, s.record.Head)
	}
	return false, nil
}

// written counts the changes of the move's tables in the log between two positions; a schema change counts as one.
func (c *Cutover) written(ctx context.Context, from, to db.Position) (n int64, err error) {
	if done, err := c.source.Reached(from, to); err != nil || done {
		return 0, err
	}
	err = retry(ctx, func() error {
		n, err = c.count(ctx, from, to)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read the source's log after %s: %w", from, err)
	}
	return n, nil
}

func (c *Cutover) count(ctx context.Context, from, to db.Position) (n int64, err error) {
	stream, err := c.source.Stream(ctx, from, c.routes, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	open := int64(0) // changes of a transaction that may yet be rolled back
	for {
		done, err := c.source.Reached(stream.Position(), to)
		if err != nil || done {
			return n, err
		}
		if ctx.Err() != nil {
			return n, context.Cause(ctx)
		}
		part, err := stream.Next(ctx, 10*pause)
		if err != nil {
			return n, err
		}
		if part == nil {
			continue
		}
		open += int64(len(part.Changes))
		if part.DDL != nil && len(part.DDL.Tables) > 0 {
			open++
		}
		if part.End {
			if !part.Rollback {
				n += open
			}
			open = 0
		}
	}
}
