package races

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/copy"
	"wherry/pkg/replicate"
	"wherry/test/internal/harness"
)

// batches are options under which a batch takes in everything that the log has.
func (w *world) batches() replicate.Options {
	w.moments.linger = 100 * time.Millisecond
	return replicate.Options{BatchRows: 1 << 20, BatchBytes: 1 << 30, BatchAge: time.Minute, Backlog: -24 * time.Hour}
}

// steadyRaces are changes to tables that have all of their indexes. Before each the table is emptied and filled.
// Neighbours with one table share a copy.
var steadyRaces = []struct{ name, table, fill, race string }{
	{"unique values swapped in one transaction", uniqueTable, "INSERT t VALUES (1, 1, 'A'), (2, 2, 'B')", swapUnique},
	{
		"unique values swapped by transactions of their own", uniqueTable, "INSERT t VALUES (1, 1, 'A'), (2, 2, 'B')",
		"UPDATE t SET u = 9 WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2; UPDATE t SET u = 2 WHERE id = 1",
	},
	{
		"unique values rotated among three rows", uniqueTable, "INSERT t VALUES (1, 1, 'A'), (2, 2, 'B'), (3, 3, 'C')",
		rotateUnique,
	},
	{
		"unique values rotated twice", uniqueTable, "INSERT t VALUES (1, 1, 'A'), (2, 2, 'B'), (3, 3, 'C')",
		rotateUnique + ";" + rotateUnique,
	},
	{
		"unique value freed by a delete, taken by an insert", uniqueTable, "INSERT t VALUES (1, 1, 'A'), (2, 2, 'B')",
		"DELETE FROM t WHERE id = 1; INSERT t VALUES (9, 1, 'C'); DELETE FROM t WHERE id = 2; INSERT t VALUES (0, " +
			"2, 'D')",
	},
	{
		"unique value freed by an insert's own delete", uniqueTable, "INSERT t VALUES (5, 1, 'A')",
		"INSERT t VALUES (9, 2, 'B'); DELETE FROM t WHERE id = 9; UPDATE t SET u = 2; INSERT t VALUES (8, 1, 'C')",
	},
	{
		"unique value passed down a chain", uniqueTable,
		"INSERT t VALUES (1, 1, ''), (2, 2, ''), (3, 3, ''), (4, 4, '')",
		"DELETE FROM t WHERE id = 4; UPDATE t SET u = u + 1 ORDER BY id DESC",
	},
	{
		"unique value passed up a chain", uniqueTable, "INSERT t VALUES (1, 1, ''), (2, 2, ''), (3, 3, ''), (4, 4, '')",
		"DELETE FROM t WHERE id = 1; UPDATE t SET u = u - 1 ORDER BY id",
	},
	{
		"unique values to null and back", uniqueTable, "INSERT t VALUES (1, 1, ''), (2, 2, '')",
		"UPDATE t SET u = NULL; UPDATE t SET u = 3 - id",
	},
	{
		"replaced rows", uniqueTable, "INSERT t VALUES (1, 1, ''), (2, 2, ''), (3, 3, '')",
		"REPLACE t VALUES (1, 2, 'x'); REPLACE t VALUES (4, 3, 'y'), (3, 1, 'z'); INSERT t VALUES (4, 5, 'w') ON " +
			"DUPLICATE KEY UPDATE u = 8",
	},
	{
		"keys and unique values moved at once", uniqueTable, "INSERT t VALUES (1, 1, 'A'), (2, 2, 'B')",
		"BEGIN; UPDATE t SET id = 9, u = 9 WHERE id = 1; UPDATE t SET id = 1, u = 1 WHERE id = 2; UPDATE t SET id = " +
			"2, u = 2 WHERE id = 9; COMMIT",
	},
	{
		"keys swapped in one transaction", plainTable, "INSERT t VALUES (1, 'one'), (2, 'two')",
		"BEGIN; UPDATE t SET id = 99 WHERE id = 1; UPDATE t SET id = 1 WHERE id = 2; UPDATE t SET id = 2 WHERE id = " +
			"99; COMMIT",
	},
	{"keys moved up by one", plainTable, insertRows(1, 20), "UPDATE t SET id = id + 1 ORDER BY id DESC"},
	{
		"an update that changes nothing", plainTable, insertRows(1, 3),
		"UPDATE t SET v = v; UPDATE t SET v = 'x' WHERE id = 1; UPDATE t SET v = 'row 1' WHERE id = 1",
	},
	{"insert and delete of a key", plainTable, insertRows(1, 1), "INSERT t VALUES (5, 'x'); DELETE FROM t WHERE id = " +
		"5; INSERT t VALUES (5, 'y'); DELETE FROM t WHERE id = 5"},
	{"delete and insert of a key", plainTable, insertRows(1, 2), "DELETE FROM t WHERE id = 1; INSERT t VALUES (1, " +
		"'x'); DELETE FROM t WHERE id = 2; INSERT t VALUES (2, 'row 2')"},
	{
		"a key that moves away and is taken again", plainTable, insertRows(1, 2),
		"UPDATE t SET id = 7 WHERE id = 1; INSERT t VALUES (1, 'new'); UPDATE t SET id = 8 WHERE id = 7; DELETE FROM " +
			"t WHERE id = 8",
	},
	{
		"a savepoint that is rolled back", plainTable, insertRows(1, 2),
		"BEGIN; UPDATE t SET v = 'kept' WHERE id = 1; SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; INSERT t VALUES (3, " +
			"'kept'); COMMIT",
	},
	{"a key that changes its case only", caseTable, "INSERT t VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4), ('e', " +
		"5), ('f', 6)", "UPDATE t SET k = UPPER(k); UPDATE t SET k = 'a' WHERE k = 'a'; DELETE FROM t WHERE k = 'B'; " +
		"INSERT t VALUES ('b', 9)"},
	{
		"a cascading foreign key below", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL, UNIQUE KEY v " +
			"(v)); CREATE TABLE child (id INT PRIMARY KEY, t INT NOT NULL, " +
			"FOREIGN KEY (t) REFERENCES t (id) ON UPDATE " +
			"RESTRICT ON DELETE RESTRICT)", "INSERT t VALUES (1, 'one'), (2, 'two'); INSERT child VALUES (10, 1), " +
			"(11, 2)",
		"BEGIN; UPDATE t SET v = 'x' WHERE id = 1; UPDATE t SET v = 'one' WHERE id = 2; UPDATE t SET v = 'two' WHERE " +
			"id = 1; COMMIT",
	},
}

const caseTable = "CREATE TABLE t (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v INT)"

// TestSteadyRaces runs changes after the copy, when the target has every unique index: all of them as one batch, each
// in a batch of its own, and split among connections.
func TestSteadyRaces(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		var w *world
		for i, race := range steadyRaces {
			if i == 0 || race.table != steadyRaces[i-1].table {
				w = newWorld(t, source, target, race.table, race.fill)
				w.copy(copy.Options{})
			}
			t.Run(race.name, func(t *testing.T) {
				one := w.batches()
				several := one
				several.Workers = 2
				for _, mode := range []struct {
					name string
					replicate.Options
				}{{"one batch", one}, {"a batch each", replicate.Options{BatchRows: 1}}, {"two writers", several}} {
					t.Run(mode.name, func(t *testing.T) {
						w := w.in(t)
						w.app.Exec(t, "SET foreign_key_checks = 0; DELETE FROM t; SET foreign_key_checks = 1")
						if strings.Contains(race.table, "child") {
							w.app.Exec(t, "DELETE FROM child")
						}
						w.app.Exec(t, race.fill)
						w.follow(one)
						w.app.Exec(t, race.race)
						w.follow(mode.Options)
						w.same()
					})
				}
			})
		}
	})
}

// TestManyChangesOfOneKey coalesces 10,000 changes of a row into one.
func TestManyChangesOfOneKey(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		w := newWorld(t, source, target, "CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL)",
			"INSERT t VALUES (1, 0), (2, 0)",
			"CREATE PROCEDURE many() BEGIN DECLARE i INT DEFAULT 0; WHILE i < 10000 DO SET i = i + 1; UPDATE t SET n "+
				"= i WHERE id = 1; END WHILE; END")
		w.copy(copy.Options{})
		w.app.Exec(t, "BEGIN; CALL many(); COMMIT")
		var rows int64
		head, err := w.source.Head(w.ctx)
		require.NoError(t, err)
		o := w.batches()
		o.Report = func(p replicate.Progress) { rows = p.Rows }
		require.NoError(t, w.replicator(o).ReplayTo(w.ctx, head))
		w.same()
		assert.Equal(t, 10000, w.look.Number(t, "SELECT n FROM "+targetName+".t WHERE id = 1"))
		assert.Equal(t, int64(1), rows, "rows written for 10,000 changes of one key in one batch")
	})
}

// TestHugeTransaction applies a transaction in parts: until the last of them nobody sees any.
func TestHugeTransaction(t *testing.T) {
	const rows = 100_000
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		w := newWorld(t, source, target, "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(60) NOT NULL, KEY v (v))",
			"INSERT t VALUES (0, 'first')")
		w.copy(copy.Options{})
		var values []string
		for i := range 1000 {
			values = append(values, fmt.Sprintf("(%d, '%060d')", i+1, i))
		}
		w.app.Exec(t, "BEGIN; INSERT t VALUES "+strings.Join(values, ", ")+
			fmt.Sprintf("; INSERT t SELECT a.id + 1000 * b.id, a.v FROM t a JOIN t b WHERE a.id BETWEEN 1 AND 1000 "+
				"AND b.id BETWEEN 1 AND %d; COMMIT", rows/1000-1))
		require.Equal(t, rows+1, w.app.Number(t, "SELECT COUNT(*) FROM t"))
		looks := 0
		w.moments.at = map[string]func(){}
		for i := range 1000 {
			w.moments.at[fmt.Sprintf("applied %d", i)] = func() {
				looks++
				assert.Equal(t, 1, w.look.Number(t, "SELECT COUNT(*) FROM "+targetName+".t"),
					"rows seen before the transaction is committed")
			}
		}
		w.follow(replicate.Options{BatchRows: 5000, BatchBytes: 1 << 20})
		assert.Greater(t, looks, 3, "parts of the transaction")
		w.app.Exec(t, "BEGIN; DELETE FROM t WHERE id % 10 = 0; UPDATE t SET id = -id WHERE id % 10 = 1; COMMIT")
		w.moments.at = nil
		w.follow(replicate.Options{BatchRows: 5000, BatchBytes: 1 << 20})
		w.same()
	})
}
