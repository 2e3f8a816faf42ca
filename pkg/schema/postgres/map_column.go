package postgres

import (
	"strings"

	"wherry/pkg/schema"
)

// column carries one column.
func (m *mapping) column(source *schema.Column) schema.Column {
	c := schema.Column{
		Name: m.columnName(source.Name), Nullable: source.Nullable, AutoIncrement: source.AutoIncrement,
		Comment: source.Comment,
	}
	if c.Name != source.Name {
		c.From = source.Name
	}
	c.Type = m.columnType(source)
	m.values(source, &c)
	if source.OnUpdate != "" {
		m.lose("on-update", source.Name, "ON UPDATE %s becomes a trigger, made at the cutover: it also acts when a "+
			"statement sets the column to the value that it has", source.OnUpdate)
		c.OnUpdate = source.OnUpdate
	}
	if source.Invisible {
		m.lose("invisible-column", source.Name, "column becomes visible: SELECT * and INSERT without a column list "+
			"see it")
	}
	m.columnOptions(source)
	return c
}

// columnOptions tells what else a column of the source has. How it is stored is the target's business.
func (m *mapping) columnOptions(source *schema.Column) {
	for _, extra := range source.Extra {
		switch upper := strings.ToUpper(extra); {
		case strings.HasPrefix(upper, "COMPRESSED"):
			m.note("compressed-column", source.Name, "PostgreSQL compresses long values by itself")
		case encrypted(upper):
			m.lose("encryption", source.Name, "%s is dropped", extra)
		case strings.Contains(extra, "="):
			m.note("column-option", source.Name, "%s is dropped", extra)
		}
	}
}
