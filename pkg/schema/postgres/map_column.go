package postgres

import (
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
	m.columnDefault(source, &c)
	return c
}
