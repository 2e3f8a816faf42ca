package state

import (
	"fmt"
	"strings"
	"time"
)

// ReversePrefix stands before the phases of the way back, in records and locks: reverse:start-replica.
const ReversePrefix = "reverse:"

// Reverse is the way back, from the target to the source, once it was begun. Source and target are exchanged in it: its
// positions are of the target's log, and its cutover gives the source back.
type Reverse struct {
	Positions Positions `yaml:"positions,omitempty" json:"positions,omitzero"`
	Verify    Verify    `yaml:"verify,omitempty" json:"verify,omitzero"`
	Cutover   Cutover   `yaml:"cutover,omitempty" json:"cutover,omitzero"`
}

// Rehearsal is the last rehearsed cutover: how long writes were blocked, and by what.
type Rehearsal struct {
	At      time.Time `yaml:"at,omitempty" json:"at,omitzero"`
	Blocked Duration  `yaml:"blocked,omitempty" json:"blocked,omitzero"`
	Fence   Duration  `yaml:"fence,omitempty" json:"fence,omitzero"`
	Drain   Duration  `yaml:"drain,omitempty" json:"drain,omitzero"`
	Verify  Duration  `yaml:"verify,omitempty" json:"verify,omitzero"`
}

// Way is what there is of either direction. The pointers are into the state.
type Way struct {
	From      *Server // that is read
	To        *Server // that is written to
	Positions *Positions
	Verify    *Verify
	Cutover   *Cutover
	Rehearsal *Rehearsal // nil on the way back, of which none is kept
}

// Way returns the move's way forward, or back.
func (s *State) Way(reverse bool) Way {
	if reverse {
		r := &s.Reverse
		return Way{From: &s.Target, To: &s.Source, Positions: &r.Positions, Verify: &r.Verify, Cutover: &r.Cutover}
	}
	return Way{&s.Source, &s.Target, &s.Positions, &s.Verify, &s.Cutover, &s.Rehearsal}
}

// Turned is true once the way back was begun.
func (s *State) Turned() bool { return s.Reverse.Positions.Start != "" }

// Back is true once the source has taken over again.
func (s *State) Back() bool { return s.Reverse.Cutover.Done }

// RequireReverse refuses a phase of the way back that cannot be yet (ErrOutOfOrder), naming the command to run first.
// What happens after the way back is over the phase decides, see Back.
func (s *State) RequireReverse(phase string) error {
	switch {
	case !s.Over():
		return fmt.Errorf("run %s --reverse: %w: the target has not taken over, run `wherry cutover` first", phase,
			ErrOutOfOrder)
	case phase != PhaseStartReplica && !s.Turned():
		return fmt.Errorf("run %s --reverse: %w: the way back is not begun, run `wherry start-replica "+
			"--reverse` first", phase, ErrOutOfOrder)
	}
	return nil
}

// plain is a phase's name without what says how it runs.
func plain(phase string) string {
	return strings.TrimPrefix(strings.TrimPrefix(phase, RunPrefix), ReversePrefix)
}
