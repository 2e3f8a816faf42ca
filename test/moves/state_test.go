package moves

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/lab"
)

// otherState is the exit code for a state file that cannot be used.
const otherState = 10

// file is the state file's content.
func (m *move) file(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile(m.state)
	require.NoError(t, err)
	return content
}

// lose removes the state file; the next phase refuses, and what made the tables makes the file again.
func (m *move) lose(t *testing.T, phase string) {
	t.Helper()
	require.NoError(t, os.Remove(m.state))
	r := m.run(t, phase, confirmed(m, phase)...)
	require.Equal(t, refused, r.code, "%s: %s", phase, r)
	require.Contains(t, r.stderr, "wherry init-schema", phase)
	m.must(t, "init-schema")
}

// TestStateLost removes the state file between all phases, and in the middle of the copy: what the target holds counts, and
// nothing is copied again.
func TestStateLost(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		counter := &between.Steps{}
		target := newProxy(t, p.target)
		target.Count(counter)
		m := newMove(t, p, settings{target: target.Address(), lines: []string{"copy: {workers: 2, chunk_rows: 300}"}})
		m.fill(t, 2_000)
		load := m.startLoad(t, lab.Seed(t), 2, 2_000, 4*time.Millisecond)
		m.must(t, "init-schema")
		m.lose(t, "init-copy")

		target.Slow(4 * time.Millisecond)
		copying := m.inTheMiddle(t)
		copying.kill(t)
		target.Slow(0)
		m.lose(t, "init-copy")
		before := m.chunks(t)
		counter.Aim(0, between.Before, nil)
		m.must(t, "init-copy")
		assert.Equal(t, m.chunks(t)-before, counter.Containing("LOAD DATA LOCAL"), "chunks are not copied again")

		m.lose(t, "start-replica")
		counter.Aim(0, between.Before, nil)
		m.must(t, "init-copy")
		assert.Zero(t, counter.Containing("LOAD DATA LOCAL"), "all is copied")
		m.must(t, "start-replica", "--until-caught-up")
		m.must(t, "verify")
		m.lose(t, "cutover")
		m.must(t, "init-copy")
		r := m.cutover(t)
		require.Equal(t, refused, r.code, "a verify that nobody remembers: %s", r)
		m.must(t, "verify")
		r = m.cutover(t)
		require.Equal(t, done, r.code, r)
		load.stop(t)

		require.NoError(t, os.Remove(m.state))
		for range 2 { // the second time from what the first has written
			r = m.run(t, "init-schema")
			require.Equal(t, refused, r.code, "after the takeover: %s", r)
			assert.Contains(t, r.stderr, "taken over")
			require.NoError(t, os.Remove(m.state))
		}
		r = m.run(t, "init-schema")
		require.Equal(t, refused, r.code, r)
		r = m.cutover(t)
		require.Equal(t, done, r.code, "the cutover can be finished: %s", r)
		m.equal(t)
		m.complete(t)
	})
}

// TestStateLostAndChanged loses the state file in the middle of the copy, and the configuration changes which rows go
// where: what is copied already was copied under another rule, so nothing goes on.
func TestStateLostAndChanged(t *testing.T) {
	m, _, _, target := slowed(t, mysqlPair(t))
	copying := m.inTheMiddle(t)
	copying.kill(t)
	target.Slow(0)
	require.NoError(t, os.Remove(m.state))
	m.settings.filter = "worker IN (0, 1)"
	m.write(t)
	for _, phase := range []string{"init-schema", "init-schema"} {
		r := m.run(t, phase)
		require.Equal(t, otherState, r.code, "%s: %s", phase, r)
		assert.Contains(t, r.stderr, "other routes or filters")
	}
	m.settings.filter = ""
	m.write(t)
	m.must(t, "init-schema")
	m.must(t, "init-copy")
}

// TestStateStale puts older copies of the state file in its place, as from a backup: the target's own record counts.
func TestStateStale(t *testing.T) {
	m := newMove(t, mysqlPair(t), settings{lines: []string{"copy: {workers: 2, chunk_rows: 300}"}})
	m.fill(t, 2_000)
	load := m.startLoad(t, lab.Seed(t), 2, 2_000, 4*time.Millisecond)
	m.must(t, "init-schema")
	created := m.file(t)
	m.must(t, "init-copy")
	copied := m.file(t)
	restore := func(content []byte) { require.NoError(t, os.WriteFile(m.state, content, 0o600)) }
	restore(created)
	r := m.run(t, "start-replica", "--until-caught-up")
	require.Equal(t, refused, r.code, r)
	m.must(t, "init-copy")
	m.must(t, "start-replica", "--until-caught-up")
	at := m.fact(t, "position")
	restore(copied)
	m.must(t, "start-replica", "--until-caught-up")
	assert.NotEqual(t, at, m.fact(t, "position"))
	m.must(t, "verify")
	verified := m.file(t)
	m.must(t, "start-replica", "--until-caught-up")
	restore(verified) // remembers a verification: what has changed since is compared by the cutover
	r = m.cutover(t)
	require.Equal(t, done, r.code, r)
	load.stop(t)
	m.equal(t)
	for _, old := range [][]byte{created, copied, verified} {
		for _, phase := range []string{"init-schema", "init-copy", "start-replica", "cutover"} {
			restore(old)
			r := m.run(t, phase, confirmed(m, phase)...)
			assert.NotContains(t, []int{failed, gone, outcomeUnknown}, r.code, "%s after the takeover: %s", phase, r)
			if r.code == refused && phase != "init-schema" && phase != "init-copy" {
				assert.Contains(t, r.stderr, "init-copy", "%s: the phase before it", phase)
			}
		}
	}
	restore(copied)
	assert.Contains(t, m.must(t, "start-replica").stdout, "over")
	m.equal(t)
}

// TestStateUnusable gives every phase a state file that is not of this move or cannot be read: all refuse it, leave it as
// it is, and touch no server.
func TestStateUnusable(t *testing.T) {
	m := newMove(t, mysqlPair(t), settings{})
	m.fill(t, 200)
	m.must(t, "init-schema")
	good := m.file(t)
	cases := map[string][]byte{
		"another move":  bytes.Replace(good, []byte("move: "+m.name), []byte("move: other"), 1),
		"newer":         bytes.Replace(good, []byte("version: 2"), []byte("version: 999"), 1),
		"garbage":       []byte("\x00\xff\x80 no state at all"),
		"empty":         {},
		"cut off early": good[:len(good)/3],
		"cut off late":  good[:len(good)-2],
	}
	for what, content := range cases {
		require.NotEqual(t, good, content, what)
		require.NoError(t, os.WriteFile(m.state, content, 0o600))
		for _, phase := range []string{"init-schema", "init-copy", "start-replica", "verify", "cutover"} {
			r := m.run(t, phase, confirmed(m, phase)...)
			assert.Equal(t, otherState, r.code, "%s, %s: %s", what, phase, r)
			assert.Contains(t, r.stderr, m.state, "%s, %s", what, phase)
			assert.Equal(t, content, m.file(t), "%s, %s: the file is left as it is", what, phase)
		}
	}
	require.NoError(t, os.WriteFile(m.state, good, 0o600))
	m.must(t, "init-copy")
}

// smallDisk mounts a file system that is full soon.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("SKIPPED: a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

// fillDisk leaves no byte free, and returns what makes room again.
func fillDisk(t *testing.T, dir string) (room func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	require.NoError(t, err)
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Close())
	return func() { require.NoError(t, os.Remove(path)) }
}

// TestStateDiskFull fills the disk of the state file, and makes it read-only: a phase does not begin, or goes on without
// telling how far it is; the file stays whole; no fence is raised that the journal does not know of; and with room again
// the same command goes on.
func TestStateDiskFull(t *testing.T) {
	dir := smallDisk(t)
	m, load, _, target := slowed(t, mysqlPair(t))
	m.state = filepath.Join(dir, "state.yaml")
	m.write(t)
	m.must(t, "init-schema")
	impossible := func(phase, why string) {
		t.Helper()
		before := m.file(t)
		r := m.run(t, phase, confirmed(m, phase)...)
		require.Equal(t, failed, r.code, "%s: %s", phase, r)
		assert.Contains(t, r.stderr, why, phase)
		assert.Contains(t, r.stderr, m.state, phase)
		assert.Equal(t, before, m.file(t), "%s: the file", phase)
		assert.False(t, m.source.readOnly(t), "%s: the source", phase)
	}
	room := fillDisk(t, dir)
	impossible("init-copy", "no space left")
	room()

	copying := m.inTheMiddle(t)
	room = fillDisk(t, dir)
	until(t, "a warning", func() bool { return strings.Contains(copying.stderr.String(), "state file not updated") }, copying)
	target.Slow(0)
	r := copying.wait(t, patience)
	assert.Equal(t, failed, r.code, "the end cannot be recorded: %s", r)
	assert.NotEmpty(t, m.fact(t, "consistent"), "but it came to it")
	room()
	m.must(t, "init-copy")
	room = fillDisk(t, dir)
	impossible("start-replica", "no space left")
	room()
	m.must(t, "start-replica", "--until-caught-up")
	m.must(t, "verify")
	room = fillDisk(t, dir)
	impossible("cutover", "no space left")
	room()

	require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	impossible("verify", "read-only file system")
	impossible("cutover", "read-only file system")
	require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT, ""))
	r = m.cutover(t)
	require.Equal(t, done, r.code, r)
	load.stop(t)
	m.equal(t)
}
