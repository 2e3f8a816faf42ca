package postgres

import "wherry/pkg/schema"

// defaultExpression carries a default that is no literal.
func (m *mapping) defaultExpression(source, c *schema.Column) {
	m.lose("default-expression", source.Name, "the default %s is dropped: PostgreSQL may compute something else",
		source.Default.Text)
}

// functional carries a part of an index that is an expression.
func (m *mapping) functional(source *schema.Index, part schema.Part) (schema.Part, bool) {
	m.lose("functional-index", "", "index %s is dropped: PostgreSQL may compute %s otherwise", source.Name, part.Expr)
	return schema.Part{}, false
}
