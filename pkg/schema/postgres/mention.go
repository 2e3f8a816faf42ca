package postgres

import (
	"strings"

	"wherry/pkg/sqltext"
)

// columnWords returns the tokens of an expression of PostgreSQL that may be names of columns. An expression that
// cannot be cut has none, and ok is false.
func columnWords(expr string) (tokens []sqltext.Token, ok bool) {
	all, err := sqltext.Lex(expr, postgresText)
	if err != nil {
		return nil, false
	}
	for i, t := range all {
		call := i+1 < len(all) && all[i+1].IsMark("(")
		cast := i > 1 && all[i-1].IsMark(":") && all[i-2].IsMark(":")
		if (t.Kind == sqltext.Name || t.Kind == sqltext.Word) && !call && !cast {
			tokens = append(tokens, t)
		}
	}
	return tokens, true
}

// nameOf returns the name that a token means.
func nameOf(t sqltext.Token) string {
	if t.Kind == sqltext.Word {
		return strings.ToLower(t.Text)
	}
	return t.Text
}

// mentionsAny tells whether an expression may use one of the columns that are true.
func mentionsAny(expr string, columns map[string]bool) bool {
	tokens, ok := columnWords(expr)
	for _, t := range tokens {
		if columns[nameOf(t)] {
			return true
		}
	}
	return !ok && expr != ""
}

// renameIn gives the columns in an expression their new names, all at once, so that two may be exchanged.
func renameIn(expr string, names map[string]string) string {
	tokens, _ := columnWords(expr)
	var b strings.Builder
	done := 0
	for _, t := range tokens {
		if name, ok := names[nameOf(t)]; ok && name != nameOf(t) {
			b.WriteString(expr[done:t.From] + Quote(name))
			done = t.To
		}
	}
	return b.String() + expr[done:]
}
