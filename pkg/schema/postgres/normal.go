package postgres

import (
	"strings"

	"wherry/pkg/sqltext"
)

// normal returns an expression of PostgreSQL in a form that does not depend on who wrote it: without blanks, casts and
// the parentheses that precedence makes needless, in prefix notation. PostgreSQL prints what it has understood, with
// casts that it has added: the CHECK (a + 1) * 2 > 4 of a smallint is read back as ((((a + 1) * 2) > 4)), and
// b = 'x' of a varchar as ((b)::text = 'x'::text). An expression that cannot be read is its own form.
func normal(expr string) string {
	if expr == "" {
		return ""
	}
	p := &normalizer{sqltext.NewCursor(expr, postgresText)}
	form := p.expression(0)
	if p.Err != nil || p.Peek().Kind != sqltext.End {
		return strings.TrimSpace(expr)
	}
	return form
}

// postgresText are the rules of what PostgreSQL prints.
var postgresText = sqltext.Rules{ANSIQuotes: true, NoBackslashEscapes: true, Printed: true}

// normalizer reads one expression by PostgreSQL's precedence (manual 4.1.6).
type normalizer struct{ sqltext.Cursor }

// The precedence of operators: what binds tighter has the higher number.
const (
	bindOr = 1 + iota
	bindAnd
	bindNot
	bindIs
	bindCompare
	bindOther // ~~, ||, ->> and the like
	bindAdd
	bindMultiply
	bindPower
	bindAt
	bindSign
)

var binding = map[string]int{
	"<": bindCompare, ">": bindCompare, "=": bindCompare, "<=": bindCompare, ">=": bindCompare, "<>": bindCompare,
	"!=": bindCompare,
	"+":  bindAdd, "-": bindAdd, "*": bindMultiply, "/": bindMultiply, "%": bindMultiply, "^": bindPower,
}

// expression reads what binds at least so tight.
func (p *normalizer) expression(least int) string {
	left := p.prefix()
	for p.Err == nil {
		before := p.At
		if next := p.infix(left, least); p.At != before {
			left = next
			continue
		}
		break
	}
	return left
}

func (p *normalizer) prefix() string {
	switch {
	case p.Accept("NOT"):
		return list("not", p.expression(bindNot))
	case p.Peek().IsMark("-") && p.Ahead(1).Kind == sqltext.Number:
		p.At++
		return "-" + p.Read(sqltext.Number)
	case p.AcceptMark("-"):
		return list("neg", p.expression(bindSign))
	case p.AcceptMark("~"):
		return list("~", p.expression(bindOther))
	default:
		return p.primary()
	}
}

func (p *normalizer) infix(left string, least int) string {
	switch {
	case p.Peek().IsMark(":") && p.Ahead(1).IsMark(":"):
		p.At += 2
		p.castType()
		return left
	case least <= bindOr && p.Accept("OR"):
		return list("or", left, p.expression(bindOr+1))
	case least <= bindAnd && p.Accept("AND"):
		return list("and", left, p.expression(bindAnd+1))
	case least <= bindIs && p.Accept("IS"):
		return p.is(left)
	case least <= bindAt && p.Accept("AT TIME ZONE"):
		return list("at", left, p.expression(bindAt+1))
	case p.Peek().Is("COLLATE"):
		p.At++
		return list("collate", left, p.path())
	case p.Peek().Kind != sqltext.Mark:
		return left
	}
	begin := p.At
	operator := p.operator()
	bind, ok := binding[operator]
	if !ok {
		bind = bindOther
	}
	if operator == "" || bind < least {
		p.At = begin
		return left
	}
	return p.operand(operator, left, bind)
}

// operand reads the right side of an operator, which may be ANY or ALL of an array.
func (p *normalizer) operand(operator, left string, bind int) string {
	if operator == "!=" {
		operator = "<>"
	}
	for _, quantifier := range []string{"ANY", "ALL"} {
		if p.Peek().Is(quantifier) && p.Ahead(1).IsMark("(") {
			p.At += 2
			array := p.expression(0)
			p.ExpectMark(")")
			return list(operator, left, list(strings.ToLower(quantifier), array))
		}
	}
	return list(operator, left, p.expression(bind+1))
}

// is reads what follows IS.
func (p *normalizer) is(left string) string {
	verb := "is"
	if p.Accept("NOT") {
		verb = "isnot"
	}
	if p.Accept("DISTINCT FROM") {
		return list(verb+"distinct", left, p.expression(bindIs+1))
	}
	return list(verb, left, strings.ToLower(p.Read(sqltext.Word)))
}

// operator reads the marks of an operator, which the lexer cuts into single ones.
func (p *normalizer) operator() string {
	text, to := "", -1
	for t := p.Peek(); t.Kind == sqltext.Mark && strings.Trim(t.Text, "+-*/<>=~!@#%^&|?") == "" &&
		(to < 0 || t.From == to); t = p.Peek() {
		if to >= 0 && t.Text == "-" { // the sign of what follows
			break
		}
		text, to = text+t.Text, t.To
		p.At++
	}
	return text
}

// castType passes a type name.
func (p *normalizer) castType() {
	p.path()
	for p.Accept("VARYING") || p.Accept("PRECISION") {
	}
	if p.Peek().IsMark("(") {
		p.Parentheses()
	}
	if !p.Accept("WITH TIME ZONE") {
		p.Accept("WITHOUT TIME ZONE")
	}
	for p.AcceptMark("[") {
		p.ExpectMark("]")
	}
}

// path passes a name, after a schema or not, and returns its last part.
func (p *normalizer) path() string {
	name := p.name()
	for p.AcceptMark(".") {
		name = p.name()
	}
	return name
}

// name passes a name. Without quotes it is in lower case.
func (p *normalizer) name() string {
	t := p.Next()
	switch t.Kind {
	case sqltext.Word:
		return strings.ToLower(t.Text)
	case sqltext.Name:
		return t.Text
	default:
		p.Misunderstood()
		return ""
	}
}

func list(words ...string) string { return "(" + strings.Join(words, " ") + ")" }
