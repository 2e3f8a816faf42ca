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

	"wherry/test/internal/lab"
)

// TestSpool has the source purge its log in the middle of a copy that is killed again and again, with writes going
// on: what was kept on this machine takes it to its end, over the seam to the source's own log, and is removed when
// it is no longer needed.
func TestSpool(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		from := fleet(t, flavor, 1)[0]
		m := newMove(t, "ws_spool", from, from.Server, target(t, flavor),
			"copy: {chunk_rows: 40, workers: 1, spool: true}", "replicate: {batch_rows: 50}")
		l := startLoad(t, m.Name, from)
		m.must(t, "init-schema")
		spool := m.State + ".spool"
		for range 4 {
			from.exec(t, "FLUSH BINARY LOGS")
			copying := m.start(t, "init-copy")
			begun := m.chunks(t)
			until(t, "a few chunks", func() bool { return m.chunks(t) > begun+5 }, copying)
			time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
			require.NoError(t, copying.Signal(os.Kill))
			<-copying.Done()
		}
		require.Empty(t, m.fact(t, "consistent"), "the test was too slow")
		release := m.pause(t)
		copying := m.start(t, "init-copy")
		until(t, "a spool", func() bool { return strings.Contains(copying.Log(), "the source's log is kept") }, copying)
		from.exec(t, "FLUSH BINARY LOGS")
		until(t, "the spool has the file that the source writes to", func() bool { return m.spools(t, from) }, copying)
		first := from.logs(t)[0]
		from.purge(t)
		require.NotContains(t, from.logs(t), first)
		status := m.must(t, "status")
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
		ended(t, copying, 0)
		following := m.start(t, "start-replica")
		m.followed(t, from, following)
		l.stop()
		m.followed(t, from, following)
		m.equal(t, from)
		until(t, "the spool is gone", func() bool { return !exists(spool) }, following)
	})
}

// pause keeps the copy from writing until release.
func (m *move) pause(t *testing.T) (release func()) {
	t.Helper()
	conn, err := m.to.db.Conn(t.Context())
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
	logs := from.logs(t)
	found, err := filepath.Glob(m.State + ".spool/*-" + logs[len(logs)-1])
	require.NoError(t, err)
	return len(found) == 1
}

// TestPurgedWithoutSpool is the same without: the copy cannot be gone on with, and says so.
func TestPurgedWithoutSpool(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		from := fleet(t, flavor, 1)[0]
		m := newMove(t, "ws_purged", from, from.Server, target(t, flavor), "copy: {chunk_rows: 40, workers: 1}")
		m.must(t, "init-schema")
		copying := m.start(t, "init-copy")
		until(t, "a few chunks", func() bool { return m.chunks(t) > 3 }, copying)
		from.exec(t, "FLUSH BINARY LOGS", "INSERT INTO "+m.Name+".events VALUES (1, 'later')")
		from.purge(t)
		require.NoError(t, copying.Signal(os.Kill))
		<-copying.Done()
		require.Empty(t, m.fact(t, "consistent"), "the test was too slow")
		m.ends(t, 13, "init-copy")
	})
}

// TestSpoolStopped tells that the source has purged what follows the spool, after nobody has kept it for a while.
func TestSpoolStopped(t *testing.T) {
	from := fleet(t, lab.MySQL, 1)[0]
	m := newMove(t, "ws_gap", from, from.Server, target(t, lab.MySQL),
		"copy: {chunk_rows: 40, workers: 1, spool: true}")
	m.must(t, "init-schema")
	copying := m.start(t, "init-copy")
	until(t, "a few chunks", func() bool { return m.chunks(t) > 3 && m.spools(t, from) }, copying)
	require.NoError(t, copying.Signal(os.Kill))
	<-copying.Done()
	from.exec(t, "FLUSH BINARY LOGS", "INSERT INTO "+m.Name+".events VALUES (1, 'later')")
	from.purge(t)
	m.ends(t, 13, "init-copy")
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
		m.must(t, "init-schema")
		copying := m.start(t, "init-copy")
		until(t, "a few chunks", func() bool { return m.chunks(t) > 3 && m.spools(t, p.primary) }, copying)
		release := m.pause(t)
		p.failover(t, l, nil)
		p.primary.exec(t, "FLUSH BINARY LOGS", "FLUSH BINARY LOGS")
		until(t, "a spool of the second server", func() bool { return m.spools(t, p.primary) }, copying)
		first := p.primary.logs(t)[0]
		p.primary.purge(t)
		require.NotContains(t, p.primary.logs(t), first)
		release()
		ended(t, copying, 0)
		following := m.start(t, "start-replica")
		m.followed(t, p.primary, following)
		l.stop()
		m.followed(t, p.primary, following)
		m.equal(t, p.primary)
	})
}
