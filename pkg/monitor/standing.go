package monitor

import (
	"fmt"
	"strings"
	"time"

	"wherry/pkg/state"
)

// Stand is what a person needs who looks at a move: what is true now and since when, what is wrong, and the one thing
// to do next.
type Stand struct {
	Rule  string    `json:"rule"` // the row of the table that holds
	Now   string    `json:"now"`
	Since time.Time `json:"since,omitzero"` // zero: not known
	Wrong []string  `json:"wrong,omitempty"`
	Next  Next      `json:"-"` // the document has it in fields of its own
}

// rule is a row of the table of stands: the first one that holds is what is said.
type rule struct {
	name string
	when func(f *facts) bool
	now  func(f *facts) (text string, since time.Time)
	next func(f *facts) Next
}

// StandOf says how a move stands. Whatever the rule is, a server that does not answer has to be brought back first.
func StandOf(s state.State, live Live) Stand {
	f := factsOf(&s, live)
	for _, r := range rules() {
		if !r.when(f) {
			continue
		}
		out := Stand{Rule: r.name, Wrong: f.wrong(), Next: r.next(f)}
		out.Now, out.Since = r.now(f)
		if end := f.silentEnd(); end != "" && out.Next.Phase != "" &&
			!strings.HasPrefix(out.Next.Command, "wherry status") {
			out.Next.Text = "bring the " + end + " back first; then " + out.Next.Text
		}
		return out
	}
	return Stand{Rule: "none", Now: "nothing is known of the move"} // the last rule holds always
}

// NextStep says what to run next.
func NextStep(s state.State, live Live) Next { return StandOf(s, live).Next }

// silentEnd names the servers that did not answer; "" if both did, or were not asked.
func (f *facts) silentEnd() string {
	switch {
	case f.Source.silent() && f.Target.silent():
		return "servers"
	case f.Source.silent():
		return "source"
	case f.Target.silent():
		return "target"
	}
	return ""
}

// rules is the table of stands; the first row that holds counts. First come a missing file and a move that is over,
// where nothing else matters; then what happens now; then what went wrong; and last what is next. The order decides: a
// failed verify beside a cutover that has taken over is no longer of interest.
func rules() []rule {
	cutover := func(f *facts) bool { return f.runs(f.name(state.PhaseCutover)) }
	return append([]rule{
		{
			"state file elsewhere", func(f *facts) bool { return f.Missing && f.Target.Holds },
			func(f *facts) (string, time.Time) {
				return "the target holds this move, but there is no state file " + f.Path, time.Time{}
			}, func(f *facts) Next {
				return Next{
					Text: "run this in the folder that has the state file, or name the file; a lost one is " +
						"written again by the next phase, from what the target has recorded",
					Command: f.commands().write("status", "--state FILE"),
				}
			},
		},
		// `check` itself asks for the next command here, before anything has made a state file.
		{
			"checked", func(f *facts) bool { return f.Missing && f.Checked }, said("the move has not begun"),
			to(state.PhaseInitSchema, "create the tables on the target"),
		},
		// Without the target's answer "not begun" would be a guess: the reader may just be in another folder.
		{
			"no state file", func(f *facts) bool { return f.Missing && (!f.Target.Asked || f.Target.silent()) },
			func(f *facts) (string, time.Time) {
				return "there is no state file " + f.Path + ", and the target has not said whether the move has begun",
					time.Time{}
			}, to(state.PhaseCheck, "check both ends, which changes nothing; if the move has begun, run this in the "+
				"folder that has its state file"),
		},
		{"not begun", func(f *facts) bool { return f.Missing }, func(f *facts) (string, time.Time) {
			return "the move has not begun: there is no state file " + f.Path + ", and the target holds nothing of it",
				time.Time{}
		}, to(state.PhaseCheck, "check both ends, which changes nothing")},
		{"back", func(f *facts) bool { return f.s.Back() }, func(f *facts) (string, time.Time) {
			return "the source has taken over again", finished(f.s.Phase(state.ReversePrefix + state.PhaseCutover))
		}, func(f *facts) Next {
			return Next{
				Text:    "remove what the move keeps on the servers",
				Command: f.commands().write(state.PhaseCleanup),
			}
		}},
		// Above the cutover's rows: cleanup removes the facts that they judge.
		{"cleanup", func(f *facts) bool { return f.Running == state.PhaseCleanup }, running, watching},
		// The takeover is recorded and a process does the rest. Without a process the next row holds.
		{"takeover", func(f *facts) bool { return f.sealed() && cutover(f) }, func(f *facts) (string, time.Time) {
			return f.taker() + " has taken over, and the cutover does the rest: " + left(f.way.Cutover.Step),
				f.way.Cutover.FencedAt
		}, watching},
		{"unfinished", (*facts).sealed, func(f *facts) (string, time.Time) {
			return f.taker() + " has taken over, and something after it is not done: " + left(f.way.Cutover.Step),
				f.way.Cutover.FencedAt
		}, func(f *facts) Next {
			return After(Outcome{Code: CodeUnfinished, Phase: f.name(state.PhaseCutover), Journal: f.way.Cutover.Step},
				f.commands())
		}},
		// Not if the way back was begun: then its own rows say what is next.
		{"over", func(f *facts) bool { return f.s.Over() && f.prefix == "" }, func(f *facts) (string, time.Time) {
			return "the move is over: the target has taken over", finished(f.s.Phase(state.PhaseCutover))
		}, func(f *facts) Next {
			back := "start-replica --reverse keeps a way back open, "
			if f.NoReturn {
				back = ""
			}
			return Next{Text: "nothing has to be done; " + back + "cleanup removes what the move keeps on the servers"}
		}},
		{"cutover", cutover, func(f *facts) (string, time.Time) {
			if step := f.way.Cutover.Step; step != "" {
				return "the cutover runs, its last step is " + step + ", and writes are blocked", f.way.Cutover.FencedAt
			}
			return "the cutover runs, and writes go on", started(f.phase(state.PhaseCutover))
		}, watching},
		// Nobody works on it, and writes may be blocked: nothing else is more urgent.
		{"cutover interrupted", func(f *facts) bool {
			return f.way.Cutover.Step != ""
		}, func(f *facts) (string, time.Time) {
			return "a cutover ended at the step " + f.way.Cutover.Step + ": writes may be blocked",
				f.way.Cutover.FencedAt
		}, to(state.PhaseCutover,
			"bring the cutover that began to its end; cutover --abort opens writes again instead")},
	}, append(runningRules(), waitingRules()...)...)
}

// runningRules are for moves that somebody works on.
func runningRules() []rule {
	return []rule{
		// verify, cutover or check beside a start-replica: what it does is the news, not the start-replica.
		{"beside", func(f *facts) bool { return f.Beside != "" && f.follows() }, func(f *facts) (string, time.Time) {
			return fmt.Sprintf("start-replica applies changes, and %s", f.atWork(f.Beside, f.BesidePID)),
				started(f.s.Phase(f.Beside))
		}, watching},
		// Every other phase that runs, and all of `wherry run`.
		{"running", func(f *facts) bool {
			return f.Running != "" && !f.follows() || strings.HasPrefix(f.Running, state.RunPrefix)
		}, running, watching},
		// start-replica keeps trying for replicate.retry_for, so there is nothing to restart.
		{"cut off", func(f *facts) bool {
			return f.follows() && f.silentEnd() != ""
		}, func(f *facts) (string, time.Time) {
			return "start-replica runs and applies nothing, for the " + f.silentEnd() + " cannot be reached; " +
				f.lag().String(), f.way.Positions.AppliedAt
		}, func(f *facts) Next {
			return f.watch(f.Running, "bring the "+f.silentEnd()+" back: start-replica goes on by itself; to watch it")
		}},
		// Before its first report the last known lag is from an earlier run, and would look like a standstill.
		{"begins", func(f *facts) bool {
			p := f.phase(state.PhaseStartReplica) // recorded as running once it is connected
			return f.follows() && (p == nil || p.Status != state.StatusRunning ||
				f.way.Positions.AppliedAt.Before(p.Started))
		}, func(f *facts) (string, time.Time) {
			return "start-replica has begun, and has applied nothing yet", started(f.phase(state.PhaseStartReplica))
		}, func(f *facts) Next { return f.watch(f.Running, "wait until it has caught up; to watch it") }},
		// It holds the lock and has not reported lately.
		{"stands still", func(f *facts) bool {
			return f.follows() && f.lag().atMost
		}, func(f *facts) (string, time.Time) {
			return "start-replica runs and has not moved on; " + f.lag().String(), f.way.Positions.AppliedAt
		}, func(f *facts) Next { return f.watch(f.Running, "look at its log, which says why; to watch it") }},
		// The cutover would be refused (cutover.max_lag), so it is not advised yet.
		{
			"behind", func(f *facts) bool { return f.follows() && f.MaxLag > 0 && f.lag().behind > f.MaxLag },
			func(f *facts) (string, time.Time) {
				return "start-replica applies changes, and is " + f.lag().String(),
					started(f.phase(state.PhaseStartReplica))
			}, func(f *facts) Next {
				return f.watch(f.Running, "wait until it is less than "+Span(f.MaxLag)+" behind (cutover.max_lag); "+
					"to watch it")
			},
		},
	}
}

// waitingRules are for moves that wait for somebody.
func waitingRules() []rule {
	verifyFinished := func(f *facts) time.Time { return f.way.Verify.Finished }
	return []rule{
		// The advice is the one that the command itself gave at its end.
		{"failed", func(f *facts) bool { return f.failure() != nil }, func(f *facts) (string, time.Time) {
			p := f.failure()
			return strings.TrimPrefix(p.Name, state.ReversePrefix) + " has failed" + f.followed(), p.Finished
		}, func(f *facts) Next {
			next := After(f.outcome(f.failure()), f.commands())
			if next.Text == "" {
				next.Text = "mend what is named above"
			}
			return next
		}},
		// Running it again is always right: it continues.
		{"killed", func(f *facts) bool { return f.killed() != nil }, func(f *facts) (string, time.Time) {
			return strings.TrimPrefix(f.killed().Name, state.ReversePrefix) + " was killed" + f.followed(), time.Time{}
		}, func(f *facts) Next {
			phase := strings.TrimPrefix(f.killed().Name, state.ReversePrefix)
			return f.next(phase, purpose(f.s, phase, true))
		}},
		// Up to the end of init-copy the phases have a fixed order.
		{"early", func(f *facts) bool { return f.early() != "" }, func(f *facts) (string, time.Time) {
			return map[string]string{
				state.PhaseCheck:      "the move has not begun",
				state.PhaseInitSchema: "the tables are not all on the target",
				state.PhaseInitCopy:   "the tables are on the target, and their rows are not all copied",
			}[f.early()], time.Time{}
		}, func(f *facts) Next { return f.next(f.early(), purpose(f.s, f.early(), f.s.Phase(f.early()) != nil)) }},
		// Before "unequal": a comparison is worth most while changes are applied.
		{"stopped", (*facts).stopped, func(f *facts) (string, time.Time) {
			return "nobody applies changes; " + f.lag().String(), finished(f.phase(state.PhaseStartReplica))
		}, func(f *facts) Next {
			return f.next(state.PhaseStartReplica, purpose(f.s, f.name(state.PhaseStartReplica),
				f.phase(state.PhaseStartReplica) != nil))
		}},
		{"unequal", func(f *facts) bool { return unequal(*f.way.Verify) }, func(f *facts) (string, time.Time) {
			return "source and target differ" + f.followed(), verifyFinished(f)
		}, func(f *facts) Next {
			return After(Outcome{
				Code: CodeDifferences, Phase: f.name(state.PhaseVerify),
				Tables: Differing(*f.way.Verify), Computed: Computed(*f.way.Verify),
			}, f.commands())
		}},
		{"unproved", func(f *facts) bool { return !f.way.Verify.Clean }, func(f *facts) (string, time.Time) {
			return "the target is not proved to be equal" + f.followed(), time.Time{}
		}, to(state.PhaseVerify, "prove that both ends are equal")},
		// The cutover would be refused (cutover.max_verify_age).
		{"stale", func(f *facts) bool {
			return f.MaxVerifyAge > 0 && f.Now.Sub(f.way.Verify.Finished) > f.MaxVerifyAge
		}, func(f *facts) (string, time.Time) {
			return "the last proof that both ends are equal is older than cutover.max_verify_age" + f.followed(),
				verifyFinished(f)
		}, to(state.PhaseVerify, "prove it again")},
		{"ready", func(*facts) bool { return true }, func(f *facts) (string, time.Time) {
			return "source and target were proved equal" + f.followed(), verifyFinished(f)
		}, func(f *facts) Next {
			if f.prefix != "" {
				return f.next(state.PhaseCutover, "go back to the source if you have to")
			}
			return f.next(state.PhaseCutover, "switch over when you are ready")
		}},
	}
}
