package moves

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// frozenMove is a move through proxies that gives a silent server a second, and up after a few.
func frozenMove(t *testing.T, p pair, retryFor string) (*move, *harness.Load, map[string]*between.Proxy) {
	t.Helper()
	ends := map[string]*between.Proxy{"source": p.source.Proxy(t), "target": p.target.Proxy(t)}
	m := newMove(t, p, settings{
		source: ends["source"].Address(), target: ends["target"].Address(), hasty: true,
		lines: []string{
			"copy: {workers: 2, chunk_rows: 500}", "verify: {workers: 2, chunk_rows: 500}",
			"replicate: {retry_for: " + retryFor + "}", "cutover: {timeout: 5s}",
		},
	})
	m.fill(t, 2_000)
	load := m.startLoad(t, lab.Seed(t), 2, 2_000, 5*time.Millisecond)
	m.Must(t, "init-schema")
	return m, load, ends
}

// TestFrozenForGood freezes all that is under way to a server, and new connections with it, in every phase: nobody
// waits without end, progress is kept, a failed cutover leaves the source open, and the same command goes on.
func TestFrozenForGood(t *testing.T) {
	pairs(t, []harness.Ends{harness.MySQL}, func(t *testing.T, p pair) {
		m, load, ends := frozenMove(t, p, "2s")
		freeze := func(end, phase string, when func() bool) {
			t.Helper()
			w := m.Start(t, append([]string{phase}, confirmed(m, phase)...)...)
			harness.Until(t, phase+" in its middle", when, w)
			ends[end].Freeze()
			began := time.Now()
			r := w.Wait(t)
			took := time.Since(began)
			ends[end].Thaw()
			require.Equal(t, harness.Failed, r.Code, "%s with a frozen %s: %s", phase, end, r)
			assert.Contains(t, r.Stderr(), "progress is saved", "%s, %s", phase, end)
			t.Logf("%s with a frozen %s ended after %s", phase, end, took.Round(100*time.Millisecond))
		}
		for _, end := range []string{"source", "target"} {
			ends["target"].Slow(4 * time.Millisecond)
			before := m.Chunks(t)
			freeze(end, "init-copy", func() bool { return m.Chunks(t) > before+1 })
		}
		ends["target"].Slow(0)
		m.Must(t, "init-copy")
		for _, end := range []string{"source", "target"} {
			before := m.Fact(t, "position")
			freeze(end, "start-replica", func() bool { return m.Fact(t, "position") != before })
		}
		m.CatchUp(t)
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
		m.Must(t, "verify")

		// Behind the fence: as soon as the source is closed the target says nothing any more.
		ends["source"].LoseStatements(1, func(text string) bool {
			if strings.HasPrefix(text, "SET GLOBAL") && strings.Contains(text, "read_only") {
				ends["target"].Freeze()
			}
			return false
		})
		r := m.cutover(t)
		require.Equal(t, harness.Failed, r.Code, r)
		assert.Contains(t, r.Stderr(), "writes to the source are open again")
		assert.False(t, p.source.ReadOnly(t), "a failed cutover opens the source")
		ends["target"].Thaw()
		replica := m.Start(t, "start-replica")
		m.Followed(t, replica) // writes go through, and on to the target
		replica.Kill(t)
		load.Stop(t)
	})
}

// TestFrozenBehindTheFence freezes the source right behind its fence: nobody can lift it then, wherry says so, and as
// soon as the source answers the same command goes on, or --abort opens it.
func TestFrozenBehindTheFence(t *testing.T) {
	p := pairOf(t, harness.MySQL)
	m, load, ends := frozenMove(t, p, "2s")
	m.Must(t, "init-copy")
	m.Must(t, "verify")
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
	require.Equal(t, harness.Failed, r.Code, r)
	assert.Contains(t, r.Stderr(), "could not be lifted")
	assert.Contains(t, m.Ends(t, harness.Done, "status").Output(), "fence")
	assert.True(t, p.source.ReadOnly(t))
	ends["source"].LoseStatements(0, func(string) bool { return false })
	ends["source"].Thaw()
	m.Must(t, "cutover", "--abort")
	assert.False(t, p.source.ReadOnly(t), "the source is open")
	m.Must(t, "cutover", "--confirm="+m.Name)
	load.Stop(t)
	m.equal(t)
}

// TestFrozenForLong freezes the servers themselves (SIGSTOP) for longer than any timeout: what runs goes on by itself.
func TestFrozenForLong(t *testing.T) {
	pairs(t, []harness.Ends{harness.MariaDB}, func(t *testing.T, p pair) {
		harness.Script(t)
		m, load, ends := frozenMove(t, p, "10m")
		servers := []*harness.Server{p.target, p.source}
		freeze := func(running *harness.Child, said string) {
			for _, s := range servers {
				s.Control(t, "freeze")
				time.Sleep(4 * time.Second)
				s.Control(t, "thaw")
				running.Running(t)
			}
			if said != "" {
				harness.Until(t, "the log tells of it", func() bool { return strings.Contains(running.Stderr(), said) },
					running)
			}
		}
		ends["target"].Slow(8 * time.Millisecond)
		copying := m.inTheMiddle(t)
		freeze(copying, "copy interrupted")
		ends["target"].Slow(0)
		r := copying.Wait(t)
		require.Equal(t, harness.Done, r.Code, r)
		replica := m.Start(t, "start-replica")
		m.Followed(t, replica)
		freeze(replica, "replication interrupted")
		m.Followed(t, replica)
		m.finish(t, load, replica)
	})
}
