package mysql

import (
	"strings"

	"wherry/pkg/sqltext"
)

// printed are the rules of what a server prints in a session of wherry's, with the default quoting.
var printed = sqltext.Rules{Printed: true}

// ident returns the next name, which servers always print in backticks.
func (p *parser) ident() string { return p.Read(sqltext.Name) }

// keyword returns the next word in lower case.
func (p *parser) keyword() string { return strings.ToLower(p.Read(sqltext.Word)) }

// parenthesised passes a balanced ( .. ) and returns what is inside, verbatim.
func (p *parser) parenthesised() string {
	open := p.Peek()
	_, closing := p.Parentheses()
	if p.Err != nil {
		return ""
	}
	return strings.TrimSpace(p.Src[open.To:closing.From])
}
