package postgres

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// columnType returns the type that a column gets, and records what that loses.
func (m *mapping) columnType(source *schema.Column) schema.Type {
	text := m.override(source)
	if text == "" && m.known != nil {
		text = m.known.types[columnName{m.source.Name, strings.ToLower(source.Name)}]
	}
	if text == "" {
		text = m.defaultType(source)
	}
	t := ParseType(text)
	if source.AutoIncrement && t.Kind != schema.Integer {
		m.fatal("auto-increment", source.Name, "PostgreSQL counts in integers only, and the column is %s: make it an "+
			"integer", source.Type.Text)
	}
	return t
}

// defaultType returns the type that stands for the source's when nobody asks for another.
func (m *mapping) defaultType(source *schema.Column) string {
	switch t := &source.Type; t.Kind {
	case schema.Integer:
		return m.integer(source)
	case schema.Decimal:
		return fmt.Sprintf("numeric(%d,%d)", t.Precision, t.Scale)
	case schema.Float:
		return "real"
	case schema.Double:
		return "double precision"
	case schema.Bit:
		if t.Size == 1 {
			return "boolean"
		}
		return fmt.Sprintf("bit(%d)", t.Size)
	case schema.Char, schema.Varchar:
		if t.Size == 0 {
			return "text" // varchar(0) is no type there; it holds the empty string
		}
		return fmt.Sprintf("varchar(%d)", t.Size)
	case schema.Text:
		if m.holdsJSON(source) {
			return "jsonb"
		}
		return "text"
	case schema.Binary, schema.Varbinary, schema.Blob:
		return "bytea"
	case schema.Enum:
		return "text"
	case schema.Set:
		return "text[]"
	case schema.JSON:
		return "jsonb"
	case schema.Year:
		return "smallint"
	case schema.Geometry:
		return m.geometry(t)
	case schema.Vector:
		return "real[]"
	case schema.UUID:
		return "uuid"
	case schema.INET4, schema.INET6:
		return "inet"
	default:
		return m.temporal(source)
	}
}

func (m *mapping) temporal(source *schema.Column) string {
	switch t := &source.Type; t.Kind {
	case schema.Date:
		return "date"
	case schema.Time:
		return fmt.Sprintf("time(%d)", t.Scale)
	case schema.Datetime:
		return fmt.Sprintf("timestamp(%d)", t.Scale)
	case schema.Timestamp:
		return fmt.Sprintf("timestamptz(%d)", t.Scale)
	default:
		m.fatal("type", source.Name, "PostgreSQL has nothing like %s", t.Text)
		return "text"
	}
}

// integer returns the smallest type that holds the numbers. Display widths say nothing of what they are.
func (m *mapping) integer(source *schema.Column) string {
	switch t := &source.Type; {
	case t.Size == 8 && t.Unsigned && m.isWide(source):
		return wide
	case t.Size == 8, t.Size == 4 && t.Unsigned:
		return "bigint"
	case t.Size >= 3, t.Size == 2 && t.Unsigned:
		return "integer"
	default:
		return "smallint"
	}
}

// isWide tells whether a column of BIGINT UNSIGNED becomes NUMERIC(20,0), which holds all of it. One that counts, or
// that a foreign key ties to another table, becomes BIGINT, which both ends of the key can be: an identity must be.
func (m *mapping) isWide(source *schema.Column) bool {
	return !source.AutoIncrement && !tied(m.source, source.Name)
}

// tied tells whether a foreign key of a table has a column.
func tied(t *schema.Table, column string) bool {
	for _, key := range t.ForeignKeys {
		for _, name := range key.Columns {
			if strings.EqualFold(name, column) {
				return true
			}
		}
	}
	return false
}

// geometry returns PostGIS's type, where it is there, else that of the bytes: SRID and WKB as MySQL prints them.
func (m *mapping) geometry(t *schema.Type) string {
	if !m.opts.PostGIS {
		return "bytea"
	}
	name := map[string]string{
		"point": "Point", "linestring": "LineString", "polygon": "Polygon", "multipoint": "MultiPoint",
		"multilinestring": "MultiLineString", "multipolygon": "MultiPolygon",
		"geometrycollection": "GeometryCollection", "geometry": "Geometry",
	}[t.Name]
	switch {
	case t.SRID != nil && *t.SRID != 0:
		return fmt.Sprintf("geometry(%s,%d)", name, *t.SRID)
	case name == "Geometry":
		return "geometry"
	default:
		return "geometry(" + name + ")"
	}
}

// holdsJSON tells whether MariaDB holds a text column to JSON, which is what it makes of a column of type JSON.
func (m *mapping) holdsJSON(source *schema.Column) bool {
	check := strings.ToLower(strings.NewReplacer("`", "", " ", "").Replace(source.Check))
	if check != "json_valid("+strings.ToLower(source.Name)+")" {
		return false
	}
	m.held[strings.ToLower(source.Name)] = true
	return true
}
