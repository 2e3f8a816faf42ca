package evolve

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
)

// renew records the tables as the source has them now, with a position that was read before their definitions. Changes
// of them in the log up to that position are passed over from then on. Their rows are read afterwards, so they are of
// that position or later, and the log from there on leads to the source's state. The other way round, a change between
// the reading of the definition and the position would be in neither.
func (c *Copier) renew(ctx context.Context, records []db.Record, names []schema.Name) ([]db.Record, error) {
	tables, pos, err := c.asOf(ctx, names)
	if err != nil {
		return nil, err
	}
	var put []db.Record
	for _, t := range tables {
		if !t.Kind.HoldsRows() {
			continue
		}
		if differences := c.target.Dialect().Regenerates(t); len(differences) > 0 {
			return nil, unsupported("table %s is not understood as the source means it: %s", t.Name, differences[0])
		}
		put = append(put, db.Record{Source: t.Name, Shape: t, Since: pos, Copy: true})
		c.evolver.opts.Log.Warn().Stringer("table", t.Name).Msg("table is copied anew, as it is on the source now")
	}
	// A table that the source no longer has keeps a record without a shape: its position says that the DROP in the log
	// is done with.
	for _, name := range names {
		if !slices.ContainsFunc(put, func(r db.Record) bool { return r.Source == name }) {
			put = append(put, db.Record{Source: name, Since: pos})
		}
	}
	before := records
	records = slices.DeleteFunc(slices.Clone(records), func(r db.Record) bool {
		return slices.Contains(names, r.Source)
	})
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
	if err := c.admit(ctx, before, p, records[kept:]); err != nil {
		return nil, err
	}
	if err := c.amend(ctx, before, records[kept:]); err != nil {
		return nil, err
	}
	c.evolver.opts.Recorded(ctx)
	return records, nil
}

// stillTries is how often tables that change while they are read are read once more.
const stillTries = 10

// asOf returns the named tables as of a position: definitions, position, definitions, until both readings are equal. Of
// tables that change all the time the definitions may be younger than the position. Then the log brings changes that
// they have already, which Evolver.Change recognises or refuses.
func (c *Copier) asOf(ctx context.Context, names []schema.Name) (tables []*schema.Table, pos db.Position, err error) {
	read := func() ([]*schema.Table, error) {
		return c.evolver.source.Tables(ctx, func(n schema.Name) bool {
			return slices.Contains(names, n) && c.evolver.rules.Follows(n)
		})
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
			return x.Name == y.Name && len(c.source.Dialect().Differences(x, y, true, true)) == 0
		}) {
			break
		}
	}
	return tables, pos, nil
}

// amend drops the target's tables whose source is gone, and writes the records. Tables go first: after a kill in
// between the record still names the table, and the next run drops it. The other way round it would stay for ever.
func (c *Copier) amend(ctx context.Context, before, put []db.Record) error {
	for _, r := range put {
		at := slices.IndexFunc(before, func(x db.Record) bool { return x.Source == r.Source && x.Shape != nil })
		if r.Shape != nil || at < 0 {
			continue
		}
		if err := c.target.Execute(ctx, c.target.Dialect().DropTable(before[at].Target)); err != nil {
			return err
		}
	}
	return c.target.Ledger().Amend(ctx, put, nil)
}

// Admit refuses to copy tables whose names on the target belong to others (init-copy --table). It changes nothing, so
// that init-copy can ask before it gives up what the tables had.
func (c *Copier) Admit(ctx context.Context, again []schema.Name) error {
	records, err := c.target.Ledger().Records(ctx)
	// With schema.existing: accept an existing table may fit. That is judged in Ready, when its plan is known.
	if err != nil || c.evolver.opts.Accept {
		return err
	}
	var names []schema.Name
	for _, n := range again {
		if !slices.ContainsFunc(records, func(r db.Record) bool { return r.Source == n && r.Shape != nil }) {
			names = append(names, c.evolver.rules.Target(n))
		}
	}
	there, err := c.target.Tables(ctx, func(n schema.Name) bool { return slices.Contains(names, n) })
	if err != nil || len(there) == 0 {
		return err
	}
	owned, err := db.ReadOwned(ctx, c.target.Ledger())
	if err != nil {
		return err
	}
	taken := &nameTakenError{}
	for _, t := range there {
		if owned[t.Name] == "" {
			reason := fmt.Sprintf("table %s exists on the target, and this move did not make it", t.Name)
			taken.reasons = append(taken.reasons, reason)
		}
	}
	if len(taken.reasons) > 0 {
		return fmt.Errorf("copy %s again: %w; nothing was changed: %s", texts(again), taken, taken.advice())
	}
	return nil
}

// admit refuses existing tables under the names of new ones, as the function admit does for schema changes. A table
// that a begun schema change was making is the move's own.
func (c *Copier) admit(ctx context.Context, before []db.Record, p *plan.Plan, put []db.Record) error {
	made := map[schema.Name]plan.Existing{}
	for i, r := range p.Routes {
		known := slices.ContainsFunc(before, func(x db.Record) bool {
			return x.Shape != nil && x.Target == r.Target.Name()
		})
		if !known && slices.ContainsFunc(put, func(x db.Record) bool { return x.Source == r.Source.Name() }) {
			made[r.Target.Name()] = plan.Existing{Source: p.Steps[i].Source, Plan: p.Steps[i].Target}
		}
	}
	there, err := c.target.Tables(ctx, func(n schema.Name) bool { return made[n].Plan != nil })
	if err != nil || len(there) == 0 {
		return err
	}
	owned, err := db.ReadOwned(ctx, c.target.Ledger())
	if err != nil {
		return err
	}
	begun, err := c.evolver.pending(ctx)
	if err != nil {
		return err
	}
	making, err := begun.targets()
	if err != nil {
		return err
	}
	there = slices.DeleteFunc(there, func(t *schema.Table) bool {
		return owned[t.Name] != "" && slices.Contains(making, t.Name)
	})
	if len(there) == 0 {
		return nil
	}
	err = admit(ctx, c.target, c.target.Ledger(), owned, there, slices.Collect(maps.Values(made)),
		c.evolver.opts.Accept)
	if taken := new(nameTakenError); errors.As(err, &taken) {
		return fmt.Errorf("copy %s: %w; nothing was changed: %s", texts(sources(put)), taken, taken.advice())
	}
	return err
}

// sources returns the source's names of records.
func sources(records []db.Record) (names []schema.Name) {
	for _, r := range records {
		names = append(names, r.Source)
	}
	return names
}
