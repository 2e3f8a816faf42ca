// Package cascades moves tables whose foreign keys act on one another between real servers: sources that log what
// InnoDB does by them and sources that do not, under load and killed. Both sides are compared by the tests' own SQL,
// never by wherry's.
//
// The servers are those of WHERRY_TEST_SERVERS (scripts/servers.sh env prints it). The tests turn their read_only on
// and off, so nobody else may use them meanwhile: go test -p 1. WHERRY_CASCADES_ROUNDS=n makes them longer.
package cascades

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

const (
	moveName = "cascades"
	native   = "native" // a MySQL of our own with innodb_native_foreign_keys
)

var wherry string // the wherry under test

func TestMain(m *testing.M) { os.Exit(lab.Main(m, &wherry)) }

// server returns one of the servers. Without any the test is skipped, or fails where they are required.
func server(t *testing.T, name string) lab.Server {
	t.Helper()
	list := os.Getenv("WHERRY_TEST_SERVERS")
	if name == native {
		list, name = nativeServer(t), lab.MySQL+"-1"
	}
	servers, err := lab.ParseServers(list)
	require.NoError(t, err)
	s, err := lab.Find(servers, name)
	if err != nil {
		if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED WITHOUT SERVERS: set WHERRY_TEST_SERVERS, see scripts/servers.sh: ", err)
	}
	return s
}

func nativeServer(t *testing.T) string {
	t.Helper()
	script := os.Getenv("WHERRY_SERVERS_SCRIPT")
	if script == "" {
		t.Skip("the servers are not ours to start")
	}
	list, stop, err := lab.Extra(script, lab.MySQL, "innodb_native_foreign_keys=ON")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, stop()) })
	return list
}

// pool returns connections as the account that may do everything.
func pool(t *testing.T, s lab.Server, database string) *sql.DB {
	t.Helper()
	opened, err := s.Admin(database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := db.ExecContext(context.WithoutCancel(t.Context()), statement)
		require.NoError(t, err, "%.300s", statement)
	}
}

// rounds returns how often the long parts are done.
func rounds(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi("0" + os.Getenv("WHERRY_CASCADES_ROUNDS"))
	require.NoError(t, err)
	return max(n, 1)
}

// move is one move by the wherry under test, and both its ends.
type move struct {
	*lab.Wherry
	source, target lab.Server
	app, moved     *sql.DB
}

// newMove makes an empty database on the source. There is none on the target.
func newMove(t *testing.T, from, to string, lines ...string) *move {
	t.Helper()
	m := &move{source: server(t, from), target: server(t, to)}
	run(t, pool(t, m.target, ""), "SET GLOBAL read_only = 0", "DROP DATABASE IF EXISTS "+moveName,
		"DROP DATABASE IF EXISTS wherry_"+moveName)
	run(t, pool(t, m.source, ""), "SET GLOBAL read_only = 0", "DROP DATABASE IF EXISTS "+moveName,
		"CREATE DATABASE "+moveName+" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "FLUSH BINARY LOGS")
	t.Cleanup(func() { run(t, pool(t, m.source, ""), "SET GLOBAL read_only = 0") })
	m.app, m.moved = pool(t, m.source, moveName), pool(t, m.target, moveName)
	dir := t.TempDir()
	w, err := lab.Move{
		Name: moveName, State: filepath.Join(dir, "state.yaml"), Source: m.source, Target: m.target,
		Include: moveName + ".*",
		Extra: append([]string{"cutover: {max_lag: 30s, timeout: 60s}", "schema: {allow_losses: [collation]}"},
			lines...),
	}.Write(wherry, filepath.Join(dir, "wherry.yaml"))
	require.NoError(t, err)
	m.Wherry = w
	return m
}

// must runs a command that has to succeed.
func (m *move) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := m.try(t, args...)
	require.NoError(t, err)
	return out
}

func (m *move) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	child, err := m.Start(t.Context(), args...)
	require.NoError(t, err)
	child.Ended()
	if err := child.Wait(); err != nil {
		return child.Output(), fmt.Errorf("%v: %w\n%s\n%s", args, err, child.Output(), child.Log())
	}
	return child.Output(), nil
}

// killed starts a command n times and kills it after a random time. A command that is done before is done.
func (m *move) killed(t *testing.T, r *rand.Rand, n int, longest time.Duration, args ...string) {
	t.Helper()
	for range n {
		child, err := m.Start(t.Context(), args...)
		require.NoError(t, err)
		select {
		case <-child.Done():
			require.NoError(t, child.Wait(), "%v\n%s\n%s", args, child.Output(), child.Log())
		case <-time.After(time.Duration(r.Int64N(int64(longest)))):
			require.NoError(t, child.Signal(os.Signal(syscall.SIGKILL)))
			_ = child.Wait() // killed
		}
	}
}

// equal asserts that both ends hold the same rows, and returns how many.
func (m *move) equal(t *testing.T, where map[string]string) (total int) {
	t.Helper()
	for _, table := range tablesOf(t, m.app) {
		want, got := rowsOf(t, m.app, table, where[table]), rowsOf(t, m.moved, table, "")
		total += len(want)
		lacking, extra := without(want, got), without(got, want)
		assert.Empty(t, lacking, "rows of %s that the target lacks", table)
		assert.Empty(t, extra, "rows of %s that only the target has", table)
	}
	return total
}

func tablesOf(t *testing.T, db *sql.DB) (names []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SHOW TABLES")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	return names
}

func rowsOf(t *testing.T, db *sql.DB, table, where string) (all []string) {
	t.Helper()
	query := "SELECT * FROM " + table
	if where != "" {
		query += " WHERE " + where
	}
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err, query)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		var b strings.Builder
		for i, v := range values {
			if v.Valid {
				fmt.Fprintf(&b, "%s=%q ", columns[i], v.String)
			} else {
				fmt.Fprintf(&b, "%s=NULL ", columns[i])
			}
		}
		all = append(all, b.String())
	}
	require.NoError(t, rows.Err())
	slices.Sort(all)
	return all
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
		if left = append(left, row); len(left) == 8 {
			return left
		}
	}
	return left
}
