package db

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Retry is how something is tried again that a lost connection or a deadlock interrupted (ErrConnection, ErrRetry):
//
//	Retry{For: 10 * time.Minute, First: 100 * time.Millisecond, Max: 15 * time.Second}.Do(ctx, read)
type Retry struct {
	For   time.Duration // it is given up when nothing has moved for so long
	First time.Duration // the pause before the next try; it doubles each time
	Max   time.Duration // up to this; 0: it stays
	// Progress returns when something moved last. nil: For counts from the first try that failed: the time before was
	// work.
	Progress func() time.Time
	// Work is how long a try lasts that was work too, though it failed: For counts from its end. 0: none was.
	Work     time.Duration
	GivingUp string                               // of giving up, followed by For; "": the last error as it is
	Notify   func(err error, pause time.Duration) // is called before each pause; nil: nobody is told
}

// Do calls f until it returns nil, or an error that another try does not mend. It returns the cause of ctx when that is
// over.
func (r Retry) Do(ctx context.Context, f func() error) error {
	var moved time.Time
	pause := r.First
	for {
		began := time.Now()
		err := f()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !errors.Is(err, ErrConnection) && !errors.Is(err, ErrRetry):
			return err
		}
		at := moved
		switch {
		case r.Progress != nil:
			at = r.Progress()
		case moved.IsZero(), r.Work > 0 && time.Since(began) > r.Work:
			at = time.Now()
		}
		if at != moved {
			moved, pause = at, r.First
		}
		if time.Since(moved) > r.For {
			if r.GivingUp == "" {
				return err
			}
			return fmt.Errorf("%s %s: %w", r.GivingUp, r.For, err)
		}
		if r.Notify != nil {
			r.Notify(err, pause)
		}
		if err := Pause(ctx, pause); err != nil {
			return err
		}
		pause = max(pause, min(2*pause, r.Max))
	}
}

// Pause waits, or returns the cause of ctx when that is over before.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
