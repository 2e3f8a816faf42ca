package evolve

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

var (
	counter    = regexp.MustCompile(` AUTO_INCREMENT=\d+`)
	ownCharset = regexp.MustCompile(` (?:CHARACTER SET|(DEFAULT) CHARSET)[ =](\w+)(?: COLLATE[ =](\w+))?`)
	lastLine   = regexp.MustCompile(`(?m)^\).* DEFAULT COLLATE (\w+)`)
	displayed  = regexp.MustCompile(`(int)\(\d+\)`)
)

// definition is what SHOW CREATE TABLE says, in one way of several that mean the same: without the counter and the
// width of integers, with collations and no character sets, where they are not the table's own, without DEFAULT NULL,
// which the move is allowed to add, and with keys in the order of their text: how the server sorts them depends on
// when they were made.
func (m *move) definition(t *testing.T, s *harness.Server, database, table string) string {
	t.Helper()
	var name, text string
	require.NoError(t, s.DB.QueryRowContext(t.Context(), "SHOW CREATE TABLE "+lab.Quote(database)+"."+
		lab.Quote(table)).Scan(&name, &text))
	text = displayed.ReplaceAllString(counter.ReplaceAllString(text, ""), "$1")
	text = ownCharset.ReplaceAllStringFunc(strings.ReplaceAll(text, " DEFAULT NULL", ""), func(said string) string {
		found := ownCharset.FindStringSubmatch(said)
		if found[3] == "" {
			found[3] = s.Text(t, "SELECT DEFAULT_COLLATE_NAME FROM information_schema.CHARACTER_SETS WHERE "+
				"CHARACTER_SET_NAME = ?", found[2])
		}
		return strings.TrimSuffix(" "+found[1], " ") + " COLLATE " + found[3]
	})
	if own := lastLine.FindStringSubmatch(text); own != nil {
		at := strings.LastIndex(text, own[0])
		text = regexp.MustCompile(` COLLATE `+own[1]+`\b`).ReplaceAllString(text[:at], "") + text[at:]
	}
	var first, keys, rest []string
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
func (m *move) shape(t *testing.T, s *harness.Server, database, table string) (out []string) {
	t.Helper()
	columns, err := lab.Columns(t.Context(), s.DB, database, table)
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
	indexes := s.Strings(t,
		`SELECT CONCAT(INDEX_NAME, ' ', NON_UNIQUE, ' ', IF(INDEX_TYPE IN ('FULLTEXT', 'SPATIAL'), INDEX_TYPE, ''),
		' (', GROUP_CONCAT(CONCAT(COALESCE(COLUMN_NAME, '?'), IF(INDEX_TYPE IN ('FULLTEXT', 'SPATIAL'), '',
		CONCAT(':', COALESCE(SUB_PART, ''), COLLATION))) ORDER BY SEQ_IN_INDEX), ')')
		FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND BINARY TABLE_NAME = ?
		GROUP BY INDEX_NAME, NON_UNIQUE, INDEX_TYPE ORDER BY BINARY INDEX_NAME`, database, table)
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
