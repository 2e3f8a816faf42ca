package monitor

import (
	"fmt"
	"strings"
	"time"

	"wherry/pkg/count"
	"wherry/pkg/state"
)

// Live is what the state file cannot tell.
type Live struct {
	Running      string // the phase that holds the move's lock now (state.File.Holder); empty when nobody does
	PID          int    // of that
	Beside       string // the phase that works beside it (state.File.SideHolder)
	BesidePID    int
	Now          time.Time
	Width        int    // columns of the terminal that the status is shown on; 0: no limit
	Spool        int64  // bytes of the source's log that are kept on this machine
	Args         string // options that the commands shown need, such as "--config shop.yaml"
	Path         string // of the state file
	Missing      bool   // there is no such file
	Checked      bool   // a check has just found nothing wrong
	MaxLag       time.Duration
	MaxVerifyAge time.Duration // 0: the last verification counts for ever
	Source       End
	Target       End
	// Reached tells whether the target has everything that the source had when both were asked; nil: not known.
	Reached *bool
}

// End is what a server said when it was asked.
type End struct {
	Asked bool
	Error string // why it did not answer, or not whole
	Holds bool   // the target: it has this move's bookkeeping
	Over  bool   // the target: it has recorded that it has taken over
}

func (e End) silent() bool { return e.Asked && e.Error != "" }

// facts is a move as its rules look at it: in the direction in which it goes now.
type facts struct {
	Live
	s      *state.State
	way    state.Way
	prefix string // of the phases on the way back
}

func factsOf(s *state.State, live Live) *facts {
	f := &facts{Live: live, s: s}
	if s.Turned() && !s.Back() {
		f.prefix = state.ReversePrefix
	}
	f.way = s.Way(f.prefix != "")
	return f
}

func (f *facts) commands() Commands { return Commands{Move: f.s.Move, Args: f.Args} }

// name is a phase as the state file has it.
func (f *facts) name(phase string) string { return f.prefix + phase }

func (f *facts) phase(name string) *state.Phase { return f.s.Phase(f.name(name)) }

// next advises to run a phase of this direction.
func (f *facts) next(phase, text string, options ...string) Next {
	return Next{Phase: f.name(phase), Text: text, Command: f.commands().write(f.name(phase), options...)}
}

func (f *facts) watch(running, text string) Next {
	return Next{Phase: running, Text: text, Command: f.commands().write("status", "--watch")}
}

// follows tells whether a start-replica of this direction runs.
func (f *facts) follows() bool {
	return strings.TrimPrefix(f.Running, state.RunPrefix) == f.name(state.PhaseStartReplica)
}

// runs tells whether a phase runs now, by itself or beside another.
func (f *facts) runs(phase string) bool {
	return strings.TrimPrefix(f.Running, state.RunPrefix) == phase || f.Beside == phase
}

// fresh is how old what start-replica last said may be. It says something every two seconds, whether there are changes
// or not.
const fresh = 15 * time.Second

// lag is how far the target is behind the source.
type lag struct {
	known  bool
	atMost bool // it may be less: nobody has looked since
	behind time.Duration
}

// lagOf works the lag out. What was said when changes were last applied is no longer true when nobody applies them any
// more: since then the source may have gone on.
func (f *facts) lagOf(p *state.Positions, following bool) lag {
	age := f.Now.Sub(p.AppliedAt)
	switch {
	case p.AppliedAt.IsZero():
		return lag{}
	case following && age <= fresh:
		return lag{known: true, behind: time.Duration(p.Lag)}
	case f.Reached != nil && *f.Reached:
		return lag{known: true}
	}
	return lag{known: true, atMost: true, behind: time.Duration(p.Lag) + max(age, 0)}
}

func (l lag) String() string {
	switch {
	case !l.known:
		return "how far it is behind is not known"
	case l.atMost:
		return "up to " + Span(l.behind.Truncate(time.Second)) + " behind"
	}
	return Span(l.behind) + " behind"
}

// lag is that of this direction.
func (f *facts) lag() lag { return f.lagOf(f.way.Positions, f.follows()) }

// failure returns the last attempt of a phase that failed, nil when a later success of a phase says that it no longer
// matters.
func (f *facts) failure() *state.Phase {
	var last *state.Phase
	for _, name := range phases(f.s) {
		p := f.s.Phase(name)
		if p == nil || strings.HasPrefix(name, state.ReversePrefix) != (f.prefix != "") ||
			p.Status == state.StatusRunning {
			continue
		}
		if name == state.PhaseCheck && f.s.Done(state.PhaseInitSchema) {
			continue // it may be run at any time, and says nothing of what other phases have come to
		}
		if last == nil || !p.Finished.Before(last.Finished) {
			last = p
		}
	}
	if last == nil || last.Status != state.StatusFailed {
		return nil
	}
	if last.Name == f.name(state.PhaseStartReplica) && f.follows() || f.runs(last.Name) {
		return nil
	}
	return last
}

// outcome is what a failed attempt left.
func (f *facts) outcome(p *state.Phase) Outcome {
	o := Outcome{Code: p.Code, Phase: p.Name, Tables: p.Tables, Journal: f.way.Cutover.Step}
	if o.Code == 0 { // of an older wherry
		o.Code = CodeFailed
	}
	return o
}

// killed returns a phase that still says running although nobody works on it.
func (f *facts) killed() *state.Phase {
	for _, name := range phases(f.s) {
		p := f.s.Phase(name)
		if p != nil && strings.HasPrefix(name, state.ReversePrefix) == (f.prefix != "") &&
			phaseStatus(p, f.Live) == statusKilled {
			return p
		}
	}
	return nil
}

// progress says how far a phase that counts rows is, "" when it has not said so lately.
func (f *facts) progress(phase string) string {
	p := f.s.Progress
	if p.Phase != phase || p.At.Before(started(f.s.Phase(phase))) {
		return ""
	}
	text := p.Step
	if p.Rows > 0 || p.RowsEstimate > 0 {
		text += " " + rowsOf(p.Rows, p.RowsEstimate)
	}
	if p.RowsPerSecond > 0 {
		text += ", " + Count(p.RowsPerSecond) + " rows/s"
	}
	if p.Left > 0 {
		text += ", about " + Span(time.Duration(p.Left)) + " left"
	}
	if p.Tables > 0 {
		text += fmt.Sprintf(", %d of %s done", p.TablesDone, count.Of(p.Tables, "table"))
	}
	return text
}

func started(p *state.Phase) time.Time {
	if p == nil {
		return time.Time{}
	}
	return p.Started
}
