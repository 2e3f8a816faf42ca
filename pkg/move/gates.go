package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/monitor"
	"wherry/pkg/verify"
)

// gates are the preconditions of the cutover that only the move can check, not the engine. They run while writes go on,
// and may take long: foreign_keys reads every table with a foreign key once.
func (m *Move) gates() []cutover.Gate {
	return []cutover.Gate{
		{Name: "verify", Check: func(context.Context) error {
			st, err := m.file.Read()
			if err != nil {
				return err
			}
			v := m.half(st).Verify
			if m.cfg.Cutover.Verify == cutover.VerifyChanged && !v.Finished.IsZero() && !v.Clean {
				found := errors.New("the last verification found differences")
				return differingTables{found, monitor.Differing(*v), monitor.Computed(*v)}
			}
			return nil
		}},
		{Name: "foreign_keys", Check: func(ctx context.Context) error {
			return verify.References(ctx, m.source, m.target, m.plan.Routes, m.log)
		}},
		{Name: "hooks", Check: func(context.Context) error {
			var errs []error
			for _, f := range m.checkHooks() {
				if f.Level == db.Fail {
					errs = append(errs, fmt.Errorf("%s: %s", f.Subject, f.What))
				}
			}
			return errors.Join(errs...)
		}},
	}
}

// lag returns how far the target is behind, as the process that applies changes said last. One that has just begun
// gets a few seconds to say it. What it said long ago is no longer true: the age is added, so a process that hangs does
// not look caught up.
func (m *Move) lag(ctx context.Context) (time.Duration, error) {
	if !m.lock.Beside() {
		return m.ownLag(ctx)
	}
	for deadline := time.Now().Add(5 * mirrorEvery); ; {
		st, err := m.file.Read()
		if err != nil {
			return 0, err
		}
		positions := m.half(st).Positions
		at := positions.AppliedAt
		switch age := time.Since(at); {
		case age <= 2*mirrorEvery:
			return time.Duration(positions.Lag), nil
		case time.Now().Before(deadline):
		case at.IsZero():
			return 0, errors.New("start-replica runs and has applied nothing yet: look at its log")
		default:
			return time.Duration(positions.Lag) + age, nil // start-replica has not said anything for long
		}
		if err := db.Pause(ctx, 100*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// ownLag waits for the first commit of the replicator in this process. Before it the lag is unknown.
func (m *Move) ownLag(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("no change was applied within a minute"))
	defer cancel()
	for {
		if p := m.progress.Snapshot().Replica; !p.At.IsZero() {
			return time.Duration(p.Lag), nil
		}
		if err := db.Pause(ctx, 20*time.Millisecond); err != nil {
			return 0, err
		}
	}
}
