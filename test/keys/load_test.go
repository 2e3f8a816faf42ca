package keys

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// lax lets the application write what a strict one could not: zero and invalid dates, and labels that an enum lacks.
const lax = "SET SESSION sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'"

// create makes the shapes' tables and fills them. It returns them without those that the source is too old for.
func (m *move) create(t *testing.T, seed uint64, shapes []shape, rows int) (made []shape) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	conn, err := m.source.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	exec := func(statement string) {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err, "%.500s", statement)
	}
	exec(lax)
	exec("USE " + quote(m.name))
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

// load writes to random tables until it is stopped.
type load struct {
	done   atomic.Int64
	cancel context.CancelFunc
	group  sync.WaitGroup
	err    atomic.Pointer[error]
}

func (m *move) startLoad(t *testing.T, seed uint64, shapes []shape, writers int) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{cancel: cancel}
	t.Cleanup(l.cancel)
	for w := range writers {
		conn, err := m.source.Conn(ctx)
		require.NoError(t, err)
		l.group.Add(1)
		go func() {
			defer l.group.Done()
			defer func() { // it may be in a transaction, in which others that get it from the pool would be caught
				_ = conn.Raw(func(any) error { return driver.ErrBadConn })
				_ = conn.Close()
			}()
			err := l.write(ctx, conn, rand.New(rand.NewPCG(seed, uint64(w)+1)), m.name, shapes)
			if ctx.Err() == nil {
				l.err.Store(&err)
			}
		}()
	}
	return l
}

func (l *load) stop(t *testing.T) {
	t.Helper()
	l.cancel()
	l.group.Wait()
	l.healthy(t)
	t.Logf("%d changes", l.done.Load())
}

func (l *load) healthy(t *testing.T) {
	t.Helper()
	if err := l.err.Load(); err != nil {
		require.NoError(t, *err, "the application")
	}
}

// more waits until so many more statements have run.
func (l *load) more(t *testing.T, n int64) {
	t.Helper()
	before := l.done.Load()
	require.True(t, lab.Until(func() bool {
		l.healthy(t)
		return l.done.Load() >= before+n
	}, l.done.Load), "the application has come to a halt")
}

// write runs small transactions, some of which are rolled back.
func (l *load) write(ctx context.Context, conn *sql.Conn, r *rand.Rand, database string, shapes []shape) error {
	for _, statement := range []string{lax, "USE " + quote(database)} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		statements := []string{"BEGIN"}
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
		l.done.Add(int64(len(statements)))
		time.Sleep(2 * time.Millisecond)
	}
	return ctx.Err()
}

// expected are errors that a busy application meets: a key that is there, a deadlock, a lock that is not given.
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
