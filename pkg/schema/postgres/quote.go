package postgres

import (
	"strings"

	"wherry/pkg/schema"
)

// Quote returns an identifier in double quotes, which keep its case.
func Quote(ident string) string { return `"` + strings.ReplaceAll(ident, `"`, `""`) + `"` }

// Quoted returns "schema"."table", or "table" alone when there is no schema.
func Quoted(n schema.Name) string {
	if n.Database == "" {
		return Quote(n.Table)
	}
	return Quote(n.Database) + "." + Quote(n.Table)
}

// quoteAll returns identifiers quoted and separated by commas.
func quoteAll(idents []string) string {
	quoted := make([]string, len(idents))
	for i, ident := range idents {
		quoted[i] = Quote(ident)
	}
	return strings.Join(quoted, ", ")
}

// Literal returns a string literal. It is read alike whatever standard_conforming_strings says.
func Literal(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
