package objects

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// small is a table with one object of each kind that both families have.
var small = []string{
	"CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(20))", "INSERT INTO t VALUES (1, 'x')",
	"CREATE VIEW v AS SELECT id FROM t",
	"CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = UPPER(NEW.a)",
	"CREATE PROCEDURE p(OUT n INT) SELECT COUNT(*) INTO n FROM t",
	"CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DO DELETE FROM t WHERE id < 0",
}

// check runs check and returns its code and what it found wrong.
func (m *move) check(t *testing.T) (int, string) {
	t.Helper()
	c := m.Run(t, "check")
	return c.Code, told(c.Output())
}

// TestCheckTells: check says of every object what becomes of it, and refuses what cannot be.
func TestCheckTells(t *testing.T) {
	const asked = "cutover: {objects: [views, triggers, routines, events, sequences]}"
	for title, c := range map[string]struct {
		pair           harness.Ends
		source, target []string // besides small
		extra          string
		code           int
		says           []string
	}{
		"nothing asked for": {pair: harness.MySQL, says: []string{
			`"view","end":"move","level":"warn","subject":"wo_check.v","what":"is a view and stays behind"`,
			`"subject":"wo_check.tr","what":"stays behind","fix":"add triggers`,
			`"subject":"wo_check.p","what":"stays behind","fix":"add routines`,
			`"subject":"wo_check.e","what":"stays behind","fix":"add events`,
		}},
		"all can be moved": {
			pair: harness.ToMariaDB, extra: asked,
			target: []string{"SET GLOBAL event_scheduler = OFF"}, says: []string{"event_scheduler"},
		},
		"others in the way": {pair: harness.MySQL, extra: asked, code: 12, target: []string{
			"CREATE DATABASE wo_check CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
			"CREATE VIEW wo_check.v AS SELECT 1 AS id", "CREATE PROCEDURE wo_check.p() SELECT 1",
		}, says: []string{
			"view wo_check.v is on the target, and this move did not make it",
			"procedure wo_check.p is on the target",
		}},
		"a database of another character set": {
			pair: harness.MariaDB, extra: asked, code: 12,
			target: []string{"CREATE DATABASE wo_check CHARACTER SET latin1"}, says: []string{
				"has the collation latin1_swedish_ci and not utf8mb4_general_ci",
				"ALTER DATABASE `wo_check` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
			},
		},
		"an unsafe function": {pair: harness.ToMySQL, extra: asked, code: 12, source: []string{
			"SET GLOBAL log_bin_trust_function_creators = 1", "CREATE FUNCTION unsafe() RETURNS INT RETURN RAND() * 10",
			"SET GLOBAL log_bin_trust_function_creators = 0",
		}, says: []string{
			"neither DETERMINISTIC, NO SQL nor READS SQL DATA",
			"SET GLOBAL log_bin_trust_function_creators = 1",
		}},
		"an account that is not there": {pair: harness.ToMariaDB, extra: asked, code: 12, source: []string{
			"CREATE USER IF NOT EXISTS wo_gone@localhost",
			"CREATE DEFINER = wo_gone@localhost VIEW gone AS SELECT id FROM t",
		}, says: []string{`"definer","end":"target","level":"fail","subject":"wo_gone@localhost"`}},
		"what the other family does not have": {
			pair: harness.ToMySQL, extra: asked, code: 12,
			source: append([]string{
				"SET STATEMENT sql_mode = 'ORACLE' FOR EXECUTE IMMEDIATE 'CREATE PACKAGE pack AS FUNCTION f RETURN " +
					"INT; END'", "CREATE VIEW m AS SELECT JSON_DETAILED('{}') AS j",
			}, rentalSequences...), says: []string{
				"packages are not moved", "has no sequences",
				"uses json_detailed()",
			},
		},
		"what the other family does not have either": {
			pair: harness.ToMariaDB, extra: asked, code: 12,
			source: []string{
				"CREATE VIEW r AS SELECT id FROM t WHERE a REGEXP 'x'",
			}, says: []string{"uses regexp_like()"},
		},
		"a broken view, and one of what stays behind": {
			pair: harness.MariaDB, extra: asked, code: 12,
			source: []string{
				"CREATE TABLE short (a INT)", "CREATE VIEW broken AS SELECT a FROM short", "DROP TABLE short",
				"CREATE DATABASE IF NOT EXISTS wo_else", "CREATE TABLE IF NOT EXISTS wo_else.x (id INT PRIMARY KEY)",
				"CREATE VIEW far AS SELECT id FROM wo_else.x",
			}, says: []string{"is broken on the source", "reads wo_else.x, which is not moved"},
		},
		"a name that cannot be translated": {
			pair: harness.MySQL, extra: asked + "\nroutes: [{from: wo_check.t, to: wo_check.t2}]", code: 12,
			says: []string{"mentions t, and the table of that name becomes wo_check.t2"},
		},
	} {
		t.Run(strings.ReplaceAll(title, " ", "_"), func(t *testing.T) {
			harness.Each(t, []harness.Ends{c.pair}, func(t *testing.T, source, target *harness.Server) {
				m := newMove(t, "wo_check", source, target, c.extra)
				m.source.Exec(t, append(small[:len(small):len(small)], c.source...)...)
				m.to.Exec(t, c.target...)
				code, told := m.check(t)
				assert.Equal(t, c.code, code, told)
				for _, says := range c.says {
					assert.Contains(t, told, says)
				}
			})
		})
	}
}

// TestDefiners: kept, mapped to one account, or left to the account that makes them.
func TestDefiners(t *testing.T) {
	harness.Each(t, []harness.Ends{harness.MySQL, harness.ToMySQL, harness.ToMariaDB},
		func(t *testing.T, source, target *harness.Server) {
			for definer, want := range map[string]string{
				"keep": owner + "@%", "wo_mapped@10.%": "wo_mapped@10.%",
				"current": "",
			} {
				m := newMove(t, "wo_definer", source, target, "cutover: {objects: [views, triggers, routines, "+
					"events], max_lag: 1h, definer: '"+definer+"'}")
				m.source.Exec(t, inDatabase(m.Name, small)...)
				// A view is read with its definer's rights: the cutover refuses one that applications could not read.
				m.to.Exec(t, "CREATE USER IF NOT EXISTS 'wo_mapped'@'10.%'",
					"GRANT SELECT ON wo_definer.* TO 'wo_mapped'@'10.%'")
				m.UpToCutover(t)
				m.Must(t, "cutover", "--confirm=wo_definer")
				if definer == "current" {
					want = m.to.Text(t, "SELECT CURRENT_USER()")
				}
				for list, column := range map[string]string{
					"views": "table_schema", "triggers": "trigger_schema",
					"routines": "routine_schema", "events": "event_schema",
				} {
					assert.Equal(t, want, m.to.Text(t, "SELECT MAX(definer) FROM information_schema."+list+" WHERE "+
						column+" = 'wo_definer'"), "%s %s", definer, list)
				}
				assert.Equal(t, "ENABLED", m.to.Text(t, "SELECT status FROM information_schema.events WHERE "+
					"event_schema = 'wo_definer'"))
			}
		})
}

// TestCheckNeedsPrivileges: an account that cannot see everything could miss something, so check says what to grant;
// with that, and no more, the objects move.
func TestCheckNeedsPrivileges(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		const account = "'wo_mover'@'%'"
		m := newMove(t, "wo_rights", source, target, allObjects)
		m.source.Exec(t, inDatabase(m.Name, small)...)
		for _, db := range []*harness.Server{m.source, m.to} {
			db.Exec(t, "DROP USER IF EXISTS "+account, "CREATE USER "+account+" IDENTIFIED BY '"+lab.Password+"'",
				"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO "+account, "GRANT SELECT ON wo_rights.* TO "+
					account)
			db.Exec(t, "GRANT "+map[bool]string{
				true:  "READ_ONLY ADMIN",
				false: "SYSTEM_VARIABLES_ADMIN",
			}[isMariaDB(db)]+" ON *.* TO "+account)
			db.Exec(t, "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, REFERENCES ON "+
				"`wherry\\_wo\\_rights`.* TO "+account)
		}
		m.to.Exec(t, "GRANT INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, REFERENCES ON wo_rights.* TO "+account)
		m.as(t, "wo_mover")
		code, told := m.check(t)
		assert.Equal(t, 12, code, told)
		for _, grant := range []string{
			"GRANT SHOW VIEW ON `wo_rights`.*", "GRANT TRIGGER ON `wo_rights`.*", "GRANT EVENT ON `wo_rights`.*",
		} {
			assert.Contains(t, told, grant)
		}
		all := "SHOW_ROUTINE ON *.*"
		if isMariaDB(m.Source) {
			all = "SELECT ON mysql.proc"
		}
		m.source.Exec(t, "GRANT SHOW VIEW, TRIGGER, EVENT ON wo_rights.* TO "+account, "GRANT "+all+" TO "+account)
		_, told = m.check(t)
		assert.NotContains(t, told, `"end":"source","level":"fail"`)
		assert.Contains(t, told, "GRANT CREATE VIEW ON `wo_rights`.*")
		set := "SET USER ON *.*"
		if !isMariaDB(m.Target) {
			set = "SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER ON *.*"
		}
		m.to.Exec(t, "GRANT CREATE VIEW, SHOW VIEW, TRIGGER, EVENT, CREATE ROUTINE, ALTER ROUTINE ON wo_rights.* TO "+
			account,
			"GRANT TRIGGER ON `wherry\\_wo\\_rights`.* TO "+account, "GRANT "+set+" TO "+account,
			"GRANT SELECT ON mysql.user TO "+account)
		code, told = m.check(t)
		assert.Equal(t, 12, code, told)
		assert.Contains(t, told, "functions and triggers take SUPER on a target that writes a binary log")
		m.to.Exec(t, "SET GLOBAL log_bin_trust_function_creators = 1")
		t.Cleanup(func() { m.to.Exec(t, "SET GLOBAL log_bin_trust_function_creators = 0") })
		m.UpToCutover(t)
		m.Must(t, "cutover", "--confirm=wo_rights")
		assert.Equal(t, 1, m.count(t, "triggers", "trigger_schema"))
		assert.Equal(t, owner+"@%", m.to.Text(t, "SELECT definer FROM information_schema.triggers WHERE "+
			"trigger_schema = 'wo_rights'"))
	})
}

// as has wherry connect by another account, on both sides.
func (m *move) as(t *testing.T, account string) {
	t.Helper()
	m.becomes(t, lab.User, account)
}

// becomes exchanges the account that commands run as.
func (m *move) becomes(t *testing.T, before, account string) {
	t.Helper()
	config, err := os.ReadFile(m.Config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(m.Config, []byte(strings.ReplaceAll(string(config), "user: "+before,
		"user: "+account)), 0o600))
}
