package monitor

import (
	"fmt"
	"strings"
	"time"

	"wherry/pkg/state"
)

// reversePhases are those of the way back, in their order.
func reversePhases() []string {
	return []string{
		state.ReversePrefix + state.PhaseStartReplica, state.ReversePrefix + state.PhaseVerify, state.ReversePrefix + state.PhaseCutover,
	}
}

// writeReverse writes where the way back stands.
func writeReverse(b *strings.Builder, s state.State, now time.Time) {
	if !s.Turned() {
		return
	}
	b.WriteString("\nthe way back, from the target to the source:\n")
	writeReplica(b, s.Reverse.Positions, now)
	writeLastVerify(b, s.Reverse.Verify, now)
	writeCutover(b, s.Reverse.Cutover, now)
}

// writeRehearsal writes what the last rehearsal of the cutover brought, until there is a real one.
func writeRehearsal(b *strings.Builder, s state.State, now time.Time) {
	r := s.Rehearsal
	if r.At.IsZero() || s.Over() {
		return
	}
	fmt.Fprintf(b, "rehearsed %s: writes were blocked for %s (fence %s, drain %s, verify %s)\n", ago(now, r.At), Span(time.Duration(r.Blocked)),
		Span(time.Duration(r.Fence)), Span(time.Duration(r.Drain)), Span(time.Duration(r.Verify)))
}

// reverseStep says what to run next on the way back.
func reverseStep(s *state.State, live Live) Next {
	const replica, verify, cutover = state.PhaseStartReplica, state.PhaseVerify, state.PhaseCutover
	running := live.Running
	next := func(phase, text string, options ...string) Next {
		return Next{Phase: state.ReversePrefix + phase, Text: text, Command: live.command(phase, append([]string{"--reverse"}, options...)...)}
	}
	switch {
	case running != "" && running != state.ReversePrefix+replica:
		return Next{Phase: running, Text: fmt.Sprintf("wait for %s, which is running (pid %d); to watch it", running, live.PID), Command: live.command("status", "--watch")}
	case s.Reverse.Cutover.Step != "":
		return next(cutover, "bring the cutover back to the source that began to its end", "--confirm "+s.Move)
	case running == "":
		return next(replica, "continue to keep the source up to date, for a way back")
	case unequal(s.Reverse.Verify):
		return next(verify, "the last verify found differences; mend and compare them again", "--repair")
	case !s.Reverse.Verify.Clean:
		return next(verify, "prove that both ends are equal, before you go back")
	default:
		return next(cutover, "go back to the source if you have to", "--confirm "+s.Move)
	}
}
