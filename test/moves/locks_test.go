package moves

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// impatient makes the target give up waiting for locks after two seconds, for sessions to come.
func impatient(t *testing.T, s *harness.Server) {
	t.Helper()
	for _, name := range []string{"innodb_lock_wait_timeout", "lock_wait_timeout"} {
		before := s.Text(t, "SELECT @@GLOBAL."+name)
		s.Exec(t, "SET GLOBAL "+name+" = 2")
		t.Cleanup(func() { s.Exec(t, "SET GLOBAL "+name+" = "+before) })
	}
}

// hold has another session keep the locks of statements until release.
func hold(t *testing.T, s *harness.Server, statements ...string) (release func()) {
	t.Helper()
	conn, err := s.DB.Conn(t.Context())
	require.NoError(t, err)
	for _, statement := range append([]string{"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "BEGIN"},
		statements...) {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	once := false
	release = func() {
		if !once {
			once = true
			_, _ = conn.ExecContext(context.Background(), "ROLLBACK")
			_ = conn.Close()
		}
	}
	t.Cleanup(release)
	return release
}

// TestLocksHeld holds locks on the target that the loader, the building of indexes, the applier and a repair need:
// they try again and lose nothing, and the log says who is in the way. A lock that is held for good ends the phase,
// progress kept.
func TestLocksHeld(t *testing.T) {
	pairs(t, harness.One(t, harness.Alike), func(t *testing.T, p pair) {
		impatient(t, p.target)
		m := newMove(t, p, settings{lines: []string{
			"copy: {workers: 2, chunk_rows: 500}",
			"replicate: {retry_for: 3s}",
		}})
		m.fill(t, 2_000)
		m.Must(t, "init-schema")
		waits := func(phase, said string, release func(), args ...string) {
			t.Helper()
			w := m.Start(t, append([]string{phase}, args...)...)
			harness.Until(t, phase+" waits", func() bool { return strings.Contains(w.Stderr(), said) }, w)
			assert.Contains(t, w.Stderr(), "transactions open on the target: connection", phase)
			release()
			r := w.Wait(t)
			require.Equal(t, harness.Done, r.Code, "%s: %s", phase, r)
		}
		ints := quote(m.database) + ".ints"
		release := hold(t, p.target, "SELECT * FROM "+ints+" WHERE id BETWEEN 0 AND 100 FOR UPDATE") // a gap
		r := m.Run(t, "init-copy")
		require.Equal(t, harness.Failed, r.Code, "a lock held for good: %s", r)
		assert.Contains(t, r.Stderr(), "transactions open on the target: connection")
		assert.Contains(t, r.Stderr(), "ints")
		assert.Contains(t, r.Stderr(), "progress is saved")
		assert.Positive(t, m.Chunks(t), "chunks of other tables")
		waits("init-copy", "copy interrupted", release)
		m.equal(t)

		m.source.Exec(t, "UPDATE "+quote(m.Name)+".ints SET t = 'locked' WHERE id < 1000")
		waits("start-replica", "changes are applied again",
			hold(t, p.target, "SELECT * FROM "+ints+" WHERE id = 100 FOR UPDATE"), "--until-caught-up")
		m.equal(t)

		p.target.Exec(t, "UPDATE "+ints+" SET t = 'wrong' WHERE id = 100")
		release = hold(t, p.target, "SELECT * FROM "+ints+" WHERE id = 100 FOR UPDATE")
		w := m.Start(t, "verify", "--repair")
		time.Sleep(3 * time.Second) // longer than the server lets it wait
		release()
		ended := w.Wait(t)
		require.Equal(t, harness.Done, ended.Code, ended)
		m.equal(t)
	})
}

// TestTablesHeld holds a table of the target that has unique indexes to come so that it cannot be altered: building
// them waits, says why, and gives up in the end; run again when the table is free, it goes on.
func TestTablesHeld(t *testing.T) {
	pairs(t, harness.One(t, harness.Alike), func(t *testing.T, p pair) {
		impatient(t, p.target)
		m := newMove(t, p, settings{lines: []string{"replicate: {retry_for: 3s}"}})
		m.fill(t, 500)
		m.Must(t, "init-schema")
		release := hold(t, p.target, "SELECT COUNT(*) FROM "+quote(m.database)+".seats") // a reader is enough
		r := m.Run(t, "init-copy")
		require.Equal(t, harness.Failed, r.Code, r)
		assert.Contains(t, r.Stderr(), "build indexes of "+m.database+".seats")
		assert.Contains(t, r.Stderr(), "transactions open on the target: connection")
		assert.Contains(t, r.Stderr(), "progress is saved")
		w := m.Start(t, "init-copy")
		harness.Until(t, "it waits", func() bool { return strings.Contains(w.Stderr(), "copy interrupted") }, w)
		release()
		ended := w.Wait(t)
		require.Equal(t, harness.Done, ended.Code, ended)
		m.equal(t)
		m.CatchUp(t)
	})
}

// TestDeadlock has another session and the applier wait for each other: the server ends one of them.
func TestDeadlock(t *testing.T) {
	p := pairOf(t, harness.MySQL)
	m := newMove(t, p, settings{})
	m.fill(t, 500)
	m.Phases(t, "init-schema", "init-copy")
	ints := quote(m.database) + ".ints"
	conn, err := p.target.DB.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	exec := func(statement string) {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	// The applier takes rows in the order of the key. The other session has the second and wants the first; what it has
	// changed makes it the dearer of the two, so that the applier is the one that is ended.
	exec("BEGIN")
	exec("UPDATE " + ints + " SET n = n + 1 WHERE id >= 400")
	m.source.Exec(t, "UPDATE "+quote(m.Name)+".ints SET t = 'both' WHERE id IN (100, 400)")
	w := m.Start(t, "start-replica", "--until-caught-up")
	harness.Until(t, "the applier waits", func() bool {
		// the server looks no more often than every 100 ms, and not at all when asked more often
		time.Sleep(200 * time.Millisecond)
		return p.target.Text(t,
			"SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'") != "0"
	}, w)
	deadlocks := p.target.Text(t, "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'lock_deadlocks'")
	exec("UPDATE " + ints + " SET n = n + 1 WHERE id = 100")
	assert.NotEqual(t, deadlocks, p.target.Text(t, "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = "+
		"'lock_deadlocks'"), "deadlocks")
	exec("ROLLBACK")
	r := w.Wait(t)
	require.Equal(t, harness.Done, r.Code, r)
	m.equal(t)
}

// TestTargetFull lets the disk of the target's tables run full: the phase ends and names table and remedy, and with
// room again the same command goes on.
func TestTargetFull(t *testing.T) {
	p := pairOf(t, harness.MariaDB)
	m := newMove(t, p, settings{lines: []string{"copy: {workers: 2, chunk_rows: 500}"}})
	m.fill(t, 5_000)
	p.target.Exec(t, "CREATE DATABASE "+quote(m.database))
	dir := filepath.Join(p.target.Text(t, "SELECT @@datadir"), m.database)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("SKIPPED: a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		_, _ = p.target.DB.Exec("DROP DATABASE " + quote(m.database)) // all but the directory
		require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH))
	})
	owner := info.Sys().(*syscall.Stat_t)
	require.NoError(t, os.Chown(dir, int(owner.Uid), int(owner.Gid)))
	require.NoError(t, os.Chmod(dir, info.Mode().Perm()))
	m.Must(t, "init-schema")
	full := func(phase string, args ...string) {
		t.Helper()
		room := fillDisk(t, dir)
		r := m.Run(t, append([]string{phase}, args...)...)
		room()
		require.Equal(t, harness.Unmended, r.Code, "%s: %s", phase, r)
		assert.Contains(t, r.Stderr(), "no room left", phase)
		assert.Contains(t, r.Stderr(), m.database, phase)
		assert.Contains(t, r.Stderr(), "progress is saved", phase)
	}
	full("init-copy")
	m.Must(t, "init-copy")
	m.equal(t)
	m.source.Exec(t, "UPDATE "+quote(m.Name)+".bins SET v = REPEAT('long', 200)")
	full("start-replica", "--until-caught-up")
	m.CatchUp(t)
	m.equal(t)
}
