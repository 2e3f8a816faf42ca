package monitor

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/state"
)

// stood is a move, and what status must say of it.
type stood struct {
	title string
	from  string // of moves
	state func(s *state.State)
	live  func(l *Live)
	rule  string
	now   string   // in the text
	wrong []string // each in one of the problems, in their order; none: nothing is wrong
	next  string   // in the text
	types string   // the command, whole
}

func failed(name string, code int, tables ...string) func(*state.State) {
	return func(s *state.State) {
		s.Phases = append(s.Phases, state.Phase{
			Name: name, Status: state.StatusFailed, Started: at(26), Finished: at(28), Error: "a reason", Code: code,
			Tables: tables,
		})
	}
}

// last makes the record of a phase the given one.
func last(name, status string, code int, tables ...string) func(*state.State) {
	return func(s *state.State) {
		p := s.Phase(name)
		*p = state.Phase{Name: name, Status: status, Started: at(21), Finished: at(28), Code: code, Tables: tables}
		if status == state.StatusFailed {
			p.Error = "a reason"
		}
		if status == state.StatusRunning {
			p.Finished = time.Time{}
		}
	}
}

func both(list ...func(*state.State)) func(*state.State) {
	return func(s *state.State) {
		for _, f := range list {
			f(s)
		}
	}
}

// earlier has the verify of the way back before what failed.
func earlier(s *state.State) { s.Phase(state.ReversePrefix + state.PhaseVerify).Finished = at(27) }

func nobody(l *Live) { l.Running, l.PID = "", 0 }

func stands() []stood {
	yes, no := true, false
	const replica, reverse = state.PhaseStartReplica, state.ReversePrefix + state.PhaseStartReplica
	missing := func(more func(l *Live)) func(l *Live) {
		return func(l *Live) {
			l.Missing, l.Path = true, "/x/s.yaml"
			if more != nil {
				more(l)
			}
		}
	}
	answered := End{Asked: true}
	silent := End{Asked: true, Error: "connection refused"}
	return []stood{
		{
			title: "no state file, nobody asked", from: "empty", live: missing(nil), rule: "no state file",
			now: "there is no state file /x/s.yaml", next: "in the folder that has its state file",
			types: "wherry check",
		},
		{
			title: "no state file, the target is silent", from: "empty", live: missing(func(l *Live) {
				l.Target = silent
			}), rule: "no state file", now: "has not said",
			wrong: []string{"the target does not answer: connection refused"},
			next:  "bring the target back first; then check both ends", types: "wherry check",
		},
		{
			title: "no state file, and the target holds the move", from: "empty", live: missing(func(l *Live) {
				l.Target = End{Asked: true, Holds: true}
			}), rule: "state file elsewhere", now: "the target holds this move", next: "folder that has the state file",
			types: "wherry status --state FILE",
		},
		{title: "no state file, and the target holds nothing", from: "empty", live: missing(func(l *Live) {
			l.Target = answered
		}), rule: "not begun", now: "the move has not begun", next: "changes nothing", types: "wherry check"},
		{title: "no state file after a check", from: "empty", live: missing(func(l *Live) {
			l.Checked = true
		}), rule: "checked", now: "has not begun", next: "create the tables", types: "wherry init-schema"},
		{
			title: "an empty state", from: "empty", rule: "early", now: "has not begun", next: "check both ends",
			types: "wherry check",
		},
		{
			title: "tables made", from: "begun", rule: "early", now: "rows are not all copied", next: "copy the rows",
			types: "wherry init-copy --config shop.yaml",
		},
		{
			title: "init-schema interrupted", from: "begun", state: last(state.PhaseInitSchema, state.StatusInterrupted,
				0), rule: "early", now: "not all on the target", next: "create the tables",
			types: "wherry init-schema --config shop.yaml",
		},
		{
			title: "copying", from: "copying", rule: "running", now: "init-copy runs (pid 42)",
			next:  "wait for init-copy",
			types: "wherry status --watch",
		},
		{
			title: "copying, how fast", from: "copying", state: func(s *state.State) {
				s.Progress = state.Progress{
					Phase: state.PhaseInitCopy, Step: "copy", Rows: 215_000,
					RowsEstimate: 3_600_000, RowsPerSecond: 12_000, Left: state.Duration(4 * time.Minute), Tables: 3,
					TablesDone: 1, At: at(29),
				}
			}, rule: "running",
			now:  "copy 215 k of about 3.6 M rows, 12 k rows/s, about 4m00s left, 1 of 3 tables done",
			next: "wait", types: "wherry status --watch",
		},
		{title: "copying, what an earlier attempt said", from: "copying", state: func(s *state.State) {
			s.Progress = state.Progress{Phase: state.PhaseInitCopy, Step: "copy", Rows: 1, At: at(1)}
		}, rule: "running", now: "init-copy runs (pid 42)", next: "wait", types: "wherry status --watch"},
		{
			title: "wherry run", from: "run", rule: "running", now: "wherry run is at it: init-copy runs (pid 42)",
			next: "wait for wherry run, which is at init-copy", types: "wherry status --watch",
		},
		{title: "cleanup", from: "over", live: func(l *Live) {
			l.Running, l.PID = state.PhaseCleanup, 7
		}, rule: "cleanup", now: "cleanup runs (pid 7)", next: "wait for cleanup", types: "wherry status --watch"},
		{title: "cleanup of a move that is given up", from: "ready", live: func(l *Live) {
			l.Running, l.PID = state.PhaseCleanup, 7
		}, rule: "cleanup", now: "cleanup runs (pid 7)", next: "wait for cleanup", types: "wherry status --watch"},
		{
			title: "copy killed", from: "killed", rule: "killed", now: "init-copy was killed",
			wrong: []string{"init-copy ended without a word"}, next: "continue the copy", types: "wherry init-copy",
		},
		{
			title: "copy failed, of an older wherry", from: "failed", rule: "failed", now: "init-copy has failed",
			wrong: []string{"init-copy failed 21m00s ago: read chunk"}, next: "run the same command again",
			types: "wherry init-copy",
		},
		{
			title: "copy failed for good", from: "failed", state: last(state.PhaseInitCopy, state.StatusFailed,
				CodeConfig), rule: "failed", now: "init-copy has failed", wrong: []string{"a reason"},
			next: "trying again does not help", types: "wherry init-copy",
		},
		{
			title: "copy failed, and the target is silent", from: "failed", live: func(l *Live) {
				l.Target = silent
			}, rule: "failed", now: "init-copy has failed", wrong: []string{
				"the target does not answer",
				"init-copy failed",
			}, next: "bring the target back first; then progress is saved",
			types: "wherry init-copy",
		},
		{
			title: "the log is gone", from: "failed", state: last(state.PhaseInitCopy, state.StatusFailed, CodeGone),
			rule: "failed", now: "init-copy has failed", wrong: []string{"a reason"}, next: "copy.spool",
			types: "wherry cleanup --abandon --confirm=shop",
		},
		{
			title: "following", from: "following", rule: "unproved", now: "start-replica applies changes, 1.2s behind",
			next: "prove that both ends are equal", types: "wherry verify",
		},
		{
			title: "start-replica killed", from: "orphaned", rule: "killed",
			now: "nobody applies changes, up to 13s behind", wrong: []string{"start-replica ended without a word"},
			next: "continue to follow", types: "wherry start-replica",
		},
		{
			title: "start-replica stopped, and the source went on", from: "orphaned",
			state: last(replica, state.StatusInterrupted, 0), live: func(l *Live) { l.Now, l.Reached = at(31), &no },
			rule: "stopped", now: "nobody applies changes; up to 1m13s behind", next: "continue to follow",
			types: "wherry start-replica",
		},
		{
			title: "start-replica stopped, and the source did not go on", from: "orphaned",
			state: last(replica, state.StatusInterrupted, 0), live: func(l *Live) { l.Now, l.Reached = at(31), &yes },
			rule: "stopped", now: "nobody applies changes; 0s behind", next: "continue to follow",
			types: "wherry start-replica",
		},
		{
			title: "start-replica never ran", from: "following", state: func(s *state.State) {
				s.Phases, s.Positions = s.Phases[:3], state.Positions{}
			}, live: nobody, rule: "stopped", now: "how far it is behind is not known",
			next: "follow the source: apply every later change", types: "wherry start-replica",
		},
		{
			title: "a schema change that cannot be followed", from: "orphaned", state: last(replica, state.StatusFailed,
				CodeRefused, "shop.orders", "shop.items"), rule: "failed",
			now:   "start-replica has failed; nobody applies changes, up to",
			wrong: []string{"start-replica failed 2m00s ago: a reason"}, next: "--skip-ddl",
			types: "wherry init-copy --table shop.orders --table shop.items",
		},
		{
			title: "a schema change that cannot be followed, and a check afterwards", from: "orphaned",
			state: both(last(replica, state.StatusFailed, CodeRefused, "shop.orders"), func(s *state.State) {
				s.Phase(state.PhaseCheck).Started, s.Phase(state.PhaseCheck).Finished = at(29), at(29)
			}), rule: "failed", now: "start-replica has failed", wrong: []string{"start-replica failed"},
			next: "--skip-ddl", types: "wherry init-copy --table shop.orders",
		},
		{
			title: "a check that failed before anything was made", from: "empty", state: failed(state.PhaseCheck,
				CodeRefused), rule: "failed", now: "check has failed", wrong: []string{"check failed"},
			next: "mend what is named above", types: "wherry check",
		},
		{
			title: "start-replica refused for another reason", from: "orphaned",
			state: last(replica, state.StatusFailed,
				CodeRefused), rule: "failed", now: "start-replica has failed", wrong: []string{"a reason"},
			next: "mend what is named above", types: "wherry start-replica",
		},
		{
			title: "start-replica failed, and a unit has begun it again", from: "following", rule: "unproved",
			now: "start-replica applies changes", next: "prove", types: "wherry verify",
		},
		{
			title: "start-replica has just begun", from: "following", state: func(s *state.State) {
				s.Phase(replica).Started = at(30)
			}, rule: "begins", now: "has applied nothing yet", next: "wait until it has caught up",
			types: "wherry status --watch",
		},
		{
			title: "start-replica connects", from: "following", state: func(s *state.State) { s.Phases = s.Phases[:3] },
			rule: "begins", now: "has applied nothing yet", next: "wait until it has caught up",
			types: "wherry status --watch",
		},
		{
			title: "start-replica is far behind", from: "ready", state: func(s *state.State) {
				s.Positions.Lag = state.Duration(66 * time.Second)
			}, live: func(l *Live) { l.MaxLag = 5 * time.Second }, rule: "behind", now: "is 1m06s behind",
			next: "less than 5s behind", types: "wherry status --watch",
		},
		{
			title: "start-replica stands still", from: "ready", live: func(l *Live) {
				l.Now = at(35)
			}, rule: "stands still", now: "has not moved on; up to 5m13s behind", next: "look at its log",
			types: "wherry status --watch",
		},
		{
			title: "start-replica, and the target is down", from: "ready", live: func(l *Live) {
				l.Now, l.Source, l.Target = at(35), answered, silent
			}, rule: "cut off", now: "the target cannot be reached; up to 5m13s behind",
			wrong: []string{"the target does not answer: connection refused"},
			next:  "bring the target back: start-replica goes on by itself", types: "wherry status --watch",
		},
		{title: "start-replica, and both are down", from: "ready", live: func(l *Live) {
			l.Source, l.Target = silent, silent
		}, rule: "cut off", now: "the servers cannot be reached", wrong: []string{
			"the source does not answer",
			"the target does not answer",
		}, next: "bring the servers back", types: "wherry status --watch"},
		{
			title: "verify runs beside", from: "following", state: func(s *state.State) {
				s.Phases = append(s.Phases, phase(state.PhaseVerify, state.StatusRunning, 28, 0, ""))
				s.Progress = state.Progress{
					Phase: state.PhaseVerify, Step: "verify", Rows: 3, RowsEstimate: 9,
					RowsPerSecond: 2, At: at(29),
				}
			}, live: func(l *Live) { l.Beside, l.BesidePID = state.PhaseVerify, 44 }, rule: "beside",
			now:  "start-replica applies changes, and verify runs (pid 44): verify 3 of about 9 rows, 2 rows/s",
			next: "wait for verify", types: "wherry status --watch",
		},
		{title: "verify alone", from: "orphaned", state: both(last(replica, state.StatusInterrupted, 0),
			func(s *state.State) {
				s.Phases = append(s.Phases, phase(state.PhaseVerify, state.StatusRunning, 28, 0, ""))
			}), live: func(l *Live) {
			l.Running, l.PID, l.Beside, l.BesidePID = state.PhaseVerify, 44, state.PhaseVerify, 44
		}, rule: "running", now: "verify runs (pid 44)", next: "wait for verify", types: "wherry status --watch"},
		{
			title: "verify killed", from: "following", state: func(s *state.State) {
				s.Phases = append(s.Phases, phase(state.PhaseVerify, state.StatusRunning, 28, 0, ""))
			}, rule: "killed", now: "verify was killed; start-replica applies changes",
			wrong: []string{"verify ended without a word"}, next: "prove", types: "wherry verify",
		},
		{
			title: "differences", from: "unequal", rule: "unequal", now: "source and target differ",
			wrong: []string{"found rows that differ in 1 table"}, next: "compare them again",
			types: "wherry verify --repair --table shop.orders --config a.yaml --config b.yaml",
		},
		{
			title: "differences that the target computes", from: "unequal", state: func(s *state.State) {
				s.Verify.Tables = []state.VerifyTable{{Table: "shop.orders", Rows: 9, Differing: 2, Computed: 2}}
			}, rule: "unequal", now: "source and target differ", wrong: []string{"found rows that differ in 1 table"},
			next: "allow_losses", types: "wherry verify --config a.yaml --config b.yaml",
		},
		{title: "proved too long ago", from: "ready", live: func(l *Live) {
			l.MaxVerifyAge = 5 * time.Minute
		}, rule: "stale", now: "older than cutover.max_verify_age", next: "prove it again", types: "wherry verify"},
		{title: "ready", from: "ready", rule: "ready", now: "were proved equal; start-replica applies changes, " +
			"1.2s behind", next: "switch over when you are ready", types: "wherry cutover --confirm=shop"},
		{
			title: "ready, and nobody applies changes", from: "ready", state: last(replica, state.StatusDone, 0),
			live: nobody, rule: "ready", now: "nobody applies changes, up to 13s behind", next: "switch over",
			types: "wherry cutover --confirm=shop",
		},
		{
			title: "ready, and the target is down", from: "ready", state: last(replica, state.StatusDone, 0),
			live: func(l *Live) { nobody(l); l.Target = silent }, rule: "ready", now: "nobody applies changes",
			wrong: []string{"the target does not answer"}, next: "bring the target back first; then switch over",
			types: "wherry cutover --confirm=shop",
		},
		{
			title: "a cutover failed, and was undone", from: "ready", state: failed(state.PhaseCutover, CodeFailed),
			rule: "failed", now: "cutover has failed; start-replica applies changes",
			wrong: []string{"cutover failed 2m00s ago: a reason"}, next: "run the same command again",
			types: "wherry cutover --confirm=shop",
		},
		{
			title: "a cutover found differences", from: "ready", state: failed(state.PhaseCutover, CodeDifferences),
			rule: "failed", now: "cutover has failed", wrong: []string{"a reason"}, next: "compare them again",
			types: "wherry verify --repair",
		},
		{
			title: "a cutover failed, and a later verify was clean", from: "ready",
			state: both(failed(state.PhaseCutover, CodeFailed), func(s *state.State) {
				s.Phase(state.PhaseVerify).Started, s.Phase(state.PhaseVerify).Finished, s.Verify.Finished =
					at(28), at(29), at(29)
			}), rule: "ready", now: "were proved equal", next: "switch over", types: "wherry cutover --confirm=shop",
		},
		{
			title: "a cutover runs, before the fence", from: "ready", state: func(s *state.State) {
				s.Phases = append(s.Phases, phase(state.PhaseCutover, state.StatusRunning, 29, 0, ""))
			}, live: func(l *Live) { l.Beside, l.BesidePID = state.PhaseCutover, 45 }, rule: "cutover",
			now:  "writes go on",
			next: "wait for cutover", types: "wherry status --watch",
		},
		{
			title: "a cutover runs, behind the fence", from: "fenced", live: func(l *Live) {
				l.Beside, l.BesidePID = state.PhaseCutover, 45
			}, rule: "cutover", now: "its last step is fence, and writes are blocked", next: "wait for cutover",
			types: "wherry status --watch",
		},
		{
			title: "a cutover was killed behind the fence", from: "fenced", rule: "cutover interrupted",
			now: "writes may be blocked", wrong: []string{"cutover ended without a word"},
			next: "cutover --abort opens writes again", types: "wherry cutover --confirm=shop",
		},
		{
			title: "a cutover does not know how it ended", from: "fenced",
			state: both(last(state.PhaseCutover, state.StatusFailed, CodeUnknown), func(s *state.State) {
				s.Cutover.Step = "seal"
			}), rule: "cutover interrupted", now: "at the step seal", wrong: []string{"cutover failed"},
			next: "bring the cutover that began to its end", types: "wherry cutover --confirm=shop",
		},
		{
			title: "the switch hook failed after the takeover", from: "fenced",
			state: both(last(state.PhaseCutover, state.StatusFailed, CodeUnfinished), func(s *state.State) {
				s.Cutover.Step, s.Cutover.Note = "switch", "sealed"
			}), live: nobody, rule: "unfinished", now: "the target has taken over, and something after it is not " +
				"done: triggers and events", wrong: []string{"cutover failed"},
			next: "the cutover then does what is left", types: "wherry cutover --confirm=shop",
		},
		{
			title: "the last hook failed", from: "fenced", state: both(last(state.PhaseCutover, state.StatusFailed,
				CodeUnfinished), func(s *state.State) { s.Cutover.Step, s.Cutover.Note = "switched", "sealed" }),
			live: nobody, rule: "unfinished", now: "is not done: hooks.after_cutover",
			wrong: []string{"cutover failed"}, next: "what is left: hooks.after_cutover",
			types: "wherry cutover --confirm=shop",
		},
		{
			title: "start-replica ends while the cutover finishes", from: "fenced", state: func(s *state.State) {
				s.Cutover.Step, s.Cutover.Note = "switch", "sealed"
			}, live: func(l *Live) { nobody(l); l.Beside, l.BesidePID = state.PhaseCutover, 45 }, rule: "takeover",
			now: "the cutover does the rest", next: "wait for cutover", types: "wherry status --watch",
		},
		{
			title: "the target has taken over, and the state file does not know", from: "ready", live: func(l *Live) {
				nobody(l)
				l.Target = End{Asked: true, Holds: true, Over: true}
			}, rule: "unfinished", now: "the target has taken over", next: "does what is left",
			types: "wherry cutover --confirm=shop",
		},
		{
			title: "over", from: "over", rule: "over", now: "the move is over",
			next: "start-replica --reverse keeps a way back open",
		},
		{
			title: "over, with a target that cannot be read from", from: "over", rule: "over", now: "the move is over",
			live: func(l *Live) { l.NoReturn = true }, next: "nothing has to be done; cleanup removes",
		},
		{
			title: "on the way back", from: "turned", rule: "ready",
			now: "were proved equal; start-replica applies changes", next: "go back to the source if you have to",
			types: "wherry cutover --reverse --confirm=shop",
		},
		{title: "on the way back, not proved", from: "turned", state: func(s *state.State) {
			s.Reverse.Verify = state.Verify{}
		}, rule: "unproved", now: "not proved", next: "prove", types: "wherry verify --reverse"},
		{
			title: "on the way back, unequal", from: "turned", state: func(s *state.State) {
				s.Reverse.Verify.Clean, s.Reverse.Verify.Tables = false, []state.VerifyTable{{
					Table:   "new.orders",
					Missing: 1,
				}}
			}, rule: "unequal", now: "differ", wrong: []string{"found rows that differ"}, next: "compare them again",
			types: "wherry verify --reverse --repair --table new.orders",
		},
		{
			title: "on the way back, nobody follows", from: "alone", rule: "killed", now: "start-replica was killed",
			wrong: []string{"start-replica ended without a word"}, next: "continue",
			types: "wherry start-replica --reverse",
		},
		{
			title: "on the way back, start-replica ended", from: "alone", state: last(reverse, state.StatusDone, 0),
			rule: "stopped", now: "nobody applies changes", next: "for a way back",
			types: "wherry start-replica --reverse",
		},
		{
			title: "on the way back, a schema change", from: "alone", state: both(last(reverse, state.StatusFailed,
				CodeRefused, "new.orders"), earlier), rule: "failed", now: "start-replica has failed",
			wrong: []string{"start-replica failed"}, next: "make the change on the old source by hand",
			types: "wherry start-replica --reverse --skip-ddl",
		},
		{
			title: "on the way back, the log is gone", from: "alone", state: both(last(reverse, state.StatusFailed,
				CodeGone), earlier), rule: "failed", now: "start-replica has failed",
			wrong: []string{"start-replica failed"}, next: "leave the target as it is",
			types: "wherry cleanup --abandon --confirm=shop",
		},
		{
			title: "back", from: "back", rule: "back", now: "the source has taken over again",
			next: "remove what the move keeps", types: "wherry cleanup",
		},
	}
}

// TestStands: every row of the table of stands, and what is wrong beside it.
func TestStands(t *testing.T) {
	reached := map[string]bool{}
	for _, c := range stands() {
		t.Run(c.title, func(t *testing.T) {
			m := moves()[c.from]
			m.state.Phases = append([]state.Phase(nil), m.state.Phases...)
			m.state.Verify.Tables = append([]state.VerifyTable(nil), m.state.Verify.Tables...)
			if c.state != nil {
				c.state(&m.state)
			}
			if c.live != nil {
				c.live(&m.live)
			}
			got := StandOf(m.state, m.live)
			reached[got.Rule] = true
			assert.Equal(t, c.rule, got.Rule)
			assert.Contains(t, got.Now, c.now)
			require.Len(t, got.Wrong, len(c.wrong), "%q", got.Wrong)
			for i, what := range c.wrong {
				assert.Contains(t, got.Wrong[i], what)
			}
			assert.Contains(t, got.Next.Text, c.next)
			assert.Equal(t, c.types, got.Next.Command)
			if strings.HasPrefix(got.Next.Command, "wherry status --watch") {
				assert.NotEmpty(t, got.Next.Phase, "what is waited for")
			}
		})
	}
	for _, r := range rules() {
		assert.True(t, reached[r.name], "no case for the rule %q", r.name)
	}
}

// TestOutcomes: every row of the table of outcomes.
func TestOutcomes(t *testing.T) {
	c := Commands{Move: "shop", Args: "--config shop.yaml"}
	const copying, replica = state.PhaseInitCopy, state.PhaseStartReplica
	reverse := state.ReversePrefix
	for _, tc := range []struct {
		o     Outcome
		text  string
		types string
	}{
		{
			Outcome{Code: CodeLocked, Phase: copying},
			"wait for the other wherry",
			"wherry status --watch --config shop.yaml",
		},
		{Outcome{Code: CodeUsage, Phase: copying}, "", ""},
		{Outcome{Code: CodeDifferences, Phase: state.PhaseCutover, Pending: true}, "", ""},
		{
			Outcome{Code: CodeDifferences, Phase: state.PhaseVerify, Tables: []string{"a.b"}},
			"write the rows that differ anew", "wherry verify --repair --table a.b --config shop.yaml",
		},
		{
			Outcome{Code: CodeDifferences, Phase: reverse + state.PhaseCutover},
			"write the rows that differ anew",
			"wherry verify --reverse --repair --config shop.yaml",
		},
		{
			Outcome{Code: CodeRefused, Phase: state.PhaseCutover, Tables: []string{"a.b"}},
			"write the rows that differ anew", "wherry verify --repair --table a.b --config shop.yaml",
		},
		{Outcome{Code: CodeRefused, Phase: state.PhaseVerify, Advised: true}, "", ""},
		{
			Outcome{Code: CodeDifferences, Phase: state.PhaseVerify, Computed: true},
			"allow_losses",
			"wherry verify --config shop.yaml",
		},
		{Outcome{Code: CodeState, Phase: copying}, "", ""},
		{
			Outcome{Code: CodeUnknown, Phase: state.PhaseCutover},
			"look at the target",
			"wherry cutover --config shop.yaml --confirm=shop",
		},
		{
			Outcome{Code: CodeUnfinished, Phase: reverse + state.PhaseCutover, Journal: "finish"},
			"what is left: the end of its record", "wherry cutover --reverse --config shop.yaml --confirm=shop",
		},
		{Outcome{Code: CodeConfig, Advised: true}, "", ""},
		{
			Outcome{Code: CodeConfig, Phase: copying},
			"trying again does not help",
			"wherry init-copy --config shop.yaml",
		},
		{
			Outcome{Code: CodeGone, Phase: replica},
			"copy.spool",
			"wherry cleanup --abandon --config shop.yaml --confirm=shop",
		},
		{
			Outcome{Code: CodeGone, Phase: reverse + replica},
			"leave the target as it is",
			"wherry cleanup --abandon --config shop.yaml --confirm=shop",
		},
		{
			Outcome{Code: CodeRefused, Phase: replica, Tables: []string{"a.b", "a.c"}},
			"copy again as it is now",
			"wherry init-copy --table a.b --table a.c --config shop.yaml",
		},
		{
			Outcome{Code: CodeRefused, Phase: reverse + replica, Tables: []string{"a.b"}},
			"by hand",
			"wherry start-replica --reverse --skip-ddl --config shop.yaml",
		},
		{Outcome{Code: CodeRefused, Phase: copying}, "mend what is named above", "wherry init-copy --config shop.yaml"},
		{
			Outcome{Code: CodeFailed, Phase: copying, Nothing: true},
			"nothing was changed",
			"wherry init-copy --config shop.yaml",
		},
		{Outcome{Code: CodeFailed, Phase: copying}, "progress is saved", "wherry init-copy --config shop.yaml"},
		{Outcome{Code: CodeInterrupted}, "progress is saved", ""},
		{Outcome{Code: 99}, "", ""},
	} {
		next := After(tc.o, c)
		assert.Equal(t, tc.types, next.Command, "%+v", tc.o)
		if tc.text == "" {
			assert.Empty(t, next.Text, "%+v", tc.o)
		}
		assert.Contains(t, next.Text, tc.text, "%+v", tc.o)
	}
}
