package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"wherry/pkg/copy"
	"wherry/pkg/db"
	"wherry/pkg/evolve"
	"wherry/pkg/monitor"
	"wherry/pkg/replicate"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

type initCopyOptions struct {
	dryRun bool
	tables []string
}

func newInitCopyCmd(a *app) *cobra.Command {
	var o initCopyOptions
	c := &cobra.Command{
		Use:   "init-copy",
		Short: "Copy every row, replay what changed meanwhile, build the indexes",
		Long: `Init-copy records a safe position in the source's binary log, copies the rows of all tables in parallel chunks without
locks, replays every change made since that position, so that the target is a consistent state of the source, and then
builds secondary indexes, unique keys and foreign keys.

A table whose schema changes meanwhile is copied again. --table copies a table again at any later time, when a change of it could not be
followed; start-replica must not run then. Until it is done, that table on the target is no state of the source.

The progress of each chunk is committed together with its rows. Killed at any moment, it continues when it is run again
and redoes nothing that is done. It does not apply changes after the point of consistency: start-replica does.`,
		Example: `  wherry init-copy --config shop.yaml
  WHERRY_COPY_WORKERS=8 wherry init-copy --config shop.yaml`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.dryRun && len(o.tables) > 0 {
				return usageError{errors.New("--table and --dry-run exclude each other"), c.CommandPath()}
			}
			return a.runPhase(c.Context(), initCopySpec(o))
		},
	}
	c.Flags().StringSliceVar(&o.tables, "table", nil, "copy this source `table` (db.table) again, as it is now, and bring the target up to date; may be given several times")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "print what would be copied and the SQL that would build indexes, and change nothing; exit status 3")
	return c
}

func initCopySpec(o initCopyOptions) phaseSpec {
	return phaseSpec{
		name: state.PhaseInitCopy, once: len(o.tables) == 0, dry: o.dryRun,
		run: func(ctx context.Context, s *session) (outcome, error) {
			if o.dryRun {
				return s.dryCopy(ctx)
			}
			return s.initCopy(ctx, o.tables)
		},
	}
}

func (s *session) initCopy(ctx context.Context, tables []string) (outcome, error) {
	began := time.Now()
	again, err := s.copyAgain(tables)
	if err != nil {
		return outcome{}, err
	}
	copier := evolve.NewCopier(s.evolver(true, false), s.source, s.target, evolve.CopyOptions{Defer: s.cfg.Copy.DeferIndexes, Claim: s.claimMore})
	replay := s.replicator(false, s.evolver(true, false))
	c := copy.New(s.source, s.target, s.plan.Routes, replay, copy.Options{
		Shapes: copier, Again: again,
		Workers: s.cfg.Copy.Workers, ChunkRows: s.cfg.Copy.ChunkRows, ChunkBytes: int64(s.cfg.Copy.ChunkBytes), IndexWorkers: s.cfg.Copy.IndexWorkers, RetryFor: s.cfg.Replicate.RetryFor,
		Observe: s.steps(began), Log: s.log,
		Settle: func(ctx context.Context, routes []*route.Route) (db.Position, error) {
			return s.settle(ctx, routes, replay.ReplayExactly)
		},
	})
	if err := s.observed(ctx, mirrorCopy, func(ctx context.Context) error { return s.spooled(ctx, c.Run) }); err != nil {
		return outcome{}, err
	}
	return s.copied(began), nil
}

// copied sums the copy up.
func (s *session) copied(began time.Time) outcome {
	p := s.progress.Snapshot()
	var rows int64
	for _, t := range p.Tables {
		rows += t.Rows
	}
	facts := map[string]any{"rows": rows, "tables": len(p.Tables), "start": p.Start, "consistent": p.Consistent, "replayed_changes": p.Replica.Changes}
	for name, took := range s.took.times(time.Now()) {
		facts[name+"_seconds"] = took.Seconds()
	}
	if d := s.took.times(time.Now())["copy"]; d > 0 {
		facts["rows_per_second"] = int64(float64(rows) / d.Seconds())
	}
	return outcome{
		Detail: fmt.Sprintf("%s rows of %d tables copied in %s, the target is consistent", monitor.Count(rows), len(p.Tables), monitor.Span(time.Since(began))),
		Facts:  facts,
	}
}

// copyAgain reads the tables that are to be copied again.
func (s *session) copyAgain(tables []string) (again []schema.Name, err error) {
	for _, text := range tables {
		name, ok := schema.ParseName(text)
		if !ok || !s.rules.Follows(name) {
			return nil, usageError{fmt.Errorf("--table %s: not a table of the move, as db.table", text), "wherry init-copy"}
		}
		again = append(again, name)
	}
	return again, nil
}

// evolver follows schema changes. copying: tables whose copy has not ended are no obstacle.
func (s *session) evolver(copying, skip bool) *evolve.Evolver {
	opts := evolve.Options{Mode: evolve.Mode(s.cfg.Replicate.DDL), Copying: copying, Skip: skip, Plan: s.planOf, Log: s.log}
	if s.back == nil {
		return evolve.New(s.source, s.target, s.rules, opts)
	}
	opts.Advice = s.adviceBack
	return s.back.schema.evolve(s.source, s.target, opts)
}

// replicator applies changes. steady is false while rows may be newer than the log, when an absent row means nothing.
func (s *session) replicator(steady bool, shapes *evolve.Evolver) *replicate.Replicator {
	o := s.cfg.Replicate
	var absent int64
	var unseen func(context.Context) error
	var displaced func(context.Context, *route.Route) (bool, error)
	if !steady {
		unseen, displaced = s.unseenCascades, s.displaced
	}
	return replicate.New(s.source, s.target, s.plan.Routes, replicate.Options{
		BatchRows: o.BatchRows, BatchBytes: int(o.BatchBytes), BatchAge: o.BatchAge, Workers: o.Workers, Schema: shapes,
		RetryFor: o.RetryFor, Clock: s.clock, Log: s.log, Unseen: unseen, Displaced: displaced, Settled: s.settled,
		Report: func(p replicate.Progress) {
			s.progress.Replica(p.Position.String(), p.Rows, p.Changes, p.Lag, p.CaughtUp)
			if steady && p.Absent > absent {
				s.log.Warn().Int64("rows", p.Absent-absent).Msg("the target lacked rows that the source deleted: somebody else writes to it; run verify")
				absent = p.Absent
			}
		},
	})
}

// dryCopy prints what the copy would execute on the target besides loading rows.
func (s *session) dryCopy(ctx context.Context) (outcome, error) {
	statements := 0
	for _, r := range s.plan.Routes {
		existing, err := s.target.Tables(ctx, r.Target.Table.Name.Equal)
		if err != nil {
			return outcome{}, err
		}
		if len(existing) != 1 {
			return outcome{}, fmt.Errorf("%w: table %s is not on the target: run init-schema first", errRefused, r.Target.Name())
		}
		s.printStatement(r.Source.Name().String(), fmt.Sprintf("copy about %d rows to %s", r.Source.Table.Rows, r.Target.Name()))
		statements++
		for _, statement := range []string{
			s.target.Dialect().AddIndexes(r.Target.Table, existing[0]),
			s.target.Dialect().AddForeignKeys(r.Target.Table, existing[0]),
		} {
			if statement != "" {
				statements++
				s.printStatement(r.Target.Name().String(), statement)
			}
		}
	}
	return s.pending(statements)
}
