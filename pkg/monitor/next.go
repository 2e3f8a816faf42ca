package monitor

import (
	"fmt"
	"strings"
	"time"

	"wherry/pkg/state"
)

// The functions below are what rows of the table of stands have in common.

// said is a row's text without a time.
func said(text string) func(*facts) (string, time.Time) {
	return func(*facts) (string, time.Time) { return text, time.Time{} }
}

// to advises to run a phase.
func to(phase, text string) func(*facts) Next {
	return func(f *facts) Next { return f.next(phase, text) }
}

// running says which phase runs, how far it is, and since when.
func running(f *facts) (string, time.Time) {
	phase := strings.TrimPrefix(f.Running, state.RunPrefix)
	text := f.atWork(phase, f.PID)
	if phase != f.Running {
		text = "wherry run is at it: " + text
	}
	return text, started(f.s.Phase(phase))
}

// watching advises to wait for the phase that runs. If one runs beside start-replica, that one is meant: start-replica
// does not end by itself.
func watching(f *facts) Next {
	who, pid := strings.TrimPrefix(f.Running, state.RunPrefix), f.PID
	if f.Beside != "" {
		who, pid = f.Beside, f.BesidePID
	}
	text := fmt.Sprintf("wait for %s, which is running (pid %d); to watch it", who, pid)
	if strings.HasPrefix(f.Running, state.RunPrefix) {
		text = fmt.Sprintf("wait for wherry run, which is at %s (pid %d); to watch it", who, pid)
	}
	return f.watch(who, text)
}

// atWork says what a phase is doing.
func (f *facts) atWork(phase string, pid int) string {
	text := fmt.Sprintf("%s runs (pid %d)", strings.TrimPrefix(phase, state.ReversePrefix), pid)
	if how := f.progress(phase); how != "" {
		text += ": " + how
	}
	return text
}

// followed says whether changes are applied meanwhile; "" before there was a start-replica.
func (f *facts) followed() string {
	if f.follows() {
		return "; start-replica applies changes, " + f.lag().String()
	}
	if f.way.Positions.Applied == "" || f.s.Phase(f.name(state.PhaseStartReplica)) == nil {
		return ""
	}
	return "; nobody applies changes, " + f.lag().String()
}

// sealed tells whether the takeover is recorded and the cutover is not finished. If the state file does not know of the
// takeover and the target does, the target is right.
func (f *facts) sealed() bool {
	return !f.way.Cutover.Done && (f.way.Cutover.Note == "sealed" || f.prefix == "" && f.Target.Over)
}

// taker is the end that takes over at the cutover of this direction.
func (f *facts) taker() string {
	if f.prefix != "" {
		return "the source"
	}
	return "the target"
}

// early is the next phase of a move that is not copied yet, "" for one that is.
func (f *facts) early() string {
	switch next := f.s.Next(); next {
	case state.PhaseCheck, state.PhaseInitSchema, state.PhaseInitCopy:
		return next
	}
	return ""
}

// stopped tells whether a start-replica should run and does not. On the way forward one that ended by itself is not
// needed any more: verify and cutover apply changes themselves.
func (f *facts) stopped() bool {
	if f.follows() {
		return false
	}
	return f.prefix != "" || f.s.Next() == state.PhaseStartReplica
}

// finished is when the last attempt of a phase ended; zero for a phase that never ran.
func finished(p *state.Phase) time.Time {
	if p == nil {
		return time.Time{}
	}
	return p.Finished
}

// unequal tells whether the last comparison found differences.
func unequal(v state.Verify) bool { return len(Differing(v)) > 0 }

// Differing lists the tables in which rows differ, by their source's names.
func Differing(v state.Verify) (tables []string) {
	for _, t := range v.Tables {
		if differs(t) {
			tables = append(tables, t.Table)
		}
	}
	return tables
}

// Computed tells whether rows differ in generated columns only, which the target computes by itself.
func Computed(v state.Verify) bool {
	var all, computed int64
	for _, t := range v.Tables {
		all += t.Differing + t.Missing + t.Extra
		computed += t.Computed
	}
	return computed > 0 && computed == all
}

// purpose says why a phase is run, or run again.
func purpose(s *state.State, phase string, again bool) string {
	switch phase {
	case state.PhaseCheck:
		return "check both ends, which changes nothing"
	case state.PhaseInitSchema:
		return "create the tables on the target"
	case state.PhaseInitCopy:
		if again {
			return "continue the copy where it stopped"
		}
		return "copy the rows"
	case state.PhaseStartReplica:
		if again {
			return "continue to follow the source from where it stopped"
		}
		return "follow the source: apply every later change"
	case state.ReversePrefix + state.PhaseStartReplica:
		return "continue to keep the source up to date, for a way back"
	case state.PhaseVerify:
		return "prove that both ends are equal"
	}
	return "go on"
}
