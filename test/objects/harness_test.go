// Package objects moves everything that a database has besides tables: views, triggers, routines, events and
// sequences, with the wherry that a user runs, under load, and killed. What is on both sides is compared by SQL of
// its own.
package objects

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

var wherry string // the wherry under test

func TestMain(m *testing.M) { os.Exit(lab.Main(m, &wherry)) }

// everyPair are all combinations of families.
var everyPair = []string{"mysql to mysql", "mariadb to mariadb", "mysql to mariadb", "mariadb to mysql"}

// onPairs runs a test from each family to each.
func onPairs(t *testing.T, families []string, test func(t *testing.T, source, target lab.Server)) {
	t.Helper()
	list, required := os.Getenv("WHERRY_TEST_SERVERS"), os.Getenv("WHERRY_REQUIRE_SERVERS") == "1"
	if strings.TrimSpace(list) == "" {
		if required {
			t.Fatal("no WHERRY_TEST_SERVERS, and WHERRY_REQUIRE_SERVERS=1")
		}
		t.Skip("SKIPPED WITHOUT SERVERS: set WHERRY_TEST_SERVERS, see scripts/servers.sh")
	}
	servers, err := lab.ParseServers(list)
	require.NoError(t, err)
	for _, family := range families {
		from, to, _ := strings.Cut(family, " to ")
		t.Run(family, func(t *testing.T) {
			source, target, err := lab.Pair(servers, from, to)
			if err != nil {
				if required {
					t.Fatal(err)
				}
				t.Skip("SKIPPED WITHOUT SERVERS: ", err)
			}
			test(t, source, target)
		})
	}
}

// move is the move of one database, which may have another name on the target.
type move struct {
	*lab.Wherry
	name, there string // of the database on the source, and on the target
	source, to  *sql.DB
	app         *sql.DB // on the source, of an account that a read-only server refuses
	mariadb     [2]bool
}

const allObjects = "cutover: {objects: [views, triggers, routines, events, sequences], max_lag: 1h}"

// newMove makes an empty database on the source and a configuration that moves it.
func newMove(t *testing.T, name string, source, target lab.Server, extra ...string) *move {
	t.Helper()
	m := &move{name: name, there: name, mariadb: [2]bool{source.Flavor == lab.MariaDB, target.Flavor == lab.MariaDB}}
	for _, line := range extra {
		if _, to, ok := strings.Cut(line, "to: \""); ok {
			m.there, _, _ = strings.Cut(to, ".")
		}
	}
	admin := [2]*sql.DB{open(t, source, ""), open(t, target, "")}
	for _, db := range admin {
		exec(t, db, "SET GLOBAL read_only = 0",
			"DROP DATABASE IF EXISTS "+m.name, "DROP DATABASE IF EXISTS "+m.there, "DROP DATABASE IF EXISTS wherry_"+
				m.name,
			"CREATE USER IF NOT EXISTS '"+owner+"'@'%'", "GRANT ALL ON `wo\\_%`.* TO '"+owner+"'@'%'")
	}
	exec(t, admin[0], "CREATE DATABASE "+m.name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
	t.Cleanup(func() {
		exec(t, admin[0], "SET GLOBAL read_only = 0")
		if !t.Failed() {
			exec(t, admin[0], "DROP DATABASE IF EXISTS "+m.name)
			exec(t, admin[1], "DROP DATABASE IF EXISTS "+m.there, "DROP DATABASE IF EXISTS wherry_"+m.name)
		}
	})
	m.source = open(t, source, name)
	m.to = admin[1]
	var err error
	m.app, err = source.Open(owner, "", name)
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.app.Close() })
	dir := t.TempDir()
	m.Wherry, err = lab.Move{
		Name: name, State: filepath.Join(dir, "state.yaml"), Source: source, Target: target,
		Include: name + ".*", Extra: extra,
	}.
		Write(wherry, filepath.Join(dir, "wherry.yaml"))
	require.NoError(t, err)
	return m
}

func open(t *testing.T, s lab.Server, database string) *sql.DB {
	t.Helper()
	db, err := s.Admin(database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	require.NoError(t, lab.Exec(context.WithoutCancel(t.Context()), db, statements...))
}

// must runs a command to its good end.
func (m *move) must(t *testing.T, args ...string) lab.Summary {
	t.Helper()
	c, summary, err := m.Run(t.Context(), args...)
	if err != nil {
		require.NoError(t, err, "%s: %s", args[0], told(c.Output()))
	}
	return summary
}

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
	if m.mariadb[0] && m.mariadb[1] {
		statements = append(statements, rentalSequences...)
	}
	exec(t, m.source, inDatabase(m.name, append(statements, rentalRows()...))...)
}

// ready brings the move to where its cutover can be.
func (m *move) ready(t *testing.T) {
	t.Helper()
	for _, phase := range []string{"check", "init-schema", "init-copy"} {
		m.must(t, phase)
	}
	m.must(t, "start-replica", "--until-caught-up")
	m.must(t, "verify")
}

// load writes like a shop until it is stopped, or the source refuses.
type load struct {
	stop    chan struct{}
	wait    sync.WaitGroup
	rentals int
	err     error
}

func (m *move) startLoad(t *testing.T) *load {
	t.Helper()
	l := &load{stop: make(chan struct{})}
	l.wait.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-l.stop:
				return
			default:
			}
			for _, s := range []string{
				fmt.Sprintf(rent, rented(i)...), fmt.Sprintf(pay, paid(i)...),
				fmt.Sprintf("UPDATE film SET title = 'Again %d', rate = %d.49 WHERE id = %d", i, i%5, i%films+1),
				fmt.Sprintf("INSERT INTO film (title, description) VALUES ('New %d', 'shark')", i),
				"DELETE FROM film WHERE title LIKE 'New %' ORDER BY id LIMIT 1",
				fmt.Sprintf("UPDATE actor SET id = %d WHERE id = %d", 1000+i%20, i%20+1),
				fmt.Sprintf("DELETE FROM rental WHERE id = %d AND %d > 1", i%50, i%3),
			} {
				if _, err := m.app.ExecContext(context.Background(), s); err != nil {
					l.err = err
					return
				}
			}
			l.rentals++
			time.Sleep(5 * time.Millisecond)
		}
	})
	t.Cleanup(l.end)
	return l
}

func (l *load) end() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.wait.Wait()
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

// text returns the only value of a query.
func text(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var value sql.NullString
	if err := db.QueryRowContext(t.Context(), query).Scan(&value); !errors.Is(err, sql.ErrNoRows) {
		require.NoError(t, err, query)
	}
	return value.String
}
