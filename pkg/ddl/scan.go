package ddl

import (
	"fmt"
	"strconv"
	"strings"

	"wherry/pkg/schema"
)

// parser walks the tokens of one statement. After the first error every token reads as the end, so that all loops end by
// themselves and only the caller needs to look at err.
type parser struct {
	src    string
	tokens []token
	at     int
	err    error
	ctx    Context
}

func (p *parser) peek() token { return p.ahead(0) }

func (p *parser) ahead(n int) token {
	if p.err != nil || p.at+n >= len(p.tokens) {
		return token{}
	}
	return p.tokens[p.at+n]
}

func (p *parser) next() token {
	t := p.peek()
	if t.kind != end {
		p.at++
	}
	return t
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// misunderstood reports the next token.
func (p *parser) misunderstood() {
	if p.err != nil {
		return
	}
	if p.peek().kind == end {
		p.fail("it ends too early")
		return
	}
	p.fail("at %.40q", p.src[p.peek().from:])
}

// accept passes the given keywords when they come next, all of them.
func (p *parser) accept(keywords string) bool {
	words := strings.Fields(keywords)
	for i, keyword := range words {
		if !p.ahead(i).is(keyword) {
			return false
		}
	}
	p.at += len(words)
	return true
}

// acceptAny passes the first of the given keywords that comes next and returns it, or "".
func (p *parser) acceptAny(keywords ...string) string {
	for _, keyword := range keywords {
		if p.accept(keyword) {
			return keyword
		}
	}
	return ""
}

func (p *parser) acceptMark(text string) bool {
	if !p.peek().mark(text) {
		return false
	}
	p.at++
	return true
}

func (p *parser) expect(keywords string) {
	if !p.accept(keywords) {
		p.misunderstood()
	}
}

func (p *parser) expectMark(text string) {
	if !p.acceptMark(text) {
		p.misunderstood()
	}
}

// ident reads a name, quoted or not.
func (p *parser) ident() string {
	if t := p.peek(); t.kind == word || t.kind == name || t.kind == number && p.at > 0 && p.tokens[p.at-1].mark(".") {
		p.at++
		return t.text
	}
	p.misunderstood()
	return ""
}

// table reads a table's name, [db.]table.
func (p *parser) table() schema.Name {
	n := schema.Name{Database: p.ctx.Database, Table: p.ident()}
	if p.acceptMark(".") {
		n = schema.Name{Database: n.Table, Table: p.ident()}
	}
	if p.err == nil && n.Database == "" {
		p.fail("no database of table %s is known", n.Table)
	}
	return n
}

// column reads a column's name, which its table's may precede.
func (p *parser) column() string {
	n := p.ident()
	for p.acceptMark(".") {
		n = p.ident()
	}
	return n
}

// value reads a string, which may come in pieces.
func (p *parser) value() string {
	t := p.peek()
	if t.kind != text {
		p.misunderstood()
		return ""
	}
	s := ""
	for p.peek().kind == text {
		s += p.next().text
	}
	return s
}

// integer reads an unsigned number of at most nine digits.
func (p *parser) integer() int {
	t := p.peek()
	n, err := strconv.Atoi(t.text)
	if t.kind != number || err != nil || len(t.text) > 9 {
		p.misunderstood()
		return 0
	}
	p.at++
	return n
}

// names reads (a, b).
func (p *parser) names() []string {
	p.expectMark("(")
	list := []string{p.column()}
	for p.acceptMark(",") {
		list = append(list, p.column())
	}
	p.expectMark(")")
	return list
}

// list reads a, b.
func (p *parser) list() []string {
	names := []string{p.ident()}
	for p.acceptMark(",") {
		names = append(names, p.ident())
	}
	return names
}

// parenthesised passes a balanced ( .. ) and returns what is inside.
func (p *parser) parenthesised() expression {
	if !p.peek().mark("(") {
		p.misunderstood()
		return nil
	}
	from := p.at + 1
	p.skipParentheses()
	if p.err != nil {
		return nil
	}
	return p.tokens[from : p.at-1]
}

func (p *parser) skipParentheses() {
	for depth := 0; p.err == nil; {
		switch t := p.next(); {
		case t.kind == end:
			p.misunderstood()
		case t.mark("("):
			depth++
		case t.mark(")"):
			if depth--; depth == 0 {
				return
			}
		}
	}
}
