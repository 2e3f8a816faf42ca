// Package verify tests whether wherry's verify can be believed: the target of a real move is damaged by SQL of the
// tests' own, and the report must list exactly the damaged rows; undamaged, under load or not, it must be clean.
//
// The servers are those of WHERRY_TEST_SERVERS (scripts/servers.sh env prints it).
package verify

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

const prefix = "wv_" // of all databases and moves of these tests

// Exit codes of wherry.
const (
	done    = 0
	differs = 3
	refused = 12
	failed  = 1
)

var binary string // the wherry under test

func TestMain(m *testing.M) { os.Exit(lab.Main(m, &binary)) }

// pairs are the flavors of source and target.
var pairs = [][2]string{
	{lab.MySQL, lab.MySQL},
	{lab.MariaDB, lab.MariaDB},
	{lab.MySQL, lab.MariaDB},
	{lab.MariaDB, lab.MySQL},
}

// pairsOf are those with a source of one more flavor, if there is a server of it.
func pairsOf(t *testing.T, flavor string) [][2]string {
	t.Helper()
	servers, err := lab.ParseServers(os.Getenv("WHERRY_TEST_SERVERS"))
	require.NoError(t, err)
	if _, err := lab.Find(servers, flavor+"-1"); err != nil {
		return nil
	}
	return [][2]string{{flavor, lab.MySQL}, {flavor, lab.MariaDB}}
}

// eachPair runs a test for every pair.
func eachPair(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	for _, p := range pairs {
		t.Run(p[0]+" to "+p[1], func(t *testing.T) { f(t, newWorld(t, p[0], p[1])) })
	}
}

// world is a source and a target, a database on each, and a move of all its tables.
type world struct {
	name           string // of the move and of both databases
	from, to       string // flavors
	source, target *sql.DB
	wherry         *lab.Wherry
	settings       lab.Move
	dir            string
}

func newWorld(t *testing.T, from, to string) *world {
	t.Helper()
	list := os.Getenv("WHERRY_TEST_SERVERS")
	if strings.TrimSpace(list) == "" {
		if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
			t.Fatal("no WHERRY_TEST_SERVERS, and WHERRY_REQUIRE_SERVERS=1")
		}
		t.Skip("SKIPPED WITHOUT SERVERS: set WHERRY_TEST_SERVERS, see scripts/servers.sh")
	}
	servers, err := lab.ParseServers(list)
	require.NoError(t, err)
	source, target, err := lab.Pair(servers, from, to)
	require.NoError(t, err)
	var random [4]byte
	_, err = rand.Read(random[:])
	require.NoError(t, err)
	w := &world{name: prefix + hex.EncodeToString(random[:]), from: from, to: to, dir: t.TempDir()}
	for _, end := range []struct {
		server lab.Server
		db     **sql.DB
	}{{source, &w.source}, {target, &w.target}} {
		server, err := end.server.Admin("")
		require.NoError(t, err)
		*end.db, err = end.server.Admin(w.name) // connects when it is used: wherry makes the target's database
		require.NoError(t, err)
		t.Cleanup(func() {
			run(t, server, "DROP DATABASE IF EXISTS "+w.name, "DROP DATABASE IF EXISTS wherry_"+w.name)
			assert.NoError(t, (*end.db).Close())
			assert.NoError(t, server.Close())
		})
		if end.db == &w.source {
			run(t, server, "CREATE DATABASE "+w.name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
		}
	}
	w.settings = lab.Move{
		Name: w.name, State: filepath.Join(w.dir, "state.yaml"), Source: source, Target: target, Include: w.name + ".*",
		Extra: []string{"verify: {workers: 2, chunk_rows: 1000}"},
	}
	w.wherry, err = w.settings.Write(binary, filepath.Join(w.dir, "wherry.yaml"))
	require.NoError(t, err)
	return w
}

// configure adds lines to the configuration.
func (w *world) configure(t *testing.T, lines ...string) {
	t.Helper()
	w.settings.Extra = append(w.settings.Extra, lines...)
	var err error
	w.wherry, err = w.settings.Write(binary, filepath.Join(w.dir, "wherry.yaml"))
	require.NoError(t, err)
}

// move makes the tables on the source by its statements and copies them.
func (w *world) move(t *testing.T, statements ...string) {
	t.Helper()
	run(t, w.source, statements...)
	w.must(t, "init-schema")
	w.must(t, "init-copy")
}

// must runs a command that must end well.
func (w *world) must(t *testing.T, args ...string) lab.Summary {
	t.Helper()
	_, summary, err := w.wherry.Run(t.Context(), args...)
	require.NoError(t, err)
	return summary
}

// run runs statements, all on one connection.
func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	require.NoError(t, lab.Exec(context.WithoutCancel(t.Context()), db, statements...))
}

// adminTarget is the target without a database.
func (w *world) adminTarget(t *testing.T) *sql.DB {
	t.Helper()
	db, err := w.settings.Target.Admin("")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db
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

// text is the only value of a query, "NULL" for NULL.
func text(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var value sql.NullString
	require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&value), query)
	if !value.Valid {
		return "NULL"
	}
	return value.String
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
	c, _, err := w.wherry.Run(t.Context(), append([]string{"verify"}, args...)...)
	require.NotNil(t, c, "%v", err)
	return parse(t, c)
}

func parse(t *testing.T, c *lab.Child) report {
	t.Helper()
	r := report{code: c.Code, tables: map[string]table{}, log: c.Log()}
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
	require.Equal(t, done, r.code, r.log)
	require.Zero(t, r.summary.Number("differences"))
	require.Positive(t, r.summary.Number("rows"))
}

// equal compares a table of both sides by the tests' own SQL: the same rows, each as often. Floats are read as
// doubles, with the sign of zero.
func (w *world) equal(t *testing.T, name, columns, where string) int {
	t.Helper()
	source, target := bag(t, w.source, name, columns, where), bag(t, w.target, name, columns, "")
	require.Len(t, target, len(source), "rows of %s on the target", name)
	for i := range source {
		require.Equal(t, source[i], target[i], "table %s", name)
	}
	return len(source)
}

func bag(t *testing.T, db *sql.DB, name, columns, where string) []string {
	t.Helper()
	query := "SELECT " + columns + " FROM " + name
	if where != "" {
		query += " WHERE " + where
	}
	rows, err := db.QueryContext(context.WithoutCancel(t.Context()), query)
	require.NoError(t, err)
	defer rows.Close()
	names, err := rows.Columns()
	require.NoError(t, err)
	values, into := make([][]byte, len(names)), make([]any, len(names))
	for i := range into {
		into[i] = &values[i]
	}
	var all []string
	for rows.Next() {
		require.NoError(t, rows.Scan(into...))
		var b bytes.Buffer
		for _, v := range values {
			if v == nil {
				b.WriteString("NULL|")
			} else {
				fmt.Fprintf(&b, "%q|", v)
			}
		}
		all = append(all, b.String())
	}
	require.NoError(t, rows.Err())
	slices.Sort(all)
	return all
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
