package binlog

import (
	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// Tokens cuts a statement into at most limit words, names, numbers and marks. Strings are left out. All versioned
// comments count, as if the server ran them: it is safe to take a statement for one that does more. What cannot be
// cut ends them.
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
