package verify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// hostileValues are what session variables are set to where the other value of a switch, the last of a list or the
// least number would do no harm, or cannot be.
var hostileValues = map[string]string{
	"sql_mode": "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,ONLY_FULL_GROUP_BY,PIPES_AS_CONCAT,IGNORE_SPACE," +
		"HIGH_NOT_PRECEDENCE,PAD_CHAR_TO_FULL_LENGTH,TRADITIONAL'",
	"time_zone": "'+05:30'", "completion_type": "'RELEASE'", "lc_messages": "'de_DE'", "lc_time_names": "'de_DE'",
	"character_set_client": "'latin1'", "character_set_results": "'latin1'", "character_set_connection": "'latin1'",
	"collation_connection": "'latin1_bin'",
	"character_set_server": "'latin1'", "collation_server": "'latin1_bin'", "character_set_database": "'latin1'",
	"collation_database":       "'latin1_bin'",
	"character_set_filesystem": "'latin1'", "default_collation_for_utf8mb4": "'utf8mb4_general_ci'",
	"character_set_collations": "'utf8mb4=utf8mb4_bin'",
	"transaction_isolation":    "'READ-UNCOMMITTED'", "tx_isolation": "'READ-UNCOMMITTED'",
	"max_execution_time": "1", "max_statement_time": "0.0001", "group_concat_max_len": "4",
	"auto_increment_increment": "7", "auto_increment_offset": "5",
	"div_precision_increment": "30", "default_week_format": "7", "eq_range_index_dive_limit": "2",
	"gtid_domain_id": "7", "max_session_mem_used": "1000000", "old_mode": "'ZERO_DATE_TIME_CAST'",
	"idle_transaction_timeout": "1", "idle_readonly_transaction_timeout": "1", "idle_write_transaction_timeout": "1",
	"default_storage_engine": "'MyISAM'", "storage_engine": "'MyISAM'", "default_tmp_storage_engine": "'MyISAM'",
	"enforce_storage_engine": "'MyISAM'",
	"alter_algorithm":        "'INSTANT'", "old_alter_table": "1", "default_regex_flags": "'EXTENDED'",
	"innodb_tmpdir": "'/tmp'", "block_encryption_mode": "'aes-256-cbc'",
	"optimizer_switch": "'index_condition_pushdown=off'", "optimizer_trace": "'enabled=on'",
	"optimizer_adjust_secondary_key_costs": "''", "note_verbosity": "'basic,unusable_keys,explain'",
	"optimizer_trace_features": "'greedy_search=off'", "session_track_system_variables": "'*'",
	"log_slow_verbosity":      "'query_plan,innodb'",
	"log_disabled_statements": "'sp,slave'", "log_slow_disabled_statements": "'sp'", "log_slow_filter": "'admin'",
	"binlog_row_value_options": "'PARTIAL_JSON'",
	"explain_format":           "'JSON'", "group_replication_consistency": "'BEFORE'",
	"internal_tmp_mem_storage_engine": "'MEMORY'", "rbr_exec_mode": "'IDEMPOTENT'",
	"session_track_gtids": "'OWN_GTID'", "session_track_transaction_info": "'CHARACTERISTICS'",
	"terminology_use_previous":   "'BEFORE_8_0_26'",
	"updatable_views_with_limit": "'NO'", "myisam_stats_method": "'nulls_equal'", "optimizer_trace_offset": "-5",
	"query_cache_type": "'ON'",
}

// sparedVariables are not set, and why.
var sparedVariables = map[string]string{
	"max_allowed_packet": "see TestPacketsRefused in test/moves", "max_user_connections": "nobody could connect",
	"server_id":     "it is who the server is",
	"binlog_format": "check refuses it", "binlog_row_image": "check refuses it",
	"sql_require_primary_key":       "check refuses tables without a key",
	"innodb_ft_user_stopword_table": "names a table", "external_table_storage_engine": "names an engine",
	"external_table_secondary_storage_engine": "names an engine",
	"system_versioning_asof":                  "cannot be set back; tables with system versioning are refused",
	"wait_timeout":                            "set by hand",
	"net_buffer_length":                       "cannot be smaller than what is in flight",
}

// hostile sets every session variable of a server to a value that does harm if it can, for sessions to come, until
// the test ends.
func hostile(t *testing.T, flavor string, conn *sql.Conn) {
	t.Helper()
	for _, v := range describeVariables(t, flavor, conn) {
		value := v.hostile()
		if _, spared := sparedVariables[v.name]; spared || strings.HasPrefix(v.name, "wsrep_") {
			continue
		}
		var before sql.NullString
		require.NoError(t, conn.QueryRowContext(t.Context(), "SELECT @@GLOBAL."+v.name).Scan(&before), v.name)
		require.NotEmpty(t, value, "no hostile value for %s (%s)", v.name, v.kind)
		_, err := conn.ExecContext(t.Context(), "SET GLOBAL "+v.name+" = "+value)
		var refused *mysql.MySQLError
		// read-only, or a session's only
		if errors.As(err, &refused) && slices.Contains([]uint16{1238, 1228, 1229, 1621}, refused.Number) {
			continue
		}
		require.NoError(t, err, "%s = %s", v.name, value)
		back := "NULL"
		switch {
		case before.String != "" && strings.Trim(before.String, "0123456789.-") == "":
			back = before.String
		case before.Valid:
			back = "'" + before.String + "'"
		}
		t.Cleanup(func() {
			_, err := conn.ExecContext(context.Background(), "SET GLOBAL "+v.name+" = "+back)
			assert.NoError(t, err, "%s = %s", v.name, back)
		})
	}
	for _, name := range []string{"wait_timeout", "interactive_timeout"} { // of sessions to come, not of ours
		_, err := conn.ExecContext(t.Context(), "SET GLOBAL "+name+" = 1")
		require.NoError(t, err)
		t.Cleanup(func() { _, _ = conn.ExecContext(context.Background(), "SET GLOBAL "+name+" = 28800") })
	}
}

// variable is a session variable as the server describes it.
type variable struct {
	name, kind, now, least, list string
}

func (v variable) number() bool {
	kind := strings.ToUpper(v.kind)
	return strings.Contains(kind, "INT") || strings.Contains(kind, "DOUBLE") || kind == "NUMERIC"
}

func (v variable) hostile() string {
	if value, ok := hostileValues[v.name]; ok {
		return value
	}
	switch kind := strings.ToUpper(v.kind); {
	case kind == "BOOLEAN":
		return map[bool]string{true: "OFF", false: "ON"}[v.now == "ON" || v.now == "1"]
	case v.number():
		return v.least
	case kind == "ENUM":
		for _, value := range slices.Backward(strings.Split(v.list, ",")) {
			if value != v.now {
				return "'" + value + "'"
			}
		}
	}
	return ""
}

// describeVariables returns the variables that sessions take over from the server.
func describeVariables(t *testing.T, flavor string, conn *sql.Conn) (all []variable) {
	t.Helper()
	query := `SELECT LOWER(VARIABLE_NAME), VARIABLE_TYPE, COALESCE(GLOBAL_VALUE, ''), COALESCE(NUMERIC_MIN_VALUE, ''),
		COALESCE(ENUM_VALUE_LIST, '')
		FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_SCOPE = 'SESSION' AND READ_ONLY = 'NO' ORDER BY 1`
	if flavor == lab.MySQL {
		query = `SELECT m.VARIABLE_NAME, m.DATA_TYPE, COALESCE(g.VARIABLE_VALUE, ''), COALESCE(m.MIN_VALUE, ''), ''
			FROM performance_schema.variables_metadata m
			JOIN performance_schema.global_variables g USING (VARIABLE_NAME) WHERE m.VARIABLE_SCOPE = 'SESSION'
			AND m.VARIABLE_NAME <> 'gtid_owned' ORDER BY 1`
	}
	rows, err := conn.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var v variable
		require.NoError(t, rows.Scan(&v.name, &v.kind, &v.now, &v.least, &v.list))
		all = append(all, v)
	}
	require.NoError(t, rows.Err())
	require.Greater(t, len(all), 100)
	return all
}

// TestHostileSessions makes a whole move between servers on which every session variable has a value that does harm,
// if a session takes it over: rows, changes of the schema, a view and a trigger, a repair, a rehearsal and the
// cutover.
func TestHostileSessions(t *testing.T) {
	for _, e := range harness.Across {
		t.Run(e.String(), func(t *testing.T) {
			w := worldOf(t, e)
			w.Configure(t, "cutover: {objects: [views, triggers]}", "replicate: {retry_for: 5s}")
			calm := func(s *harness.Server) *sql.Conn {
				conn, err := s.Pool(t, "").Conn(t.Context())
				require.NoError(t, err)
				t.Cleanup(func() { assert.NoError(t, conn.Close()) })
				return conn
			}
			source, target := calm(w.Source), calm(w.Target)
			do := func(conn *sql.Conn, statements ...string) {
				t.Helper()
				require.NoError(t, lab.ExecAll(t.Context(), conn, statements...))
			}
			do(source, "USE "+w.Name, "CREATE TABLE t (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) "+
				"UNIQUE, ts TIMESTAMP NULL, d DECIMAL(20,6), f DOUBLE, "+
				"half INT AS (CHAR_LENGTH(name)) STORED)",
				insert("t", "name = CONCAT('Name ', n), ts = '2024-07-01 12:00:00' + INTERVAL n HOUR, d = n / 7 , f "+
					"= n / 3", 3000),
				"CREATE TABLE bag (n INT, name VARCHAR(40))", insert("bag", "n = n % 50, name = 'x'", 500),
				"CREATE TABLE log (id INT NOT NULL PRIMARY KEY, said VARCHAR(40))",
				"CREATE TRIGGER says AFTER INSERT ON t FOR EACH ROW INSERT INTO log VALUES (NEW.id, \"said\")",
				"CREATE VIEW seen AS SELECT id, UPPER(name) AS loud FROM t WHERE id > 10")
			hostile(t, e.From, source)
			hostile(t, e.To, target)
			for _, phase := range [][]string{
				{"check"},
				{"init-schema"},
				{"init-copy"},
				{"start-replica", "--until-caught-up"},
			} {
				w.Must(t, phase...)
			}
			do(source, "UPDATE t SET name = CONCAT(name, '!'), ts = ts + INTERVAL 1 HOUR WHERE id % 3 = 0",
				"DELETE FROM t WHERE id % 7 = 0", "DELETE FROM bag WHERE n = 7 LIMIT 3",
				"ALTER TABLE bag ADD c VARCHAR(20) CHARACTER SET latin1 DEFAULT 'y'",
				"CREATE TABLE later (id INT PRIMARY KEY, at TIMESTAMP NULL, INDEX (at))",
				"INSERT INTO later VALUES (1, '2024-01-01 00:00:00')",
				"ALTER TABLE t ADD INDEX by_ts (ts), RENAME COLUMN d TO e", "RENAME TABLE later TO latest",
				"INSERT INTO t (id, name) VALUES (9001, 'new')")
			w.CatchUp(t)
			do(target, "USE "+w.Name, "SET SESSION sql_safe_updates = 0", "UPDATE t SET name = 'x' WHERE id = 5",
				"DELETE FROM bag WHERE n = 8 LIMIT 2")
			r := w.verify(t)
			assert.Equal(t, harness.Differs, r.code, r.log)
			w.verify(t, "--repair").clean(t)
			t.Cleanup(func() {
				assert.NoError(t, lab.ExecAll(context.WithoutCancel(t.Context()), source, "SET GLOBAL read_only = 0"))
			})
			w.Must(t, "cutover", "--rehearse", w.Confirm())
			do(source, "INSERT INTO t (id, name) VALUES (9002, 'newest')")
			w.Must(t, "cutover", w.Confirm())
			for table, columns := range map[string]string{
				"t": "id, name, ts, e, f, half", "bag": "n, name, c",
				"latest": "id, at", "log": "id, said", "seen": "id, loud",
			} {
				query := fmt.Sprintf("SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', %s))) FROM %s.%s", columns, w.Name,
					table)
				assert.Equal(t, pairOf(t, source, query), pairOf(t, target, query), table)
			}
		})
	}
}

// pairOf is the only row of a query that has two columns.
func pairOf(t *testing.T, conn *sql.Conn, query string) string {
	t.Helper()
	var a, b sql.NullString
	require.NoError(t, conn.QueryRowContext(t.Context(), query).Scan(&a, &b), query)
	return a.String + " " + b.String
}
