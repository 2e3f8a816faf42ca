package monitor

import (
	"fmt"
	"strings"
	"time"

	"wherry/pkg/count"
	"wherry/pkg/state"
)

// Live is what the state file does not hold: who runs now, what the servers answered, and the limits of the
// configuration.
type Live struct {
	// Running is the phase that holds the move's lock now (state.File.Holder), such as run:init-copy; empty: none does.
	Running      string
	PID          int    // of the process that does
	Beside       string // the phase that works beside it (state.File.SideHolder)
	BesidePID    int
	Now          time.Time
	Width        int    // columns of the terminal that the status is shown on; 0: no limit
	Spool        int64  // bytes of the source's log that are kept on this machine
	Args         string // options that the commands shown need, such as "--config shop.yaml"
	Path         string // of the state file
	Missing      bool   // there is no such file
	Checked      bool   // a check has just found nothing wrong
	NoReturn     bool   // there is no way back: the target cannot be read from
	MaxLag       time.Duration
	MaxVerifyAge time.Duration // 0: the last verification counts for ever
	Source       End
	Target       End
	// Reached tells whether the target had everything that the source had when both were asked; nil: not known.
	Reached *bool
}

// End is what a server said when it was asked.
type End struct {
	Asked bool
	Error string // why it did not answer, or not whole
	Holds bool   // the target: it has this move's bookkeeping
	Over  bool   // the target: it has recorded that it has taken over
}

// silent tells that a server was asked and did not answer.
func (e End) silent() bool { return e.Asked && e.Error != "" }

// facts is what the rules of status judge: the state and Live, in the direction in which the move goes now.
type facts struct {
	Live
	s      *state.State
	way    state.Way
	prefix string // of the phases on the way back
}

// factsOf chooses the direction: the way back, once it was begun and until it is over.
func factsOf(s *state.State, live Live) *facts {
	f := &facts{Live: live, s: s}
	if s.Turned() && !s.Back() {
		f.prefix = state.ReversePrefix
	}
	f.way = s.Way(f.prefix != "")
	return f
}

// commands write commands of this move, with the options that it was shown with.
func (f *facts) commands() Commands { return Commands{Move: f.s.Move, Args: f.Args} }

// name is a phase as the state file has it.
func (f *facts) name(phase string) string { return f.prefix + phase }

// phase is the record of a phase of this direction; nil if it never began.
func (f *facts) phase(name string) *state.Phase { return f.s.Phase(f.name(name)) }

// next advises to run a phase of this direction.
func (f *facts) next(phase, text string, options ...string) Next {
	return Next{Phase: f.name(phase), Text: text, Command: f.commands().write(f.name(phase), options...)}
}

// watch advises to wait for a phase that runs.
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

// fresh is how old the last report of start-replica may be. It reports every two seconds, whether there are changes or
// not; writing a state file with many tables may take longer.
const fresh = 15 * time.Second

// lag is how far the target is behind the source.
type lag struct {
	known  bool
	atMost bool // it may be less: behind includes the time since the last report
	behind time.Duration
}

// lagOf works the lag out. A fresh report of a running start-replica is taken as it is. Else, if both servers were
// asked and the target has everything, the lag is 0. Else the last report is too old: the source may have gone on
// since, so the lag is at most the reported one plus the report's age.
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

// failure returns the last attempt of a phase if it failed. It is nil if any phase ended well after it, or if the
// failed one runs again: then the failure no longer matters.
func (f *facts) failure() *state.Phase {
	var last *state.Phase
	for _, name := range phases(f.s) {
		p := f.s.Phase(name)
		if p == nil || strings.HasPrefix(name, state.ReversePrefix) != (f.prefix != "") ||
			p.Status == state.StatusRunning {
			continue
		}
		if name == state.PhaseCheck && f.s.Done(state.PhaseInitSchema) {
			continue // check may be run at any time, and its result says nothing about the later phases
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

// outcome is a failed attempt as the table of outcomes reads it, so that status gives the advice that the command gave.
func (f *facts) outcome(p *state.Phase) Outcome {
	o := Outcome{Code: p.Code, Phase: p.Name, Tables: p.Tables, Journal: f.way.Cutover.Step}
	// An older wherry recorded no code. Every failure could be continued then by running the command again.
	if o.Code == 0 {
		o.Code = CodeFailed
	}
	return o
}

// killed returns a phase that is recorded as running although no process holds the move's lock for it.
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

// progress says how far a phase that counts rows is; "" if it has not reported since it began.
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

// started is when the last attempt of a phase began; zero for a phase that never did.
func started(p *state.Phase) time.Time {
	if p == nil {
		return time.Time{}
	}
	return p.Started
}
