package mysql

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// column carries a column. The type comes first: whether a default or an expression is allowed depends on it.
func (m *mapping) column(c *schema.Column) {
	m.columnType(c)
	m.negativeZero(c)
	c.Expr = m.expression("column "+c.Name, c.Name, c.Expr)
	c.Check = m.expression("CHECK of column "+c.Name, c.Name, c.Check)
	m.generatedColumn(c)
	m.sessionColumn(c)
	m.visibility(c)
	m.unprintable(c)
	m.columnDefault(c)
	m.columnExtra(c)
}

// negativeZero records that the target stores -0 as 0. That is a rare loss: few tables have such a value, and the first
// row with one stops the move.
func (m *mapping) negativeZero(c *schema.Column) {
	if m.flavor.HasNegativeZero() || !Flavor(m.source.Flavor).MayHaveNegativeZero() || c.Generated == schema.Virtual ||
		c.Type.Kind != schema.Float && c.Type.Kind != schema.Double {
		return
	}
	m.lose(schema.NegativeZero, c.Name, "%s has no -0: a row with one stops the move unless schema.allow_losses has "+
		"%s, which makes it 0", m.flavor, schema.NegativeZero)
	m.losses[len(m.losses)-1].Grade = schema.Rare
}

// generatedColumn drops NOT NULL of a generated column where the target does not take it (MariaDB).
func (m *mapping) generatedColumn(c *schema.Column) {
	if c.Generated == schema.NotGenerated || c.Nullable || m.flavor.HasNotNullGenerated() {
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

// visibility makes an invisible column visible where the target cannot hide it. MariaDB wants a default for a hidden
// column that may not be NULL, since an INSERT that does not know of it could not give it a value.
func (m *mapping) visibility(c *schema.Column) {
	if !c.Invisible {
		return
	}
	demandsDefault := m.flavor.Family == schema.MariaDB && !c.Nullable && c.Default == nil && !c.AutoIncrement &&
		c.Generated == schema.NotGenerated
	if !m.flavor.HasInvisibleColumns() || demandsDefault {
		m.lose("invisible-column", c.Name, "column becomes visible: SELECT * and INSERT without a column list see it")
		c.Invisible = false
	}
}

// columnDefault carries a column's default, or refuses one that the target cannot hold.
func (m *mapping) columnDefault(c *schema.Column) {
	if c.Default == nil {
		if unasked(c) && m.flavor.Family == schema.MariaDB {
			m.lose("no-default", c.Name, "INSERT has to name the column, which has no default although it may be "+
				"NULL; it gets DEFAULT NULL")
			c.Default = &schema.Default{Null: true}
		}
		return
	}
	if c.Default.Null {
		return
	}
	if m.flavor.Family == schema.MySQL {
		m.defaultForMySQL(c)
	}
	if c.Default.Literal || isCurrentTimestamp(c.Default.Text) {
		return
	}
	if !m.flavor.HasDefaultExpressions() {
		m.fatal("default", c.Name, "%s takes no expression as default: %s", m.flavor, c.Default.Text)
	}
	if strings.HasPrefix(strings.ToLower(c.Default.Text), "nextval(") {
		m.fatal("sequence", c.Name, "default takes values of a sequence, which moves at the cutover only, after its "+
			"table: drop the default")
		return
	}
	c.Default.Text = m.expression("default of column "+c.Name, c.Name, c.Default.Text)
}

// unprintable finds what MariaDB's SHOW CREATE TABLE prints as "?": characters beyond U+FFFF in defaults and labels.
// Of labels the server can be asked, see Type.Unclear.
func (m *mapping) unprintable(c *schema.Column) {
	text, value := strings.Join(c.Type.Labels, ","), ""
	if c.Default != nil && !c.Type.IsBytes() {
		value = c.Default.Text
	}
	text += value
	if m.flavor.Family == schema.MariaDB && strings.ContainsFunc(text, func(r rune) bool { return r > 0xFFFF }) {
		m.fatal("default", c.Name, "%s cannot show the default or label %s, so it cannot be proved right", m.flavor,
			text)
	}
	if m.source.Flavor.Family == schema.MariaDB && strings.Contains(value, "?") {
		m.lose("default", c.Name, "the default shows a question mark, which on MariaDB may stand for another "+
			"character: check it")
	}
}

// defaultForMySQL writes defaults as MySQL demands: TEXT, BLOB, JSON and geometry take only expressions, and
// CURRENT_TIMESTAMP is for columns of the same precision.
func (m *mapping) defaultForMySQL(c *schema.Column) {
	switch {
	case c.Default.Literal && lacksDefault(c.Type.Kind):
		*c.Default = schema.Default{Text: defaultExpression(c.Type, c.Default)}
	case !c.Default.Literal && isCurrentTimestamp(c.Default.Text):
		own := currentTimestamp
		if c.Type.Scale > 0 {
			own = fmt.Sprintf("%s(%d)", currentTimestamp, c.Type.Scale)
		}
		if c.Type.Kind != schema.Datetime && c.Type.Kind != schema.Timestamp || c.Default.Text != own {
			c.Default.Text = strings.Replace(c.Default.Text, currentTimestamp, "now", 1)
			if c.Default.Text == "now" {
				c.Default.Text = "now()"
			}
		}
	}
}

func isCurrentTimestamp(expr string) bool { return strings.HasPrefix(expr, currentTimestamp) }
