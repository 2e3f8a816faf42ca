package mysql

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// index carries an index. What is lost of a plain index costs time and no rows, so most of it is only noted.
func (m *mapping) index(index *schema.Index) {
	for i := range index.Parts {
		part := &index.Parts[i]
		if part.Expr != "" && !m.flavor.HasFunctionalIndexes() {
			m.fatal("functional-index", "", "%s cannot index the expression %s of index %s", m.flavor, part.Expr,
				index.Name)
		}
		if part.Desc && !m.flavor.HasDescIndexes() {
			m.note("descending-index", part.Column, "index %s becomes ascending", index.Name)
			part.Desc = false
		}
		m.longUnique(index, part)
	}
	m.sessionIndex(index)
	if index.Using == "HASH" && !index.Unique && m.flavor.Family == schema.MySQL &&
		!strings.EqualFold(m.target.Engine, "MEMORY") {
		m.note("hash-index", "", "index %s is a B-tree, as on the source, and no longer said to be a hash", index.Name)
		index.Using = "" // MySQL says what InnoDB made of it (note 3502), MariaDB what was asked for
	}
	if index.Invisible && !m.flavor.HasInvisibleIndexes() {
		m.note("invisible-index", "", "index %s becomes visible to the optimizer", index.Name)
		index.Invisible = false
	}
	m.indexExtra(index)
}

// longUnique refuses MariaDB's unique indexes over whole TEXT and BLOB columns, and over what is too long for a key,
// both of which it keeps by a hash (MDEV-371).
func (m *mapping) longUnique(index *schema.Index, part *schema.Part) {
	if m.flavor.Family == schema.MariaDB || !m.crossing || !index.Unique {
		return
	}
	at := m.target.Column(part.Column)
	whole := at >= 0 && part.Prefix == 0 && (m.target.Columns[at].Type.Kind == schema.Text ||
		m.target.Columns[at].Type.Kind == schema.Blob)
	hashed := index.Using == "HASH" && !strings.EqualFold(m.target.Engine, "MEMORY")
	if whole || hashed {
		m.fatal("long-unique", part.Column, "%s cannot hold unique index %s, which %s keeps by a hash", m.flavor,
			index.Name, Flavor(m.source.Flavor))
	}
}

// inKey returns whether a column takes part in the primary key, a unique index or a foreign key: what compares equal
// there decides which rows there can be. A foreign key's columns need the collation of those that they reference.
func (m *mapping) inKey(column string) bool {
	named := func(name string) bool { return strings.EqualFold(name, column) }
	has := func(index schema.Index) bool {
		return index.Unique && slices.ContainsFunc(index.Parts, func(part schema.Part) bool {
			return named(part.Column)
		})
	}
	return m.source.Primary != nil && has(*m.source.Primary) || slices.ContainsFunc(m.source.Indexes, has) ||
		slices.ContainsFunc(m.source.ForeignKeys, func(key schema.ForeignKey) bool {
			return slices.ContainsFunc(key.Columns, named)
		})
}
