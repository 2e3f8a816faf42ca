package postgres

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// indexes carries the primary key and all indexes.
func (m *mapping) indexes() {
	key := m.source.KeyIndex()
	if m.source.Primary != nil {
		if primary, ok := m.index(m.source.Primary, "PRIMARY"); ok {
			m.primary(primary)
		}
	}
	used := map[string]string{}
	for i := range m.source.Indexes {
		source := &m.source.Indexes[i]
		name := m.indexName(m.target.Name, m.opts.Identifiers.Apply(source.Name))
		if _, taken := used[name]; taken {
			name = hashed(name, source.Name)
		}
		used[name] = source.Name
		index, ok := m.index(source, name)
		if !ok {
			continue
		}
		m.target.Indexes = append(m.target.Indexes, index)
		if source == key {
			m.target.RowKey = name
		}
	}
	if m.source.Primary != nil && key == m.source.Primary {
		m.target.RowKey = "PRIMARY"
	}
}

// primary sets the primary key, which is ascending and over plain columns on PostgreSQL. One over the beginnings of
// values is a unique index.
func (m *mapping) primary(index schema.Index) {
	for i := range index.Parts {
		part := &index.Parts[i]
		if part.Expr != "" {
			index.Name, index.Unique = m.indexName(m.target.Name, "primary"), true
			m.target.Indexes = append(m.target.Indexes, index)
			return
		}
		if part.Desc {
			m.note("descending-index", part.Column, "the primary key becomes ascending")
			part.Desc = false
		}
	}
	m.target.Primary = &index
}

// index carries one index; ok is false when it is dropped.
func (m *mapping) index(source *schema.Index, name string) (index schema.Index, ok bool) {
	index = schema.Index{Name: name, Unique: source.Unique, Kind: source.Kind, Comment: source.Comment}
	if source.WithoutOverlaps() {
		m.fatal("without-overlaps", "", "PostgreSQL has no WITHOUT OVERLAPS, which index %s needs", source.Name)
		return index, false
	}
	if source.Invisible {
		m.note("invisible-index", "", "index %s becomes visible to the optimizer", source.Name)
	}
	switch source.Kind {
	case schema.Fulltext:
		return m.fulltext(source, index)
	case schema.Spatial:
		if !m.opts.PostGIS {
			m.lose("spatial-index", "", "SPATIAL index %s is dropped: it needs PostGIS", source.Name)
			return index, false
		}
	case schema.VectorIndex:
		m.lose("vector-index", "", "vector index %s is dropped", source.Name)
		return index, false
	default:
	}
	m.longKey(source)
	for _, part := range source.Parts {
		mapped, ok := m.part(source, part)
		if !ok {
			return index, false
		}
		index.Parts = append(index.Parts, mapped)
	}
	return index, true
}

// part carries one part of an index. The beginning of a value is an expression.
func (m *mapping) part(source *schema.Index, part schema.Part) (mapped schema.Part, ok bool) {
	mapped = schema.Part{Column: m.columnName(part.Column), Desc: part.Desc}
	at := m.target.Column(mapped.Column)
	switch {
	case part.Expr != "":
		return m.functional(source, part)
	case part.Prefix == 0 || at < 0:
		return mapped, true
	}
	switch t := &m.target.Columns[at].Type; {
	case t.Name == "bytea":
		mapped.Expr = fmt.Sprintf("substr(%s, 1, %d)", Quote(mapped.Column), part.Prefix)
	case isText(t):
		mapped.Expr = fmt.Sprintf("\"left\"(%s, %d)", Quote(mapped.Column), part.Prefix)
	default:
		return mapped, true // the beginning of a UUID or a document: the whole value
	}
	mapped.Column = ""
	return mapped, true
}

// fulltext makes a GIN index over the words of the columns, if the user asked for it.
func (m *mapping) fulltext(source *schema.Index, index schema.Index) (schema.Index, bool) {
	if !m.opts.Fulltext {
		m.lose("fulltext-index", "", "FULLTEXT index %s is dropped; on request it becomes a GIN index",
			source.Name)
		return index, false
	}
	m.lose("fulltext-index", "", "FULLTEXT index %s becomes a GIN index over to_tsvector('simple', ..): searches are "+
		"written anew, and find other rows", source.Name)
	var columns []string
	for _, part := range source.Parts {
		columns = append(columns, "COALESCE("+Quote(m.columnName(part.Column))+", '')")
	}
	index.Parts = []schema.Part{{
		Expr: "to_tsvector('simple'::regconfig, (" + strings.Join(columns, " || ' ' || ") + ")::text)",
	}}
	return index, true
}

// foreignKeys carries the foreign keys.
func (m *mapping) foreignKeys(rename func(schema.Name) schema.Name) {
	used := map[string]bool{}
	for i := range m.source.ForeignKeys {
		source := &m.source.ForeignKeys[i]
		if !m.referable(source) {
			continue
		}
		key := schema.ForeignKey{
			Columns: m.columnNames(source.Columns), OnDelete: source.OnDelete, OnUpdate: source.OnUpdate,
			Parent: source.Parent,
		}
		if rename != nil {
			key.Parent = rename(key.Parent)
		}
		key.Parent = m.opts.Identifiers.Name(key.Parent)
		for _, column := range source.ParentColumns {
			key.ParentColumns = append(key.ParentColumns, m.opts.Identifiers.Apply(column))
		}
		if key.Name = m.constraintName(source.Name, "_ibfk_"); used[key.Name] {
			key.Name = hashed(key.Name, source.Name)
		}
		used[key.Name] = true
		m.target.ForeignKeys = append(m.target.ForeignKeys, key)
	}
}

// referable tells whether PostgreSQL can hold a foreign key, and records why not.
func (m *mapping) referable(key *schema.ForeignKey) bool {
	if !m.known.references(key) {
		m.lose("foreign-key", "", "foreign key %s is dropped: no unique key of %s is over the columns that it leads to",
			key.Name, key.Parent)
		return false
	}
	for _, name := range key.Columns {
		at := m.target.Column(m.columnName(name))
		if at < 0 || m.target.Columns[at].Generated == schema.NotGenerated {
			continue
		}
		if actionOf(key.OnUpdate) != "" || actionOf(key.OnDelete) == "SET NULL" ||
			actionOf(key.OnDelete) == "SET DEFAULT" {
			m.lose("foreign-key", name, "foreign key %s is dropped: its actions would write a generated column",
				key.Name)
			return false
		}
	}
	return true
}

// constraintName returns the name of a constraint. Where the source's server made it of the table's name, it follows
// that.
func (m *mapping) constraintName(name, infix string) string {
	if number, ok := strings.CutPrefix(name, m.source.Name.Table+infix); ok {
		return shorten(m.target.Name.Table + infix + number)
	}
	return m.opts.Identifiers.Apply(name)
}
