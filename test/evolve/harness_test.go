// Package evolve moves databases whose tables are changed by their users meanwhile: every kind of statement, tools
// that change tables by shadows, changes in every phase, and wherry and servers that die in the middle of one.
//
// What both ends hold is compared by SQL of its own, table by table and row by row. The servers are those of
// WHERRY_TEST_SERVERS.
package evolve

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// Exit codes.
const (
	done    = harness.Done
	refused = harness.Refused
)

func TestMain(m *testing.M) { harness.Main(m) }

// Pairs of flavors. Those of always run, the others with WHERRY_EVERY_PAIR=1.
var (
	always    = []harness.Ends{harness.MySQL, harness.ToMySQL}
	sometimes = []harness.Ends{harness.MariaDB, harness.ToMariaDB}
)

// onPairs runs a test for some pairs, or for all.
func onPairs(t *testing.T, test func(t *testing.T, source, target *harness.Server)) {
	t.Helper()
	pairs := slices.Clone(always)
	if os.Getenv("WHERRY_EVERY_PAIR") == "1" {
		pairs = append(pairs, sometimes...)
	}
	harness.Each(t, pairs, test)
}

// move is a move of all databases whose names begin with its name.
type move struct {
	*harness.Move
	one *sql.Conn // a session on the source

	otherVersion bool // a server of the move is not of the version that the cases are for
}

// across tells whether the ends write one definition in different words, and may not have all that the other has.
func (m *move) across() bool { return m.Source.Flavor != m.Target.Flavor || m.otherVersion }

// newMove takes away what an earlier run left, and writes a configuration. The database name_m holds marks only.
func newMove(t *testing.T, name string, source, target *harness.Server, o harness.Options) *move {
	t.Helper()
	o.Name, o.Also, o.Marks = name, []string{name + "_*"}, name+"_m"
	if o.Include == "" {
		o.Include = name + "_*.*"
	}
	m := &move{Move: harness.New(t, source, target, o)}
	var err error
	m.one, err = source.DB.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.one.Close() })
	source.Exec(t, "CREATE DATABASE "+name+"_m", "CREATE TABLE "+name+"_m.marks (id INT PRIMARY KEY)")
	return m
}

// must runs commands to their good end.
func (m *move) must(t *testing.T, commands ...string) {
	t.Helper()
	for _, command := range commands {
		m.Ends(t, done, strings.Fields(command)...)
	}
}

// last is the last line of a command's results: its summary, or its error.
func last(c *harness.Child) string {
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
	want, got := m.Source.Tables(t, database), m.Target.Tables(t, database)
	if !slices.Equal(want, got) {
		found = append(found, fmt.Sprintf("%s: tables %q became %q", database, want, got))
	}
	for _, table := range want {
		if !slices.Contains(got, table) {
			continue
		}
		name := database + "." + table
		if !m.across() {
			a, b := m.definition(t, m.Source, database, table), m.definition(t, m.Target, database, table)
			if a != b {
				found = append(found, fmt.Sprintf("%s is\n%s\nand became\n%s", name, a, b))
			}
		} else if a, b := m.shape(t, m.Source, database, table), m.shape(t, m.Target, database, table); !slices.Equal(a,
			b) {
			found = append(found, fmt.Sprintf("%s is\n%s\nand became\n%s", name, strings.Join(a, "\n"),
				strings.Join(b, "\n")))
		}
		a, errA := lab.Rows(t.Context(), m.Source.DB, database, table, "")
		b, errB := lab.Rows(t.Context(), m.Target.DB, database, table, "")
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
