package keyless

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"wherry/test/internal/harness"
)

// startLoad starts an application that adds, changes and removes rows of tables without a key.
func startLoad(t *testing.T, m *harness.Move, tables []table, seed uint64) *harness.Load {
	t.Helper()
	app := m.Source.App(t, m.Name)
	o := harness.Loaded{Seed: seed, Workers: 3, Pause: 15 * time.Millisecond, Bears: []uint16{1062}}
	return harness.StartLoad(t, o, func(ctx context.Context, _ int, r *rand.Rand) error {
		var statements []string
		for range 1 + r.IntN(4) {
			statements = append(statements, statement(tables[r.IntN(len(tables))], r))
		}
		if r.IntN(10) == 0 {
			statements = append(statements, "ROLLBACK")
		}
		return harness.Within(ctx, app, statements...)
	})
}

// statement is one write to a table.
func statement(x table, r *rand.Rand) string {
	c := x.columns[r.IntN(len(x.columns))]
	if c.values[0] == "DEFAULT" {
		c = x.columns[0]
	}
	where := " WHERE n <=> " + x.columns[0].value(r)
	switch r.IntN(8) {
	case 0, 1:
		return "INSERT INTO " + x.name + " VALUES " + x.row(r)
	case 2:
		row := x.row(r)
		if x.name == "uniq" { // its rows cannot be equal but for NULL
			return "INSERT INTO uniq VALUES " + row + ", " + x.row(r)
		}
		return "INSERT INTO " + x.name + " VALUES " + strings.Join([]string{row, row, x.row(r), row}, ", ")
	case 3, 4:
		// one of several equal rows
		return "UPDATE " + x.name + " SET " + c.name + " = " + c.value(r) + where + " LIMIT 1"
	case 5:
		if x.name == "uniq" {
			return "UPDATE uniq SET u = NULL" + where
		}
		return "UPDATE " + x.name + " SET " + c.name + " = " + c.value(r) + where + " LIMIT 3"
	case 6:
		return "DELETE FROM " + x.name + where + " LIMIT 5"
	default:
		return "DELETE FROM " + x.name + where + " LIMIT 1"
	}
}

// fill inserts rows, the same ones again and again.
func fill(t *testing.T, app *harness.Server, x table, r *rand.Rand, rows int) {
	t.Helper()
	for rows > 0 {
		values := make([]string, min(rows, 200))
		for i := range values {
			values[i] = x.row(r)
			if i%3 == 2 && x.name != "uniq" {
				values[i] = values[i-1]
			}
		}
		rows -= len(values)
		verb := "INSERT INTO "
		if x.name == "uniq" {
			verb = "INSERT IGNORE INTO "
		}
		app.Exec(t, verb+x.name+" VALUES "+strings.Join(values, ", "))
	}
}
