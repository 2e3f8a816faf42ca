package postgres

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// survey is what Map looks at beyond its own table.
type survey struct {
	tables map[schema.Name]*schema.Table // of the source
	named  map[schema.Name]int           // how many tables and indexes want a name in a schema
	types  map[columnName]string         // of columns that foreign keys tie together
}

// columnName is a column of the source, in lower case.
type columnName struct {
	table  schema.Name
	column string
}

// Survey returns the dialect of a move whose source tables are all known. Its Map gives one type to all columns that
// foreign keys tie together, keeps names of indexes apart from those of other tables and indexes, and drops foreign
// keys that lead to no unique key. Without it Map goes by the table alone: it takes BIGINT for an unsigned column of
// a foreign key, and takes every name for free. to names the table that a source table becomes.
func (d Dialect) Survey(tables []*schema.Table, to func(schema.Name) schema.Name) schema.Dialect {
	s := &survey{tables: map[schema.Name]*schema.Table{}, named: map[schema.Name]int{}}
	for _, t := range tables {
		s.tables[t.Name] = t
		target := d.opts.Identifiers.Name(to(t.Name))
		s.named[target]++
		for i := range t.Indexes {
			name := plainIndexName(target, d.opts.Identifiers.Apply(t.Indexes[i].Name))
			s.named[schema.Name{Database: target.Database, Table: name}]++
		}
	}
	s.types = d.tiedTypes(tables)
	d.known = s
	return d
}

// tiedTypes returns the types of columns that foreign keys tie together, where those of one table alone would not say
// the same: of BIGINT UNSIGNED, which becomes BIGINT where one of them counts, and of those that a user asked for.
func (d Dialect) tiedTypes(tables []*schema.Table) map[columnName]string {
	groups := newGroups()
	for _, t := range tables {
		for _, key := range t.ForeignKeys {
			for i, column := range key.Columns {
				if i < len(key.ParentColumns) {
					groups.tie(columnName{t.Name, strings.ToLower(column)},
						columnName{key.Parent, strings.ToLower(key.ParentColumns[i])})
				}
			}
		}
	}
	wanted := map[columnName]string{} // by the first of each group
	each := func(visit func(name columnName, t *schema.Table, c *schema.Column)) {
		for _, t := range tables {
			for i := range t.Columns {
				name := columnName{t.Name, strings.ToLower(t.Columns[i].Name)}
				visit(groups.first(name), t, &t.Columns[i])
			}
		}
	}
	each(func(first columnName, t *schema.Table, c *schema.Column) {
		switch text := d.asked(t.Name, c); {
		case text != "" && groups.ties(first):
			wanted[first] = text
		case wanted[first] != "" && wanted[first] != wide, c.Type.Kind != schema.Integer, c.Type.Size != 8,
			!c.Type.Unsigned:
		case c.AutoIncrement:
			wanted[first] = "bigint"
		case wanted[first] == "":
			wanted[first] = wide
		}
	})
	types := map[columnName]string{}
	each(func(first columnName, t *schema.Table, c *schema.Column) {
		if text := wanted[first]; text != "" {
			types[columnName{t.Name, strings.ToLower(c.Name)}] = text
		}
	})
	return types
}

// wide is the type that holds all of BIGINT UNSIGNED.
const wide = "numeric(20,0)"

// groups are columns that are tied together, each pointing to another of its group up to the first.
type groups struct {
	up   map[columnName]columnName
	some map[columnName]bool // that are tied to others
}

func newGroups() *groups { return &groups{map[columnName]columnName{}, map[columnName]bool{}} }

func (g *groups) first(name columnName) columnName {
	for {
		next, ok := g.up[name]
		if !ok {
			return name
		}
		name = next
	}
}

func (g *groups) tie(a, b columnName) {
	first, second := g.first(a), g.first(b)
	if first != second {
		g.up[second] = first
	}
	g.some[first] = true
}

// ties tells whether the group of a first column has others.
func (g *groups) ties(first columnName) bool { return g.some[first] }

// references tells whether a foreign key leads to columns that a unique key of the parent is over; true where the
// parent is not known.
func (s *survey) references(key *schema.ForeignKey) bool {
	if s == nil {
		return true
	}
	parent := s.tables[key.Parent]
	if parent == nil {
		return true
	}
	same := func(index *schema.Index) bool {
		return len(index.Parts) == len(key.ParentColumns) && !slices.ContainsFunc(index.Parts,
			func(p schema.Part) bool {
				return p.Expr != "" || p.Prefix != 0 || !slices.ContainsFunc(key.ParentColumns, func(name string) bool {
					return strings.EqualFold(name, p.Column)
				})
			})
	}
	return slices.ContainsFunc(parent.UniqueIndexes(), same)
}
