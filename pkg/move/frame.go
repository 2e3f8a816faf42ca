package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/state"
)

// spec is how a phase is run.
type spec struct {
	name    string
	bare    bool                                     // without the frame (cleanup): only the lock is taken
	reverse bool                                     // of the way back
	beside  bool                                     // may run beside start-replica
	once    bool                                     // says so and does nothing when it is done already
	silent  bool                                     // keeps no record
	dry     bool                                     // a dry run: no record is kept
	trial   bool                                     // not the phase itself: it is admitted, but no record is kept
	admit   func(ctx context.Context, m *Move) error // may refuse, changing nothing; then no record is kept
	run     func(ctx context.Context, m *Move) (Result, error)
}

// record is the phase's name in the state file.
func (s spec) record() string {
	if s.reverse {
		return state.ReversePrefix + s.name
	}
	return s.name
}

// frame is what all phases have in common: whether the phase may run now, both ends, the plan, and the record of it.
//
// The order matters. A state file that may know too little is completed before it decides (recall). The plan is made
// before the ends are exchanged, since the way back begins with the tables of the way forward. Nothing is recorded
// before prepare has let the phase pass: a refused phase leaves no trace.
func (m *Move) frame(ctx context.Context, s spec) (Result, error) {
	st, err := m.file.Read()
	if err != nil {
		return Result{}, err
	}
	checking := s.name == state.PhaseCheck
	if m.reverse { // the phase before went back: its ends are exchanged, so they are opened anew
		if err := m.disconnect(); err != nil {
			m.log.Debug().Err(err).Msg("close")
		}
	}
	if forgetful(st, s) {
		if st, err = m.recall(ctx, st, s); err != nil {
			return Result{}, err
		}
	}
	if out, done, err := m.begins(st, s); err != nil || done {
		return out, err
	}
	if m.source == nil {
		if err := m.connect(ctx); err != nil {
			return Result{}, err
		}
	}
	if err := m.planMove(ctx, checking); err != nil {
		return Result{}, err
	}
	if s.reverse {
		if err := m.turn(ctx); err != nil {
			return Result{}, err
		}
		if err := m.recallBack(ctx, st); err != nil {
			return Result{}, err
		}
	}
	if !checking {
		if err := m.prepare(ctx, s); err != nil {
			return Result{}, m.cutOff(err)
		}
	}
	if s.silent || s.dry || s.trial || checking && !m.file.Exists() {
		return m.through(ctx, s)
	}
	return m.recorded(ctx, s)
}

// begins tells whether there is nothing to do (done), and refuses a phase whose turn it is not. After the takeover most
// phases succeed at once, so that `wherry run` and a restarted unit end quietly. verify is the exception: if the last
// one was not clean, it must not look as if it were.
func (m *Move) begins(st *state.State, s spec) (out Result, done bool, err error) {
	switch over := map[string]any{"over": true}; {
	case s.reverse && st.Back():
		return Result{Detail: overBack, Facts: over, Last: true}, true, nil
	case s.reverse:
		return Result{}, false, st.RequireReverse(s.name)
	case st.Over() && s.name == state.PhaseVerify && !st.Verify.Clean:
		return Result{}, false, fmt.Errorf("verify: %w: the target has taken over and may have changed since, "+
			"so nothing was compared", state.ErrOver)
	case st.Over() && s.name == state.PhaseVerify:
		detail := "the move is over: the target has taken over and may have changed since; nothing was compared " +
			"(both sides were equal at " + st.Verify.Finished.Format(time.RFC3339) + ")"
		return Result{Detail: detail, Facts: over, Last: true}, true, nil
	case st.Over() && s.name != state.PhaseCheck:
		return Result{Detail: "the move is over: the target has taken over", Facts: over, Last: true}, true, nil
	}
	if err := st.Require(s.name); err != nil {
		return Result{}, false, err
	}
	if s.once && st.Done(s.name) && !s.dry {
		out := Result{Detail: "done already, nothing to do", Facts: map[string]any{"already_done": true}}
		return out, true, nil
	}
	return Result{}, false, nil
}

// recorded runs a phase and keeps in the state file how it went: done, interrupted by the caller, or failed with its
// code and the tables that it is about, from which status derives its advice.
func (m *Move) recorded(ctx context.Context, s spec) (Result, error) {
	record := m.file.Phase(s.record())
	if err := record.Begin(); err != nil {
		return Result{}, err
	}
	out, err := m.through(ctx, s)
	err = m.cutOff(err)
	switch {
	case err == nil || IsResult(err):
		err = errors.Join(err, record.Finish(out.Detail))
	case ctx.Err() != nil:
		err = errors.Join(err, record.Interrupt(out.Detail))
	default:
		err = errors.Join(err, record.Fail(err, Code(err), concerned(err)...))
	}
	return out, err
}

// prepare refuses what does not belong to the move before anything is done. sameMove comes before begin and admit: no
// statement may run on a target that belongs to another move. A dry run only looks at the plan: it writes nothing, so
// it may be tried before the servers are as they must be.
func (m *Move) prepare(ctx context.Context, s spec) error {
	if err := m.admissible(); err != nil {
		return err
	}
	if s.dry {
		return nil
	}
	if err := m.sameMove(ctx); err != nil {
		return err
	}
	// Before admit: a phase of the way back is judged by the ledger on the source, which begin makes.
	if err := m.begin(ctx, s.name); err != nil {
		return err
	}
	if s.admit != nil {
		if err := s.admit(ctx, m); err != nil {
			return err
		}
	}
	if err := m.sameServers(ctx); err != nil {
		return err
	}
	return m.checked(ctx, s.name)
}
