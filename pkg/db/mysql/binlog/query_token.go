package binlog

import (
	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// Tokens cuts a statement into at most limit words, names, numbers and marks. Strings are left out. All versioned
// comments (/*!50708 .. */) count, as if the server ran them: it is safe to believe that a statement does more than it
// does. The list ends where the text cannot be cut, for example at a quote that is not closed.
func Tokens(statement string, sqlMode uint64, limit int) []sqltext.Token {
	var tokens []sqltext.Token
	lexer := sqltext.NewLexer(statement, sqltext.Rules{
		ANSIQuotes: sqlMode&modeANSIQuotes != 0, NoBackslashEscapes: sqlMode&modeNoBackslashEscapes != 0,
	})
	for len(tokens) < limit {
		t, err := lexer.Next()
		if err != nil || t.Kind == sqltext.End {
			break
		}
		switch t.Kind {
		case sqltext.Word, sqltext.Name, sqltext.Number, sqltext.Mark:
			tokens = append(tokens, t)
		default:
		}
	}
	return tokens
}

// TableName reads a name with its database.
func TableName(tokens []sqltext.Token) (n schema.Name, rest []sqltext.Token, ok bool) {
	if len(tokens) < 3 || !tokens[1].IsMark(".") {
		return n, tokens, false
	}
	return schema.Name{Database: tokens[0].Text, Table: tokens[2].Text}, tokens[3:], true
}

// RenameClause returns an ALTER TABLE from the TO of its RENAME TO on.
func RenameClause(tokens []sqltext.Token) []sqltext.Token {
	for i := range tokens {
		if tokens[i].Is("RENAME") && i+1 < len(tokens) && tokens[i+1].Is("TO") {
			return tokens[i+1:]
		}
	}
	return nil
}
