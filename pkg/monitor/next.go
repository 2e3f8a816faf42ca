package monitor

import (
	"fmt"
	"strings"
	"time"

	"wherry/pkg/state"
)

// Live is what the state file cannot tell.
type Live struct {
	Running string // the phase that holds the move's lock now (state.File.Holder); empty when nobody does
	PID     int    // of that
	Now     time.Time
	Spool   int64  // bytes of the source's log that are kept on this machine
	Args    string // options that the commands shown need, such as "--config shop.yaml"
}

// Next is what to do now.
type Next struct {
	Phase   string `json:"phase,omitempty"`   // to run or, when Command only watches, that is running; empty when the move is over
	Text    string `json:"text"`              // why
	Command string `json:"command,omitempty"` // to type
}

// NextStep says what to run next.
func NextStep(s state.State, live Live) Next {
	if s.Turned() && !s.Back() {
		return reverseStep(&s, live)
	}
	running := strings.TrimPrefix(live.Running, state.RunPrefix)
	phase := nextPhase(&s, running)
	if phase == "" {
		if s.Back() {
			return Next{Text: "the source has taken over again; wherry cleanup removes what the move keeps on the servers"}
		}
		return Next{Text: "the move is over; start-replica --reverse keeps a way back open, cleanup removes what the move keeps on the servers"}
	}
	if running != "" && (running != state.PhaseStartReplica || phase == running || live.Running != running) {
		text := fmt.Sprintf("wait for %s, which is running (pid %d); to watch it", running, live.PID)
		if running != live.Running {
			text = fmt.Sprintf("wait for wherry run, which is at %s (pid %d); to watch it", running, live.PID)
		}
		return Next{Phase: running, Text: text, Command: live.command("status", "--watch")}
	}
	out := Next{Phase: phase, Text: purpose(&s, phase), Command: live.command(phase)}
	switch {
	case phase == state.PhaseVerify && unequal(s.Verify):
		out.Command = live.command(phase, "--repair")
	case phase == state.PhaseCutover:
		out.Command = live.command(phase, "--confirm "+s.Move)
	}
	return out
}

// nextPhase is state.Next, which cannot know that a start-replica that says it runs was killed.
func nextPhase(s *state.State, running string) string {
	next, replica := s.Next(), s.Phase(state.PhaseStartReplica)
	afterCopy := next == state.PhaseVerify || next == state.PhaseCutover
	if afterCopy && s.Cutover.Step == "" && running == "" && replica != nil && replica.Status == state.StatusRunning {
		return state.PhaseStartReplica
	}
	return next
}

func (l Live) command(phase string, options ...string) string {
	words := append([]string{"wherry", phase}, options...)
	if l.Args != "" {
		words = append(words, l.Args)
	}
	return strings.Join(words, " ")
}

func unequal(v state.Verify) bool {
	for _, t := range v.Tables {
		if differs(t) {
			return true
		}
	}
	return false
}

func purpose(s *state.State, phase string) string {
	again := s.Phase(phase) != nil
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
	case state.PhaseVerify:
		if unequal(s.Verify) {
			return "the last verify found differences; mend and compare them again"
		}
		return "prove that both ends are equal"
	case state.PhaseCutover:
		if s.Cutover.Step != "" {
			return "bring the cutover that began to its end"
		}
		return "switch over when you are ready"
	}
	return "go on"
}
