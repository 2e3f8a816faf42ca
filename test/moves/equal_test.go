package moves

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shown is how many differences of a table are printed.
const shown = 5

// equal compares both sides of every table row by row, in the order of the key's bytes. It returns the number of rows.
func (m *move) equal(t *testing.T) int {
	t.Helper()
	total, differ := 0, 0
	for _, x := range tables() {
		rows, differences := m.equalTable(t, x)
		total, differ = total+rows, differ+differences
	}
	require.Positive(t, total, "rows compared")
	require.Zero(t, differ, "rows that differ")
	return total
}

func (m *move) equalTable(t *testing.T, x table) (rows, differences int) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	where := ""
	if x.name == "ints" && m.settings.filter != "" {
		where = m.settings.filter
	}
	columns := m.columns(t, x.name)
	source, err := read(ctx, m.source, m.name, x.name, columns, x.key, where)
	require.NoError(t, err)
	defer source.close()
	target, err := read(ctx, m.target, m.database, m.targetTable(x.name), columns, x.key, "")
	require.NoError(t, err)
	defer target.close()

	var first []string
	note := func(format string, args ...any) {
		if differences++; differences <= shown {
			first = append(first, fmt.Sprintf(format, args...))
		}
	}
	source.next(t)
	target.next(t)
	for source.ok || target.ok {
		rows++
		switch order := source.compare(target); {
		case order < 0:
			note("missing on the target: %s", source)
			source.next(t)
		case order > 0:
			note("only on the target: %s", target)
			target.next(t)
		default:
			if !source.same(target) {
				note("source %s, target %s", source, target)
			}
			source.next(t)
			target.next(t)
		}
	}
	assert.Zero(t, differences, "table %s: %d of %d rows differ\n%s", x.name, differences, rows,
		strings.Join(first, "\n"))
	return rows, differences
}

// columns returns the columns of a table.
func (m *move) columns(t *testing.T, table string) []string {
	t.Helper()
	list := m.source.text(t, "SELECT GROUP_CONCAT(column_name ORDER BY ordinal_position) FROM "+
		"information_schema.columns WHERE table_schema = ? AND table_name = ?", m.name, table)
	require.NotEmpty(t, list, table)
	return strings.Split(list, ",")
}

// cursor reads the rows of a table in the order of its key's bytes, which both flavors agree on.
type cursor struct {
	rows *sql.Rows
	keys int      // the first values are the key's bytes
	now  [][]byte // nil for NULL
	ok   bool
}

func read(ctx context.Context, s *server, database, table string, columns []string, key, where string) (*cursor,
	error,
) {
	keys := strings.Split(key, ", ")
	var list []string
	for _, k := range keys {
		list = append(list, "HEX(CAST("+quote(k)+" AS BINARY))")
	}
	for _, c := range columns {
		list = append(list, quote(c))
	}
	query := "SELECT " + strings.Join(list, ", ") + " FROM " + quote(database) + "." + quote(table)
	if where != "" {
		query += " WHERE " + where
	}
	query += " ORDER BY "
	for i := range keys {
		query += fmt.Sprintf("%d, ", i+1)
	}
	rows, err := s.db.QueryContext(ctx, strings.TrimSuffix(query, ", ")) //nolint:rowserrcheck // next checks
	if err != nil {
		return nil, fmt.Errorf("read %s.%s on %s: %w", database, table, s.name, err)
	}
	return &cursor{rows: rows, keys: len(keys)}, nil
}

func (c *cursor) close() { _ = c.rows.Close() }

func (c *cursor) next(t *testing.T) {
	t.Helper()
	if c.ok = c.rows.Next(); !c.ok {
		require.NoError(t, c.rows.Err())
		return
	}
	names, err := c.rows.Columns()
	require.NoError(t, err)
	c.now = make([][]byte, len(names))
	into := make([]any, len(names))
	for i := range into {
		into[i] = &c.now[i]
	}
	require.NoError(t, c.rows.Scan(into...))
}

// compare orders by key; an ended cursor comes last.
func (c *cursor) compare(other *cursor) int {
	switch {
	case !c.ok:
		return 1
	case !other.ok:
		return -1
	}
	for i := range c.keys {
		if order := bytes.Compare(c.now[i], other.now[i]); order != 0 {
			return order
		}
	}
	return 0
}

func (c *cursor) same(other *cursor) bool {
	for i := range c.now {
		if (c.now[i] == nil) != (other.now[i] == nil) || !bytes.Equal(c.now[i], other.now[i]) {
			return false
		}
	}
	return true
}

func (c *cursor) String() string {
	var parts []string
	for _, v := range c.now[c.keys:] {
		if v == nil {
			parts = append(parts, "NULL")
		} else {
			parts = append(parts, fmt.Sprintf("%q", v))
		}
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
