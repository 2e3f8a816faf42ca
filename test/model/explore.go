// Package model explores copy, replay and crash at small scope, exhaustively: every interleaving of writers, commits
// that become visible late, chunks, batches, crashes and commits that arrive after their sender has died.
//
// It is the argument of ARCHITECTURE.md ("Why it is right") as a program. It shares no code with wherry: what wherry
// does is written here once more as rules, and each rule can be broken by a flaw, which the exploration must then
// find.
package model

import (
	"fmt"
	"slices"
	"strings"
)

// step is one thing that may happen next.
type step[S comparable] struct {
	label string
	next  S
}

// explore visits every state that can be reached, breadth first, and returns how many there are. When check fails,
// the error holds the shortest sequence of steps that leads there.
func explore[S comparable](initial []S, next func(S) []step[S], check func(S) error) (states int, err error) {
	type visited struct {
		state S
		from  int32 // the place in visits that it was reached from; -1 for none
		label string
	}
	var visits []visited
	seen := make(map[S]struct{}, 1<<16)
	visit := func(s S, from int, label string) error {
		if _, ok := seen[s]; ok {
			return nil
		}
		seen[s] = struct{}{}
		visits = append(visits, visited{s, int32(from), label}) //nolint:gosec // mostStates fits
		if len(visits) > mostStates {
			return fmt.Errorf("more than %d states: the scope is too large", mostStates)
		}
		cause := check(s)
		if cause == nil {
			return nil
		}
		var trace []string
		for at := len(visits) - 1; at >= 0; at = int(visits[at].from) {
			trace = append(trace, fmt.Sprintf("%-40s %v", visits[at].label, visits[at].state))
		}
		slices.Reverse(trace)
		return fmt.Errorf("%w, after\n%s", cause, strings.Join(trace, "\n"))
	}
	for _, s := range initial {
		if err := visit(s, -1, "begin"); err != nil {
			return len(visits), err
		}
	}
	for at := 0; at < len(visits); at++ {
		for _, n := range next(visits[at].state) {
			if err := visit(n.next, at, n.label); err != nil {
				return len(visits), err
			}
		}
	}
	return len(visits), nil
}

// mostStates bounds memory, to about 1 GB.
const mostStates = 6_000_000
