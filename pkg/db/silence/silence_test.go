package silence

import (
	"context"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
)

// silence is a connection to a server that says nothing, and how often it was asked whether it lives.
func silence(
	t *testing.T, ask func(ctx context.Context) error,
) (here *watchedConn, there net.Conn, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	near, far := net.Pipe()
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	c := Watch(near, NewProber(10*time.Second, func(ctx context.Context) error {
		asked.Add(1)
		return ask(ctx)
	}))
	return c.(*watchedConn), far, asked
}

func lives(context.Context) error { return nil }

// frozen is a server that takes a connection and says nothing.
func frozen(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestSilenceOfALivingServer waits for a statement that takes an hour.
func TestSilenceOfALivingServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, server, asked := silence(t, lives)
		go func() {
			time.Sleep(time.Hour)
			_, _ = server.Write([]byte("done"))
			time.Sleep(time.Hour)
			_, _ = server.Read(make([]byte, 100)) // takes a part
			time.Sleep(time.Hour)
			_, _ = server.Read(make([]byte, 1000))
		}()
		buf := make([]byte, 10)
		n, err := c.Read(buf)
		require.NoError(t, err)
		assert.Equal(t, "done", string(buf[:n]))
		assert.InDelta(t, 360, asked.Load(), 10, "it was asked every now and then")
		n, err = c.Write(make([]byte, 500))
		require.NoError(t, err)
		assert.Equal(t, 500, n)
	})
}

// TestSilenceOfADeadServer ends the waiting of all connections, with one question for all.
func TestSilenceOfADeadServer(t *testing.T) {
	for name, op := range map[string]func(c net.Conn) error{
		"read":  func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err },
		"write": func(c net.Conn) error { _, err := c.Write(make([]byte, 1)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _, asked := silence(t, frozen)
				near, far := net.Pipe()
				defer near.Close()
				defer far.Close()
				other := Watch(near, c.prober)
				ended := make(chan error, 1)
				began := time.Now()
				go func() { ended <- op(other) }()
				require.ErrorIs(t, op(c), db.ErrConnection)
				require.ErrorIs(t, <-ended, db.ErrConnection)
				assert.Equal(t, 20*time.Second, time.Since(began), "patience, and patience for the answer")
				assert.Equal(t, int64(1), asked.Load())
				require.ErrorIs(t, op(c), db.ErrConnection, "and it is known as lost afterwards")
			})
		})
	}
}

// TestSilenceAndDeadlines keeps the deadlines of who uses the connection.
func TestSilenceAndDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, asked := silence(t, frozen)
		began := time.Now()
		require.NoError(t, c.SetDeadline(began.Add(3*time.Second)))
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		_, err = c.Write(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(began))
		assert.Zero(t, asked.Load())
	})
}
