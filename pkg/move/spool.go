package move

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/monitor"
)

// spool is what keeps the source's log on this machine.
type spool interface {
	Spool(ctx context.Context, from db.Position) error
	Trim(upto db.Position) error
}

const spoolStart = 50 * time.Millisecond // how often the ledger is asked whether the copy has a position yet

// errSpooled ends the spool when the phase has ended.
var errSpooled = errors.New("the phase has ended")

// spooled runs f while the source's log is kept on this machine, if copy.spool is set. If it cannot be kept, f ends
// too: to go on would break the promise that the source may purge its log, and nobody would notice for hours.
func (m *Move) spooled(ctx context.Context, f func(ctx context.Context) error) error {
	if !m.cfg.Copy.Spool {
		return f(ctx)
	}
	group, ctx := errgroup.WithContext(ctx)
	spooling, stop := context.WithCancelCause(ctx)
	group.Go(func() error {
		err := m.keepLog(spooling)
		if errors.Is(context.Cause(spooling), errSpooled) {
			return nil
		}
		return err
	})
	group.Go(func() error {
		defer stop(errSpooled)
		return f(ctx)
	})
	return group.Wait()
}

// keepLog keeps the log from the target's position on, as soon as there is one. A lost source is tried again for
// replicate.retry_for; a connection that held for a minute begins a new such span.
func (m *Move) keepLog(ctx context.Context) error {
	var from string
	for from == "" {
		var err error
		if from, err = m.target.Ledger().Get(ctx, db.FactPosition); err != nil && !errors.Is(err, db.ErrConnection) {
			return err
		}
		if err := db.Pause(ctx, spoolStart); err != nil {
			return err
		}
	}
	m.log.Info().Str("position", from).Str("directory", m.cfg.SpoolDir()).Msg("the source's log is kept")
	retry := db.Retry{
		For: m.cfg.Replicate.RetryFor, First: time.Second, Work: time.Minute,
		Notify: func(err error, _ time.Duration) { m.log.Warn().Err(err).Msg("connecting anew") },
	}
	return retry.Do(ctx, func() error { return m.spool.Spool(ctx, db.Position(from)) })
}

// trim removes from the spool what the target has applied. An error is only logged: what stays takes room and does no
// other harm.
func (m *Move) trim(p monitor.Snapshot) {
	if m.spool == nil || p.Replica.Position == "" {
		return
	}
	if err := m.spool.Trim(db.Position(p.Replica.Position)); err != nil {
		m.log.Warn().Err(err).Str("directory", m.cfg.SpoolDir()).Msg("the spool is not cleared")
	}
}
