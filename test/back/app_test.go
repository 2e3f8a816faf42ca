package back

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// app is an application that writes without a break, and always to the server that the switch hook has named last.
// Each of its transactions puts a token of its own into a table with keys and one without, or touches an earlier one
// in both, and counts that; so what is lost or doubled shows.
type app struct {
	*harness.Load
	m   *move
	dbs map[string]*sql.DB // by what the hook writes

	mu    sync.Mutex
	said  map[string]bool // tokens whose commit was acknowledged
	open  map[string]bool // tokens of which the application does not know
	moved map[string]int  // commits by place
	n     int             // tokens
}

// createTables makes the application's tables on the source.
func (m *move) createTables(t *testing.T, rows int) {
	t.Helper()
	m.Source.Exec(t,
		"CREATE TABLE "+name+".items (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, token VARCHAR(40) NOT NULL "+
			"UNIQUE, n INT NOT NULL, note TEXT NULL) ENGINE=InnoDB",
		"CREATE TABLE "+name+".entries (token VARCHAR(40) NOT NULL, n INT NOT NULL, KEY (token)) ENGINE=InnoDB",
		"CREATE TABLE "+name+".counters (id INT NOT NULL PRIMARY KEY, n BIGINT NOT NULL) ENGINE=InnoDB",
		"INSERT INTO "+name+".counters VALUES (0, 0), (1, 0), (2, 0), (3, 0), (100, 0)")
	for at := 0; at < rows; at += 500 {
		var items, entries []string
		for i := at; i < min(at+500, rows); i++ {
			items = append(items, fmt.Sprintf("('first-%d', 0, 'Straße %d')", i, i))
			entries = append(entries, fmt.Sprintf("('first-%d', 0)", i))
		}
		m.Source.Exec(t, "INSERT INTO "+name+".items (token, n, note) VALUES "+strings.Join(items, ", "),
			"INSERT INTO "+name+".entries VALUES "+strings.Join(entries, ", "))
	}
	m.Source.Exec(t, fmt.Sprintf("UPDATE %s.counters SET n = %d WHERE id = 0", name, rows))
}

// startApp lets the application write to the source until stop, which the test's end calls too.
func (m *move) startApp(t *testing.T, seed uint64, workers int) *app {
	t.Helper()
	a := &app{m: m, said: map[string]bool{}, open: map[string]bool{}, moved: map[string]int{}}
	a.dbs = map[string]*sql.DB{}
	for place, s := range map[string]*harness.Server{"reverse": m.Source, "forward": m.Target} {
		a.dbs[place] = s.As(t, harness.AppUser, harness.AppPassword, "")
		a.dbs[place].SetMaxIdleConns(workers)
	}
	earlier := make([][]string, workers) // tokens of each worker
	o := harness.Loaded{Seed: seed, Workers: workers, Pause: 2500 * time.Microsecond, Loses: true}
	a.Load = harness.StartLoad(t, o, func(ctx context.Context, worker int, r *rand.Rand) error {
		return a.write(ctx, worker, &earlier[worker], r)
	})
	return a
}

// stop ends it, and fails the test if the application itself was wrong or wrote nothing.
func (a *app) stop(t *testing.T) {
	t.Helper()
	a.Stop(t)
	t.Logf("application: %d tokens, %d unknown, by place %v", len(a.said), len(a.open), a.moved)
}

// commits returns how many transactions were committed at a place so far.
func (a *app) commits(place string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.moved[place]
}

// awaits waits until some more transactions were committed at a place.
func (a *app) awaits(t *testing.T, place string, more int) {
	t.Helper()
	from := a.commits(place)
	commits := func() int64 { return int64(a.commits(place)) }
	require.True(t, lab.Until(func() bool {
		a.Healthy(t)
		return a.commits(place) >= from+more
	}, commits), "the application does not get on at %s: %d commits", place, a.commits(place))
}

// where reads what the switch hook wrote: the source, while it was never called.
func (a *app) where() string {
	text, err := os.ReadFile(a.m.Place)
	if err != nil || strings.TrimSpace(string(text)) == "" {
		return "reverse"
	}
	return strings.TrimSpace(string(text))
}

// write makes one transaction where the hook says, and keeps what it knows of it.
func (a *app) write(ctx context.Context, worker int, earlier *[]string, r *rand.Rand) error {
	place, token := a.where(), ""
	if len(*earlier) == 0 || r.IntN(3) > 0 {
		a.mu.Lock()
		a.n++
		token = fmt.Sprintf("%d-%d", worker, a.n)
		a.mu.Unlock()
	}
	err := a.transaction(ctx, a.dbs[place], worker, token, *earlier, r)
	a.mu.Lock()
	defer a.mu.Unlock()
	var refusal *mysql.MySQLError
	switch {
	case err == nil:
		a.moved[place]++
		if token != "" {
			a.said[token] = true
			*earlier = append(*earlier, token)
		}
	case !errors.As(err, &refusal) && token != "": // the connection was lost
		a.open[token] = true
	}
	return err
}

// transaction commits a new token, or touches an earlier one.
func (a *app) transaction(ctx context.Context, db *sql.DB, worker int, token string, mine []string,
	r *rand.Rand,
) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing when it is committed
	type statement struct {
		text string
		args []any
	}
	var all []statement
	if token != "" {
		all = []statement{
			{"UPDATE " + name + ".counters SET n = n + 1 WHERE id = ?", []any{worker % 4}},
			{"INSERT INTO " + name + ".items (token, n, note) VALUES (?, 0, NULL)", []any{token}},
			{"INSERT INTO " + name + ".entries (token, n) VALUES (?, 0)", []any{token}},
		}
	} else {
		earlier := mine[r.IntN(len(mine))]
		all = []statement{
			{"UPDATE " + name + ".counters SET n = n + 1 WHERE id = 100", nil},
			{"UPDATE " + name + ".items SET n = n + 1, note = CONCAT('touched ', n) WHERE token = ?", []any{earlier}},
			{"UPDATE " + name + ".entries SET n = n + 1 WHERE token = ?", []any{earlier}},
		}
		if r.IntN(4) == 0 { // a row without a key goes and comes back
			all = append(all, statement{"DELETE FROM " + name + ".entries WHERE token = ?", []any{earlier}},
				statement{"INSERT INTO " + name + ".entries (token, n) SELECT token, n FROM " + name +
					".items WHERE token = ?", []any{earlier}})
		}
	}
	for _, s := range all {
		if _, err := tx.ExecContext(ctx, s.text, s.args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// complete checks on a server that every acknowledged write is there, once, and nothing else.
func (a *app) complete(t *testing.T, s *harness.Server) {
	t.Helper()
	found := map[string]bool{}
	rows, err := s.DB.QueryContext(t.Context(), "SELECT token FROM "+name+".entries WHERE token NOT LIKE 'first-%'")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var token string
		require.NoError(t, rows.Scan(&token))
		assert.False(t, found[token], "%s: token %s is doubled in the table without a key", s.Name, token)
		assert.True(t, a.said[token] || a.open[token], "%s: token %s was never written", s.Name, token)
		found[token] = true
	}
	require.NoError(t, rows.Err())
	lost := 0
	for token := range a.said {
		if !found[token] {
			lost++
		}
	}
	assert.Zero(t, lost, "%s: acknowledged tokens lost, of %d", s.Name, len(a.said))
	for what, query := range map[string]string{
		"rows that the other table lacks, or has with another number": "SELECT COUNT(*) FROM %[1]s.items i LEFT JOIN " +
			"%[1]s.entries e ON e.token = i.token WHERE e.token IS NULL OR e.n <> i.n",
		"rows of the table without a key that are not in the other": "SELECT COUNT(*) - (SELECT COUNT(*) FROM " +
			"%[1]s.items) FROM %[1]s.entries",
		"transactions that the counters do not have, new tokens": "SELECT COUNT(*) - (SELECT SUM(n) FROM " +
			"%[1]s.counters WHERE id < 100) FROM %[1]s.items",
		"transactions that the counters do not have, touched tokens": "SELECT SUM(n) - (SELECT n FROM %[1]s.counters " +
			"WHERE id = 100) FROM %[1]s.items",
	} {
		assert.Zero(t, s.Number(t, fmt.Sprintf(query, name)), "%s: %s", s.Name, what)
	}
}

// image is all rows of a table as text, in an order that both flavors agree on.
func image(t *testing.T, s *harness.Server, table, columns string) []string {
	t.Helper()
	rows, err := s.DB.QueryContext(t.Context(), "SELECT CONCAT_WS('|', "+columns+") AS row_image FROM "+name+"."+table+
		" ORDER BY CAST(row_image AS BINARY)")
	require.NoError(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var image string
		require.NoError(t, rows.Scan(&image))
		all = append(all, image)
	}
	require.NoError(t, rows.Err())
	return all
}

// equal compares the application's tables on both servers.
func (m *move) equal(t *testing.T) {
	t.Helper()
	for _, table := range []string{"items", "entries", "counters"} {
		x := harness.Table{Database: name, Name: table}
		require.Positive(t, m.EqualTable(t, x, x))
	}
}
