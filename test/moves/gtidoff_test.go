package moves

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// TestWithoutGTIDs moves from a MySQL server that has no GTIDs, where a fresh log file is the safe start position and
// every position is a file and an offset. init-copy and start-replica are killed once each.
func TestWithoutGTIDs(t *testing.T) {
	target := mysqlPair(t).target
	p := pair{source: extraServer(t, "mysql", "gtid_mode=OFF", "enforce_gtid_consistency=OFF"), target: target}
	require.Equal(t, "OFF", p.source.text(t, "SELECT @@gtid_mode"))
	m := newMove(t, p, settings{lines: []string{"copy: {chunk_rows: 300}"}})
	m.fill(t, 6_000)
	load := m.startLoad(t, lab.Seed(t), 3, 6_000, 2*time.Millisecond)
	m.must(t, "init-schema")
	copying := m.start(t, "init-copy")
	time.Sleep(300 * time.Millisecond)
	copying.kill(t)
	m.must(t, "init-copy")
	assert.Contains(t, m.fact(t, "start"), "file=", "the start position is a place in a file")
	assert.NotContains(t, m.fact(t, "start"), "gtid=")
	following := m.start(t, "start-replica")
	time.Sleep(time.Second)
	following.kill(t)
	following = m.start(t, "start-replica")
	m.caughtUp(t, following)
	m.must(t, "verify")
	r := m.cutover(t)
	require.Equal(t, done, r.code, r)
	load.stop(t)
	assert.Equal(t, done, following.wait(t).code)
	m.equal(t)
	m.complete(t)
}

// extraServer starts a server of its own with settings that others do not have, and takes it away in the end.
func extraServer(t *testing.T, flavor string, options ...string) *server {
	t.Helper()
	script := os.Getenv("WHERRY_SERVERS_SCRIPT")
	if script == "" {
		t.Skip("SKIPPED WITHOUT WHERRY_SERVERS_SCRIPT: a server with settings of its own must be started")
	}
	list, stop, err := lab.Extra(script, flavor, options...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stop()) })
	all, err := openServers(list)
	require.NoError(t, err)
	require.Contains(t, all, flavor+"-1")
	t.Cleanup(func() { _ = all[flavor+"-1"].db.Close() })
	return all[flavor+"-1"]
}
