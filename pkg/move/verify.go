package move

import (
	"context"
	"fmt"
	"time"

	"wherry/pkg/count"
	"wherry/pkg/monitor"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	"wherry/pkg/state"
	"wherry/pkg/verify"
)

// Verify compares every row of both ends, also while changes flow. Rows that differ are ErrDifferences.
type Verify struct {
	Reverse bool     // after the cutover: the old source with the target
	Repair  bool     // write the target's rows that differ anew
	Tables  []string // db.table of the source: compare only these; nil: all
}

func (o Verify) spec() spec {
	return spec{
		name: state.PhaseVerify, beside: true, reverse: o.Reverse,
		admit: func(_ context.Context, m *Move) error {
			_, err := m.selectTables(o.Tables)
			return err
		},
		run: func(ctx context.Context, m *Move) (Result, error) { return m.verify(ctx, o) },
	}
}

// verify compares while changes flow, and keeps the result in the state file: the cutover relies on it. A comparison of
// some tables (--table) amends the last full one: it can mend what that had found, and never stands for all tables.
func (m *Move) verify(ctx context.Context, o Verify) (Result, error) {
	selected, err := m.selectTables(o.Tables)
	if err != nil {
		return Result{}, err
	}
	m.expect(ctx, selected)
	var report *verify.Report
	began := time.Now()
	err = m.observed(ctx, m.mirrorVerify, func(ctx context.Context) error {
		return m.flowing(ctx, func(ctx context.Context) (err error) {
			report, err = m.throughChanges(ctx, selected, o.Repair)
			return err
		})
	})
	if err != nil {
		return Result{}, err
	}
	record := verifyRecord(report)
	if err := m.file.Update(func(st *state.State) error {
		if o.Tables == nil {
			*m.half(st).Verify = record
		} else {
			m.half(st).Verify.Amend(record)
		}
		return nil
	}); err != nil {
		return Result{}, err
	}
	return m.verified(report, record, time.Since(began))
}

// selectTables returns which source tables are compared; nil means all. OptionError: a name is not of the move.
func (m *Move) selectTables(names []string) (func(schema.Name) bool, error) {
	if len(names) == 0 {
		return nil, nil //nolint:nilnil // nil means all
	}
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	known := 0
	for _, r := range m.plan.Routes {
		if wanted[r.Source.Name().String()] {
			known++
		}
	}
	if known != len(wanted) {
		return nil, OptionError{
			state.PhaseVerify, fmt.Errorf("--table: not every one of %v is a table of the move", names),
		}
	}
	return func(n schema.Name) bool { return wanted[n.String()] }, nil
}

// watchVerify turns the totals of a verification into the increments that the progress counts.
func (m *Move) watchVerify() func(verify.Progress) {
	var last verify.Progress
	return func(p verify.Progress) {
		m.progress.Verify(p.Table, p.Rows-last.Rows, p.Differing-last.Differing)
		if p.Finished {
			m.progress.Table(p.Table, "verified")
		}
		last = p
	}
}

// verifier compares tables as the plan has them; nil: all.
func (m *Move) verifier(tables func(schema.Name) bool, repair bool, observe func(verify.Progress)) *verify.Verify {
	return verify.New(m.source, m.target, route.AllCompared(m.plan.Routes), verify.Options{
		Workers: m.cfg.Verify.Workers, ChunkRows: m.cfg.Verify.ChunkRows, Repair: repair, Tables: tables,
		Since: m.since(), Applied: m.applied,
		RetryFor: m.cfg.Replicate.RetryFor, Log: m.log, Observe: observe,
	})
}

func verifyRecord(report *verify.Report) state.Verify {
	record := state.Verify{
		Mode: state.VerifyFull, Position: report.Position.String(), Started: report.Started, Finished: report.Finished,
		Clean: report.Clean(),
	}
	for _, t := range report.Tables {
		record.Tables = append(record.Tables, state.VerifyTable{
			Table: t.Source.String(), Rows: t.Rows, Differing: t.Differing, Missing: t.Missing, Extra: t.Extra,
			Computed: t.Computed,
		})
	}
	return record
}

// verified is the result of a comparison: ErrDifferences with the tables unless both ends are equal. took is its time.
// If all differing rows differ in generated columns only, the advice is another one: --repair cannot write those.
func (m *Move) verified(report *verify.Report, record state.Verify, took time.Duration) (Result, error) {
	out := Result{
		Report: report, Verified: record,
		Detail: fmt.Sprintf("%s of %s compared in %s, %d differ", monitor.Counted(report.Rows(), "row"),
			count.Of(len(report.Tables), "table"), monitor.Span(took), report.Differences()),
		Facts: map[string]any{
			"rows": report.Rows(), "tables": len(report.Tables), "differences": report.Differences(),
			"repaired": report.Repaired(), "in_flux": report.InFlux(), "position": report.Position,
			"seconds":         took.Seconds(),
			"rows_per_second": int64(float64(report.Rows()) / took.Seconds()),
		},
	}
	if report.Repaired() > 0 {
		out.Detail += fmt.Sprintf(", %d repaired", report.Repaired())
	}
	if report.Clean() {
		return out, nil
	}
	computed := report.Computed() == report.Differences()
	what := count.Of(report.Differences(), "row")
	if computed {
		what += ", in generated columns only, which the target computes"
	}
	return out, differingTables{fmt.Errorf("%w: %s", ErrDifferences, what), differingNames(report), computed}
}

func differingNames(report *verify.Report) (names []string) {
	for _, t := range report.Tables {
		if t.Differing+t.Missing+t.Extra > 0 {
			names = append(names, t.Source.String())
		}
	}
	return names
}
