package evolve

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// failed is the exit code of a run whose connections were lost where it does not try again.
const failed = 1

// struck is a move through proxies that count every command to either server, in one order.
type struck struct {
	*move
	steps          *between.Steps
	source, target *between.Proxy
	kinds          []struckKind
	counting       func() func(text string) bool // which commands of a run count
}

// newStruck copies the tables of every other kind, of which of them n tells, or of all.
func newStruck(t *testing.T, name string, source, target *harness.Server, n uint64) *struck {
	t.Helper()
	s := &struck{steps: &between.Steps{}, source: source.Proxy(t), target: target.Proxy(t)}
	for i, k := range struckKinds {
		if everyStep(t) > 0 || (uint64(i)+n)%2 == 0 {
			s.kinds = append(s.kinds, k)
		}
	}
	s.move = newMove(t, name, source, target, harness.Options{
		SourceAt: s.source.Address(), TargetAt: s.target.Address(),
		Lines: append(extras(source, target), "replicate: {retry_for: 30s}", "copy: {workers: 2}"),
	})
	for _, k := range s.kinds {
		s.renew(t, k)
	}
	s.must(t, "init-schema", "init-copy")
	s.source.Count(s.steps)
	s.target.Count(s.steps)
	return s
}

// everyStep is what WHERRY_EVERY_STEP says, or 0.
func everyStep(t *testing.T) int {
	t.Helper()
	text := os.Getenv("WHERRY_EVERY_STEP")
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "WHERRY_EVERY_STEP")
	return n
}

// schemaStatement is what wherry sends to the target for a change of a table.
var schemaStatement = regexp.MustCompile(`^(ALTER|CREATE|DROP|RENAME|TRUNCATE) TABLE`)

// follow is the command that is struck.
var follow = []string{"start-replica", "--until-caught-up"}

// fail runs it, and has it die, or its connections, at the n-th command to a server. It returns how it ended, and the
// command.
func (s *struck) fail(t *testing.T, n int, when between.Moment, cut bool) (*harness.Child, string) {
	t.Helper()
	started := make(chan *harness.Child, 1)
	s.aim(n, when, func() {
		if cut {
			s.target.Cut()
			s.source.Cut()
			return
		}
		c := <-started
		started <- c
		_ = c.Signal(os.Kill) // it may have ended by itself
	})
	c := s.Start(t, follow...)
	started <- c
	require.True(t, c.Ended(), "no end: %s", c.Log())
	_, command := s.steps.Counted()
	s.aim(0, between.Before, nil)
	return c, command
}

// TestSchemaChangeStruckAtEveryStep follows schema changes of every kind, and kills wherry, or cuts its connections,
// before a command to a server, when it was sent, and when it was answered; then the same command is run again. Which
// commands, a seed tells, one of every other kind; with WHERRY_EVERY_STEP=1 all of them (hours), with
// WHERRY_EVERY_STEP=n every n-th, and all schema statements.
func TestSchemaChangeStruckAtEveryStep(t *testing.T) {
	began, turn := lab.Seed(t), uint64(0)
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		turn++
		s := newStruck(t, "we_x", source, target, began+turn)
		r := rand.New(rand.NewPCG(began, turn))
		counting := all
		for _, k := range s.kinds {
			t.Run(k.name, func(t *testing.T) { s.strike(t, r, k, counting) })
			counting = opened
		}
	})
}

// Which commands count: all; those from the one on that opens the source's log, since what is before is the same for
// all kinds; schema statements.
func all() func(text string) bool { return nil }

func opened() func(text string) bool {
	open := false
	return func(text string) bool {
		open = open || strings.Contains(text, "@master_binlog_checksum")
		return open
	}
}

func schemaStatements() func(text string) bool { return schemaStatement.MatchString }

// strike follows a change undisturbed, and then strikes: at any of these commands, and at schema statements.
func (s *struck) strike(t *testing.T, r *rand.Rand, k struckKind, counting func() func(string) bool) {
	t.Helper()
	began := time.Now()
	s.alter(t, k)
	s.counting = counting
	s.aim(0, between.Before, nil)
	s.must(t, "start-replica --until-caught-up")
	last, _ := s.steps.Counted()
	s.carried(t, k)
	cases, schema := 0, 0
	one := func(n, mode int) bool {
		command := s.one(t, k, n, between.Moment(mode/2), mode%2 == 1)
		cases++
		if schemaStatement.MatchString(command) {
			schema++
		}
		return command != ""
	}
	modes := 2 * int(between.Moments)
	if every := everyStep(t); every > 0 {
		for i := r.IntN(every); i < last*modes; i += every {
			one(1+i/modes, i%modes)
		}
		s.counting = schemaStatements
		for i := 0; one(1+i/modes, i%modes); i++ {
		}
	} else if r.IntN(2) == 0 {
		one(1+r.IntN(last), r.IntN(modes))
	} else {
		s.counting = schemaStatements
		one(1, r.IntN(modes))
	}
	t.Logf("%d commands, struck %d times, %d of them at a schema statement, in %s", last, cases, schema,
		time.Since(began).Round(time.Millisecond))
}

// aim has the next run be struck at the n-th command, of those that count.
func (s *struck) aim(n int, when between.Moment, strike func()) {
	s.steps.AimAmong(s.counting(), n, when, strike)
}

// one strikes once, runs the command again and looks at both sides. It returns the command that was struck at.
func (s *struck) one(t *testing.T, k struckKind, n int, when between.Moment, cut bool) string {
	t.Helper()
	s.renew(t, k)
	s.must(t, "start-replica --until-caught-up")
	s.alter(t, k)
	first, command := s.fail(t, n, when, cut)
	what := fmt.Sprintf("%s, command %d %s, cut %t: %.200q", k.name, n, when, cut, command)
	switch {
	case command == "":
		require.Equal(t, done, first.Code, "%s: %s\n%s", what, last(first), first.Log())
	case cut:
		require.Contains(t, []int{done, failed}, first.Code, "%s: %s\n%s", what, last(first), first.Log())
	default:
		// done: it was all but gone
		require.Contains(t, []int{-1, done}, first.Code, "%s: %s\n%s", what, last(first), first.Log())
	}
	again := s.Run(t, follow...)
	require.Equal(t, done, again.Code, "again after %s: %s\n%s\nfirst: %s", what, last(again), again.Log(), first.Log())
	s.carried(t, k)
	if t.Failed() {
		t.Fatalf("%s\nfirst: %s\nagain: %s", what, first.Log(), again.Log())
	}
	return command
}

// TestSchemaAnswersLost loses the answer to every schema statement on the target when it is sent for the first time:
// the server has carried it out, and nobody hears of it.
func TestSchemaAnswersLost(t *testing.T) {
	n := lab.Seed(t)
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		n++
		s := newStruck(t, "we_y", source, target, n)
		for _, k := range s.kinds {
			s.alter(t, k)
		}
		sent := map[string]int{}
		s.target.LoseStatements(1000, func(text string) bool { // called by one connection at a time
			if !schemaStatement.MatchString(text) {
				return false
			}
			sent[text]++
			return sent[text] == 1
		})
		s.must(t, "start-replica --until-caught-up")
		for _, k := range s.kinds {
			s.carried(t, k)
		}
		for statement, n := range sent {
			if n > 1 {
				assert.Regexp(t, `^DROP TABLE IF EXISTS|^TRUNCATE TABLE|^ALTER TABLE .* TRUNCATE PARTITION`, statement,
					"was sent %d times", n)
			}
		}
		t.Logf("%d answers lost", s.target.Sprung())
		assert.Greater(t, s.target.Sprung(), len(s.kinds))
	})
}
