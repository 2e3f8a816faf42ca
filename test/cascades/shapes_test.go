package cascades

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// shapes are named cases: what is there when the copy begins, and what happens afterwards.
var shapes = []struct {
	name       string
	create     []string
	statements []string
}{
	{
		name: "levels",
		create: []string{
			"CREATE TABLE p (id INT PRIMARY KEY)",
			"CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE " +
				"CASCADE ON UPDATE CASCADE)",
			"CREATE TABLE g (id INT PRIMARY KEY, c INT, CONSTRAINT g_c FOREIGN KEY (c) REFERENCES c (id) ON DELETE " +
				"CASCADE)",
			"CREATE TABLE h (id INT PRIMARY KEY, g INT, CONSTRAINT h_g FOREIGN KEY (g) REFERENCES g (id) ON DELETE " +
				"SET NULL)",
			"INSERT INTO p VALUES (1),(2),(3),(4)", "INSERT INTO c VALUES (1,1),(2,1),(3,2),(4,3)",
			"INSERT INTO g VALUES (1,1),(2,2),(3,3),(4,4)", "INSERT INTO h VALUES (1,1),(2,2),(3,3),(4,4)",
		},
		statements: []string{
			"DELETE FROM p WHERE id = 1", "UPDATE p SET id = 1 WHERE id = 2",
			"DELETE FROM p WHERE id = 1", "UPDATE p SET id = 9 WHERE id = 3",
		},
	},
	{
		name: "what a key leaves another one takes",
		create: []string{
			"CREATE TABLE p (id INT PRIMARY KEY)",
			"CREATE TABLE c (p INT, n INT, v INT, PRIMARY KEY (p, n), CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p " +
				"(id) ON DELETE CASCADE ON UPDATE CASCADE)",
			"INSERT INTO p VALUES (1),(2),(3),(5)", "INSERT INTO c VALUES (1,1,1),(2,1,2),(3,1,3),(5,1,5)",
		},
		statements: []string{
			"UPDATE p SET id = id + 10 WHERE id < 4 ORDER BY id DESC",
			"UPDATE p SET id = id + 1 WHERE id > 10 ORDER BY id DESC", "DELETE FROM p WHERE id = 12",
			"UPDATE p SET id = 12 WHERE id = 5", "UPDATE c SET v = v + 1",
		},
	},
	{
		name: "removed, and the key taken by another",
		create: []string{
			"CREATE TABLE p (id INT PRIMARY KEY)",
			"CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE " +
				"CASCADE ON UPDATE CASCADE)",
			"INSERT INTO p VALUES (1),(5)", "INSERT INTO c VALUES (1,1),(2,5)",
		},
		statements: []string{"DELETE FROM p WHERE id = 1", "UPDATE p SET id = 1 WHERE id = 5"},
	},
	{
		name: "a tree",
		create: []string{
			"CREATE TABLE t (id INT PRIMARY KEY, up INT, CONSTRAINT t_up FOREIGN KEY (up) REFERENCES t (id) ON " +
				"DELETE CASCADE)",
			"INSERT INTO t VALUES (1,NULL),(2,1),(3,2),(4,3),(5,1),(6,6),(7,NULL),(8,7)",
		},
		statements: []string{
			"DELETE FROM t WHERE id IN (2, 3)", "DELETE FROM t WHERE id = 6", "DELETE FROM t",
			"INSERT INTO t VALUES (1,NULL),(2,1)",
		},
	},
	{
		name: "two references to one parent, and a diamond",
		create: []string{
			"CREATE TABLE p (id INT PRIMARY KEY)",
			"CREATE TABLE a (id INT PRIMARY KEY, x INT, y INT, CONSTRAINT a_x FOREIGN KEY (x) REFERENCES p (id) ON " +
				"DELETE SET NULL ON UPDATE CASCADE, CONSTRAINT a_y FOREIGN KEY (y) REFERENCES p (id) ON DELETE " +
				"CASCADE ON UPDATE SET NULL)",
			"CREATE TABLE b (id INT PRIMARY KEY, p INT, CONSTRAINT b_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE " +
				"CASCADE)",
			"CREATE TABLE d (id INT PRIMARY KEY, a INT, b INT, CONSTRAINT d_a FOREIGN KEY (a) REFERENCES a (id) ON " +
				"DELETE SET NULL, CONSTRAINT d_b FOREIGN KEY (b) REFERENCES b (id) ON DELETE CASCADE)",
			"INSERT INTO p VALUES (1),(2),(3)", "INSERT INTO a VALUES (1,1,2),(2,2,2),(3,2,1),(4,3,3)",
			"INSERT INTO b VALUES (1,1),(2,3)", "INSERT INTO d VALUES (1,3,1),(2,3,2),(3,4,2),(4,1,NULL)",
		},
		statements: []string{
			"DELETE FROM p WHERE id = 1", "UPDATE p SET id = 7 WHERE id = 2",
			"DELETE FROM p WHERE id = 3",
		},
	},
	{
		name: "composite, to a unique key, with a NULL in it",
		create: []string{
			"CREATE TABLE p (id INT PRIMARY KEY, a INT, b INT, UNIQUE KEY ab (a, b))",
			"CREATE TABLE c (id INT PRIMARY KEY, a INT, b INT, g INT GENERATED ALWAYS AS (a + 1) VIRTUAL, KEY (g), " +
				"CONSTRAINT c_ab FOREIGN KEY (a, b) REFERENCES p (a, b) ON DELETE SET NULL ON UPDATE CASCADE)",
			"INSERT INTO p VALUES (1,1,1),(2,1,2),(3,2,NULL)",
			"INSERT INTO c (id, a, b) VALUES (1,1,1),(2,1,2),(3,1,NULL),(4,NULL,2)",
		},
		statements: []string{
			"UPDATE p SET b = 5 WHERE id = 1", "UPDATE p SET b = NULL WHERE id = 2",
			"DELETE FROM p WHERE id = 1", "UPDATE p SET b = 4 WHERE id = 3",
		},
	},
	{
		name: "REPLACE, ON DUPLICATE KEY UPDATE, several tables",
		create: []string{
			"CREATE TABLE p (id INT PRIMARY KEY, u INT UNIQUE)",
			"CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE " +
				"CASCADE ON UPDATE CASCADE)",
			"INSERT INTO p VALUES (1,1),(2,2),(3,3),(4,4)", "INSERT INTO c VALUES (1,1),(2,2),(3,3),(4,4)",
		},
		statements: []string{
			"REPLACE INTO p VALUES (1, 2)", "INSERT INTO c VALUES (5,1)",
			"INSERT INTO p VALUES (3,3) ON DUPLICATE KEY UPDATE id = 30",
			"DELETE p, c FROM p JOIN c ON c.p = p.id WHERE p.id = 30",
		},
	},
	{
		name: "sessions without foreign keys",
		create: []string{
			"CREATE TABLE p (id INT PRIMARY KEY)",
			"CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE " +
				"CASCADE ON UPDATE SET NULL)",
			"INSERT INTO p VALUES (1),(2),(3)", "INSERT INTO c VALUES (1,1),(2,2),(3,3)",
		},
		statements: []string{
			"BEGIN", "SET foreign_key_checks = 0", "DELETE FROM p WHERE id = 1", "UPDATE p SET id = 20 WHERE id = 2",
			"SET foreign_key_checks = 1", "DELETE FROM p WHERE id = 3", "COMMIT",
			"INSERT INTO p VALUES (2)", "UPDATE p SET id = 3 WHERE id = 2",
		},
	},
	{
		name: "one transaction",
		create: []string{
			"CREATE TABLE p (id INT PRIMARY KEY, v INT)",
			"CREATE TABLE c (id INT PRIMARY KEY, p INT, v INT, u INT UNIQUE, CONSTRAINT c_p FOREIGN KEY (p) " +
				"REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE)",
			"INSERT INTO p VALUES (1,1),(2,2)", "INSERT INTO c VALUES (1,1,1,1),(2,2,2,2)",
		},
		statements: []string{
			"BEGIN", "INSERT INTO c VALUES (3,1,3,3)", "DELETE FROM p WHERE id = 1", "INSERT INTO p VALUES (1,1)",
			"INSERT INTO c VALUES (3,1,4,1)", "UPDATE p SET id = 5 WHERE id = 1", "UPDATE c SET v = 7",
			"UPDATE p SET v = 9", "COMMIT",
		},
	},
	{
		name: "without a key",
		create: []string{
			"CREATE TABLE p (id INT PRIMARY KEY)",
			"CREATE TABLE bag (p INT, v INT, CONSTRAINT bag_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON " +
				"UPDATE CASCADE)",
			"INSERT INTO p VALUES (1),(2),(3)", "INSERT INTO bag VALUES (1,1),(1,1),(2,1),(2,2),(3,NULL)",
		},
		statements: []string{
			"DELETE FROM p WHERE id = 1", "UPDATE p SET id = 1 WHERE id = 2",
			"UPDATE bag SET v = 5 WHERE v = 1", "DELETE FROM p WHERE id = 3",
		},
	},
	{
		name: "text",
		create: []string{
			"CREATE TABLE p (id VARCHAR(10) COLLATE utf8mb4_bin PRIMARY KEY)",
			"CREATE TABLE c (id INT PRIMARY KEY, p VARCHAR(20) COLLATE utf8mb4_bin, CONSTRAINT c_p FOREIGN KEY (p) " +
				"REFERENCES p (id) ON DELETE SET NULL ON UPDATE CASCADE)",
			"INSERT INTO p VALUES ('a'),('ä'),('')", "INSERT INTO c VALUES (1,'a'),(2,'ä'),(3,''),(4,'a ')",
		},
		statements: []string{
			"UPDATE p SET id = 'A' WHERE id = 'a'", "DELETE FROM p WHERE id = ''",
			`UPDATE p SET id = '\\''' WHERE id = 'ä'`,
		},
	},
	{
		name: "text that ignores case",
		create: []string{
			"CREATE TABLE p (id VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci PRIMARY KEY, g " +
				"VARCHAR(10) COLLATE utf8mb4_general_ci UNIQUE)",
			"CREATE TABLE c (id INT PRIMARY KEY, p VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci, " +
				"CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL ON UPDATE CASCADE)",
			"CREATE TABLE d (id INT PRIMARY KEY, g VARCHAR(10) COLLATE utf8mb4_general_ci, CONSTRAINT d_g FOREIGN " +
				"KEY (g) REFERENCES p (g) ON DELETE CASCADE ON UPDATE SET NULL)",
			"INSERT INTO p VALUES ('a','É'),('ö','x'),('ß','ı'),('','y')",
			"INSERT INTO c VALUES (1,'A'),(2,'Ö'),(3,'ß'),(4,'a '),(5,' ')",
			"INSERT INTO d VALUES (1,'e'),(2,'X '),(3,'i'),(4,'Y')",
		},
		statements: []string{
			"UPDATE p SET id = 'zz' WHERE id = 'A'", "DELETE FROM p WHERE id = 'Ö'",
			"UPDATE p SET g = 'other' WHERE g = 'E'", "UPDATE p SET id = 's' WHERE id = 'ß'",
			"DELETE FROM p WHERE id = ''",
		},
	},
	{
		name: "only some rows",
		create: []string{
			"CREATE TABLE filtered (id INT PRIMARY KEY, v INT)",
			"CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES filtered (id) ON " +
				"DELETE CASCADE ON UPDATE CASCADE)",
			"INSERT INTO filtered VALUES (1,1),(2,5),(3,5)", "INSERT INTO c VALUES (1,1),(2,2),(3,3)",
		},
		statements: []string{
			"DELETE FROM filtered WHERE id = 2", "UPDATE filtered SET id = 9 WHERE id = 3",
			"UPDATE filtered SET id = 8 WHERE id = 1",
		},
	},
}

// TestShapes follows what foreign keys do in tables of every shape: change by change between two servers that do not
// log it, and all in one batch between others. (What they do while rows are copied is TestRandom's, and
// pkg/replicate's TestCascadesWhileCopied.)
func TestShapes(t *testing.T) {
	pairs := []harness.Ends{harness.MariaDB, harness.ToMySQL}
	if rounds(t) > 1 {
		pairs = append(pairs, harness.MySQL, harness.ToMariaDB)
	}
	for _, e := range pairs {
		t.Run(e.String(), func(t *testing.T) {
			for _, s := range shapes {
				t.Run(s.name, func(t *testing.T) {
					lines := []string{"replicate: {batch_rows: 5000}"}
					if strings.Contains(s.create[0], "filtered") {
						lines = append(lines, `filters: [{table: cascades.filtered, where: "v < 4"}]`)
					}
					source, target := e.Open(t)
					m := newMove(t, source, target, lines...)
					m.app.Exec(t, s.create...)
					m.Phases(t, "check", "init-schema", "init-copy")
					c, err := m.app.DB.Conn(t.Context())
					require.NoError(t, err)
					defer func() { _ = c.Close() }()
					for _, statement := range s.statements {
						_, err := c.ExecContext(t.Context(), statement)
						require.NoError(t, err, statement)
						if e == harness.MariaDB && !slices.Contains(s.statements, "BEGIN") {
							m.CatchUp(t)
							m.equal(t)
						}
					}
					m.CatchUp(t)
					m.equal(t)
					m.Must(t, "verify")
				})
			}
		})
	}
}

// equal compares all tables, of the one that is filtered the rows that move.
func (m *move) equal(t *testing.T) {
	t.Helper()
	for _, table := range m.Source.Tables(t, moveName) {
		from, to := harness.Table{Database: moveName, Name: table}, harness.Table{Database: moveName, Name: table}
		if table == "filtered" {
			from.Where = "v < 4"
		}
		m.EqualTable(t, from, to)
	}
}

// TestRefused has what cannot be carried: refused by its name before anything is made.
func TestRefused(t *testing.T) {
	const p = "CREATE TABLE p (id INT PRIMARY KEY)"
	for _, s := range []struct {
		name, want string
		create     []string
		lines      []string
	}{
		{
			name: "a filter on what changes", want: "looks at columns that it changes",
			lines: []string{`filters: [{table: cascades.c, where: "p < 5"}]`},
			create: []string{p, "CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) " +
				"REFERENCES p (id) ON UPDATE CASCADE)"},
		},
		{
			name: "a filter in the middle", want: "has a row filter, and other foreign keys change rows",
			lines: []string{`filters: [{table: cascades.c, where: "id < 5"}]`},
			create: []string{
				p, "CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON " +
					"DELETE CASCADE)",
				"CREATE TABLE g (id INT PRIMARY KEY, c INT, CONSTRAINT g_c FOREIGN KEY (c) REFERENCES c (id) ON " +
					"DELETE CASCADE)",
			},
		},
		{
			name: "no key at the end", want: "has no key, and is reached through",
			create: []string{
				p, "CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON " +
					"DELETE CASCADE)",
				"CREATE TABLE bag (c INT, CONSTRAINT bag_c FOREIGN KEY (c) REFERENCES c (id) ON DELETE CASCADE)",
			},
		},
		{
			name: "another type", want: "of another type",
			create: []string{
				"CREATE TABLE p (id CHAR(10) PRIMARY KEY)",
				"CREATE TABLE c (id INT PRIMARY KEY, p VARCHAR(10), CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) " +
					"ON UPDATE CASCADE)",
			},
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			source, target := harness.MariaDB.Open(t)
			m := newMove(t, source, target, s.lines...)
			m.app.Exec(t, s.create...)
			out := m.Fails(t, harness.Refused, "check")
			assert.Contains(t, out, s.want)
			assert.Contains(t, out, `"check":"cascade"`)
		})
	}
}
