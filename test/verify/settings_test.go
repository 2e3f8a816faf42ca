package verify

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// set changes a server's defaults for new sessions until the test ends. Variables that the server does not know are
// passed over.
func set(t *testing.T, s *harness.Server, settings map[string]string) {
	t.Helper()
	for name, value := range settings {
		var key, before string
		err := s.DB.QueryRowContext(t.Context(), "SHOW GLOBAL VARIABLES LIKE '"+strings.ReplaceAll(name, "_",
			`\_`)+"'").Scan(&key, &before)
		if err == sql.ErrNoRows {
			continue
		}
		require.NoError(t, err)
		if strings.Trim(before, "0123456789.") != "" {
			before = "'" + before + "'"
		}
		s.Exec(t, "SET GLOBAL "+name+" = "+value)
		t.Cleanup(func() { s.Exec(t, "SET GLOBAL "+name+" = "+before) })
	}
}

// TestServerDefaults moves and verifies between servers whose sessions begin with settings that cut results short,
// keep old views, show what was not committed, round, or shift times: wherry's sessions must not inherit them.
func TestServerDefaults(t *testing.T) {
	for _, e := range harness.Across {
		t.Run(e.String(), func(t *testing.T) {
			w := worldOf(t, e)
			w.source.Exec(t, "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, name VARCHAR(40), ts TIMESTAMP NULL, d "+
				"DECIMAL(20,6))",
				insert("t",
					"id = n, name = CONCAT('Name ', n), ts = '2024-07-01 12:00:00' + INTERVAL n HOUR, d = n / 7", 3000),
				"CREATE TABLE bag (n INT, name VARCHAR(40))", insert("bag", "n = n % 50, name = 'x'", 500))
			hostile := map[string]string{
				"sql_select_limit": "3", "transaction_isolation": "'READ-UNCOMMITTED'",
				"tx_isolation": "'READ-UNCOMMITTED'", "autocommit": "0",
				"max_execution_time": "1", "group_concat_max_len": "4", "div_precision_increment": "0",
				"sql_big_selects": "0", "max_join_size": "10",
				"max_sort_length": "64",
			}
			for i, s := range []*harness.Server{w.Source, w.Target} {
				own := harness.Connect(t, s.Server)
				own.DB.SetMaxOpenConns(1) // that has the settings of before
				set(t, own, hostile)
				set(t, own, map[string]string{"time_zone": []string{"'+05:00'", "'-08:00'"}[i]})
			}
			w.Phases(t, "init-schema", "init-copy")
			calm := func(s *harness.Server, statements ...string) {
				s.Exec(t, append([]string{"SET SESSION sql_select_limit = 18446744073709551615, autocommit = 1, " +
					"sql_big_selects = 1"}, statements...)...)
			}
			r := w.verify(t)
			r.clean(t)
			assert.EqualValues(t, 3000, r.tables["t"].Rows)
			calm(w.target, "UPDATE t SET name = 'x' WHERE id % 100 = 7", "DELETE FROM t WHERE id = 1000",
				"UPDATE t SET ts = ts + INTERVAL 1 HOUR WHERE id = 2500",
				"DELETE FROM bag WHERE n = 7 LIMIT 4")
			r = w.verify(t)
			assert.Equal(t, harness.Differs, r.code)
			assert.Equal(t, "differing=31 missing=1 extra=0 repaired=0", r.tables["t"].counts())
			assert.Equal(t, "differing=0 missing=4 extra=0 repaired=0", r.tables["bag"].counts())
			w.verify(t, "--repair").clean(t)
			w.verify(t).clean(t)
		})
	}
}

// TestLargeValues damages one byte of values that are larger than what the server's functions may return: a sum that
// takes them for NULL would see nothing.
func TestLargeValues(t *testing.T) {
	for _, e := range harness.Alike {
		t.Run(e.String(), func(t *testing.T) {
			w := worldOf(t, e)
			w.move(t, "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, b LONGBLOB, c LONGTEXT)",
				"CREATE TABLE wide LIKE t",
				"INSERT INTO t VALUES (1, REPEAT('b', 1048576), 'x'), (2, 'x', REPEAT('c', 1048575))",
				"INSERT INTO wide VALUES (3, REPEAT('d', 700000), REPEAT('e', 700000)), "+
					"(4, NULL, REPEAT('f', 2000000))")
			w.target.Exec(t, "UPDATE t SET b = CONCAT(LEFT(b, 1000), 'X', SUBSTR(b, 1002)) WHERE id = 1",
				"UPDATE wide SET b = CONCAT(LEFT(b, 1000), 'X', SUBSTR(b, 1002)) WHERE id = 3",
				"UPDATE t SET c = CONCAT(LEFT(c, 1000), 'X', SUBSTR(c, 1002)) WHERE id = 2",
				"UPDATE wide SET c = NULL WHERE id = 4")
			for _, s := range []*harness.Server{w.Source, w.Target} {
				set(t, s, map[string]string{"max_allowed_packet": "1048576"})
			}
			r := w.verify(t)
			assert.Equal(t, "differing 1, differing 2", r.tables["t"].listed())
			assert.Equal(t, "differing 3, differing 4", r.tables["wide"].listed())
			assert.Equal(t, harness.Differs, r.code)
		})
	}
}
