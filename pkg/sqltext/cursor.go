package sqltext

import (
	"fmt"
	"strconv"
	"strings"
)

// Cursor walks the tokens of a text. After the first error every token reads as the end, so that all loops of a parser
// end by themselves, and only its caller needs to check Err. What was read up to then is worthless.
type Cursor struct {
	Src    string
	Tokens []Token // of Src, the last of kind End
	At     int     // the next token
	Err    error
}

// NewCursor cuts a text and stands before its first token. Err is why it cannot be cut, nil when it can.
func NewCursor(src string, rules Rules) Cursor {
	tokens, err := Lex(src, rules)
	return Cursor{Src: src, Tokens: tokens, Err: err}
}

// MisunderstoodError is a token that the grammar has no place for: the statement is of a newer server, or no SQL.
type MisunderstoodError struct {
	Rest string // of the text, from the token on to the end of its line; empty at the end
}

// Error quotes where it is.
func (e *MisunderstoodError) Error() string {
	if e.Rest == "" {
		return "cannot understand the end"
	}
	return fmt.Sprintf("cannot understand %.60q", e.Rest)
}

// Peek returns the next token.
func (c *Cursor) Peek() Token { return c.Ahead(0) }

// Ahead returns the token n places behind the next one; Ahead(0) is the next one. Behind the last token it is the end.
func (c *Cursor) Ahead(n int) Token {
	if c.Err != nil || c.At+n >= len(c.Tokens) {
		return Token{}
	}
	return c.Tokens[c.At+n]
}

// Next passes a token and returns it. It never passes the end, so it may be called there any number of times.
func (c *Cursor) Next() Token {
	t := c.Peek()
	if t.Kind != End {
		c.At++
	}
	return t
}

// Fail keeps the first error.
func (c *Cursor) Fail(format string, args ...any) {
	if c.Err == nil {
		c.Err = fmt.Errorf(format, args...)
	}
}

// Misunderstood fails with a MisunderstoodError of the next token.
func (c *Cursor) Misunderstood() {
	if c.Err != nil {
		return
	}
	rest := ""
	if t := c.Peek(); t.Kind != End {
		rest, _, _ = strings.Cut(c.Src[t.From:], "\n")
	}
	c.Err = &MisunderstoodError{Rest: rest}
}

// Accept passes the given keywords, as in "IF NOT EXISTS", if all of them come next; else it passes none. Case does not
// count. A quoted name is no keyword.
func (c *Cursor) Accept(keywords string) bool {
	n := 0
	for keyword := range strings.FieldsSeq(keywords) {
		if !c.Ahead(n).Is(keyword) {
			return false
		}
		n++
	}
	c.At += n
	return true
}

// AcceptMark passes a mark when it comes next.
func (c *Cursor) AcceptMark(text string) bool {
	if !c.Peek().IsMark(text) {
		return false
	}
	c.At++
	return true
}

// Expect passes keywords that must come next.
func (c *Cursor) Expect(keywords string) {
	if !c.Accept(keywords) {
		c.Misunderstood()
	}
}

// ExpectMark passes a mark that must come next.
func (c *Cursor) ExpectMark(text string) {
	if !c.AcceptMark(text) {
		c.Misunderstood()
	}
}

// Read passes a token of the given kind and returns its text.
func (c *Cursor) Read(kind Kind) string {
	t := c.Peek()
	if t.Kind != kind || kind == End {
		c.Misunderstood()
		return ""
	}
	c.At++
	return t.Text
}

// Integer reads an unsigned number of at most nine digits.
func (c *Cursor) Integer() int {
	t := c.Peek()
	n, err := strconv.Atoi(t.Text)
	if t.Kind != Number || err != nil || len(t.Text) > 9 {
		c.Misunderstood()
		return 0
	}
	c.At++
	return n
}

// Parentheses passes a balanced ( .. ) and returns the tokens within, and the closing one. Before "(a, (b)) c" it
// returns a , ( b ) and stands before c.
func (c *Cursor) Parentheses() (within []Token, closing Token) {
	if !c.Peek().IsMark("(") {
		c.Misunderstood()
		return nil, Token{}
	}
	begin := c.At + 1
	for depth := 0; ; {
		t := c.Next()
		switch {
		case t.Kind == End:
			c.Misunderstood()
			return nil, t
		case t.IsMark("("):
			depth++
		case t.IsMark(")"):
			if depth--; depth == 0 {
				return c.Tokens[begin : c.At-1], t
			}
		}
	}
}
