package postgres

import (
	"strings"

	"wherry/pkg/sqltext"
)

// translator reads an expression as MySQL or MariaDB prints it and writes it for PostgreSQL. It knows a closed list of
// operators and functions, each only over operands of which both servers make the same (test: TestExpressionsOnPostgres
// computes all of them on three servers). For example INT / INT is none: how many digits it has depends on the session.
// Text = text is one where the source compares by code points; 'A' = 'a' holds in most collations and not here.
type translator struct {
	sqltext.Cursor
	m  *mapping
	as usage

	// of a view:
	column func(parts []string) value           // a column, by its name after those of its table
	calls  func(name string) (v value, ok bool) // further functions
	before string                               // what stands before names of columns
}

// usage is what an expression is for.
type usage int

const (
	asCondition usage = iota // a CHECK, or a part of an index
	asGenerated              // of a column: those that are generated themselves are replaced by what they come from
	asDefault                // no column may be read
)

// translate returns an expression of the source for PostgreSQL. err says what is not on the list.
func (m *mapping) translate(expr string, as usage) (v value, err error) {
	t := &translator{Cursor: sqltext.NewCursor(expr, sqltext.Rules{Printed: true}), m: m, as: as}
	v = t.expression(0)
	if t.Err == nil && t.Peek().Kind != sqltext.End {
		t.Misunderstood()
	}
	return v, t.Err
}

// fail says what is not on the list.
func (t *translator) fail(format string, args ...any) {
	t.Fail("PostgreSQL may compute otherwise: "+format, args...)
}

// The precedence of the source's operators (MySQL manual, "Operator Precedence"): what binds tighter has the higher
// number. MySQL puts every operation in parentheses, MariaDB only those that need them.
const (
	levelOr = 1 + iota
	levelXor
	levelAnd
	levelNot
	levelCompare
	levelBits
	levelAdd
	levelMultiply
	levelSign
)

var levels = map[string]int{
	"||": levelOr, "&&": levelAnd, "=": levelCompare, "<=>": levelCompare, "<": levelCompare, ">": levelCompare,
	"<=": levelCompare, ">=": levelCompare, "<>": levelCompare, "!=": levelCompare, "+": levelAdd, "-": levelAdd,
	"*": levelMultiply, "/": levelMultiply, "%": levelMultiply, "->": levelSign + 1, "->>": levelSign + 1,
}

// expression reads what binds at least so tight.
func (t *translator) expression(least int) value {
	left := t.prefix()
	for t.Err == nil {
		before := t.At
		if next := t.infix(left, least); t.At != before {
			left = next
			continue
		}
		break
	}
	return left
}

func (t *translator) prefix() value {
	switch {
	case t.Accept("NOT"):
		return value{sql: wrap("NOT", t.condition(t.expression(levelNot))), class: truth}
	case t.AcceptMark("!"):
		return value{sql: wrap("NOT", t.condition(t.expression(levelSign))), class: truth}
	case t.AcceptMark("-"):
		return t.negative(t.expression(levelSign))
	default:
		return t.operand()
	}
}

func (t *translator) negative(v value) value {
	if v.literal && v.class != characters {
		v.text = "-" + v.text
		v.sql = "'" + v.text + "'::" + map[class]string{
			whole: "bigint", exact: "numeric",
			double: "double precision",
		}[v.class]
		return v
	}
	n := t.number(v)
	n.sql = wrap("-", n.sql)
	return n
}

// infix reads an operator and its right side, if one follows that binds so tight.
func (t *translator) infix(left value, least int) value {
	word := t.Peek()
	switch {
	case least <= levelOr && t.Accept("OR"):
		return t.both("OR", left, t.expression(levelOr+1))
	case least <= levelXor && t.Accept("XOR"):
		right := t.expression(levelXor + 1)
		return value{sql: wrap(t.condition(left), "<>", t.condition(right)), class: truth}
	case least <= levelAnd && t.Accept("AND"):
		return t.both("AND", left, t.expression(levelAnd+1))
	case least <= levelCompare && t.Accept("IS"):
		return t.is(left)
	case least <= levelCompare && t.Accept("NOT"):
		return t.negated(left)
	case least <= levelCompare && (word.Is("IN") || word.Is("BETWEEN") || word.Is("LIKE")):
		return t.matched(left)
	case least <= levelMultiply && (t.Accept("DIV") || t.Accept("MOD")):
		return t.arithmetic(strings.ToUpper(word.Text), left, t.expression(levelMultiply+1))
	case word.Kind != sqltext.Mark:
		return left
	}
	level, ok := levels[word.Text]
	if !ok || level < least {
		return left
	}
	t.At++
	return t.operator(word.Text, left, level)
}

func (t *translator) operator(operator string, left value, level int) value {
	switch operator {
	case "->", "->>":
		path := t.expression(level + 1)
		return t.extract(left, path, operator == "->>")
	case "&&":
		return t.both("AND", left, t.expression(level+1))
	case "||":
		return t.both("OR", left, t.expression(level+1))
	}
	right := t.expression(level + 1)
	if level == levelCompare {
		return t.compare(operator, left, right)
	}
	return t.arithmetic(operator, left, right)
}

func (t *translator) both(operator string, left, right value) value {
	return value{sql: wrap(t.condition(left), operator, t.condition(right)), class: truth}
}

// negated reads NOT IN, NOT BETWEEN and NOT LIKE.
func (t *translator) negated(left value) value {
	if next := t.Peek(); !next.Is("IN") && !next.Is("BETWEEN") && !next.Is("LIKE") {
		t.Misunderstood()
		return left
	}
	return value{sql: wrap("NOT", t.matched(left).sql), class: truth}
}

// is reads what follows IS.
func (t *translator) is(left value) value {
	not := ""
	if t.Accept("NOT") {
		not = "NOT "
	}
	switch {
	case t.Accept("NULL"):
		return value{sql: wrap(left.sql, "IS "+not+"NULL"), class: truth}
	case t.Accept("TRUE"):
		return value{sql: wrap(t.condition(left), "IS "+not+"TRUE"), class: truth}
	case t.Accept("FALSE"):
		return value{sql: wrap(t.condition(left), "IS "+not+"FALSE"), class: truth}
	default:
		t.Misunderstood()
		return left
	}
}

// operand reads a literal, a column, a call, or something in parentheses.
func (t *translator) operand() value {
	next := t.Peek()
	switch {
	case t.AcceptMark("("):
		v := t.expression(0)
		t.ExpectMark(")")
		return v
	case next.Kind == sqltext.Number:
		t.At++
		return numberValue(next.Text)
	case next.Kind == sqltext.String:
		t.At++
		return stringValue(next.Text)
	case next.Kind == sqltext.Bytes:
		t.At++
		return bytesOf(value{text: next.Text})
	case next.Kind == sqltext.Word && strings.HasPrefix(next.Text, "_") && t.Ahead(1).Kind == sqltext.String:
		return t.introduced()
	case t.Accept("NULL"):
		return value{sql: "NULL"}
	case t.Accept("TRUE"):
		return value{sql: "true", class: truth}
	case t.Accept("FALSE"):
		return value{sql: "false", class: truth}
	case t.Accept("CASE"):
		return t.choice()
	case next.Kind == sqltext.Word && t.Ahead(1).IsMark("("):
		return t.call()
	case next.Kind == sqltext.Word && (next.Is("DATE") || next.Is("TIMESTAMP")) && t.Ahead(1).Kind == sqltext.String:
		t.At++
		return t.dated(stringValue(t.Read(sqltext.String)), map[bool]class{true: day, false: moment}[next.Is("DATE")])
	case next.Kind == sqltext.Name, next.Kind == sqltext.Word:
		return t.name()
	default:
		t.Misunderstood()
		return value{}
	}
}

// introduced reads a literal with a character set before it. Its bytes are UTF-8 in what a server prints.
func (t *translator) introduced() value {
	introducer := strings.ToLower(t.Next().Text)
	text := t.Read(sqltext.String)
	switch introducer {
	case "_utf8mb4", "_utf8mb3", "_utf8", "_latin1", "_ascii":
		return stringValue(text)
	case "_binary":
		return bytesOf(value{text: text})
	default:
		t.fail("a literal of character set %s", introducer[1:])
		return value{}
	}
}

// name reads a column.
func (t *translator) name() value {
	name := t.Next().Text
	if t.column != nil {
		parts := []string{name}
		for t.AcceptMark(".") {
			parts = append(parts, t.Next().Text)
		}
		return t.column(parts)
	}
	at := t.m.source.Column(name)
	if at < 0 {
		t.fail("%s", name)
		return value{}
	}
	return t.columnValue(&t.m.source.Columns[at])
}

func stringValue(text string) value {
	return value{
		sql: Literal(text) + "::text", class: characters, literal: true, text: text, bytewise: true, unicode: true,
		ascii: !strings.ContainsFunc(text, func(r rune) bool { return r > 0x7F }),
	}
}

func numberValue(text string) value {
	v := value{sql: text, class: whole, literal: true, text: text}
	switch {
	case strings.ContainsAny(text, "eE"):
		plain, _ := floatLiteral(text, 64)
		v.class, v.sql = double, "'"+plain+"'::double precision"
	case strings.Contains(text, "."):
		v.class, v.sql = exact, "'"+text+"'::numeric"
	case !fits(text, 8):
		v.big, v.sql = true, "'"+text+"'::numeric"
	}
	return v
}

// choice reads what follows CASE.
func (t *translator) choice() value {
	var conditions []string
	var results []value
	var subject *value
	if !t.Peek().Is("WHEN") {
		v := t.expression(0)
		subject = &v
	}
	for t.Err == nil && t.Accept("WHEN") {
		condition := t.expression(0)
		if subject != nil {
			condition = t.compare("=", *subject, condition)
		}
		conditions = append(conditions, t.condition(condition))
		t.Expect("THEN")
		results = append(results, t.expression(0))
	}
	otherwise := value{sql: "NULL"}
	if t.Accept("ELSE") {
		otherwise = t.expression(0)
	}
	t.Expect("END")
	return t.chosen(conditions, append(results, otherwise))
}

// chosen writes a CASE: results has one more than conditions.
func (t *translator) chosen(conditions []string, results []value) value {
	results, out := t.together(results)
	var b strings.Builder
	b.WriteString("(CASE")
	for i, condition := range conditions {
		b.WriteString(" WHEN " + condition + " THEN " + results[i].sql)
	}
	out.sql = b.String() + " ELSE " + results[len(results)-1].sql + " END)"
	return out
}

// together makes values of one class of several, of which the source takes one.
func (t *translator) together(values []value) ([]value, value) {
	out := value{bytewise: true, unicode: true, ascii: true}
	made := make([]value, len(values))
	for i, v := range values {
		v = plain(v)
		made[i] = v
		switch {
		case v.class == unknown:
			t.fail("one of %s and others", v.sql)
		case v.class == anything:
			continue
		case out.class == anything || out.class == v.class:
			out.class = v.class
		case numeric(out.class) && numeric(v.class):
			out.class = max(out.class, v.class)
		case (out.class == day || out.class == moment) && (v.class == day || v.class == moment):
			out.class = moment
		default:
			t.fail("one of %s and others", v.sql)
		}
		if v.class == whole {
			made[i] = t.number(v)
		}
		out.big = out.big || v.big
		out.bytewise, out.unicode = out.bytewise && v.bytewise, out.unicode && v.unicode
		out.padded, out.ascii = out.padded || v.padded, out.ascii && v.ascii
	}
	for i := range made {
		if out.class == moment && made[i].class == day {
			made[i].sql += "::timestamp"
		}
	}
	return made, out
}

func numeric(c class) bool { return c == whole || c == exact || c == double }
