package moves

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/lab"
)

// frozenMove is a move through proxies that gives a silent server a second, and up after a few.
func frozenMove(t *testing.T, p pair, retryFor string) (*move, *load, map[string]*between.Proxy) {
	t.Helper()
	ends := map[string]*between.Proxy{"source": newProxy(t, p.source), "target": newProxy(t, p.target)}
	m := newMove(t, p, settings{
		source: ends["source"].Address(), target: ends["target"].Address(), hasty: true,
		lines: []string{
			"copy: {workers: 2, chunk_rows: 500}", "verify: {workers: 2, chunk_rows: 500}",
			"replicate: {retry_for: " + retryFor + "}", "cutover: {timeout: 5s}",
		},
	})
	m.fill(t, 2_000)
	load := m.startLoad(t, lab.Seed(t), 2, 2_000, 5*time.Millisecond)
	m.must(t, "init-schema")
	return m, load, ends
}

// TestFrozenForGood freezes all that is under way to a server, and new connections with it, in every phase: nobody
// waits without end, progress is kept, a failed cutover leaves the source open, and the same command goes on.
func TestFrozenForGood(t *testing.T) {
	pairs(t, likePairs[:1], func(t *testing.T, p pair) {
		m, load, ends := frozenMove(t, p, "2s")
		freeze := func(end, phase string, when func() bool) {
			t.Helper()
			w := m.start(t, phase, confirmed(m, phase)...)
			until(t, phase+" in its middle", when, w)
			ends[end].Freeze()
			began := time.Now()
			r := w.wait(t)
			took := time.Since(began)
			ends[end].Thaw()
			require.Equal(t, failed, r.code, "%s with a frozen %s: %s", phase, end, r)
			assert.Contains(t, r.stderr, "progress is saved", "%s, %s", phase, end)
			t.Logf("%s with a frozen %s ended after %s", phase, end, took.Round(100*time.Millisecond))
		}
		for _, end := range []string{"source", "target"} {
			ends["target"].Slow(4 * time.Millisecond)
			before := m.chunks(t)
			freeze(end, "init-copy", func() bool { return m.chunks(t) > before+1 })
		}
		ends["target"].Slow(0)
		m.must(t, "init-copy")
		for _, end := range []string{"source", "target"} {
			before := m.fact(t, "position")
			freeze(end, "start-replica", func() bool { return m.fact(t, "position") != before })
		}
		m.must(t, "start-replica", "--until-caught-up")
		for _, end := range []string{"source", "target"} {
			counter := &between.Steps{}
			for _, p := range ends {
				p.Slow(5 * time.Millisecond)
				p.Count(counter)
			}
			freeze(end, "verify", func() bool { return counter.Containing("SHA2") > 2 })
			for _, p := range ends {
				p.Slow(0)
			}
		}
		m.must(t, "verify")

		// Behind the fence: as soon as the source is closed the target says nothing any more.
		ends["source"].LoseStatements(1, func(text string) bool {
			if strings.HasPrefix(text, "SET GLOBAL") && strings.Contains(text, "read_only") {
				ends["target"].Freeze()
			}
			return false
		})
		r := m.cutover(t)
		require.Equal(t, failed, r.code, r)
		assert.Contains(t, r.stderr, "writes to the source are open again")
		assert.False(t, p.source.readOnly(t), "a failed cutover opens the source")
		ends["target"].Thaw()
		replica := m.start(t, "start-replica")
		m.caughtUp(t, replica) // writes go through, and on to the target
		replica.kill(t)
		load.stop(t)
	})
}

// TestFrozenBehindTheFence freezes the source right behind its fence: nobody can lift it then, wherry says so, and as
// soon as the source answers the same command goes on, or --abort opens it.
func TestFrozenBehindTheFence(t *testing.T) {
	p := mysqlPair(t)
	m, load, ends := frozenMove(t, p, "2s")
	m.must(t, "init-copy")
	m.must(t, "verify")
	fenced := false
	ends["source"].LoseStatements(1, func(text string) bool {
		switch {
		case strings.HasPrefix(text, "SET GLOBAL") && strings.Contains(text, "read_only"):
			fenced = true
		case fenced:
			go ends["source"].Freeze()
		}
		return false
	})
	r := m.cutover(t) // it tries to open the source for half a minute
	require.Equal(t, failed, r.code, r)
	assert.Contains(t, r.stderr, "could not be lifted")
	assert.Contains(t, m.must(t, "status").stdout, "fence")
	assert.True(t, p.source.readOnly(t))
	ends["source"].LoseStatements(0, func(string) bool { return false })
	ends["source"].Thaw()
	m.must(t, "cutover", "--abort")
	assert.False(t, p.source.readOnly(t), "the source is open")
	m.must(t, "cutover", "--confirm="+m.name)
	load.stop(t)
	m.equal(t)
}

// TestFrozenForLong freezes the servers themselves (SIGSTOP) for longer than any timeout: what runs goes on by itself.
func TestFrozenForLong(t *testing.T) {
	pairs(t, likePairs[1:], func(t *testing.T, p pair) {
		needControl(t)
		m, load, ends := frozenMove(t, p, "10m")
		servers := []*server{p.target, p.source}
		freeze := func(running *proc, said string) {
			for _, s := range servers {
				s.control(t, "freeze")
				time.Sleep(4 * time.Second)
				s.control(t, "thaw")
				running.running(t)
			}
			if said != "" {
				until(t, "the log tells of it", func() bool { return strings.Contains(running.stderr.String(), said) },
					running)
			}
		}
		ends["target"].Slow(8 * time.Millisecond)
		copying := m.inTheMiddle(t)
		freeze(copying, "copy interrupted")
		ends["target"].Slow(0)
		r := copying.wait(t)
		require.Equal(t, done, r.code, r)
		replica := m.start(t, "start-replica")
		m.caughtUp(t, replica)
		freeze(replica, "replication interrupted")
		m.caughtUp(t, replica)
		m.finish(t, load, replica)
	})
}
