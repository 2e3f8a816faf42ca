package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"wherry/pkg/db"
	"wherry/pkg/monitor"
	"wherry/pkg/schema"
	"wherry/pkg/state"
	"wherry/pkg/verify"
)

type verifyOptions struct {
	repair  bool
	reverse bool
	tables  []string
}

func newVerifyCmd(a *app) *cobra.Command {
	var o verifyOptions
	c := &cobra.Command{
		Use:   "verify",
		Short: "Prove both sides equal, also while changes flow",
		Long: `Verify compares every row of every included table on both sides by checksums that the servers compute, and lists the
rows that differ. It may run while start-replica runs and while the application writes: a row is only reported when it
still differs after the target has applied everything that the source had when the difference was seen. Without a running
start-replica it applies changes itself meanwhile.

With --repair the rows that differ are rewritten from the source and looked at again. Without it nothing is changed. Exit
status 3 means that differences remain. Once the target has taken over there is nothing to be compared with, and verify says so,
unless with --reverse: that compares on the way back which start-replica --reverse has begun.`,
		Example: `  wherry verify --config shop.yaml
  wherry verify --config shop.yaml --table shop.orders --repair`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.runPhase(c.Context(), verifySpec(o)) },
	}
	c.Flags().BoolVar(&o.reverse, "reverse", false, "compare on the way back: the old source with the target, which has taken over")
	c.Flags().BoolVar(&o.repair, "repair", false, "rewrite the target's rows that differ")
	c.Flags().StringArrayVar(&o.tables, "table", nil, "compare only this source table, as `db.table`; may be given several times")
	return c
}

func verifySpec(o verifyOptions) phaseSpec {
	return phaseSpec{
		name: state.PhaseVerify, beside: true, reverse: o.reverse,
		admit: func(_ context.Context, s *session) error {
			_, err := s.selectTables(o.tables)
			return err
		},
		run: func(ctx context.Context, s *session) (outcome, error) { return s.verify(ctx, o) },
	}
}

func (s *session) verify(ctx context.Context, o verifyOptions) (outcome, error) {
	selected, err := s.selectTables(o.tables)
	if err != nil {
		return outcome{}, err
	}
	s.progress.Step(monitor.StepVerify)
	var report *verify.Report
	began := time.Now()
	err = s.observed(ctx, s.mirrorReplica, func(ctx context.Context) error {
		return s.flowing(ctx, func(ctx context.Context) (err error) {
			return s.throughChanges(ctx, func(ctx context.Context) error {
				report, err = s.verifier(selected, o.repair, s.watchVerify()).Run(ctx)
				return err
			})
		})
	})
	if err != nil {
		return outcome{}, err
	}
	record := verifyRecord("full", report)
	if o.tables != nil {
		record.Mode = "tables" // proves nothing about the others
	}
	if err := s.file.Update(func(st *state.State) error {
		if o.tables == nil || !record.Clean {
			*st.Way(s.back != nil).Verify = record
		}
		return nil
	}); err != nil {
		return outcome{}, err
	}
	return s.verified(report, record, time.Since(began))
}

// mostChanges is how often a comparison is begun again because the schema has changed meanwhile.
const mostChanges = 20

// throughChanges runs f, and again when the schema of the move has changed meanwhile: then f compared tables as they no longer are.
func (s *session) throughChanges(ctx context.Context, f func(ctx context.Context) error) error {
	for range mostChanges {
		err := f(ctx)
		if ctx.Err() != nil {
			return err
		}
		steady, lookErr := s.steady(ctx)
		if lookErr != nil {
			return errors.Join(err, lookErr)
		}
		if steady {
			return err
		}
		s.log.Info().Msg("the schema has changed meanwhile: compared again")
		if err := s.planAgain(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("the schema changes all the time: %d comparisons were begun in vain", mostChanges)
}

// planAgain plans the move of the tables as they are recorded by now.
func (s *session) planAgain(ctx context.Context) error {
	again := func(ctx context.Context) error { return s.planMove(ctx, false) }
	if s.back != nil {
		again = s.planBack
	}
	if err := again(ctx); err != nil {
		return err
	}
	return s.admissible()
}

// steady tells whether the tables of the move are recorded as they were when the plan was made.
func (s *session) steady(ctx context.Context) (bool, error) {
	records, err := s.target.Ledger().Records(ctx)
	if err != nil {
		return false, err
	}
	return slices.EqualFunc(records, s.records, func(a, b db.Record) bool { return a.Source == b.Source && a.Since == b.Since }), nil
}

// since returns from which position on the tables have the shapes that the plan was made of.
func (s *session) since() map[schema.Name]db.Position {
	since := map[schema.Name]db.Position{}
	for _, r := range s.records {
		since[r.Source] = r.Since
	}
	return since
}

// selectTables returns which source tables are compared.
func (s *session) selectTables(names []string) (func(schema.Name) bool, error) {
	if len(names) == 0 {
		return nil, nil //nolint:nilnil // nil means all
	}
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	known := 0
	for _, r := range s.plan.Routes {
		if wanted[r.Source.Name().String()] {
			known++
		}
	}
	if known != len(wanted) {
		return nil, usageError{fmt.Errorf("--table: not every one of %v is a table of the move", names), "wherry verify"}
	}
	return func(n schema.Name) bool { return wanted[n.String()] }, nil
}

// watchVerify turns the totals that a verification tells into the steps that the progress counts.
func (s *session) watchVerify() func(verify.Progress) {
	var last verify.Progress
	return func(p verify.Progress) {
		s.progress.Verify(p.Table, p.Rows-last.Rows, p.Differing-last.Differing)
		last = p
	}
}

func (s *session) verifier(tables func(schema.Name) bool, repair bool, observe func(verify.Progress)) *verify.Verify {
	return verify.New(s.source, s.target, s.plan.Routes, verify.Options{
		Workers: s.cfg.Verify.Workers, ChunkRows: s.cfg.Verify.ChunkRows, Repair: repair, Tables: tables, Since: s.since(), Applied: s.applied,
		RetryFor: s.cfg.Replicate.RetryFor, Log: s.log, Observe: observe,
	})
}

// flowing runs f while changes are applied: by a running start-replica, or by ourselves when there is none.
func (s *session) flowing(ctx context.Context, f func(ctx context.Context) error) error {
	if s.lock == nil {
		return f(ctx)
	}
	if s.lock.Beside() {
		return s.accompanied(ctx, f)
	}
	following, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.replicator(true, s.evolver(false, false)).Run(following) }()
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := make(chan error, 1)
	go func() {
		err := <-ended
		if following.Err() == nil && !errors.Is(err, db.ErrSealed) { // it failed by itself: f would wait for it in vain
			cancel(err)
		}
		watched <- err
	}()
	err := f(working)
	stop()
	failed := <-watched
	if err != nil && ctx.Err() == nil && working.Err() != nil && !errors.Is(err, failed) {
		return fmt.Errorf("%w: %w", failed, err) // what f says tells what has become of a fence
	}
	return err
}

// alone is how long start-replica may be away, such as when a service manager starts it again, before it is missed.
const alone = 30 * time.Second

// accompanied runs f while start-replica applies changes: when that has ended, f would wait for it in vain.
func (s *session) accompanied(ctx context.Context, f func(ctx context.Context) error) error {
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		for seen := time.Now(); time.Since(seen) < alone; {
			if phase, _, err := s.file.Holder(); err != nil || phase != "" {
				seen = time.Now()
			}
			select {
			case <-working.Done():
				return
			case <-time.After(time.Second):
			}
		}
		cancel(errors.New("start-replica has ended (its log says why), so nobody applies changes: start it again, or run this command without it"))
	}()
	return f(working)
}

func verifyRecord(mode string, report *verify.Report) state.Verify {
	record := state.Verify{
		Mode: mode, Position: report.Position.String(), Started: report.Started, Finished: report.Finished, Clean: report.Clean(),
	}
	for _, t := range report.Tables {
		record.Tables = append(record.Tables, state.VerifyTable{
			Table: t.Source.String(), Rows: t.Rows, Differing: t.Differing, Missing: t.Missing, Extra: t.Extra,
		})
	}
	return record
}

func (s *session) verified(report *verify.Report, record state.Verify, took time.Duration) (outcome, error) {
	if err := s.printReport(report, record); err != nil {
		return outcome{}, err
	}
	out := outcome{
		Detail: fmt.Sprintf("%s rows of %d tables compared in %s, %d differ", monitor.Count(report.Rows()), len(report.Tables),
			monitor.Span(took), report.Differences()),
		Facts: map[string]any{
			"rows": report.Rows(), "tables": len(report.Tables), "differences": report.Differences(), "repaired": report.Repaired(),
			"in_flux": report.InFlux(), "position": report.Position, "seconds": took.Seconds(),
			"rows_per_second": int64(float64(report.Rows()) / took.Seconds()),
		},
	}
	if report.Repaired() > 0 {
		out.Detail += fmt.Sprintf(", %d repaired", report.Repaired())
	}
	if !report.Clean() {
		return out, fmt.Errorf("%w: %d rows; run verify --repair to rewrite them from the source", errDifferences, report.Differences())
	}
	return out, nil
}

func (s *session) printReport(report *verify.Report, record state.Verify) error {
	if s.app.json != nil {
		for _, t := range report.Tables {
			if err := s.app.json.Emit("table", t); err != nil {
				return err
			}
		}
		return nil
	}
	if err := monitor.WriteVerify(s.app.stdout, record, false); err != nil {
		return err
	}
	for _, t := range report.Tables {
		listed := int64(0)
		for _, d := range t.Listed {
			note := ""
			if d.Times > 1 {
				note = fmt.Sprintf(" %d times", d.Times)
			}
			if d.Repaired {
				note += ", repaired"
			}
			fmt.Fprintf(s.app.stdout, "  %s %s: %s%s\n", t.Source, d.Key, d.Kind, note)
			listed += max(d.Times, 1)
		}
		if more := t.Differing + t.Missing + t.Extra + t.InFlux + t.Repaired - listed; more > 0 {
			fmt.Fprintf(s.app.stdout, "  %s: %d more\n", t.Source, more)
		}
	}
	return nil
}
