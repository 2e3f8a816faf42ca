package harness

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// shown is how many differences of a table are printed.
const shown = 8

// Table is a table on one end, and a condition on its rows, or none.
type Table struct{ Database, Name, Where string }

func (x Table) String() string { return x.Database + "." + x.Name }

// Tables are the base tables of a database.
func (s *Server) Tables(t *testing.T, database string) []string {
	t.Helper()
	names, err := lab.Tables(context.WithoutCancel(t.Context()), s.DB, database)
	require.NoError(t, err, s.Name)
	return names
}

// Rows are the rows of a table, sorted, as lab.Rows reads them.
func (s *Server) Rows(t *testing.T, x Table) []string {
	t.Helper()
	rows, err := lab.Rows(context.WithoutCancel(t.Context()), s.DB, x.Database, x.Name, x.Where)
	require.NoError(t, err, s.Name)
	return rows
}

// Equal compares all tables of the move's database, which has the same name on the target, and returns the number of
// rows.
func (m *Move) Equal(t *testing.T) (rows int) {
	t.Helper()
	tables := m.Source.Tables(t, m.Name)
	assert.Equal(t, tables, m.Target.Tables(t, m.Name), "tables of %s", m.Name)
	for _, table := range tables {
		x := Table{Database: m.Name, Name: table}
		rows += m.EqualTable(t, x, x)
	}
	return rows
}

// EqualTable compares a table of the source, or those of its rows that move, with one of the target: the same rows,
// each as often. It returns their number.
func (m *Move) EqualTable(t *testing.T, from, to Table) int {
	t.Helper()
	want, got := m.Source.Rows(t, from), m.Target.Rows(t, to)
	lacking, extra := without(want, got), without(got, want)
	assert.Empty(t, lacking, "rows of %s that the target lacks, the first of them", from)
	assert.Empty(t, extra, "rows of %s that only the target has, the first of them", to)
	return len(want)
}

// without returns the first few of the sorted rows that are not among others.
func without(rows, others []string) (left []string) {
	i := 0
	for _, row := range rows {
		for i < len(others) && others[i] < row {
			i++
		}
		if i < len(others) && others[i] == row {
			i++
			continue
		}
		if left = append(left, row); len(left) == shown {
			return left
		}
	}
	return left
}
