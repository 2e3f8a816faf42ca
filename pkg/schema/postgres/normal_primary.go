package postgres

import (
	"regexp"
	"strings"

	"wherry/pkg/sqltext"
)

// primary reads an operand: a literal, a name, a call, or something in brackets.
func (p *normalizer) primary() string {
	t := p.Peek()
	switch {
	case t.IsMark("("):
		p.At++
		inner := p.expression(0)
		if p.AcceptMark(",") {
			inner = list(append([]string{"row", inner}, p.arguments(")")...)...)
			return inner
		}
		p.ExpectMark(")")
		return inner
	case t.Kind == sqltext.String:
		p.At++
		return literalForm(t.Text)
	case t.Is("E") && p.Ahead(1).Kind == sqltext.String && p.Ahead(1).From == t.To:
		p.At++
		return literalForm(strings.ReplaceAll(p.Read(sqltext.String), `\\`, `\`))
	case t.Kind == sqltext.Number:
		p.At++
		return t.Text
	case t.Kind == sqltext.Bits:
		p.At++
		return literalForm(t.Text)
	case t.Is("CASE"):
		return p.choice()
	case t.Is("ARRAY") && p.Ahead(1).IsMark("["):
		p.At += 2
		return list(append([]string{"array"}, p.arguments("]")...)...)
	case t.Is("CAST") && p.Ahead(1).IsMark("("):
		p.At += 2
		inner := p.expression(0)
		p.Expect("AS")
		p.castType()
		p.ExpectMark(")")
		return inner
	case t.Is("EXTRACT") && p.Ahead(1).IsMark("("):
		p.At += 2
		field := p.name()
		p.Expect("FROM")
		inner := p.expression(0)
		p.ExpectMark(")")
		return list("extract", field, inner)
	default:
		return p.reference()
	}
}

// reference reads a column or a call.
func (p *normalizer) reference() string {
	quoted := p.Peek().Kind == sqltext.Name
	name := p.path()
	if p.AcceptMark("(") {
		return list(append([]string{"call", strings.ToLower(name)}, p.arguments(")")...)...)
	}
	if t := p.Peek(); !quoted && t.Kind == sqltext.String { // a typed literal, such as date '2024-01-01'
		p.At++
		return literalForm(t.Text)
	}
	return Quote(name)
}

// arguments reads a list up to the closing bracket.
func (p *normalizer) arguments(closing string) (words []string) {
	for p.Err == nil && !p.AcceptMark(closing) {
		if len(words) > 0 {
			p.ExpectMark(",")
		}
		words = append(words, p.expression(0))
	}
	return words
}

// choice reads CASE .. END.
func (p *normalizer) choice() string {
	p.Expect("CASE")
	words := []string{"case"}
	if !p.Peek().Is("WHEN") {
		words = append(words, p.expression(0))
	}
	for p.Accept("WHEN") {
		condition := p.expression(0)
		p.Expect("THEN")
		words = append(words, list("when", condition, p.expression(0)))
	}
	if p.Accept("ELSE") {
		words = append(words, list("else", p.expression(0)))
	}
	p.Expect("END")
	return list(words...)
}

var number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// literalForm writes a literal. PostgreSQL prints the number -5 as '-5'::integer, and '5' of a number's column as 5.
func literalForm(text string) string {
	if number.MatchString(text) {
		return text
	}
	return Literal(text)
}
