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

// Copier keeps tables that are being copied in step with the source's schema: a table that changes meanwhile is copied
// anew. It is for init-copy, where no applier is at work. Once the log is applied, Evolver.Change carries changes over.
type Copier struct {
	evolver *Evolver
	source  CopySource
	target  CopyTarget
	create  Create
}

// CopySource is what a Copier needs of the source besides what its Evolver has.
type CopySource interface {
	Dialect() schema.Dialect
	SafePosition(ctx context.Context) (db.Position, error)
}

// CopyTarget is what a Copier needs of the target.
type CopyTarget interface {
	Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error)
	plan.Judge
	Execute(ctx context.Context, statement string) error
	Ledger() db.Ledger
}

// Create makes tables on the target, as init-schema does. mine returns whether an existing table is the move's; others
// are refused.
type Create func(ctx context.Context, steps []plan.Step, mine func(schema.Name) bool) error

// NewCopier returns a Copier of the evolver's move.
func NewCopier(e *Evolver, source CopySource, target CopyTarget, create Create) *Copier {
	return &Copier{evolver: e, source: source, target: target, create: create}
}

// Pending returns whether tables are recorded whose rows are still to be copied.
func (c *Copier) Pending(ctx context.Context) (bool, error) {
	records, err := c.target.Ledger().Records(ctx)
	return slices.ContainsFunc(records, func(r db.Record) bool { return r.Copy }), err
}

// Ready prepares tables to be copied anew: the named ones, those that changed while they were copied, and tables of the
// move that have no record yet. Prepared means recorded as the source has them now, without chunks, and empty on the
// target. It returns the routes of all tables whose rows are still to be copied, in the order of the plan.
//
// It may be called any number of times, also after a crash in the middle of it: a table whose chunks have begun, and
// that has not changed, goes on where it was.
func (c *Copier) Ready(ctx context.Context, again []schema.Name) ([]*route.Route, error) {
	// What an interrupted run noted about a table that it was going to make is settled by whether the table exists.
	if err := c.target.Ledger().Own(ctx, nil, nil); err != nil {
		return nil, err
	}
	// The defaults of databases must be recorded near the position that the copy begins from. Later the log changes
	// them, and what the source says then may be younger than the log's next CREATE TABLE.
	if _, err := c.evolver.databases(ctx); err != nil {
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

// outdated returns whether a table must be copied anew, because the source's definition is no longer the recorded one.
// If only an index was added, say, the rows that are copied stay valid, and the ALTER is made when the log reaches it.
// That cannot be relied on before the first chunk: the copy's position is not fixed then, and the ALTER may lie before
// it in the log.
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

// changed returns the tables whose copy has not ended and that the source no longer has, or for which differs says so.
// Until the target is consistent for the first time, tables without a record are among them: they came after the move
// began. Later ones, and tables whose copy has ended, are left to the log.
func (c *Copier) changed(
	ctx context.Context, records []db.Record, differs func(*db.Record, *schema.Table) (bool, error),
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
			if other, err = differs(r, t); err != nil {
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

// prepare makes the target's tables of these steps empty and as planned. A table with a chunk is left alone: its rows
// are part of the copy. An empty table that is as planned is kept, since making a table may be slow; anything else is
// dropped and made.
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
		// A table that the move found, and may use, must be one that it found afterwards too: cleanup --abandon drops
		// only tables that the move made.
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

// Changed returns the tables that are being copied and whose definition on the source is no longer the recorded one.
// Unlike Ready it counts differences of every kind, and changes nothing.
func (c *Copier) Changed(ctx context.Context) ([]schema.Name, error) {
	records, err := c.target.Ledger().Records(ctx)
	if err != nil {
		return nil, err
	}
	return c.changed(ctx, records, func(r *db.Record, t *schema.Table) (bool, error) {
		return len(c.source.Dialect().Differences(r.Shape, t, true, true)) > 0, nil
	})
}

// All returns the routes of all recorded tables.
func (c *Copier) All(ctx context.Context) ([]*route.Route, error) {
	records, err := c.target.Ledger().Records(ctx)
	if err != nil {
		return nil, err
	}
	return c.routes(records)
}

// routes plans the recorded tables. A refusal is db.ErrUnsupported.
func (c *Copier) routes(records []db.Record) ([]*route.Route, error) {
	p := c.evolver.opts.Plan(Shapes(records))
	if err := refusal(p); err != nil {
		return nil, fmt.Errorf("%w: %w", db.ErrUnsupported, err)
	}
	return p.Routes, nil
}

// Copied records that all rows are there, and returns the routes of all tables of the move. From here on tables follow
// the log, and a change of them no longer means to copy them anew.
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
