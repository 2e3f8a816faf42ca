package evolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
)

// byHand is for start-replica --skip-ddl: somebody has made the change on the target already. Nothing is executed. The
// target's tables must be what the change would have made of them; then their records and the position move past it.
//
// Every table is checked before any record changes, and all faults come at once: one that is found later would leave
// the records ahead of the tables.
func (c *change) byHand(ctx context.Context) error {
	var shapes []*schema.Table
	for _, r := range c.records {
		shapes = append(shapes, r.Shape)
	}
	p := c.opts.Plan(shapes)
	var errs []error
	put := make([]db.Record, 0, len(c.put))
	for _, name := range c.put {
		put = append(put, *c.records[name])
		if err := c.prove(ctx, wanted(p, name)); err != nil {
			errs = append(errs, err)
		}
	}
	errs = append(errs, c.emptyByHand(ctx, p))
	for _, g := range c.goals {
		// A name that is free after the change, unless another table has got it: in a swap of t and u both names stay.
		reused := slices.ContainsFunc(put, func(r db.Record) bool { return r.Target == g.Table })
		if g.Kind != dropped && g.Kind != renamed || reused {
			continue
		}
		if there, err := c.table(ctx, g.Table); err != nil || there != nil {
			errs = append(errs, errors.Join(err, fmt.Errorf("%w: table %s is still on the target", db.ErrUnsupported,
				g.Table)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := c.ownByHand(ctx, put); err != nil {
		return err
	}
	c.log().Warn().Msg("schema change taken as made by hand: only the definitions of the tables were looked at, " +
		"none of their rows; verify and cutover compare the tables as a whole")
	// Only the first change is skipped. The next one is carried over as usual.
	c.opts.Skip = false
	if err := c.applier.Amend(ctx, put, c.gone); err != nil {
		return err
	}
	err := c.applier.Commit(ctx, c.After)
	if err == nil {
		c.opts.Recorded(ctx)
	}
	return err
}

// emptyByHand refuses rows and triggers in a table that was made by hand for `CREATE TABLE`. The source's new table is
// empty and its rows come through the log: rows that are there already would be extra rows for ever.
func (c *change) emptyByHand(ctx context.Context, p *plan.Plan) error {
	var names []schema.Name
	for _, g := range c.goals {
		if g.Kind == created {
			names = append(names, wanted(p, g.Source).Name)
		}
	}
	there, err := c.target.Tables(ctx, func(n schema.Name) bool { return slices.Contains(names, n) })
	if err != nil || len(there) == 0 {
		return err
	}
	names = names[:0]
	for _, t := range there {
		names = append(names, t.Name)
	}
	obstacles, err := c.target.Obstacles(ctx, names)
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range names {
		for _, o := range obstacles[n] {
			errs = append(errs, unsupported("table %s %s", n, o))
		}
	}
	return errors.Join(errs...)
}

// ownByHand records which tables are the move's after a change that was made by hand. A renamed table keeps what it
// was, made by the move or found; a table that somebody created by hand counts as found, so that cleanup --abandon does
// not drop it.
func (c *change) ownByHand(ctx context.Context, records []db.Record) error {
	owned, err := db.ReadOwned(ctx, c.target.Ledger())
	if err != nil {
		return err
	}
	put := db.Owned{}
	var gone []schema.Name
	for _, g := range c.goals {
		switch g.Kind {
		case dropped:
			gone = append(gone, g.Table)
		case renamed:
			for _, pair := range g.Pairs {
				put[pair[1]] = cmp.Or(put[pair[0]], owned[pair[0]], db.Made)
				gone = append(gone, pair[0])
			}
		default:
		}
	}
	for _, r := range records {
		if put[r.Target] == "" {
			put[r.Target] = cmp.Or(owned[r.Target], db.Found)
		}
	}
	// A pair of a rename may be a step in between, as `_wherry_aside` in a swap: no such table exists in the end.
	for name := range put {
		if there, err := c.table(ctx, name); err != nil {
			return err
		} else if there == nil {
			delete(put, name)
		}
	}
	gone = slices.DeleteFunc(gone, func(n schema.Name) bool { _, still := put[n]; return still })
	return c.target.Ledger().Own(ctx, put, gone)
}
