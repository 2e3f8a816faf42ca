package mysql

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// columnType carries the type itself and its character set. A stand-in for a type that the target lacks has the same
// canonical bytes, and does not call two values equal that the type distinguishes: INET6 becomes VARCHAR(45) under a
// binary collation.
func (m *mapping) columnType(c *schema.Column) {
	if c.Type.IsText() {
		c.Type.Collation = m.collation(c.Name, c.Type.Charset, c.Type.Collation)
	}
	switch {
	case c.Type.Kind == schema.JSON && !m.flavor.HasJSONType():
		m.jsonColumn(c)
	case c.Type.Name == "uuid" && !m.flavor.HasUUIDType():
		m.textColumn(c, schema.Type{Kind: schema.Char, Name: "char", Size: 36, Text: "char(36)"})
	case c.Type.Name == "inet6" && !m.flavor.HasINET6Type():
		m.textColumn(c, schema.Type{Kind: schema.Varchar, Name: "varchar", Size: 45, Text: "varchar(45)"})
	case c.Type.Name == "inet4" && !m.flavor.HasINET4Type():
		m.textColumn(c, schema.Type{Kind: schema.Varchar, Name: "varchar", Size: 15, Text: "varchar(15)"})
	case c.Type.Kind == schema.Vector && (m.crossing || !m.flavor.HasVectorType()):
		m.vectorColumn(c)
	case c.Type.Name == "xmltype" && m.flavor.Family == schema.MySQL:
		m.fatal("type", c.Name, "%s has no type %s", m.flavor, c.Type.Text)
	case c.Type.SRID != nil && !m.flavor.HasSRIDColumns():
		m.lose("srid", c.Name, "column is no longer held to SRID %d; values keep theirs", *c.Type.SRID)
		c.Type.SRID = nil
	}
}

// jsonColumn makes what MariaDB itself makes of JSON: text with a CHECK that it is valid JSON.
func (m *mapping) jsonColumn(c *schema.Column) {
	m.lose("json", c.Name, "json becomes longtext with a CHECK: it is stored, compared and sorted as text")
	c.Type = schema.Type{
		Kind: schema.Text, Name: "longtext", Size: 4, Charset: "utf8mb4", Collation: "utf8mb4_bin",
		Text: "longtext",
	}
	if c.Generated == schema.NotGenerated && m.flavor.HasChecks() {
		c.Check = "json_valid(" + Quote(c.Name) + ")"
	}
}

// textColumn makes text of a type that MariaDB prints as text. Each value is printed in one way only (a UUID in lower
// case), so a binary collation calls the same values equal as the type does.
func (m *mapping) textColumn(c *schema.Column, text schema.Type) {
	m.lose(c.Type.Name, c.Name, "%s becomes %s: values are the same text, sort as text, and are no longer checked",
		c.Type.Text, text.Text)
	text.Charset, text.Collation = "ascii", "ascii_bin"
	m.standIn(c, text)
}

// vectorColumn makes a BLOB of a vector, whose bytes are its numbers. The largest of MySQL has 16,383 of 4 bytes.
func (m *mapping) vectorColumn(c *schema.Column) {
	m.lose("vector", c.Name, "%s becomes blob: its bytes are the same, and vector functions do not take it",
		c.Type.Text)
	m.standIn(c, schema.Type{Kind: schema.Blob, Name: "blob", Size: 2, Text: "blob"})
}

// standIn replaces a column's type, and notes the column for standInsUsed.
func (m *mapping) standIn(c *schema.Column, t schema.Type) {
	c.Type = t
	m.standIns = append(m.standIns, c.Name)
}

// standInsUsed refuses expressions over stand-ins: of another type they may compute, or allow, something else.
func (m *mapping) standInsUsed() {
	refuse := func(subject, expr string) {
		tokens, err := sqltext.Lex(expr, printed)
		for _, name := range m.standIns {
			uses := func(t sqltext.Token) bool {
				return (t.Kind == sqltext.Name || t.Kind == sqltext.Word) && strings.EqualFold(t.Text, name)
			}
			if expr != "" && (err != nil || slices.ContainsFunc(tokens, uses)) {
				m.fatal("expression", name, "%s uses the column, whose type %s cannot hold", subject, m.flavor)
			}
		}
	}
	for i := range m.source.Columns {
		c := &m.source.Columns[i]
		refuse("column "+c.Name, c.Expr)
		refuse("CHECK of column "+c.Name, c.Check)
	}
	for _, check := range m.source.Checks {
		refuse("CHECK "+check.Name, check.Expr)
	}
}

// withoutVectors drops the vector indexes that the target cannot hold.
func (m *mapping) withoutVectors() {
	m.target.Indexes = slices.DeleteFunc(m.target.Indexes, func(index schema.Index) bool {
		gone := index.Kind == schema.VectorIndex &&
			(m.crossing || m.flavor.Family == schema.MySQL || !m.flavor.HasVectorType())
		if gone {
			m.lose("vector-index", "", "vector index %s is dropped", index.Name)
		}
		return gone
	})
}
