package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/db"
)

// flowing runs f while changes are applied: by a start-replica that runs, else by a replicator in this process. If
// that fails, f ends too: it would wait for changes in vain.
func (m *Move) flowing(ctx context.Context, f func(ctx context.Context) error) error {
	if m.lock == nil {
		return f(ctx)
	}
	if m.lock.Beside() {
		return m.accompanied(ctx, f)
	}
	following, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- m.replicator(true, m.evolve(false, false)).Run(following) }()
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := make(chan error, 1)
	go func() {
		err := <-ended
		if following.Err() == nil && !errors.Is(err, db.ErrSealed) { // it failed by itself: f would wait for it in vain
			cancel(err)
		}
		watched <- err
	}()
	err := f(working)
	stop()
	failed := <-watched
	if err != nil && ctx.Err() == nil && working.Err() != nil && !errors.Is(err, failed) {
		return fmt.Errorf("%w: %w", failed, err) // what f says tells what has become of a fence
	}
	return err
}

// alone is how long start-replica may be away, such as when a service manager starts it again, before it is missed.
const alone = 30 * time.Second

// accompanied runs f while start-replica applies changes. If that ends, f ends too.
func (m *Move) accompanied(ctx context.Context, f func(ctx context.Context) error) error {
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		for seen := time.Now(); time.Since(seen) < alone; {
			if phase, _, err := m.file.Holder(); err != nil || phase != "" {
				seen = time.Now()
			}
			select {
			case <-working.Done():
				return
			case <-time.After(time.Second):
			}
		}
		cancel(errors.New("start-replica has ended (its log says why), so nobody applies changes: start it again, " +
			"or run this command without it"))
	}()
	return f(working)
}
