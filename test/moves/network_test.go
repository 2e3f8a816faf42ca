package moves

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/lab"
)

// finish brings a move to its end beside a running start-replica, if there is one, and compares both sides.
func (m *move) finish(t *testing.T, load *load, replica *proc) {
	t.Helper()
	if replica != nil {
		m.caughtUp(t, replica)
	} else {
		m.must(t, "start-replica", "--until-caught-up")
	}
	m.must(t, "verify")
	r := m.cutover(t)
	require.Equal(t, done, r.code, r)
	if replica != nil {
		ended := replica.wait(t)
		require.Equal(t, done, ended.code, ended)
	}
	load.stop(t)
	t.Logf("%d rows", m.equal(t))
}

// slowed is a move of many small chunks whose target answers slowly, under load, with its tables created.
func slowed(t *testing.T, p pair, lines ...string) (*move, *load, *between.Proxy, *between.Proxy) {
	t.Helper()
	source, target := newProxy(t, p.source), newProxy(t, p.target)
	target.Slow(4 * time.Millisecond)
	m := newMove(t, p, settings{
		source: source.Address(), target: target.Address(),
		lines: append([]string{"copy: {workers: 2, chunk_rows: 500}"}, lines...),
	})
	m.fill(t, 4_000)
	load := m.startLoad(t, lab.Seed(t), 2, 4_000, 4*time.Millisecond)
	m.must(t, "init-schema")
	return m, load, source, target
}

// inTheMiddle starts init-copy and returns when some chunks are copied and others are not.
func (m *move) inTheMiddle(t *testing.T) *proc {
	t.Helper()
	p := m.start(t, "init-copy")
	before := m.chunks(t)
	until(t, "some chunks copied", func() bool { return m.chunks(t) >= before+3 }, p)
	return p
}

// TestServersLost restarts, kills and freezes both servers while init-copy and start-replica run: they go on by
// themselves.
func TestServersLost(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		needControl(t)
		m, load, _, target := slowed(t, p)
		crash := func(s *server) {
			s.control(t, "kill")
			s.control(t, "start")
		}
		copying := m.inTheMiddle(t)
		crash(p.target)
		until(t, "chunks after the target's crash", func() bool { return m.chunks(t) >= 6 }, copying)
		crash(p.source)
		r := copying.wait(t)
		require.Equal(t, done, r.code, r)
		assert.Contains(t, r.stderr, "interrupted", "the log tells of it")

		target.Slow(0)
		replica := m.start(t, "start-replica")
		m.caughtUp(t, replica)
		crash(p.target)
		m.caughtUp(t, replica)
		crash(p.source)
		m.caughtUp(t, replica)
		p.target.control(t, "freeze")
		time.Sleep(2 * time.Second)
		p.target.control(t, "thaw")
		m.caughtUp(t, replica)
		m.finish(t, load, replica)
	})
}

// TestNetworkLost cuts and freezes the network on both sides.
func TestNetworkLost(t *testing.T) {
	m, load, source, target := slowed(t, mysqlPair(t))
	p := m.inTheMiddle(t)
	for _, end := range []*between.Proxy{target, source} {
		end.Cut()
		time.Sleep(200 * time.Millisecond)
	}
	target.Down()
	time.Sleep(2 * time.Second)
	target.Up()
	r := p.wait(t)
	require.Equal(t, done, r.code, r)
	target.Slow(0)
	replica := m.start(t, "start-replica")
	m.caughtUp(t, replica)
	for _, end := range []*between.Proxy{target, source} {
		end.Cut()
		m.caughtUp(t, replica)
		end.Down()
		time.Sleep(time.Second)
		end.Up()
		m.caughtUp(t, replica)
		end.Freeze()
		time.Sleep(time.Second)
		end.Thaw()
		m.caughtUp(t, replica)
	}
	m.finish(t, load, replica)
}

// What the connections have sent whose commits are lost. The words are those of wherry's statements.
var (
	chunkCommit = between.Containing("UPDATE ", ".chunks SET done")
	applyCommit = between.Containing("UPDATE ", "facts", "position")
	sealCommit  = between.Containing("INSERT INTO", "facts", "'cutover'")
)

// TestCommitLost loses commits, and answers to commits that the target has made, of chunks and of changes.
func TestCommitLost(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		m, load, _, target := slowed(t, p)
		target.LoseAnswers(2, chunkCommit)
		copying := m.start(t, "init-copy")
		until(t, "answers to chunks lost", func() bool { return target.Sprung() == 2 }, copying)
		target.LoseCommits(2, chunkCommit)
		until(t, "commits of chunks lost", func() bool { return target.Sprung() == 2 }, copying)
		target.Slow(0)
		target.LoseAnswers(1, applyCommit) // of the replay
		r := copying.wait(t)
		require.Equal(t, done, r.code, r)
		assert.Equal(t, 1, target.Sprung(), "answers to the replay lost")

		replica := m.start(t, "start-replica")
		for range 3 {
			target.LoseAnswers(1, applyCommit)
			until(t, "answer to changes lost", func() bool { return target.Sprung() == 1 }, replica)
			m.caughtUp(t, replica)
			target.LoseCommits(1, applyCommit)
			until(t, "commit of changes lost", func() bool { return target.Sprung() == 1 }, replica)
			m.caughtUp(t, replica)
		}
		m.finish(t, load, replica)
	})
}

// TestSealLost loses the commit of the takeover, or its answer, once and for good.
func TestSealLost(t *testing.T) {
	lose := map[string]func(*between.Proxy, int){
		"answer": func(p *between.Proxy, n int) { p.LoseAnswers(n, sealCommit) },
		"commit": func(p *between.Proxy, n int) { p.LoseCommits(n, sealCommit) },
	}
	for what, lose := range lose {
		t.Run(what, func(t *testing.T) {
			likePair(t, func(t *testing.T, p pair) {
				target := newProxy(t, p.target)
				m := newMove(t, p, settings{target: target.Address()})
				m.fill(t, 1_000)
				load := m.startLoad(t, lab.Seed(t), 2, 1_000, 4*time.Millisecond)
				m.must(t, "init-schema")
				m.must(t, "init-copy")
				m.must(t, "verify")
				lose(target, 1)
				r := m.cutover(t)
				require.Equal(t, 1, target.Sprung(), "takeovers lost")
				require.Equal(t, done, r.code, r)
				load.stop(t)
				m.equal(t)
				assert.NotEmpty(t, m.fact(t, "cutover"))
			})
		})
	}
}

// TestSealUnknown takes the target away in the moment of the takeover: wherry says that it does not know, the source
// stays closed, status tells it, and running the cutover again decides.
func TestSealUnknown(t *testing.T) {
	r := rand.New(rand.NewPCG(lab.Seed(t), 1))
	p := mysqlPair(t)
	target := newProxy(t, p.target)
	m := newMove(t, p, settings{target: target.Address()})
	m.fill(t, 1_000)
	load := m.startLoad(t, r.Uint64(), 2, 1_000, 4*time.Millisecond)
	m.must(t, "init-schema")
	m.must(t, "init-copy")
	m.must(t, "verify")
	target.LoseAnswerAndNetwork(sealCommit)
	c := m.cutover(t)
	require.Equal(t, 14, c.code, c)
	assert.Contains(t, c.stderr, "outcome unknown")
	assert.True(t, p.source.readOnly(t), "the source stays closed")
	status := m.must(t, "status").stdout
	assert.Contains(t, status, "seal", "status")
	assert.Contains(t, status, "wherry cutover", "status names what to run")
	target.Up()
	c = m.cutover(t)
	require.Equal(t, done, c.code, c)
	load.stop(t)
	m.equal(t)
}
