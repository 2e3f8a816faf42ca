package move

import (
	"context"
	"errors"
	"fmt"

	"wherry/pkg/config"
	"wherry/pkg/db"
	"wherry/pkg/evolve"
	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Rules reads which tables move, and where to. It asks no server, so `config validate` can use it. The error is
// config.ErrInvalid.
func Rules(cfg *config.Config) (*route.Rules, error) {
	renames := make([]route.Rename, len(cfg.Routes))
	for i, r := range cfg.Routes {
		renames[i] = route.Rename{From: r.From, To: r.To}
	}
	filters := make([]route.Where, len(cfg.Filters))
	for i, f := range cfg.Filters {
		filters[i] = route.Where{Table: f.Table, Where: f.Where}
	}
	rules, err := route.NewRules(cfg.Tables.Include, cfg.Tables.Exclude, renames, filters)
	if err == nil {
		_, err = route.NewAllowances(cfg.Schema.AllowLosses)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, config.ErrInvalid)
	}
	return rules, nil
}

// planObjects works out what becomes of views and the like.
func (m *Move) planObjects(ctx context.Context) (*plan.Objects, error) {
	opts := plan.ObjectOptions{Groups: m.cfg.Cutover.Objects, Current: m.cfg.Cutover.Definer == config.DefinerCurrent}
	if d := m.cfg.Cutover.Definer; d != config.DefinerKeep && !opts.Current {
		var err error
		if opts.Definer, err = schema.ParseAccount(d); err != nil {
			return nil, fmt.Errorf("cutover.definer: %w: %w", err, config.ErrInvalid)
		}
	}
	return plan.BuildObjects(ctx, m.source, m.target.Dialect(), m.rules, m.plan.Routes, opts)
}

// planMove plans the move. Once tables are recorded on the target, the plan is made of those, as they were at the
// target's position: the log that is still to be read has rows of that form, whatever the source has now. Before any
// are recorded, and for check (source is true), the plan is made of the tables that the source has.
func (m *Move) planMove(ctx context.Context, source bool) (err error) {
	if !source {
		if m.records, err = m.target.Ledger().Records(ctx); err != nil {
			return err
		}
		if len(m.records) > 0 {
			m.plan = m.planOf(evolve.Shapes(m.records))
			return nil
		}
	}
	m.plan, err = plan.Build(ctx, m.source, m.target.Dialect(), m.rules, m.planOptions())
	return err
}

// planOf plans tables that are recorded already. They were proved readable when they were recorded (Proved), and a
// foreign key may refer to a table that a later change in the log makes (Dangling).
func (m *Move) planOf(tables []*schema.Table) *plan.Plan {
	opts := m.planOptions()
	opts.Dangling, opts.Proved = true, true
	return plan.Of(tables, m.target.Dialect(), m.rules, opts)
}

func (m *Move) planOptions() plan.Options {
	allowed, err := route.NewAllowances(m.cfg.Schema.AllowLosses)
	if err != nil {
		panic(err) // Rules has read them
	}
	return plan.Options{Allowed: allowed, Objects: m.cfg.Cutover.Objects}
}

// planAgain plans the move of the tables as they are recorded by now, after a schema change was followed.
func (m *Move) planAgain(ctx context.Context) error {
	if err := m.replan(ctx); err != nil {
		return err
	}
	return m.admissible()
}

// admissible refuses a plan with failed findings.
func (m *Move) admissible() error {
	if problems := findingErrors(m.plan.Refused()); len(problems) > 0 {
		return fmt.Errorf("%w: %w", ErrRefused, errors.Join(problems...))
	}
	return nil
}

func findingErrors(findings []db.Finding) []error {
	problems := make([]error, len(findings))
	for i, f := range findings {
		problems[i] = fmt.Errorf("%s: %s %s: %s", f.Check, f.Subject, f.What, f.Fix)
	}
	return problems
}

// accepts tells whether tables that are on the target already may be taken.
func (m *Move) accepts() bool { return m.cfg.Schema.Existing == "accept" }
