package keys

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// prepare leaves an XA transaction prepared, without a connection that holds it.
func (m *move) prepare(t *testing.T, name string, statements ...string) {
	t.Helper()
	own := harness.Connect(t, m.Source.Server)
	own.Exec(t, append(append([]string{"XA START '" + name + "'"}, statements...), "XA END '"+name+"'",
		"XA PREPARE '"+name+"'")...)
	require.NoError(t, own.DB.Close())
	t.Cleanup(func() { // else the table could not be dropped
		_, _ = m.Source.DB.ExecContext(context.Background(), "XA ROLLBACK '"+name+"'")
	})
	time.Sleep(100 * time.Millisecond) // MariaDB gives it to other sessions only when its own is gone
}

// TestPreparedXA holds transactions in the state between XA PREPARE and XA COMMIT over the phases of a move and runs
// of start-replica that are killed: what commits arrives, whenever it was prepared, what is rolled back does not, and
// the cutover waits for both.
func TestPreparedXA(t *testing.T) {
	harness.Each(t, harness.Every, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "wk_xa", source, target, "copy: {chunk_rows: 2}", "schema: {allow_losses: [collation]}",
			"cutover: {fence: read_only, timeout: 2s, max_lag: 10s}")
		in := quote(m.Name) + "."
		m.Source.Exec(t, "USE "+quote(m.Name), "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40), u INT UNIQUE)",
			"INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)",
			"CREATE TABLE bag (n INT)", "INSERT INTO bag VALUES (1), (1), (2)",
			"CREATE TABLE marks (id INT PRIMARY KEY)")
		m.Must(t, "check")
		m.prepare(t, "before", "UPDATE "+in+"t SET v = 'committed later' WHERE id = 1",
			"INSERT INTO "+in+"t VALUES (4, 'd', 4)")
		m.prepare(t, "given up", "DELETE FROM "+in+"t WHERE id = 2")
		m.Phases(t, "init-schema", "init-copy")
		m.Source.Exec(t, "XA COMMIT 'before'")
		m.prepare(t, "between", "INSERT INTO "+in+"bag VALUES (1), (7)", "DELETE FROM "+in+"bag WHERE n = 2")
		m.CatchUp(t)
		m.Equal(t)
		assert.Equal(t, 1, number(t, m.Target, "SELECT COUNT(*) FROM "+in+"t WHERE v = 'committed later'"))
		replica := m.Start(t, "start-replica")
		m.Followed(t, replica)
		replica.Kill(t)
		m.Source.Exec(t, "XA COMMIT 'between'", "XA ROLLBACK 'given up'", "FLUSH BINARY LOGS")
		m.prepare(t, "last", "INSERT INTO "+in+"t VALUES (5, 'e', 5)")
		m.Source.Exec(t, "FLUSH BINARY LOGS")
		m.CatchUp(t)
		m.Equal(t)
		m.Must(t, "verify")
		c := m.Run(t, "cutover", m.Confirm())
		require.NotEqual(t, harness.Done, c.Code)
		assert.Contains(t, c.Stderr(), "prepared by XA")
		assert.Contains(t, c.Stderr(), fmt.Sprintf("X'%x',X'',1", "last"))
		assert.Equal(t, 0, number(t, m.Source, "SELECT @@GLOBAL.read_only"), "writes are open again")
		m.Source.Exec(t, "XA COMMIT 'last'")
		m.Must(t, "cutover", m.Confirm())
		assert.Equal(t, 1, number(t, m.Target, "SELECT COUNT(*) FROM "+in+"t WHERE id = 5"))
		m.Equal(t)
	})
}
