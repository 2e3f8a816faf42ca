package schema

import (
	"encoding/hex"
	"fmt"
	"strings"
)

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenWord             // a keyword or function name
	tokenIdent            // in backticks; text is what they hold
	tokenString           // text is the value
	tokenNumber           // unsigned
	tokenBits             // b'101'; text is the digits
	tokenHex              // x'0f' or 0x0f; text is the bytes
	tokenPunct            // one character, or one of <> <= >= != := || && << >> ->
)

// token is a piece of SQL. Versioned comments are seen through: their contents are tokens like any other.
type token struct {
	kind  tokenKind
	text  string
	begin int
	end   int
	lead  int // where a versioned comment that opens right before the token begins, else begin
}

func (t token) is(word string) bool { return t.kind == tokenWord && strings.EqualFold(t.text, word) }

func (t token) punct(text string) bool { return t.kind == tokenPunct && t.text == text }

// lexer splits SQL as a server prints it.
type lexer struct {
	src      string
	at       int
	comments int // versioned comments that are open
	lead     int // where the run of comment openings before the next token begins, or -1

	free  bool // a person wrote it: comments are passed over, and names may begin with digits
	ansi  bool // ANSI_QUOTES: names stand in double quotes
	plain bool // NO_BACKSLASH_ESCAPES: a backslash in a string is one
}

// lex returns the tokens of src, the last of kind tokenEnd.
func lex(src string) ([]token, error) {
	l := &lexer{src: src}
	return l.all()
}

func (l *lexer) all() ([]token, error) {
	tokens := make([]token, 0, len(l.src)/5+2)
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		if t.kind == tokenEnd && l.comments != 0 {
			return nil, fmt.Errorf("no end of comment")
		}
		tokens = append(tokens, t)
		if t.kind == tokenEnd {
			return tokens, nil
		}
	}
}

func (l *lexer) next() (token, error) {
	if err := l.skip(); err != nil {
		return token{}, err
	}
	t := token{begin: l.at, lead: l.at}
	if l.lead >= 0 {
		t.lead = l.lead
	}
	var err error
	switch c := l.peek(0); {
	case l.at >= len(l.src):
		t.kind = tokenEnd
	case c == '`' || c == '\'' || c == '"':
		t.kind = tokenString
		if c == '`' || c == '"' && l.ansi {
			t.kind = tokenIdent
		}
		t.text, err = l.quoted(c)
	case c >= '0' && c <= '9':
		err = l.number(&t)
	case wordByte(c):
		err = l.word(&t)
	default:
		t.kind, t.text = tokenPunct, l.operator()
	}
	t.end = l.at
	return t, err
}

func (l *lexer) peek(ahead int) byte {
	if l.at+ahead < len(l.src) {
		return l.src[l.at+ahead]
	}
	return 0
}

// oldTemporal is the length of the comment by which a server marks a temporal column that it stores as before MySQL 5.6.4: MariaDB with
// mysql56_temporal_format off, MySQL up to 5.7 with show_old_temporals. The values are the same, so it means nothing elsewhere.
func oldTemporal(text string) int {
	for _, comment := range []string{"/* mariadb-5.3 */", "/* 5.5 binary format */"} {
		if strings.HasPrefix(text, comment) {
			return len(comment)
		}
	}
	return 0
}

// skip passes blanks and the brackets of versioned comments, /*!80016 .. */ and /*M!100301 .. */.
func (l *lexer) skip() error {
	l.lead = -1
	for l.at < len(l.src) {
		rest := l.src[l.at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			l.at++
		case strings.HasPrefix(rest, "/*!"), strings.HasPrefix(rest, "/*M!"):
			if l.lead < 0 {
				l.lead = l.at
			}
			l.comments++
			l.at += strings.IndexByte(rest, '!') + 1
			for l.peek(0) >= '0' && l.peek(0) <= '9' {
				l.at++
			}
		case strings.HasPrefix(rest, "*/") && l.comments > 0:
			l.comments--
			l.at += 2
			l.lead = -1
		case l.free && l.comment(rest):
		case oldTemporal(rest) > 0:
			l.at += oldTemporal(rest)
		case strings.HasPrefix(rest, "/*"):
			return fmt.Errorf("cannot understand comment %.20q", rest)
		default:
			return nil
		}
	}
	return nil
}

// comment passes a comment, if the rest of the text begins with one (MySQL manual 11.7).
func (l *lexer) comment(rest string) bool {
	end := ""
	switch {
	case strings.HasPrefix(rest, "/*"):
		end = "*/"
	case rest[0] == '#', strings.HasPrefix(rest, "--") && (len(rest) == 2 || rest[2] <= ' '):
		end = "\n"
	default:
		return false
	}
	if at := strings.Index(rest, end); at >= 0 {
		l.at += at + len(end)
	} else {
		l.at = len(l.src)
	}
	return true
}

// quoted reads up to the closing quote. Quotes inside are doubled, or escaped with a backslash in strings.
func (l *lexer) quoted(quote byte) (string, error) {
	var b strings.Builder
	begin := l.at
	for l.at++; l.at < len(l.src); l.at++ {
		c := l.src[l.at]
		switch {
		case c == quote && l.peek(1) == quote:
			l.at++
			b.WriteByte(c)
		case c == quote:
			l.at++
			return b.String(), nil
		case c == '\\' && !l.plain && (quote == '\'' || quote == '"' && !l.ansi) && l.at+1 < len(l.src):
			l.at++
			unescape(&b, l.src[l.at])
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Errorf("no end of quotes that begin at %.20q", l.src[begin:])
}

// unescape writes what a backslash before c means (MySQL manual 11.1.1).
func unescape(b *strings.Builder, c byte) {
	switch c {
	case '0':
		c = 0
	case 'b':
		c = '\b'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'Z':
		c = 26
	case '%', '_':
		b.WriteByte('\\')
	}
	b.WriteByte(c)
}

func (l *lexer) number(t *token) error {
	begin := l.at
	if l.peek(0) == '0' && l.peek(1) == 'x' {
		for l.at += 2; wordByte(l.peek(0)); l.at++ {
		}
		return t.hex(l.src[begin+2 : l.at])
	}
	digits := func() {
		for l.peek(0) >= '0' && l.peek(0) <= '9' {
			l.at++
		}
	}
	digits()
	if l.peek(0) == '.' {
		l.at++
		digits()
	}
	if c := l.peek(0); c == 'e' || c == 'E' {
		l.at++
		if c := l.peek(0); c == '+' || c == '-' {
			l.at++
		}
		digits()
	}
	t.kind, t.text = tokenNumber, l.src[begin:l.at]
	if wordByte(l.peek(0)) && l.free {
		l.at = begin
		return l.word(t)
	}
	if wordByte(l.peek(0)) {
		return fmt.Errorf("invalid number at %.20q", l.src[begin:])
	}
	return nil
}

func (l *lexer) word(t *token) error {
	begin := l.at
	for wordByte(l.peek(0)) {
		l.at++
	}
	t.kind, t.text = tokenWord, l.src[begin:l.at]
	if l.peek(0) != '\'' || len(t.text) != 1 {
		return nil
	}
	switch t.text {
	case "b", "B":
		text, err := l.quoted('\'')
		t.kind, t.text = tokenBits, text
		if err == nil && strings.Trim(text, "01") != "" {
			err = fmt.Errorf("invalid bits %.20q", text)
		}
		return err
	case "x", "X":
		text, err := l.quoted('\'')
		if err != nil {
			return err
		}
		return t.hex(text)
	}
	return nil
}

func (t *token) hex(digits string) error {
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return fmt.Errorf("invalid hexadecimal digits %.20q", digits)
	}
	t.kind, t.text = tokenHex, string(raw)
	return nil
}

func (l *lexer) operator() string {
	if l.at+2 <= len(l.src) {
		switch two := l.src[l.at : l.at+2]; two {
		case "<>", "<=", ">=", "!=", ":=", "||", "&&", "<<", ">>", "->":
			l.at += 2
			return two
		}
	}
	l.at++
	return l.src[l.at-1 : l.at]
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c == '@' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
