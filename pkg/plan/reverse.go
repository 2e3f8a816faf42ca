package plan

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Turn returns the way back of a plan: every route with its ends exchanged. It goes by the plan alone, so it can be
// asked before the move, when the target has no tables yet: check says by it whether there will be a way back.
func Turn(p *Plan) *Plan {
	return turn(p, func(r *route.Route) (now, old *schema.Table) { return r.Target.Table, r.Source.Table })
}

// Return plans the way back after a cutover: from the tables of the target to those of the source. These exist, with
// their rows, and stay as they are until a schema change is carried over to them.
type Return struct {
	Dialect schema.Dialect // of the source
	Rules   *route.Reversed
	Options Options
	// Fixed are tables of the source that differ from what would be planned for the target's tables, by the names of
	// the latter; for instance an old MariaDB table that has UUID where the target has CHAR. Several shapes of one
	// table are given if a change may have been made there by hand before its turn: as it is, and as it was. The first
	// one with the same columns and key counts.
	Fixed map[schema.Name][]*schema.Table
}

// Of plans where the target's tables go back to. A table that is not fixed is planned like one of a move.
func (r *Return) Of(tables []*schema.Table) *Plan {
	b := &builder{dialect: r.Dialect, rules: r.Rules, opts: r.Options}
	return b.all(tables, func(t *schema.Table) bool {
		old, fixed := r.Fixed[t.Name]
		switch {
		case r.Rules.Where(t.Name) != "":
			b.filtered(t.Name)
			return false
		case !fixed:
			return b.table(t)
		}
		return b.fixed(t, old)
	})
}

// Unlike returns the target's tables that the source has in another shape than would be planned for it, with the reason
// in words. Such a table must be fixed: to carry a schema change over means to make the source's table what is planned,
// which here is more than the statement changed.
func (r *Return) Unlike(tables, source []*schema.Table) map[schema.Name]string {
	old := map[schema.Name]*schema.Table{}
	for _, t := range source {
		old[t.Name] = t
	}
	unlike := map[schema.Name]string{}
	for _, t := range tables {
		unlike[t.Name] = "what the source can hold of it is not what it has"
	}
	for _, step := range (&Return{Dialect: r.Dialect, Rules: r.Rules, Options: r.Options}).Of(tables).Steps {
		if slices.ContainsFunc(step.Losses, func(l schema.Loss) bool {
			// A session expression loses values; the definition is the same.
			return l.Grade == schema.Fatal || l.Grade == schema.Lossy && l.Name != schema.SessionExpression
		}) {
			continue
		}
		got := old[step.Target.Name]
		if got == nil {
			continue
		}
		differences := r.Dialect.Differences(step.Target, got, true, true)
		if len(differences) == 0 {
			delete(unlike, step.Source.Name)
			continue
		}
		unlike[step.Source.Name] = "the source has another table than would be made there for the target's: " +
			differences[0]
	}
	return unlike
}

// fixed leads a table to the first of the given shapes that it fits. If it fits none, the findings are those of the
// last one tried, which is the shape that the table had before.
func (b *builder) fixed(t *schema.Table, old []*schema.Table) bool {
	for i, into := range append(old, nil) {
		try := builder{}
		back := try.back(t, into)
		if back == nil && i < len(old) && slices.ContainsFunc(old[i+1:], func(x *schema.Table) bool {
			return (&builder{}).back(t, x) != nil
		}) {
			continue
		}
		b.Findings = append(b.Findings, try.Findings...)
		if back != nil {
			back.Apart = b.dialect.SessionColumns(t)
			b.Routes = append(b.Routes, back)
			b.Steps = append(b.Steps, Step{Source: t, Target: into})
		}
		return back != nil
	}
	return false
}

// turn exchanges the ends of all routes. tables returns, for a route, the table that is read on the way back and the
// one that is written.
func turn(p *Plan, tables func(*route.Route) (now, old *schema.Table)) *Plan {
	b := &builder{}
	for _, r := range p.Routes {
		if r.Filter != nil {
			b.filtered(r.Target.Name())
			continue
		}
		now, old := tables(r)
		if back := b.back(now, old); back != nil {
			back.Apart = r.Apart
			b.Routes = append(b.Routes, back)
			b.Steps = append(b.Steps, Step{Source: now, Target: old})
		}
	}
	return &b.Plan
}

// filtered adds the finding for a table with a row filter, which has no way back. The source still has the rows that
// the filter left behind: a row that the target inserts may have the key of one of them, and would overwrite it.
func (b *builder) filtered(name schema.Name) {
	b.fail("way_back", name.String(), "has a row filter: rows that were changed here could take the place of those "+
		"that stayed behind", "there is no way back for such a table")
}

// back leads a table of the target to that of the source, or adds the finding why it has no way back. Both must have
// the same columns and the same key; all else may differ, since the source's table is not made anew.
func (b *builder) back(now, old *schema.Table) *route.Route {
	fail := func(what, fix string) *route.Route {
		b.fail("way_back", now.Name.String(), what, fix)
		return nil
	}
	const mend = "make both tables alike again, or do without a way back for all tables"
	if old == nil {
		return fail("is no more on both sides", mend)
	}
	if lacking := append(lacks(now, old, "source"), lacks(old, now, "target")...); len(lacking) > 0 {
		return fail(strings.Join(lacking, ", "), mend)
	}
	if key, other := keyNames(now), keyNames(old); !slices.Equal(key, other) {
		return fail(fmt.Sprintf("has the key (%s) on the target and (%s) on the source", strings.Join(key, ", "),
			strings.Join(other, ", ")), mend)
	}
	into := *old
	if index := old.KeyIndex(); index != nil {
		into.RowKey = index.Name
	}
	if columns := schema.RecollatedColumns(now, &into, old); len(columns) > 0 {
		b.add(db.Warn, "way_back", now.Name.String(), "tells rows apart by "+strings.Join(columns,
			", ")+" under another collation than the source does: "+
			"two rows may be one there", "look at what verify --reverse finds")
	}
	back, err := route.New(now, &into, "")
	if err != nil {
		return fail(err.Error(), mend)
	}
	if columns := back.KeyForms(); len(columns) > 0 {
		b.add(db.Warn, "way_back", now.Name.String(), "tells rows apart by "+strings.Join(columns,
			", ")+", whose text the source writes in one way only: "+
			"a row whose key is written in another way here has no way back",
			"have applications write such keys as they are read")
	}
	return back
}

// lacks describes the columns that rows carry and that other does not have, or has as generated ones, which cannot be
// written.
func lacks(t, other *schema.Table, end string) (lacking []string) {
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Generated == schema.NotGenerated && (other.Column(c.Name) < 0 ||
			other.Columns[other.Column(c.Name)].Generated != schema.NotGenerated) {
			lacking = append(lacking, fmt.Sprintf("column %s is not on the %s", c.Name, end))
		}
	}
	return lacking
}

// keyNames returns the columns of the key in lower case, as servers compare them.
func keyNames(t *schema.Table) (names []string) {
	for _, at := range t.Key() {
		names = append(names, strings.ToLower(t.Columns[at].Name))
	}
	return names
}
