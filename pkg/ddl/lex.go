package ddl

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

type kind int

const (
	end    kind = iota
	word        // a keyword or an unquoted name
	name        // a quoted name; text is what the quotes hold
	text        // a string; text is its value
	number      // unsigned
	bits        // b'101'; text is the digits
	bytes       // x'0f' or 0x0f; text is the bytes
	mark        // an operator or a mark of punctuation
)

// token is a piece of a statement.
type token struct {
	kind kind
	text string
	from int // where it begins in the statement
	to   int
}

func (t token) is(keyword string) bool { return t.kind == word && strings.EqualFold(t.text, keyword) }

func (t token) mark(text string) bool { return t.kind == mark && t.text == text }

// lexer splits a statement as a client wrote it.
type lexer struct {
	src  string
	at   int
	open bool // within a versioned comment that the server runs
	ctx  Context
	last token
}

// lex returns the tokens of a statement, the last of kind end.
func lex(src string, ctx Context) ([]token, error) {
	l := &lexer{src: src, ctx: ctx}
	var tokens []token
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		l.last = t
		if t.kind == end {
			return tokens, nil
		}
	}
}

func (l *lexer) peek(ahead int) byte {
	if l.at+ahead < len(l.src) {
		return l.src[l.at+ahead]
	}
	return 0
}

// skip passes blanks, comments, and the brackets of versioned comments that the server runs.
func (l *lexer) skip() error {
	for l.at < len(l.src) {
		rest := l.src[l.at:]
		switch {
		case strings.IndexByte(" \t\r\n\v\f", rest[0]) >= 0:
			l.at++
		case rest[0] == '#', strings.HasPrefix(rest, "--") && (len(rest) == 2 || rest[2] <= ' '):
			if line := strings.IndexByte(rest, '\n'); line >= 0 {
				l.at += line + 1
			} else {
				l.at = len(l.src)
			}
		case strings.HasPrefix(rest, "*/") && l.open:
			l.open = false
			l.at += 2
		case strings.HasPrefix(rest, "/*"):
			if err := l.comment(rest); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	if l.open {
		return fmt.Errorf("no end of comment")
	}
	return nil
}

// comment passes a comment, or the opening of one whose contents count: /*! .. */, /*!80016 .. */ up to the server's version and
// /*M!100301 .. */ on MariaDB (MySQL manual 11.7; MariaDB passes over MySQL's versions 50700 to 99999).
func (l *lexer) comment(rest string) error {
	mariadb := strings.HasPrefix(rest, "/*M!")
	if mariadb && l.ctx.Flavor.MariaDB || strings.HasPrefix(rest, "/*!") {
		from := strings.IndexByte(rest, '!') + 1
		digits := from
		for digits < len(rest) && digits < from+6 && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		version := 0
		if digits-from >= 5 {
			version, _ = strconv.Atoi(rest[from:digits])
		} else {
			digits = from
		}
		foreign := l.ctx.Flavor.MariaDB && !mariadb && version >= 50700 && version <= 99999
		if version <= l.ctx.Flavor.Version && !foreign && !l.open {
			l.open = true
			l.at += digits
			return nil
		}
	}
	closing := strings.Index(rest[2:], "*/")
	if closing < 0 {
		return fmt.Errorf("no end of comment")
	}
	l.at += closing + 4
	return nil
}

func (l *lexer) next() (token, error) {
	if err := l.skip(); err != nil {
		return token{}, err
	}
	t := token{from: l.at}
	var err error
	switch c := l.peek(0); {
	case l.at >= len(l.src):
		t.kind = end
	case c == '`' || c == '"' && l.ctx.ANSIQuotes:
		t.kind = name
		t.text, err = l.quoted(c, false)
		t.text = basic(t.text)
	case c == '\'' || c == '"':
		t.kind = text
		t.text, err = l.quoted(c, !l.ctx.NoBackslashEscapes)
	case wordByte(c), c == '.' && l.peek(1) >= '0' && l.peek(1) <= '9' && l.last.kind != word && l.last.kind != name:
		t, err = l.word()
	default:
		t.kind, t.text = mark, l.operator()
	}
	t.to = l.at
	return t, err
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

// quoted reads up to the closing quote.
func (l *lexer) quoted(quote byte, escapes bool) (string, error) {
	var b strings.Builder
	for l.at++; l.at < len(l.src); l.at++ {
		switch c := l.src[l.at]; {
		case c == quote && l.peek(1) == quote:
			l.at++
			b.WriteByte(c)
		case c == quote:
			l.at++
			return b.String(), nil
		case c == '\\' && escapes && l.at+1 < len(l.src):
			l.at++
			unescape(&b, l.src[l.at])
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Errorf("no end of quotes")
}

// unescape writes what a backslash before c means (MySQL manual 11.1.1).
func unescape(b *strings.Builder, c byte) {
	if at := strings.IndexByte("0bnrtZ", c); at >= 0 {
		c = "\x00\b\n\r\t\x1a"[at]
	} else if c == '%' || c == '_' {
		b.WriteByte('\\')
	}
	b.WriteByte(c)
}

// word reads a word, a number, or one of N'..', b'..' and x'..'. A name may begin with digits.
func (l *lexer) word() (token, error) {
	t := token{kind: word, from: l.at}
	if n := numberLength(l.src[l.at:]); n > 0 && !l.last.mark(".") {
		t.kind, t.text = number, l.src[l.at:l.at+n]
		l.at += n
		return t, nil
	}
	for wordByte(l.peek(0)) {
		l.at++
	}
	t.text = basic(l.src[t.from:l.at])
	lower := strings.ToLower(t.text)
	switch {
	case l.peek(0) == '\'' && (lower == "b" || lower == "x" || lower == "n"):
		value, err := l.quoted('\'', lower == "n" && !l.ctx.NoBackslashEscapes)
		if err != nil || lower == "n" {
			t.kind, t.text = text, value
			return t, err
		}
		return t.binary(lower, value)
	case !l.last.mark(".") && len(lower) > 2 && strings.HasPrefix(t.text, "0x"):
		if hexed, err := t.binary("x", t.text[2:]); err == nil {
			return hexed, nil
		}
	case !l.last.mark(".") && len(lower) > 2 && strings.HasPrefix(t.text, "0b") && strings.Trim(t.text[2:], "01") == "":
		return t.binary("b", t.text[2:])
	}
	return t, nil
}

// binary makes the token one of bits or bytes.
func (t token) binary(base, digits string) (token, error) {
	if base == "b" {
		t.kind, t.text = bits, digits
		if strings.Trim(digits, "01") != "" {
			return t, fmt.Errorf("invalid bits %.20q", digits)
		}
		return t, nil
	}
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	raw, err := hex.DecodeString(digits)
	t.kind, t.text = bytes, string(raw)
	return t, err
}

// numberLength returns the length of the number that s begins with; 0 when it begins with none, or with a name.
func numberLength(s string) int {
	at := 0
	digits := func() {
		for at < len(s) && s[at] >= '0' && s[at] <= '9' {
			at++
		}
	}
	digits()
	whole := at
	if at < len(s) && s[at] == '.' {
		at++
		digits()
	}
	if at > 0 && at+1 < len(s) && s[at]|0x20 == 'e' {
		mantissa := at
		at++
		if s[at] == '+' || s[at] == '-' {
			at++
		}
		exponent := at
		if digits(); at == exponent {
			at = mantissa
		}
	}
	switch {
	case at < len(s) && wordByte(s[at]), at == 0:
		return 0
	case whole == 0 && at == 1:
		return 0
	}
	return at
}

func (l *lexer) operator() string {
	for _, operator := range []string{"<=>", "->>", "<>", "<=", ">=", "!=", ":=", "||", "&&", "<<", ">>", "->"} {
		if strings.HasPrefix(l.src[l.at:], operator) {
			l.at += len(operator)
			return operator
		}
	}
	l.at++
	return l.src[l.at-1 : l.at]
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}
