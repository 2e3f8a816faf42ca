package evolve

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// rekeyed are statements that change values of rows that are there, those of keys above all. What the values become
// depends on the session.
var rekeyed = []struct {
	name, table, rows, session, change string
	// "always" or "apart" (between families): it is refused, and the table copied again
	barred string
	only   string // the only family that knows it
}{
	{
		name: "zero", table: "id INT PRIMARY KEY, v VARCHAR(9)", rows: "(0, 'z'), (5, 'f')",
		change: "MODIFY id INT NOT NULL AUTO_INCREMENT",
	},
	{
		name: "zero_kept", table: "id INT PRIMARY KEY, v VARCHAR(9)", rows: "(0, 'z'), (5, 'f')",
		session: "sql_mode = 'NO_AUTO_VALUE_ON_ZERO'", change: "MODIFY id INT NOT NULL AUTO_INCREMENT",
	},
	{
		name: "zero_negative", table: "id INT PRIMARY KEY, v VARCHAR(9)", rows: "(-3, 'n'), (0, 'z'), (5, 'f')",
		change: "MODIFY id BIGINT NOT NULL AUTO_INCREMENT",
	},
	{
		name: "zero_step", table: "id INT PRIMARY KEY, v VARCHAR(9)", rows: "(0, 'z'), (5, 'f')",
		session: "auto_increment_increment = 10, auto_increment_offset = 7",
		change:  "MODIFY id INT NOT NULL AUTO_INCREMENT",
	},
	{
		name: "counts_besides", table: "k INT PRIMARY KEY, n INT, v VARCHAR(9)",
		rows:   "(1, 0, 'z'), (2, 4, 'f'), (3, 0, 'y'), (4, 9, 'n')",
		change: "MODIFY n INT NOT NULL AUTO_INCREMENT, ADD KEY (n)",
	},
	{
		name: "counts_null", table: "k INT PRIMARY KEY, n INT, v VARCHAR(9)",
		rows: "(1, NULL, 'z'), (2, 4, 'f'), (3, NULL, 'y')", session: "sql_mode = ''",
		change: "MODIFY n INT NOT NULL AUTO_INCREMENT, ADD KEY (n)",
	},
	{
		name: "counts_loose", table: "n INT, v VARCHAR(9)", rows: "(0, 'z'), (4, 'f'), (0, 'y')",
		change: "MODIFY n INT NOT NULL AUTO_INCREMENT, ADD KEY (n)", barred: "always",
	},
	{
		name: "counts_text", table: "k VARCHAR(9) PRIMARY KEY, v VARCHAR(9)",
		rows:   "('b', 'z'), ('A', 'f'), ('a-', 'y')",
		change: "ADD n INT NOT NULL AUTO_INCREMENT UNIQUE", barred: "apart",
	},
	{
		name: "counts_new", table: "k INT PRIMARY KEY, v VARCHAR(9)", rows: "(4, 'z'), (2, 'f'), (9, 'y')",
		session: "auto_increment_increment = 5, auto_increment_offset = 3",
		change:  "ADD n INT NOT NULL AUTO_INCREMENT UNIQUE",
	},
	{
		name: "rounded", table: "id DECIMAL(6,2) PRIMARY KEY, v VARCHAR(9)",
		rows:   "(1.4, 'a'), (2.5, 'b'), (-3.5, 'c')",
		change: "MODIFY id INT NOT NULL",
	},
	{
		name: "rounded_float", table: "id DOUBLE PRIMARY KEY, v VARCHAR(9)",
		rows:   "(1.4, 'a'), (2.5, 'b'), (-3.5, 'c')",
		change: "MODIFY id INT NOT NULL", barred: "apart",
	},
	{
		name: "number", table: "id VARCHAR(9) PRIMARY KEY, v VARCHAR(9)", rows: "('07', 'a'), ('1.5x', 'b'), ('', 'c')",
		session: "sql_mode = ''", change: "MODIFY id INT NOT NULL", barred: "apart",
	},
	{
		name: "narrow", table: "id INT PRIMARY KEY, v VARCHAR(9)", rows: "(7, 'a'), (300, 'b'), (-5, 'c')",
		session: "sql_mode = ''", change: "MODIFY id TINYINT UNSIGNED NOT NULL",
	},
	{
		name: "cut", table: "id VARCHAR(9) PRIMARY KEY, v VARCHAR(9)", rows: "('abcdef', 'a'), ('xyz', 'b')",
		session: "sql_mode = ''", change: "MODIFY id VARCHAR(3) NOT NULL",
	},
	{
		name: "lost", table: "id VARCHAR(9) PRIMARY KEY, v VARCHAR(9)", rows: "('ä中', 'a'), ('xyz', 'b')",
		session: "sql_mode = ''", change: "MODIFY id VARCHAR(9) CHARACTER SET latin1 NOT NULL",
	},
	{
		name: "charset", table: "id VARCHAR(9) CHARACTER SET latin1 PRIMARY KEY, v VARCHAR(9) CHARACTER SET latin1",
		rows: "('ä€', 'ß'), ('xyz', 'b')", change: "CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
	},
	{
		name: "collation", table: "id VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, v VARCHAR(9)",
		rows: "('b', 'a'), ('B-', 'b'), ('a', 'c')", change: "MODIFY id VARCHAR(9) CHARACTER SET utf8mb4 COLLATE " +
			"utf8mb4_general_ci NOT NULL",
	},
	{
		name: "null_key", table: "id INT, v VARCHAR(9) NOT NULL, UNIQUE KEY (v)", rows: "(NULL, 'a'), (3, 'b')",
		session: "sql_mode = ''", change: "MODIFY id INT NOT NULL, ADD PRIMARY KEY (id)",
	},
	{
		name: "labels", table: "id ENUM('a','b','c') PRIMARY KEY, v VARCHAR(9)", rows: "('a', '1'), ('c', '3')",
		change: "MODIFY id ENUM('c','b','x','a') NOT NULL", barred: "",
	},
	{
		name: "label_gone", table: "id ENUM('a','b','c') PRIMARY KEY, v VARCHAR(9)", rows: "('a', '1'), ('c', '3')",
		session: "sql_mode = ''", change: "MODIFY id ENUM('c','b') NOT NULL",
	},
	{
		name: "label_text", table: "id ENUM('a','b','c') PRIMARY KEY, v VARCHAR(9)", rows: "('a', '1'), ('c', '3')",
		change: "MODIFY id VARCHAR(9) NOT NULL", barred: "apart",
	},
	{
		name: "dates", table: "id VARCHAR(20) PRIMARY KEY, v VARCHAR(9)",
		rows:    "('2020-01-02', 'a'), ('2020-02-31', 'b')",
		session: "sql_mode = ''", change: "MODIFY id DATE NOT NULL", barred: "apart",
	},
	{
		name: "dates_invalid", table: "id VARCHAR(20) PRIMARY KEY, v VARCHAR(9)",
		rows: "('2020-01-02', 'a'), ('2020-02-31', 'b')", session: "sql_mode = 'ALLOW_INVALID_DATES'",
		change: "MODIFY id DATE NOT NULL", barred: "apart",
	},
	{
		name: "dates_partial", table: "id VARCHAR(20) PRIMARY KEY, v VARCHAR(9)",
		rows: "('2020-01-02', 'a'), ('2020-00-10', 'b')", session: "sql_mode = ''", change: "MODIFY id DATE NOT NULL",
		barred: "apart",
	},
	{
		name: "dates_zero_in", table: "id VARCHAR(20) PRIMARY KEY, v VARCHAR(9)",
		rows: "('2020-01-02', 'a'), ('2020-00-10', 'b')", session: "sql_mode = 'NO_ZERO_IN_DATE'",
		change: "MODIFY id DATE NOT NULL", barred: "apart",
	},
	{
		name: "dates_zero", table: "id INT PRIMARY KEY, d VARCHAR(20), v VARCHAR(9)",
		rows:    "(1, '2020-01-02', 'a'), (2, '0000-00-00', 'b'), (3, '2020-10-00', 'c')",
		session: "sql_mode = 'NO_ZERO_DATE'", change: "MODIFY d DATE",
	},
	{
		name: "padded", table: "id CHAR(5) PRIMARY KEY, v CHAR(5)", rows: "('a', 'b'), ('c', 'd')",
		session: "sql_mode = 'PAD_CHAR_TO_FULL_LENGTH'", change: "MODIFY id VARCHAR(8) NOT NULL, MODIFY v VARCHAR(8)",
	},
	{
		name: "fractions_cut", table: "id DATETIME(6) PRIMARY KEY, v VARCHAR(9)",
		rows:    "('2020-01-01 00:00:00.7', 'a'), ('2020-01-01 00:00:02.2', 'b')",
		session: "sql_mode = 'TIME_TRUNCATE_FRACTIONAL'", change: "MODIFY id DATETIME NOT NULL", only: lab.MySQL,
	},
	{
		name: "fractions_rounded", table: "id DATETIME(6) PRIMARY KEY, v VARCHAR(9)",
		rows:    "('2020-01-01 00:00:00.7', 'a'), ('2020-01-01 00:00:02.2', 'b')",
		session: "sql_mode = 'TIME_ROUND_FRACTIONAL'", change: "MODIFY id DATETIME NOT NULL", only: lab.MariaDB,
	},
	{
		name: "fractions", table: "id DATETIME(6) PRIMARY KEY, v VARCHAR(9)",
		rows: "('2020-01-01 00:00:00.7', 'a'), ('2020-01-01 00:00:02.2', 'b')", change: "MODIFY id DATETIME NOT NULL",
	},
	{
		name: "zoned", table: "id TIMESTAMP NOT NULL PRIMARY KEY, v VARCHAR(9)",
		rows: "('2020-01-01 00:00:00', 'a'), ('2020-07-01 00:00:02', 'b')", session: "time_zone = '+09:00'",
		change: "MODIFY id DATETIME NOT NULL",
	},
	{
		name: "exchanged", table: "id INT PRIMARY KEY, a INT, v VARCHAR(9), b INT",
		rows: "(1, 2, 'x', 3), (2, 5, 'y', NULL)", change: "CHANGE a b INT AFTER v, CHANGE b a INT AFTER id",
	},
	{
		name: "exchanged_key", table: "a INT NOT NULL, b INT NOT NULL, v VARCHAR(9), PRIMARY KEY (a)",
		rows: "(1, 2, 'x'), (2, 5, 'y')", change: "DROP PRIMARY KEY, CHANGE a b INT NOT NULL, CHANGE b a INT NOT " +
			"NULL FIRST, ADD PRIMARY KEY (a)",
	},
	{
		name: "anew", table: "id INT PRIMARY KEY, v VARCHAR(9) DEFAULT 'new'", rows: "(1, 'a'), (2, NULL)",
		change: "DROP COLUMN v, ADD COLUMN v VARCHAR(9) DEFAULT 'new'",
	},
	{
		name: "ignored", table: "id INT PRIMARY KEY, u INT, v VARCHAR(9)", rows: "(1, 1, 'a'), (2, 1, 'b')",
		change: "ADD UNIQUE KEY (u)", barred: "always", only: lab.MariaDB,
	},
}

// TestKeysAltered changes values of rows that are there by ALTER TABLE, in sessions of many kinds, and all rows
// afterwards, by their keys as they are then. The target's rows are the source's, whatever the values became; or the
// change is refused, and the table that the refusal tells to copy again is equal then.
func TestKeysAltered(t *testing.T) {
	for _, e := range slices.Concat(always, sometimes) {
		t.Run(e.String(), func(t *testing.T) {
			source, target := e.Open(t)
			m := newMove(t, "we_y", source, target, harness.Options{Lines: extras(source, target)})
			bars := map[string]bool{}
			var ran []string
			for _, c := range rekeyed {
				if c.only != "" && c.only != source.Flavor {
					continue
				}
				d := "we_y_" + c.name
				ran, bars[d] = append(ran, d), c.barred == "always" || c.barred == "apart" &&
					source.Flavor != target.Flavor
				require.NoError(t, lab.ExecAll(t.Context(), m.one,
					"SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'",
					"CREATE DATABASE "+d+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
					"CREATE TABLE "+d+".t ("+c.table+")", "INSERT INTO "+d+".t VALUES "+c.rows))
			}
			m.must(t, "init-schema", "init-copy")
			for _, c := range rekeyed {
				if !slices.Contains(ran, "we_y_"+c.name) {
					continue
				}
				session := "SET sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00', auto_increment_increment = 1, " +
					"auto_increment_offset = 1"
				if c.session != "" {
					session += ", " + c.session
				}
				alter := "ALTER TABLE"
				if c.name == "ignored" {
					alter = "ALTER IGNORE TABLE"
				}
				require.NoError(t, lab.ExecAll(t.Context(), m.one, session, alter+" we_y_"+c.name+".t "+c.change),
					c.name)
				m.Source.Exec(t, "UPDATE we_y_"+c.name+".t SET v = CONCAT('!', v) ORDER BY v DESC LIMIT 1")
			}
			m.Mark(t)
			replica := m.Start(t, "start-replica")
			again := map[string]bool{}
			for !m.Marked(t, replica) {
				for ended := replica; ended.Code != done; {
					require.Equal(t, refused, ended.Code, ended.Log())
					text, advice := refusal(t, ended)
					require.NotEmpty(t, advice, text)
					ended = m.Run(t, append([]string{"init-copy", "--log-level", "warn"}, advice...)...)
					// besides the table, those of further changes that would have been refused
					for _, table := range copiedAnew(ended) {
						d := strings.TrimSuffix(table, ".t")
						require.False(t, again[d], "refused again: %s", text)
						again[d] = true
					}
				}
				replica = m.Start(t, "start-replica")
			}
			replica.Interrupt(t)
			m.equal(t, ran...)
			for d, bar := range bars {
				assert.Equal(t, bar, again[d], d)
			}
		})
	}
}

// TestFilteredRowsAltered changes values that a row filter looks at, and numbers rows of which the target has some:
// the table is refused, and copied again.
func TestFilteredRowsAltered(t *testing.T) {
	source, target := harness.MySQL.Open(t)
	m := newMove(t, "we_w", source, target, harness.Options{Lines: append(extras(source, target),
		`filters: [{table: "we_w_a.looks", where: "a = 0"}, {table: "we_w_a.counts", where: "id > 1"}, {table: `+
			`"we_w_a.free", where: "id > 1"}]`)})
	m.Source.Exec(t, "CREATE DATABASE we_w_a")
	for _, table := range []string{"looks", "counts", "free"} {
		m.Source.Exec(t, "CREATE TABLE we_w_a."+table+" (id INT PRIMARY KEY, a INT, b INT)",
			"INSERT INTO we_w_a."+table+" VALUES (1, 0, 0), (2, NULL, NULL), (3, 3, 3), (4, 0, 4)")
	}
	m.must(t, "init-schema", "init-copy")
	for table, alter := range map[string]string{
		"looks":  "MODIFY a INT NOT NULL",
		"counts": "ADD n INT NOT NULL AUTO_INCREMENT UNIQUE", "free": "MODIFY b INT NOT NULL",
	} {
		require.NoError(t, lab.ExecAll(t.Context(), m.one, "SET sql_mode = ''", "ALTER TABLE we_w_a."+table+" "+alter))
		c := m.Run(t, "start-replica", "--until-caught-up")
		if table == "free" {
			require.Equal(t, done, c.Code, c.Log())
			continue
		}
		require.Equal(t, refused, c.Code, c.Log())
		assert.Contains(t, last(c), "its row filter")
		m.must(t, "init-copy --table we_w_a."+table)
	}
	m.must(t, "start-replica --until-caught-up")
	for table, where := range map[string]string{"looks": "a = 0", "counts": "id > 1", "free": "id > 1"} {
		want, err := lab.Rows(t.Context(), m.Source.DB, "we_w_a", table, where)
		require.NoError(t, err)
		got, err := lab.Rows(t.Context(), m.Target.DB, "we_w_a", table, "")
		require.NoError(t, err)
		assert.Equal(t, want, got, table)
		assert.Len(t, got, 3)
	}
}

// TestAlteredIsCompared has an ALTER TABLE make other values on the target than on the source, after everything was
// verified: the cutover, which otherwise looks only at rows that the log tells of, finds them.
func TestAlteredIsCompared(t *testing.T) {
	source, target := harness.MySQL.Open(t)
	m := newMove(t, "we_u", source, target,
		harness.Options{Lines: append(extras(source, target), "cutover: {fence: none}")})
	m.Source.Exec(t, "CREATE DATABASE we_u_a", "CREATE TABLE we_u_a.t (id INT PRIMARY KEY, a DECIMAL(8,3))",
		"INSERT INTO we_u_a.t VALUES (1, 1.5), (2, 2.5)")
	m.must(t, "init-schema", "init-copy", "verify")
	m.Source.Exec(t, "ALTER TABLE we_u_a.t MODIFY a INT")
	m.must(t, "start-replica --until-caught-up")
	m.equal(t, "we_u_a")
	m.Target.Exec(t, "UPDATE we_u_a.t SET a = 0 WHERE id = 2")
	c := m.Run(t, "cutover", "--confirm=we_u")
	require.Equal(t, 3, c.Code, "%s\n%s", last(c), c.Log())
	m.must(t, "verify --repair", "cutover --confirm=we_u")
	m.equal(t, "we_u_a")
}
