package keys

import (
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// equal compares every table of both ends row by row, and returns how many rows there are.
func (m *move) equal(t *testing.T) (total int) {
	t.Helper()
	names := m.column(t, m.source, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '"+m.name+"'")
	moved := m.column(t, m.to, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '"+m.name+"'")
	assert.ElementsMatch(t, names, moved, "tables")
	for _, name := range names {
		want, got := m.rows(t, m.source, name), m.rows(t, m.to, name)
		total += len(want)
		if !slices.Equal(want, got) {
			lost := slices.DeleteFunc(slices.Clone(want), func(row string) bool { return slices.Contains(got, row) })
			strange := slices.DeleteFunc(slices.Clone(got), func(row string) bool { return slices.Contains(want, row) })
			assert.Fail(t, "table "+name+" differs", "%d and %d rows; only on the source: %.10q; only on the "+
				"target: %.10q", len(want), len(got), lost, strange)
		}
	}
	return total
}

func (m *move) column(t *testing.T, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var value string
		require.NoError(t, rows.Scan(&value))
		out = append(out, value)
	}
	require.NoError(t, rows.Err())
	return out
}

// rows are the table's rows in binary order, the columns by name: characters and bytes in hexadecimal, numbers as the
// binary double or the digits that they are.
func (m *move) rows(t *testing.T, db *sql.DB, table string) []string {
	t.Helper()
	columns, err := db.QueryContext(t.Context(), "SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS "+
		"WHERE TABLE_SCHEMA = ? AND BINARY TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
		m.name, table)
	require.NoError(t, err)
	defer columns.Close()
	var list []string
	var real []bool
	for columns.Next() {
		var name, kind string
		require.NoError(t, columns.Scan(&name, &kind))
		expr := quote(name)
		switch kind {
		case "char", "varchar", "text", "binary", "varbinary", "enum", "set":
			expr = "HEX(" + expr + ")"
		case "bit":
			expr += "+0"
		case "float", "double":
			expr += "*1e0"
		}
		list, real = append(list, expr), append(real, kind == "float" || kind == "double")
	}
	require.NoError(t, columns.Err())
	rows, err := db.QueryContext(t.Context(), "SELECT "+strings.Join(list, ", ")+" FROM "+quote(m.name)+"."+
		quote(table))
	require.NoError(t, err)
	defer rows.Close()
	var out []string
	values := make([]sql.NullString, len(list))
	into := make([]any, len(list))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		require.NoError(t, rows.Scan(into...))
		var b strings.Builder
		for i, v := range values {
			text := v.String
			if !v.Valid {
				text = "NULL"
			} else if real[i] {
				f, err := strconv.ParseFloat(text, 64)
				require.NoError(t, err)
				text = strconv.FormatFloat(f, 'x', -1, 64)
			}
			b.WriteString(text + "|")
		}
		out = append(out, b.String())
	}
	require.NoError(t, rows.Err())
	slices.Sort(out)
	return out
}
