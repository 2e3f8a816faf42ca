package postgres

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// column is a column of a test's table, and the text of its values in the words of either end.
type column struct {
	name, definition string
	here, there      string // expressions on the source and on PostgreSQL; empty: the column as text
}

// table is a table of the test.
type table struct {
	name    string
	columns []column
	more    string // keys
}

const (
	microseconds = "%Y-%m-%d %H:%i:%s.%f"
	asMicros     = "YYYY-MM-DD HH24:MI:SS.US"
)

// tables are an account with unique values that move, entries that a foreign key removes with it, and a bag.
func tables() []table {
	return []table{
		{
			name: "accounts",
			columns: []column{
				{name: "id", definition: "BIGINT UNSIGNED NOT NULL AUTO_INCREMENT"},
				{name: "email", definition: "VARCHAR(100) CHARACTER SET latin1 NOT NULL"},
				{name: "balance", definition: "DECIMAL(20,4) NOT NULL"},
				{name: "small", definition: "TINYINT UNSIGNED"},
				{name: "factor", definition: "DOUBLE", here: "ROUND(factor * 1000)", there: "round(factor * 1000)"},
				{
					name: "born", definition: "DATE", here: "DATE_FORMAT(born, '%Y-%m-%d')",
					there: "to_char(born, 'YYYY-MM-DD')",
				},
				{
					name: "at", definition: "DATETIME(6)", here: "DATE_FORMAT(at, '" + microseconds + "')",
					there: "to_char(at, '" + asMicros + "')",
				},
				{
					name: "made", definition: "TIMESTAMP(6) NULL", here: "DATE_FORMAT(made, '" + microseconds + "')",
					there: "to_char(made, '" + asMicros + "')",
				},
				{name: "flags", definition: "SET('a','b','c')", there: "array_to_string(flags, ',')"},
				{name: "kind", definition: "ENUM('x','ž')"},
				{
					name: "doc", definition: "JSON",
					here:  "CONCAT(JSON_EXTRACT(doc, '$.n'), JSON_UNQUOTE(JSON_EXTRACT(doc, '$.s')))",
					there: "(doc->>'n') || (doc->>'s')",
				},
				{name: "raw", definition: "VARBINARY(40)", here: "HEX(raw)", there: "upper(encode(raw, 'hex'))"},
				{name: "note", definition: "TEXT"},
			},
			more: "PRIMARY KEY (id), UNIQUE KEY email (email)",
		},
		{
			name: "entries",
			columns: []column{
				{name: "account", definition: "BIGINT UNSIGNED NOT NULL"},
				{name: "name", definition: "VARCHAR(40) NOT NULL"},
				{name: "amount", definition: "INT"},
				{
					name: "touched", definition: "TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP",
					here: "DATE_FORMAT(touched, '" + microseconds + "')", there: "to_char(touched, '" + asMicros + "')",
				},
			},
			more: "PRIMARY KEY (account, name), CONSTRAINT of_account FOREIGN KEY (account) REFERENCES accounts (id) " +
				"ON DELETE CASCADE",
		},
		{
			name: "bag",
			columns: []column{
				{name: "n", definition: "INT"}, {name: "line", definition: "VARCHAR(60)"},
			},
		},
	}
}

func (x table) create() string {
	var parts []string
	for _, c := range x.columns {
		parts = append(parts, c.name+" "+c.definition)
	}
	if x.more != "" {
		parts = append(parts, x.more)
	}
	return "CREATE TABLE " + x.name + " (" + strings.Join(parts, ", ") + ") CHARACTER SET utf8mb4"
}

// query reads all rows as texts, in the words of one end.
func (x table) query(expression func(column) string, cast, database string) string {
	var parts []string
	for _, c := range x.columns {
		parts = append(parts, "COALESCE(CAST("+expression(c)+" AS "+cast+"), '~')")
	}
	return "SELECT CONCAT_WS('|', " + strings.Join(parts, ", ") + ") FROM " + database + "." + x.name
}

// equal compares both ends as multisets, by SQL of its own.
func (x table) equal(t *testing.T, source, target *harness.Server, database string) {
	t.Helper()
	here := source.Strings(t, x.query(func(c column) string {
		if c.here == "" {
			return c.name
		}
		return c.here
	}, "CHAR CHARACTER SET utf8mb4", database))
	there := target.Strings(t, x.query(func(c column) string {
		if c.there == "" {
			return c.name
		}
		return c.there
	}, "text", database))
	require.Greater(t, len(here), 20, "rows of %s", x.name)
	left := map[string]int{}
	for _, row := range here {
		left[row]++
	}
	for _, row := range there {
		left[row]--
	}
	wrong := 0
	for row, n := range left {
		if n != 0 && wrong < 5 {
			wrong++
			assert.Zero(t, n, "%s: %s (above 0: on the source alone)", x.name, row)
		}
	}
}
