package lab

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStandstill waits for as long as something moves, and no longer.
func TestStandstill(t *testing.T) {
	const limit = 80 * time.Millisecond
	var n int64
	moves := func() int64 { n++; return n }
	stops := func() int64 { return min(n, 5) }
	s := standstill{progress: []Progress{moves, stops}, limit: limit}
	for began := time.Now(); time.Since(began) < 4*limit; time.Sleep(time.Millisecond) {
		require.False(t, s.reached(), "one of two moves")
	}
	for _, none := range [][]Progress{nil, {stops}} {
		s, began := standstill{progress: none, limit: limit}, time.Now()
		for !s.reached() {
			time.Sleep(time.Millisecond)
		}
		assert.Greater(t, time.Since(began), limit)
	}
}

// TestWorks sees a process that computes, one that writes, and none that sleeps.
func TestWorks(t *testing.T) {
	for name, moves := range map[string]bool{
		"while :; do :; done": true, "exec cat /dev/zero > /dev/null": true,
		"exec sleep 60": false,
	} {
		c, err := Start(t.Context(), nil, nil, "sh", "-c", name)
		require.NoError(t, err)
		first := c.Progress()
		changes := func() bool { return c.Progress() != first }
		if moves {
			assert.True(t, Until(changes), name)
		} else {
			assert.Never(t, changes, 300*time.Millisecond, 50*time.Millisecond, name)
		}
		require.NoError(t, c.Signal(os.Kill))
		<-c.Done()
		assert.Zero(t, c.Progress(), "it is gone")
	}
}
