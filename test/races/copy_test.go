package races

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/pkg/copy"
	"wherry/test/internal/harness"
)

// copyRace is what the application does at certain moments of a copy.
type copyRace struct {
	name   string
	tables []string // statements before the copy
	chunk  int      // rows
	at     map[string]string
	moved  int // rows that arrive in the end

	gaveWay int64 // rows displaced while chunks are loaded, where unique indexes are present
}

const (
	plainTable  = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL)"
	uniqueTable = "CREATE TABLE t (id INT PRIMARY KEY, u INT NULL, v VARCHAR(20) NOT NULL DEFAULT '', UNIQUE KEY u " +
		"(u), KEY v (v))"
)

var copyRaces = []copyRace{
	{
		name: "read, change, write, replay", tables: []string{plainTable, "INSERT t VALUES (1, 'old'), (2, 'old')"},
		chunk: 1,
		at: map[string]string{
			"read 0": "UPDATE t SET v = 'new' WHERE id = 1",
			"read 1": "DELETE FROM t WHERE id = 2; INSERT t VALUES (3, 'new')",
		},
		moved: 2,
	},
	{
		name: "change, read, write, replay", tables: []string{
			plainTable,
			"INSERT t VALUES (1, 'old'), (2, 'old'), (3, 'old')",
		}, chunk: 1,
		at: map[string]string{
			"start": "UPDATE t SET v = 'new' WHERE id = 1",
			"reading 1": "UPDATE t SET v = 'newer' WHERE id = 2; UPDATE t SET v = 'newest' WHERE id = 2; DELETE FROM " +
				"t WHERE id = 3",
		},
		moved: 2,
	},
	{
		name: "read, write, change, replay", tables: []string{plainTable, "INSERT t VALUES (1, 'old'), (2, 'old')"},
		chunk: 1,
		at: map[string]string{
			"loaded 0": "UPDATE t SET v = 'new' WHERE id = 1",
			"loaded 1": "DELETE FROM t WHERE id = 2",
		},
		moved: 1,
	},
	{
		name:   "read between two changes of a row, the first of which is replayed onto what the second left",
		tables: []string{plainTable, "INSERT t VALUES (1, 'a'), (2, 'a')"}, chunk: 1,
		at: map[string]string{
			"start":     "UPDATE t SET v = 'b' WHERE id = 1; DELETE FROM t WHERE id = 2",
			"reading 0": "UPDATE t SET v = 'c' WHERE id = 1; INSERT t VALUES (2, 'again')",
			"read 0":    "UPDATE t SET v = 'd' WHERE id = 1", "read 1": "UPDATE t SET v = 'e' WHERE id = 2",
		},
		moved: 2,
	},
	{
		name: "the only row is deleted before it is read", tables: []string{plainTable, "INSERT t VALUES (1, 'a')"},
		chunk: 1,
		at:    map[string]string{"cut 0": "DELETE FROM t"},
	},
	{
		name: "the only row is deleted after it is read", tables: []string{plainTable, "INSERT t VALUES (1, 'a')"},
		chunk: 1,
		at:    map[string]string{"read 0": "DELETE FROM t"},
	},
	{
		name: "the row that ends a chunk is deleted before the chunk is read", tables: []string{
			plainTable,
			"INSERT t VALUES (1, 'a'), (2, 'a'), (3, 'a')",
		}, chunk: 2,
		at: map[string]string{"cut 0": "DELETE FROM t WHERE id IN (2, 3)"}, moved: 1,
	},
	{
		name: "empty at the start, filled during the copy", tables: []string{plainTable}, chunk: 2,
		at:    map[string]string{"cut 0": insertRows(1, 5), "read 0": insertRows(6, 9), "loaded 0": insertRows(10, 12)},
		moved: 12,
	},
	{
		name: "emptied during the copy", tables: []string{plainTable, insertRows(1, 6)}, chunk: 2,
		at: map[string]string{"loaded 0": "DELETE FROM t", "drain": insertRows(3, 4)}, moved: 2,
	},
	{
		name: "rows are added past the last key and before the first", tables: []string{plainTable, insertRows(10, 13)},
		chunk: 2,
		at: map[string]string{
			"cut 0": insertRows(1, 2), "read 0": insertRows(11+10, 11+11), "loaded 1": insertRows(-5, -4),
			"cut 2": insertRows(30, 35), "read 2": insertRows(40, 41),
		},
		moved: 18,
	},
	{
		name: "rows are written between the last chunk and the drain, and after", tables: []string{
			plainTable,
			insertRows(1, 4),
		}, chunk: 4,
		at: map[string]string{
			"loaded 0": "UPDATE t SET v = 'late' WHERE id = 1",
			"drain":    "DELETE FROM t WHERE id = 2; INSERT t VALUES (9, 'late')",
			"goal":     "UPDATE t SET v = 'later' WHERE id = 3", "applied 0": "DELETE FROM t WHERE id = 4",
		},
		moved: 3,
	},
	{
		name: "a key is updated forwards and backwards over the frontier", tables: []string{
			plainTable,
			insertRows(1, 4),
		}, chunk: 2,
		at: map[string]string{
			"loaded 0":  "UPDATE t SET id = 14 WHERE id = 1; UPDATE t SET id = -3 WHERE id = 3",
			"reading 1": "UPDATE t SET id = -4 WHERE id = 4",
			"read 1":    "UPDATE t SET id = 12 WHERE id = 2; UPDATE t SET id = 2 WHERE id = 14",
		},
		moved: 4,
	},
	{
		name: "keys of two rows on both sides of the frontier are swapped", tables: []string{
			plainTable,
			"INSERT t VALUES (1, 'one'), (2, 'two')",
		}, chunk: 1,
		at: map[string]string{
			"loaded 0": "BEGIN; UPDATE t SET id = 99 WHERE id = 1; UPDATE t SET id = 1 WHERE id = 2; UPDATE t SET id " +
				"= 2 WHERE id = 99; COMMIT",
		},
		moved: 2,
	},
	{
		name: "a unique value moves from a copied row to one that is not", tables: []string{
			uniqueTable,
			"INSERT t VALUES (1, 1, 'A'), (2, 2, 'B')",
		}, chunk: 1,
		at:    map[string]string{"loaded 0": "UPDATE t SET u = 3 WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2"},
		moved: 2, gaveWay: 1,
	},
	{
		name: "a unique value moves on and comes back", tables: []string{
			uniqueTable,
			"INSERT t VALUES (1, 1, 'A'), (2, 2, 'B'), (3, 3, 'C')",
		}, chunk: 1,
		at: map[string]string{
			"loaded 0": "UPDATE t SET u = NULL WHERE id = 1; UPDATE t SET u = 1 WHERE id = 3",
			"loaded 1": "UPDATE t SET u = NULL WHERE id = 3; UPDATE t SET u = 1 WHERE id = 2; UPDATE t SET u = 2 " +
				"WHERE id = 3",
			"loaded 2": "UPDATE t SET u = 7 WHERE id = 2; UPDATE t SET u = 1 WHERE id = 1",
		},
		moved: 3, gaveWay: 1,
	},
	{
		name: "unique values are swapped in one transaction", tables: []string{
			uniqueTable,
			"INSERT t VALUES (1, 1, 'A'), (2, 2, 'B')",
		}, chunk: 1,
		at: map[string]string{
			"start": swapUnique, "loaded 0": swapUnique, "read 1": swapUnique, "drain": swapUnique, "goal": swapUnique,
		},
		moved: 2, gaveWay: 1,
	},
	{
		name: "unique values are rotated among three rows", tables: []string{
			uniqueTable,
			"INSERT t VALUES (1, 1, 'A'), (2, 2, 'B'), (3, 3, 'C')",
		}, chunk: 1,
		at: map[string]string{
			"loaded 0": rotateUnique, "read 1": rotateUnique, "loaded 2": rotateUnique,
			"drain": rotateUnique,
		},
		moved: 3, gaveWay: 2,
	},
	{
		name: "a unique value is freed by a delete and taken by an insert", tables: []string{
			uniqueTable,
			"INSERT t VALUES (1, 1, 'A'), (5, 5, 'B')",
		}, chunk: 1,
		at: map[string]string{
			"loaded 0": "DELETE FROM t WHERE id = 1; INSERT t VALUES (9, 1, 'C')",
			"loaded 1": "DELETE FROM t WHERE id = 5; INSERT t VALUES (2, 5, 'D')",
			"drain":    "DELETE FROM t WHERE id = 9; INSERT t VALUES (1, 1, 'E')",
		},
		moved: 2, gaveWay: 1,
	},
	{
		name: "a unique value moves from a row that is not copied to one that is", tables: []string{
			uniqueTable,
			"INSERT t VALUES (1, 1, 'A'), (2, 2, 'B')",
		}, chunk: 1,
		at:    map[string]string{"loaded 0": "UPDATE t SET u = 3 WHERE id = 2; UPDATE t SET u = 2 WHERE id = 1"},
		moved: 2,
	},
	{
		name: "a copied row gives way, and comes back with the same value", tables: []string{
			uniqueTable,
			"INSERT t VALUES (1, 1, 'A'), (2, 2, 'B'), (3, 3, 'C')",
		}, chunk: 1,
		at: map[string]string{
			"loaded 0": "UPDATE t SET u = NULL WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2",
			"loaded 1": "UPDATE t SET u = 2 WHERE id = 2; UPDATE t SET u = 1 WHERE id = 1",
			"loaded 2": "DELETE FROM t WHERE id = 3",
		},
		moved: 2, gaveWay: 1,
	},
	{
		name: "a copied row gives way to one that is deleted", tables: []string{
			uniqueTable,
			"INSERT t VALUES (1, 1, 'A'), (2, 2, 'B')",
		}, chunk: 1,
		at: map[string]string{
			"loaded 0": "UPDATE t SET u = 5 WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2",
			"loaded 1": "DELETE FROM t WHERE id = 2; UPDATE t SET u = 1 WHERE id = 1",
		},
		moved: 1, gaveWay: 1,
	},
	{
		name: "unique values of many rows are moved by one in one statement", tables: []string{
			uniqueTable,
			"INSERT t VALUES (1, 1, ''), (2, 2, ''), (3, 3, ''), (4, 4, '')",
		}, chunk: 1,
		at: map[string]string{
			"loaded 0": "UPDATE t SET u = u + 1 ORDER BY u DESC", "read 2": "UPDATE t SET u = u - 1 ORDER BY u",
			"drain": "UPDATE t SET u = u - 1 ORDER BY u",
		},
		moved: 4, gaveWay: 1,
	},
	{
		name: "a pair of values is unique",
		tables: []string{
			"CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(10), UNIQUE KEY ab (a, b))",
			"INSERT t VALUES (1, 1, 'x'), (2, 1, 'y'), (3, 2, 'x')",
		}, chunk: 1,
		at: map[string]string{
			"loaded 0": "UPDATE t SET a = 3 WHERE id = 1; UPDATE t SET b = 'x' WHERE id = 2; UPDATE t SET a = 1, b = " +
				"'y' WHERE id = 3",
			"read 2": "UPDATE t SET a = NULL WHERE id = 2; UPDATE t SET a = 1, b = 'x' WHERE id = 1; UPDATE t SET a " +
				"= NULL, b = 'x' WHERE id = 3",
		},
		moved: 3, gaveWay: 1,
	},
	{
		name: "unique values become NULL, which several rows may have, and come back", tables: []string{
			uniqueTable,
			"INSERT t VALUES (1, 1, 'A'), (2, NULL, 'B'), (3, NULL, 'C')",
		}, chunk: 1,
		at: map[string]string{
			"loaded 0": "UPDATE t SET u = NULL WHERE id = 1; UPDATE t SET u = 1 WHERE id = 3",
			"loaded 1": "UPDATE t SET u = NULL",
			"drain":    "UPDATE t SET u = 4 - id",
		},
		moved: 3,
	},
	{
		name: "two columns are unique, and one row takes the values of two",
		tables: []string{
			"CREATE TABLE t (id INT PRIMARY KEY, u INT, w INT, UNIQUE KEY u (u), UNIQUE KEY w (w))",
			"INSERT t VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4)",
		}, chunk: 1,
		at: map[string]string{
			"loaded 1": "UPDATE t SET u = 11 WHERE id = 1; UPDATE t SET w = 12 WHERE id = 2; UPDATE t SET u = 1, w = " +
				"2 WHERE id = 3",
			"loaded 2": "UPDATE t SET u = NULL, w = NULL WHERE id = 3; UPDATE t SET u = 1, w = 2 WHERE id = 4",
			"drain": "UPDATE t SET u = 3, w = 3 WHERE id = 4; UPDATE t SET u = 1 WHERE id = 1; UPDATE t SET w = 2 " +
				"WHERE id = 2",
		},
		moved: 4, gaveWay: 3,
	},
	{
		name: "an automatic column is unique besides the key, so that its index is there from the start",
		tables: []string{
			"CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL AUTO_INCREMENT, UNIQUE KEY n (n))",
			"INSERT t VALUES (1, 1), (2, 2)",
		}, chunk: 1,
		at: map[string]string{
			"loaded 0": "UPDATE t SET n = 3 WHERE id = 1; UPDATE t SET n = 1 WHERE id = 2",
			"loaded 1": "DELETE FROM t WHERE id = 2; INSERT t VALUES (3, 1)",
		},
		moved: 2, gaveWay: 2,
	},
	{
		name: "one key is changed ten thousand times while it is copied", tables: []string{
			uniqueTable, "INSERT t VALUES (1, 1, 'A'), (2, 2, 'B')",
			"CREATE PROCEDURE many() BEGIN DECLARE i INT DEFAULT 0; WHILE i < 10000 DO SET i = i + 1; UPDATE t SET u " +
				"= 10 + i WHERE id = 1; END WHILE; END",
		}, chunk: 1,
		at:    map[string]string{"loaded 0": "BEGIN; CALL many(); COMMIT; UPDATE t SET u = 1 WHERE id = 2"},
		moved: 2, gaveWay: 1,
	},
	{
		name: "the key is unique and not null, and another key is unique",
		tables: []string{"CREATE TABLE t (a INT NOT NULL, u INT, v VARCHAR(20) NOT NULL DEFAULT '', UNIQUE KEY a " +
			"(a), UNIQUE KEY u (u))", "INSERT t VALUES (1, 1, 'A'), (2, 2, 'B')"}, chunk: 1,
		at: map[string]string{
			"loaded 0": "UPDATE t SET u = 3 WHERE a = 1; UPDATE t SET u = 1 WHERE a = 2; " +
				"UPDATE t SET a = 7 WHERE a = 1",
			"read 1": "UPDATE t SET a = 1 WHERE a = 2",
		},
		moved: 2, gaveWay: 1,
	},
	{
		name: "a key changes its case only, on both sides of the frontier",
		tables: []string{
			"CREATE TABLE t (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v INT)",
			"INSERT t VALUES ('a', 1), ('b', 2), ('c', 3)",
		}, chunk: 1,
		at: map[string]string{
			"loaded 0": "UPDATE t SET k = 'A' WHERE k = 'a'; UPDATE t SET k = 'C' WHERE k = 'c'",
			"loaded 2": "UPDATE t SET k = 'B', v = 9 WHERE k = 'b'; UPDATE t SET k = 'c' WHERE k = 'c'; DELETE FROM " +
				"t WHERE k = 'a'; INSERT t VALUES ('a', 5)",
		},
		moved: 3,
	},
	{
		name: "rows come and go within a batch", tables: []string{plainTable, insertRows(1, 2)}, chunk: 1,
		at: map[string]string{
			"loaded 0": "INSERT t VALUES (5, 'x'); DELETE FROM t WHERE id = 5; DELETE FROM t WHERE id = 1; INSERT t " +
				"VALUES (1, 'back')",
			"loaded 1": "UPDATE t SET v = v WHERE id = 2; INSERT t VALUES (6, 'x'); UPDATE t SET id = 7 WHERE id = " +
				"6; DELETE FROM t WHERE id = 7",
		},
		moved: 2,
	},
}

const (
	swapUnique = "BEGIN; SELECT u INTO @a FROM t WHERE id = 1; SELECT u INTO @b FROM t WHERE id = 2; UPDATE t SET " +
		"u = NULL WHERE id = 1; UPDATE t SET u = @a WHERE id = 2; UPDATE t SET u = @b WHERE id = 1; COMMIT"
	rotateUnique = "BEGIN; SELECT u INTO @a FROM t WHERE id = 1; SELECT u INTO @b FROM t WHERE id = 2; SELECT u INTO " +
		"@c FROM t WHERE id = 3; UPDATE t SET u = NULL; UPDATE t SET u = @c WHERE id = 1; UPDATE t SET u = @a WHERE " +
		"id = 2; UPDATE t SET u = @b WHERE id = 3; COMMIT"
)

// insertRows inserts one row per key into the plain table.
func insertRows(first, last int) string {
	var rows []string
	for id := first; id <= last; id++ {
		rows = append(rows, fmt.Sprintf("(%d, 'row %d')", id, id))
	}
	return "INSERT t VALUES " + strings.Join(rows, ", ")
}

// way is how a race is run.
type way struct {
	unique  indexing
	workers int // that replay
}

func (w way) String() string { return fmt.Sprintf("%s, %d apply", w.unique, w.workers) }

// TestCopyRaces runs every race of the application with the copy: with one and with four connections that replay,
// within a family and across.
func TestCopyRaces(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		runCopyRaces(t, source, target, way{deferred, 4}, way{present, 1})
	})
	harness.Each(t, harness.Across, func(t *testing.T, source, target *harness.Server) {
		runCopyRaces(t, source, target, way{deferred, 1}, way{present, 4})
	})
}

func runCopyRaces(t *testing.T, source, target *harness.Server, ways ...way) {
	for _, way := range ways {
		t.Run(way.String(), func(t *testing.T) {
			for _, race := range copyRaces {
				t.Run(race.name, func(t *testing.T) {
					w := newWorldWith(t, source, target, way.unique, race.tables...)
					w.workers = way.workers
					w.moments.at = map[string]func(){}
					for moment, statements := range race.at {
						w.moments.at[moment] = func() { w.app.Exec(t, statements) }
					}
					w.copy(copy.Options{Workers: 1, ChunkRows: race.chunk})
					for moment := range w.moments.at {
						t.Errorf("%q never came: %s", moment, strings.Join(w.moments.met, ", "))
					}
					w.follow(w.batches())
					w.same()
					assert.Equal(t, race.moved, w.look.Number(t, "SELECT COUNT(*) FROM "+targetName+".t"))
					if way.unique == present {
						assert.Equal(t, race.gaveWay, w.moments.gaveWay,
							"rows that gave way while chunks were loaded: "+race.name)
					}
				})
			}
		})
	}
}
