package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Turn returns the way back of a plan as far as the plan itself tells: every route with its ends exchanged. That is what can be
// known before there are tables on the target.
func Turn(p *Plan) *Plan {
	return turn(p, func(r *route.Route) (now, old *schema.Table) { return r.Target.Table, r.Source.Table })
}

// Reverse returns the way back of a move that is over: from the tables as its target has them now to those of its source. Both
// sides must still hold the same columns under the same key: a schema change since the cutover has to be made on both.
func Reverse(ctx context.Context, p *Plan, target, source db.Reader) (*Plan, error) {
	now, err := read(ctx, target, p, func(r *route.Route) schema.Name { return r.Target.Name() })
	if err != nil {
		return nil, fmt.Errorf("read the target's tables: %w", err)
	}
	old, err := read(ctx, source, p, func(r *route.Route) schema.Name { return r.Source.Name() })
	if err != nil {
		return nil, fmt.Errorf("read the source's tables: %w", err)
	}
	return turn(p, func(r *route.Route) (*schema.Table, *schema.Table) { return now[r.Target.Name()], old[r.Source.Name()] }), nil
}

func read(ctx context.Context, reader db.Reader, p *Plan, name func(*route.Route) schema.Name) (map[schema.Name]*schema.Table, error) {
	wanted, found := map[schema.Name]bool{}, map[schema.Name]*schema.Table{}
	for _, r := range p.Routes {
		wanted[name(r)] = true
	}
	tables, err := reader.Tables(ctx, func(n schema.Name) bool { return wanted[n] })
	for _, t := range tables {
		found[t.Name] = t
	}
	return found, err
}

func turn(p *Plan, tables func(*route.Route) (now, old *schema.Table)) *Plan {
	b := &builder{}
	for _, r := range p.Routes {
		now, old := tables(r)
		if back := b.back(r, now, old); back != nil {
			b.Routes = append(b.Routes, back)
			b.Steps = append(b.Steps, schema.Step{Source: now, Target: old})
		}
	}
	return &b.Plan
}

// back turns one route round, or finds why it has no way back.
func (b *builder) back(r *route.Route, now, old *schema.Table) *route.Route {
	fail := func(what, fix string) *route.Route {
		b.fail("way_back", r.Target.Name().String(), what, fix)
		return nil
	}
	const mend = "make both tables alike again, or do without a way back for all tables"
	switch {
	case r.Filter != nil:
		return fail("has a row filter: rows that were changed here could take the place of those that stayed behind", "there is no way back for such a table")
	case now == nil || old == nil:
		return fail("is no more on both sides", mend)
	}
	if lacking := append(lacks(now, old, "source"), lacks(old, now, "target")...); len(lacking) > 0 {
		return fail(strings.Join(lacking, ", "), mend)
	}
	if key, other := keyNames(now), keyNames(old); !slices.Equal(key, other) {
		return fail(fmt.Sprintf("has the key (%s) on the target and (%s) on the source", strings.Join(key, ", "), strings.Join(other, ", ")), mend)
	}
	into := *old
	if index := old.KeyIndex(); index != nil {
		into.RowKey = index.Name
	}
	if columns := schema.Blurred(now, &into, old); len(columns) > 0 {
		b.add(db.Warn, "way_back", r.Target.Name().String(), "tells rows apart by "+strings.Join(columns, ", ")+" under another collation than the source does: "+
			"two rows may be one there", "look at what verify --reverse finds")
	}
	back, err := route.New(now, &into, "")
	if err != nil {
		return fail(err.Error(), mend)
	}
	return back
}

// lacks names the columns with rows' values that other has not.
func lacks(t, other *schema.Table, end string) (lacking []string) {
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Generated == schema.NotGenerated && (other.Column(c.Name) < 0 || other.Columns[other.Column(c.Name)].Generated != schema.NotGenerated) {
			lacking = append(lacking, fmt.Sprintf("column %s is not on the %s", c.Name, end))
		}
	}
	return lacking
}

func keyNames(t *schema.Table) (names []string) {
	for _, at := range t.Key() {
		names = append(names, strings.ToLower(t.Columns[at].Name))
	}
	return names
}
