package ddl

import (
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// parser reads one statement. Its methods pass what they read; after an error all of them return empty values, see
// sqltext.Cursor.
type parser struct {
	sqltext.Cursor
	ctx Context
}

// newParser returns a parser before the first token of a statement.
func newParser(src string, ctx Context) *parser {
	p := &parser{Cursor: sqltext.NewCursor(src, rules(ctx)), ctx: ctx}
	// Names only: a string may be a default in utf8mb4.
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

// rules say how the server of a statement read it. A comment with a version above the server's is a comment. MariaDB
// also ignores the versions 50700 to 99999, which mean MySQL: /*!80023 INVISIBLE */ is nothing there.
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

// basic returns a name or comment as servers keep it, in utf8mb3: a character beyond that, such as an emoji, becomes a
// question mark on MySQL. MariaDB refuses it.
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

// ident reads a name, quoted or not. Behind a dot a number is a name: t.5.
func (p *parser) ident() string {
	if t := p.Peek(); t.Kind == sqltext.Word || t.Kind == sqltext.Name ||
		t.Kind == sqltext.Number && p.At > 0 && p.Tokens[p.At-1].IsMark(".") {
		p.At++
		return t.Text
	}
	p.Misunderstood()
	return ""
}

// table reads a table's name, [db.]table. Without a database it is in the session's.
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

// column reads a column's name, [[db.]table.]column, and returns the last part.
func (p *parser) column() string {
	n := p.ident()
	for p.AcceptMark(".") {
		n = p.ident()
	}
	return n
}

// value reads a string. Strings that follow one another are one: 'a' 'b' is ab.
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

// names reads columns in parentheses: (a, t.b).
func (p *parser) names() []string {
	p.ExpectMark("(")
	list := []string{p.column()}
	for p.AcceptMark(",") {
		list = append(list, p.column())
	}
	p.ExpectMark(")")
	return list
}

// list reads names without parentheses, such as those of partitions: p0, p1.
func (p *parser) list() []string {
	names := []string{p.ident()}
	for p.AcceptMark(",") {
		names = append(names, p.ident())
	}
	return names
}

// parenthesised passes a balanced ( .. ) and returns the tokens inside.
func (p *parser) parenthesised() expression {
	within, _ := p.Parentheses()
	return within
}
