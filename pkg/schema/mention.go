package schema

import (
	"slices"
	"strings"

	"wherry/pkg/sqltext"
)

// Mentions returns whether an expression has a column of a name in it. One that cannot be read may.
func Mentions(expr, column string) bool {
	tokens, err := sqltext.Lex(expr, sqltext.Rules{Printed: true})
	return err != nil || slices.ContainsFunc(tokens, func(t sqltext.Token) bool {
		return (t.Kind == sqltext.Name || t.Kind == sqltext.Word) && strings.EqualFold(t.Text, column)
	})
}
