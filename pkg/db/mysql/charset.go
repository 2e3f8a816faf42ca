package mysql

import (
	"context"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"wherry/pkg/db"
)

// printedTable is a CREATE TABLE as servers print it for their logs, for CREATE TABLE .. SELECT and the like: in
// UTF-8, whatever the session's character set is (seen on MySQL 9.7 and MariaDB 10.11).
var printedTable = regexp.MustCompile("^CREATE (OR REPLACE )?TABLE (IF NOT EXISTS )?(`[^`]+`\\.)?`[^`]+` \\(\n  ")

// decodeStatement is binlog.Config.Decode: it turns a statement of the log into UTF-8. client and literals are the
// collation numbers of character_set_client and collation_connection that the log has beside the statement. text is ""
// when the bytes are UTF-8 already, or cannot be decoded; certain tells that no character was lost on the way.
//
// For example, a client of latin1 sends ALTER TABLE t ADD c ENUM('\\xe9'): the label is 'é'. The server converts a
// literal from the client's set to that of the connection. If the second cannot hold a character, the label that the
// server stored differs from the text, which is why the text is converted back and forth and compared.
func (s *server) decodeStatement(ctx context.Context, statement []byte, client, literals int) (text string,
	certain bool, err error,
) {
	from, through :=
		s.collations.Known[s.collations.Numbers[client]], s.collations.Known[s.collations.Numbers[literals]]
	unicode := func(charset string) bool { return strings.HasPrefix(charset, "utf8") }
	valid := utf8.Valid(statement)
	switch {
	case valid && unicode(from) && from == through, valid && unicode(from) && through == "utf8mb4":
		return "", true, nil
	case from == "" || from == "binary" || valid && printedTable.Match(statement):
		return "", false, nil
	}
	literal := "_" + from + " X'" + hex.EncodeToString(statement) + "'"
	back := "NULL"
	if through != "" && through != "binary" {
		back = "CONVERT(CONVERT(" + literal + " USING " + through + ") USING utf8mb4)"
	}
	rows, err := s.rows(ctx, "SELECT CONVERT("+literal+" USING utf8mb4), "+back)
	if err == nil {
		var found []db.Row
		if found, err = db.ReadAll(rows); err == nil {
			return string(found[0][0]), found[0][0] != nil && string(found[0][0]) == string(found[0][1]), nil
		}
	}
	if errors.Is(err, db.ErrConnection) || errors.Is(err, db.ErrRetry) || ctx.Err() != nil {
		return "", false, err
	}
	return "", false, nil // bytes that the character set has not
}
