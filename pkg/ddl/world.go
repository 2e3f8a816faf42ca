package ddl

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// world is the catalog while a statement runs: with what its first parts have done.
type world struct {
	ctx     Context
	cat     Catalog
	changed map[schema.Name]*schema.Table // nil of a name that is gone, or whose shape is not known
}

func newWorld(ctx Context, cat Catalog) *world {
	return &world{ctx: ctx, cat: cat, changed: map[schema.Name]*schema.Table{}}
}

// table returns a table as it is now, or nil.
func (w *world) table(n schema.Name) *schema.Table {
	if t, ok := w.changed[n]; ok {
		return t
	}
	if w.cat.Table == nil {
		return nil
	}
	return w.cat.Table(n)
}

// children returns the tables with a foreign key to the named one, as they are now, but for that table itself.
func (w *world) children(parent schema.Name) []*schema.Table {
	var found []*schema.Table
	add := func(t *schema.Table) {
		if t != nil && t.Name != parent && refers(t, parent) && !slices.ContainsFunc(found, func(o *schema.Table) bool { return o.Name == t.Name }) {
			found = append(found, t)
		}
	}
	if w.cat.Children != nil {
		for _, t := range w.cat.Children(parent) {
			add(w.table(t.Name))
		}
	}
	for _, t := range w.changed {
		add(t)
	}
	slices.SortFunc(found, func(a, b *schema.Table) int { return strings.Compare(a.Name.String(), b.Name.String()) })
	return found
}

func refers(t *schema.Table, parent schema.Name) bool {
	return slices.ContainsFunc(t.ForeignKeys, func(k schema.ForeignKey) bool { return k.Parent == parent })
}

// database returns the default character set and collation of a database, "" when they are not known.
func (w *world) database(name string) (charset, collation string) {
	if w.cat.Database == nil {
		return "", ""
	}
	charset, collation = w.cat.Database(name)
	return modern(charset), modern(collation)
}

// standard returns a character set's default collation, or "".
func (w *world) standard(charset string) string {
	if charset == "binary" {
		return "binary"
	}
	if c := w.cat.Collations.Default[charset]; c != "" {
		return modern(c)
	}
	if charset == "utf8mb3" {
		return modern(w.cat.Collations.Default["utf8"])
	}
	return ""
}

// charsetOf returns a collation's character set.
func (w *world) charsetOf(collation string) string {
	for _, name := range []string{collation, strings.Replace(collation, "utf8mb3_", "utf8_", 1)} {
		if charset := w.cat.Collations.Known[name]; charset != "" {
			return modern(charset)
		}
	}
	charset, _, _ := strings.Cut(collation, "_")
	return modern(charset)
}

// clone returns a copy that shares nothing that is changed here.
func clone(t *schema.Table) *schema.Table {
	c := *t
	c.Definition = ""
	c.Columns = slices.Clone(t.Columns)
	if t.Primary != nil {
		primary := cloneIndex(*t.Primary)
		c.Primary = &primary
	}
	c.Indexes = slices.Clone(t.Indexes)
	for i := range c.Indexes {
		c.Indexes[i] = cloneIndex(c.Indexes[i])
	}
	c.ForeignKeys = slices.Clone(t.ForeignKeys)
	for i, key := range c.ForeignKeys {
		c.ForeignKeys[i].Columns, c.ForeignKeys[i].ParentColumns = slices.Clone(key.Columns), slices.Clone(key.ParentColumns)
	}
	c.Checks = slices.Clone(t.Checks)
	c.Options = slices.Clone(t.Options)
	return &c
}

func cloneIndex(index schema.Index) schema.Index {
	index.Parts = slices.Clone(index.Parts)
	return index
}
