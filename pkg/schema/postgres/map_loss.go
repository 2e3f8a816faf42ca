package postgres

import (
	"strings"

	"wherry/pkg/schema"
)

// values records what becomes of a column's values in its new type. A value that the type cannot hold stops the move
// before it is written, so that none is lost without a word: a note says which they are.
func (m *mapping) values(source, c *schema.Column) {
	m.numbers(source, c)
	m.dates(source, c)
	m.documents(source, c)
	m.labels(source, c)
	if source.Type.IsText() && (isText(&c.Type) || c.Type.Kind == schema.Array || c.Type.Kind == schema.JSON) &&
		source.Type.Kind != schema.Enum && source.Type.Kind != schema.Set {
		m.rare(schema.ZeroByte, source.Name, "PostgreSQL holds no 0x00 in text: a row with one stops the move unless "+
			"schema.allow_losses has %s, which takes it out", schema.ZeroByte)
	}
	m.collation(source, c)
}

// numbers records numbers that do not fit.
func (m *mapping) numbers(source, c *schema.Column) {
	s, t := &source.Type, &c.Type
	if s.Kind != schema.Integer {
		return
	}
	switch {
	case t.Kind == schema.Boolean:
		m.note("range", source.Name, "boolean holds 0 and 1: a row with another number stops the move")
	case t.Kind == schema.Integer && (t.Size < s.Size && s.Size != 3 || t.Size < 4 && s.Size == 3 ||
		t.Size == s.Size && s.Unsigned):
		m.note("range", source.Name, "%s holds less than %s: a row with a number beyond it stops the move", t.Text,
			s.Text)
	case t.Kind == schema.Decimal && t.Precision != 0 && t.Precision < digitsOf(s):
		m.note("range", source.Name, "%s holds less than %s: a row with a number beyond it stops the move", t.Text,
			s.Text)
	}
}

// digitsOf returns how many digits an integer type may have.
func digitsOf(t *schema.Type) int {
	digits := map[int]int{1: 3, 2: 5, 3: 7, 4: 10, 8: 19}[t.Size]
	if t.Unsigned && (t.Size == 3 || t.Size == 8) {
		digits++
	}
	return digits
}

// dates records dates that no calendar has, and times beyond a day.
func (m *mapping) dates(source, c *schema.Column) {
	switch {
	case source.Type.Kind == schema.Time && c.Type.Kind == schema.Time:
		m.note("range", source.Name, "time holds 00:00:00 to 24:00:00: a row with a time beyond it stops the move; "+
			"types can make the column interval or text")
	case isText(&c.Type), source.Type.Kind != schema.Date && source.Type.Kind != schema.Datetime &&
		source.Type.Kind != schema.Timestamp:
	case m.inKey(source.Name):
		m.note("range", source.Name, "a row with a date that no calendar has, such as 0000-00-00, stops the move: the "+
			"column is part of a key, where no NULL can stand for it")
	default:
		m.rare(schema.ZeroDate, source.Name, "PostgreSQL has no date such as 0000-00-00 or 2024-02-00: a row with one "+
			"stops the move unless schema.allow_losses has %s, which makes it NULL", schema.ZeroDate)
		if m.opts.ZeroDates && source.Generated == schema.NotGenerated {
			c.Nullable = true
		}
	}
}

// inKey tells whether a column is part of the primary key or of the row key, in which there is no NULL.
func (m *mapping) inKey(column string) bool {
	has := func(index *schema.Index) bool {
		if index == nil {
			return false
		}
		for _, part := range index.Parts {
			if strings.EqualFold(part.Column, column) {
				return true
			}
		}
		return false
	}
	return has(m.source.Primary) || has(m.source.KeyIndex())
}

// documents records types whose values PostgreSQL writes or sorts otherwise.
func (m *mapping) documents(source, c *schema.Column) {
	switch source.Type.Kind {
	case schema.Char, schema.Varchar, schema.Text:
		if c.Type.Name == "jsonb" {
			m.lose("json-text", source.Name, "%s becomes jsonb: blanks, the order of keys and repeated keys are "+
				"not kept",
				source.Type.Text)
		}
	case schema.UUID:
		if c.Type.Kind == schema.UUID {
			m.lose("uuid-order", source.Name, "a UUID sorts by its bytes, which MariaDB does in another order")
		}
	case schema.Geometry:
		if c.Type.Name == "bytea" {
			m.lose("geometry", source.Name, "%s becomes bytea, SRID and WKB: geometric functions do not take it",
				source.Type.Text)
		}
	case schema.Vector:
		m.lose("vector-array", source.Name, "%s becomes %s: its size is not checked, and vector functions do not "+
			"take it",
			source.Type.Text, c.Type.Text)
	default:
	}
}

// labels records what becomes of ENUM and SET.
func (m *mapping) labels(source, c *schema.Column) {
	switch source.Type.Kind {
	case schema.Enum:
		m.lose("enum", source.Name, "%s becomes %s: it sorts as text, not by the number of its label", source.Type.Text,
			c.Type.Text)
		if labelCheck(source, c) != "" {
			m.note("range", source.Name, "a row with the empty value that stands for an invalid one stops the move; "+
				"types can make the column varchar, which has no CHECK")
		}
	case schema.Set:
		m.lose("set", source.Name, "%s becomes %s: it sorts otherwise, and functions for sets do not take it",
			source.Type.Text, c.Type.Text)
	default:
		return
	}
	for _, label := range source.Type.Labels {
		if strings.Contains(label, "\x00") {
			m.fatal("type", source.Name, "PostgreSQL holds no 0x00 in text, and a label of %s has one",
				source.Type.Text)
		}
	}
}

// collation gives text the collation that sorts by code points where the source's does, else the database's. What
// compares equal on the source, by case or accents, is not equal here, so that unique keys never refuse its rows.
func (m *mapping) collation(source, c *schema.Column) {
	if !source.Type.IsText() || c.Type.Kind != schema.Varchar && c.Type.Kind != schema.Text {
		return
	}
	name := source.Type.Collation
	bytewise := strings.HasSuffix(name, "_bin") || name == "binary"
	padded := !strings.Contains(name, "nopad") && !strings.Contains(name, "_0900_") && name != "binary"
	to := "the database's collation"
	if bytewise && c.Type.Name != "citext" {
		c.Type.Collation, to = "C", `"C"`
	}
	unicode := strings.HasPrefix(name, "utf8") || strings.HasPrefix(name, "ascii") || name == "binary"
	switch {
	case source.Type.Kind == schema.Enum: // told by the loss of its order
	case !bytewise && m.unique(source.Name):
		m.lose("collation", source.Name, "collation %s becomes %s: values sort and compare differently, and a "+
			"unique key takes values that differ only in what the older one does not tell apart", name, to)
	case !bytewise || !unicode:
		m.lose("collation", source.Name, "collation %s becomes %s: values sort and compare differently", name, to)
	case padded:
		m.lose("collation", source.Name, "collation %s becomes %s: blanks at the end count when values are compared",
			name,
			to)
	}
}

// unique tells whether a unique index has a column.
func (m *mapping) unique(column string) bool {
	for _, index := range m.source.UniqueIndexes() {
		for _, part := range index.Parts {
			if strings.EqualFold(part.Column, column) {
				return true
			}
		}
	}
	return false
}

// longKey notes an index whose values may be longer than a B-tree takes, which is a third of a page (manual 11.2.1).
func (m *mapping) longKey(source *schema.Index) {
	bytes := 0
	for _, part := range source.Parts {
		at := m.source.Column(part.Column)
		if at < 0 {
			continue
		}
		width := 1
		if m.source.Columns[at].Type.IsText() {
			width = 4
		}
		size := m.source.Columns[at].Type.Size
		switch {
		case part.Prefix > 0:
			bytes += part.Prefix * width
		case m.source.Columns[at].Type.Kind == schema.Text || m.source.Columns[at].Type.Kind == schema.Blob:
			bytes += mostKey + 1
		default:
			bytes += size * width
		}
	}
	if bytes > mostKey {
		m.note("index-size", "", "index %s may have values of %d bytes; one that is longer than %d bytes when it is "+
			"compressed stops the move", source.Name, bytes, mostKey)
	}
}

// mostKey is the most bytes of an entry of a B-tree with pages of 8 KiB.
const mostKey = 2704
