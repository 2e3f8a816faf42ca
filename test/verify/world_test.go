// Package verify tests whether wherry's verify can be believed: the target of a real move is damaged by SQL of the
// tests' own, and the report must list exactly the damaged rows; undamaged, under load or not, it must be clean.
//
// The servers are those of WHERRY_TEST_SERVERS (scripts/servers.sh env prints it).
package verify

import (
	"encoding/json"
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

func TestMain(m *testing.M) { harness.Main(m) }

// pairsOf are pairs with a source of one more flavor, if there is a server of it.
func pairsOf(flavor string) []harness.Ends {
	if !strings.Contains(os.Getenv("WHERRY_TEST_SERVERS"), flavor+"-1=") {
		return nil
	}
	return []harness.Ends{{From: flavor, To: lab.MySQL}, {From: flavor, To: lab.MariaDB}}
}

// eachPair runs a test for every pair.
func eachPair(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	harness.Each(t, harness.Every,
		func(t *testing.T, source, target *harness.Server) { f(t, newWorld(t, source, target)) })
}

// world is a move of all tables of a database, and both ends in that database.
type world struct {
	*harness.Move
	source, target *harness.Server
}

func newWorld(t *testing.T, source, target *harness.Server) *world {
	t.Helper()
	m := harness.New(t, source, target, harness.Options{
		Name: "wv_", Lines: []string{"verify: {workers: 2, chunk_rows: 1000}"},
	})
	return &world{m, source.In(t, m.Name), target.In(t, m.Name)}
}

func worldOf(t *testing.T, e harness.Ends) *world {
	t.Helper()
	source, target := e.Open(t)
	return newWorld(t, source, target)
}

// move makes the tables on the source by its statements and copies them.
func (w *world) move(t *testing.T, statements ...string) {
	t.Helper()
	w.source.Exec(t, statements...)
	w.Phases(t, "init-schema", "init-copy")
}

// hasFinding tells whether check --json reports something of a subject.
func hasFinding(output, level, check, subject string) bool {
	for line := range strings.Lines(output) {
		var f struct{ Level, Check, Subject string }
		if json.Unmarshal([]byte(line), &f) == nil && f.Level == level && f.Check == check && f.Subject == subject {
			return true
		}
	}
	return false
}

// report is what verify --json says.
type report struct {
	code    int
	tables  map[string]table // by the source's table, without database
	summary lab.Summary
	log     string
}

type table struct {
	Table     string
	Rows      int64
	Differing int64
	Missing   int64
	Extra     int64
	InFlux    int64 `json:"in_flux"`
	Repaired  int64
	Listed    []struct {
		Key      string
		Kind     string
		Times    int64
		Repaired bool `json:"is_repaired"`
		Computed bool `json:"is_computed"`
	}
}

// listed is the rows of a table that were found, in order: "differing 1, missing 2".
func (x table) listed() string {
	var out []string
	for _, d := range x.Listed {
		entry := d.Kind + " " + d.Key
		if d.Times > 1 {
			entry += fmt.Sprintf(" x%d", d.Times)
		}
		if d.Computed {
			entry += " computed"
		}
		if d.Repaired {
			entry += " repaired"
		}
		out = append(out, entry)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (x table) counts() string {
	return fmt.Sprintf("differing=%d missing=%d extra=%d repaired=%d", x.Differing, x.Missing, x.Extra, x.Repaired)
}

// verify runs verify and reads its report.
func (w *world) verify(t *testing.T, args ...string) report {
	t.Helper()
	return parse(t, w.Run(t, append([]string{"verify"}, args...)...))
}

func parse(t *testing.T, c *harness.Child) report {
	t.Helper()
	r := report{code: c.Code, tables: map[string]table{}, log: c.Stderr()}
	for line := range strings.Lines(c.Output()) {
		var kind struct{ Type string }
		require.NoError(t, json.Unmarshal([]byte(line), &kind), line)
		switch kind.Type {
		case "table":
			var x table
			require.NoError(t, json.Unmarshal([]byte(line), &x), line)
			_, name, _ := strings.Cut(x.Table, ".")
			r.tables[name] = x
		case "summary":
			require.NoError(t, json.Unmarshal([]byte(line), &r.summary), line)
		}
	}
	return r
}

// clean requires a report without a difference, and with rows.
func (r report) clean(t *testing.T) {
	t.Helper()
	for name, x := range r.tables {
		assert.Equal(t, "differing=0 missing=0 extra=0", x.counts()[:len("differing=0 missing=0 extra=0")], "%s: %s",
			name, x.listed())
	}
	require.Equal(t, harness.Done, r.code, r.log)
	require.Zero(t, r.summary.Number("differences"))
	require.Positive(t, r.summary.Number("rows"))
}

// equal compares a table of both sides by the tests' own SQL: the same rows, each as often. Floats are read as
// doubles, with the sign of zero.
func (w *world) equal(t *testing.T, name, columns, where string) int {
	t.Helper()
	query := "SELECT " + columns + " FROM " + name
	got := w.target.Lines(t, query)
	if where != "" {
		query += " WHERE " + where
	}
	want := w.source.Lines(t, query)
	require.Len(t, got, len(want), "rows of %s on the target", name)
	for i := range want {
		require.Equal(t, want[i], got[i], "table %s", name)
	}
	return len(want)
}

// numbers is a derived table with n from 0 to count-1, for counts up to ten million.
func numbers(count int) string {
	digits := "(SELECT 0 d"
	for i := 1; i < 10; i++ {
		digits += fmt.Sprintf(" UNION ALL SELECT %d", i)
	}
	digits += ")"
	n, from, factor := "", "", 1
	for i := 0; factor < count; i++ {
		n += fmt.Sprintf(" + %d * x%d.d", factor, i)
		from += fmt.Sprintf(", %s x%d", digits, i)
		factor *= 10
	}
	return fmt.Sprintf("(SELECT %s AS n FROM %s HAVING n < %d) AS numbers", n[3:], from[2:], count)
}
