package schema

import (
	"slices"
	"strings"
)

// index carries an index.
func (m *mapping) index(index *Index) {
	for i := range index.Parts {
		part := &index.Parts[i]
		if part.Expr != "" && !m.flavor.HasFunctionalIndexes() {
			m.fatal("functional-index", "", "%s cannot index the expression %s of index %s", m.flavor, part.Expr, index.Name)
		}
		if part.Desc && !m.flavor.HasDescIndexes() {
			m.note("descending-index", part.Column, "index %s becomes ascending", index.Name)
			part.Desc = false
		}
		m.longUnique(index, part)
	}
	if index.Invisible && !m.flavor.HasInvisibleIndexes() {
		m.note("invisible-index", "", "index %s becomes visible to the optimizer", index.Name)
		index.Invisible = false
	}
	m.indexExtra(index)
}

// longUnique refuses MariaDB's unique indexes over whole TEXT and BLOB columns, and over what is too long for a key,
// both of which it keeps by a hash (MDEV-371).
func (m *mapping) longUnique(index *Index, part *Part) {
	if m.flavor.MariaDB || !m.crossing || !index.Unique {
		return
	}
	at := m.target.Column(part.Column)
	whole := at >= 0 && part.Prefix == 0 && (m.target.Columns[at].Type.Kind == Text || m.target.Columns[at].Type.Kind == Blob)
	hashed := index.Using == "HASH" && !strings.EqualFold(m.target.Engine, "MEMORY")
	if whole || hashed {
		m.fatal("long-unique", part.Column, "%s cannot hold unique index %s, which %s keeps by a hash", m.flavor, index.Name, m.source.Flavor)
	}
}

// inKey tells whether a column takes part in the primary key, a unique index or a foreign key: what compares equal there
// decides which rows there can be. A foreign key's columns need the collation of those that they reference.
func (m *mapping) inKey(column string) bool {
	named := func(name string) bool { return strings.EqualFold(name, column) }
	has := func(index Index) bool {
		return index.Unique && slices.ContainsFunc(index.Parts, func(part Part) bool { return named(part.Column) })
	}
	return m.source.Primary != nil && has(*m.source.Primary) || slices.ContainsFunc(m.source.Indexes, has) ||
		slices.ContainsFunc(m.source.ForeignKeys, func(key ForeignKey) bool { return slices.ContainsFunc(key.Columns, named) })
}
