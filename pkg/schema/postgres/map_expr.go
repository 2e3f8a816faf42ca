package postgres

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"wherry/pkg/schema"
)

// generated carries a generated column. All of them are stored; one whose expression is not on the list becomes a plain
// column, to which the source's values are copied.
func (m *mapping) generated(source, c *schema.Column) {
	if source.Generated == schema.NotGenerated {
		return
	}
	if strings.HasPrefix(source.Expr, "ROW ") {
		return // of the history of a system-versioned table
	}
	v, err := m.translate(source.Expr, asGenerated)
	text, ok := m.stored(source, c, v, err)
	if !ok {
		why := ""
		if err != nil {
			why = ": " + err.Error()
		}
		m.lose("generated-column", source.Name, "the column GENERATED ALWAYS AS (%s) becomes a plain one, and keeps "+
			"its values%s", source.Expr, why)
		return
	}
	if source.Generated == schema.Virtual {
		m.note("generated-column", source.Name, "the virtual column is stored: PostgreSQL has no other")
	}
	c.Generated, c.Expr = schema.Stored, text
}

// stored returns an expression whose value a column takes as the source's column does; ok is false where it does not,
// or where the expression was not translated.
func (m *mapping) stored(source, c *schema.Column, v value, err error) (text string, ok bool) {
	if err != nil {
		return "", false
	}
	if v.class == truth && c.Type.Kind != schema.Boolean {
		v = plain(v)
	}
	switch c.Type.Kind {
	case schema.Boolean:
		ok = v.class == truth
	case schema.Integer, schema.Decimal:
		ok = v.class == whole || v.class == exact
	case schema.Float, schema.Double:
		ok = numeric(v.class)
	case schema.Varchar, schema.Text:
		if v.class == whole || v.class == exact {
			v = value{sql: v.sql + "::text", class: characters}
		}
		ok = v.class == characters && source.Type.Kind != schema.Enum && source.Type.Kind != schema.Set
		if source.Type.Kind == schema.Char {
			v.sql = "rtrim(" + v.sql + ", ' ')"
		}
	case schema.Blob:
		ok = v.class == octets && source.Type.Kind != schema.Binary
	case schema.Date, schema.Datetime:
		ok = v.class == day || v.class == moment
	case schema.Timestamp:
		ok = v.class == instant
	case schema.Time:
		ok = v.class == clock
	case schema.JSON:
		ok = v.class == document && c.Type.Name == "jsonb"
	default:
	}
	return v.sql, ok || v.class == anything
}

// functional carries a part of an index that is an expression.
func (m *mapping) functional(source *schema.Index, part schema.Part) (schema.Part, bool) {
	v, err := m.translate(part.Expr, asCondition)
	if err != nil {
		lost := ""
		if source.Unique {
			lost = ", and its rule with it"
		}
		m.lose("functional-index", "", "index %s over %s is dropped%s: %v", source.Name, part.Expr, lost, err)
		return schema.Part{}, false
	}
	return schema.Part{Expr: v.sql, Desc: part.Desc}, true
}

// defaultExpression carries a default that is no literal.
func (m *mapping) defaultExpression(source, c *schema.Column) {
	text, ok := defaultFunction(source, c)
	if !ok {
		v, err := m.translate(source.Default.Text, asDefault)
		text, ok = m.stored(source, c, v, err)
	}
	if !ok {
		m.lose("default-expression", source.Name, "the default %s is dropped: PostgreSQL may compute something else",
			source.Default.Text)
		return
	}
	c.Default = &schema.Default{Text: text}
}

// defaultCall is a call without arguments, or with a number of digits.
var defaultCall = regexp.MustCompile(`^([a-z_]+)(?:\(([0-6]?)\))?$`)

// defaultFunction writes the defaults that are other in each row: the present moment, and UUIDs. These are random, so
// that of what kind they are makes no difference.
func defaultFunction(source, c *schema.Column) (string, bool) {
	text := strings.ToLower(strings.ReplaceAll(source.Default.Text, " ", ""))
	if text == "uuid_to_bin(uuid())" {
		return uuidFor(source, c)
	}
	call := defaultCall.FindStringSubmatch(text)
	if call == nil {
		return "", false
	}
	name, digits := call[1], cmp.Or(call[2], "0")
	switch name {
	case "current_timestamp", "now", "localtimestamp", "localtime":
		return nowFor(c, digits)
	case "utc_timestamp":
		return "CURRENT_TIMESTAMP(" + digits + ") AT TIME ZONE 'UTC'", c.Type.Kind == schema.Datetime
	case "curdate", "current_date":
		return "CURRENT_DATE", c.Type.Kind == schema.Date
	case "curtime", "current_time":
		return "LOCALTIME(" + digits + ")", c.Type.Kind == schema.Time
	case "uuid":
		return uuidFor(source, c)
	default:
		return "", false
	}
}

// nowFor returns the present moment for a column.
func nowFor(c *schema.Column, digits string) (string, bool) {
	switch c.Type.Kind {
	case schema.Timestamp:
		return "CURRENT_TIMESTAMP(" + digits + ")", true
	case schema.Datetime:
		return "LOCALTIMESTAMP(" + digits + ")", true
	case schema.Date:
		return "CURRENT_DATE", true
	case schema.Time:
		return "LOCALTIME(" + digits + ")", true
	default:
		return "", false
	}
}

// uuidFor returns a new UUID for a column.
func uuidFor(source, c *schema.Column) (string, bool) {
	switch {
	case c.Type.Kind == schema.UUID:
		return "gen_random_uuid()", true
	case c.Type.Name == "bytea":
		return "uuid_send(gen_random_uuid())", source.Type.Size >= 16
	case isText(&c.Type):
		return "gen_random_uuid()::text", source.Type.Size >= 36 || source.Type.Kind == schema.Text
	default:
		return "", false
	}
}

// checks carries CHECK constraints, the column's own among them (MariaDB), and adds those of ENUM and SET.
func (m *mapping) checks() {
	used := map[string]bool{}
	add := func(name, expr string) {
		if used[name] {
			name = hashed(name, expr)
		}
		used[name] = true
		m.target.Checks = append(m.target.Checks, schema.Check{Name: name, Expr: expr})
	}
	for i := range m.source.Columns {
		source, c := &m.source.Columns[i], &m.target.Columns[i]
		if expr := labelCheck(source, c); expr != "" {
			add(shorten(c.Name+"_check"), expr)
		}
	}
	for _, check := range m.source.Checks {
		if check.NotEnforced {
			m.note("check", "", "CHECK (%s) NOT ENFORCED is dropped: PostgreSQL has no such thing", check.Expr)
			continue
		}
		if expr, ok := m.check("", check.Expr); ok {
			add(m.constraintName(check.Name, "_chk_"), expr)
		}
	}
	for i := range m.source.Columns {
		source := &m.source.Columns[i]
		if source.Check == "" || m.held[strings.ToLower(source.Name)] {
			continue
		}
		if expr, ok := m.check(source.Name, source.Check); ok {
			add(shorten(m.target.Columns[i].Name+"_rule"), expr)
		}
	}
}

// check translates a CHECK.
func (m *mapping) check(column, expr string) (string, bool) {
	v, err := m.translate(expr, asCondition)
	if err == nil && v.class != truth && !numeric(v.class) {
		err = fmt.Errorf("it is neither true nor false")
	}
	if err != nil {
		m.lose("check", column, "CHECK (%s) is dropped: %v", expr, err)
		return "", false
	}
	t := &translator{m: m}
	return t.condition(v), true
}

// labelCheck holds a column to the labels of an ENUM or SET. A user who asks for varchar wants no such CHECK.
func labelCheck(source, c *schema.Column) string {
	labels := make([]string, len(source.Type.Labels))
	for i, label := range source.Type.Labels {
		labels[i] = Literal(label)
	}
	array := "ARRAY[" + strings.Join(labels, ", ") + "]"
	switch {
	case source.Type.Kind == schema.Enum && c.Type.Name == "text":
		return "(" + Quote(c.Name) + " = ANY (" + array + "))"
	case source.Type.Kind == schema.Set && c.Type.Kind == schema.Array:
		return "(" + Quote(c.Name) + " <@ " + array + ")"
	default:
		return ""
	}
}
