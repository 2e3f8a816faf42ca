package sqltext

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// quoted reads up to the closing quote and returns what the quotes hold. Quotes inside are doubled, or escaped with a
// backslash where escapes is set: 'it”s' and 'it\'s' are it's.
func (l *Lexer) quoted(quote byte, escapes bool) (string, error) {
	var b strings.Builder
	begin := l.at
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
	return "", fmt.Errorf("no end of quotes that begin at %.20q", l.src[begin:])
}

// unescape writes what a backslash before c means (MySQL manual 11.1.1): \n is a line feed, \q is q. Before % and _ the
// backslash stays, as LIKE needs it.
func unescape(b *strings.Builder, c byte) {
	if at := strings.IndexByte("0bnrtZ", c); at >= 0 {
		c = "\x00\b\n\r\t\x1a"[at]
	} else if c == '%' || c == '_' {
		b.WriteByte('\\')
	}
	b.WriteByte(c)
}

// startsFraction returns whether the dot begins a number such as .5. Behind a name it does not: t.5 is column 5 of t. A
// server never prints a number that way.
func (l *Lexer) startsFraction() bool {
	c := l.peek(1)
	return !l.rules.Printed && c >= '0' && c <= '9' && l.last.Kind != Word && l.last.Kind != Name
}

// word reads a word, a number, or one of N'..', b'..' and x'..'. Names may begin with digits, so the text decides: 1e5
// is a number, 1e a name. Behind a dot digits are a name: t.1a, t.0x1.
func (l *Lexer) word(t *Token) error {
	named := l.last.IsMark(".")
	if n := numberLength(l.src[l.at:]); n > 0 && !named {
		t.Kind, t.Text = Number, l.src[l.at:l.at+n]
		l.at += n
		return nil
	}
	for WordByte(l.peek(0)) {
		l.at++
	}
	t.Kind, t.Text = Word, l.src[t.From:l.at]
	base := strings.ToLower(t.Text)
	switch {
	case l.peek(0) == '\'' && base == "n":
		var err error
		t.Kind = String
		t.Text, err = l.quoted('\'', !l.rules.NoBackslashEscapes)
		return err
	case l.peek(0) == '\'' && (base == "b" || base == "x"):
		digits, err := l.quoted('\'', false)
		if err == nil && !t.binary(base[0], digits) {
			err = fmt.Errorf("invalid digits %.20q", digits)
		}
		return err
	case !named && len(t.Text) > 2 && (strings.HasPrefix(t.Text, "0x") || strings.HasPrefix(t.Text, "0b")):
		if t.binary(t.Text[1], t.Text[2:]) {
			return nil
		}
	}
	if l.rules.Printed && !named && t.Text[0] >= '0' && t.Text[0] <= '9' {
		return fmt.Errorf("invalid number at %.20q", l.src[t.From:])
	}
	return nil
}

// binary makes the token one of bits or bytes, and returns whether the digits are such. 0xZZ is not: it is a name.
func (t *Token) binary(base byte, digits string) bool {
	if base == 'b' {
		if strings.Trim(digits, "01") != "" {
			return false
		}
		t.Kind, t.Text = Bits, digits
		return true
	}
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return false
	}
	t.Kind, t.Text = Bytes, string(raw)
	return true
}

// numberLength returns the length of the number that s begins with; 0 when it begins with none, or with a name such as
// 1a. Of "12.5e3," it is 6.
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
	case at < len(s) && WordByte(s[at]), at == 0:
		return 0
	case whole == 0 && at == 1: // a dot alone
		return 0
	}
	return at
}

// operators are those of more than one character, the longer ones first.
var operators = []string{"<=>", "->>", "<>", "<=", ">=", "!=", ":=", "||", "&&", "<<", ">>", "->"}

// operator reads an operator, or one character of any other sort.
func (l *Lexer) operator() string {
	for _, operator := range operators {
		if strings.HasPrefix(l.src[l.at:], operator) {
			l.at += len(operator)
			return operator
		}
	}
	l.at++
	return l.src[l.at-1 : l.at]
}

// WordByte returns whether a byte may be part of a keyword or of a name without quotes. Every byte of a character
// beyond ASCII may: servers take é in names.
func WordByte(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}
