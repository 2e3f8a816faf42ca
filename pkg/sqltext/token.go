// Package sqltext cuts SQL of MySQL and MariaDB into tokens, and walks them.
//
// Whoever reads SQL reads it by these rules: definitions that a server prints, statements in the log, the bodies of
// views and triggers. For example
//
//	ALTER TABLE `a b` ADD c INT /*!80023 INVISIBLE */ -- why
//
// is ALTER, TABLE, the name "a b", ADD, c, INT and, where the server runs that comment, INVISIBLE.
//
// Its one invariant: tokens lie in the text one after the other, and whatever is between them means nothing to a
// server. It knows characters and no grammar.
package sqltext

import "strings"

// Kind is what a token is.
type Kind int

// The kinds of tokens.
const (
	End    Kind = iota // of the text; it is the last token
	Word               // a keyword or an unquoted name, which may begin with digits
	Name               // a quoted name; Text is what the quotes hold
	String             // Text is the value, also of N'..'
	Number             // unsigned
	Bits               // b'101' or 0b101; Text is the digits
	Bytes              // x'0f' or 0x0f; Text is the bytes
	Mark               // an operator or a mark of punctuation
)

// Token is a piece of SQL.
type Token struct {
	Kind     Kind
	Text     string
	From, To int // where it is in the text, in bytes
	// Lead is where a versioned comment begins that opens right before the token, else From. Who cuts a clause out of a
	// text cuts there, or leaves an opening without its end behind.
	Lead int
}

// Is returns whether the token is that keyword. `order` in quotes is a name, and no keyword.
func (t Token) Is(keyword string) bool { return t.Kind == Word && strings.EqualFold(t.Text, keyword) }

// IsMark returns whether the token is that operator or mark of punctuation.
func (t Token) IsMark(text string) bool { return t.Kind == Mark && t.Text == text }

// Rules say how a text is to be read. The zero value is what a client writes under the default sql_mode.
type Rules struct {
	ANSIQuotes         bool // sql_mode: names stand in double quotes
	NoBackslashEscapes bool // sql_mode: a backslash in a string stands for itself
	// Printed means that a server printed the text. All comments in it mean something, so one without a version is an
	// error, and so are digits with letters behind them: a server quotes such names.
	Printed bool
	// Runs returns whether the server runs what is in a comment of that version, /*!80016 .. */ or, of MariaDB,
	// /*M!100301 .. */. The version is 0 where there is none. What it does not run is a comment like any other, and
	// so is one within another. nil: it runs all of them.
	Runs func(mariadb bool, version int) bool
}

// ModeRules returns the rules for text that was written under the given sql_mode, such as
// "ANSI_QUOTES,STRICT_TRANS_TABLES".
func ModeRules(sqlMode string) Rules {
	var r Rules
	for _, mode := range strings.Split(sqlMode, ",") {
		r.ANSIQuotes = r.ANSIQuotes || mode == "ANSI_QUOTES"
		r.NoBackslashEscapes = r.NoBackslashEscapes || mode == "NO_BACKSLASH_ESCAPES"
	}
	return r
}
