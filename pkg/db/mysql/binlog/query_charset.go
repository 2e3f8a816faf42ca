package binlog

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"
)

// StatementDecoder turns statements of sessions whose character set is not UTF-8 into it. Only servers know all
// character sets, so one is asked. client and literals are the numbers of the session's collations:
// character_set_client and collation_connection. Without an error the text may be "": the server cannot tell. certain
// tells that the statement's literals are what they seem: collation_connection has them all.
type StatementDecoder func(
	ctx context.Context, statement []byte, client, literals int,
) (text string, certain bool, err error)

// foreignText is what is uncertain about a statement, for schema.StatementContext.
const foreignText = "texts in the character set of the session"

// decode reads a statement that is not all ASCII by the character set of its session.
func (q *queryEvent) decode(ctx context.Context, d StatementDecoder) error {
	if d == nil || q.client == 0 || !slices.ContainsFunc(q.raw, func(b byte) bool { return b >= utf8.RuneSelf }) {
		return nil
	}
	text, certain, err := d(ctx, q.raw, q.client, q.literals)
	if err != nil {
		return fmt.Errorf("read a statement by its session's character set: %w", err)
	}
	if text != "" {
		q.statement = text
	}
	if !certain {
		q.open = foreignText
	}
	return nil
}
