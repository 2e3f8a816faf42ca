package move

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/monitor"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
	"wherry/pkg/state"
	"wherry/pkg/verify"
)

// Cutover stops writes on the source, compares what changed, and lets the target take over. Nobody is asked before.
type Cutover struct {
	Reverse  bool // go back: from the target, which has taken over, to the old source
	Abort    bool // lift the fence of an interrupted cutover, and do no more
	DryRun   bool // make the checks that come before the fence, and tell the steps
	Rehearse bool // do all but the takeover and the switch, and open writes again
}

func (o Cutover) spec() spec {
	return spec{
		name: state.PhaseCutover, reverse: o.Reverse, beside: true, dry: o.DryRun || o.Abort, trial: o.Rehearse,
		run: func(ctx context.Context, m *Move) (Result, error) { return m.cutover(ctx, o) },
	}
}

// cutover runs the cutover while changes flow. A schema change in the log makes its plan stale, also between the gates
// and the seal: then writes go on, and it begins anew with the new plan. In each round leave comes first: it records
// the target's definitions for the way back, which must be those at the takeover.
func (m *Move) cutover(ctx context.Context, o Cutover) (Result, error) {
	st, err := m.file.Read()
	if err != nil {
		return Result{}, err
	}
	options := m.cutoverOptions(st)
	options.Rehearse = o.Rehearse
	if o.DryRun && !m.lock.Beside() {
		options.Lag = nil // nobody applies changes now: only when the cutover does is there a lag to judge
	}
	c := cutover.New(m.source, m.target, m.plan.Routes, options)
	if o.Abort {
		lifted, err := c.Abort(ctx)
		if err != nil {
			return Result{}, err
		}
		detail := "no cutover was interrupted, so there was nothing to lift; nothing was changed"
		if lifted {
			detail = "the fence is lifted, writes to the " + m.from.name + " are open; the move runs as before"
		}
		return Result{Detail: detail, Facts: map[string]any{"lifted": lifted}}, nil
	}
	if o.DryRun {
		return m.dryCutover(ctx, c)
	}
	m.progress.Step("cutover")
	var result *cutover.Result
	m.expect(ctx, nil)
	err = m.observed(ctx, m.mirrorReplica, func(ctx context.Context) error {
		return m.flowing(ctx, func(ctx context.Context) (err error) {
			for range mostChanges {
				if err := m.leave(ctx); err != nil {
					return err
				}
				result, err = c.Run(ctx)
				again, lookErr := m.mayCutAgain(ctx, err)
				if !again || lookErr != nil {
					return errors.Join(err, lookErr)
				}
				m.log.Warn().Err(err).Msg("schema change during the cutover: writes go on, and it is planned anew")
				if err := m.planAgain(ctx); err != nil {
					return err
				}
				c = cutover.New(m.source, m.target, m.plan.Routes, options)
			}
			return err
		})
	})
	if err != nil {
		return Result{}, err
	}
	if o.Rehearse {
		return m.rehearsed(result)
	}
	return Result{
		Detail: fmt.Sprintf("%s; writes were blocked for %s", m.tookOver, monitor.Span(result.Blocked)),
		Facts: map[string]any{
			"blocked_seconds": result.Blocked.Seconds(), "head": result.Head, "position": result.Final,
			"verified_rows": result.Verified, "stray_changes": result.Stray,
		},
	}, nil
}

// mayCutAgain tells whether a cutover failed because the schema has changed, and has not taken over: then it is planned
// anew. For example, it compared rows by a column that the source had just dropped.
func (m *Move) mayCutAgain(ctx context.Context, err error) (bool, error) {
	switch {
	case err == nil || ctx.Err() != nil:
		return false, nil
	case errors.Is(err, cutover.ErrReshaped), errors.Is(err, verify.ErrSchemaChange):
		return true, nil
	case Code(err) != monitor.CodeFailed:
		return false, nil
	}
	sealed, lookErr := m.target.Ledger().Get(ctx, db.FactCutover)
	if lookErr != nil || sealed != "" {
		return false, lookErr
	}
	changed, lookErr := m.outrun(ctx, err)
	return changed != nil, lookErr
}

// unfinished marks every error that comes after the takeover was recorded as cutover.ErrUnfinished (exit status 15),
// wherever it arose: also one that comes before the cutover's own code runs, such as a server that cannot be reached.
// An unknown outcome stays what it is: it asks more of its reader.
func (m *Move) unfinished(ctx context.Context, err error, reverse bool) error {
	if err == nil || errors.Is(err, cutover.ErrOutcomeUnknown) {
		return err
	}
	// Also when interrupted: exactly then the reader has to know whether the target has taken over.
	record, loadErr := journal{file: m.file, reverse: reverse}.Load(context.WithoutCancel(ctx))
	m.step = string(record.Step)
	if loadErr != nil || !record.Sealed || record.Done || errors.Is(err, cutover.ErrUnfinished) {
		return err
	}
	return fmt.Errorf("%w: %w", cutover.ErrUnfinished, err)
}

func (m *Move) dryCutover(ctx context.Context, c *cutover.Cutover) (Result, error) {
	steps, err := c.DryRun(ctx)
	if err != nil {
		return Result{}, err
	}
	for i, step := range steps {
		m.statement(fmt.Sprintf("cutover step %d", i+1), "-- "+step)
	}
	return pending(len(steps), "step")
}

// cutoverOptions is what the configuration and the state file say of the cutover, and what it needs of other phases:
// phases do not import each other, so the comparisons are handed over as functions.
func (m *Move) cutoverOptions(st *state.State) cutover.Options {
	verified := m.half(st).Verify
	options := cutover.Options{
		Move: m.cfg.Move, Fence: db.FenceKind(m.cfg.Cutover.Fence), Timeout: m.cfg.Cutover.Timeout,
		MaxLag: m.cfg.Cutover.MaxLag, Verify: m.cfg.Cutover.Verify, MaxVerifyAge: m.cfg.Cutover.MaxVerifyAge,
		Gates: m.gates(), Applied: m.applied, Lag: m.lag,
		VerifiedUpTo: db.Position(verified.Position), VerifiedAt: verified.Finished, Steady: m.steady,
		VerifyChanged: func(ctx context.Context, from, to db.Position) (cutover.Verified, error) {
			return compared(m.verifier(nil, false, nil).Changed(ctx, from, to))
		},
		VerifyFull: func(ctx context.Context) (cutover.Verified, error) {
			return compared(m.verifier(nil, false, nil).Run(ctx))
		},
		Hook: m.runHook, Journal: journal{m.file, m.target.Ledger(), m.reverse}, Log: m.log,
		Observe: func(step cutover.Step, detail string) {
			m.progress.Note(strings.TrimSpace(string(step) + " " + detail))
		},
	}
	m.crossing(&options)
	return options
}

// compared is what the cutover needs to know of a comparison.
func compared(report *verify.Report, err error) (cutover.Verified, error) {
	if err != nil {
		return cutover.Verified{}, err
	}
	return cutover.Verified{Differences: report.Differences(), Position: report.Position, Rows: report.Rows()}, nil
}

// cutoverObjects plans what moves besides tables; what was asked for and cannot be moved is an error.
func (m *Move) cutoverObjects(ctx context.Context) ([]schema.ObjectPlan, error) {
	if len(m.cfg.Cutover.Objects) == 0 { // searching takes time, and writes may be blocked
		return nil, nil
	}
	objects, err := m.planObjects(ctx)
	if err != nil {
		return nil, err
	}
	return objects.Plans, errors.Join(findingErrors(plan.Failed(objects.Findings))...)
}

// lateTables returns what the plan leaves for after the takeover.
func (m *Move) lateTables() (tables []db.LateTable) {
	for i := range m.plan.Steps {
		s := &m.plan.Steps[i]
		late := db.LateTable{Table: s.Target.Name, Keys: s.Late, Triggers: m.target.Dialect().Triggers(s.Target)}
		if len(late.Keys)+len(late.Triggers) > 0 {
			tables = append(tables, late)
		}
	}
	return tables
}

// rehearsed reports what a rehearsal of the cutover has measured, and keeps it in the state file. It stops before the
// takeover, so hooks.switch and what comes after it are not in the measured time.
func (m *Move) rehearsed(r *cutover.Result) (Result, error) {
	parts := fmt.Sprintf("fence %s, drain %s, verify %s",
		monitor.Span(r.Spent.Fence), monitor.Span(r.Spent.Drain), monitor.Span(r.Spent.Verify))
	detail := fmt.Sprintf("rehearsed: writes would be blocked for %s (%s)", monitor.Span(r.Blocked), parts)
	if m.cfg.Hooks.Switch != "" {
		detail += " and for as long as hooks.switch takes"
	}
	if m.cfg.Cutover.Fence == string(db.FenceNone) {
		detail += "; cutover.fence is none: nothing was stopped, and the move runs as before"
	} else {
		detail += "; they are open again, and the move runs as before"
	}
	err := m.file.Update(func(st *state.State) error {
		if last := m.half(st).Rehearsal; last != nil {
			*last = state.Rehearsal{
				At: time.Now().UTC().Truncate(time.Millisecond), Blocked: state.Duration(r.Blocked),
				Fence: state.Duration(r.Spent.Fence), Drain: state.Duration(r.Spent.Drain),
				Verify: state.Duration(r.Spent.Verify),
			}
		}
		return nil
	})
	return Result{Detail: detail, Facts: map[string]any{
		"rehearsed": true, "blocked_seconds": r.Blocked.Seconds(), "fence_seconds": r.Spent.Fence.Seconds(),
		"drain_seconds": r.Spent.Drain.Seconds(), "verify_seconds": r.Spent.Verify.Seconds(),
		"head": r.Head, "verified_rows": r.Verified,
	}}, err
}
