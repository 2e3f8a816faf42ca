package mysql

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
)

// TestTimeoutIsConnection tells a network that does not answer, which is tried again, from a context that ended.
func TestTimeoutIsConnection(t *testing.T) {
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err := (&net.Dialer{}).DialContext(late, "tcp", "127.0.0.1:1")
	require.ErrorIs(t, err, context.DeadlineExceeded, "what makes them look alike")
	require.ErrorIs(t, classify(err), db.ErrConnection)
	assert.NotErrorIs(t, classify(late.Err()), db.ErrConnection)
}

// TestSilentServer connects to what takes connections and never says anything.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	began := time.Now()
	_, err = OpenSource(t.Context(), Config{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, User: "nobody", ConnectTimeout: 200 * time.Millisecond})
	require.ErrorIs(t, err, db.ErrConnection)
	require.ErrorContains(t, err, "no answer within 200ms")
	assert.Less(t, time.Since(began), 5*time.Second)
}
