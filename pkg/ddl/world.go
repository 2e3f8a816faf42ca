package ddl

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// world is the catalog while a statement runs, with what its first parts have done. The catalog itself never changes,
// so one can be used for several readings of a statement.
type world struct {
	ctx     Context
	cat     Catalog
	changed map[schema.Name]*schema.Table // nil of a name that is gone, or whose shape is not known
}

func newWorld(ctx Context, cat Catalog) *world {
	return &world{ctx: ctx, cat: cat, changed: map[schema.Name]*schema.Table{}}
}

// table returns a table as it is at this point of the statement, or nil when it does not exist or is unknown.
func (w *world) table(n schema.Name) *schema.Table {
	if t, ok := w.changed[n]; ok {
		return t
	}
	if w.cat.Table == nil {
		return nil
	}
	return w.cat.Table(n)
}

// children returns the tables with a foreign key to the named one, as they are at this point, without that table
// itself, sorted by name. A key that an earlier part has pointed here counts, and one that it has pointed elsewhere
// does not.
func (w *world) children(parent schema.Name) []*schema.Table {
	var found []*schema.Table
	add := func(t *schema.Table) {
		if t != nil && t.Name != parent && refers(t, parent) &&
			!slices.ContainsFunc(found, func(o *schema.Table) bool { return o.Name == t.Name }) {
			found = append(found, t)
		}
	}
	if w.cat.Children != nil {
		for _, t := range w.cat.Children(parent) {
			add(w.table(t.Name))
		}
	}
	for _, t := range w.changed { // in no order, so they are sorted below
		add(t)
	}
	slices.SortFunc(found, func(a, b *schema.Table) int { return strings.Compare(a.Name.String(), b.Name.String()) })
	return found
}

// refers returns whether a table has a foreign key to another.
func refers(t *schema.Table, parent schema.Name) bool {
	return slices.ContainsFunc(t.ForeignKeys, func(k schema.ForeignKey) bool { return k.Parent == parent })
}

// database returns the default character set and collation of a database, "" when they are not known. What the context
// says as of the statement comes first: the catalog may know today's only.
func (w *world) database(name string) (charset, collation string) {
	if w.ctx.Databases != nil {
		collation = mysql.Modern(w.ctx.Databases[strings.ToLower(name)])
		if collation == "" { // a database that was not there when the defaults were recorded
			return "", ""
		}
		return w.cat.Collations.Charset(collation), collation
	}
	if w.cat.Database == nil {
		return "", ""
	}
	charset, collation = w.cat.Database(name)
	return mysql.Modern(charset), mysql.Modern(collation)
}

// clone returns a copy that shares nothing that is changed here. What becomes of it is worked out, so it has no
// definition that a server has printed.
func clone(t *schema.Table) *schema.Table {
	c := t.Clone()
	c.Definition = ""
	return c
}
