package move

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wherry/pkg/check"
	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/monitor"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// Check looks at everything that a move needs. Of the data it changes nothing. A finding that fails is ErrRefused.
type Check struct {
	NoTrial bool // do not try the move's statements on the target
	// Grants only finds what the accounts need: Result.Findings, as package monitor's Grants reads them. No record is
	// kept of it.
	Grants bool
	Once   bool // do nothing when it is done already
	// Scan reads all rows of the source, for values that the target cannot hold.
	Scan bool
}

func (o Check) spec() spec {
	return spec{
		name: state.PhaseCheck, beside: true, once: o.Once, silent: o.Grants,
		run: func(ctx context.Context, m *Move) (Result, error) { return m.check(ctx, o) },
	}
}

// check finds everything that is right and wrong for the move, at once.
func (m *Move) check(ctx context.Context, o Check) (Result, error) {
	mine, err := m.mine(ctx)
	if err != nil {
		return Result{}, err
	}
	objects, err := m.planObjects(ctx)
	if err != nil {
		return Result{}, err
	}
	intent := m.intent("")
	intent.Objects, intent.ObjectGroups = objects.Plans, m.cfg.Cutover.Objects
	findings, err := check.New(m.source, m.target, intent, mine).Run(ctx)
	if err != nil {
		return Result{}, err
	}
	if o.Grants {
		return Result{Findings: findings}, nil
	}
	tried, err := m.tryPlan(ctx, objects, o)
	if err != nil {
		return Result{}, err
	}
	scanned, err := m.scan(ctx, o)
	if err != nil {
		return Result{}, err
	}
	back, err := m.wayBack(ctx)
	if err != nil {
		return Result{}, err
	}
	findings = slices.Concat(findings, tried, scanned, m.plan.Findings, objects.Findings, m.checkHooks(),
		[]db.Finding{back, {
			Check: "tables", End: "move", Level: db.OK,
			What: count.Of(len(m.plan.Routes), "table") + " will be moved" + alsoObjects(objects),
		}})
	out := Result{
		Detail: monitor.Tally(findings), Findings: findings, Facts: map[string]any{"tables": len(m.plan.Routes)},
	}
	if failed := plan.Failed(findings); len(failed) > 0 {
		return out, fmt.Errorf("%w: %s", ErrRefused, out.Detail)
	}
	return out, nil
}

// tryPlan tries the move's statements on the target, unless it has taken over. Afterwards it is a production server:
// nothing is tried there any more.
func (m *Move) tryPlan(ctx context.Context, objects *plan.Objects, o Check) ([]db.Finding, error) {
	sealed, err := m.target.Ledger().Get(ctx, db.FactCutover)
	if err != nil || sealed != "" {
		return nil, err
	}
	if o.NoTrial {
		return []db.Finding{{
			Check: "trial", End: "target", Level: db.Warn,
			What: "the target was not asked whether it takes the statements of the move",
			Fix:  "check without --no-trial",
		}}, nil
	}
	options := check.TrialOptions{Defer: m.cfg.Copy.DeferIndexes}
	return check.NewTrial(m.source, m.target, m.plan.Steps, objects.Plans, options).Run(ctx)
}

// scan reads all rows of the tables that can be planned. Their progress is shown, since it takes as long as reading
// takes.
func (m *Move) scan(ctx context.Context, o Check) (findings []db.Finding, err error) {
	if !o.Scan {
		return nil, nil
	}
	m.expect(ctx, nil)
	m.progress.Step(monitor.StepScan)
	scan := check.NewScan(m.source, m.target, m.plan.Routes, check.ScanOptions{
		Retry: db.Retry{For: m.cfg.Replicate.RetryFor, First: 100 * time.Millisecond, Max: 15 * time.Second},
		Observe: func(table schema.Name, rows int64, done bool) {
			m.progress.Scan(table, rows)
			if done {
				m.progress.Table(table, "scanned")
			}
		},
	})
	progress := func(st *state.State, p monitor.Snapshot) { mirrorProgress(st, state.PhaseCheck, p) }
	err = m.observed(ctx, progress, func(ctx context.Context) error {
		findings, err = scan.Run(ctx)
		return err
	})
	return findings, err
}

// intent is what the move intends, for the checks that a phase relies on. phase "" asks for all checks.
func (m *Move) intent(phase db.Phase) db.Plan {
	return db.Plan{
		Phase: phase, Routes: m.plan.Routes, Bookkeeping: m.cfg.Move, Fence: db.FenceKind(m.cfg.Cutover.Fence),
		BinlogOnWrite: m.cfg.Copy.BinlogOnTarget, LoadMethod: m.cfg.Copy.Load, Accept: m.accepts(),
	}
}

// checked makes the checks again that the phase relies on, and refuses it, changing nothing, when one fails. What check
// found may be days old: somebody may have set binlog_format to MIXED since.
// A cutover that is under way is not refused: writes are blocked, and it has to undo itself or go on to its end.
func (f forward) checked(ctx context.Context, phase string) error {
	st, err := f.file.Read()
	if err != nil || phase == state.PhaseCutover && st.Cutover.Step != "" {
		return err
	}
	findings, err := check.New(f.source, f.target, f.intent(db.Phase(phase)), nil).Run(ctx)
	if err != nil {
		return err
	}
	if problems := findingErrors(plan.Failed(findings)); len(problems) > 0 {
		return fmt.Errorf("%w: %w", ErrRefused, errors.Join(problems...))
	}
	return nil
}

func alsoObjects(o *plan.Objects) string {
	if len(o.Plans) == 0 {
		return ""
	}
	return ", and " + count.Of(len(o.Plans), "object") + " (views, triggers, routines, events, sequences) at the " +
		"cutover"
}
