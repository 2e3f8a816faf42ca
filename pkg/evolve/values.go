package evolve

import (
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// An ALTER TABLE changes values of existing rows, and the log has none of the changed rows: `ALTER TABLE t MODIFY c
// INT` turns the text '7x' into 7, or fails, by sql_mode. The target executes the same ALTER under the session of the
// source's statement, and so arrives at the same values. Where two servers need not agree, the change is refused if
// rows could be mistaken for one another: if key values may differ, or whether a row passes the row filter. Differences
// in all other values are left to verify and cutover, which find them.

// alter notes an alteration of a table, under the name that it has afterwards.
func (c *change) alter(name schema.Name, e *schema.Effect, r *db.Record) {
	g := goal{
		Kind: altered, Source: name, Former: e.Former, Empties: e.Empties, Copying: r.Copy,
		before: r.Shape, converts: e.Converts,
	}
	if !reuses(r.Shape, e) {
		c.goals = append(c.goals, g)
		return
	}
	// After `ALTER TABLE t CHANGE a b INT, CHANGE b a INT` the table looks as it did before. If wherry is killed then,
	// the definition does not say whether the columns have changed places, and a second ALTER would change them back.
	// So the same statement sets a comment as a mark; a second goal takes the mark away.
	g.Marked = true
	c.goals = append(c.goals, g, goal{
		Kind: altered, Source: name, Former: sameNames(e.After, e.After),
		Copying: r.Copy,
	})
}

// reuses returns whether a column now has the name that another one had: columns change places, or
// `ALTER TABLE t DROP c, ADD c INT` drops one and adds another by the same name.
func reuses(before *schema.Table, e *schema.Effect) bool {
	return e.After != nil && slices.ContainsFunc(e.After.Columns, func(c schema.Column) bool {
		return before.Column(c.Name) >= 0 && !strings.EqualFold(e.Former[c.Name], c.Name)
	})
}

// mark is the comment of a table on the target whose columns have been changed already. Its own comment comes next.
const mark = "wherry: the columns of this table have just been changed"

// marked returns the table with the mark, and the lineage of its columns. Once the target's table has the mark, every
// column comes from the one of its own name: the ALTER is done, and must not be done twice.
func marked(want, got *schema.Table, former map[string]string) (*schema.Table, map[string]string) {
	out := *want
	out.Comment = mark
	if got.Comment == mark {
		former = sameNames(want, want)
	}
	return &out, former
}

// exact refuses an alteration after which a row of the target may pass for another row of the source. It knows nothing
// of the values themselves: it goes by types, the key, and the columns of the row filter.
func (c *change) exact(g *goal, p *plan.Plan) error {
	at := slices.IndexFunc(p.Routes, func(r *route.Route) bool { return r.Source.Name() == g.Source })
	if g.Kind != altered || g.before == nil || at < 0 || c.opts.Skip {
		return nil
	}
	r := p.Routes[at]
	after, here, there := r.Source.Table, r.Source.Table.Flavor.Family, r.Target.Table.Flavor.Family
	across := here.Across(there)
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
		case across && slices.Contains(after.Key(), i) &&
			(!schema.Measured(here, there) || !alike(&g.before.Columns[was].Type, &after.Columns[i].Type)):
			return unsupported("values of key column %s of %s were converted, which the two families need not do alike",
				name, g.Source)
		}
	}
	if across {
		return filled(g, after)
	}
	return nil
}

// numbered returns the column that becomes AUTO_INCREMENT by the alteration; "" when there is none. The server numbers
// existing rows then, in the order of the primary key.
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

// sorts returns whether the order of rows depends on how texts sort. The two families sort by collations of their own:
// only _bin collations, and the numbers of enum and set, are the same on both.
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

// alike returns whether MySQL and MariaDB convert every value of one type to the other in the same way. It lists what
// was found to agree, for instance VARCHAR in latin1 to TEXT in utf8mb4. What is not listed, such as DOUBLE to VARCHAR,
// counts as different.
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

// filled refuses new columns in which existing rows get another value on the other family. `ALTER TABLE t ADD j JSON
// NOT NULL` writes the document null on MySQL, and an empty text on MariaDB, where JSON is text.
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
