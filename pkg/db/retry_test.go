package db

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRetry tries again until it works, gives up when nothing has moved for long, and ends with its context.
func TestRetry(t *testing.T) {
	lost := fmt.Errorf("read: %w", ErrConnection)
	synctest.Test(t, func(t *testing.T) {
		var pauses []time.Duration
		tries := 0
		r := Retry{
			For: time.Minute, First: time.Second, Max: 5 * time.Second, GivingUp: "tried for",
			Notify: func(_ error, p time.Duration) {
				pauses = append(pauses, p)
			},
		}
		require.NoError(t, r.Do(t.Context(), func() error {
			if tries++; tries < 6 {
				return lost
			}
			return nil
		}))
		assert.Equal(t, []time.Duration{1e9, 2e9, 4e9, 5e9, 5e9}, pauses)

		began := time.Now()
		err := r.Do(t.Context(), func() error { return lost })
		require.ErrorIs(t, err, ErrConnection)
		require.ErrorContains(t, err, "tried for 1m0s: read: connection lost")
		assert.InDelta(t, time.Minute, time.Since(began), float64(10*time.Second))

		other := errors.New("other")
		require.Equal(t, other, r.Do(t.Context(), func() error { return other }), "as it is")

		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(30*time.Second, func() { cancel(other) })
		require.Equal(t, other, r.Do(ctx, func() error { return lost }))
	})
}

// TestRetryMoves has long tries, or a reported move, count as progress: it is not given up.
func TestRetryMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		moved := time.Now()
		for name, r := range map[string]Retry{
			"work":  {For: time.Minute, First: time.Second, Work: 30 * time.Second},
			"moved": {For: time.Minute, First: time.Second, Progress: func() time.Time { return moved }},
		} {
			tries := 0
			require.NoError(t, r.Do(t.Context(), func() error {
				time.Sleep(50 * time.Second)
				moved = time.Now()
				if tries++; tries < 10 {
					return ErrRetry
				}
				return nil
			}), name)
		}
		still := Retry{For: time.Minute, First: time.Second}
		require.ErrorIs(t, still.Do(t.Context(), func() error {
			time.Sleep(50 * time.Second)
			return ErrRetry
		}), ErrRetry)
	})
}
