package route

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// Compared returns the route that rows are compared by. Its rows have the values of stored generated columns too,
// behind all others. Nobody writes those, but applications read them, and each server has computed its own: a value
// that differs is a difference like any other.
//
// Left out are columns that differ without a fault: those that depend on the session that wrote the row (the move is
// refused unless that loss is allowed), and those computed from text that only one of the servers keeps as it was
// written (see Rule.Form), such as LENGTH(j) of a JSON column.
func (r *Route) Compared() *Route {
	compared := *r
	source, target := r.Source.Table, r.Target.Table
	for i := range source.Columns {
		c := &source.Columns[i]
		at := target.ColumnOf(c.Name)
		if c.Generated != schema.Stored || at < 0 || slices.Contains(r.Source.Columns, i) ||
			strings.HasPrefix(c.Expr, "ROW ") || // ROW START and ROW END of system versioning: times of each server
			r.apart(c) || r.ofForms(c) {
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

// Plain returns the route without what Compared has added, for whoever writes the rows that were compared.
func (r *Route) Plain() *Route {
	if r.plain != nil {
		return r.plain
	}
	return r
}

// apart returns whether a column's values may differ, see Route.Apart.
func (r *Route) apart(c *schema.Column) bool {
	return named(r.Apart, c)
}

// ofForms returns whether a column is computed from a value that the other end keeps in another form.
func (r *Route) ofForms(c *schema.Column) bool {
	for i := range r.Source.Rules {
		rule := r.Source.Rule(i)
		if (rule.Form != schema.Other || rule.recodes()) && schema.Mentions(c.Expr, r.Source.Column(i).Name) {
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
