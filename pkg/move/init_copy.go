package move

import (
	"context"
	"fmt"
	"time"

	"wherry/pkg/copy"
	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/evolve"
	"wherry/pkg/monitor"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// InitCopy copies every row, replays what changed meanwhile and builds the indexes.
type InitCopy struct {
	DryRun bool
	Tables []string // db.table of the source: copy these again, as they are now; none: what is not copied yet
}

func (o InitCopy) spec() spec {
	return spec{
		name: state.PhaseInitCopy, once: len(o.Tables) == 0, dry: o.DryRun,
		admit: func(ctx context.Context, m *Move) error {
			again, err := m.copyAgain(o.Tables)
			if err != nil {
				return err
			}
			return m.copier().Admit(ctx, again)
		},
		run: func(ctx context.Context, m *Move) (Result, error) {
			if o.DryRun {
				return m.dryCopy(ctx)
			}
			return m.initCopy(ctx, o.Tables)
		},
	}
}

// initCopy copies with a replicator that replays what changed meanwhile, up to a point where the target is consistent.
// Before it calls the target consistent, it compares once the tables of which the log does not tell all (reconcile).
func (m *Move) initCopy(ctx context.Context, tables []string) (Result, error) {
	began := time.Now()
	again, err := m.copyAgain(tables)
	if err != nil {
		return Result{}, err
	}
	copier, took := m.copier(), newStopwatch(m.progress, began)
	replay := m.replicator(false, m.evolve(true, false))
	c := copy.New(m.source, m.target, m.plan.Routes, replay, copy.Options{
		Shapes: copier, Recopy: again,
		Workers: m.cfg.Copy.Workers, ChunkRows: m.cfg.Copy.ChunkRows, ChunkBytes: int64(m.cfg.Copy.ChunkBytes),
		IndexWorkers: m.cfg.Copy.IndexWorkers, RetryFor: m.cfg.Replicate.RetryFor,
		Observe: took, Log: m.log,
		Reconcile: func(ctx context.Context, routes []*route.Route) (db.Position, error) {
			return m.reconcile(ctx, routes, replay.ReplayExactly)
		},
	})
	m.expect(ctx, nil)
	spooled := func(ctx context.Context) error { return m.spooled(ctx, c.Run) }
	if err := m.observed(ctx, m.mirrorCopy, spooled); err != nil {
		return Result{}, err
	}
	return m.copied(began, took), nil
}

// copier follows schema changes of tables whose copy has not ended: it drops what was copied, and makes the table anew.
func (m *Move) copier() *evolve.Copier {
	return evolve.NewCopier(m.evolve(true, false), m.source, m.target, m.create)
}

// copied sums up the copy. Rows of chunks that an earlier run had loaded count too; the speed of this run alone is
// known to the progress.
func (m *Move) copied(began time.Time, took *stopwatch) Result {
	p := m.progress.Snapshot()
	var rows int64
	for _, t := range p.Tables {
		rows += t.Rows
	}
	facts := map[string]any{
		"rows": rows, "tables": len(p.Tables), "start": p.Start, "consistent": p.Consistent,
		"replayed_changes": p.Replica.Changes,
	}
	times := took.times(time.Now())
	for name, d := range times {
		facts[name+"_seconds"] = d.Seconds()
	}
	if d := times["copy"]; d > 0 {
		facts["rows_per_second"] = int64(float64(rows) / d.Seconds())
	}
	return Result{
		Detail: fmt.Sprintf("%s of %s copied in %s, the target is consistent", monitor.Counted(rows, "row"),
			count.Of(len(p.Tables), "table"), monitor.Span(time.Since(began))),
		Facts: facts,
	}
}

// copyAgain reads the names of --table. OptionError: one is no db.table, or not of the move.
func (m *Move) copyAgain(tables []string) (again []schema.Name, err error) {
	for _, text := range tables {
		name, ok := schema.ParseName(text)
		if !ok || !m.rules.Follows(name) {
			return nil, OptionError{state.PhaseInitCopy, fmt.Errorf("--table %s: not a table of the move, as db.table",
				text)}
		}
		again = append(again, name)
	}
	return again, nil
}

// dryCopy prints what the copy would execute on the target besides loading rows: indexes and foreign keys that the
// tables lack now, so init-schema must have run.
func (m *Move) dryCopy(ctx context.Context) (Result, error) {
	statements := 0
	m.expect(ctx, nil)
	for _, r := range m.plan.Routes {
		existing, err := m.target.Tables(ctx, r.Target.Table.Name.Equal)
		if err != nil {
			return Result{}, err
		}
		if len(existing) != 1 {
			return Result{}, fmt.Errorf("%w: table %s is not on the target: run init-schema first",
				ErrRefused, r.Target.Name())
		}
		about := fmt.Sprintf("copy about %s to %s", count.Of(r.Source.Table.Rows, "row"), r.Target.Name())
		m.statement(r.Source.Name().String(), about)
		statements++
		dialect := m.target.Dialect()
		for _, statement := range append(dialect.AddIndexes(r.Target.Table, existing[0]),
			dialect.AddForeignKeys(r.Target.Table, existing[0])...) {
			statements++
			m.statement(r.Target.Name().String(), statement)
		}
	}
	return pending(statements, "statement")
}
