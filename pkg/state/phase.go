package state

import (
	"strings"
	"time"
)

// The phases, in their order; the names are those of the commands.
const (
	PhaseCheck        = "check"
	PhaseInitSchema   = "init-schema"
	PhaseInitCopy     = "init-copy"
	PhaseStartReplica = "start-replica"
	PhaseVerify       = "verify"
	PhaseCutover      = "cutover"
	PhaseCleanup      = "cleanup" // keeps no record: it ends the file
)

// The status of a phase. A phase that was killed still says running.
const (
	StatusRunning     = "running"
	StatusDone        = "done"
	StatusFailed      = "failed"
	StatusInterrupted = "interrupted"
)

// Phase is what became of one phase. Started and Finished are of the last attempt.
type Phase struct {
	Name     string    `yaml:"name" json:"name"`
	Status   string    `yaml:"status" json:"status"`
	Started  time.Time `yaml:"started,omitempty" json:"started,omitzero"`
	Finished time.Time `yaml:"finished,omitempty" json:"finished,omitzero"`
	Error    string    `yaml:"error,omitempty" json:"error,omitempty"`
	Detail   string    `yaml:"detail,omitempty" json:"detail,omitempty"`
	// Since it was last done, when there were several.
	Attempts int       `yaml:"attempts,omitempty" json:"attempts,omitempty"`
	Begun    time.Time `yaml:"begun,omitempty" json:"begun,omitzero"` // the first of them
	Code     int       `yaml:"code,omitempty" json:"code,omitempty"`  // exit status of an attempt that failed
	// Source tables that the failure is about, when a new copy of them helps.
	Tables []string `yaml:"tables,omitempty" json:"tables,omitempty"`
}

// Phase returns the record of a phase, nil if it never began. The pointer is into s.
func (s *State) Phase(name string) *Phase {
	for i := range s.Phases {
		if s.Phases[i].Name == name {
			return &s.Phases[i]
		}
	}
	return nil
}

// Done is true if the phase finished and has not begun again.
func (s *State) Done(name string) bool {
	p := s.Phase(name)
	return p != nil && p.Status == StatusDone
}

// Recorder writes what becomes of one phase; each call is one Update.
type Recorder struct {
	file *File
	name string
}

// Phase returns the recorder of a phase.
func (f *File) Phase(name string) Recorder { return Recorder{file: f, name: name} }

// Begin records that the phase runs, or runs again.
func (r Recorder) Begin() error {
	return r.file.Update(func(s *State) error {
		p := s.Phase(r.name)
		if p == nil {
			s.Phases = append(s.Phases, Phase{Name: r.name})
			p = &s.Phases[len(s.Phases)-1]
		}
		again := Phase{Name: r.name, Status: StatusRunning, Started: r.file.now()}
		if p.Status != StatusDone && !p.Started.IsZero() {
			again.Attempts, again.Begun = max(p.Attempts, 1)+1, p.Begun
			if again.Begun.IsZero() {
				again.Begun = p.Started
			}
		}
		*p = again
		return nil
	})
}

// Finish records that the phase is done; detail is one line for people.
func (r Recorder) Finish(detail string) error { return r.end(StatusDone, "", detail, 0, nil) }

// Fail records why the phase ended, with which exit status, and the source tables that a new copy would mend, if any.
func (r Recorder) Fail(cause error, code int, tables ...string) error {
	return r.end(StatusFailed, cause.Error(), "", code, tables)
}

// Interrupt records that the phase was asked to stop; detail is one line for people.
func (r Recorder) Interrupt(detail string) error { return r.end(StatusInterrupted, "", detail, 0, nil) }

func (r Recorder) end(status, cause, detail string, code int, tables []string) error {
	return r.file.Update(func(s *State) error {
		p := s.Phase(r.name)
		if p == nil {
			s.Phases = append(s.Phases, Phase{Name: r.name, Started: r.file.now()})
			p = &s.Phases[len(s.Phases)-1]
		}
		p.Status, p.Detail, p.Code, p.Tables = status, detail, code, tables
		p.Error = strings.ToValidUTF8(cause, "?") // a server's message may quote binary data
		p.Finished = r.file.now()
		if p.Finished.Before(p.Started) {
			p.Finished = p.Started // the clock was set back
		}
		return nil
	})
}
