package objects

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// scratchDatabases are those of a move that are on the target.
func (m *move) scratchDatabases(t *testing.T) []string {
	t.Helper()
	return table(t, m.to.DB, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '"+
		strings.ReplaceAll("wherry_"+m.Name, "_", `\\_`)+"-try%'")
}

// logged is where the server's binary log ends.
func logged(t *testing.T, db *harness.Server) []string {
	t.Helper()
	query := "SHOW BINARY LOGS"
	return table(t, db.DB, query)
}

// TestTrial: what the target will not take is found by check, all at once, and nothing of that is left there or in
// its log.
func TestTrial(t *testing.T) {
	const asked = "cutover: {objects: [views, triggers, routines, events], max_lag: 1h}"
	for title, c := range map[string]struct {
		pair         harness.Ends
		source       []string
		before       []string // on the target
		extra        string
		says, silent []string
		code         int
	}{
		"refused": {
			pair: harness.ToMySQL, code: 12, source: []string{
				"CREATE TABLE matched (id INT PRIMARY KEY, a VARCHAR(20), m INT AS (a REGEXP '(?i)x(?=y)') STORED)",
				"CREATE TABLE child (id INT PRIMARY KEY, m INT, FOREIGN KEY (m) REFERENCES parent (id))",
				"CREATE TABLE whole (id INT PRIMARY KEY, n INT)",
				"CREATE VIEW above AS SELECT n, id, COUNT(*) AS c FROM whole GROUP BY n",
				"CREATE VIEW upon AS SELECT c FROM above",
				"CREATE VIEW fine AS SELECT id FROM whole",
				"INSERT IGNORE INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (9999, 'N')",
				"INSERT IGNORE INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('Antarctica/Troll', 9999)",
				"INSERT IGNORE INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, `Offset`, " +
					"Is_DST, Abbreviation) VALUES (9999, 0, 7200, 0, 'TT')",
				"SET time_zone = 'Antarctica/Troll'",
				"CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO DELETE FROM whole",
			},
			says: []string{
				`"subject":"wo_trial.matched"`, `"subject":"view wo_trial.above"`, "sql_mode",
				`"subject":"event wo_trial.e"`, "Antarctica/Troll",
			},
			silent: []string{"view wo_trial.fine", "wo_trial.child", "wherry_wo_trial-try"},
		},
		"sound": {
			pair: harness.MySQL, extra: `routes: [{from: "wo_trial.*", to: "wo_there.*"}]`, source: []string{
				"CREATE TABLE child (id INT PRIMARY KEY, m INT, u INT UNIQUE, KEY (m), FOREIGN KEY c1 (m) REFERENCES " +
					"parent (id), FOREIGN KEY c2 (m) REFERENCES child (u))",
				"CREATE FUNCTION f(x INT) RETURNS INT DETERMINISTIC RETURN (SELECT MAX(id) FROM parent WHERE id < x)",
				"CREATE VIEW v2 AS SELECT c.id, f(c.m) AS n FROM child c", "CREATE VIEW v3 AS SELECT n FROM v2",
				"CREATE TRIGGER tr BEFORE INSERT ON child FOR EACH ROW SET NEW.m = f(NEW.m)",
				"CREATE EVENT e ON SCHEDULE EVERY 1 SECOND DO DELETE FROM parent",
			},
			silent: []string{`"check":"trial"`},
		},
	} {
		t.Run(title, func(t *testing.T) {
			harness.Each(t, []harness.Ends{c.pair}, func(t *testing.T, source, target *harness.Server) {
				m := newMove(t, "wo_trial", source, target, asked, c.extra)
				m.source.Exec(t, inDatabase(m.Name, append([]string{"CREATE TABLE parent (id INT PRIMARY KEY)"},
					c.source...))...)
				t.Cleanup(func() {
					for _, list := range []string{"time_zone", "time_zone_name", "time_zone_transition_type"} {
						m.source.Exec(t, "DELETE FROM mysql."+list+" WHERE Time_zone_id = 9999")
					}
				})
				before := logged(t, m.to)
				code, told := m.check(t)
				assert.Equal(t, c.code, code, told)
				for _, says := range c.says {
					assert.Contains(t, told, says)
				}
				for _, silent := range c.silent {
					assert.NotContains(t, told, silent)
				}
				assert.Empty(t, m.scratchDatabases(t), "left on the target")
				assert.Equal(t, before, logged(t, m.to), "logged by the target")
			})
		})
	}
}

// TestTrialOfOthers: a database that has the name and that this move did not make is left as it is, filled or empty.
func TestTrialOfOthers(t *testing.T) {
	harness.Each(t, harness.Across, func(t *testing.T, source, target *harness.Server) {
		for _, contents := range [][]string{nil, {
			"CREATE TABLE `wherry_wo_others-try`.t (id INT PRIMARY KEY)",
			"INSERT INTO `wherry_wo_others-try`.t VALUES (7)",
		}} {
			m := newMove(t, "wo_others", source, target)
			m.source.Exec(t, "CREATE TABLE t (id INT PRIMARY KEY)")
			m.to.Exec(t, append([]string{"CREATE DATABASE `wherry_wo_others-try`"}, contents...)...)
			t.Cleanup(func() { m.to.Exec(t, "DROP DATABASE IF EXISTS `wherry_wo_others-try`") })
			code, told := m.check(t)
			assert.Equal(t, 0, code, told)
			assert.Contains(t, told, "has a database `wherry_wo_others-try` that this move did not make")
			m.Must(t, "cleanup", "--abandon", "--confirm=wo_others")
			assert.Len(t, m.scratchDatabases(t), 1)
			if contents != nil {
				assert.Equal(t, "7", m.to.Text(t, "SELECT id FROM `wherry_wo_others-try`.t"))
			}
			m.to.Exec(t, "DROP DATABASE `wherry_wo_others-try`")
		}
	})
}

// TestTrialKilled: what a killed check leaves is removed by the next one, and by cleanup.
func TestTrialKilled(t *testing.T) {
	harness.Each(t, harness.Across, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "wo_try_kill", source, target, `routes: [{from: "wo_try_kill.a*", to: "wo_try_kill_2.*"}]`)
		var tables []string
		for i := range 40 {
			tables = append(tables, fmt.Sprintf("CREATE TABLE %c%d (id INT PRIMARY KEY, c%d INT, KEY (c%d))",
				'a'+rune(i%2), i, i, i))
		}
		m.source.Exec(t, tables...)
		kill := func() {
			c := m.Start(t, "check")
			harness.Until(t, "the trial begins", func() bool {
				return m.to.Text(t, "SELECT COUNT(*) > 4 FROM information_schema.TABLES WHERE TABLE_SCHEMA LIKE "+
					"'wherry\\_wo\\_try\\_kill-try%'") == "1"
			}, c)
			c.Kill(t)
			require.NotEmpty(t, m.scratchDatabases(t))
		}
		kill()
		require.True(t, lab.Until(func() bool { // the killed one's lock goes with its connection
			code, told := m.check(t)
			require.Equal(t, 0, code, told)
			return !strings.Contains(told, "another check")
		}), "the lock of the killed check stays")
		assert.Empty(t, m.scratchDatabases(t))
		kill()
		m.Must(t, "cleanup")
		assert.Empty(t, m.scratchDatabases(t))
	})
}

// TestTrialNeedsRights: what the account lacks is a warning with the statement that grants it; with that, statements
// are tried.
func TestTrialNeedsRights(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "wo_try_rights", source, target)
		m.source.Exec(t, "CREATE TABLE t (id INT PRIMARY KEY, a INT, KEY (a))")
		const account = "'wo_trier'@'%'"
		for _, db := range []*harness.Server{m.source, m.to} {
			db.Exec(t, "DROP USER IF EXISTS "+account, "CREATE USER "+account+" IDENTIFIED BY '"+lab.Password+"'",
				"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO "+account, "GRANT ALL ON wo_try_rights.* TO "+
					account, "GRANT ALL ON `wherry\\_wo\\_try\\_rights`.* TO "+account)
			db.Exec(t, "GRANT "+map[bool]string{
				true:  "READ_ONLY ADMIN",
				false: "SYSTEM_VARIABLES_ADMIN",
			}[isMariaDB(db)]+" ON *.* TO "+account)
		}
		m.as(t, "wo_trier")
		code, told := m.check(t)
		assert.Equal(t, 0, code, told)
		assert.Contains(t, told, "GRANT SELECT, CREATE, ALTER, INDEX, DROP, REFERENCES ON "+
			"`wherry_wo_try_rights-try`.* TO")
		m.to.Exec(t, "GRANT SELECT, CREATE, ALTER, INDEX, DROP, REFERENCES ON `wherry_wo_try_rights-try`.* TO "+
			account)
		code, told = m.check(t)
		assert.Equal(t, 0, code, told)
		assert.NotContains(t, told, `"trial"`)
		assert.Empty(t, m.scratchDatabases(t))
	})
}

// TestTrialDuringTheMove: a check harms neither a move that is under way nor one that is over.
func TestTrialDuringTheMove(t *testing.T) {
	harness.Each(t, harness.Across, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "wo_try_late", source, target, "cutover: {objects: [views, triggers], max_lag: 1h}")
		m.source.Exec(t, "CREATE TABLE p (id INT PRIMARY KEY)", "CREATE TABLE t (id INT PRIMARY KEY, a INT, KEY "+
			"(a), FOREIGN KEY (a) REFERENCES p (id))",
			"INSERT INTO p VALUES (1)", "INSERT INTO t VALUES (5, 1)", "CREATE VIEW v AS SELECT id FROM t",
			"CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.id = NEW.id + 1")
		quiet := func(when string) {
			code, told := m.check(t)
			assert.Equal(t, 0, code, "%s: %s", when, told)
			assert.NotContains(t, told, `"trial"`, when)
			assert.Empty(t, m.scratchDatabases(t), when)
		}
		quiet("first")
		m.Must(t, "init-schema")
		quiet("with tables")
		m.Must(t, "init-copy")
		m.CatchUp(t)
		m.Must(t, "verify")
		quiet("before the cutover")
		m.Must(t, "cutover", "--confirm=wo_try_late")
		assert.Equal(t, "5", m.to.Text(t, "SELECT id FROM wo_try_late.v"))
		code, told := m.check(t)
		assert.NotContains(t, told, `"trial"`, code)
		assert.Equal(t, "5", m.to.Text(t, "SELECT id FROM wo_try_late.v"))
	})
}

// TestViewsAreRead: a view that the target's own sql_mode does not let applications read is named by check; and by
// the cutover, if the mode was another then, before writes are stopped.
func TestViewsAreRead(t *testing.T) {
	harness.Each(t, harness.Across, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "wo_read", source, target, "cutover: {objects: [views], max_lag: 1h}")
		set := func(on *harness.Server, mode string) { on.Exec(t, "SET GLOBAL sql_mode = '"+mode+"'") }
		for _, on := range []*harness.Server{m.source, m.to} {
			own := on.Text(t, "SELECT @@GLOBAL.sql_mode")
			t.Cleanup(func() { set(on, own) })
		}
		const open, full = "STRICT_TRANS_TABLES", "STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY"
		set(m.source, open)
		set(m.to, full)
		m.source.Exec(t, "CREATE TABLE f (id INT PRIMARY KEY, c INT, name VARCHAR(9))",
			"INSERT INTO f VALUES (1, 1, 'a'), (2, 1, 'b')", "SET sql_mode = ''",
			"CREATE VIEW listed AS SELECT c, name, COUNT(*) AS n FROM f GROUP BY c",
			"CREATE VIEW all_right AS SELECT c, MAX(name) AS m FROM f GROUP BY c",
			"CREATE VIEW slow AS SELECT SLEEP(60) AS x FROM f")
		code, told := m.check(t)
		assert.Equal(t, 12, code, told)
		assert.Contains(t, told, `"subject":"view wo_read.listed"`)
		assert.Equal(t, 1, strings.Count(told, `"trial"`), told)
		set(m.source, full)
		code, told = m.check(t)
		assert.Equal(t, 0, code, told)
		assert.Contains(t, told, "neither on the source nor on the target")
		set(m.source, open)
		set(m.to, open)
		m.UpToCutover(t)
		set(m.to, full)
		c := m.Ends(t, harness.Refused, "cutover", m.Confirm())
		assert.Contains(t, c.Output(), "view wo_read.listed cannot be read on the target")
		assert.Equal(t, "0", m.source.Text(t, "SELECT @@GLOBAL.read_only"))
		set(m.to, open)
		m.Must(t, "cutover", "--confirm=wo_read")
		assert.Equal(t, "2", m.to.Text(t, "SELECT n FROM wo_read.listed"))
	})
}

// TestAliasOfAView: MySQL prints a column of a view that has an alias as if the alias were a table of the view's
// database.
func TestAliasOfAView(t *testing.T) {
	harness.Each(t, harness.Every, func(t *testing.T, source, target *harness.Server) {
		for _, extra := range []string{"", `routes: [{from: "wo_alias.*", to: "wo_alias_2.*"}]`} {
			m := newMove(t, "wo_alias", source, target, "cutover: {objects: [views], max_lag: 1h}",
				"schema: {allow_losses: [collation, json]}", extra)
			m.source.Exec(t, "CREATE TABLE base (id INT PRIMARY KEY, j JSON)", `INSERT INTO base VALUES (7, '[7, 8]')`,
				"CREATE TABLE b (id INT PRIMARY KEY)",
				"CREATE VIEW z_base AS SELECT id, j FROM base",
				"CREATE VIEW a_first AS SELECT b.id AS i, c.id + x.a AS a FROM z_base b JOIN z_base c JOIN base d "+
					"JOIN JSON_TABLE(d.j, '$[*]' COLUMNS (a INT PATH '$')) x")
			m.UpToCutover(t)
			m.Must(t, "cutover", "--confirm=wo_alias")
			assert.Equal(t, "29", m.to.Text(t, "SELECT SUM(a) FROM "+m.there+".a_first"))
		}
	})
}
