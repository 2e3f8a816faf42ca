package monitor

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// manager listens as a service manager does.
func manager(t *testing.T, address string) func() string {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return func() string {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
		buffer := make([]byte, 4096)
		n, err := conn.Read(buffer)
		require.NoError(t, err)
		return string(buffer[:n])
	}
}

func TestNotify(t *testing.T) {
	for _, address := range []string{filepath.Join(t.TempDir(), "n"), fmt.Sprintf("@wherry-test-%d", os.Getpid())} {
		read := manager(t, address)
		n := NewNotifier(address, "")
		require.NoError(t, n.Ready("applying\nSTOPPING=1"))
		assert.Equal(t, "READY=1\nSTATUS=applying STOPPING=1", read())
		require.NoError(t, n.Status("1.2s behind"))
		assert.Equal(t, "STATUS=1.2s behind", read())
		require.NoError(t, n.Stopping())
		assert.Equal(t, "STOPPING=1", read())
		n.Watch(t.Context(), func() bool { t.Error("nobody watches"); return true })
	}
}

func TestNotifyWithoutManager(t *testing.T) {
	n := NewNotifier("", "1000000")
	require.NoError(t, n.Ready("up"))
	n.Watch(t.Context(), func() bool { return true })
	require.ErrorContains(t, NewNotifier(filepath.Join(t.TempDir(), "none"), "").Stopping(), "notify service manager: ")
}

func TestWatchdog(t *testing.T) {
	address := filepath.Join(t.TempDir(), "n")
	read := manager(t, address)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	var alive atomic.Bool
	alive.Store(true)
	n := NewNotifier(address, "20000")
	go func() { n.Watch(ctx, alive.Load); close(ended) }()
	assert.Equal(t, "WATCHDOG=1", read())
	assert.Equal(t, "WATCHDOG=1", read())
	alive.Store(false)
	cancel()
	<-ended
	for _, bad := range []string{"", "x", "0", "-5", "99999999999999999999"} {
		assert.Zero(t, NewNotifier(address, bad).watchdog, bad)
	}
}
