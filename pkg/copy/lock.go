package copy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
)

// keepEvery is how often the lock is looked after: a connection that nobody uses may be ended by the server, and one
// that was lost has to be noticed before another wherry has copied much.
const keepEvery = 5 * time.Second

// lock takes the move's lock on the target, which an applier has. Two copies of one move, on two machines with a state
// file each, would begin at two positions, and replay from one of them only.
func (c *Copy) lock(ctx context.Context) (db.Applier, error) {
	lock, err := c.target.NewApplier(ctx, db.ApplyOptions{})
	if err != nil {
		return nil, fmt.Errorf("begin copy: %w", err)
	}
	return lock, nil
}

// locked runs f under the lock, which it gives up afterwards.
func (c *Copy) locked(ctx context.Context, lock db.Applier, start db.Position, f func(context.Context) error) error {
	group, working := errgroup.WithContext(ctx)
	keeping, stop := context.WithCancel(working)
	group.Go(func() error { return c.keep(keeping, lock, start) })
	group.Go(func() error {
		defer stop()
		return f(working)
	})
	return group.Wait()
}

// keep keeps the lock until ctx ends. When it was lost with its connection it is taken again, or the copy ends
// because another wherry has it.
func (c *Copy) keep(ctx context.Context, lock db.Applier, start db.Position) error {
	defer func() { _ = lock.Close() }() // there is nothing to lose but the lock
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(keepEvery):
		}
		// Committing the position that it has changes nothing and proves that the connection, and with it the lock,
		// is still there. An applier that was opened before the start was recorded has no position of its own.
		at := lock.Position()
		if at.IsZero() {
			at = start
		}
		err := lock.Commit(ctx, at)
		if errors.Is(err, db.ErrConnection) {
			var again db.Applier
			if again, err = c.lock(ctx); err == nil {
				_ = lock.Close()
				lock = again
			}
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, db.ErrConnection) && !errors.Is(err, db.ErrRetry) {
			return fmt.Errorf("keep the move's lock: %w", err)
		}
	}
}
