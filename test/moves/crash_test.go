package moves

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// killed is how often wherry was killed, by phase.
type killed map[string]int

func (k killed) total() (n int) {
	for _, count := range k {
		n += count
	}
	return n
}

// TestKill kills wherry at random moments of every phase that changes something, under load, until each has had its
// share, and goes on from there with the same command.
func TestKill(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		s := lab.Seed(t)
		r := rand.New(rand.NewPCG(s, 1000))
		slow := newProxy(t, p.target)
		slow.Slow(8 * time.Millisecond)
		m := newMove(t, p, settings{target: slow.Address(), routed: true, lines: []string{
			"copy: {workers: 2, chunk_rows: 500}",
			"hooks: {before_cutover: sleep 0.1, switch: sleep 0.1, after_cutover: sleep 0.1}",
		}})
		m.fill(t, 6_000)
		load := m.startLoad(t, s, 3, 6_000, 3*time.Millisecond)
		kills := killed{}
		m.must(t, "check")
		m.killed(t, r, kills, 2, 400*time.Millisecond, "init-schema")
		m.killed(t, r, kills, 8, time.Second, "init-copy")
		for range 6 {
			replica := m.start(t, "start-replica")
			pause(r, 1200*time.Millisecond)
			replica.running(t)
			replica.kill(t)
			kills["start-replica"]++
		}
		slow.Slow(0)
		m.must(t, "start-replica", "--until-caught-up")
		m.must(t, "verify")
		m.killedCutover(t, r, kills)
		load.stop(t)
		assert.True(t, p.source.readOnly(t), "the source is read-only")
		t.Logf("kills survived: %d %v; %d rows", kills.total(), kills, m.equal(t))
		m.complete(t)
		assert.GreaterOrEqual(t, kills.total(), 10)
	})
}

// pause waits for a random time.
func pause(r *rand.Rand, longest time.Duration) { time.Sleep(time.Duration(r.Int64N(int64(longest)))) }

// killed kills a phase at most n times, then lets it come to its end.
func (m *move) killed(t *testing.T, r *rand.Rand, kills killed, n int, longest time.Duration, phase string) {
	t.Helper()
	for range n {
		p := m.start(t, phase)
		pause(r, longest)
		if !p.kill(t) {
			require.Equal(t, done, p.result().code, p.result())
			return
		}
		kills[phase]++
	}
	m.must(t, phase)
}

// killedCutover kills the cutover until it comes through, half of the time beside a running start-replica. After each
// kill the source is open, or status tells that it may not be.
func (m *move) killedCutover(t *testing.T, r *rand.Rand, kills killed) {
	t.Helper()
	var replica *proc
	defer func() {
		if replica != nil {
			replica.kill(t)
		}
	}()
	for try := range 6 {
		if replica == nil && r.IntN(2) == 0 && m.fact(t, "cutover") == "" {
			replica = m.start(t, "start-replica")
			until(t, "start-replica running", func() bool {
				return strings.Contains(m.must(t, "status").stdout, "running")
			}, replica)
		}
		p := m.start(t, "cutover", "--confirm="+m.name)
		pause(r, time.Duration(300+try*150)*time.Millisecond)
		if !p.kill(t) {
			if p.result().code == done {
				break
			}
			// A gate that is not met says so; it must have left the source open.
			require.Equal(t, refused, p.result().code, p.result())
			continue
		}
		kills["cutover"]++
		sealed := m.fact(t, "cutover") != ""
		if m.source.readOnly(t) || sealed {
			status := m.must(t, "status").stdout
			assert.Contains(t, status, "cutover", "status of a killed cutover")
			assert.Contains(t, status, "fence", "status of a killed cutover")
		}
		if replica != nil && (sealed || r.IntN(3) == 0) {
			if sealed {
				ended := replica.wait(t)
				require.Equal(t, done, ended.code, ended)
			} else {
				replica.kill(t)
				kills["start-replica"]++
			}
			replica = nil
		}
	}
	if replica == nil {
		if m.fact(t, "cutover") == "" {
			m.must(t, "start-replica", "--until-caught-up")
		}
	} else if m.fact(t, "cutover") == "" {
		until(t, "little lag", func() bool {
			return !strings.Contains(m.must(t, "status").stdout, "behind by")
		}, replica)
	}
	c := m.cutover(t)
	require.Equal(t, done, c.code, c)
	if replica != nil {
		ended := replica.wait(t)
		require.Equal(t, done, ended.code, ended)
		replica = nil
	}
}
