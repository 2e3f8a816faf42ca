package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/db"
)

// flowing runs f while changes are applied: by a start-replica that runs, else by a replicator in this process. If
// that fails, f ends too: it would wait for changes in vain. Without the lock nothing is applied here, since another
// process may be the one that does.
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
		// Not when f has ended and stopped it, and not when f is the cutover that has just sealed the target: then it
		// ends as it should, and f has work to do after the takeover.
		if following.Err() == nil && !errors.Is(err, db.ErrSealed) {
			cancel(err)
		}
		watched <- err
	}()
	err := f(working)
	stop()
	failed := <-watched
	if err != nil && ctx.Err() == nil && working.Err() != nil && !errors.Is(err, failed) {
		// Both: the replicator's error is the cause, and f's says whether a fence was lifted.
		return fmt.Errorf("%w: %w", failed, err)
	}
	return err
}

// absence is how long start-replica may be away before the phase beside it gives up. A service manager that restarts
// it takes RestartSec (5 s in scripts/wherry@.service) and the time to connect.
const absence = 30 * time.Second

// accompanied runs f while another process, start-replica, applies changes. If that ends, f ends too. Its lock shows
// that it lives; the kernel frees the lock of a killed process.
func (m *Move) accompanied(ctx context.Context, f func(ctx context.Context) error) error {
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		for seen := time.Now(); time.Since(seen) < absence; {
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
