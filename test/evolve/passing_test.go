package evolve

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// passing is what is in the log besides and changes neither rows nor shapes of the move's tables.
var passing = []string{
	"CREATE DATABASE we_x_other", "CREATE TABLE we_x_other.t (id INT PRIMARY KEY, a INT)",
	"ALTER TABLE we_x_other.t ADD COLUMN b INT", "INSERT INTO we_x_other.t VALUES (1, 2, 3)",
	"CREATE TABLE we_x_other.l LIKE we_x_a.t", "INSERT INTO we_x_other.l SELECT * FROM we_x_a.t",
	"CREATE TABLE we_x_other.s AS SELECT * FROM we_x_a.t", "TRUNCATE TABLE we_x_other.l",
	"RENAME TABLE we_x_other.l TO we_x_other.k", "DROP TABLE we_x_other.k, we_x_other.s",
	"DROP USER IF EXISTS we_x_user", "CREATE USER we_x_user IDENTIFIED BY 'We-x-secret-1'",
	"GRANT SELECT, INSERT ON we_x_a.t TO we_x_user", "REVOKE INSERT ON we_x_a.t FROM we_x_user",
	"SET PASSWORD FOR we_x_user = PASSWORD_OF", "RENAME USER we_x_user TO we_x_user2", "DROP USER we_x_user2",
	"CREATE PROCEDURE we_x_a.p() BEGIN ALTER TABLE we_x_a.nothing ADD COLUMN z INT; DROP TABLE we_x_a.t; END",
	"DROP PROCEDURE we_x_a.p", "CREATE FUNCTION we_x_a.f(x INT) RETURNS INT DETERMINISTIC NO SQL RETURN x + 1",
	"DROP FUNCTION we_x_a.f",
	"CREATE VIEW we_x_a.v AS SELECT id FROM we_x_a.t", "ALTER VIEW we_x_a.v AS SELECT id, n FROM we_x_a.t",
	"DROP VIEW we_x_a.v",
	"CREATE TRIGGER we_x_a.tr BEFORE INSERT ON we_x_a.t FOR EACH ROW SET NEW.n = NEW.n + 0",
	"INSERT INTO we_x_a.t VALUES (50, 50)", "DROP TRIGGER we_x_a.tr",
	"CREATE EVENT we_x_a.e ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM we_x_a.t", "ALTER EVENT we_x_a.e DISABLE",
	"DROP EVENT we_x_a.e",
	"BEGIN", "INSERT INTO we_x_a.t VALUES (51, 51)", "SAVEPOINT one", "INSERT INTO we_x_a.t VALUES (52, 52)",
	"ROLLBACK TO SAVEPOINT one", "SAVEPOINT two", "INSERT INTO we_x_a.t VALUES (53, 53)", "RELEASE SAVEPOINT two",
	"COMMIT",
	"BEGIN", "INSERT INTO we_x_a.t VALUES (54, 54)", "ROLLBACK",
	"CREATE TEMPORARY TABLE we_x_a.tmp LIKE we_x_a.t", "INSERT INTO we_x_a.tmp VALUES (1, 1)",
	"ALTER TABLE we_x_a.tmp ADD COLUMN q INT", "TRUNCATE TABLE we_x_a.tmp", "DROP TEMPORARY TABLE we_x_a.tmp",
	// hides the table
	"CREATE TEMPORARY TABLE we_x_a.t (other INT)", "INSERT INTO we_x_a.t VALUES (1)",
	"ALTER TABLE we_x_a.t ADD COLUMN more INT", "DROP TEMPORARY TABLE we_x_a.t",
	"ANALYZE TABLE we_x_a.t", "OPTIMIZE TABLE we_x_a.t", "REPAIR TABLE we_x_a.t", "CHECK TABLE we_x_a.t",
	"FLUSH TABLES", "FLUSH LOCAL TABLES", "FLUSH STATUS",
	"XA START 'we_x_1'", "INSERT INTO we_x_a.t VALUES (55, 55)", "XA END 'we_x_1'", "XA COMMIT 'we_x_1' ONE PHASE",
	"XA START 'we_x_2'", "INSERT INTO we_x_other.t VALUES (9, 9, 9)", "XA END 'we_x_2'", "XA PREPARE 'we_x_2'",
	"XA COMMIT 'we_x_2'",
	"XA START 'we_x_3'", "INSERT INTO we_x_a.t VALUES (56, 56)", "XA END 'we_x_3'", "XA ROLLBACK 'we_x_3'",
	"DROP DATABASE we_x_other",
}

// TestPassing writes much into the log that is none of the move's: it is passed over, and the row changes between are
// applied. Two-phase transactions on the move's tables are followed.
func TestPassing(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "we_x", source, target,
			harness.Options{Include: "we_x_a.*,we_x_m.*", Lines: extras(source, target)})
		m.Source.Exec(t, "DROP DATABASE IF EXISTS we_x_other",
			"CREATE DATABASE we_x_a CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
			"CREATE TABLE we_x_a.t (id INT PRIMARY KEY, n INT)", "INSERT INTO we_x_a.t VALUES (1, 1), (2, 2)")
		m.must(t, "init-schema", "init-copy")
		replica := m.Start(t, "start-replica")
		for _, s := range passing {
			if s == "SET PASSWORD FOR we_x_user = PASSWORD_OF" {
				if s = "SET PASSWORD FOR we_x_user = 'We-x-secret-2'"; source.Flavor == lab.MariaDB {
					s = "SET PASSWORD FOR we_x_user = PASSWORD('We-x-secret-2')"
				}
			}
			require.NoError(t, lab.ExecAll(t.Context(), m.one, s))
		}
		m.Followed(t, replica)
		m.equal(t, "we_x_a", "we_x_m")
		assert.Equal(t, "6", m.Target.Text(t, "SELECT COUNT(*) FROM we_x_a.t"))
		require.NoError(t, lab.ExecAll(t.Context(), m.one, "XA START 'we_x_4'", "INSERT INTO we_x_a.t VALUES (60, 60)",
			"XA END 'we_x_4'", "XA PREPARE 'we_x_4'", "XA COMMIT 'we_x_4'",
			"XA START 'we_x_4'", "INSERT INTO we_x_a.t VALUES (61, 61)", "XA END 'we_x_4'", "XA PREPARE 'we_x_4'",
			"XA ROLLBACK 'we_x_4'"))
		m.Followed(t, replica)
		m.equal(t, "we_x_a", "we_x_m")
		assert.Equal(t, "7", m.Target.Text(t, "SELECT COUNT(*) FROM we_x_a.t"))
		replica.Interrupt(t)
	})
}
