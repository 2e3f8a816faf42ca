package verify

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// computedTables have stored generated columns: of told, whose values depend on the session for certain, of plain and
// bag, whose values do for dates that are none.
var computedTables = []string{
	"SET time_zone = '+09:00', div_precision_increment = 12",
	"CREATE TABLE told (id INT NOT NULL PRIMARY KEY, ts TIMESTAMP NOT NULL, a INT, b INT, h INT AS (HOUR(ts)) " +
		"STORED, q DECIMAL(20,10) AS (a / b) STORED, late INT AS (HOUR(ts)) VIRTUAL)",
	"INSERT INTO told (id, ts, a, b) VALUES (1, '2024-02-29 03:30', 1, 3), (2, '2024-02-29 04:30', 2, 3)",
	"SET time_zone = '+00:00', div_precision_increment = DEFAULT",
	"CREATE TABLE plain (id INT NOT NULL PRIMARY KEY, s VARCHAR(20), n INT, y DATE AS (s) STORED, x BIGINT AS (n * " +
		"3) STORED, w VARCHAR(40) AS (CONCAT('n', n)) VIRTUAL)",
	"INSERT INTO plain (id, s, n) VALUES (1, '2024-02-29', 7), (2, NULL, NULL), (3, '1999-12-31', -4)",
	"CREATE TABLE bag (s VARCHAR(20), n INT, y DATE AS (s) STORED)",
	"INSERT INTO bag (s, n) VALUES ('2024-02-29', 7), ('2024-02-29', 7), (NULL, 1)",
}

// otherSession writes text that is no date under a sql_mode that makes nothing of it, and not under a move's, in a
// table with a key and in one without.
var otherSession = []string{
	"SET sql_mode = ''", "INSERT INTO plain (id, s, n) VALUES (101, '2024-02-31', 5)",
	"INSERT INTO bag (s, n) VALUES ('2024-02-31', 5)", "SET sql_mode = DEFAULT",
}

// TestComputedColumns: a stored generated column that the session decides is refused by name before anything is
// changed, and is not compared once that is allowed; every other is compared as all columns are, and what a repair
// cannot write is said to be so.
func TestComputedColumns(t *testing.T) {
	eachPair(t, func(t *testing.T, w *world) {
		run(t, w.source, computedTables...)
		check, _, err := w.wherry.Run(t.Context(), "check")
		require.Error(t, err)
		assert.Equal(t, refused, check.Code)
		for column, refused := range map[string]bool{
			"told.h": true, "told.q": true, "told.late": false,
			"plain.y": false, "plain.x": false, "plain.w": false, "bag.y": false,
		} {
			assert.Equal(t, refused, hasFinding(check.Output(), "fail", "loss:session-expression", w.name+"."+column),
				column)
		}
		create, _, err := w.wherry.Run(t.Context(), "init-schema")
		require.Error(t, err)
		assert.Equal(t, refused, create.Code)
		assert.Equal(t, "0", text(t, w.adminTarget(t), "SELECT COUNT(*) FROM information_schema.schemata WHERE "+
			"schema_name = '"+w.name+"'"))

		w.configure(t, "schema: {allow_losses: [session-expression@*.told]}", "cutover: {fence: lock_tables}")
		w.must(t, "init-schema")
		w.must(t, "init-copy")
		assert.Equal(t, []string{`"1"|"3"|"0.3333333333"|`, `"2"|"4"|"0.6666666667"|`}, bag(t, w.source, "told",
			"id, h, ROUND(q, 10)", ""))
		assert.Equal(t, "18", text(t, w.target, "SELECT h FROM told WHERE id = 1"), "computed in UTC")
		w.verify(t).clean(t)
		w.equal(t, "plain", "*", "")

		run(t, w.source, otherSession...)
		run(t, w.target, "UPDATE plain SET n = 77 WHERE id = 1", "DELETE FROM bag WHERE n = 1")
		r := w.verify(t)
		assert.Equal(t, differs, r.code)
		assert.Equal(t, "0000-00-00", text(t, w.source, "SELECT y FROM plain WHERE id = 101"))
		assert.Equal(t, "2024-02-31", text(t, w.target, "SELECT y FROM plain WHERE id = 101"))
		assert.Equal(t, "differing 1, differing 101 computed", r.tables["plain"].listed())
		assert.Equal(t, "differing=0 missing=2 extra=1 repaired=0", r.tables["bag"].counts())
		r = w.verify(t, "--repair")
		assert.Equal(t, differs, r.code)
		assert.Equal(t, "differing 1 repaired, differing 101 computed", r.tables["plain"].listed())
		assert.EqualValues(t, 1, r.tables["bag"].Missing)
		assert.EqualValues(t, 1, r.tables["bag"].Extra)
		assert.Contains(t, r.log, "in generated columns only")
		w.equal(t, "plain", "id, s, n, x", "")
		w.equal(t, "bag", "s, n", "")

		run(t, w.source, "DELETE FROM plain WHERE id = 101", "DELETE FROM bag WHERE n = 5")
		w.verify(t).clean(t)
		run(t, w.source, otherSession...)
		over, _, err := w.wherry.Run(t.Context(), "cutover", "--confirm="+w.name)
		require.Error(t, err)
		assert.Equal(t, differs, over.Code, over.Log())
		run(t, w.source, "DELETE FROM plain WHERE id = 101", "DELETE FROM bag WHERE n = 5")
		w.must(t, "cutover", "--confirm="+w.name)
		w.equal(t, "plain", "*", "")
		w.equal(t, "bag", "*", "")
		w.equal(t, "told", "id, ts, a, b", "")
	})
}

// TestComputedColumnAdded: a column whose values the session decides is refused as well when a schema change adds it
// while changes are followed.
func TestComputedColumnAdded(t *testing.T) {
	eachPair(t, func(t *testing.T, w *world) {
		w.move(t, "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, ts TIMESTAMP NOT NULL, d DATE)",
			"INSERT INTO t VALUES (1, '2024-02-29 03:30', '2024-02-29')")
		run(t, w.source, "ALTER TABLE t ADD COLUMN y INT AS (YEAR(d)) STORED",
			"INSERT INTO t (id, ts, d) VALUES (2, '2024-02-29 03:30', '2023-02-28')")
		w.must(t, "start-replica", "--until-caught-up")
		w.equal(t, "t", "*", "")
		run(t, w.source, "SET time_zone = '+09:00'", "ALTER TABLE t ADD COLUMN h INT AS (HOUR(ts)) STORED",
			"SET time_zone = '+00:00'")
		follow, _, err := w.wherry.Run(t.Context(), "start-replica", "--until-caught-up")
		require.Error(t, err)
		assert.Equal(t, refused, follow.Code, follow.Log())
		assert.Contains(t, follow.Log(), "session-expression")
		assert.Equal(t, "0", text(t, w.target, "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = '"+
			w.name+"' AND table_name = 't' AND column_name = 'h'"))
	})
}

// TestComputedColumnsFollowed: rows with generated columns are followed and compared while they are written to, also
// from servers that leave those columns out of what an UPDATE or DELETE logs: MariaDB 11.8 does, and is a source here
// when there is one.
func TestComputedColumnsFollowed(t *testing.T) {
	for _, p := range append(pairs[:4:4], pairsOf(t, "mariadb118")...) {
		t.Run(p[0]+" to "+p[1], func(t *testing.T) {
			w := newWorld(t, p[0], p[1])
			w.configure(t, "cutover: {fence: lock_tables}")
			w.move(t, "CREATE TABLE keyed (id INT NOT NULL PRIMARY KEY, x INT, v INT AS (x * 2) VIRTUAL, s INT AS (x "+
				"* 3) STORED, y INT, UNIQUE KEY (s), KEY (v))",
				"CREATE TABLE bag (x INT, v INT AS (x * 2) VIRTUAL, s INT AS (x * 3) STORED, y INT)",
				"INSERT INTO keyed (id, x, y) VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3)",
				"INSERT INTO bag (x, y) VALUES (1, 1), (1, 1), (2, NULL), (3, 3)")
			run(t, w.source, "UPDATE keyed SET y = 9 WHERE id = 1", "UPDATE keyed SET x = x + 10",
				"DELETE FROM keyed WHERE id = 2", "INSERT INTO keyed (id, x, y) VALUES (2, 2, 2)",
				"UPDATE bag SET x = 7 WHERE y = 3", "DELETE FROM bag WHERE x = 1 LIMIT 1",
				"INSERT INTO bag (x, y) VALUES (7, 3), (8, NULL)", "UPDATE bag SET y = 4 WHERE x = 2")
			w.must(t, "start-replica", "--until-caught-up")
			w.equal(t, "keyed", "*", "")
			w.equal(t, "bag", "*", "")

			stop, ended := make(chan struct{}), make(chan error, 1)
			go func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						ended <- nil
						return
					default:
					}
					if err := lab.Exec(t.Context(), w.source, fmt.Sprintf("UPDATE keyed SET x = %d WHERE id = 3",
						100+n), fmt.Sprintf("UPDATE bag SET x = %d WHERE x > 6 LIMIT 1", 100+n)); err != nil {
						ended <- err
						return
					}
				}
			}()
			for range 2 {
				w.verify(t).clean(t)
			}
			close(stop)
			require.NoError(t, <-ended)
			run(t, w.target, "UPDATE bag SET y = 5 WHERE x = 2")
			r := w.verify(t)
			assert.Equal(t, "differing=0 missing=1 extra=1 repaired=0", r.tables["bag"].counts())
			w.verify(t, "--repair").clean(t)
			w.must(t, "cutover", "--confirm="+w.name)
			w.equal(t, "keyed", "*", "")
			w.equal(t, "bag", "*", "")
		})
	}
}
