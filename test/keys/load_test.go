package keys

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// lax lets the application write what a strict one could not: zero and invalid dates, and labels that an enum lacks.
const lax = "SET SESSION sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'"

// create makes the shapes' tables and fills them. It returns them without those that the source is too old for.
func (m *move) create(t *testing.T, seed uint64, shapes []shape, rows int) (made []shape) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	conn, err := m.Source.DB.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	exec := func(statement string) {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err, "%.500s", statement)
	}
	exec(lax)
	exec("USE " + quote(m.Name))
	exec("CREATE TABLE marks (id INT PRIMARY KEY)")
	for _, s := range shapes {
		parts := append(append(append([]string{}, s.columns...), "`v` INT NULL"), s.indexes...)
		_, err := conn.ExecContext(t.Context(), "CREATE TABLE "+quote(s.table)+" ("+strings.Join(parts,
			", ")+") ENGINE=InnoDB")
		var refused *mysql.MySQLError
		// a collation or a type
		if m.old && errors.As(err, &refused) && (refused.Number == 1273 || refused.Number == 4161) {
			t.Logf("%s is left out: %v", s.table, err)
			continue
		}
		require.NoError(t, err, "%s", s.table)
		made = append(made, s)
		tuples := make([]string, rows)
		for i := range tuples {
			tuples[i] = "(" + strings.Join(append(s.values(r), fmt.Sprint(i)), ",") + ")"
		}
		exec("INSERT IGNORE INTO " + quote(s.table) + " (" + s.names() + ",`v`) VALUES " + strings.Join(tuples, ","))
	}
	return made
}

func (s *shape) names() string {
	quoted := make([]string, len(s.set))
	for i, name := range s.set {
		quoted[i] = quote(name)
	}
	return strings.Join(quoted, ",")
}

// startLoad starts small transactions on random tables, some of which are rolled back. What a busy application
// meets is no fault, and the transaction goes on: a key that is there, a deadlock, a lock that is not given.
func (m *move) startLoad(t *testing.T, seed uint64, shapes []shape) *harness.Load {
	t.Helper()
	app := m.Source.Pool(t, m.Name)
	o := harness.Loaded{Seed: seed + 1, Workers: 2, Pause: 2 * time.Millisecond}
	return harness.StartLoad(t, o, func(ctx context.Context, _ int, r *rand.Rand) error {
		conn, err := app.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		statements := []string{lax, "BEGIN"}
		for range 1 + r.IntN(8) {
			statements = append(statements, shapes[r.IntN(len(shapes))].change(r))
		}
		end := "COMMIT"
		if r.IntN(10) == 0 {
			end = "ROLLBACK"
		}
		for _, statement := range append(statements, end) {
			_, err := conn.ExecContext(ctx, statement)
			var refused *mysql.MySQLError
			if err != nil && (!errors.As(err, &refused) || !expected[refused.Number]) {
				return fmt.Errorf("%.300s: %w", statement, err)
			}
		}
		return nil
	})
}

var expected = map[uint16]bool{1062: true, 1213: true, 1205: true, 1169: true}

// change is one statement: a row that comes, goes, changes its key, or changes something else.
func (s *shape) change(r *rand.Rand) string {
	table := quote(s.table)
	equals := func(separator string, values []string) string {
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = quote(s.set[i]) + " = " + v
		}
		return strings.Join(list, separator)
	}
	first := func() string { v := s.values(r); at := r.IntN(len(v)); return quote(s.set[at]) + " = " + v[at] }
	switch r.IntN(8) {
	case 0, 1, 2:
		return "INSERT INTO " + table + " (" + s.names() + ",`v`) VALUES (" + strings.Join(append(s.values(r),
			fmt.Sprint(r.IntN(1e6))), ",") + ")"
	case 3:
		return "DELETE FROM " + table + " WHERE " + first() + " LIMIT 2"
	case 4, 5:
		return "UPDATE " + table + " SET " + equals(", ", s.values(r)) + " WHERE " + first() + " LIMIT 1"
	default:
		return fmt.Sprintf("UPDATE %s SET `v` = %d WHERE %s LIMIT 3", table, r.IntN(1e6), first())
	}
}
