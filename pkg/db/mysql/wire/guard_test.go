package wire

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/silence"
)

// frozen is a connection to a server that takes connections and says nothing, and how often it was asked whether it
// lives.
func frozen(t *testing.T) (nc net.Conn, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	near, far := net.Pipe()
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return silence.Watch(near, silence.NewProber(10*time.Second, func(ctx context.Context) error {
		asked.Add(1)
		<-ctx.Done()
		return ctx.Err()
	})), asked
}

// TestGuardOfASilentServer keeps the deadlines of a context, also when they are set during a question.
func TestGuardOfASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := frozen(t)
		w := &Conn{nc: c}
		ctx, cancel := context.WithTimeoutCause(t.Context(), 15*time.Second, errors.New("interrupted"))
		defer cancel()
		_, err := w.nc.Read(make([]byte, 1)) // ends by itself
		require.ErrorIs(t, Classify(err), db.ErrConnection)
		time.Sleep(time.Minute)
		done := w.Guard(ctx)
		_, err = w.nc.Read(make([]byte, 1))
		require.EqualError(t, done(err), "interrupted", "a context that has ended")
	})
	synctest.Test(t, func(t *testing.T) {
		c, asked := frozen(t)
		began := time.Now()
		ctx, cancel := context.WithTimeoutCause(t.Context(), 15*time.Second, errors.New("interrupted"))
		defer cancel()
		w := &Conn{nc: c}
		done := w.Guard(ctx)
		_, err := w.nc.Read(make([]byte, 1))
		require.EqualError(t, done(err), "interrupted")
		assert.Equal(t, 15*time.Second, time.Since(began), "not when the question is answered")
		assert.Equal(t, int64(1), asked.Load())
		time.Sleep(time.Minute) // until the question is over
	})
}
