package cascades

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// most is the largest key that transactions draw: small, so that they meet.
const most = 40

// shape is tables with foreign keys that act, drawn by chance. t0 is every other's ancestor.
type shape struct {
	random *rand.Rand
	tables []drawn
}

type drawn struct {
	name    string
	columns []string // after id
	create  string
}

func (s *shape) pick(list ...string) string { return list[s.random.IntN(len(list))] }

func (s *shape) actions(selfish, keyed bool) string {
	choices := []string{"CASCADE", "CASCADE", "SET NULL", "RESTRICT"}
	if keyed {
		choices = []string{"CASCADE", "RESTRICT", "CASCADE"}
	}
	text := " ON DELETE " + s.pick(choices...)
	if !selfish { // a cycle of updates is refused by every server
		text += " ON UPDATE " + s.pick(choices...)
	}
	return text
}

// newShape draws 3 to 6 tables: with one or two references to earlier ones, some to a unique value, some to the table
// itself, some whose key has the reference in it, and one without a key.
func newShape(r *rand.Rand) *shape {
	s := &shape{random: r}
	n := 3 + r.IntN(3)
	for i := range n {
		d := drawn{name: fmt.Sprintf("t%d", i), columns: []string{"u", "v"}}
		parts := []string{
			"id INT NOT NULL", "u INT", "v INT", "g INT GENERATED ALWAYS AS (v + 1) VIRTUAL",
			"changed TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)",
			"UNIQUE KEY (u)",
		}
		keyed := i > 0 && r.IntN(4) == 0
		key := "id"
		references := 0
		if i > 0 {
			references = 1 + r.IntN(2)
		}
		for j := range references {
			column, parent := fmt.Sprintf("r%d", j), r.IntN(i)
			null, target := "", s.target(parent)
			if keyed && j == 0 {
				key, null, target = "r0, id", " NOT NULL", "id"
			}
			d.columns = append(d.columns, column)
			parts = append(parts, column+" INT"+null, fmt.Sprintf("KEY (%s)", column),
				fmt.Sprintf("CONSTRAINT f%d_%d FOREIGN KEY (%s) REFERENCES t%d (%s)%s", i, j, column, parent,
					target, s.actions(false, keyed && j == 0)))
		}
		if i > 0 && r.IntN(3) == 0 && !keyed {
			d.columns = append(d.columns, "up")
			parts = append(parts, "up INT", "KEY (up)", fmt.Sprintf("CONSTRAINT f%d_up FOREIGN KEY (up) REFERENCES "+
				"%s (id)%s", i, d.name, s.actions(true, false)))
		}
		parts = append(parts, "PRIMARY KEY ("+key+")")
		if keyed {
			parts = append(parts, "UNIQUE KEY alone (id)")
		}
		d.create = "CREATE TABLE " + d.name + " (" + strings.Join(parts, ", ") + ") ENGINE=InnoDB"
		s.tables = append(s.tables, d)
	}
	bag := drawn{name: "bag", columns: []string{"r0", "v"}}
	bag.create = "CREATE TABLE bag (id INT, r0 INT, v INT, KEY (r0), CONSTRAINT bag_r FOREIGN KEY (r0) REFERENCES " +
		"t0 (id)" + s.actions(false, false) + ") ENGINE=InnoDB"
	code := drawn{name: "code", columns: []string{"v"}, create: "CREATE TABLE code (id VARCHAR(20) COLLATE " +
		"utf8mb4_bin PRIMARY KEY, v INT) ENGINE=InnoDB"}
	said := drawn{name: "said", columns: []string{"c", "v"}, create: "CREATE TABLE said (id INT PRIMARY KEY, c " +
		"VARCHAR(20) COLLATE utf8mb4_bin, v INT, CONSTRAINT said_c FOREIGN KEY (c) REFERENCES code (id)" +
		s.actions(false, false) + ") ENGINE=InnoDB"}
	s.tables = append(s.tables, bag, code, said)
	return s
}

// target returns what of a table is referenced.
func (s *shape) target(parent int) string {
	if strings.Contains(s.tables[parent].create, "PRIMARY KEY (r0, id)") {
		return "id"
	}
	return s.pick("id", "id", "u")
}

// writer runs random transactions.
type writer struct {
	shape  *shape
	random *rand.Rand
}

func (w *writer) id() int { return 1 + w.random.IntN(most) }

func (w *writer) value(d *drawn, column string) string {
	switch {
	case w.random.IntN(5) == 0 && column != "id":
		return "NULL"
	case d.name == "code" && column == "id", column == "c":
		return fmt.Sprintf("'%s%d'", []string{"a", "A", "ä"}[w.random.IntN(3)], w.random.IntN(8))
	default:
		return fmt.Sprint(w.id())
	}
}

func (w *writer) statement() string {
	r := w.random
	d := &w.shape.tables[r.IntN(len(w.shape.tables))]
	if r.IntN(3) == 0 {
		d = &w.shape.tables[0]
	}
	values := []string{w.value(d, "id")}
	for _, c := range d.columns {
		values = append(values, w.value(d, c))
	}
	insert := " INTO " + d.name + " (id, " + strings.Join(d.columns, ", ") + ") VALUES (" + strings.Join(values,
		", ") + ")"
	one := " WHERE id = " + w.value(d, "id")
	switch r.IntN(14) {
	case 0, 1, 2, 3, 4:
		return "INSERT" + insert
	case 5:
		return "REPLACE" + insert
	case 6:
		return "INSERT" + insert + " ON DUPLICATE KEY UPDATE id = " + w.value(d, "id") + ", v = v + 1"
	case 7:
		return "DELETE FROM " + d.name + one
	case 8:
		if d.name == "code" {
			return "DELETE FROM code" + one
		}
		from := w.id()
		return fmt.Sprintf("DELETE FROM %s WHERE id BETWEEN %d AND %d", d.name, from, from+3)
	case 9:
		return "UPDATE " + d.name + " SET id = " + w.value(d, "id") + one
	case 10:
		c := d.columns[r.IntN(len(d.columns))]
		return "UPDATE " + d.name + " SET " + c + " = " + w.value(d, c) + one
	case 11: // a chain: what one row leaves the next one takes
		if d.name == "code" {
			return "UPDATE code SET v = v + 1"
		}
		from := w.id()
		return fmt.Sprintf("UPDATE %s SET id = id + 1 WHERE id BETWEEN %d AND %d ORDER BY id DESC", d.name, from,
			from+3)
	case 12:
		return fmt.Sprintf("DELETE t0, t1 FROM t0 LEFT JOIN t1 ON t1.id = t0.id WHERE t0.id = %d", w.id())
	default:
		return "UPDATE " + d.name + " SET v = v + 1" + one
	}
}

// transaction runs a random transaction. What the server refuses is left out of it.
func (w *writer) transaction(ctx context.Context, c *sql.Conn) error {
	exec := func(statement string) error {
		_, err := c.ExecContext(ctx, statement)
		return err
	}
	if err := exec("BEGIN"); err != nil {
		return err
	}
	for range 1 + w.random.IntN(5) {
		unchecked := w.random.IntN(10) == 0
		if unchecked {
			_ = exec("SET foreign_key_checks = 0")
		}
		_ = exec(w.statement())
		if unchecked {
			_ = exec("SET foreign_key_checks = 1")
		}
	}
	if w.random.IntN(8) == 0 {
		return exec("ROLLBACK")
	}
	return exec("COMMIT")
}

// load writes until it is stopped.
func load(t *testing.T, m *move, s *shape, seed uint64, pause time.Duration) *harness.Load {
	t.Helper()
	app := m.Source.In(t, moveName)
	o := harness.Loaded{Seed: seed, Workers: 3, Pause: pause}
	return harness.StartLoad(t, o, func(ctx context.Context, _ int, r *rand.Rand) error {
		c, err := app.DB.Conn(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		return (&writer{shape: s, random: r}).transaction(ctx, c)
	})
}

// TestRandom moves tables whose foreign keys act, of random shape, while an application writes; wherry is killed in
// every phase.
func TestRandom(t *testing.T) {
	pairs := []harness.Ends{harness.MariaDB, harness.ToMySQL, harness.ToMariaDB}
	if rounds(t) > 1 {
		pairs = harness.Every
	}
	harness.Each(t, pairs, func(t *testing.T, source, target *harness.Server) {
		for range rounds(t) {
			random(t, source, target)
		}
	})
	// from a MySQL that logs what InnoDB does by foreign keys
	for i, e := range []harness.Ends{harness.MySQL, harness.ToMariaDB} {
		if i > 0 && rounds(t) == 1 {
			continue
		}
		t.Run("native "+e.String(), func(t *testing.T) {
			_, target := e.Open(t)
			for range rounds(t) {
				random(t, native(t), target)
			}
		})
	}
}

func random(t *testing.T, source, target *harness.Server) {
	t.Helper()
	n := lab.Seed(t)
	r := rand.New(rand.NewPCG(n, 1))
	batch := []string{"batch_rows: 3", "batch_rows: 50", "batch_rows: 5000", "batch_rows: 5000, workers: 4"}[r.IntN(4)]
	m := newMove(t, source, target, fmt.Sprintf("copy: {workers: 3, chunk_rows: %d}", []int{5, 20, 1000}[r.IntN(3)]),
		"replicate: {"+batch+"}")
	s := newShape(r)
	for _, d := range s.tables {
		t.Log(d.create)
		m.app.Exec(t, d.create)
	}
	before := load(t, m, s, n+1, 0)
	time.Sleep(500 * time.Millisecond)
	before.Stop(t)

	l := load(t, m, s, n+2, time.Millisecond)
	m.Phases(t, "check", "init-schema")
	m.Killed(t, r, 2, 400*time.Millisecond, "init-copy")
	m.Must(t, "init-copy")
	for range rounds(t) {
		m.Killed(t, r, 2, 500*time.Millisecond, "start-replica")
		l.Stop(t)
		m.CatchUp(t)
		require.Positive(t, m.Equal(t), "rows")
		if t.Failed() {
			t.FailNow()
		}
		l = load(t, m, s, r.Uint64(), time.Millisecond)
	}
	m.Must(t, "verify") // under load
	m.CatchUp(t)
	l.Stop(t)
	m.Must(t, "cutover", m.Confirm())
	m.Equal(t)
}
