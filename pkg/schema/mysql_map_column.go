package schema

import (
	"fmt"
	"slices"
	"strings"
)

func (m *mapping) column(c *Column) {
	m.columnType(c)
	c.Expr = m.expression("column "+c.Name, c.Name, c.Expr)
	c.Check = m.expression("CHECK of column "+c.Name, c.Name, c.Check)
	m.generatedColumn(c)
	m.visibility(c)
	m.unprintable(c)
	m.columnDefault(c)
	m.columnExtra(c)
}

// columnType carries the type itself and its character set.
func (m *mapping) columnType(c *Column) {
	if c.Type.IsText() {
		c.Type.Collation = m.collation(c.Name, c.Type.Charset, c.Type.Collation)
	}
	switch {
	case c.Type.Kind == JSON && !m.flavor.HasJSONType():
		m.jsonColumn(c)
	case c.Type.Kind == Vector && (m.crossing || !m.flavor.HasVectorType()),
		c.Type.Name == "uuid" && !m.flavor.HasUUIDType(),
		c.Type.Name == "inet6" && !m.flavor.HasINET6Type(),
		c.Type.Name == "inet4" && !m.flavor.HasINET4Type(),
		c.Type.Name == "xmltype" && !m.flavor.MariaDB:
		m.fatal("type", c.Name, "%s cannot hold type %s; a stand-in comes in a later version", m.flavor, c.Type.Text)
	case c.Type.SRID != nil && !m.flavor.HasSRIDColumns():
		m.lose("srid", c.Name, "column is no longer held to SRID %d; values keep theirs", *c.Type.SRID)
		c.Type.SRID = nil
	}
}

// jsonColumn makes what MariaDB makes of JSON: text that a CHECK holds to JSON.
func (m *mapping) jsonColumn(c *Column) {
	m.lose("json", c.Name, "json becomes longtext with a CHECK: it is stored and compared as text")
	c.Type = Type{Kind: Text, Name: "longtext", Size: 4, Charset: "utf8mb4", Collation: "utf8mb4_bin", Text: "longtext"}
	if c.Generated == NotGenerated {
		c.Check = "json_valid(" + Quote(c.Name) + ")"
	}
}

func (m *mapping) generatedColumn(c *Column) {
	if c.Generated == NotGenerated || c.Nullable || m.flavor.HasNotNullGenerated() {
		return
	}
	if strings.HasPrefix(c.Expr, "ROW ") {
		return
	}
	m.lose("generated-not-null", c.Name, "generated column may be NULL: %s has no NOT NULL for it", m.flavor)
	c.Nullable = true
	if m.target.Primary != nil && holds(m.target.Primary, c.Name, false) {
		m.fatal("generated-key", c.Name, "%s has no primary key over a generated column", m.flavor)
	}
}

func (m *mapping) visibility(c *Column) {
	if !c.Invisible {
		return
	}
	demandsDefault := m.flavor.MariaDB && !c.Nullable && c.Default == nil && !c.AutoIncrement && c.Generated == NotGenerated
	if !m.flavor.HasInvisibleColumns() || demandsDefault {
		m.lose("invisible-column", c.Name, "column becomes visible: SELECT * and INSERT without a column list see it")
		c.Invisible = false
	}
}

func (m *mapping) columnDefault(c *Column) {
	if c.Default == nil {
		if c.Nullable && c.Generated == NotGenerated {
			m.lose("default", c.Name, "column without a default gets DEFAULT NULL")
			c.Default = &Default{Null: true}
		}
		return
	}
	if c.Default.Null {
		return
	}
	if !m.flavor.MariaDB {
		m.defaultForMySQL(c)
	}
	if c.Default.Literal || isCurrentTimestamp(c.Default.Text) {
		return
	}
	if !m.flavor.HasDefaultExpressions() {
		m.fatal("default", c.Name, "%s takes no expression as default: %s", m.flavor, c.Default.Text)
	}
	if strings.HasPrefix(strings.ToLower(c.Default.Text), "nextval(") {
		m.fatal("sequence", c.Name, "default takes values of a sequence, and moving sequences comes in a later version")
		return
	}
	c.Default.Text = m.expression("default of column "+c.Name, c.Name, c.Default.Text)
}

// unprintable finds what MariaDB's SHOW CREATE TABLE prints as "?": characters beyond U+FFFF in defaults and labels.
func (m *mapping) unprintable(c *Column) {
	text := strings.Join(c.Type.Labels, ",")
	if c.Default != nil && !c.Type.IsBytes() {
		text += c.Default.Text
	}
	if m.flavor.MariaDB && strings.ContainsFunc(text, func(r rune) bool { return r > 0xFFFF }) {
		m.fatal("default", c.Name, "%s cannot show the default or label %s, so it cannot be proved right", m.flavor, text)
	}
	if m.source.Flavor.MariaDB && strings.Contains(text, "?") {
		m.lose("default", c.Name, "the default or a label shows a question mark, which on MariaDB may stand for another character: check it")
	}
}

// defaultForMySQL writes defaults as MySQL demands: TEXT, BLOB, JSON and geometry take only expressions, and
// CURRENT_TIMESTAMP is for columns of the same precision.
func (m *mapping) defaultForMySQL(c *Column) {
	switch {
	case c.Default.Literal && lacksDefault(c.Type.Kind):
		*c.Default = Default{Text: defaultExpression(c.Type, c.Default)}
	case !c.Default.Literal && isCurrentTimestamp(c.Default.Text):
		own := currentTimestamp
		if c.Type.Scale > 0 {
			own = fmt.Sprintf("%s(%d)", currentTimestamp, c.Type.Scale)
		}
		if c.Type.Kind != Datetime && c.Type.Kind != Timestamp || c.Default.Text != own {
			c.Default.Text = strings.Replace(c.Default.Text, currentTimestamp, "now", 1)
			if c.Default.Text == "now" {
				c.Default.Text = "now()"
			}
		}
	}
}

func isCurrentTimestamp(expr string) bool { return strings.HasPrefix(expr, currentTimestamp) }

// columnExtra drops or refuses the attributes that only the other family has.
func (m *mapping) columnExtra(c *Column) {
	if !m.crossing {
		return
	}
	if slices.Contains(c.Extra, compressedColumn) {
		m.fatal("compressed-column", c.Name, "%s has no compressed columns; storing them plainly comes in a later version", m.flavor)
	}
	for _, extra := range c.Extra {
		if extra != compressedColumn {
			m.lose("column-option", c.Name, "%s is dropped: %s has no such attribute", extra, m.flavor)
		}
	}
	c.Extra = nil
}

// index carries an index.
func (m *mapping) index(index *Index) {
	if index.Kind == VectorIndex && (!m.flavor.MariaDB || !m.flavor.HasVectorType()) {
		m.fatal("vector-index", "", "%s cannot hold vector index %s", m.flavor, index.Name)
	}
	for i := range index.Parts {
		part := &index.Parts[i]
		if part.Expr != "" && !m.flavor.HasFunctionalIndexes() {
			m.fatal("functional-index", "", "%s cannot index the expression %s of index %s", m.flavor, part.Expr, index.Name)
		}
		if part.Desc && !m.flavor.HasDescIndexes() {
			m.lose("descending-index", part.Column, "index %s becomes ascending", index.Name)
			part.Desc = false
		}
		m.longUnique(index, part)
	}
	if index.Invisible && !m.flavor.HasInvisibleIndexes() {
		m.lose("invisible-index", "", "index %s becomes visible to the optimizer", index.Name)
		index.Invisible = false
	}
	if !m.crossing {
		return
	}
	for _, extra := range index.Extra {
		if extra == withoutOverlaps {
			m.fatal("period", "", "%s has no WITHOUT OVERLAPS, which index %s needs", m.flavor, index.Name)
		} else {
			m.lose("index-option", "", "%s of index %s is dropped: %s has no such option", extra, index.Name, m.flavor)
		}
	}
	index.Extra = nil
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
