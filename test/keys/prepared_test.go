package keys

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// prepare leaves an XA transaction prepared, without a connection that holds it.
func (m *move) prepare(t *testing.T, source lab.Server, name string, statements ...string) {
	t.Helper()
	db, err := source.Admin("")
	require.NoError(t, err)
	m.exec(t, db, append(append([]string{"XA START '" + name + "'"}, statements...), "XA END '"+name+"'",
		"XA PREPARE '"+name+"'")...)
	require.NoError(t, db.Close())
	t.Cleanup(func() { // else the table could not be dropped
		_, _ = m.source.ExecContext(context.Background(), "XA ROLLBACK '"+name+"'")
	})
	time.Sleep(100 * time.Millisecond) // MariaDB gives it to other sessions only when its own is gone
}

// TestPreparedXA holds transactions in the state between XA PREPARE and XA COMMIT over the phases of a move and runs
// of start-replica that are killed: what commits arrives, whenever it was prepared, what is rolled back does not, and
// the cutover waits for both.
func TestPreparedXA(t *testing.T) {
	onPairs(t, everyPair, func(t *testing.T, source, target lab.Server) {
		m := newMove(t, "wk_xa", source, target, "copy: {chunk_rows: 2}", "schema: {allow_losses: [collation]}",
			"cutover: {fence: read_only, timeout: 2s, max_lag: 10s}")
		in := quote(m.name) + "."
		m.exec(t, m.source, "USE "+quote(m.name), "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40), u INT UNIQUE)",
			"INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)",
			"CREATE TABLE bag (n INT)", "INSERT INTO bag VALUES (1), (1), (2)",
			"CREATE TABLE marks (id INT PRIMARY KEY)")
		m.must(t, "check")
		m.prepare(t, source, "before", "UPDATE "+in+"t SET v = 'committed later' WHERE id = 1",
			"INSERT INTO "+in+"t VALUES (4, 'd', 4)")
		m.prepare(t, source, "given up", "DELETE FROM "+in+"t WHERE id = 2")
		m.must(t, "init-schema")
		m.must(t, "init-copy")
		m.exec(t, m.source, "XA COMMIT 'before'")
		m.prepare(t, source, "between", "INSERT INTO "+in+"bag VALUES (1), (7)", "DELETE FROM "+in+"bag WHERE n = 2")
		m.must(t, "start-replica", "--until-caught-up")
		m.equal(t)
		assert.Equal(t, 1, m.number(t, m.to, "SELECT COUNT(*) FROM "+in+"t WHERE v = 'committed later'"))
		replica, err := m.Start(t.Context(), "start-replica")
		require.NoError(t, err)
		m.followed(t, replica, 1)
		require.NoError(t, replica.Signal(os.Kill))
		<-replica.Done()
		m.exec(t, m.source, "XA COMMIT 'between'", "XA ROLLBACK 'given up'", "FLUSH BINARY LOGS")
		m.prepare(t, source, "last", "INSERT INTO "+in+"t VALUES (5, 'e', 5)")
		m.exec(t, m.source, "FLUSH BINARY LOGS")
		m.must(t, "start-replica", "--until-caught-up")
		m.equal(t)
		m.must(t, "verify")
		t.Cleanup(func() { m.exec(t, m.source, "SET GLOBAL read_only = 0") })
		c, _, err := m.Run(t.Context(), "cutover", "--confirm="+m.name)
		require.Error(t, err)
		assert.Contains(t, c.Log(), "prepared by XA")
		assert.Contains(t, c.Log(), fmt.Sprintf("X'%x',X'',1", "last"))
		assert.Equal(t, 0, m.number(t, m.source, "SELECT @@GLOBAL.read_only"), "writes are open again")
		m.exec(t, m.source, "XA COMMIT 'last'")
		m.must(t, "cutover", "--confirm="+m.name)
		assert.Equal(t, 1, m.number(t, m.to, "SELECT COUNT(*) FROM "+in+"t WHERE id = 5"))
		m.equal(t)
	})
}
