package moves

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/lab"
)

// outcomeUnknown is the exit code of doubt.
const outcomeUnknown = 14

// stepped is a small move through proxies that count every command to either server, in one order.
type stepped struct {
	*move
	steps          *between.Steps
	source, target *between.Proxy
	round          int
}

// small are the tables of a stepped move: a key, another unique key that is built late, a foreign key.
var small = []string{"seats", "parents", "children", "marks"}

func newStepped(t *testing.T, p pair) *stepped {
	t.Helper()
	s := &stepped{steps: &between.Steps{}, source: newProxy(t, p.source), target: newProxy(t, p.target)}
	s.source.Count(s.steps)
	s.target.Count(s.steps)
	s.move = newMove(t, p, settings{source: s.source.Address(), target: s.target.Address(), lines: []string{
		"copy: {workers: 2, chunk_rows: 20}", "verify: {workers: 2, chunk_rows: 20}", "replicate: {retry_for: 20s}",
		"cutover: {max_lag: 1h}",
	}})
	for _, x := range tables() {
		if slices.Contains(small, x.name) {
			m := *s.move
			m.fillOne(t, x, 100)
		}
	}
	return s
}

// write changes rows of every kind on the source: the next run has something to bring over.
func (s *stepped) write(t *testing.T) {
	t.Helper()
	s.round++
	d, n := quote(s.name), s.round
	s.pair.source.exec(t,
		fmt.Sprintf("INSERT INTO %s.seats (id, line, seat, guest, touched) VALUES (%d, 9, %d, 'new %d', %d)", d, 1000+n,
			n, n, n),
		fmt.Sprintf("UPDATE %s.seats SET touched = touched + 1, guest = CONCAT('again ', id, ' %d') WHERE id %% 7 = "+
			"%d %% 7", d, n, n),
		// a value moves
		fmt.Sprintf("UPDATE %s.seats a JOIN %s.seats b ON a.id = 1 AND b.id = 2 SET a.line = -%d, b.line = a.line", d,
			d, n+1),
		fmt.Sprintf("DELETE FROM %s.children WHERE id = %d", d, n),
		fmt.Sprintf("INSERT INTO %s.marks (mark) VALUES ('round %d')", d, n))
}

// fail runs a command that dies, or whose connections do, at the n-th command to a server. It returns how it ended;
// done with nothing struck means that it has fewer commands.
func (s *stepped) fail(t *testing.T, n int, when between.Moment, cut bool, phase string, args ...string) (result,
	string,
) {
	t.Helper()
	started := make(chan *proc, 1)
	s.steps.Aim(n, when, func() {
		if cut {
			s.target.Cut()
			s.source.Cut()
			return
		}
		p := <-started
		started <- p
		_ = p.cmd.Process.Signal(syscall.SIGKILL) // it may have ended by itself
	})
	p := s.start(t, phase, args...)
	started <- p
	r := p.wait(t)
	_, struck := s.steps.Counted()
	s.steps.Aim(0, between.Before, nil)
	return r, struck
}

// same compares both sides.
func (s *stepped) same(t *testing.T) {
	t.Helper()
	rows := 0
	for _, x := range tables() {
		if slices.Contains(small, x.name) {
			n, differ := s.equalTable(t, x)
			require.Zero(t, differ, x.name)
			rows += n
		}
	}
	require.Positive(t, rows)
}

// reset takes the target back to before init-schema.
func (s *stepped) reset(t *testing.T) {
	t.Helper()
	s.pair.target.exec(t, "DROP DATABASE IF EXISTS "+quote(s.database),
		"DROP DATABASE IF EXISTS "+quote("wherry_"+s.name))
	require.NoError(t, os.RemoveAll(s.state))
}

// unseal takes a finished cutover back.
func (s *stepped) unseal(t *testing.T, state []byte) {
	t.Helper()
	facts := quote("wherry_"+s.name) + ".facts"
	s.pair.target.exec(t, "DELETE FROM "+facts+" WHERE name IN ('cutover', 'cutover_journal')",
		"UPDATE "+facts+" SET name = 'position' WHERE name = 'final_position'")
	require.NoError(t, s.pair.source.writable(t.Context()))
	require.NoError(t, os.WriteFile(s.state, state, 0o600))
}

// steppedPhase is how one phase is struck.
type steppedPhase struct {
	phase string
	args  func(s *stepped) []string
	ready func(t *testing.T, s *stepped) // brings the move to where the phase can be run, before each
	after func(t *testing.T, s *stepped) // looks at what the run left
	codes []int                          // of a run whose connections were cut, besides done
}

// TestStruckAtEveryStep kills wherry, or cuts its connections, before a command to a server, when it was sent, and when
// it was answered, and then runs the same command again. Which commands, a seed tells; with WHERRY_EVERY_STEP=1 all of
// them (an hour).
func TestStruckAtEveryStep(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		r := rand.New(rand.NewPCG(lab.Seed(t), 77))
		s := newStepped(t, p)
		for _, x := range steppedPhases() {
			t.Run(x.phase, func(t *testing.T) { s.strike(t, r, x) })
		}
	})
}

func steppedPhases() []steppedPhase {
	none := func(*stepped) []string { return nil }
	var verified []byte
	return []steppedPhase{
		{"init-schema", none, func(t *testing.T, s *stepped) { s.reset(t) }, func(t *testing.T, s *stepped) {
			assert.Equal(t, "4", s.pair.target.text(t, "SELECT COUNT(*) FROM information_schema.tables WHERE "+
				"table_schema = ?", s.database))
		}, []int{failed}},
		{"init-copy", none, func(t *testing.T, s *stepped) {
			s.reset(t)
			s.must(t, "init-schema")
		}, func(t *testing.T, s *stepped) {
			s.must(t, "start-replica", "--until-caught-up") // what was written after the point of consistency
			s.same(t)
		}, []int{failed}},
		{"start-replica", func(*stepped) []string {
			return []string{"--until-caught-up"}
		}, func(t *testing.T, s *stepped) {
			s.write(t)
		}, func(t *testing.T, s *stepped) { s.same(t) }, []int{failed}},
		{
			"verify", none, func(t *testing.T, s *stepped) { s.write(t) }, func(t *testing.T, s *stepped) { s.same(t) },
			[]int{failed},
		},
		{"cutover", func(s *stepped) []string {
			return []string{"--confirm=" + s.name}
		}, func(t *testing.T, s *stepped) {
			if verified == nil {
				var err error
				verified, err = os.ReadFile(s.state)
				require.NoError(t, err)
			} else {
				s.unseal(t, verified)
			}
			s.write(t)
		}, func(t *testing.T, s *stepped) {
			s.same(t)
			assert.True(t, s.pair.source.readOnly(t), "the source is read-only")
			assert.NotEmpty(t, s.fact(t, "cutover"))
		}, []int{failed, unfinished}},
	}
}

// strikes is how often a phase is struck when not at every step.
const strikes = 8

func (s *stepped) strike(t *testing.T, r *rand.Rand, x steppedPhase) {
	t.Helper()
	x.ready(t, s)
	s.steps.Aim(0, between.Before, nil)
	s.must(t, x.phase, x.args(s)...)
	last, _ := s.steps.Counted()
	x.after(t, s)
	every := os.Getenv("WHERRY_EVERY_STEP") == "1"
	share := max(last/strikes, 1)
	began, n, cases := time.Now(), 1, 0
	for ; n <= last; n++ {
		modes := 2 * int(between.Moments)
		for mode := range modes {
			if !every && (mode != r.IntN(modes) || n%share != r.IntN(share)) {
				continue
			}
			when, cut := between.Moment(mode/2), mode%2 == 1
			s.one(t, x, n, when, cut)
			cases++
		}
	}
	t.Logf("%s: %d commands, struck %d times in %s", x.phase, last, cases, time.Since(began).Round(time.Second))
}

// one strikes once, runs the command again and looks at both sides.
func (s *stepped) one(t *testing.T, x steppedPhase, n int, when between.Moment, cut bool) {
	t.Helper()
	x.ready(t, s)
	ended, struck := s.fail(t, n, when, cut, x.phase, x.args(s)...)
	what := fmt.Sprintf("%s, command %d %s, cut %t: %.150s", x.phase, n, when, cut, struck)
	switch {
	case struck == "":
		require.Equal(t, done, ended.code, "%s: %s", what, ended)
	case cut:
		require.Contains(t, append([]int{done}, x.codes...), ended.code, "%s: %s", what, ended)
	default:
		require.Contains(t, []int{-1, done}, ended.code, "%s: %s", what, ended) // done: it was all but gone
	}
	sealed := x.phase == "cutover" && s.fact(t, "cutover") != ""
	if x.phase == "cutover" && cut && ended.code != done {
		require.Equal(t, map[bool]int{false: failed, true: unfinished}[sealed], ended.code,
			"%s: the exit code tells whether the target has taken over: %s", what, ended)
		require.Equal(t, sealed, s.pair.source.readOnly(t), "%s: the fence after a failure: %s", what, ended)
	}
	copied := 0
	if x.phase == "init-copy" {
		copied = s.chunks(t)
	}
	if !sealed && !s.pair.source.readOnly(t) {
		s.write(t)
	}
	s.steps.Aim(0, between.Before, nil)
	again := s.run(t, x.phase, x.args(s)...)
	require.Equal(t, done, again.code, "again after %s: %s\nfirst: %s", what, again, ended)
	if x.phase == "init-copy" {
		// Fewer, if a commit was still under way when those that are done were counted.
		assert.LessOrEqual(t, s.steps.Containing("LOAD DATA LOCAL"), s.chunks(t)-copied, "%s: chunks copied again",
			what)
	}
	x.after(t, s)
	if t.Failed() {
		t.Fatalf("%s\nfirst: %s\nagain: %s", what, ended, again)
	}
}
