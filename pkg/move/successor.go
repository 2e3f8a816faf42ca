package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/state"
)

// Another server may take the source's place: a replica that was promoted, reached by another host in the
// configuration or by the same host name. The move goes on with it only if it is proved to have the same history.

const (
	adoptPause    = time.Second      // before a server that is not ready is asked again
	adoptedWithin = 30 * time.Second // how long a phase beside start-replica waits until that has adopted the source
)

// adopt makes the server that answers now the source, once it is proved to have what the target holds. Only the phase
// that applies changes may do so: a phase beside it waits for that. After the takeover it is refused, because the fence
// stands on the old source. The new identity is recorded on the target last, so a crash before repeats the proof.
func (m *Move) adopt(ctx context.Context, begun, now identity) error {
	what := fmt.Sprintf("the source at %s is another server (%s) than the move has been read from (%s)",
		m.cfg.Source.Address(), now.Source, begun.Source)
	if m.lock.Beside() {
		return m.adopted(ctx, now, what)
	}
	if sealed, err := m.target.Ledger().Get(ctx, db.FactCutover); err != nil || sealed != "" {
		return errors.Join(err, fmt.Errorf("%w: %s, and the target has taken over already: put the old one back to "+
			"finish the cutover; nothing was changed", state.ErrOtherMove, what))
	}
	err := m.patiently(ctx, func() error { return m.continues(ctx) })
	switch {
	case errors.Is(err, db.ErrUnsupported):
		return fmt.Errorf("%w: %s, and nothing proves that it has the same history: %w; put the old one back, or "+
			"drop the target's tables and its bookkeeping and begin again; nothing was changed", state.ErrOtherMove,
			what, err)
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := m.recordIdentity(ctx); err != nil {
		return err
	}
	m.log.Warn().Str("before", begun.Source).Str("now", now.Source).Str("at", m.cfg.Source.Address()).
		Msg("another server is the source now: it has every transaction that the target has, so the move goes on; " +
			"verify again before the cutover")
	return nil
}

// continues proves that the configured source has everything that the target holds: all up to the target's position.
// Before the target is consistent, chunks may show rows from after that position, so the new source must also have all
// that the snapshots of the chunks could see. db.ErrUnsupported: that cannot be proved.
func (m *Move) continues(ctx context.Context) error {
	ledger := m.target.Ledger()
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
		for _, r := range m.plan.Routes {
			chunks, err := ledger.Chunks(ctx, r.Source.Name())
			if err != nil {
				return err
			}
			for _, c := range chunks {
				switch {
				case c.Done && c.Seen.IsZero():
					return fmt.Errorf("%w: it is not recorded what the rows of %s can show", db.ErrUnsupported,
						r.Source.Name())
				case c.Done:
					seen = append(seen, c.Seen)
				}
			}
		}
	}
	return m.source.Continues(ctx, db.Position(at), seen)
}

// patiently repeats f after errors that time can mend, for as long as a lost server is tried again
// (replicate.retry_for).
func (m *Move) patiently(ctx context.Context, f func() error) error {
	return db.Retry{
		For: m.cfg.Replicate.RetryFor, First: adoptPause,
		Notify: func(err error, pause time.Duration) {
			m.log.Warn().Err(err).Stringer("again_in", pause).Msg("the source is not ready")
		},
	}.Do(ctx, f)
}

// adopted waits until the start-replica that runs beside this phase has adopted the new source.
func (m *Move) adopted(ctx context.Context, now identity, what string) error {
	for deadline := time.Now().Add(adoptedWithin); ; {
		begun, err := m.begun(ctx)
		if err != nil || begun.Source == now.Source {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: %s, and start-replica has not gone over to it: stop start-replica, and run it "+
				"again with this configuration", ErrRefused, what)
		}
		if err := db.Pause(ctx, adoptPause); err != nil {
			return err
		}
	}
}

// through runs a phase to its end. If the source's address leads to another server meanwhile, that one is adopted if
// it can be, and the phase runs again. A cutover is not repeated: its fence is on the first server, so writes to the
// second one are open.
func (m *Move) through(ctx context.Context, s spec) (Result, error) {
	for {
		out, err := s.run(ctx, m)
		if !errors.Is(err, db.ErrOtherServer) || s.name == state.PhaseCutover || !m.heir || ctx.Err() != nil {
			return out, err
		}
		m.log.Warn().Err(err).Msg("connecting anew")
		if err := m.reconnect(ctx, s); err != nil {
			return out, err
		}
	}
}

// reconnect opens both ends again and refuses servers that do not belong to the move. During a failover a server may
// be away, or not yet have what it needs: both are tried again.
func (m *Move) reconnect(ctx context.Context, s spec) error {
	if err := m.disconnect(); err != nil {
		m.log.Debug().Err(err).Msg("close")
	}
	return m.patiently(ctx, func() error {
		if err := m.connect(ctx); err != nil {
			return errors.Join(err, m.disconnect())
		}
		if err := m.planMove(ctx, s.name == state.PhaseCheck); err != nil {
			return errors.Join(err, m.disconnect())
		}
		if s.name == state.PhaseCheck {
			return nil
		}
		if err := m.prepare(ctx, s); err != nil {
			if errors.Is(err, db.ErrRetry) || errors.Is(err, db.ErrConnection) {
				return errors.Join(err, m.disconnect())
			}
			return err
		}
		return nil
	})
}

// forget drops what the state file says of the former source: the last comparison, and a fence on it. The fence itself
// cannot be lifted from here, since that server is gone; the warning says what to do there.
func (m *Move) forget(st *state.State) {
	st.Verify = state.Verify{}
	c := &st.Cutover
	if fence := db.FenceKind(c.FenceKind); !c.Done && (fence == db.FenceReadOnly || fence == db.FenceLockTables) {
		m.log.Warn().Str("fence", c.FenceKind).Str("saved", c.SourceReadOnly["saved"]).Str("server", st.Source.UUID).
			Msg("an interrupted cutover has left its fence on the server that was the source before: lift it there " +
				"by hand")
		*c = state.Cutover{}
	}
}
