package route

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// Compared returns the route that rows are compared by: they carry the values of stored generated columns too, behind
// the others, though nobody writes them. Each server has computed its own, and what one of them computed otherwise is a
// difference as any other. Left out are columns whose values depend on the session that wrote the row, for which the
// move is refused unless that loss is allowed, and those that are computed of text which only one of the servers keeps
// as it was written (see Rule.Form).
func (r *Route) Compared() *Route {
	compared := *r
	source, target := r.Source.Table, r.Target.Table
	for i := range source.Columns {
		c := &source.Columns[i]
		at := target.ColumnOf(c.Name)
		if c.Generated != schema.Stored || at < 0 || slices.Contains(r.Source.Columns, i) ||
			strings.HasPrefix(c.Expr, "ROW ") || r.apart(c) || r.ofForms(c) {
			continue
		}
		compared.Source.Columns = append(slices.Clone(compared.Source.Columns), i)
		compared.Target.Columns = append(slices.Clone(compared.Target.Columns), at)
	}
	n := len(compared.Source.Columns) - len(r.Source.Columns)
	if n == 0 {
		return r
	}
	compared.compile()
	compared.Source.Computed, compared.Target.Computed, compared.plain = n, n, r
	return &compared
}

// Plain returns the route without what Compared has added.
func (r *Route) Plain() *Route {
	if r.plain != nil {
		return r.plain
	}
	return r
}

// apart tells whether a column's values may differ, see Route.Apart.
func (r *Route) apart(c *schema.Column) bool {
	return named(r.Apart, c)
}

// ofForms tells whether a column is computed of a value that the other end keeps in another form.
func (r *Route) ofForms(c *schema.Column) bool {
	for i := range r.Source.Rules {
		if r.Source.Rule(i).Form != schema.Other && schema.Mentions(c.Expr, r.Source.Column(i).Name) {
			return true
		}
	}
	return false
}

// AllCompared returns all routes as rows are compared by them.
func AllCompared(routes []*Route) []*Route {
	compared := make([]*Route, len(routes))
	for i, r := range routes {
		compared[i] = r.Compared()
	}
	return compared
}
