package route

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pingcap/tidb/pkg/parser"
	"github.com/pingcap/tidb/pkg/parser/ast"
	_ "github.com/pingcap/tidb/pkg/parser/test_driver" // the parser's representation of literals
)

// Filter is a row filter compiled for a relation. It decides on canonical bytes exactly as the server decides on
// values; what it could not decide exactly, ParseFilter refuses. It is safe for concurrent use.
//
// Exactness matters because the copy filters by the server's WHERE and the log by this. If they disagreed about one
// row, it would be copied and never updated, or updated and not there.
type Filter struct{ where predicate }

// ErrFilter is a condition that cannot be evaluated outside of the server with certainty.
var ErrFilter = errors.New("cannot evaluate exactly")

// supported is what every refusal ends with.
const supported = "supported are AND, OR, XOR, NOT, parentheses and comparisons of one column with literals: " +
	"= <> != < <= > >= <=> IN BETWEEN IS NULL, on integer, decimal, date and time columns, " +
	"on strings of binary type or _bin collation, and for = and IN on enum columns"

// ParseFilter compiles a condition over the columns of a relation, such as "region = 'eu' AND id > 100". An error that
// is ErrFilter means that the condition is valid and cannot be decided exactly; other errors, that it is invalid.
func ParseFilter(where string, rel *Relation) (*Filter, error) {
	if err := plain(where); err != nil {
		return nil, fmt.Errorf("read condition: %w", err)
	}
	stmt, err := parser.New().ParseOneStmt("SELECT 1 FROM t WHERE ("+where+")", "", "")
	if err != nil {
		return nil, fmt.Errorf("read condition: invalid SQL: %w", err)
	}
	inner, ok := only(stmt)
	if !ok {
		return nil, fmt.Errorf("read condition: %w: it is more than one condition; %s", ErrFilter, supported)
	}
	c := compiler{rel: rel}
	compiled, err := c.condition(inner)
	if err != nil {
		return nil, fmt.Errorf("read condition: %w", err)
	}
	return &Filter{compiled}, nil
}

// Match returns whether a row meets the condition. As in WHERE, a condition that is unknown, because of a NULL, is not
// met.
func (f *Filter) Match(row [][]byte) bool { return f.where.eval(row) == yes }

// only returns the condition within the parentheses of the statement's WHERE, if the statement has nothing else. The
// text "id = 1) OR (id = 2" would close the parenthesis that it is put into.
func only(stmt ast.StmtNode) (ast.ExprNode, bool) {
	s, ok := stmt.(*ast.SelectStmt)
	if !ok || s.GroupBy != nil || s.Having != nil || s.OrderBy != nil || s.Limit != nil || s.LockInfo != nil ||
		s.SelectIntoOpt != nil || len(s.WindowSpecs) > 0 || s.With != nil {
		return nil, false
	}
	inner, ok := s.Where.(*ast.ParenthesesExpr)
	if !ok {
		return nil, false
	}
	return inner.Expr, true
}

// runOfDigits counts the digits of a number outside of quotes. The grammar's parser fails on numbers of very many
// digits, so they are refused before it sees them.
func runOfDigits(run int, c, quote byte) int {
	switch {
	case quote == 0 && c >= '0' && c <= '9':
		return run + 1
	case quote == 0 && c == '.':
		return run
	default:
		return 0
	}
}

// plain refuses what servers and sql_modes read differently: comments, and backslashes in strings. 'a\” is one string
// or an unfinished one, by NO_BACKSLASH_ESCAPES. Numbers longer than any server takes are refused here too.
func plain(where string) error {
	quote, run := byte(0), 0
	for i := 0; i < len(where); i++ {
		c := where[i]
		if run = runOfDigits(run, c, quote); run > maxDigits {
			return fmt.Errorf("%w: a number has more than %d digits", ErrFilter, maxDigits)
		}
		switch {
		case c == '\\':
			return fmt.Errorf("%w: a backslash means different things under different sql_modes", ErrFilter)
		case c == 0:
			return fmt.Errorf("%w: it holds a zero byte", ErrFilter)
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case c == '#' || c == ';' || strings.HasPrefix(where[i:], "--") || strings.HasPrefix(where[i:], "/*"):
			return fmt.Errorf("%w: %q begins a comment or ends the statement", ErrFilter, where[i:min(i+2, len(where))])
		}
	}
	if quote != 0 {
		return fmt.Errorf("no end of quotes %c", quote)
	}
	return nil
}
