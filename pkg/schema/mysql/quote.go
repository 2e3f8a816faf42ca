package mysql

import (
	"strings"

	"wherry/pkg/schema"
)

// Quote returns an identifier in backticks, with backticks inside doubled.
func Quote(ident string) string {
	return "`" + strings.ReplaceAll(ident, "`", "``") + "`"
}

// Quoted returns `db`.`table`, or `table` alone when there is no database.
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
	return strings.Join(quoted, ",")
}

// Literal returns a string literal in SQL, as MySQL and MariaDB read it without NO_BACKSLASH_ESCAPES: it's becomes
// 'it”s'. Bytes that are not UTF-8 stay as they are.
func Literal(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'':
			b.WriteString("''")
		case '\\':
			b.WriteString(`\\`)
		case 0:
			b.WriteString(`\0`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
