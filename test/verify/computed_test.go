package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/test/internal/harness"
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
		w.source.Exec(t, computedTables...)
		check := w.Ends(t, harness.Refused, "check")
		for column, refused := range map[string]bool{
			"told.h": true, "told.q": true, "told.late": false,
			"plain.y": false, "plain.x": false, "plain.w": false, "bag.y": false,
		} {
			assert.Equal(t, refused, hasFinding(check.Output(), "fail", "loss:session-expression", w.Name+"."+column),
				column)
		}
		w.Ends(t, harness.Refused, "init-schema")
		assert.Equal(t, "0", w.Target.Text(t, "SELECT COUNT(*) FROM information_schema.schemata WHERE "+
			"schema_name = '"+w.Name+"'"))

		w.Configure(t, "schema: {allow_losses: [session-expression@*.told]}", "cutover: {fence: lock_tables}")
		w.Phases(t, "init-schema", "init-copy")
		assert.Equal(t, []string{`id="1" h="3" q="0.3333333333" `, `id="2" h="4" q="0.6666666667" `},
			w.source.Lines(t, "SELECT id, h, ROUND(q, 10) AS q FROM told"))
		assert.Equal(t, "18", w.target.Text(t, "SELECT h FROM told WHERE id = 1"), "computed in UTC")
		w.verify(t).clean(t)
		w.equal(t, "plain", "*", "")

		w.source.Exec(t, otherSession...)
		w.target.Exec(t, "UPDATE plain SET n = 77 WHERE id = 1", "DELETE FROM bag WHERE n = 1")
		r := w.verify(t)
		assert.Equal(t, harness.Differs, r.code)
		assert.Equal(t, "0000-00-00", w.source.Text(t, "SELECT y FROM plain WHERE id = 101"))
		assert.Equal(t, "2024-02-31", w.target.Text(t, "SELECT y FROM plain WHERE id = 101"))
		assert.Equal(t, "differing 1, differing 101 computed", r.tables["plain"].listed())
		assert.Equal(t, "differing=0 missing=2 extra=1 repaired=0", r.tables["bag"].counts())
		r = w.verify(t, "--repair")
		assert.Equal(t, harness.Differs, r.code)
		assert.Equal(t, "differing 1 repaired, differing 101 computed", r.tables["plain"].listed())
		assert.EqualValues(t, 1, r.tables["bag"].Missing)
		assert.EqualValues(t, 1, r.tables["bag"].Extra)
		assert.Contains(t, r.log, "in generated columns only")
		w.equal(t, "plain", "id, s, n, x", "")
		w.equal(t, "bag", "s, n", "")

		w.source.Exec(t, "DELETE FROM plain WHERE id = 101", "DELETE FROM bag WHERE n = 5")
		w.verify(t).clean(t)
		w.source.Exec(t, otherSession...)
		w.Ends(t, harness.Differs, "cutover", w.Confirm())
		w.source.Exec(t, "DELETE FROM plain WHERE id = 101", "DELETE FROM bag WHERE n = 5")
		w.Must(t, "cutover", w.Confirm())
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
		w.source.Exec(t, "ALTER TABLE t ADD COLUMN y INT AS (YEAR(d)) STORED",
			"INSERT INTO t (id, ts, d) VALUES (2, '2024-02-29 03:30', '2023-02-28')")
		w.CatchUp(t)
		w.equal(t, "t", "*", "")
		w.source.Exec(t, "SET time_zone = '+09:00'", "ALTER TABLE t ADD COLUMN h INT AS (HOUR(ts)) STORED",
			"SET time_zone = '+00:00'")
		follow := w.Ends(t, harness.Refused, "start-replica", "--until-caught-up")
		assert.Contains(t, follow.Log(), "session-expression")
		assert.Equal(t, "0", w.target.Text(t, "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = '"+
			w.Name+"' AND table_name = 't' AND column_name = 'h'"))
	})
}

// TestComputedColumnsFollowed: rows with generated columns are followed and compared while they are written to, also
// from servers that leave those columns out of what an UPDATE or DELETE logs: MariaDB 11.8 does, and is a source here
// when there is one.
func TestComputedColumnsFollowed(t *testing.T) {
	for _, e := range append(slices.Clone(harness.Every), pairsOf("mariadb118")...) {
		t.Run(e.String(), func(t *testing.T) {
			w := worldOf(t, e)
			w.Configure(t, "cutover: {fence: lock_tables}")
			w.move(t, "CREATE TABLE keyed (id INT NOT NULL PRIMARY KEY, x INT, v INT AS (x * 2) VIRTUAL, s INT AS (x "+
				"* 3) STORED, y INT, UNIQUE KEY (s), KEY (v))",
				"CREATE TABLE bag (x INT, v INT AS (x * 2) VIRTUAL, s INT AS (x * 3) STORED, y INT)",
				"INSERT INTO keyed (id, x, y) VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3)",
				"INSERT INTO bag (x, y) VALUES (1, 1), (1, 1), (2, NULL), (3, 3)")
			w.source.Exec(t, "UPDATE keyed SET y = 9 WHERE id = 1", "UPDATE keyed SET x = x + 10",
				"DELETE FROM keyed WHERE id = 2", "INSERT INTO keyed (id, x, y) VALUES (2, 2, 2)",
				"UPDATE bag SET x = 7 WHERE y = 3", "DELETE FROM bag WHERE x = 1 LIMIT 1",
				"INSERT INTO bag (x, y) VALUES (7, 3), (8, NULL)", "UPDATE bag SET y = 4 WHERE x = 2")
			w.CatchUp(t)
			w.equal(t, "keyed", "*", "")
			w.equal(t, "bag", "*", "")

			n := 0
			l := harness.StartLoad(t, harness.Loaded{Workers: 1}, func(ctx context.Context, _ int, _ *rand.Rand) error {
				n++
				return lab.Exec(ctx, w.source.DB, fmt.Sprintf("UPDATE keyed SET x = %d WHERE id = 3", 100+n),
					fmt.Sprintf("UPDATE bag SET x = %d WHERE x > 6 LIMIT 1", 100+n))
			})
			for range 2 {
				w.verify(t).clean(t)
			}
			l.Stop(t)
			w.target.Exec(t, "UPDATE bag SET y = 5 WHERE x = 2")
			r := w.verify(t)
			assert.Equal(t, "differing=0 missing=1 extra=1 repaired=0", r.tables["bag"].counts())
			w.verify(t, "--repair").clean(t)
			w.Must(t, "cutover", w.Confirm())
			w.equal(t, "keyed", "*", "")
			w.equal(t, "bag", "*", "")
		})
	}
}
