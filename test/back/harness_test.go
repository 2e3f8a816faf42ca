// Package back goes forward and back with real servers: the practice run of a cutover, the way back after it, and
// what is left when a move is cleaned up, under the writes of an application that counts them. What is on either side
// in the end is compared by the tests' own SQL, never by wherry's.
//
// The servers are those of WHERRY_TEST_SERVERS (scripts/servers.sh env prints it). The tests turn their read_only on
// and off, so nobody else may use them meanwhile: go test -p 1.
package back

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

const (
	patience = lab.Patience
	name     = "back_and_forth" // of the move and of its database
	ledger   = "wherry_" + name
)

// Exit codes of wherry.
const (
	pending = 3
	locked  = 11
	refused = 12
	gone    = 13
)

var wherry string // the wherry under test

func TestMain(m *testing.M) { os.Exit(lab.Main(m, &wherry)) }

// server is one end of a move.
type server struct {
	lab.Server
	db *sql.DB // as the account that may do everything
}

func find(t *testing.T, name string) *server {
	t.Helper()
	servers, err := lab.ParseServers(os.Getenv("WHERRY_TEST_SERVERS"))
	require.NoError(t, err)
	s, err := lab.Find(servers, name)
	if err != nil {
		if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED WITHOUT SERVERS: set WHERRY_TEST_SERVERS, see scripts/servers.sh: ", err)
	}
	admin, err := s.Admin("")
	require.NoError(t, err)
	t.Cleanup(func() { _ = admin.Close() })
	return &server{s, admin}
}

// run executes statements, also while the test ends.
func (s *server) run(t *testing.T, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := s.db.ExecContext(context.WithoutCancel(t.Context()), statement)
		require.NoError(t, err, "%s: %.200s", s.Name, statement)
	}
}

// text returns the only value of a query, "" for NULL or no row.
func (s *server) text(t *testing.T, query string, args ...any) string {
	t.Helper()
	var value sql.NullString
	if err := s.db.QueryRowContext(t.Context(), query, args...).Scan(&value); err != nil {
		require.ErrorIs(t, err, sql.ErrNoRows, query)
	}
	return value.String
}

// number is text as a number.
func (s *server) number(t *testing.T, query string, args ...any) int {
	t.Helper()
	text := s.text(t, query, args...)
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "%s: %q", query, text)
	return n
}

func (s *server) readOnly(t *testing.T) bool {
	t.Helper()
	return s.text(t, "SELECT @@global.read_only") != "0"
}

// has tells whether there is a database.
func (s *server) has(t *testing.T, database string) bool {
	t.Helper()
	return s.number(t, "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ?", database) == 1
}

// clear removes what tests leave, and opens the server for writes.
func (s *server) clear(t *testing.T) {
	t.Helper()
	s.run(t, "SET GLOBAL read_only = 0", "DROP DATABASE IF EXISTS "+name, "DROP DATABASE IF EXISTS "+ledger,
		"DROP USER IF EXISTS '"+appUser+"'@'%'")
}

// move is one move by the wherry under test. An application may write to its tables.
type move struct {
	*lab.Wherry
	source, target *server
	state          string
	place          string // the file that tells the application where it is to write
}

// newMove makes a database on the source and a configuration that moves it.
func newMove(t *testing.T, from, to string, lines ...string) *move {
	t.Helper()
	dir := t.TempDir()
	m := &move{
		source: find(t, from), target: find(t, to), state: filepath.Join(dir, "state.yaml"),
		place: filepath.Join(dir, "place"),
	}
	for _, s := range []*server{m.source, m.target} {
		s.clear(t)
		t.Cleanup(func() { s.clear(t) })
		s.run(t, "CREATE USER '"+appUser+"'@'%' IDENTIFIED BY '"+appPassword+"'", "GRANT ALL ON "+name+".* TO '"+
			appUser+"'@'%'")
	}
	m.source.run(t, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
		"FLUSH BINARY LOGS") // MariaDB finds GTIDs by reading the file up to there
	var err error
	m.Wherry, err = lab.Move{
		Name: name, State: m.state, Source: m.source.Server, Target: m.target.Server, Include: name + ".*",
		Extra: []string{
			"copy: {workers: 2}", "cutover: {max_lag: 30s, timeout: 20s}",
			"hooks: {switch: 'echo $WHERRY_DIRECTION > " + m.place + "'}",
		},
	}.Write(wherry, filepath.Join(dir, "wherry.yaml"))
	require.NoError(t, err)
	m.configure(t, lines...)
	return m
}

// start starts a command; it is killed at the end of the test if it still runs then.
func (m *move) start(t *testing.T, args ...string) *lab.Child {
	t.Helper()
	child, err := m.Start(context.Background(), args...)
	require.NoError(t, err)
	t.Cleanup(func() { kill(t, child) })
	return child
}

// kill is kill -9.
func kill(t *testing.T, child *lab.Child) {
	t.Helper()
	require.NoError(t, child.Signal(syscall.SIGKILL))
	<-child.Done()
}

// run runs a command to its end.
func (m *move) run(t *testing.T, args ...string) *lab.Child {
	t.Helper()
	child := m.start(t, args...)
	m.wait(t, child, args...)
	return child
}

func (m *move) wait(t *testing.T, child *lab.Child, args ...string) {
	t.Helper()
	require.True(t, child.Ended(), "no end: %v\n%s\n%s", args, child.Output(), child.Log())
}

// must runs a command that has to succeed, and returns its summary.
func (m *move) must(t *testing.T, args ...string) lab.Summary {
	t.Helper()
	child := m.run(t, args...)
	require.Zero(t, child.Code, "%v\n%s\n%s", args, child.Output(), child.Log())
	summary, err := lab.ParseSummary(child.Output())
	require.NoError(t, err)
	return summary
}

// fails runs a command that has to end with an exit code, and returns all that it said.
func (m *move) fails(t *testing.T, code int, args ...string) string {
	t.Helper()
	child := m.run(t, args...)
	require.Equal(t, code, child.Code, "%v\n%s\n%s", args, child.Output(), child.Log())
	return child.Output() + child.Log()
}

// killed starts a command n times and kills it after a random time, unless it has ended by itself.
func (m *move) killed(t *testing.T, r *rand.Rand, n int, longest time.Duration, args ...string) {
	t.Helper()
	for range n {
		child := m.start(t, args...)
		select {
		case <-child.Done():
			// a gate may not be met
			require.Contains(t, []int{0, refused}, child.Code, "%v\n%s\n%s", args, child.Output(), child.Log())
		case <-time.After(time.Duration(r.Int64N(int64(longest)))):
			kill(t, child)
		}
	}
}

// upToCutover moves everything, and leaves the move ready for its cutover.
func (m *move) upToCutover(t *testing.T) {
	t.Helper()
	for _, phase := range []string{"check", "init-schema", "init-copy"} {
		m.must(t, phase)
	}
	m.must(t, "start-replica", "--until-caught-up")
	m.must(t, "verify")
}

// fact returns an entry of the bookkeeping on a server.
func (s *server) fact(t *testing.T, fact string) string {
	t.Helper()
	if !s.has(t, ledger) {
		return ""
	}
	return s.text(t, "SELECT value FROM "+ledger+".facts WHERE name = ?", fact)
}

// eachPair runs a test for every pair of flavors.
func eachPair(t *testing.T, f func(t *testing.T, from, to string)) {
	t.Helper()
	for _, p := range [][2]string{
		{"mysql-1", "mysql-2"},
		{"mariadb-1", "mariadb-2"},
		{"mysql-1", "mariadb-1"},
		{"mariadb-1", "mysql-1"},
	} {
		t.Run(p[0]+"_to_"+p[1], func(t *testing.T) { f(t, p[0], p[1]) })
	}
}

// configure puts lines in the place of those of the configuration that begin with the same key.
func (m *move) configure(t *testing.T, lines ...string) {
	t.Helper()
	old := strings.Split(strings.TrimSpace(read(t, m.Config)), "\n")
	for _, line := range lines {
		key, _, _ := strings.Cut(line, ":")
		old = slices.DeleteFunc(old, func(l string) bool { return strings.HasPrefix(l, key+":") })
		old = append(old, line)
	}
	require.NoError(t, os.WriteFile(m.Config, []byte(strings.Join(old, "\n")+"\n"), 0o600))
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}
