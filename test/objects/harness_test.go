// Package objects moves everything that a database has besides tables: views, triggers, routines, events and
// sequences, with the wherry that a user runs, under load, and killed. What is on both sides is compared by SQL of
// its own.
package objects

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

func TestMain(m *testing.M) { harness.Main(m) }

// move is the move of one database, which may have another name on the target.
type move struct {
	*harness.Move
	there      string          // the database's name on the target
	source, to *harness.Server // the source in the database
}

const allObjects = "cutover: {objects: [views, triggers, routines, events, sequences], max_lag: 1h}"

// newMove makes an empty database on the source and a configuration that moves it.
func newMove(t *testing.T, name string, source, target *harness.Server, lines ...string) *move {
	t.Helper()
	m := &move{there: name, source: source.In(t, name), to: target}
	for _, line := range lines {
		if _, to, ok := strings.Cut(line, "to: \""); ok {
			m.there, _, _ = strings.Cut(to, ".")
		}
	}
	m.Move = harness.New(t, source, target, harness.Options{Name: name, Also: []string{m.there}, Lines: lines})
	for _, s := range []*harness.Server{source, target} {
		s.Exec(t, "CREATE USER IF NOT EXISTS '"+owner+"'@'%'", "GRANT ALL ON `wo\\_%`.* TO '"+owner+"'@'%'")
	}
	return m
}

// isMariaDB tells it of a server.
func isMariaDB(s *harness.Server) bool { return s.Flavor == lab.MariaDB }

// told are the lines of an output that tell of what is wrong.
func told(output string) string {
	var b strings.Builder
	for line := range strings.Lines(output) {
		if !strings.Contains(line, `"level":"ok"`) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// fill makes the database of the shop.
func (m *move) fill(t *testing.T) {
	t.Helper()
	statements := rentalTables()
	for _, more := range [][]string{rentalRoutines, rentalViews, rentalTriggers, rentalEvents} {
		statements = append(statements, more...)
	}
	if isMariaDB(m.Source) && isMariaDB(m.Target) {
		statements = append(statements, rentalSequences...)
	}
	m.source.Exec(t, inDatabase(m.Name, append(statements, rentalRows()...))...)
}

// startLoad writes like a shop until it is stopped. The source refuses the account when it is read-only.
func (m *move) startLoad(t *testing.T) *harness.Load {
	t.Helper()
	app, i := m.Source.As(t, owner, "", m.Name), 0
	o := harness.Loaded{Workers: 1, Pause: 5 * time.Millisecond}
	return harness.StartLoad(t, o, func(ctx context.Context, _ int, _ *rand.Rand) error {
		i++
		for _, s := range []string{
			fmt.Sprintf(rent, rented(i)...), fmt.Sprintf(pay, paid(i)...),
			fmt.Sprintf("UPDATE film SET title = 'Again %d', rate = %d.49 WHERE id = %d", i, i%5, i%films+1),
			fmt.Sprintf("INSERT INTO film (title, description) VALUES ('New %d', 'shark')", i),
			"DELETE FROM film WHERE title LIKE 'New %' ORDER BY id LIMIT 1",
			fmt.Sprintf("UPDATE actor SET id = %d WHERE id = %d", 1000+i%20, i%20+1),
			fmt.Sprintf("DELETE FROM rental WHERE id = %d AND %d > 1", i%50, i%3),
		} {
			if _, err := app.ExecContext(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// querier is a pool or a connection.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// table returns a query's rows as sorted lines.
func table(t *testing.T, q querier, query string) []string {
	t.Helper()
	rows, err := q.QueryContext(t.Context(), query)
	require.NoError(t, err, query)
	defer func() { require.NoError(t, rows.Close()) }()
	var lines []string
	for {
		columns, err := rows.Columns()
		require.NoError(t, err)
		for rows.Next() {
			values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			require.NoError(t, rows.Scan(into...))
			var b strings.Builder
			for _, v := range values {
				fmt.Fprintf(&b, "%q %t|", v.String, v.Valid)
			}
			lines = append(lines, b.String())
		}
		require.NoError(t, rows.Err(), query)
		if !rows.NextResultSet() {
			break
		}
	}
	slices.Sort(lines)
	return lines
}
