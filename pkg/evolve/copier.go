package evolve

import (
	"context"
	"fmt"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Copier keeps the tables that are being copied in step with the source's schema: a table that changes meanwhile is
// copied anew.
type Copier struct {
	evolver *Evolver
	source  CopySource
	target  CopyTarget
	create  Create
}

// CopySource is what a Copier needs of the source besides.
type CopySource interface {
	Dialect() schema.Dialect
	SafePosition(ctx context.Context) (db.Position, error)
}

// CopyTarget is what a Copier needs of the target besides.
type CopyTarget interface {
	Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error)
	plan.Judge
	Execute(ctx context.Context, statement string) error
	Ledger() db.Ledger
}

// Create makes tables on the target, as init-schema does. mine tells which of those that are there already are the
// move's.
type Create func(ctx context.Context, steps []plan.Step, mine func(schema.Name) bool) error

// NewCopier returns a Copier of the evolver's move.
func NewCopier(e *Evolver, source CopySource, target CopyTarget, create Create) *Copier {
	return &Copier{evolver: e, source: source, target: target, create: create}
}

// Pending tells whether tables are recorded whose rows are still to be copied.
func (c *Copier) Pending(ctx context.Context) (bool, error) {
	records, err := c.target.Ledger().Records(ctx)
	return slices.ContainsFunc(records, func(r db.Record) bool { return r.Copy }), err
}

// Ready makes the named tables ready to be copied anew, those whose copy has not ended and that have changed meanwhile,
// and tables of the move that are not recorded: recorded as the source has them now, without chunks, and empty on the
// target. It returns the routes of all tables whose rows are still to be copied.
func (c *Copier) Ready(ctx context.Context, again []schema.Name) ([]*route.Route, error) {
	if err := c.target.Ledger().Own(ctx, nil, nil); err != nil { // an earlier try may have been interrupted
		return nil, err
	}
	if _, err := c.evolver.databases(ctx); err != nil { // recorded as of about the position that the copy begins from
		return nil, err
	}
	records, err := c.target.Ledger().Records(ctx)
	if err != nil {
		return nil, err
	}
	changed, err := c.changed(ctx, records, func(r *db.Record, t *schema.Table) (bool, error) {
		return c.outdated(ctx, r, t)
	})
	if err != nil {
		return nil, err
	}
	for _, name := range again {
		if !slices.Contains(changed, name) {
			changed = append(changed, name)
		}
	}
	if len(changed) > 0 {
		if records, err = c.renew(ctx, records, changed); err != nil {
			return nil, err
		}
	}
	p := c.evolver.opts.Plan(Shapes(records))
	if err := refusal(p); err != nil {
		return nil, fmt.Errorf("%w: %w", db.ErrUnsupported, err)
	}
	var steps []plan.Step
	var routes []*route.Route
	copied := make(map[schema.Name]bool, len(records))
	for _, r := range records {
		copied[r.Source] = r.Copy
	}
	for i, r := range p.Routes {
		if copied[r.Source.Name()] {
			steps, routes = append(steps, p.Steps[i]), append(routes, r)
		}
	}
	return routes, c.prepare(ctx, steps)
}

// outdated tells whether a table has to be copied anew because the source has it otherwise than it is recorded. A
// change that leaves rows as they are is made when the log tells of it, which it does unless that was before the first
// chunk.
func (c *Copier) outdated(ctx context.Context, r *db.Record, t *schema.Table) (bool, error) {
	if !sameRows(r.Shape, t) {
		return true, nil
	}
	if len(c.source.Dialect().Differences(r.Shape, t, true, true)) == 0 {
		return false, nil
	}
	chunks, err := c.target.Ledger().Chunks(ctx, t.Name)
	return len(chunks) == 0, err
}

// changed returns the tables of the move that the source has not, or otherwise than they are recorded: those whose copy
// has not ended, and until the target is consistent for the first time new ones. Others are left to the log.
func (c *Copier) changed(
	ctx context.Context, records []db.Record, otherwise func(*db.Record, *schema.Table) (bool, error),
) (names []schema.Name, err error) {
	recorded := map[schema.Name]*db.Record{}
	for i := range records {
		recorded[records[i].Source] = &records[i]
	}
	consistent, err := c.target.Ledger().Get(ctx, db.FactConsistent)
	if err != nil {
		return nil, err
	}
	tables, err := c.evolver.source.Tables(ctx, func(n schema.Name) bool {
		r := recorded[n]
		return r == nil && consistent == "" && c.evolver.rules.Includes(n) || r != nil && r.Copy
	})
	if err != nil {
		return nil, err
	}
	found := map[schema.Name]bool{}
	for _, t := range tables {
		found[t.Name] = true
		r := recorded[t.Name]
		if r == nil && !t.Kind.HoldsRows() {
			continue
		}
		other := r == nil || t.Kind != schema.BaseTable
		if !other {
			if other, err = otherwise(r, t); err != nil {
				return nil, err
			}
		}
		if other {
			names = append(names, t.Name)
		}
	}
	for name, r := range recorded {
		if r.Copy && !found[name] {
			names = append(names, name)
		}
	}
	return names, nil
}

// prepare makes the tables that have no chunk yet empty and as planned: others were begun, and go on.
func (c *Copier) prepare(ctx context.Context, steps []plan.Step) error {
	begun, err := c.target.Ledger().Begun(ctx)
	if err != nil {
		return err
	}
	var fresh []plan.Step
	targets := map[schema.Name]bool{}
	for _, step := range steps {
		if !begun(step.Source.Name) {
			fresh = append(fresh, step)
			targets[step.Target.Name] = true
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	tables, err := c.target.Tables(ctx, func(n schema.Name) bool { return targets[n] })
	if err != nil {
		return err
	}
	there := map[schema.Name]*schema.Table{}
	for _, t := range tables {
		there[t.Name] = t
	}
	obstacles, err := c.target.Obstacles(ctx, keys(there))
	if err != nil {
		return err
	}
	owned, err := db.ReadOwned(ctx, c.target.Ledger())
	if err != nil {
		return err
	}
	found := db.Owned{}
	var missing []plan.Step
	for _, step := range fresh {
		t := there[step.Target.Name]
		this := plan.Existing{Plan: step.Target, Found: t}
		if t != nil && len(obstacles[t.Name]) == 0 && len(this.Differences(c.target.Dialect())) == 0 {
			continue
		}
		missing = append(missing, step)
		if t == nil {
			continue
		}
		if owned[t.Name] == db.Found {
			found[t.Name] = db.Found
		}
		if err := c.target.Execute(ctx, c.target.Dialect().DropTable(t.Name)); err != nil {
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err = c.create(ctx, missing, func(n schema.Name) bool { return owned[n] != "" })
	if err != nil || len(found) == 0 {
		return err
	}
	return c.target.Ledger().Own(ctx, found, nil)
}

func keys(tables map[schema.Name]*schema.Table) (all []schema.Name) {
	for name := range tables {
		all = append(all, name)
	}
	return all
}

// Changed returns the tables that are being copied and that the source does not have as they are recorded.
func (c *Copier) Changed(ctx context.Context) ([]schema.Name, error) {
	records, err := c.target.Ledger().Records(ctx)
	if err != nil {
		return nil, err
	}
	return c.changed(ctx, records, func(r *db.Record, t *schema.Table) (bool, error) {
		return len(c.source.Dialect().Differences(r.Shape, t, true, true)) > 0, nil
	})
}

// All returns the routes of all tables of the move as they are by now.
func (c *Copier) All(ctx context.Context) ([]*route.Route, error) {
	records, err := c.target.Ledger().Records(ctx)
	if err != nil {
		return nil, err
	}
	return c.routes(records)
}

func (c *Copier) routes(records []db.Record) ([]*route.Route, error) {
	p := c.evolver.opts.Plan(Shapes(records))
	if err := refusal(p); err != nil {
		return nil, fmt.Errorf("%w: %w", db.ErrUnsupported, err)
	}
	return p.Routes, nil
}

// Copied records that all rows are there, and returns the routes of the move as they are by now.
func (c *Copier) Copied(ctx context.Context) ([]*route.Route, error) {
	records, err := c.target.Ledger().Records(ctx)
	if err != nil {
		return nil, err
	}
	routes, err := c.routes(records)
	if err != nil {
		return nil, err
	}
	var put []db.Record
	for i := range records {
		if records[i].Copy {
			records[i].Copy = false
			put = append(put, records[i])
		}
	}
	if len(put) == 0 {
		return routes, nil
	}
	return routes, c.target.Ledger().Amend(ctx, put, nil)
}
