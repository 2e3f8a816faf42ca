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
		state.ReversePrefix + state.PhaseStartReplica, state.ReversePrefix + state.PhaseVerify,
		state.ReversePrefix + state.PhaseCutover,
	}
}

// writeReverse writes where the way back stands.
func writeReverse(b *strings.Builder, s state.State, live Live) {
	now := live.Now
	if !s.Turned() {
		return
	}
	b.WriteString("\nthe way back, from the target to the source:\n")
	writeReplica(b, factsOf(&s, live), &s.Reverse.Positions, state.ReversePrefix)
	writeLastVerify(b, s.Reverse.Verify, now)
	writeCutover(b, s.Reverse.Cutover, now)
}

// writeRehearsal writes what the last rehearsal of the cutover brought, until there is a real one.
func writeRehearsal(b *strings.Builder, s state.State, now time.Time) {
	r := s.Rehearsal
	if r.At.IsZero() || s.Over() {
		return
	}
	fmt.Fprintf(b, "rehearsed %s: writes were blocked for %s (fence %s, drain %s, verify %s)\n", ago(now, r.At),
		Span(time.Duration(r.Blocked)),
		Span(time.Duration(r.Fence)), Span(time.Duration(r.Drain)), Span(time.Duration(r.Verify)))
}
