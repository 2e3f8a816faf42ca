package db

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Retry repeats an operation that failed with ErrConnection or ErrRetry, with growing pauses:
//
//	Retry{For: 10 * time.Minute, First: 100 * time.Millisecond, Max: 15 * time.Second}.Do(ctx, read)
type Retry struct {
	For   time.Duration // give up after so long without progress
	First time.Duration // the pause before the next try; it doubles each time
	Max   time.Duration // up to this; 0: it stays
	// Progress returns the time of the last progress. nil: For counts from the first failure, since before it there was
	// work.
	Progress func() time.Time
	// Work: a try that failed after this long counts as progress, and For counts from its end. 0: no failed try does.
	Work     time.Duration
	GivingUp string                               // begins the error when it gives up; "": the last error as it is
	Notify   func(err error, pause time.Duration) // is called before each pause; may be nil
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
