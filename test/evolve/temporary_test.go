package evolve

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// sessionIn opens one on the source that writes in a format.
func (m *move) sessionIn(t *testing.T, format string) *sql.Conn {
	t.Helper()
	c, err := m.Source.Pool(t, "").Conn(t.Context()) // no older one
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	m.in(t, c, "SET SESSION binlog_format = "+format, "USE "+m.Name+"_d")
	return c
}

func (m *move) in(t *testing.T, c *sql.Conn, statements ...string) {
	t.Helper()
	require.NoError(t, lab.ExecAll(context.WithoutCancel(t.Context()), c, statements...))
}

// leave ends a session for good.
func leave(t *testing.T, c *sql.Conn) {
	t.Helper()
	_ = c.Raw(func(any) error { return driver.ErrBadConn }) // else another would get it
	_ = c.Close()
}

// formats are those in which a server logs statements on temporary tables, and one in which it does not.
func formats(source *harness.Server) []string {
	if source.Flavor == lab.MariaDB {
		return []string{"MIXED", "STATEMENT", "ROW"}
	}
	return []string{"STATEMENT", "ROW"}
}

// hidden are statements on temporary tables that have the names of tables of the move.
func hidden(source *harness.Server, format string) []string {
	all := []string{
		"CREATE TEMPORARY TABLE orders (id INT PRIMARY KEY, w INT)", "INSERT INTO orders VALUES (5, 5), (6, 6)",
		"UPDATE orders SET w = 1", "DELETE FROM orders WHERE id = 5",
		"TRUNCATE TABLE orders", "TRUNCATE orders", "ALTER TABLE orders ADD COLUMN z INT",
		"CREATE INDEX i ON orders (z)", "DROP INDEX i ON orders", "ANALYZE TABLE orders",
		"ALTER TABLE orders RENAME TO items", "TRUNCATE TABLE items", "ALTER TABLE items RENAME TO other",
		"ALTER TABLE other RENAME TO orders", "ALTER TABLE orders DROP COLUMN z",
		"DROP TABLE orders", "CREATE TEMPORARY TABLE orders LIKE items", "TRUNCATE TABLE orders",
		"DROP TEMPORARY TABLE IF EXISTS orders, items",
	}
	if source.Flavor == lab.MariaDB && format != "ROW" { // where RENAME TABLE takes them too
		all = append(all, "CREATE TEMPORARY TABLE orders (id INT)", "RENAME TABLE orders TO items",
			"TRUNCATE TABLE items", "RENAME TABLE items TO x1, x1 TO orders", "TRUNCATE TABLE orders",
			"CREATE OR REPLACE TEMPORARY TABLE orders (k INT)", "ALTER TABLE orders ADD COLUMN l INT",
			"DROP TABLE orders")
	}
	return all
}

// TestTemporaryTables has sessions whose temporary tables have names of the move's tables, in every format: what is
// done to those is done to nothing on the target, and what is done to the real tables is followed.
func TestTemporaryTables(t *testing.T) {
	allPairs(t, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "we_tt", source, target, harness.Options{Lines: extras(source, target)})
		m.Source.Exec(t, split("CREATE DATABASE we_tt_d CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; CREATE "+
			"TABLE d.orders (id INT PRIMARY KEY, v INT); CREATE TABLE d.items (id INT PRIMARY KEY); "+
			"CREATE TABLE d.bulk (id INT PRIMARY KEY); INSERT INTO d.orders VALUES (1, 1), (2, 2); INSERT INTO "+
			"d.items VALUES (3); INSERT INTO d.bulk VALUES (1)", "we_tt_d")...)
		m.Source.Exec(t, strings.ReplaceAll("CREATE PROCEDURE d.refill() BEGIN CREATE TEMPORARY TABLE d.stage (id "+
			"INT); TRUNCATE TABLE d.bulk; ALTER TABLE d.bulk COMMENT 'refilled'; "+
			"CREATE TABLE d.made (id INT PRIMARY KEY); DROP TABLE d.made; DROP TEMPORARY TABLE d.stage; END", "d.",
			"we_tt_d."))
		m.must(t, "init-schema", "init-copy")
		replica := m.Start(t, "start-replica")
		m.Followed(t, replica)
		for _, format := range formats(source) {
			c := m.sessionIn(t, format)
			m.in(t, c, hidden(source, format)...)
			m.in(t, c, "CALL refill()", "TRUNCATE TABLE bulk", "SET SESSION binlog_format = ROW",
				"INSERT INTO bulk VALUES (7)", "SET SESSION binlog_format = "+format)
			m.in(t, c, "CREATE TEMPORARY TABLE orders (id INT)")
			m.Source.Exec(t, "ALTER TABLE we_tt_d.orders ADD COLUMN "+strings.ToLower(format)+"_ INT DEFAULT 7",
				"INSERT INTO we_tt_d.orders (id) VALUES (100) ON DUPLICATE KEY UPDATE v = 1")
			m.Followed(t, replica)
			replica.Interrupt(t)
			m.in(t, c, "TRUNCATE TABLE orders", "CREATE TEMPORARY TABLE bulk (id INT)", "TRUNCATE TABLE bulk")
			m.must(t, "start-replica --until-caught-up")
			m.equal(t, "we_tt_d", "we_tt_m")
			assert.Equal(t, format != "ROW", strings.Contains(m.Fact(t, "position"), "temporary="),
				m.Fact(t, "position"))
			m.in(t, c, "ALTER TABLE orders ADD COLUMN x INT", "TRUNCATE TABLE bulk")
			replica = m.Start(t, "start-replica")
			leave(t, c)
			m.Followed(t, replica)
			m.equal(t, "we_tt_d", "we_tt_m")
			m.Followed(t, replica)
			assert.NotContains(t, m.Fact(t, "position"), "temporary=")
		}
		replica.Interrupt(t)
	})
}

// TestTemporaryTableOfOldSession has a session that made a temporary table before the log was read: then nobody can
// know, and nothing is done.
func TestTemporaryTableOfOldSession(t *testing.T) {
	source, target := harness.ToMySQL.Open(t)
	m := newMove(t, "we_to", source, target, harness.Options{Lines: extras(source, target)})
	m.Source.Exec(t, split("CREATE DATABASE we_to_d CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; CREATE "+
		"TABLE d.orders (id INT PRIMARY KEY, v INT); INSERT INTO d.orders VALUES (1, 1), (2, 2)", "we_to_d")...)
	c := m.sessionIn(t, "MIXED")
	m.in(t, c, "CREATE TEMPORARY TABLE orders (id INT)")
	m.must(t, "init-schema", "init-copy")
	m.in(t, c, "TRUNCATE TABLE orders")
	said := m.fails(t, "start-replica --until-caught-up")
	for _, says := range []string{"we_to_d.orders", "temporary table", "init-copy --table we_to_d.orders"} {
		assert.Contains(t, said, says)
	}
	m.equal(t, "we_to_d")
	m.must(t, "init-copy --table we_to_d.orders", "start-replica --until-caught-up")
	m.equal(t, "we_to_d")
	m.in(t, c, "TRUNCATE TABLE orders", "DROP TABLE orders")
	m.Mark(t)
	m.fails(t, "start-replica --until-caught-up")
	m.must(t, "init-copy --table we_to_d.orders", "start-replica --until-caught-up")
	m.equal(t, "we_to_d", "we_to_m")
}
