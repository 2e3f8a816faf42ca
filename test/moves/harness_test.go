// Package moves runs whole moves against real servers: the wherry that a user runs, under load, killed, cut off and
// lied to. What is on both sides in the end is compared by the tests' own SQL, never by wherry's.
//
// The tests restart and freeze the servers.
package moves

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// patience is how long a test waits for what should take a moment.
const patience = lab.Patience

func TestMain(m *testing.M) { harness.Main(m) }

// pair is a source and a target.
type pair struct{ source, target *harness.Server }

// pairs runs a test for every pair of a list.
func pairs(t *testing.T, list []harness.Ends, f func(t *testing.T, p pair)) {
	t.Helper()
	harness.Each(t, list, func(t *testing.T, source, target *harness.Server) { f(t, pair{source, target}) })
}

// pairOf is one pair, for tests of what does not depend on the flavor.
func pairOf(t *testing.T, e harness.Ends) pair {
	t.Helper()
	source, target := e.Open(t)
	return pair{source, target}
}

// move is one configuration of wherry with a database of its own on the source.
type move struct {
	*harness.Move
	pair
	database string // on the target
	settings settings
}

// settings are what a move's configuration has besides names.
type settings struct {
	source, target string   // addresses, when they are not the servers' own: those of proxies
	routed         bool     // the database and the table ints get other names on the target
	filter         string   // of the table ints
	lines          []string // whole keys, such as "copy: {workers: 2}"
	hasty          bool     // a server that says nothing for a second is asked whether it lives
}

// newMove makes an empty database on the source and a configuration that moves it. Commands print for people.
func newMove(t *testing.T, p pair, s settings) *move {
	t.Helper()
	m := &move{Move: harness.New(t, p.source, p.target, harness.Options{Name: "wm_"}), pair: p, settings: s}
	m.Text = true
	m.database = m.Name
	if s.routed {
		m.database += "_new"
		m.Also = []string{m.database}
	}
	m.MarksThere = m.database
	m.write(t)
	return m
}

// second returns the same move with a state file of its own, as from another machine.
func (m *move) second(t *testing.T) *move {
	t.Helper()
	other := *m
	other.Move = m.Second(t)
	return &other
}

// write writes the configuration.
func (m *move) write(t *testing.T) {
	t.Helper()
	s := m.settings
	m.SourceAt, m.TargetAt, m.End, m.Lines = s.source, s.target, "", nil
	if s.hasty {
		m.End = "connect_timeout: 1s"
	}
	if s.routed {
		m.Lines = append(m.Lines, fmt.Sprintf("routes: [{from: %q, to: %q}, {from: %q, to: %q}]", m.Name+".*",
			m.database+".*", m.Name+".ints", m.database+".numbers"))
	}
	if s.filter != "" {
		m.Lines = append(m.Lines, fmt.Sprintf("filters: [{table: %q, where: %q}]", m.Name+".ints", s.filter))
	}
	m.Lines = append(m.Lines, s.lines...)
	m.Write(t)
}

// targetTable is where a table of the source goes.
func (m *move) targetTable(table string) string {
	if m.settings.routed && table == "ints" {
		return "numbers"
	}
	return table
}

// cutover confirms it.
func (m *move) cutover(t *testing.T) *harness.Child {
	t.Helper()
	return m.Run(t, "cutover", m.Confirm())
}

// equal compares both sides of every table row by row. It returns the number of rows.
func (m *move) equal(t *testing.T) int {
	t.Helper()
	total := 0
	for _, x := range tables() {
		total += m.equalTable(t, x)
	}
	require.Positive(t, total, "rows compared")
	return total
}

func (m *move) equalTable(t *testing.T, x table) int {
	t.Helper()
	from := harness.Table{Database: m.Name, Name: x.name}
	if x.name == "ints" {
		from.Where = m.settings.filter
	}
	return m.EqualTable(t, from, harness.Table{Database: m.database, Name: m.targetTable(x.name)})
}

func quote(name string) string { return lab.Quote(name) }
