package sources

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestSpool has the source purge its log in the middle of a copy that is killed again and again, with writes going
// on: what was kept on this machine takes it to its end, over the seam to the source's own log, and is removed when
// it is no longer needed.
func TestSpool(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		from := fleet(t, flavor, 1)[0]
		m := newMove(t, "ws_spool", from, from.Server.Server, target(t, flavor),
			"copy: {chunk_rows: 40, workers: 1, spool: true}", "replicate: {batch_rows: 50}")
		l := startLoad(t, m.Name, from)
		m.Must(t, "init-schema")
		spool := m.State + ".spool"
		for range 4 {
			from.Exec(t, "FLUSH BINARY LOGS")
			copying := m.Start(t, "init-copy")
			begun := m.Chunks(t)
			harness.Until(t, "a few chunks", func() bool { return m.Chunks(t) > begun+5 }, copying)
			time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
			copying.Kill(t)
		}
		require.Empty(t, m.Fact(t, "consistent"), "the test was too slow")
		release := m.pause(t)
		copying := m.Start(t, "init-copy")
		harness.Until(t, "a spool",
			func() bool { return strings.Contains(copying.Stderr(), "the source's log is kept") }, copying)
		from.Exec(t, "FLUSH BINARY LOGS")
		harness.Until(t, "the spool has the file that the source writes to", func() bool { return m.spools(t, from) },
			copying)
		first := from.Logs(t)[0]
		from.Purge(t)
		require.NotContains(t, from.Logs(t), first)
		status := m.Ends(t, harness.Done, "status")
		assert.Contains(t, status.Output(), `"spool_bytes":`)
		info, err := os.Stat(spool)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		files, err := os.ReadDir(spool)
		require.NoError(t, err)
		for _, f := range files {
			info, err := f.Info()
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f.Name())
		}
		release()
		copying.Ends(t, harness.Done)
		following := m.Start(t, "start-replica")
		m.followed(t, from, following)
		l.Stop(t)
		m.followed(t, from, following)
		m.equal(t, from)
		harness.Until(t, "the spool is gone", func() bool { return !exists(spool) }, following)
	})
}

// pause keeps the copy from writing until release.
func (m *move) pause(t *testing.T) (release func()) {
	t.Helper()
	conn, err := m.to.DB.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "LOCK TABLES "+m.Name+".accounts READ, "+m.Name+".events READ")
	require.NoError(t, err)
	release = sync.OnceFunc(func() {
		_, _ = conn.ExecContext(context.WithoutCancel(t.Context()), "UNLOCK TABLES")
		_ = conn.Close()
	})
	t.Cleanup(release)
	return release
}

// spools tells whether the last of the source's files is in the spool.
func (m *move) spools(t *testing.T, from *node) bool {
	t.Helper()
	logs := from.Logs(t)
	found, err := filepath.Glob(m.State + ".spool/*-" + logs[len(logs)-1])
	require.NoError(t, err)
	return len(found) == 1
}

// TestPurgedWithoutSpool is the same without: the copy cannot be gone on with, and says so.
func TestPurgedWithoutSpool(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		from := fleet(t, flavor, 1)[0]
		m := newMove(t, "ws_purged", from, from.Server.Server, target(t, flavor), "copy: {chunk_rows: 40, workers: 1}")
		m.Must(t, "init-schema")
		copying := m.Start(t, "init-copy")
		harness.Until(t, "a few chunks", func() bool { return m.Chunks(t) > 3 }, copying)
		from.Exec(t, "FLUSH BINARY LOGS", "INSERT INTO "+m.Name+".events VALUES (1, 'later')")
		from.Purge(t)
		copying.Kill(t)
		require.Empty(t, m.Fact(t, "consistent"), "the test was too slow")
		m.Ends(t, harness.Gone, "init-copy")
	})
}

// TestSpoolStopped tells that the source has purged what follows the spool, after nobody has kept it for a while.
func TestSpoolStopped(t *testing.T) {
	from := fleet(t, lab.MySQL, 1)[0]
	m := newMove(t, "ws_gap", from, from.Server.Server, target(t, lab.MySQL),
		"copy: {chunk_rows: 40, workers: 1, spool: true}")
	m.Must(t, "init-schema")
	copying := m.Start(t, "init-copy")
	harness.Until(t, "a few chunks", func() bool { return m.Chunks(t) > 3 && m.spools(t, from) }, copying)
	copying.Kill(t)
	from.Exec(t, "FLUSH BINARY LOGS", "INSERT INTO "+m.Name+".events VALUES (1, 'later')")
	from.Purge(t)
	m.Ends(t, harness.Gone, "init-copy")
}

// TestSpoolAfterFailover: another server takes the source's place while rows are copied, and purges its log. What was
// kept of that server's log takes the copy to its end, though the position that it begins from names a file of the
// first.
func TestSpoolAfterFailover(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		p := newPair(t, flavor)
		m := newMove(t, "ws_spool_failover", p.primary, p.at.Server(), target(t, flavor),
			"copy: {chunk_rows: 40, workers: 1, spool: true}", "replicate: {batch_rows: 50, retry_for: 1m}")
		l := startLoad(t, m.Name, p.primary)
		m.Must(t, "init-schema")
		copying := m.Start(t, "init-copy")
		harness.Until(t, "a few chunks", func() bool { return m.Chunks(t) > 3 && m.spools(t, p.primary) }, copying)
		release := m.pause(t)
		p.failover(t, l, nil)
		p.primary.Exec(t, "FLUSH BINARY LOGS", "FLUSH BINARY LOGS")
		harness.Until(t, "a spool of the second server", func() bool { return m.spools(t, p.primary) }, copying)
		first := p.primary.Logs(t)[0]
		p.primary.Purge(t)
		require.NotContains(t, p.primary.Logs(t), first)
		release()
		copying.Ends(t, harness.Done)
		following := m.Start(t, "start-replica")
		m.followed(t, p.primary, following)
		l.Stop(t)
		m.followed(t, p.primary, following)
		m.equal(t, p.primary)
	})
}
