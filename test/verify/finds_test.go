package verify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// damage is one way in which a target can be wrong: a table, what is done to it on the target, and what must be
// reported.
type damage struct {
	name    string
	columns string // of the table, after CREATE TABLE t
	fill    string // columns = expressions of n, for rows 1 to rows
	rows    int
	source  []string // done to the source before the copy
	target  []string // done to the target after it
	listed  string   // exactly these rows; "-" when there are more than a report lists
	counts  string   // when not told by listed
	blind   string   // columns over which BIT_XOR(CRC32()) sees nothing
	only    string   // flavor of both ends
	to      string   // flavor of the target; MariaDB has no negative zero
}

const plain = "(id INT NOT NULL PRIMARY KEY, name VARCHAR(40) NULL, at DATETIME NULL, flag TINYINT NOT NULL, a INT " +
	"NULL, b INT NULL)"

// filled gives rows of plain; names are NULL in every third row.
const filled = "id = n, name = IF(n % 3, CONCAT('Name ', n), NULL), at = '2024-03-01 10:00:00' + INTERVAL n MINUTE, " +
	"flag = n % 2, a = n, b = 10 * n"

func damages() []damage {
	return []damage{
		{
			name: "hour", columns: plain, fill: "id = n, at = '2024-03-01 10:00:00' + INTERVAL n % 60 MINUTE, flag = 1",
			rows:   1000,
			target: []string{"UPDATE t SET at = at + INTERVAL 1 HOUR"}, listed: "-",
			counts: "differing=1000 missing=0 extra=0 repaired=0", blind: "id, at, flag",
		},
		{
			name: "flag", columns: plain, fill: filled, rows: 100,
			target: []string{"UPDATE t SET flag = 1 - flag WHERE id IN (11, 13)"},
			listed: "differing 11, differing 13", blind: "id, name, at, flag",
		},
		{
			name: "nulls", columns: plain, fill: filled, rows: 100,
			target: []string{"UPDATE t SET name = '' WHERE id IN (12, 15)"},
			listed: "differing 12, differing 15", blind: "id, name, at, flag",
		},
		{
			name: "empty", columns: plain, fill: "id = n, name = '', flag = 0", rows: 9,
			target: []string{"UPDATE t SET name = NULL WHERE id = 5"}, listed: "differing 5",
		},
		{
			name: "byte", columns: plain, fill: filled, rows: 3000,
			target: []string{"UPDATE t SET name = 'Name 1235' WHERE id = 1234"}, listed: "differing 1234",
		},
		{
			name: "missing", columns: plain, fill: filled, rows: 3000,
			target: []string{"DELETE FROM t WHERE id IN (1, 777, 3000)"},
			listed: "missing 1, missing 3000, missing 777",
		},
		{
			name: "extra", columns: plain, fill: filled, rows: 3000, source: []string{"DELETE FROM t WHERE id = 2222"},
			target: []string{"INSERT INTO t (id, flag) VALUES (-1, 0), (2222, 0), (3001, 0)"},
			listed: "extra -1, extra 2222, extra 3001",
		},
		{
			name: "together", columns: plain, fill: filled, rows: 2000, source: []string{"DELETE FROM t WHERE id = 3"},
			target: []string{
				"UPDATE t SET a = NULL WHERE id = 1", "DELETE FROM t WHERE id = 2",
				"INSERT INTO t (id, flag) VALUES (3, 1)",
			},
			listed: "differing 1, extra 3, missing 2",
		},
		{
			name: "instead", columns: plain, fill: filled, rows: 10,
			target: []string{"UPDATE t SET id = 11 WHERE id = 10"}, listed: "extra 11, missing 10",
		},
		{
			name: "letters",
			columns: "(id INT NOT NULL PRIMARY KEY, c CHAR(20), v VARCHAR(20), x TEXT, l VARCHAR(20) CHARACTER SET " +
				"latin1, e VARCHAR(20) COLLATE utf8mb4_bin)",
			fill: "id = n, c = 'Abc', v = 'Abc', x = 'Abc', l = 'Abc', e = 'Abc'", rows: 20,
			target: []string{
				"UPDATE t SET c = 'abc' WHERE id = 1", "UPDATE t SET v = 'ABC' WHERE id = 2",
				"UPDATE t SET x = 'ABC' WHERE id = 3", "UPDATE t SET l = 'abc' WHERE id = 4",
				"UPDATE t SET v = 'Äbc' WHERE id = 5", "UPDATE t SET v = 'Abc ' WHERE id = 6",
				"UPDATE t SET x = 'Abc ' WHERE id = 7", "UPDATE t SET l = 'Abc  ' WHERE id = 8",
				"UPDATE t SET e = 'Abc ' WHERE id = 9", "UPDATE t SET c = ' Abc' WHERE id = 10",
				"UPDATE t SET v = CONCAT('Abc', CHAR(0)) WHERE id = 11", "UPDATE t SET c = '' WHERE id = 12",
				"UPDATE t SET c = NULL WHERE id = 13",
			},
			listed: "differing 1, differing 10, differing 11, differing 12, differing 13, differing 2, differing 3, " +
				"differing 4, differing 5, differing 6, differing 7, differing 8, differing 9",
		},
		{
			name: "padless", columns: "(id INT NOT NULL PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_0900_ai_ci)",
			fill: "id = n, v = 'Abc'", rows: 5, only: "mysql",
			target: []string{"UPDATE t SET v = 'Abc ' WHERE id = 1", "UPDATE t SET v = 'ábc' WHERE id = 2"},
			listed: "differing 1, differing 2",
		},
		{
			name: "keys", columns: "(w VARCHAR(20) COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY, n INT)",
			fill: "w = CONCAT('Word ', n), n = n", rows: 9,
			target: []string{"UPDATE t SET w = 'word 4' WHERE n = 4", "UPDATE t SET w = 'Word 5 ' WHERE n = 5"},
			listed: "extra 'Word 5 ', extra 'word 4', missing 'Word 4', missing 'Word 5'",
		},
		{
			name: "negative zeros", columns: "(id INT NOT NULL PRIMARY KEY, f FLOAT, d DOUBLE)",
			fill: "id = n, f = 0, d = 0", rows: 9, to: "mysql",
			target: []string{"UPDATE t SET f = -0e0 WHERE id = 1", "UPDATE t SET d = -0e0 WHERE id = 2"},
			listed: "differing 1, differing 2",
		},
		{
			name: "positive zeros", columns: "(id INT NOT NULL PRIMARY KEY, f FLOAT, d DOUBLE)",
			fill: "id = n, f = -0e0, d = -0e0", rows: 9, only: "mysql",
			target: []string{"UPDATE t SET f = 0 WHERE id = 3", "UPDATE t SET d = 0 WHERE id = 4"},
			listed: "differing 3, differing 4",
		},
		{
			name: "floats", columns: "(id INT NOT NULL PRIMARY KEY, f FLOAT, d DOUBLE)",
			fill: "id = n, f = n / 7, d = n / 7", rows: 9,
			target: []string{
				"UPDATE t SET f = f * 1.0000001 WHERE id = 6",
				"UPDATE t SET d = d * (1 + 2.3e-16) WHERE id = 8",
			}, listed: "differing 6, differing 8",
		},
		{
			name: "swapped names", columns: plain, fill: "id = n, flag = 0, a = IF(n % 2, n, 7), b = IF(n % 2, 7, 7)",
			rows: 9, listed: "differing 1, differing 3, differing 5, differing 9",
			target: []string{"ALTER TABLE t CHANGE a b INT NULL, CHANGE b a INT NULL"},
		},
		{
			name: "swapped values", columns: plain, fill: filled, rows: 9,
			target: []string{"UPDATE t SET a = 10 * id, b = id WHERE id = 4"}, listed: "differing 4",
		},
		{
			name: "shifted", columns: plain, fill: filled, rows: 200, target: []string{"UPDATE t SET a = b, b = id"},
			listed: "-",
			counts: "differing=200 missing=0 extra=0 repaired=0",
		},
		{
			name: "rows swapped", columns: plain, fill: filled, rows: 9,
			target: []string{"UPDATE t SET name = 'Name 2' WHERE id = 1", "UPDATE t SET name = 'Name 1' WHERE id = 2"},
			listed: "differing 1, differing 2",
		},
		{
			name: "order", columns: plain, fill: filled, rows: 9,
			target: []string{"ALTER TABLE t MODIFY a INT NULL AFTER b"},
		},
		{
			name: "types",
			columns: `(id INT NOT NULL PRIMARY KEY, e ENUM('a','b') NOT NULL, s SET('x','y'), bits BIT(9),
				bin BINARY(3), vb VARBINARY(9),
				y YEAR, tm TIME(6), ts TIMESTAMP(6) NULL, dt DATETIME(6), da DATE, dc DECIMAL(30,10),
				bu BIGINT UNSIGNED, z INT ZEROFILL)`,
			fill: `id = n, e = 'a', s = 'x', bits = 5, bin = 'ab', vb = 'ab', y = 2024, tm = '-10:00:00.5',
				ts = '2024-10-27 00:30:00.25', dt = '0001-01-01 00:00:00.000001',
				da = '2024-02-29', dc = 1.0000000001, bu = 18446744073709551615, z = 7`, rows: 20,
			target: []string{
				"UPDATE t SET e = 'b' WHERE id = 1", "UPDATE t SET s = 'x,y' WHERE id = 2",
				"UPDATE t SET bits = 261 WHERE id = 3", "UPDATE t SET bin = 'abc' WHERE id = 4",
				"UPDATE t SET vb = CONCAT('ab', CHAR(0)) WHERE id = 5", "UPDATE t SET y = 2025 WHERE id = 6",
				"UPDATE t SET tm = '10:00:00.5' WHERE id = 7",
				"UPDATE t SET ts = ts + INTERVAL 1 HOUR WHERE id = 8",
				"UPDATE t SET dt = '0001-01-01 00:00:00.000002' WHERE id = 9",
				"UPDATE t SET da = '2024-03-01' WHERE id = 10",
				"UPDATE t SET dc = 1 WHERE id = 11", "UPDATE t SET bu = 18446744073709551614 WHERE id = 12",
				"UPDATE t SET z = 8 WHERE id = 13", "UPDATE t SET s = '' WHERE id = 14",
			},
			listed: "differing 1, differing 10, differing 11, differing 12, differing 13, differing 14, differing 2, " +
				"differing 3, differing 4, differing 5, differing 6, differing 7, differing 8, differing 9",
		},
		{
			name: "json", columns: "(id INT NOT NULL PRIMARY KEY, j JSON)",
			fill: `id = n, j = '{"a": 1.0, "b": [1, -0.0, null, "x"], "c": 1e100}'`, rows: 9, only: "mysql",
			target: []string{
				`UPDATE t SET j = REPLACE(j, 'null', '"null"') WHERE id = 4`,
				`UPDATE t SET j = 'null' WHERE id = 5`, `UPDATE t SET j = NULL WHERE id = 6`,
			},
			listed: "differing 4, differing 5, differing 6",
		},
		{
			name: "keyless", columns: strings.Replace(plain, " PRIMARY KEY", "", 1), fill: filled, rows: 300,
			source: []string{"INSERT INTO t SELECT * FROM t WHERE id IN (1, 2)"},
			target: []string{
				"UPDATE t SET flag = 1 - flag WHERE id IN (11, 13)", "UPDATE t SET name = '' WHERE id = 12",
				"DELETE FROM t WHERE id = 20", "DELETE FROM t WHERE id = 1 LIMIT 1",
				"INSERT INTO t SELECT * FROM t WHERE id = 40", "INSERT INTO t SELECT * FROM t WHERE id = 40",
				"UPDATE t SET name = 'name 50' WHERE id = 50",
			},
			counts: "differing=0 missing=6 extra=7 repaired=0", listed: "-",
		},
		{
			name: "keyless zeros", to: "mysql", columns: "(d DOUBLE, v VARCHAR(9))", fill: "d = 0, v = 'x'", rows: 9,
			target: []string{"UPDATE t SET v = 'x ' LIMIT 2", "UPDATE t SET d = -0e0 WHERE LENGTH(v) = 1 LIMIT 1"},
			counts: "differing=0 missing=3 extra=3 repaired=0", listed: "-",
		},
		{
			name: "keyless shift", columns: "(at DATETIME NULL)",
			fill: "at = '2024-03-01 10:00:00' + INTERVAL n % 60 MINUTE", rows: 600,
			target: []string{"UPDATE t SET at = at + INTERVAL 1 HOUR"},
			counts: "differing=0 missing=600 extra=600 repaired=0", listed: "-", blind: "at",
		},
	}
}

// TestFinds damages targets in every way that has fooled a comparison somewhere, each in a table of its own, and looks
// whether the report lists exactly those rows. Then it has them mended.
func TestFinds(t *testing.T) {
	eachPair(t, func(t *testing.T, w *world) {
		all := damages()
		var statements []string
		n := 0
		for _, d := range all {
			if !d.fits(w) {
				continue
			}
			all[n] = d
			name := d.table()
			statements = append(statements, "CREATE TABLE "+name+" "+d.columns, insert(name, d.fill, d.rows))
			for _, s := range d.source {
				statements = append(statements, on(s, name))
			}
			n++
		}
		all = all[:n]
		w.move(t, statements...)
		w.verify(t).clean(t)
		for _, d := range all {
			for _, s := range d.target {
				w.target.Exec(t, on(s, d.table()))
			}
			if d.blind != "" {
				assert.Equal(t, xor(t, w.source.DB.QueryRowContext(t.Context(), crc(d)).Scan),
					xor(t, w.target.DB.QueryRowContext(t.Context(), crc(d)).Scan),
					"%s: the case is about what this sum does not see", d.name)
			}
		}
		r := w.verify(t)
		assert.Equal(t, harness.Differs, r.code, r.log)
		for _, d := range all {
			x, ok := r.tables[d.table()]
			require.True(t, ok, d.name)
			if d.listed == "-" {
				assert.Equal(t, d.counts, x.counts(), d.name)
				assert.NotEmpty(t, x.Listed, d.name)
			} else {
				assert.Equal(t, d.listed, x.listed(), d.name)
			}
		}
	})
}

// fits tells whether a case is about the flavors of the two ends.
func (d damage) fits(w *world) bool {
	return (d.only == "" || d.only == w.Source.Flavor && d.only == w.Target.Flavor) &&
		(d.to == "" || d.to == w.Target.Flavor)
}

func (d damage) table() string { return "t_" + strings.ReplaceAll(d.name, " ", "_") }

// on puts the table's name in place of t.
func on(statement, name string) string {
	words := strings.Split(statement, " ")
	for i, word := range words {
		if word == "t" && i > 0 && (words[i-1] == "UPDATE" || words[i-1] == "TABLE" || words[i-1] == "FROM" ||
			words[i-1] == "INTO") {
			words[i] = name
		}
	}
	return strings.Join(words, " ")
}

// insert fills a table with rows 1 to count.
func insert(name, fill string, count int) string {
	var columns, values []string
	for assignment := range strings.SplitSeq(strings.Join(strings.Fields(fill), " "), ", ") {
		column, value, ok := strings.Cut(assignment, " = ")
		if !ok || strings.ContainsAny(column, "('") { // a comma within an expression
			values[len(values)-1] += ", " + assignment
			continue
		}
		columns, values = append(columns, column), append(values, value)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM (SELECT n + 1 AS n FROM %s) AS rows_1", name,
		strings.Join(columns, ", "), strings.Join(values, ", "), numbers(count))
}

// crc is a sum as other tools make it: the values with separators, then which of them are NULL.
func crc(d damage) string {
	var values, nulls []string
	for c := range strings.SplitSeq(d.blind, ", ") {
		values, nulls = append(values, "COALESCE("+c+", '')"), append(nulls, "ISNULL("+c+")")
	}
	return "SELECT COUNT(*), BIT_XOR(CRC32(CONCAT_WS('#', " + strings.Join(values,
		", ") + ", CONCAT(" + strings.Join(nulls, ", ") + ")))) FROM " + d.table()
}

func xor(t *testing.T, scan func(...any) error) [2]uint64 {
	t.Helper()
	var sum [2]uint64
	require.NoError(t, scan(&sum[0], &sum[1]))
	return sum
}
