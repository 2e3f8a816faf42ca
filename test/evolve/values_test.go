package evolve

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// values are statements that give rows values which are in no row of the log: of the clock, of a time zone, of a
// conversion.
var values = []struct{ name, table, rows, session, change string }{
	{
		"now", "id INT PRIMARY KEY", "(1), (2)", "time_zone = '+05:30', timestamp = 1700000000.123456",
		"ADD COLUMN a DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6), ADD COLUMN b TIMESTAMP(3) NULL DEFAULT " +
			"CURRENT_TIMESTAMP(3), ADD COLUMN c TIMESTAMP NOT NULL DEFAULT '2001-02-03 04:05:06'",
	},
	{
		"now_named", "id INT PRIMARY KEY", "(1)", "time_zone = '-08:00', timestamp = 1710000000.5",
		"ADD COLUMN a DATETIME DEFAULT CURRENT_TIMESTAMP, ADD COLUMN b TIMESTAMP NULL DEFAULT NOW()",
	},
	{
		"to_string", "id INT PRIMARY KEY, a INT, b DECIMAL(8,3), c DOUBLE, d DATETIME(2), e TIME",
		"(1, -5, 1.250, 0.1, '2020-01-02 03:04:05.67', '-12:00:00'), (2, NULL, NULL, 1e20, NULL, NULL)", "",
		"MODIFY a VARCHAR(20), MODIFY b CHAR(12), MODIFY d VARCHAR(30), MODIFY e VARCHAR(20)",
	},
	{
		"to_number", "id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20)",
		"(1, '12', '1.5'), (2, '-7', '2'), (3, NULL, NULL)", "", "MODIFY a INT, MODIFY b DECIMAL(6,2)",
	},
	{
		"to_timestamp", "id INT PRIMARY KEY, a DATETIME(3) NULL", "(1, '2020-06-01 12:00:00.123'), (2, NULL)",
		"time_zone = '+02:00'", "MODIFY a TIMESTAMP(3) NULL",
	},
	{
		"to_datetime", "id INT PRIMARY KEY, a TIMESTAMP(2) NULL, k TIMESTAMP NOT NULL DEFAULT '2011-01-01 00:00:00'",
		"(1, '2020-06-01 12:00:00.12', DEFAULT), (2, NULL, '2012-02-02 02:02:02')", "time_zone = '-11:00'",
		"MODIFY a DATETIME(2), ADD COLUMN n TIMESTAMP NOT NULL DEFAULT '2003-03-03 03:03:03'",
	},
	{
		"charset", "id INT PRIMARY KEY, a VARCHAR(20) CHARACTER SET latin1, b TEXT CHARACTER SET latin1",
		"(1, 'äöü€', 'ß'), (2, NULL, '')", "", "MODIFY a VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, " +
			"MODIFY b TEXT CHARACTER SET utf16 COLLATE utf16_bin",
	},
	{
		"labels", "id INT PRIMARY KEY, e ENUM('a','b','c'), s SET('x','y','z')",
		"(1, 'a', 'x,z'), (2, 'c', ''), (3, NULL, NULL)", "",
		"MODIFY e ENUM('c','z','a','b'), MODIFY s SET('z','y','x')",
	},
	{
		"other_text", "id INT PRIMARY KEY, e ENUM('a','ü') CHARACTER SET latin1", "(1, 'ü'), (2, NULL)", "",
		"ADD COLUMN f SET('ü','é') CHARACTER SET latin1 NOT NULL DEFAULT 'é', ADD COLUMN c VARCHAR(9) CHARACTER SET " +
			"latin1 DEFAULT 'ß', MODIFY e ENUM('ß','a','ü') CHARACTER SET latin1",
	},
	{
		"scale", "id INT PRIMARY KEY, a DECIMAL(10,4), b DATETIME(6), c TIME(6)",
		"(1, 1.2345, '2020-01-01 00:00:00.999999', '01:02:03.999999'), (2, -1.0005, '2020-01-01 00:00:00.994', " +
			"'-01:02:03.5')", "", "MODIFY a DECIMAL(8,2), MODIFY b DATETIME(2), MODIFY c TIME",
	},
	{
		"cut", "id INT PRIMARY KEY, a VARCHAR(20), b INT", "(1, 'a long text', 300), (2, NULL, -5)", "sql_mode = ''",
		"MODIFY a VARCHAR(4), MODIFY b TINYINT UNSIGNED",
	},
	{
		"not_null", "id INT PRIMARY KEY, a INT, b VARCHAR(9)", "(1, NULL, NULL), (2, 2, 'x')", "sql_mode = ''",
		"MODIFY a INT NOT NULL, MODIFY b VARCHAR(9) NOT NULL, ADD COLUMN c INT NOT NULL, ADD COLUMN d VARCHAR(5) NOT " +
			"NULL, ADD COLUMN e DATETIME NOT NULL, ADD COLUMN f ENUM('p','q') NOT NULL",
	},
	{
		"zero", "id INT PRIMARY KEY", "(1)", "sql_mode = 'STRICT_ALL_TABLES'",
		"ADD COLUMN a INT NOT NULL, ADD COLUMN b DATE NOT NULL DEFAULT '0000-00-00', " +
			"ADD COLUMN c VARBINARY(4) NOT NULL",
	},
	{
		"computed", "id INT PRIMARY KEY, a INT NOT NULL, b VARCHAR(9)", "(1, 5, 'x'), (2, -5, NULL)", "",
		"ADD COLUMN v INT AS (a * 2) STORED, ADD COLUMN w VARCHAR(20) AS (CONCAT(b, '-', a)) VIRTUAL, ADD COLUMN x " +
			"INT NOT NULL DEFAULT (3 * 4)",
	},
	{"random", "id INT PRIMARY KEY", "(1), (2)", "", "ADD COLUMN r VARCHAR(40) DEFAULT (UUID())"},
}

// TestValues alters tables so that rows which are there get values: both ends have the same ones afterwards, or the
// change is refused.
func TestValues(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "we_n", source, target, harness.Options{Lines: extras(source, target)})
		for _, v := range values {
			m.Source.Exec(t, "CREATE DATABASE we_n_"+v.name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
				"CREATE TABLE we_n_"+v.name+".t ("+v.table+")", "INSERT INTO we_n_"+v.name+".t VALUES "+v.rows)
		}
		m.must(t, "init-schema", "init-copy")
		replica := m.Start(t, "start-replica")
		var ran []string
		for _, v := range values {
			session := "SET sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00', timestamp = DEFAULT"
			if v.session != "" {
				session += ", " + v.session
			}
			_, err := m.one.ExecContext(t.Context(), session)
			require.NoError(t, err)
			if _, err = m.one.ExecContext(t.Context(), "ALTER TABLE we_n_"+v.name+".t "+v.change); err != nil {
				// not on MySQL, where such a statement is unsafe for the log
				require.Equal(t, "random", v.name, "%s: %v", v.name, err)
				continue
			}
			ran = append(ran, "we_n_"+v.name)
		}
		m.Mark(t)
		var refusals []string
		for !m.Marked(t, replica) {
			for ended := replica; ended.Code != done; {
				require.Equal(t, refused, ended.Code, ended.Log())
				text, advice := refusal(t, ended)
				require.NotEmpty(t, advice, text)
				refusals = append(refusals, text)
				require.LessOrEqual(t, len(refusals), 3, strings.Join(refusals, "\n"))
				ended = m.Run(t, append([]string{"init-copy"}, advice...)...)
			}
			replica = m.Start(t, "start-replica")
		}
		replica.Interrupt(t)
		for _, text := range refusals {
			assert.Contains(t, text, "we_n_random.t")
		}
		m.equal(t, ran...)
		assert.GreaterOrEqual(t, len(ran), len(values)-1)
	})
}
