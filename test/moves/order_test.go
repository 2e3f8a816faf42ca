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

	"wherry/test/internal/lab"
)

// TestOrder runs phases too early, which is refused with the right command, and again, which says so.
func TestOrder(t *testing.T) {
	m := newMove(t, mysqlPair(t), settings{})
	m.fill(t, 500)
	for _, phase := range []string{"init-copy", "start-replica", "verify", "cutover"} {
		r := m.run(t, phase, confirmed(m, phase)...)
		assert.Equal(t, refused, r.code, "%s: %s", phase, r)
		assert.Contains(t, r.stderr, "wherry init-schema", phase)
	}
	m.must(t, "init-schema")
	for _, phase := range []string{"start-replica", "verify", "cutover"} {
		r := m.run(t, phase, confirmed(m, phase)...)
		assert.Equal(t, refused, r.code, "%s: %s", phase, r)
		assert.Contains(t, r.stderr, "wherry init-copy", phase)
	}
	m.must(t, "init-copy")
	for _, phase := range []string{"init-schema", "init-copy"} {
		assert.Contains(t, m.must(t, phase).stdout, "done already", phase)
	}
	r := m.run(t, "cutover", confirmed(m, "cutover")...)
	assert.Equal(t, refused, r.code, r)
	assert.Contains(t, r.stderr, "verify")
	assert.False(t, m.source.readOnly(t), "a refused cutover stops nothing")
	m.must(t, "verify")
	r = m.run(t, "cutover")
	assert.Equal(t, refused, r.code, r)
	assert.Contains(t, r.stderr, "--confirm="+m.name)
	m.must(t, "cutover", confirmed(m, "cutover")...)
	for _, phase := range []string{"init-schema", "init-copy", "start-replica", "verify", "cutover"} {
		assert.Contains(t, m.must(t, phase, confirmed(m, phase)...).stdout, "over", phase)
	}
	m.equal(t)
}

// confirmed is what a phase needs besides its name.
func confirmed(m *move, phase string) []string {
	if phase == "cutover" {
		return []string{"--confirm=" + m.name}
	}
	return nil
}

// TestLocked runs two wherrys on one move: on one state file, and as from two machines.
func TestLocked(t *testing.T) {
	m, load, _, target := slowed(t, mysqlPair(t))
	other := m.second(t)
	other.settings.source, other.settings.target = "", "" // past the proxies
	other.write(t)
	other.must(t, "init-schema")

	copying := m.inTheMiddle(t)
	for _, phase := range []string{"init-copy", "init-schema", "start-replica", "verify", "cutover"} {
		r := m.run(t, phase, confirmed(m, phase)...)
		assert.Equal(t, locked, r.code, "%s: %s", phase, r)
		assert.Contains(t, r.stderr, "init-copy", phase)
		assert.Contains(t, r.stderr, strconv.Itoa(copying.cmd.Process.Pid), phase)
	}
	assert.Contains(t, m.must(t, "status").stdout, "running")
	target.Freeze() // so that it lasts
	r := other.run(t, "init-copy")
	target.Thaw()
	assert.Equal(t, locked, r.code, "init-copy with a state file of its own: %s", r)
	target.Slow(0)
	ended := copying.wait(t)
	require.Equal(t, done, ended.code, ended)
	m.chained(t)

	other.must(t, "init-copy")
	replica := m.start(t, "start-replica")
	m.caughtUp(t, replica)
	r = m.run(t, "start-replica")
	assert.Equal(t, locked, r.code, r)
	assert.Contains(t, r.stderr, "start-replica")
	assert.Contains(t, r.stderr, strconv.Itoa(replica.cmd.Process.Pid))
	r = other.run(t, "start-replica")
	assert.Equal(t, locked, r.code, "start-replica with a state file of its own: %s", r)
	m.finish(t, load, replica)
}

// chained checks that the chunks of every table follow one another without a gap.
func (m *move) chained(t *testing.T) {
	t.Helper()
	chunks := quote("wherry_"+m.name) + ".chunks"
	assert.Equal(t, "0", m.target.text(t, "SELECT COUNT(*) FROM "+chunks+" a LEFT JOIN "+chunks+
		" b ON b.source = a.source AND b.number = a.number + 1 WHERE NOT (a.upto_key <=> b.after_key)"),
		"chunks that the next one does not follow")
	assert.Equal(t, "0", m.target.text(t, "SELECT COUNT(*) FROM "+chunks+" WHERE done = 0"), "chunks not done")
}

// TestPlanLost loses the answers to the records of chunks while rows come in where the next chunk is cut: chunks follow
// one another all the same, also for a run that goes on after a kill.
func TestPlanLost(t *testing.T) {
	p := mysqlPair(t)
	target := newProxy(t, p.target)
	m := newMove(t, p, settings{target: target.Address(), lines: []string{"copy: {workers: 1, chunk_rows: 500}"}})
	m.fill(t, 4_000)
	m.must(t, "init-schema")
	target.Slow(3 * time.Millisecond)
	records := 0
	target.LoseStatements(3, func(text string) bool {
		if !strings.HasPrefix(text, "INSERT INTO") || !strings.Contains(text, ".`chunks`") ||
			!strings.Contains(text, ".`ints`") {
			return false
		}
		records++ // the chunk after it shall be cut elsewhere the next time
		m.source.exec(t, fmt.Sprintf("DELETE FROM %s.ints WHERE id BETWEEN %d AND %d", quote(m.name), records*1500-1500,
			records*1500-1300))
		return true
	})
	r := m.start(t, "init-copy")
	until(t, "answers to records lost", func() bool { return target.Sprung() == 3 }, r)
	until(t, "chunks recorded after them", func() bool {
		return m.target.text(t, "SELECT COUNT(*) FROM "+quote("wherry_"+m.name)+
			".chunks WHERE source LIKE '%.`ints`'") > "3"
	}, r)
	r.kill(t)
	m.must(t, "init-copy")
	m.chained(t)
	m.must(t, "verify")
	m.equal(t)
}

// TestSignals ends every phase with SIGTERM or SIGINT in its middle: progress is saved, and the same command goes on.
func TestSignals(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		source, target := newProxy(t, p.source), newProxy(t, p.target)
		m := newMove(t, p, settings{
			source: source.Address(), target: target.Address(),
			lines: []string{"copy: {workers: 2, chunk_rows: 500}", "verify: {workers: 1, chunk_rows: 500}"},
		})
		m.fill(t, 4_000)
		load := m.startLoad(t, lab.Seed(t), 2, 4_000, 4*time.Millisecond)
		stop := func(phase string, s syscall.Signal, slow time.Duration, when func() bool) {
			t.Helper()
			target.Slow(slow)
			p := m.start(t, phase, confirmed(m, phase)...)
			until(t, phase+" in its middle", when, p)
			p.signal(t, s)
			r := p.wait(t)
			require.Equal(t, interrupted, r.code, "%s: %s", phase, r)
			assert.Contains(t, r.stderr, "progress is saved", phase)
			target.Slow(0)
		}
		tables := func() bool {
			return m.target.text(t, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ?",
				m.database) > "2"
		}
		stop("init-schema", syscall.SIGTERM, 20*time.Millisecond, tables)
		m.must(t, "init-schema")
		stop("init-copy", syscall.SIGINT, 5*time.Millisecond, func() bool { return m.chunks(t) > 3 })
		stop("init-copy", syscall.SIGTERM, 5*time.Millisecond, func() bool { return m.chunks(t) > 6 })
		m.must(t, "init-copy")
		for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
			before := m.fact(t, "position")
			stop("start-replica", s, 0, func() bool { return m.fact(t, "position") != before })
		}
		stop("verify", syscall.SIGTERM, 20*time.Millisecond, func() bool {
			return strings.Contains(m.must(t, "status").stdout, "running")
		})
		m.must(t, "verify")
		// Under the fence: from there on the target takes its time.
		source.LoseStatements(1, func(text string) bool {
			if strings.Contains(text, "read_only") && strings.HasPrefix(text, "SET GLOBAL") {
				target.Slow(200 * time.Millisecond)
			}
			return false
		})
		stop("cutover", syscall.SIGTERM, 0, func() bool { return p.source.readOnly(t) })
		assert.False(t, p.source.readOnly(t), "an interrupted cutover opens the source again")
		r := m.cutover(t)
		require.Equal(t, done, r.code, r)
		load.stop(t)
		m.equal(t)
	})
}
