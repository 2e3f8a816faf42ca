package sqltext

import (
	"fmt"
	"strconv"
	"strings"
)

// Lexer cuts one text. It is for texts of which only the beginning is wanted; Lex cuts a whole one.
type Lexer struct {
	src   string
	rules Rules
	at    int
	open  int   // how many versioned comments are open
	lead  int   // where the run of comment openings before the next token begins, or -1
	last  Token // decides whether digits are a number or a name
}

// NewLexer begins at the start of a text.
func NewLexer(src string, rules Rules) *Lexer { return &Lexer{src: src, rules: rules} }

// Lex returns the tokens of a text, the last of kind End.
func Lex(src string, rules Rules) ([]Token, error) {
	l := NewLexer(src, rules)
	tokens := make([]Token, 0, len(src)/5+2)
	for {
		t, err := l.Next()
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		if t.Kind == End {
			return tokens, nil
		}
	}
}

// Next returns the next token, and End for ever when there is none. It must not be called after an error.
func (l *Lexer) Next() (Token, error) {
	if err := l.skip(); err != nil {
		return Token{}, err
	}
	t := Token{From: l.at, Lead: l.at}
	if l.lead >= 0 {
		t.Lead = l.lead
	}
	var err error
	switch c := l.peek(0); {
	case l.at >= len(l.src):
		t.Kind = End
	case c == '`' || c == '"' && l.rules.ANSIQuotes:
		t.Kind = Name
		t.Text, err = l.quoted(c, false)
	case c == '\'' || c == '"':
		t.Kind = String
		t.Text, err = l.quoted(c, !l.rules.NoBackslashEscapes)
	case WordByte(c), c == '.' && l.startsFraction():
		err = l.word(&t)
	default:
		t.Kind, t.Text = Mark, l.operator()
	}
	t.To = l.at
	l.last = t
	return t, err
}

func (l *Lexer) peek(ahead int) byte {
	if l.at+ahead < len(l.src) {
		return l.src[l.at+ahead]
	}
	return 0
}

// skip passes blanks, comments, and the brackets of versioned comments that the server runs: of `/*!80023 INVISIBLE */`
// it leaves INVISIBLE.
func (l *Lexer) skip() error {
	l.lead = -1
	for l.at < len(l.src) {
		rest := l.src[l.at:]
		switch {
		case strings.IndexByte(" \t\r\n\v\f", rest[0]) >= 0:
			l.at++
		case strings.HasPrefix(rest, "*/") && l.open > 0:
			l.open--
			l.at += 2
			l.lead = -1
		case l.opens(rest):
		case strings.HasPrefix(rest, "/*"):
			if err := l.comment(rest); err != nil {
				return err
			}
		case !l.rules.Printed && lineComment(rest):
			if end := strings.IndexByte(rest, '\n'); end >= 0 {
				l.at += end + 1
			} else {
				l.at = len(l.src)
			}
		default:
			return nil
		}
	}
	if l.open > 0 {
		return fmt.Errorf("no end of comment")
	}
	return nil
}

// opens passes the opening of a comment whose contents the server runs, if the rest of the text begins with one
// (MySQL manual 11.7).
func (l *Lexer) opens(rest string) bool {
	mariadb := strings.HasPrefix(rest, "/*M!")
	if !mariadb && !strings.HasPrefix(rest, "/*!") || l.open > 0 && l.rules.Runs != nil {
		return false
	}
	from := strings.IndexByte(rest, '!') + 1
	digits := from
	for digits < len(rest) && digits < from+6 && rest[digits] >= '0' && rest[digits] <= '9' {
		digits++
	}
	version := 0
	if digits-from >= 5 {
		version, _ = strconv.Atoi(rest[from:digits])
	} else {
		digits = from // fewer than five digits are no version but a part of the contents
	}
	if l.rules.Runs != nil && !l.rules.Runs(mariadb, version) {
		return false
	}
	if l.lead < 0 {
		l.lead = l.at
	}
	l.open++
	l.at += digits
	return true
}

// lineComment returns whether a text begins with a comment up to the end of the line. Behind -- there must be a blank
// (MySQL manual 11.7): 5--1 is a difference.
func lineComment(rest string) bool {
	return rest[0] == '#' || strings.HasPrefix(rest, "--") && (len(rest) == 2 || rest[2] <= ' ')
}

// oldTemporals are the comments by which a server marks a temporal column that it stores as before MySQL 5.6.4:
// MariaDB with mysql56_temporal_format off, MySQL up to 5.7 with show_old_temporals. The values are the same, so they
// mean nothing elsewhere.
var oldTemporals = []string{"/* mariadb-5.3 */", "/* 5.5 binary format */"}

// comment passes a comment whose contents mean nothing. In a text that a server printed any other comment may mean
// something, such as partitions behind a version, so it is an error.
func (l *Lexer) comment(rest string) error {
	if l.rules.Printed {
		for _, comment := range oldTemporals {
			if strings.HasPrefix(rest, comment) {
				l.at += len(comment)
				return nil
			}
		}
		return fmt.Errorf("cannot understand comment %.20q", rest)
	}
	end := strings.Index(rest[2:], "*/")
	if end < 0 {
		return fmt.Errorf("no end of comment")
	}
	l.at += end + 4
	return nil
}
