package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/state"
)

// The source of a move may be replaced by a replica that was promoted: the same configuration with another host, or the same
// host that leads elsewhere. The move goes on with it when, and only when, it is proved to have the same history.

const (
	adoptPause    = time.Second      // before a server that is not ready is asked again
	adoptedWithin = 30 * time.Second // how long a phase beside start-replica waits for that to take the new source over
)

// begun returns which move the target holds; zero when none.
func (s *session) begun(ctx context.Context) (begun identity, err error) {
	text, err := s.target.Ledger().Get(ctx, db.FactMove)
	if err != nil || text == "" {
		return begun, err
	}
	if err := json.Unmarshal([]byte(text), &begun); err != nil {
		return begun, fmt.Errorf("read fact %s on the target: %w", db.FactMove, err)
	}
	return begun, nil
}

// adopt makes the server that answers now the move's source, once it is proved to go on with what the target holds.
func (s *session) adopt(ctx context.Context, begun, now identity) error {
	what := fmt.Sprintf("the source at %s is another server (%s) than the move has been read from (%s)", s.cfg.Source.Address(), now.Source, begun.Source)
	if s.lock.Beside() {
		return s.adopted(ctx, now, what)
	}
	if sealed, err := s.target.Ledger().Get(ctx, db.FactCutover); err != nil || sealed != "" {
		return errors.Join(err, fmt.Errorf("%w: %s, and the target has taken over already: put the old one back to finish the cutover; nothing was changed", state.ErrOtherMove, what))
	}
	err := s.patiently(ctx, func() error { return s.continues(ctx) })
	switch {
	case errors.Is(err, db.ErrUnsupported):
		return fmt.Errorf("%w: %s, and nothing proves that it has the same history: %w; put the old one back, or drop the target's tables and its bookkeeping "+
			"and begin again; nothing was changed", state.ErrOtherMove, what, err)
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := s.recordIdentity(ctx); err != nil {
		return err
	}
	s.log.Warn().Str("before", begun.Source).Str("now", now.Source).Str("at", s.cfg.Source.Address()).
		Msg("another server is the source now: it has every transaction that the target has, so the move goes on; verify again before the cutover")
	return nil
}

// continues proves that the configured source goes on with what the target holds: up to its position and, until it is consistent,
// what any of its chunks can show.
func (s *session) continues(ctx context.Context) error {
	ledger := s.target.Ledger()
	at, err := ledger.Get(ctx, db.FactPosition)
	if err != nil {
		return err
	}
	consistent, err := ledger.Get(ctx, db.FactConsistent)
	if err != nil {
		return err
	}
	var seen []db.Position
	if at != "" && consistent == "" {
		for _, r := range s.plan.Routes {
			chunks, err := ledger.Chunks(ctx, r.Source.Name())
			if err != nil {
				return err
			}
			for _, c := range chunks {
				switch {
				case c.Done && c.Seen.IsZero():
					return fmt.Errorf("%w: it is not recorded what the rows of %s can show", db.ErrUnsupported, r.Source.Name())
				case c.Done:
					seen = append(seen, c.Seen)
				}
			}
		}
	}
	return s.source.Continues(ctx, db.Position(at), seen)
}

// patiently repeats f while it asks for that, for as long as a lost server is tried again.
func (s *session) patiently(ctx context.Context, f func() error) error {
	for deadline := time.Now().Add(s.cfg.Replicate.RetryFor); ; {
		err := f()
		if err == nil || !errors.Is(err, db.ErrRetry) && !errors.Is(err, db.ErrConnection) || time.Now().After(deadline) {
			return err
		}
		s.log.Warn().Err(err).Stringer("again_in", adoptPause).Msg("the source is not ready")
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(adoptPause):
		}
	}
}

// adopted waits until the start-replica beside which this phase runs has taken the new source over.
func (s *session) adopted(ctx context.Context, now identity, what string) error {
	for deadline := time.Now().Add(adoptedWithin); ; {
		begun, err := s.begun(ctx)
		if err != nil || begun.Source == now.Source {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: %s, and start-replica has not gone over to it: stop that one, and run it again with this configuration", errRefused, what)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(adoptPause):
		}
	}
}

// through runs a phase to its end. When the source's address leads to another server meanwhile, it is asked to prove that it may
// take over, and the phase goes on with it. Not so a cutover: its fence is on the first. Nor the way
// back, whose source is the target.
func (s *session) through(ctx context.Context, spec phaseSpec) (outcome, error) {
	for {
		out, err := spec.run(ctx, s)
		if !errors.Is(err, db.ErrOtherServer) || spec.name == state.PhaseCutover || s.back != nil || ctx.Err() != nil {
			return out, err
		}
		s.log.Warn().Err(err).Msg("connecting anew")
		if err := s.reconnect(ctx, spec); err != nil {
			return out, err
		}
	}
}

// reconnect opens both ends anew and refuses what does not belong to the move.
func (s *session) reconnect(ctx context.Context, spec phaseSpec) error {
	if err := s.disconnect(); err != nil {
		s.log.Debug().Err(err).Msg("close")
	}
	return s.patiently(ctx, func() error {
		if err := s.connect(ctx); err != nil {
			return errors.Join(err, s.disconnect())
		}
		if err := s.planMove(ctx, spec.name == state.PhaseCheck); err != nil {
			return errors.Join(err, s.disconnect())
		}
		if spec.name == state.PhaseCheck {
			return nil
		}
		if err := s.prepare(ctx, spec); err != nil {
			if errors.Is(err, db.ErrRetry) || errors.Is(err, db.ErrConnection) {
				return errors.Join(err, s.disconnect())
			}
			return err
		}
		return nil
	})
}

// disconnect closes what is open of both ends.
func (s *session) disconnect() error {
	var errs []error
	if s.source != nil {
		errs = append(errs, s.source.Close())
	}
	if s.target != nil {
		errs = append(errs, s.target.Close())
	}
	s.source, s.target = nil, nil
	return errors.Join(errs...)
}

// forget drops what the state file says of the server that was the source before: that both sides were compared, and a fence of it.
func (s *session) forget(st *state.State) {
	st.Verify = state.Verify{}
	if c := &st.Cutover; !c.Done && (c.FenceKind == string(db.FenceReadOnly) || c.FenceKind == string(db.FenceLockTables)) {
		s.log.Warn().Str("fence", c.FenceKind).Str("saved", c.SourceReadOnly["saved"]).Str("server", st.Source.UUID).
			Msg("an interrupted cutover has left its fence on the server that was the source before: lift it there by hand")
		*c = state.Cutover{}
	}
}
