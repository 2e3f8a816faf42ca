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
	"wherry/test/internal/harness"
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
	s := &stepped{steps: &between.Steps{}, source: p.source.Proxy(t), target: p.target.Proxy(t)}
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
	d, n := quote(s.Name), s.round
	s.pair.source.Exec(t,
		fmt.Sprintf("INSERT INTO %s.seats (id, line, seat, guest, touched) VALUES (%d, 9, %d, 'new %d', %d)", d, 1000+n,
			n, n, n),
		fmt.Sprintf("UPDATE %s.seats SET touched = touched + 1, guest = CONCAT('again ', id, ' %d') WHERE id %% 7 = "+
			"%d %% 7", d, n, n),
		// a value moves
		fmt.Sprintf("UPDATE %s.seats a JOIN %s.seats b ON a.id = 1 AND b.id = 2 SET a.line = -%d, b.line = a.line", d,
			d, n+1),
		fmt.Sprintf("DELETE FROM %s.children WHERE id = %d", d, n),
		fmt.Sprintf("INSERT INTO %s.marks VALUES (-%d)", d, n))
}

// fail runs a command that dies, or whose connections do, at the n-th command to a server. It returns how it ended;
// done with nothing struck means that it has fewer commands.
func (s *stepped) fail(t *testing.T, n int, when between.Moment, cut bool, phase string,
	args ...string) (*harness.Child,
	string,
) {
	t.Helper()
	started := make(chan *harness.Child, 1)
	s.steps.Aim(n, when, func() {
		if cut {
			s.target.Cut()
			s.source.Cut()
			return
		}
		p := <-started
		started <- p
		_ = p.Signal(syscall.SIGKILL) // it may have ended by itself
	})
	p := s.Start(t, append([]string{phase}, args...)...)
	started <- p
	r := p.Wait(t)
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
			rows += s.equalTable(t, x)
		}
	}
	require.Positive(t, rows)
}

// reset takes the target back to before init-schema.
func (s *stepped) reset(t *testing.T) {
	t.Helper()
	s.pair.target.Exec(t, "DROP DATABASE IF EXISTS "+quote(s.database),
		"DROP DATABASE IF EXISTS "+quote("wherry_"+s.Name))
	require.NoError(t, os.RemoveAll(s.State))
}

// unseal takes a finished cutover back.
func (s *stepped) unseal(t *testing.T, state []byte) {
	t.Helper()
	facts := quote("wherry_"+s.Name) + ".facts"
	s.pair.target.Exec(t, "DELETE FROM "+facts+" WHERE name IN ('cutover', 'cutover_journal')",
		"UPDATE "+facts+" SET name = 'position' WHERE name = 'final_position'")
	s.pair.source.Writable(t)
	require.NoError(t, os.WriteFile(s.State, state, 0o600))
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
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
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
			assert.Equal(t, "4", s.pair.target.Text(t, "SELECT COUNT(*) FROM information_schema.tables WHERE "+
				"table_schema = ?", s.database))
		}, []int{harness.Failed}},
		{"init-copy", none, func(t *testing.T, s *stepped) {
			s.reset(t)
			s.Must(t, "init-schema")
		}, func(t *testing.T, s *stepped) {
			s.CatchUp(t) // what was written after the point of consistency
			s.same(t)
		}, []int{harness.Failed}},
		{"start-replica", func(*stepped) []string {
			return []string{"--until-caught-up"}
		}, func(t *testing.T, s *stepped) {
			s.write(t)
		}, func(t *testing.T, s *stepped) { s.same(t) }, []int{harness.Failed}},
		{
			"verify", none, func(t *testing.T, s *stepped) { s.write(t) }, func(t *testing.T, s *stepped) { s.same(t) },
			[]int{harness.Failed},
		},
		{"cutover", func(s *stepped) []string {
			return []string{"--confirm=" + s.Name}
		}, func(t *testing.T, s *stepped) {
			if verified == nil {
				var err error
				verified, err = os.ReadFile(s.State)
				require.NoError(t, err)
			} else {
				s.unseal(t, verified)
			}
			s.write(t)
		}, func(t *testing.T, s *stepped) {
			s.same(t)
			assert.True(t, s.pair.source.ReadOnly(t), "the source is read-only")
			assert.NotEmpty(t, s.Fact(t, "cutover"))
		}, []int{harness.Failed, harness.Unfinished}},
	}
}

// strikes is how often a phase is struck when not at every step.
const strikes = 8

func (s *stepped) strike(t *testing.T, r *rand.Rand, x steppedPhase) {
	t.Helper()
	x.ready(t, s)
	s.steps.Aim(0, between.Before, nil)
	s.Must(t, append([]string{x.phase}, x.args(s)...)...)
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
		require.Equal(t, harness.Done, ended.Code, "%s: %s", what, ended)
	case cut:
		require.Contains(t, append([]int{harness.Done}, x.codes...), ended.Code, "%s: %s", what, ended)
	default:
		require.Contains(t, []int{-1, harness.Done}, ended.Code, "%s: %s", what, ended) // done: it was all but gone
	}
	sealed := x.phase == "cutover" && s.Fact(t, "cutover") != ""
	if x.phase == "cutover" && cut && ended.Code != harness.Done {
		require.Equal(t, map[bool]int{false: harness.Failed, true: harness.Unfinished}[sealed], ended.Code,
			"%s: the exit code tells whether the target has taken over: %s", what, ended)
		require.Equal(t, sealed, s.pair.source.ReadOnly(t), "%s: the fence after a failure: %s", what, ended)
	}
	copied := 0
	if x.phase == "init-copy" {
		copied = s.Chunks(t)
	}
	if !sealed && !s.pair.source.ReadOnly(t) {
		s.write(t)
	}
	s.steps.Aim(0, between.Before, nil)
	again := s.Run(t, append([]string{x.phase}, x.args(s)...)...)
	require.Equal(t, harness.Done, again.Code, "again after %s: %s\nfirst: %s", what, again, ended)
	if x.phase == "init-copy" {
		// Fewer, if a commit was still under way when those that are done were counted.
		assert.LessOrEqual(t, s.steps.Containing("LOAD DATA LOCAL"), s.Chunks(t)-copied, "%s: chunks copied again",
			what)
	}
	x.after(t, s)
	if t.Failed() {
		t.Fatalf("%s\nfirst: %s\nagain: %s", what, ended, again)
	}
}
