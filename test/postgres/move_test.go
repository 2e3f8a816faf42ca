// Package postgres moves live databases of both families to PostgreSQL by the commands. What is on both sides in the
// end is compared by the tests' own SQL, never by wherry's.
package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

func TestMain(m *testing.M) { harness.Main(m) }

func newMove(t *testing.T, source, target *harness.Server) *harness.Move {
	t.Helper()
	return harness.New(t, source, target, harness.Options{
		Name: "to_postgres", Create: "CHARACTER SET utf8mb4",
		Lines: []string{
			"copy: {workers: 3, chunk_rows: 300}", "replicate: {batch_rows: 400}",
			"cutover: {max_lag: 30s, timeout: 60s}",
			"schema: {allow_losses: [collation, enum, set, json-text, on-update]}",
		},
	})
}

// TestMove moves tables while an application writes to them, with wherry killed in every phase, and a column that is
// added on the way. Afterwards an application can write to the target.
func TestMove(t *testing.T) {
	harness.Each(t, harness.Postgres, func(t *testing.T, source, target *harness.Server) {
		s := lab.Seed(t)
		r := rand.New(rand.NewPCG(s, 5))
		m := newMove(t, source, target)
		app := source.In(t, m.Name)
		for _, x := range tables() {
			app.Exec(t, x.create())
		}
		for n := range 40 {
			require.NoError(t, write(t.Context(), app.DB, rand.New(rand.NewPCG(s, uint64(n))), 40))
		}
		writer := source.App(t, m.Name) // whom a fence stops
		l := harness.StartLoad(t, harness.Loaded{
			Seed: s, Workers: 3, Pause: 5 * time.Millisecond, Bears: []uint16{1062, 1452},
		}, func(ctx context.Context, _ int, r *rand.Rand) error { return write(ctx, writer, r, 4) })
		m.Phases(t, "check", "init-schema")
		m.Killed(t, r, 3, 500*time.Millisecond, "init-copy")
		m.Must(t, "init-copy")
		m.Killed(t, r, 3, 700*time.Millisecond, "start-replica")
		app.Exec(t, "ALTER TABLE entries ADD COLUMN extra INT NOT NULL DEFAULT 7")
		l.More(t, 50)
		m.CatchUp(t)
		m.Must(t, "verify")
		m.Killed(t, r, 2, 400*time.Millisecond, "cutover", m.Confirm())
		m.CatchUp(t)
		m.Must(t, "cutover", m.Confirm())
		l.Stop(t)

		for _, x := range tables() {
			if x.name == "entries" {
				x.columns = append(x.columns, column{name: "extra"})
			}
			x.equal(t, source, target, m.Name)
		}
		afterwards(t, m, target)
		m.Must(t, "cleanup")
		assert.Equal(t, []string{m.Name},
			target.Strings(t, "SELECT nspname FROM pg_namespace WHERE nspname LIKE '%"+m.Name+"%'"))
	})
}

// afterwards writes to the target as an application: identities go on, and the foreign key holds and cascades.
func afterwards(t *testing.T, m *harness.Move, target *harness.Server) {
	t.Helper()
	in := m.Name + "."
	highest := target.Number(t, "SELECT max(id) FROM "+in+"accounts")
	target.Exec(t, "INSERT INTO "+in+"accounts (email, balance) VALUES ('new@app', 1)")
	id := target.Number(t, "SELECT id FROM "+in+"accounts WHERE email = 'new@app'")
	assert.Greater(t, id, highest)
	target.Exec(t, fmt.Sprintf("INSERT INTO "+in+"entries (account, name) VALUES (%d, 'x')", id))
	assert.Equal(t, 7, target.Number(t, fmt.Sprintf("SELECT extra FROM "+in+"entries WHERE account = %d", id)))
	target.Exec(t, fmt.Sprintf("UPDATE "+in+"entries SET amount = 5 WHERE account = %d", id))
	assert.Equal(t, 1, target.Number(t, fmt.Sprintf("SELECT count(touched) FROM "+in+"entries WHERE account = %d", id)),
		"ON UPDATE CURRENT_TIMESTAMP")
	_, err := target.Value(t, "INSERT INTO "+in+"entries (account, name) VALUES (987654321, 'x') RETURNING account")
	require.ErrorContains(t, err, "of_account")
	target.Exec(t, fmt.Sprintf("DELETE FROM "+in+"accounts WHERE id = %d", id))
	assert.Zero(t, target.Number(t, fmt.Sprintf("SELECT count(*) FROM "+in+"entries WHERE account = %d", id)))
	assert.Equal(t, "true", target.Text(t, "SELECT convalidated FROM pg_constraint WHERE conname = 'of_account' AND "+
		"connamespace = '"+m.Name+"'::regnamespace"), "the rows that were there are looked at")
}

// write is one transaction of the application.
func write(ctx context.Context, app *sql.DB, r *rand.Rand, n int) error {
	var statements []string
	add := func(format string, args ...any) { statements = append(statements, fmt.Sprintf(format, args...)) }
	id := func() int { return 1 + r.IntN(600) }
	for range n {
		switch r.IntN(8) {
		case 0, 1, 2:
			add("INSERT INTO accounts (email, balance, small, factor, born, at, made, flags, kind, doc, raw, note) "+
				"VALUES "+
				"('é%d', %d.%04d, %d, %d / 8, '2024-02-%02d', '1999-12-31 23:59:59.%06d', FROM_UNIXTIME(%d.25), "+
				"'%s', '%s', "+
				`'{"n": %d, "s": "x\\u00e9", "d": [1.5e300, -1e-20, 1.50]}', X'%08x', %s)`, r.IntN(1e12),
				r.IntN(1e9)-5e8, r.IntN(1e4), r.IntN(256),
				r.IntN(2000)-1000, 1+r.IntN(29), r.IntN(1e6), 1+r.IntN(2e9), []string{"", "a", "a,c"}[r.IntN(3)],
				[]string{"x", "ž"}[r.IntN(2)], r.IntN(1000), r.Uint32(), []string{"NULL", "'it''s 🐎'"}[r.IntN(2)])
		case 3:
			add("INSERT INTO entries (account, name, amount) SELECT id, 'n%d', %d FROM accounts WHERE id >= %d "+
				"ORDER BY id LIMIT 1", r.IntN(1000), r.IntN(100), id())
		case 4:
			add("UPDATE accounts SET balance = balance + 0.0001, note = CONCAT('n', %d) WHERE id = %d", r.IntN(9), id())
		case 5: // a unique value that moves
			a, b, free := id(), id(), r.IntN(1e9)
			add("UPDATE accounts SET email = 'moves%d' WHERE id = %d", free, a)
			add("UPDATE accounts SET email = 'é%d' WHERE id = %d", r.IntN(1e12), b)
		case 6:
			add("INSERT INTO bag VALUES (%d, %s), (1, 'one')", r.IntN(5),
				[]string{"NULL", "'line'", "'LINE'"}[r.IntN(3)])
			add("DELETE FROM bag WHERE n = %d LIMIT 1", r.IntN(5))
		case 7:
			add("DELETE FROM accounts WHERE id = %d", id())
			add("UPDATE entries SET name = CONCAT('k', %d), amount = %d WHERE account = %d LIMIT 1", r.IntN(1e6),
				r.IntN(9),
				id())
		}
	}
	return harness.Within(ctx, app, statements...)
}
