package plan

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Turn returns the way back of a plan as far as the plan itself tells: every route with its ends exchanged. That is
// what can be known before there are tables on the target.
func Turn(p *Plan) *Plan {
	return turn(p, func(r *route.Route) (now, old *schema.Table) { return r.Target.Table, r.Source.Table })
}

// Return plans the way back of a move that is over: from the tables of its target to those of its source, which are
// there and stay as they are, until a schema change is carried over to them.
type Return struct {
	Dialect schema.Dialect // of the source
	Rules   *route.Reversed
	Options Options
	// Fixed are the tables of the source that are not what is planned from their counterparts, by the names of those:
	// as they are and, in case a change was made there by hand before its turn, as they were. The first that has the
	// same columns and key counts.
	Fixed map[schema.Name][]*schema.Table
}

// Of plans where the target's tables go back to.
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

// Unlike returns which of the target's tables, by their names, the source does not have as they would be planned for
// it, and what of them is not. A schema change of such a table would carry more over than was changed.
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
			// that one is in values, not in the table
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

// fixed leads a table to the first of the given ones that it fits.
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

// filtered is a table that has no way back.
func (b *builder) filtered(name schema.Name) {
	b.fail("way_back", name.String(), "has a row filter: rows that were changed here could take the place of those "+
		"that stayed behind", "there is no way back for such a table")
}

// back leads a table of the target to that of the source, or finds why it has no way back.
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

// lacks names the columns with rows' values that other has not.
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

func keyNames(t *schema.Table) (names []string) {
	for _, at := range t.Key() {
		names = append(names, strings.ToLower(t.Columns[at].Name))
	}
	return names
}
