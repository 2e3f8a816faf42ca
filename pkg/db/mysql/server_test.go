package mysql

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
)

// TestRefusedIsNotLost: what was never connected is not called lost.
func TestRefusedIsNotLost(t *testing.T) {
	_, err := OpenSource(t.Context(), Config{Host: "127.0.0.1", Port: 1, User: "nobody"})
	require.ErrorIs(t, err, db.ErrConnection)
	require.ErrorContains(t, err, "no connection: dial tcp 127.0.0.1:1: connect: connection refused")
	assert.NotContains(t, err.Error(), "lost")
}

// TestSilentServer connects to what takes connections and never says anything.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	began := time.Now()
	_, err = OpenSource(t.Context(), Config{
		Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, User: "nobody",
		ConnectTimeout: 200 * time.Millisecond,
	})
	require.ErrorIs(t, err, db.ErrConnection)
	require.ErrorContains(t, err, "no answer within 200ms")
	assert.Less(t, time.Since(began), 20*time.Second)
}
