package evolve

import (
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// An alteration changes values of rows that are there, and the log has none of them. The target's own ALTER TABLE makes
// the same values of the same values, by the session of the source's statement. Where it need not, the alteration is
// refused if rows could be taken for others by it: when their keys may differ, or whether the move has them. What other
// values became, verify and cutover compare.

// alter notes an alteration of a table, under its name afterwards.
func (c *change) alter(name schema.Name, e *schema.Effect, r *db.Record) {
	g := goal{
		Kind: altered, Source: name, Former: e.Former, Empties: e.Empties, Copying: r.Copy,
		before: r.Shape, converts: e.Converts,
	}
	if !reuses(r.Shape, e) {
		c.goals = append(c.goals, g)
		return
	}
	// The table may look afterwards as it did before. So it is marked by the very statement, and then the mark is taken
	// away.
	g.Marked = true
	c.goals = append(c.goals, g, goal{
		Kind: altered, Source: name, Former: sameNames(e.After, e.After),
		Copying: r.Copy,
	})
}

// reuses tells whether a column has the name that another one had: columns change places, or one is dropped and added
// anew.
func reuses(before *schema.Table, e *schema.Effect) bool {
	return e.After != nil && slices.ContainsFunc(e.After.Columns, func(c schema.Column) bool {
		return before.Column(c.Name) >= 0 && !strings.EqualFold(e.Former[c.Name], c.Name)
	})
}

// mark is the comment of a table on the target whose columns are as they must be, and which is to get its own comment.
const mark = "wherry: the columns of this table have just been changed"

// marked returns a table with the mark, and the lineage of its columns: once it has the mark, they are what they must
// be.
func marked(want, got *schema.Table, former map[string]string) (*schema.Table, map[string]string) {
	out := *want
	out.Comment = mark
	if got.Comment == mark {
		former = sameNames(want, want)
	}
	return &out, former
}

// exact refuses an alteration by which rows of the target may be taken for others than those of the source.
func (c *change) exact(g *goal, p *plan.Plan) error {
	at := slices.IndexFunc(p.Routes, func(r *route.Route) bool { return r.Source.Name() == g.Source })
	if g.Kind != altered || g.before == nil || at < 0 || c.opts.Skip {
		return nil
	}
	r := p.Routes[at]
	after, across := r.Source.Table, r.Source.Table.Flavor.MariaDB != r.Target.Table.Flavor.MariaDB
	if name := numbered(g, after); name != "" {
		switch {
		case r.Filter != nil:
			return unsupported("rows of %s got numbers in column %s, and the target has only those that its row "+
				"filter lets pass",
				g.Source, name)
		case across && sorts(g.before):
			return unsupported("rows of %s got numbers in column %s in the order of its primary key, "+
				"in which the two families need not sort texts alike", g.Source, name)
		}
	}
	for _, name := range g.converts {
		i := after.Column(name)
		was := g.before.Column(g.Former[name])
		switch {
		case i < 0 || was < 0:
		case r.Filter != nil && r.Filter.Uses(&r.Source, name):
			return unsupported("values of column %s of %s changed, which its row filter looks at", name, g.Source)
		case across && slices.Contains(after.Key(), i) && !alike(&g.before.Columns[was].Type, &after.Columns[i].Type):
			return unsupported("values of key column %s of %s were converted, which the two families need not do alike",
				name, g.Source)
		}
	}
	if across {
		return filled(g, after)
	}
	return nil
}

// numbered returns the column that counts from now on, and did not before; "" when there is none.
func numbered(g *goal, after *schema.Table) string {
	for i := range after.Columns {
		c := &after.Columns[i]
		if was := g.before.Column(g.Former[c.Name]); c.AutoIncrement &&
			(was < 0 || !g.before.Columns[was].AutoIncrement) {
			return c.Name
		}
	}
	return ""
}

// sorts tells whether texts decide on the order of rows.
func sorts(t *schema.Table) bool {
	return t.Primary != nil && slices.ContainsFunc(t.Primary.Parts, func(p schema.Part) bool {
		at := t.Column(p.Column)
		if at < 0 {
			return true
		}
		of := &t.Columns[at].Type
		return of.IsText() && of.Kind != schema.Enum && of.Kind != schema.Set &&
			!strings.HasSuffix(of.Collation, "_bin")
	})
}

// alike tells whether both families convert every value of one type to the other alike.
func alike(from, to *schema.Type) bool {
	plain := func(t *schema.Type) bool {
		return slices.Contains([]string{"ascii", "latin1", "utf8mb3", "utf8mb4"}, t.Charset)
	}
	text := func(t *schema.Type) bool {
		return (t.Kind == schema.Char || t.Kind == schema.Varchar || t.Kind == schema.Text) && plain(t)
	}
	moment := func(t *schema.Type) bool { return t.Kind == schema.Datetime || t.Kind == schema.Timestamp }
	switch {
	case text(from) && text(to), moment(from) && moment(to):
		return true
	case from.Kind == schema.Decimal && to.Kind == schema.Integer,
		from.Kind == schema.Integer && to.Kind == schema.Decimal:
		return true
	case from.IsText() && !plain(from) || to.IsText() && !plain(to):
		return from.Charset == to.Charset && from.Kind == to.Kind
	default:
		return from.Kind == to.Kind
	}
}

// filled refuses new columns that rows get another value in on the other family: of JSON documents that must be there
// MySQL makes null, and MariaDB, where they are text, an empty text.
func filled(g *goal, after *schema.Table) error {
	for i := range after.Columns {
		c := &after.Columns[i]
		_, kept := g.Former[c.Name]
		given := c.Nullable || c.Default != nil || c.Generated != schema.NotGenerated
		if !kept && c.Type.Kind == schema.JSON && !given {
			return unsupported("new column %s of %s: what rows that are there get in it differs between the families",
				c.Name, g.Source)
		}
	}
	return nil
}
