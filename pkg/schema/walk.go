package schema

import (
	"fmt"
	"strings"
)

// peek returns the next token, which is the end after an error.
func (p *parser) peek() token {
	if p.err != nil {
		return token{}
	}
	return p.tokens[p.at]
}

func (p *parser) next() token {
	t := p.peek()
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// misunderstood reports the next token.
func (p *parser) misunderstood() {
	if p.err != nil {
		return
	}
	if p.peek().kind == tokenEnd {
		p.fail(fmt.Errorf("cannot understand the end of SHOW CREATE TABLE"))
		return
	}
	line, _, _ := strings.Cut(p.src[p.peek().begin:], "\n")
	if len(line) > 60 {
		line = line[:60]
	}
	p.fail(fmt.Errorf("cannot understand %q of SHOW CREATE TABLE", line))
}

// accept passes the given keywords when they come next, all of them.
func (p *parser) accept(words ...string) bool {
	for i, word := range words {
		if p.err != nil || p.at+i >= len(p.tokens) || !p.tokens[p.at+i].is(word) {
			return false
		}
	}
	p.at += len(words)
	return true
}

func (p *parser) acceptPunct(text string) bool {
	if !p.peek().punct(text) {
		return false
	}
	p.at++
	return true
}

func (p *parser) expect(word string) {
	if !p.accept(word) {
		p.misunderstood()
	}
}

func (p *parser) expectPunct(text string) {
	if !p.acceptPunct(text) {
		p.misunderstood()
	}
}

// take passes a token of the given kind and returns its text.
func (p *parser) take(kind tokenKind) string {
	t := p.peek()
	if t.kind != kind || kind == tokenEnd {
		p.misunderstood()
		return ""
	}
	p.at++
	return t.text
}

func (p *parser) ident() string { return p.take(tokenIdent) }

// keyword returns the next word in lower case.
func (p *parser) keyword() string { return strings.ToLower(p.take(tokenWord)) }

// integer reads an unsigned number of at most nine digits.
func (p *parser) integer() int {
	t := p.peek()
	n, ok := 0, t.kind == tokenNumber && len(t.text) < 10
	for i := 0; ok && i < len(t.text); i++ {
		ok = t.text[i] >= '0' && t.text[i] <= '9'
		n = n*10 + int(t.text[i]-'0')
	}
	if !ok {
		p.misunderstood()
		return 0
	}
	p.at++
	return n
}

// parenthesised passes a balanced ( .. ) and returns what is inside, verbatim.
func (p *parser) parenthesised() string {
	open := p.peek()
	if !open.punct("(") {
		p.misunderstood()
		return ""
	}
	closing := p.skipParentheses()
	if p.err != nil {
		return ""
	}
	return strings.TrimSpace(p.src[open.end:closing.begin])
}

// skipParentheses passes a balanced ( .. ) and returns the closing token.
func (p *parser) skipParentheses() token {
	depth := 0
	for {
		t := p.next()
		switch {
		case t.kind == tokenEnd:
			p.misunderstood()
			return t
		case t.punct("("):
			depth++
		case t.punct(")"):
			depth--
		}
		if depth == 0 {
			return t
		}
	}
}
