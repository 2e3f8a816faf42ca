package evolve

import (
	"context"
	"fmt"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Copier keeps the tables that are being copied in step with the source's schema: a table that changes meanwhile is copied anew.
type Copier struct {
	evolver *Evolver
	source  CopySource
	target  CopyTarget
	opts    CopyOptions
}

// CopySource is what a Copier needs of the source besides.
type CopySource interface {
	SafePosition(ctx context.Context) (db.Position, error)
}

// CopyTarget is what a Copier needs of the target besides.
type CopyTarget interface {
	schema.Builder
	Ledger() db.Ledger
}

// CopyOptions configure a Copier.
type CopyOptions struct {
	Defer bool // see schema.Options
	// Claim records that further target tables are this move's, before they are made.
	Claim func(ctx context.Context, tables []schema.Name) error
}

// NewCopier returns a Copier of the evolver's move.
func NewCopier(e *Evolver, source CopySource, target CopyTarget, opts CopyOptions) *Copier {
	return &Copier{evolver: e, source: source, target: target, opts: opts}
}

// Pending tells whether tables are recorded whose rows are still to be copied.
func (c *Copier) Pending(ctx context.Context) (bool, error) {
	records, err := c.target.Ledger().Records(ctx)
	return slices.ContainsFunc(records, func(r db.Record) bool { return r.Copy }), err
}

// Ready makes the named tables ready to be copied anew, those whose copy has not ended and that have changed meanwhile, and
// tables of the move that are not recorded: recorded as the source has them now, without chunks, and empty on the target. It returns the routes of all tables whose rows are still to be copied.
func (c *Copier) Ready(ctx context.Context, again []schema.Name) ([]*route.Route, error) {
	records, err := c.target.Ledger().Records(ctx)
	if err != nil {
		return nil, err
	}
	changed, err := c.changed(ctx, records, func(r *db.Record, t *schema.Table) (bool, error) { return c.outdated(ctx, r, t) })
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
	var steps []schema.Step
	var routes []*route.Route
	for i, r := range p.Routes {
		if at := slices.IndexFunc(records, func(x db.Record) bool { return x.Source == r.Source.Name() }); records[at].Copy {
			steps, routes = append(steps, p.Steps[i]), append(routes, r)
		}
	}
	return routes, c.prepare(ctx, steps)
}

// outdated tells whether a table has to be copied anew because the source has it otherwise than it is recorded. A change that leaves rows as
// they are is made when the log tells of it, which it does unless that was before the first chunk.
func (c *Copier) outdated(ctx context.Context, r *db.Record, t *schema.Table) (bool, error) {
	if !sameRows(r.Shape, t) {
		return true, nil
	}
	if len(c.target.Dialect().Differences(r.Shape, t, true, true)) == 0 {
		return false, nil
	}
	chunks, err := c.target.Ledger().Chunks(ctx, t.Name)
	return len(chunks) == 0, err
}

// changed returns the tables of the move that the source has not, or otherwise than they are recorded: those whose copy has not ended,
// and until the target is consistent for the first time new ones. Others are left to the log.
func (c *Copier) changed(ctx context.Context, records []db.Record, otherwise func(*db.Record, *schema.Table) (bool, error)) (names []schema.Name, err error) {
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
		if r == nil && t.Kind != schema.BaseTable {
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

// renew records the tables as the source has them now, as of a position that is read before. What the log has of them up to there is
// passed over from then on; what their rows show is of that position or later.
func (c *Copier) renew(ctx context.Context, records []db.Record, names []schema.Name) ([]db.Record, error) {
	tables, pos, err := c.asOf(ctx, names)
	if err != nil {
		return nil, err
	}
	var put []db.Record
	for _, t := range tables {
		if t.Kind != schema.BaseTable {
			continue
		}
		if differences := schema.Regenerates(t); len(differences) > 0 {
			return nil, unsupported("table %s is not understood as the source means it: %s", t.Name, differences[0])
		}
		put = append(put, db.Record{Source: t.Name, Shape: t, Since: pos, Copy: true})
		c.evolver.opts.Log.Warn().Stringer("table", t.Name).Msg("table is copied anew, as it is on the source now")
	}
	for _, name := range names {
		if !slices.ContainsFunc(put, func(r db.Record) bool { return r.Source == name }) {
			put = append(put, db.Record{Source: name, Since: pos})
		}
	}
	before := records
	records = slices.DeleteFunc(slices.Clone(records), func(r db.Record) bool { return slices.Contains(names, r.Source) })
	kept := len(records)
	records = append(records, put...)
	p := c.evolver.opts.Plan(Shapes(records))
	if err := refusal(p); err != nil {
		return nil, fmt.Errorf("%w: copy %s anew: %w", db.ErrUnsupported, texts(names), err)
	}
	for _, r := range p.Routes {
		if at := slices.IndexFunc(records, func(x db.Record) bool { return x.Source == r.Source.Name() }); at >= kept {
			records[at].Target = r.Target.Name()
		}
	}
	return records, c.amend(ctx, before, records[kept:])
}

// stillTries is how often tables are read that change while they are read.
const stillTries = 10

// asOf returns the named tables as of a position. Of tables that change all the time they may be of a later one: then the log tells of changes
// that they have already.
func (c *Copier) asOf(ctx context.Context, names []schema.Name) (tables []*schema.Table, pos db.Position, err error) {
	read := func() ([]*schema.Table, error) {
		return c.evolver.source.Tables(ctx, func(n schema.Name) bool { return slices.Contains(names, n) && c.evolver.rules.Follows(n) })
	}
	if tables, err = read(); err != nil {
		return nil, "", err
	}
	for range stillTries {
		before := tables
		if pos, err = c.source.SafePosition(ctx); err != nil {
			return nil, "", err
		}
		if tables, err = read(); err != nil {
			return nil, "", err
		}
		if slices.EqualFunc(before, tables, func(x, y *schema.Table) bool {
			return x.Name == y.Name && len(c.target.Dialect().Differences(x, y, true, true)) == 0
		}) {
			break
		}
	}
	return tables, pos, nil
}

// amend takes away the target's tables that are no longer of the move, and records the others.
func (c *Copier) amend(ctx context.Context, before, put []db.Record) error {
	var claimed []schema.Name
	for _, r := range put {
		at := slices.IndexFunc(before, func(x db.Record) bool { return x.Source == r.Source && x.Shape != nil })
		switch {
		case r.Shape != nil:
			claimed = append(claimed, r.Target)
		case at >= 0:
			if err := c.target.Execute(ctx, c.target.Dialect().DropTable(before[at].Target)); err != nil {
				return err
			}
		}
	}
	if c.opts.Claim != nil && len(claimed) > 0 {
		if err := c.opts.Claim(ctx, claimed); err != nil {
			return err
		}
	}
	return c.target.Ledger().Amend(ctx, put, nil)
}

// prepare makes the tables that have no chunk yet empty and as planned: others were begun, and go on.
func (c *Copier) prepare(ctx context.Context, steps []schema.Step) error {
	var fresh []schema.Step
	targets := map[schema.Name]bool{}
	for _, step := range steps {
		chunks, err := c.target.Ledger().Chunks(ctx, step.Source.Name)
		if err != nil {
			return err
		}
		if len(chunks) == 0 {
			fresh = append(fresh, step)
			targets[step.Target.Name] = true
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	found, err := c.target.Tables(ctx, func(n schema.Name) bool { return targets[n] })
	if err != nil {
		return err
	}
	there := map[schema.Name]*schema.Table{}
	for _, t := range found {
		there[t.Name] = t
	}
	obstacles, err := c.target.Obstacles(ctx, keys(there))
	if err != nil {
		return err
	}
	for _, step := range fresh {
		t := there[step.Target.Name]
		if t == nil || len(obstacles[t.Name]) == 0 && len(c.target.Dialect().Differences(step.Target, t, false, false)) == 0 {
			continue
		}
		if err := c.target.Execute(ctx, c.target.Dialect().DropTable(t.Name)); err != nil {
			return err
		}
	}
	return schema.NewInit(c.target, fresh, schema.Options{
		Defer: c.opts.Defer, Mine: func(schema.Name) bool { return true }, Log: c.evolver.opts.Log,
	}).Run(ctx)
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
		return len(c.target.Dialect().Differences(r.Shape, t, true, true)) > 0, nil
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
