package postgres

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// viewReader translates one view, whose text a server prints with every column after its table. It knows one SELECT
// over joins, with conditions, groups and an order, and refuses the rest.
type viewReader struct {
	translator
	d      Dialect
	view   *schema.Object
	places schema.Places
	scope  map[string]*viewTable // by the name that columns have before them
}

// viewTable is one that a view reads.
type viewTable struct {
	sql string   // the name that columns have before them here
	m   *mapping // nil when the table is not known
}

// view returns what follows the name of a view in CREATE VIEW.
func (d Dialect) view(o *schema.Object, places schema.Places) (string, error) {
	rules := sqltext.ModeRules(o.Session.SQLMode)
	v := &viewReader{d: d, view: o, places: places, scope: map[string]*viewTable{}}
	v.translator = translator{Cursor: sqltext.NewCursor(o.Body, rules), column: v.reference, calls: v.aggregate}
	if v.AcceptMark("(") {
		v.list() // the names, which Columns has
	}
	v.Expect("AS")
	text := v.selection()
	if v.Err == nil && v.Peek().Kind != sqltext.End {
		v.Misunderstood()
	}
	names := make([]string, len(o.Columns))
	for i, name := range o.Columns {
		names[i] = d.opts.Identifiers.Apply(name)
	}
	return "(" + quoteAll(names) + ") AS " + text, v.Err
}

// selection reads a SELECT. What is selected is read last: it needs the tables.
func (v *viewReader) selection() string {
	v.Expect("SELECT")
	distinct := v.Accept("DISTINCT")
	items := v.At
	v.skipTo("FROM")
	tables := v.tables()
	rest := v.At
	v.At = items
	var columns []string
	for v.Err == nil && !v.Accept("FROM") {
		if len(columns) > 0 {
			v.ExpectMark(",")
		}
		columns = append(columns, v.item(distinct))
	}
	v.At = rest
	text := "SELECT "
	if distinct {
		text += "DISTINCT "
	}
	return text + strings.Join(columns, ", ") + " FROM " + tables + v.clauses()
}

// skipTo passes tokens up to a keyword outside of parentheses, and the keyword.
func (v *viewReader) skipTo(keyword string) {
	for v.Err == nil && !v.Accept(keyword) {
		if v.Peek().IsMark("(") {
			v.Parentheses()
		} else if v.Next().Kind == sqltext.End {
			v.Misunderstood()
		}
	}
}

// item reads one selected value. A plain column may be of any type.
func (v *viewReader) item(distinct bool) string {
	sql := ""
	if path, ok := v.path(); ok {
		sql = path
		if distinct {
			v.grouped(v.resolve(path))
		}
	} else {
		found := plain(v.expression(0))
		if sql = found.sql; distinct {
			v.grouped(found)
		}
	}
	if v.Accept("AS") {
		v.Next()
	}
	return sql
}

// path reads a column that stands alone.
func (v *viewReader) path() (sql string, ok bool) {
	begin := v.At
	parts := []string{}
	for v.Peek().Kind == sqltext.Name {
		parts = append(parts, v.Next().Text)
		if !v.AcceptMark(".") {
			break
		}
	}
	next := v.Peek()
	ends := next.IsMark(",") || next.Is("AS") || next.Is("FROM")
	if len(parts) < 2 || !ends {
		v.At = begin
		return "", false
	}
	table := v.scope[scopeOf(parts[:len(parts)-1])]
	if table == nil {
		v.fail("%s", strings.Join(parts, "."))
		return "", true
	}
	return table.sql + "." + Quote(v.d.opts.Identifiers.Apply(parts[len(parts)-1])), true
}

// resolve returns what is known of a column that path has read: it stands right before.
func (v *viewReader) resolve(sql string) value {
	for i := range v.scope {
		if rest, ok := strings.CutPrefix(sql, v.scope[i].sql+"."); ok && v.scope[i].m != nil {
			m := v.scope[i].m
			for j := range m.target.Columns {
				if Quote(m.target.Columns[j].Name) == rest {
					return v.valueOf(v.scope[i], &m.source.Columns[j])
				}
			}
		}
	}
	return value{sql: sql, class: unknown}
}

// scopeOf returns the key of a table's name in scope. A database before it is left out where the table has an alias.
func scopeOf(parts []string) string { return strings.ToLower(parts[len(parts)-1]) }

// reference returns a column that an expression names.
func (v *viewReader) reference(parts []string) value {
	name := strings.Join(parts, ".")
	if len(parts) < 2 {
		v.fail("%s, which is no column of one table", name)
		return value{}
	}
	table := v.scope[scopeOf(parts[:len(parts)-1])]
	if table == nil {
		v.fail("%s", name)
		return value{}
	}
	column := parts[len(parts)-1]
	if table.m == nil {
		return value{sql: table.sql + "." + Quote(v.d.opts.Identifiers.Apply(column)), class: unknown}
	}
	at := table.m.source.Column(column)
	if at < 0 {
		v.fail("%s", name)
		return value{}
	}
	return v.valueOf(table, &table.m.source.Columns[at])
}

func (v *viewReader) valueOf(table *viewTable, column *schema.Column) value {
	t := &translator{m: table.m, before: table.sql + "."}
	found := t.columnValue(column)
	if t.Err != nil {
		v.fail("column %s", column.Name)
	}
	return found
}

// clauses reads what follows the tables.
func (v *viewReader) clauses() string {
	text := ""
	if v.Accept("WHERE") {
		text += " WHERE " + v.condition(v.expression(0))
	}
	if v.Accept("GROUP BY") {
		text += " GROUP BY " + v.commas(func() string {
			found := v.expression(0)
			v.grouped(found)
			return found.sql
		})
	}
	if v.Accept("HAVING") {
		text += " HAVING " + v.condition(v.expression(0))
	}
	if v.Accept("ORDER BY") {
		text += " ORDER BY " + v.commas(v.order)
	}
	if v.Accept("LIMIT") {
		text += " LIMIT " + v.Read(sqltext.Number)
	}
	return text
}

func (v *viewReader) commas(read func() string) string {
	texts := []string{read()}
	for v.AcceptMark(",") {
		texts = append(texts, read())
	}
	return strings.Join(texts, ", ")
}

// order reads one value that rows are sorted by. NULL comes first on the source.
func (v *viewReader) order() string {
	found := v.expression(0)
	if !found.literal {
		v.sorted(found)
	}
	if found.class == characters && !found.literal {
		found.sql += ` COLLATE "C"`
	}
	if v.Accept("DESC") {
		return found.sql + " DESC NULLS LAST"
	}
	v.Accept("ASC")
	return found.sql + " NULLS FIRST"
}

// grouped refuses values of which two may be one to a collation.
func (v *viewReader) grouped(found value) {
	text := found.class == characters && found.labels == nil && (!found.bytewise || found.padded)
	if text || found.class == unknown || found.class == document {
		v.fail("groups of %s", found.sql)
	}
}

// sorted refuses values that the servers may sort otherwise.
func (v *viewReader) sorted(found value) {
	if found.class == characters && (found.labels != nil || !found.unicode) {
		v.fail("the order of %s", found.sql)
		return
	}
	v.grouped(found)
}

// aggregate reads a call of a function over several rows; ok is false when the name is of another.
func (v *viewReader) aggregate(name string) (found value, ok bool) {
	if !slices.Contains([]string{"count", "sum", "min", "max"}, name) {
		return found, false
	}
	distinct := ""
	if v.Accept("DISTINCT") {
		distinct = "DISTINCT "
	}
	if v.AcceptMark("*") {
		v.ExpectMark(")")
		return value{sql: "count(*)", class: whole}, true
	}
	arg := plain(v.expression(0))
	v.ExpectMark(")")
	if distinct != "" {
		v.grouped(arg)
	}
	switch name {
	case "count":
		return value{sql: "count(" + distinct + arg.sql + ")", class: whole}, true
	case "sum":
		n := v.exactly(arg)
		return value{sql: "sum(" + distinct + n.sql + "::numeric)", class: n.class, big: true}, true
	default:
		v.sorted(arg)
		if arg.class == characters {
			arg.sql += ` COLLATE "C"`
		}
		arg.sql = name + "(" + arg.sql + ")"
		return arg, true
	}
}
