package moves

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// finish brings a move to its end beside a running start-replica, if there is one, and compares both sides.
func (m *move) finish(t *testing.T, load *harness.Load, replica *harness.Child) {
	t.Helper()
	if replica != nil {
		m.Followed(t, replica)
	} else {
		m.CatchUp(t)
	}
	m.Must(t, "verify")
	r := m.cutover(t)
	require.Equal(t, harness.Done, r.Code, r)
	if replica != nil {
		ended := replica.Wait(t)
		require.Equal(t, harness.Done, ended.Code, ended)
	}
	load.Stop(t)
	t.Logf("%d rows", m.equal(t))
}

// slowed is a move of many small chunks whose target answers slowly, under load, with its tables created.
func slowed(t *testing.T, p pair, lines ...string) (*move, *harness.Load, *between.Proxy, *between.Proxy) {
	t.Helper()
	source, target := p.source.Proxy(t), p.target.Proxy(t)
	target.Slow(4 * time.Millisecond)
	m := newMove(t, p, settings{
		source: source.Address(), target: target.Address(),
		lines: append([]string{"copy: {workers: 2, chunk_rows: 500}"}, lines...),
	})
	m.fill(t, 4_000)
	load := m.startLoad(t, lab.Seed(t), 2, 4_000, 4*time.Millisecond)
	m.Must(t, "init-schema")
	return m, load, source, target
}

// inTheMiddle starts init-copy and returns when some chunks are copied and others are not.
func (m *move) inTheMiddle(t *testing.T) *harness.Child {
	t.Helper()
	p := m.Start(t, "init-copy")
	before := m.Chunks(t)
	harness.Until(t, "some chunks copied", func() bool { return m.Chunks(t) >= before+3 }, p)
	return p
}

// TestServersLost restarts, kills and freezes both servers while init-copy and start-replica run: they go on by
// themselves.
func TestServersLost(t *testing.T) {
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		harness.Script(t)
		m, load, _, target := slowed(t, p)
		crash := func(s *harness.Server) {
			s.Control(t, "kill")
			s.Control(t, "start")
		}
		copying := m.inTheMiddle(t)
		crash(p.target)
		harness.Until(t, "chunks after the target's crash", func() bool { return m.Chunks(t) >= 6 }, copying)
		crash(p.source)
		r := copying.Wait(t)
		require.Equal(t, harness.Done, r.Code, r)
		assert.Contains(t, r.Stderr(), "interrupted", "the log tells of it")

		target.Slow(0)
		replica := m.Start(t, "start-replica")
		m.Followed(t, replica)
		crash(p.target)
		m.Followed(t, replica)
		crash(p.source)
		m.Followed(t, replica)
		p.target.Control(t, "freeze")
		time.Sleep(2 * time.Second)
		p.target.Control(t, "thaw")
		m.Followed(t, replica)
		m.finish(t, load, replica)
	})
}

// TestNetworkLost cuts and freezes the network on both sides.
func TestNetworkLost(t *testing.T) {
	m, load, source, target := slowed(t, pairOf(t, harness.MySQL))
	p := m.inTheMiddle(t)
	for _, end := range []*between.Proxy{target, source} {
		end.Cut()
		time.Sleep(200 * time.Millisecond)
	}
	target.Down()
	time.Sleep(2 * time.Second)
	target.Up()
	r := p.Wait(t)
	require.Equal(t, harness.Done, r.Code, r)
	target.Slow(0)
	replica := m.Start(t, "start-replica")
	m.Followed(t, replica)
	for _, end := range []*between.Proxy{target, source} {
		end.Cut()
		m.Followed(t, replica)
		end.Down()
		time.Sleep(time.Second)
		end.Up()
		m.Followed(t, replica)
		end.Freeze()
		time.Sleep(time.Second)
		end.Thaw()
		m.Followed(t, replica)
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
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		m, load, _, target := slowed(t, p)
		target.LoseAnswers(2, chunkCommit)
		copying := m.Start(t, "init-copy")
		harness.Until(t, "answers to chunks lost", func() bool { return target.Sprung() == 2 }, copying)
		target.LoseCommits(2, chunkCommit)
		harness.Until(t, "commits of chunks lost", func() bool { return target.Sprung() == 2 }, copying)
		target.Slow(0)
		target.LoseAnswers(1, applyCommit) // of the replay
		r := copying.Wait(t)
		require.Equal(t, harness.Done, r.Code, r)
		assert.Equal(t, 1, target.Sprung(), "answers to the replay lost")

		replica := m.Start(t, "start-replica")
		for range 3 {
			target.LoseAnswers(1, applyCommit)
			harness.Until(t, "answer to changes lost", func() bool { return target.Sprung() == 1 }, replica)
			m.Followed(t, replica)
			target.LoseCommits(1, applyCommit)
			harness.Until(t, "commit of changes lost", func() bool { return target.Sprung() == 1 }, replica)
			m.Followed(t, replica)
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
			pairs(t, harness.Alike, func(t *testing.T, p pair) {
				target := p.target.Proxy(t)
				m := newMove(t, p, settings{target: target.Address()})
				m.fill(t, 1_000)
				load := m.startLoad(t, lab.Seed(t), 2, 1_000, 4*time.Millisecond)
				m.Phases(t, "init-schema", "init-copy")
				m.Must(t, "verify")
				lose(target, 1)
				r := m.cutover(t)
				require.Equal(t, 1, target.Sprung(), "takeovers lost")
				require.Equal(t, harness.Done, r.Code, r)
				load.Stop(t)
				m.equal(t)
				assert.NotEmpty(t, m.Fact(t, "cutover"))
			})
		})
	}
}

// TestSealUnknown takes the target away in the moment of the takeover: wherry says that it does not know, the source
// stays closed, status tells it, and running the cutover again decides.
func TestSealUnknown(t *testing.T) {
	r := rand.New(rand.NewPCG(lab.Seed(t), 1))
	p := pairOf(t, harness.MySQL)
	target := p.target.Proxy(t)
	m := newMove(t, p, settings{target: target.Address()})
	m.fill(t, 1_000)
	load := m.startLoad(t, r.Uint64(), 2, 1_000, 4*time.Millisecond)
	m.Phases(t, "init-schema", "init-copy")
	m.Must(t, "verify")
	target.LoseAnswerAndNetwork(sealCommit)
	c := m.cutover(t)
	require.Equal(t, 14, c.Code, c)
	assert.Contains(t, c.Stderr(), "outcome unknown")
	assert.True(t, p.source.ReadOnly(t), "the source stays closed")
	status := m.Ends(t, harness.Done, "status").Output()
	assert.Contains(t, status, "seal", "status")
	assert.Contains(t, status, "wherry cutover", "status names what to run")
	target.Up()
	c = m.cutover(t)
	require.Equal(t, harness.Done, c.Code, c)
	load.Stop(t)
	m.equal(t)
}
