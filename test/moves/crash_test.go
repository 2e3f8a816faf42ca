package moves

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
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
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		s := lab.Seed(t)
		r := rand.New(rand.NewPCG(s, 1000))
		slow := p.target.Proxy(t)
		slow.Slow(8 * time.Millisecond)
		m := newMove(t, p, settings{target: slow.Address(), routed: true, lines: []string{
			"copy: {workers: 2, chunk_rows: 500}",
			"hooks: {before_cutover: sleep 0.1, switch: sleep 0.1, after_cutover: sleep 0.1}",
		}})
		m.fill(t, 6_000)
		load := m.startLoad(t, s, 3, 6_000, 3*time.Millisecond)
		kills := killed{}
		m.Must(t, "check")
		m.killed(t, r, kills, 2, 400*time.Millisecond, "init-schema")
		m.killed(t, r, kills, 8, time.Second, "init-copy")
		for range 6 {
			replica := m.Start(t, "start-replica")
			pause(r, 1200*time.Millisecond)
			replica.Running(t)
			replica.Kill(t)
			kills["start-replica"]++
		}
		slow.Slow(0)
		m.CatchUp(t)
		m.Must(t, "verify")
		m.killedCutover(t, r, kills)
		load.Stop(t)
		assert.True(t, p.source.ReadOnly(t), "the source is read-only")
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
		p := m.Start(t, phase)
		pause(r, longest)
		if !p.Kill(t) {
			require.Equal(t, harness.Done, p.Code, p)
			return
		}
		kills[phase]++
	}
	m.Must(t, phase)
}

// killedCutover kills the cutover until it comes through, half of the time beside a running start-replica. After each
// kill the source is open, or status tells that it may not be.
func (m *move) killedCutover(t *testing.T, r *rand.Rand, kills killed) {
	t.Helper()
	var replica *harness.Child
	defer func() {
		if replica != nil {
			replica.Kill(t)
		}
	}()
	for try := range 6 {
		if replica == nil && r.IntN(2) == 0 && m.Fact(t, "cutover") == "" {
			replica = m.Start(t, "start-replica")
			harness.Until(t, "start-replica running", func() bool {
				return strings.Contains(m.Ends(t, harness.Done, "status").Output(), "running")
			}, replica)
		}
		p := m.Start(t, "cutover", "--confirm="+m.Name)
		pause(r, time.Duration(300+try*150)*time.Millisecond)
		if !p.Kill(t) {
			if p.Code == harness.Done {
				break
			}
			// A gate that is not met says so; it must have left the source open.
			require.Equal(t, harness.Refused, p.Code, p)
			continue
		}
		kills["cutover"]++
		sealed := m.Fact(t, "cutover") != ""
		if m.source.ReadOnly(t) || sealed {
			status := m.Ends(t, harness.Done, "status").Output()
			assert.Contains(t, status, "cutover", "status of a killed cutover")
			assert.Contains(t, status, "fence", "status of a killed cutover")
		}
		if replica != nil && (sealed || r.IntN(3) == 0) {
			if sealed {
				ended := replica.Wait(t)
				require.Equal(t, harness.Done, ended.Code, ended)
			} else {
				replica.Kill(t)
				kills["start-replica"]++
			}
			replica = nil
		}
	}
	if replica == nil {
		if m.Fact(t, "cutover") == "" {
			m.CatchUp(t)
		}
	} else if m.Fact(t, "cutover") == "" {
		harness.Until(t, "little lag", func() bool {
			return !strings.Contains(m.Ends(t, harness.Done, "status").Output(), "behind by")
		}, replica)
	}
	c := m.cutover(t)
	require.Equal(t, harness.Done, c.Code, c)
	if replica != nil {
		ended := replica.Wait(t)
		require.Equal(t, harness.Done, ended.Code, ended)
		replica = nil
	}
}
