package moves

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestWithoutGTIDs moves from a MySQL server that has no GTIDs, where a fresh log file is the safe start position and
// every position is a file and an offset. init-copy and start-replica are killed once each.
func TestWithoutGTIDs(t *testing.T) {
	target := pairOf(t, harness.MySQL).target
	p := pair{source: extraServer(t, "mysql", "gtid_mode=OFF", "enforce_gtid_consistency=OFF"), target: target}
	require.Equal(t, "OFF", p.source.Text(t, "SELECT @@gtid_mode"))
	m := newMove(t, p, settings{lines: []string{"copy: {chunk_rows: 300}"}})
	m.fill(t, 6_000)
	load := m.startLoad(t, lab.Seed(t), 3, 6_000, 2*time.Millisecond)
	m.Must(t, "init-schema")
	copying := m.Start(t, "init-copy")
	time.Sleep(300 * time.Millisecond)
	copying.Kill(t)
	m.Must(t, "init-copy")
	assert.Contains(t, m.Fact(t, "start"), "file=", "the start position is a place in a file")
	assert.NotContains(t, m.Fact(t, "start"), "gtid=")
	following := m.Start(t, "start-replica")
	time.Sleep(time.Second)
	following.Kill(t)
	following = m.Start(t, "start-replica")
	m.Followed(t, following)
	m.Must(t, "verify")
	r := m.cutover(t)
	require.Equal(t, harness.Done, r.Code, r)
	load.Stop(t)
	assert.Equal(t, harness.Done, following.Wait(t).Code)
	m.equal(t)
	m.complete(t)
}

// extraServer starts a server of its own with settings that others do not have, and takes it away in the end.
func extraServer(t *testing.T, flavor string, options ...string) *harness.Server {
	t.Helper()
	list, stop, err := lab.Extra(harness.Script(t), flavor, options...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stop()) })
	servers, err := lab.ParseServers(list)
	require.NoError(t, err)
	return harness.Connect(t, servers[0])
}
