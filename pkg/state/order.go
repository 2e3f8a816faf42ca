package state

import "fmt"

// Next is the phase to run next, "" when the move is over. It advises; Require refuses.
func (s *State) Next() string {
	switch {
	case s.Over():
		return ""
	case !s.Done(PhaseInitSchema) && !s.Done(PhaseCheck) && s.Phase(PhaseInitSchema) == nil:
		return PhaseCheck
	case !s.Done(PhaseInitSchema):
		return PhaseInitSchema
	case !s.Done(PhaseInitCopy):
		return PhaseInitCopy
	case s.Cutover.Step != "": // it began: only it can say how it ends
		return PhaseCutover
	case s.replicaStopped():
		return PhaseStartReplica
	case !s.Done(PhaseVerify) || !s.Verify.Clean:
		return PhaseVerify
	}
	return PhaseCutover
}

// Over is true after a finished cutover.
func (s *State) Over() bool { return s.Cutover.Done }

func (s *State) replicaStopped() bool {
	p := s.Phase(PhaseStartReplica)
	return p == nil || p.Status == StatusFailed || p.Status == StatusInterrupted
}

// Require refuses a phase whose predecessor is not done (ErrOutOfOrder), naming the command to run first, and
// every phase that moves data once the move is over (ErrOver). A finished phase may run again: it says so.
func (s *State) Require(phase string) error {
	if s.Over() && phase != PhaseCheck && phase != PhaseCutover {
		return fmt.Errorf("run %s: %w: the cutover is done", phase, ErrOver)
	}
	for _, earlier := range requirements(phase) {
		if !s.Done(earlier) {
			return fmt.Errorf("run %s: %w: %s is %s, run `wherry %s` first", phase, ErrOutOfOrder, earlier,
				s.progress(earlier), earlier)
		}
	}
	return nil
}

// requirements are the phases without which another makes no sense, earliest first. That the last verify is
// clean and recent is a gate of the cutover itself, for the config decides about it.
func requirements(phase string) []string {
	switch phase {
	case PhaseInitCopy:
		return []string{PhaseInitSchema}
	case PhaseStartReplica, PhaseVerify, PhaseCutover:
		return []string{PhaseInitSchema, PhaseInitCopy}
	}
	return nil
}

func (s *State) progress(phase string) string {
	p := s.Phase(phase)
	switch {
	case p == nil:
		return "not done"
	case p.Status == StatusRunning:
		return "not finished"
	}
	return p.Status
}
