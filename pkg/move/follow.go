package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/evolve"
	"wherry/pkg/monitor"
	"wherry/pkg/replicate"
	"wherry/pkg/route"
	"wherry/pkg/state"
)

// Follow applies every later change, whole transactions in order, until ctx ends or the target has taken over.
type Follow struct {
	Reverse       bool   // after the cutover: to the old source, from the target
	UntilCaughtUp bool   // end once the target has caught up
	Until         string // end once the target holds everything up to this position: GTIDs, or file:offset
	SkipDDL       bool   // take the schema change that comes next as made on the target by hand
	Started       func() // is called when following begins; nil: nothing
}

func (o Follow) spec() spec {
	return spec{
		name: state.PhaseStartReplica, reverse: o.Reverse,
		admit: func(ctx context.Context, m *Move) error {
			_, err := m.goal(ctx, o.Until)
			return err
		},
		run: func(ctx context.Context, m *Move) (Result, error) { return m.follow(ctx, o) },
	}
}

// follow applies changes until ctx ends, the goal is reached or the written end has taken over, which is no failure: a
// unit that has done its work must not be restarted.
func (m *Move) follow(ctx context.Context, o Follow) (Result, error) {
	began := time.Now()
	goal, err := m.goal(ctx, o.Until)
	if err != nil {
		return Result{}, err
	}
	m.list(ctx)
	m.progress.Step(monitor.StepReplicate)
	if o.Started != nil {
		o.Started()
	}
	r := m.replicator(true, m.evolve(false, o.SkipDDL))
	m.expect(ctx, nil)
	err = m.observed(ctx, m.mirrorReplica, func(ctx context.Context) error {
		switch {
		case o.UntilCaughtUp:
			return r.CatchUp(ctx)
		case goal != "":
			return r.ReplayTo(ctx, goal)
		default:
			return r.Run(ctx)
		}
	})
	p := m.progress.Snapshot().Replica
	seconds := time.Since(began).Seconds()
	out := Result{
		Detail: fmt.Sprintf("%s applied, position %s", monitor.Counted(p.Changes, "change"), p.Position),
		Facts: map[string]any{
			"changes": p.Changes, "rows": p.Rows, "position": p.Position, "seconds": seconds,
			"changes_per_second": int64(float64(p.Changes) / seconds),
		},
	}
	if errors.Is(err, db.ErrSealed) {
		out.Detail = m.over + "; " + out.Detail
		return out, nil
	}
	return out, err
}

// goal reads the position of --until. It is compared once at the start, so that a typing error ends the command now
// and not after hours of applying.
func (m *Move) goal(ctx context.Context, until string) (db.Position, error) {
	if until == "" {
		return "", nil
	}
	goal := db.Position(until)
	at, err := m.applied(ctx)
	if err != nil {
		return "", err
	}
	if _, err := m.source.Reached(at, goal); err != nil {
		return "", OptionError{state.PhaseStartReplica, fmt.Errorf("invalid --until: %w", err)}
	}
	return goal, nil
}

// evolve returns what follows schema changes. copying: a change of a table whose copy has not ended is allowed, because
// init-copy copies that table again. skip: the next change was made by hand on the target (--skip-ddl).
func (m *Move) evolve(copying, skip bool) *evolve.Evolver {
	return m.evolver(evolve.Options{
		Mode: evolve.Mode(m.cfg.Replicate.DDL), Copying: copying, Skip: skip, Recorded: m.list, Log: m.log,
	})
}

// replicator returns what applies changes. steady is false while rows are copied: rows on the target may be newer than
// the log that is replayed, so a row that is absent means nothing. When steady, an absent row was removed by somebody
// else, and that is worth a warning.
func (m *Move) replicator(steady bool, shapes *evolve.Evolver) *replicate.Replicator {
	o := m.cfg.Replicate
	var absent int64
	var unseen func(context.Context) error
	var displaced func(context.Context, *route.Route) (bool, error)
	if !steady {
		unseen, displaced = m.unseenCascades, m.displaced
	}
	return replicate.New(m.source, m.target, m.plan.Routes, replicate.Options{
		BatchRows: o.BatchRows, BatchBytes: int(o.BatchBytes), BatchAge: o.BatchAge, Workers: o.Workers, Schema: shapes,
		RetryFor: o.RetryFor, Clock: m.clock, Log: m.log, Unseen: unseen, Displaced: displaced,
		Reconciled: m.reconciled,
		Report: func(p replicate.Progress) {
			m.progress.Replica(p.Position.String(), p.Rows, p.Changes, p.Lag, p.CaughtUp)
			if steady && p.Absent > absent {
				m.log.Warn().Int64("rows", p.Absent-absent).
					Msg("the target lacked rows that the source deleted: somebody else writes to it; run verify")
				absent = p.Absent
			}
		},
	})
}
