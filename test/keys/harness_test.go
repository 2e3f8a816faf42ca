// Package keys moves tables of every kind of key there is: their rows are inserted, deleted and given other keys
// while they are copied in tiny chunks, by a copy that is killed in between, and followed.
//
// What both ends hold is compared by SQL of its own, row by row. The servers are those of WHERRY_TEST_SERVERS.
package keys

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

var wherry string // the wherry under test

func TestMain(m *testing.M) { os.Exit(lab.Main(m, &wherry)) }

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

// everyPair are all combinations of families.
var everyPair = []string{"mysql to mysql", "mariadb to mariadb", "mysql to mariadb", "mariadb to mysql"}

// move is a move of one database, which has the move's name on the target as well.
type move struct {
	*lab.Wherry
	name       string
	source, to *sql.DB
	old        bool // the source is older than the shapes are for
}

// newMove makes an empty database on the source and a configuration that moves it.
func newMove(t *testing.T, name string, source, target lab.Server, extra ...string) *move {
	t.Helper()
	m := &move{name: name, source: open(t, source), to: open(t, target), old: version(source) == "mariadb105"}
	drop := []string{"DROP DATABASE IF EXISTS " + quote(name), "DROP DATABASE IF EXISTS " + quote("wherry_"+name)}
	m.exec(t, m.source, drop...)
	m.exec(t, m.to, drop...)
	m.exec(t, m.source, "CREATE DATABASE "+quote(name)+" CHARACTER SET utf8mb4")
	t.Cleanup(func() {
		if !t.Failed() {
			m.exec(t, m.source, drop...)
			m.exec(t, m.to, drop...)
		}
	})
	dir := t.TempDir()
	var err error
	m.Wherry, err = lab.Move{
		Name: name, State: filepath.Join(dir, "state.yaml"), Source: source, Target: target,
		Include: name + ".*", Extra: extra,
	}.
		Write(wherry, filepath.Join(dir, "wherry.yaml"))
	require.NoError(t, err)
	return m
}

func open(t *testing.T, s lab.Server) *sql.DB {
	t.Helper()
	db, err := s.Admin("")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (m *move) exec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	require.NoError(t, lab.Exec(context.WithoutCancel(t.Context()), db, statements...))
}

// must runs a command to its good end.
func (m *move) must(t *testing.T, args ...string) lab.Summary {
	t.Helper()
	c, summary, err := m.Run(t.Context(), args...)
	if err != nil {
		require.NoError(t, err, "%s", told(c.Output()))
	}
	return summary
}

// number is the only value of a query; -1 while there is none.
func (m *move) number(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	var n sql.NullInt64
	if err := db.QueryRowContext(context.WithoutCancel(t.Context()), query).Scan(&n); err != nil || !n.Valid {
		return -1
	}
	return int(n.Int64)
}

// followed waits until a row written last has come.
func (m *move) followed(t *testing.T, replica *lab.Child, mark int) {
	t.Helper()
	m.exec(t, m.source, fmt.Sprintf("INSERT INTO %s.marks VALUES (%d)", quote(m.name), mark))
	require.True(t, lab.Until(func() bool {
		select {
		case <-replica.Done():
			require.NoError(t, replica.Wait(), "start-replica ended")
			t.FailNow()
		default:
		}
		return m.number(t, m.to, "SELECT MAX(id) FROM "+quote(m.name)+".marks") == mark
	}, replica.Progress), "the row has not come")
}

// told are the lines that tell of a failure, of the many of a command with a hundred tables.
func told(output string) string {
	var lines []string
	for line := range strings.Lines(output) {
		if strings.Contains(line, `"fail"`) || strings.Contains(line, `"listed"`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
