package moves

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestOrder runs phases too early, which is refused with the right command, and again, which says so.
func TestOrder(t *testing.T) {
	m := newMove(t, pairOf(t, harness.MySQL), settings{})
	m.fill(t, 500)
	for _, phase := range []string{"init-copy", "start-replica", "verify", "cutover"} {
		r := m.Run(t, append([]string{phase}, confirmed(m, phase)...)...)
		assert.Equal(t, harness.Refused, r.Code, "%s: %s", phase, r)
		assert.Contains(t, r.Stderr(), "wherry init-schema", phase)
	}
	m.Must(t, "init-schema")
	for _, phase := range []string{"start-replica", "verify", "cutover"} {
		r := m.Run(t, append([]string{phase}, confirmed(m, phase)...)...)
		assert.Equal(t, harness.Refused, r.Code, "%s: %s", phase, r)
		assert.Contains(t, r.Stderr(), "wherry init-copy", phase)
	}
	m.Must(t, "init-copy")
	for _, phase := range []string{"init-schema", "init-copy"} {
		assert.Contains(t, m.Ends(t, harness.Done, phase).Output(), "done already", phase)
	}
	r := m.Run(t, append([]string{"cutover"}, confirmed(m, "cutover")...)...)
	assert.Equal(t, harness.Refused, r.Code, r)
	assert.Contains(t, r.Stderr(), "verify")
	assert.False(t, m.source.ReadOnly(t), "a refused cutover stops nothing")
	m.Must(t, "verify")
	r = m.Run(t, "cutover")
	assert.Equal(t, harness.Refused, r.Code, r)
	assert.Contains(t, r.Stderr(), "--confirm="+m.Name)
	m.Must(t, append([]string{"cutover"}, confirmed(m, "cutover")...)...)
	for _, phase := range []string{"init-schema", "init-copy", "start-replica", "verify", "cutover"} {
		assert.Contains(t, m.Ends(t, harness.Done, append([]string{phase}, confirmed(m, phase)...)...).Output(),
			"over", phase)
	}
	m.equal(t)
}

// confirmed is what a phase needs besides its name.
func confirmed(m *move, phase string) []string {
	if phase == "cutover" {
		return []string{"--confirm=" + m.Name}
	}
	return nil
}

// TestLocked runs two wherrys on one move: on one state file, and as from two machines.
func TestLocked(t *testing.T) {
	m, load, _, target := slowed(t, pairOf(t, harness.MySQL))
	other := m.second(t)
	other.settings.source, other.settings.target = "", "" // past the proxies
	other.write(t)
	other.Must(t, "init-schema")

	copying := m.inTheMiddle(t)
	for _, phase := range []string{"init-copy", "init-schema", "start-replica", "verify", "cutover"} {
		r := m.Run(t, append([]string{phase}, confirmed(m, phase)...)...)
		assert.Equal(t, harness.Locked, r.Code, "%s: %s", phase, r)
		assert.Contains(t, r.Stderr(), "init-copy", phase)
		assert.Contains(t, r.Stderr(), strconv.Itoa(copying.PID()), phase)
	}
	assert.Contains(t, m.Ends(t, harness.Done, "status").Output(), "running")
	target.Freeze() // so that it lasts
	r := other.Run(t, "init-copy")
	target.Thaw()
	assert.Equal(t, harness.Locked, r.Code, "init-copy with a state file of its own: %s", r)
	target.Slow(0)
	ended := copying.Wait(t)
	require.Equal(t, harness.Done, ended.Code, ended)
	m.chained(t)

	other.Must(t, "init-copy")
	replica := m.Start(t, "start-replica")
	m.Followed(t, replica)
	r = m.Run(t, "start-replica")
	assert.Equal(t, harness.Locked, r.Code, r)
	assert.Contains(t, r.Stderr(), "start-replica")
	assert.Contains(t, r.Stderr(), strconv.Itoa(replica.PID()))
	r = other.Run(t, "start-replica")
	assert.Equal(t, harness.Locked, r.Code, "start-replica with a state file of its own: %s", r)
	m.finish(t, load, replica)
}

// chained checks that the chunks of every table follow one another without a gap.
func (m *move) chained(t *testing.T) {
	t.Helper()
	chunks := quote("wherry_"+m.Name) + ".chunks"
	assert.Equal(t, "0", m.target.Text(t, "SELECT COUNT(*) FROM "+chunks+" a LEFT JOIN "+chunks+
		" b ON b.source = a.source AND b.number = a.number + 1 WHERE NOT (a.upto_key <=> b.after_key)"),
		"chunks that the next one does not follow")
	assert.Equal(t, "0", m.target.Text(t, "SELECT COUNT(*) FROM "+chunks+" WHERE done = 0"), "chunks not done")
}

// TestPlanLost loses the answers to the records of chunks while rows come in where the next chunk is cut: chunks follow
// one another all the same, also for a run that goes on after a kill.
func TestPlanLost(t *testing.T) {
	p := pairOf(t, harness.MySQL)
	target := p.target.Proxy(t)
	m := newMove(t, p, settings{target: target.Address(), lines: []string{"copy: {workers: 1, chunk_rows: 500}"}})
	m.fill(t, 4_000)
	m.Must(t, "init-schema")
	target.Slow(3 * time.Millisecond)
	records := 0
	target.LoseStatements(3, func(text string) bool {
		if !strings.HasPrefix(text, "INSERT INTO") || !strings.Contains(text, ".`chunks`") ||
			!strings.Contains(text, ".`ints`") {
			return false
		}
		records++ // the chunk after it shall be cut elsewhere the next time
		m.source.Exec(t, fmt.Sprintf("DELETE FROM %s.ints WHERE id BETWEEN %d AND %d", quote(m.Name), records*1500-1500,
			records*1500-1300))
		return true
	})
	r := m.Start(t, "init-copy")
	harness.Until(t, "answers to records lost", func() bool { return target.Sprung() == 3 }, r)
	harness.Until(t, "chunks recorded after them", func() bool {
		return m.target.Text(t, "SELECT COUNT(*) FROM "+quote("wherry_"+m.Name)+
			".chunks WHERE source LIKE '%.`ints`'") > "3"
	}, r)
	r.Kill(t)
	m.Must(t, "init-copy")
	m.chained(t)
	m.Must(t, "verify")
	m.equal(t)
}

// TestSignals ends every phase with SIGTERM or SIGINT in its middle: progress is saved, and the same command goes on.
func TestSignals(t *testing.T) {
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		source, target := p.source.Proxy(t), p.target.Proxy(t)
		m := newMove(t, p, settings{
			source: source.Address(), target: target.Address(),
			lines: []string{"copy: {workers: 2, chunk_rows: 500}", "verify: {workers: 1, chunk_rows: 500}"},
		})
		m.fill(t, 4_000)
		load := m.startLoad(t, lab.Seed(t), 2, 4_000, 4*time.Millisecond)
		stop := func(phase string, s syscall.Signal, slow time.Duration, when func() bool) {
			t.Helper()
			target.Slow(slow)
			p := m.Start(t, append([]string{phase}, confirmed(m, phase)...)...)
			harness.Until(t, phase+" in its middle", when, p)
			require.NoError(t, p.Signal(s))
			r := p.Wait(t)
			require.Equal(t, harness.Interrupted, r.Code, "%s: %s", phase, r)
			assert.Contains(t, r.Stderr(), "progress is saved", phase)
			target.Slow(0)
		}
		tables := func() bool {
			return m.target.Text(t, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ?",
				m.database) > "2"
		}
		stop("init-schema", syscall.SIGTERM, 20*time.Millisecond, tables)
		m.Must(t, "init-schema")
		stop("init-copy", syscall.SIGINT, 5*time.Millisecond, func() bool { return m.Chunks(t) > 3 })
		stop("init-copy", syscall.SIGTERM, 5*time.Millisecond, func() bool { return m.Chunks(t) > 6 })
		m.Must(t, "init-copy")
		for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
			before := m.Fact(t, "position")
			stop("start-replica", s, 0, func() bool { return m.Fact(t, "position") != before })
		}
		stop("verify", syscall.SIGTERM, 20*time.Millisecond, func() bool {
			return strings.Contains(m.Ends(t, harness.Done, "status").Output(), "running")
		})
		m.Must(t, "verify")
		// Under the fence: from there on the target takes its time.
		source.LoseStatements(1, func(text string) bool {
			if strings.Contains(text, "read_only") && strings.HasPrefix(text, "SET GLOBAL") {
				target.Slow(200 * time.Millisecond)
			}
			return false
		})
		stop("cutover", syscall.SIGTERM, 0, func() bool { return p.source.ReadOnly(t) })
		assert.False(t, p.source.ReadOnly(t), "an interrupted cutover opens the source again")
		r := m.cutover(t)
		require.Equal(t, harness.Done, r.Code, r)
		load.Stop(t)
		m.equal(t)
	})
}
