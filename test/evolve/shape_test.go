package evolve

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

var (
	counter       = regexp.MustCompile(` AUTO_INCREMENT=\d+`)
	lastCollation = regexp.MustCompile(`(?m)^\).* COLLATE=(\w+)`)
	ownCharset    = regexp.MustCompile(` CHARACTER SET \w+ COLLATE`)
)

// definition is what SHOW CREATE TABLE says, but for the counter and character sets beside collations, and with keys in the order of their text: how the server sorts them
// depends on when they were made.
func (m *move) definition(t *testing.T, db *sql.DB, database, table string) string {
	t.Helper()
	var name, text string
	require.NoError(t, db.QueryRowContext(t.Context(), "SHOW CREATE TABLE "+lab.Quote(database)+"."+lab.Quote(table)).Scan(&name, &text))
	var first, keys, rest []string
	text = ownCharset.ReplaceAllString(counter.ReplaceAllString(text, ""), " COLLATE") // which the collation tells
	if own := lastCollation.FindStringSubmatch(text); own != nil {
		// MySQL prints a column's collation, though it is the table's, when it was once given. To rows and columns it is the same.
		at := strings.LastIndex(text, own[0])
		text = regexp.MustCompile(` COLLATE `+own[1]+`\b`).ReplaceAllString(text[:at], "") + text[at:]
	}
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, ",")
		switch word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word {
		case "PRIMARY", "KEY", "UNIQUE", "FULLTEXT", "SPATIAL", "CONSTRAINT":
			keys = append(keys, line)
		default:
			if len(keys) == 0 {
				first = append(first, line)
			} else {
				rest = append(rest, line)
			}
		}
	}
	slices.Sort(keys)
	return strings.Join(slices.Concat(first, keys, rest), "\n")
}

// shape is what of a table both families tell alike: columns in order with their types, and what indexes hold.
func (m *move) shape(t *testing.T, db *sql.DB, database, table string) (out []string) {
	t.Helper()
	columns, err := lab.Columns(t.Context(), db, database, table)
	require.NoError(t, err)
	for _, c := range columns {
		null := "NULL"
		if !c.Nullable {
			null = "NOT NULL"
		}
		counts := ""
		if strings.Contains(c.Extra, "auto_increment") {
			counts = " AUTO_INCREMENT"
		}
		if c.Generated {
			counts, null = " GENERATED", "" // MariaDB knows no NOT NULL of generated columns
		}
		out = append(out, fmt.Sprintf("%s %s %s%s", c.Name, plainType(c.Type), null, counts))
	}
	indexes := m.strings(t, db, `SELECT CONCAT(INDEX_NAME, ' ', NON_UNIQUE, ' ', IF(INDEX_TYPE IN ('FULLTEXT', 'SPATIAL'), INDEX_TYPE, ''),
		' (', GROUP_CONCAT(CONCAT(COALESCE(COLUMN_NAME, '?'), IF(INDEX_TYPE IN ('FULLTEXT', 'SPATIAL'), '', CONCAT(':', COALESCE(SUB_PART, ''), COLLATION))) ORDER BY SEQ_IN_INDEX), ')')
		FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND BINARY TABLE_NAME = ? GROUP BY INDEX_NAME, NON_UNIQUE, INDEX_TYPE ORDER BY BINARY INDEX_NAME`, database, table)
	return append(out, indexes...)
}

var width = regexp.MustCompile(`^(tinyint|smallint|mediumint|int|bigint)\(\d+\)`)

// plainType is a type without what only one family tells.
func plainType(text string) string {
	text = strings.ToLower(text)
	text = width.ReplaceAllString(text, "$1")
	switch text {
	case "json":
		return "longtext"
	case "geomcollection":
		return "geometrycollection"
	case "year(4)":
		return "year"
	}
	return text
}
