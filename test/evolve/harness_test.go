// Package evolve moves databases whose tables are changed by their users meanwhile: every kind of statement, tools
// that change tables by shadows, changes in every phase, and wherry and servers that die in the middle of one.
//
// What both ends hold is compared by SQL of its own, table by table and row by row. The servers are those of
// WHERRY_TEST_SERVERS.
package evolve

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/lab"
)

// Exit codes.
const (
	done    = 0
	refused = 12
)

var wherry string // the wherry under test

func TestMain(m *testing.M) { os.Exit(lab.Main(m, &wherry)) }

// Combinations of families. Those of always run, the others with WHERRY_EVERY_PAIR=1.
var (
	always    = []string{"mysql to mysql", "mariadb to mysql"}
	sometimes = []string{"mariadb to mariadb", "mysql to mariadb"}
)

// onPairs runs a test for some combinations of families, or for all.
func onPairs(t *testing.T, test func(t *testing.T, source, target lab.Server)) {
	t.Helper()
	families := slices.Clone(always)
	if os.Getenv("WHERRY_EVERY_PAIR") == "1" {
		families = append(families, sometimes...)
	}
	for _, family := range families {
		t.Run(family, func(t *testing.T) {
			source, target := pair(t, family)
			test(t, source, target)
		})
	}
}

func pair(t *testing.T, family string) (source, target lab.Server) {
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
	from, to, _ := strings.Cut(family, " to ")
	source, target, err = lab.Pair(servers, from, to)
	if err != nil {
		if required {
			t.Fatal(err)
		}
		t.Skip("SKIPPED WITHOUT SERVERS: ", err)
	}
	return source, target
}

// move is a move of all databases whose names begin with its name.
type move struct {
	*lab.Wherry
	name       string
	from, into lab.Server
	source, to *sql.DB
	one        *sql.Conn // a session on the source
	marks      int

	otherVersion bool // a server of the move is not of the version that the cases are for
}

// across tells whether the ends write one definition in different words, and may not have all that the other has.
func (m *move) across() bool { return m.from.Flavor != m.into.Flavor || m.otherVersion }

// settings are what a move has besides.
type settings struct {
	include  string // name_*.*
	extra    []string
	from, to *between.Proxy // which wherry reaches the ends through; nil: nothing is between
}

// newMove takes away what an earlier run left, and writes a configuration. The database name_m holds marks only.
func newMove(t *testing.T, name string, source, target lab.Server, s settings) *move {
	t.Helper()
	m := &move{name: name, from: source, into: target, source: open(t, source), to: open(t, target)}
	var err error
	m.one, err = m.source.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.one.Close() })
	m.sweep(t)
	t.Cleanup(func() {
		if !t.Failed() {
			m.sweep(t)
		}
	})
	if s.include == "" {
		s.include = name + "_*.*"
	}
	dir := t.TempDir()
	m.Wherry, err = lab.Move{
		Name: name, State: filepath.Join(dir, "state.yaml"), Source: through(t, source, s.from),
		Target: through(t, target, s.to), Include: s.include, Extra: s.extra,
	}.
		Write(wherry, filepath.Join(dir, "wherry.yaml"))
	require.NoError(t, err)
	m.exec(t, m.source, "CREATE DATABASE "+name+"_m", "CREATE TABLE "+name+"_m.marks (id INT PRIMARY KEY)")
	return m
}

// through is a server at the address of a proxy that leads to it.
func through(t *testing.T, s lab.Server, p *between.Proxy) lab.Server {
	t.Helper()
	if p == nil {
		return s
	}
	host, port, err := net.SplitHostPort(p.Address())
	require.NoError(t, err)
	s.Host = host
	s.Port, err = strconv.Atoi(port)
	require.NoError(t, err)
	return s
}

// newProxy leads to a server until the end of the test.
func newProxy(t *testing.T, s lab.Server) *between.Proxy {
	t.Helper()
	p, err := between.NewProxy(s.Address())
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// sweep removes the move's databases from both ends.
func (m *move) sweep(t *testing.T) {
	t.Helper()
	for _, db := range []*sql.DB{m.source, m.to} {
		pattern := strings.ReplaceAll(m.name, "_", `\_`)
		for _, name := range m.strings(t, db, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME "+
			"LIKE ? OR SCHEMA_NAME = ?", pattern+`\_%`, "wherry_"+m.name) {
			m.exec(t, db, "SET foreign_key_checks = 0", "DROP DATABASE IF EXISTS "+lab.Quote(name))
		}
	}
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

func (m *move) strings(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	out, err := lab.Strings(context.WithoutCancel(t.Context()), db, query, args...)
	require.NoError(t, err)
	return out
}

// text is the only value of a query, "" if there is none.
func (m *move) text(t *testing.T, db *sql.DB, query string, args ...any) string {
	t.Helper()
	if all := m.strings(t, db, query, args...); len(all) > 0 {
		return all[0]
	}
	return ""
}

// position is what the target's bookkeeping has.
func (m *move) position(t *testing.T) string {
	t.Helper()
	return m.text(t, m.to, "SELECT value FROM wherry_"+m.name+".facts WHERE name = 'position'")
}

// run runs a command to its end, whatever that is.
func (m *move) run(t *testing.T, args ...string) *lab.Child {
	t.Helper()
	c, err := m.Start(context.WithoutCancel(t.Context()), args...)
	require.NoError(t, err)
	require.True(t, c.Ended(), "no end: %v\n%s", args, c.Log())
	return c
}

// must runs commands to their good end.
func (m *move) must(t *testing.T, commands ...string) {
	t.Helper()
	for _, command := range commands {
		c := m.run(t, strings.Fields(command)...)
		require.Equal(t, done, c.Code, "%s: %s\n%s", command, last(c), c.Log())
	}
}

// start starts start-replica.
func (m *move) start(t *testing.T, args ...string) *lab.Child {
	t.Helper()
	c, err := m.Start(t.Context(), append([]string{"start-replica"}, args...)...)
	require.NoError(t, err)
	return c
}

// stop ends a start-replica.
func (m *move) stop(t *testing.T, replica *lab.Child) {
	t.Helper()
	require.NoError(t, replica.Signal(os.Interrupt))
	<-replica.Done()
	require.Contains(t, []int{done, 130, -1}, replica.Code, replica.Log()) // -1: it had only just been started
}

// mark writes a row that others wait for.
func (m *move) mark(t *testing.T) {
	t.Helper()
	m.marks++
	m.exec(t, m.source, fmt.Sprintf("INSERT INTO %s_m.marks VALUES (%d)", m.name, m.marks))
}

// marked waits until the last mark has come, and returns true; or until start-replica ends, and returns false.
func (m *move) marked(t *testing.T, replica *lab.Child) bool {
	t.Helper()
	come := false
	require.True(t, lab.Until(func() bool {
		var top sql.NullInt64
		if err := m.to.QueryRowContext(t.Context(), "SELECT MAX(id) FROM "+m.name+"_m.marks").Scan(&top); err == nil &&
			int(top.Int64) == m.marks {
			come = true
		}
		select {
		case <-replica.Done():
			return true
		default:
			return come
		}
	}, replica.Progress), "not followed: %s", replica.Log())
	return come
}

// followed waits until everything written so far has come.
func (m *move) followed(t *testing.T, replica *lab.Child) {
	t.Helper()
	m.mark(t)
	if !m.marked(t, replica) {
		require.Fail(t, "start-replica ended", "%s\n%s", last(replica), replica.Log())
	}
}

// last is the last line of a command's results: its summary, or its error.
func last(c *lab.Child) string {
	lines := strings.Split(strings.TrimSpace(c.Output()), "\n")
	return lines[len(lines)-1]
}

// equal compares the tables of databases that have the same name on both ends.
func (m *move) equal(t *testing.T, databases ...string) {
	t.Helper()
	for _, database := range databases {
		for _, difference := range m.differences(t, database) {
			assert.Fail(t, "both ends differ", difference)
		}
	}
}

// differences tells in words what is not the same in a database of both ends.
func (m *move) differences(t *testing.T, database string) (found []string) {
	t.Helper()
	tables := func(db *sql.DB) []string {
		names, err := lab.Tables(t.Context(), db, database)
		require.NoError(t, err)
		return names
	}
	want, got := tables(m.source), tables(m.to)
	if !slices.Equal(want, got) {
		found = append(found, fmt.Sprintf("%s: tables %q became %q", database, want, got))
	}
	for _, table := range want {
		if !slices.Contains(got, table) {
			continue
		}
		name := database + "." + table
		if !m.across() {
			a, b := m.definition(t, m.source, database, table), m.definition(t, m.to, database, table)
			if a != b {
				found = append(found, fmt.Sprintf("%s is\n%s\nand became\n%s", name, a, b))
			}
		} else if a, b := m.shape(t, m.source, database, table), m.shape(t, m.to, database, table); !slices.Equal(a,
			b) {
			found = append(found, fmt.Sprintf("%s is\n%s\nand became\n%s", name, strings.Join(a, "\n"),
				strings.Join(b, "\n")))
		}
		a, errA := lab.Rows(t.Context(), m.source, database, table, "")
		b, errB := lab.Rows(t.Context(), m.to, database, table, "")
		switch {
		case (errA == nil) != (errB == nil):
			found = append(found, fmt.Sprintf("%s: %v, %v", name, errA, errB))
		case !slices.Equal(a, b):
			found = append(found, fmt.Sprintf("%s: rows\n%.3000q became\n%.3000q", name, a, b))
		}
	}
	return found
}

// split cuts a script at semicolons, with the database that it calls d.
func split(script, database string) []string {
	script = strings.ReplaceAll(script, " DATABASE d ", " DATABASE "+database+" ")
	return strings.Split(strings.ReplaceAll(script, " d.", " "+database+"."), "; ")
}
