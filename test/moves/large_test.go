package moves

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// TestKilledInLargeTransaction kills start-replica, and then the source, in the middle of a transaction of a million
// rows, which is applied in pieces within one transaction of the target: until all of it is there, none of it is.
func TestKilledInLargeTransaction(t *testing.T) {
	harness.Script(t)
	p := pairOf(t, harness.MySQL)
	m := newMove(t, p, settings{})
	table := quote(m.Name) + ".big"
	p.source.Exec(t, "CREATE TABLE "+table+" (id INT NOT NULL PRIMARY KEY, n INT NOT NULL)",
		"CREATE TABLE "+quote(m.Name)+".marks (id INT NOT NULL PRIMARY KEY)",
		"INSERT INTO "+table+" VALUES (-1, 0)")
	m.Phases(t, "init-schema", "init-copy")
	p.source.Exec(t, "INSERT INTO "+table+" (id, n) SELECT n, CRC32(n) DIV 2 FROM "+numbers(1_000_000))
	count := "SELECT COUNT(*) FROM " + table
	middle := func(replica *harness.Child) {
		t.Helper()
		harness.Until(t, "some of the transaction on the target", func() bool {
			time.Sleep(150 * time.Millisecond) // what is asked for more often than every 100 ms is old
			n, err := strconv.Atoi(p.target.Text(t, "SELECT COALESCE(MAX(trx_rows_modified), 0) FROM "+
				"information_schema.innodb_trx"))
			return err == nil && n > 50_000
		}, replica)
		require.Equal(t, "1", p.target.Text(t, count), "rows of a transaction that is not over")
	}
	// the file may become known meanwhile
	transactions := func() string { return strings.Fields(m.Fact(t, "position"))[0] }
	at := transactions()
	replica := m.Start(t, "start-replica")
	middle(replica)
	require.True(t, replica.Kill(t))
	assert.Equal(t, at, transactions())
	replica = m.Start(t, "start-replica")
	middle(replica)
	p.source.Control(t, "kill")
	p.source.Control(t, "start")
	m.Followed(t, replica)
	sum := "SELECT CONCAT_WS(' ', COUNT(*), SUM(id), SUM(n), SUM(CRC32(CONCAT(id, ':', n)))) FROM " + table
	assert.Equal(t, p.source.Text(t, sum), p.target.Text(t, sum))
	assert.Equal(t, "1000001", p.target.Text(t, count))
}
