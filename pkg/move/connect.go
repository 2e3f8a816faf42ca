package move

import (
	"context"
	"errors"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/state"
)

// connect opens both ends. check may not be allowed to read the bookkeeping yet: that is one of its findings, so it
// gets a target that shows unreadable bookkeeping as absent.
func (m *Move) connect(ctx context.Context) (err error) {
	if m.rules, err = Rules(m.cfg); err != nil {
		return err
	}
	if m.source, err = m.openSource(ctx); err != nil {
		return err
	}
	target, err := m.openWritten(ctx, &m.cfg.Target)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	m.target = target
	if m.phase == state.PhaseCheck {
		m.target = unseenTarget{target}
	}
	m.source = db.FromSnapshots(m.source, m.target.Ledger())
	return nil
}

// openSource opens the source to read from it. A server has one reader for each server id and drops the older one, so a
// phase beside start-replica takes another id than the configured one; else the two would cut each other off for ever.
func (m *Move) openSource(ctx context.Context) (db.Source, error) {
	o := opening{spoolDir: m.cfg.SpoolDir(), follows: m.rules.Follows}
	if !m.lock.Beside() {
		o.serverID = m.cfg.Source.ServerID
	}
	source, err := m.openRead(ctx, &m.cfg.Source.Endpoint, o)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	m.spool = source
	return source, nil
}

// openOldSource opens the source to write to it.
func (m *Move) openOldSource(ctx context.Context) (writtenEnd, error) {
	source, err := m.openWritten(ctx, &m.cfg.Source.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	m.opened = append(m.opened, source)
	return source, nil
}

// disconnect closes both ends and all that was opened besides. What comes next begins on the way forward, with a new
// way: nothing of the old connections can be used by mistake.
func (m *Move) disconnect() error {
	var errs []error
	if m.source != nil {
		errs = append(errs, m.source.Close())
	}
	if m.target != nil {
		errs = append(errs, m.target.Close())
	}
	for _, end := range m.opened {
		errs = append(errs, end.Close())
	}
	m.way, m.opened = m.newForward(), nil
	return errors.Join(errs...)
}
