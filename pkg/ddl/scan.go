package ddl

import (
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// parser reads one statement.
type parser struct {
	sqltext.Cursor
	ctx Context
}

// newParser stands before the first token of a statement.
func newParser(src string, ctx Context) *parser {
	p := &parser{Cursor: sqltext.NewCursor(src, rules(ctx)), ctx: ctx}
	for i := range p.Tokens {
		if t := &p.Tokens[i]; t.Kind == sqltext.Word || t.Kind == sqltext.Name {
			t.Text = basic(t.Text)
		}
	}
	return p
}

// lex returns the tokens of an expression or clause that a server has printed.
func lex(src string, flavor schema.Flavor) ([]sqltext.Token, error) {
	p := newParser(src, Context{Flavor: flavor})
	return p.Tokens, p.Err
}

// rules say how the server of a statement read it. MariaDB passes over comments of MySQL's versions 50700 to 99999.
func rules(ctx Context) sqltext.Rules {
	return sqltext.Rules{
		ANSIQuotes: ctx.ANSIQuotes, NoBackslashEscapes: ctx.NoBackslashEscapes,
		Runs: func(mariadb bool, version int) bool {
			foreign := mariadb && ctx.Flavor.Family == schema.MySQL ||
				ctx.Flavor.Family == schema.MariaDB && !mariadb && version >= 50700 && version <= 99999
			return version <= ctx.Flavor.Version && !foreign
		},
	}
}

// basic returns a name or comment as servers keep it: without the characters that utf8mb3 lacks. MariaDB refuses them.
func basic(name string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xFFFF {
			return '?'
		}
		return r
	}, name)
}

// acceptAny passes the first of the given keywords that comes next and returns it, or "".
func (p *parser) acceptAny(keywords ...string) string {
	for _, keyword := range keywords {
		if p.Accept(keyword) {
			return keyword
		}
	}
	return ""
}

// ident reads a name, quoted or not.
func (p *parser) ident() string {
	if t := p.Peek(); t.Kind == sqltext.Word || t.Kind == sqltext.Name ||
		t.Kind == sqltext.Number && p.At > 0 && p.Tokens[p.At-1].IsMark(".") {
		p.At++
		return t.Text
	}
	p.Misunderstood()
	return ""
}

// table reads a table's name, [db.]table.
func (p *parser) table() schema.Name {
	n := schema.Name{Database: p.ctx.Database, Table: p.ident()}
	if p.AcceptMark(".") {
		n = schema.Name{Database: n.Table, Table: p.ident()}
	}
	if p.Err == nil && n.Database == "" {
		p.Fail("no database of table %s is known", n.Table)
	}
	return n
}

// column reads a column's name, which its table's may precede.
func (p *parser) column() string {
	n := p.ident()
	for p.AcceptMark(".") {
		n = p.ident()
	}
	return n
}

// value reads a string, which may come in pieces.
func (p *parser) value() string {
	t := p.Peek()
	if t.Kind != sqltext.String {
		p.Misunderstood()
		return ""
	}
	s := ""
	for p.Peek().Kind == sqltext.String {
		s += p.Next().Text
	}
	return s
}

// names reads (a, b).
func (p *parser) names() []string {
	p.ExpectMark("(")
	list := []string{p.column()}
	for p.AcceptMark(",") {
		list = append(list, p.column())
	}
	p.ExpectMark(")")
	return list
}

// list reads a, b.
func (p *parser) list() []string {
	names := []string{p.ident()}
	for p.AcceptMark(",") {
		names = append(names, p.ident())
	}
	return names
}

// parenthesised passes a balanced ( .. ) and returns what is inside.
func (p *parser) parenthesised() expression {
	within, _ := p.Parentheses()
	return within
}
