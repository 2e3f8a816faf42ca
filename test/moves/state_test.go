package moves

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
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

// lose removes the state file, as a command in another folder finds none.
func (m *move) lose(t *testing.T) {
	t.Helper()
	require.NoError(t, os.Remove(m.state))
}

// TestStateLost removes the state file between all phases, and in the middle of the copy: what the target holds
// counts, every phase goes on at once, and nothing is copied again.
func TestStateLost(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		counter := &between.Steps{}
		target := newProxy(t, p.target)
		target.Count(counter)
		m := newMove(t, p, settings{target: target.Address(), lines: []string{"copy: {workers: 2, chunk_rows: 300}"}})
		m.fill(t, 2_000)
		load := m.startLoad(t, lab.Seed(t), 2, 2_000, 4*time.Millisecond)
		m.must(t, "init-schema")
		m.lose(t)
		r := m.run(t, "start-replica")
		require.Equal(t, refused, r.code, r)
		require.Contains(t, r.stderr, "wherry init-copy")
		m.lose(t)

		target.Slow(4 * time.Millisecond)
		copying := m.inTheMiddle(t)
		copying.kill(t)
		target.Slow(0)
		m.lose(t)
		r = m.run(t, "start-replica")
		require.Equal(t, refused, r.code, "in the middle of the copy: %s", r)
		m.lose(t)
		before := m.chunks(t)
		counter.Aim(0, between.Before, nil)
		m.must(t, "init-copy")
		assert.Equal(t, m.chunks(t)-before, counter.Containing("LOAD DATA LOCAL"), "chunks are not copied again")

		m.lose(t)
		assert.Contains(t, m.must(t, "init-copy").stdout, "done already")
		m.lose(t)
		m.must(t, "check")
		assert.Contains(t, m.must(t, "status").stdout, "init-copy", "check knows it too")
		m.lose(t)
		m.must(t, "start-replica", "--until-caught-up")
		m.lose(t)
		m.must(t, "verify")
		m.lose(t)
		r = m.cutover(t)
		require.Equal(t, refused, r.code, "a verify that nobody remembers: %s", r)
		assert.Contains(t, r.stderr, "verify")
		m.must(t, "verify")
		r = m.cutover(t)
		require.Equal(t, done, r.code, r)
		load.stop(t)
		for _, phase := range []string{"init-schema", "init-copy", "start-replica", "verify", "cutover"} {
			m.lose(t)
			r = m.run(t, phase, confirmed(m, phase)...)
			if phase == "verify" { // whose result is lost
				require.Equal(t, refused, r.code, r)
			} else {
				require.Equal(t, done, r.code, "%s after the takeover: %s", phase, r)
			}
			assert.Contains(t, r.stdout+r.stderr, "taken over", phase)
		}
		m.equal(t)
		m.complete(t)
	})
}

// TestStateLostUnderFence kills a cutover while the source is closed, and removes the state file, which says how it
// was before: the target's bookkeeping knows. So it does of a takeover of which a hook failed.
func TestStateLostUnderFence(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		hook := filepath.Join(t.TempDir(), "good")
		source, target := newProxy(t, p.source), newProxy(t, p.target)
		m := newMove(t, p, settings{
			source: source.Address(), target: target.Address(),
			lines: []string{"hooks: {switch: 'test -e " + hook + "'}", "cutover: {timeout: 1m}"},
		})
		m.fill(t, 500)
		m.must(t, "init-schema")
		m.must(t, "init-copy")
		m.must(t, "verify")
		fenced := func() {
			t.Helper()
			source.LoseStatements(1, func(text string) bool {
				if strings.HasPrefix(text, "SET GLOBAL") && strings.Contains(text, "read_only") {
					target.Freeze() // and the cutover waits with the source closed
				}
				return false
			})
			cutting := m.start(t, "cutover", "--confirm="+m.name)
			until(t, "the source is closed", func() bool { return p.source.readOnly(t) }, cutting)
			cutting.kill(t)
			source.LoseStatements(0, func(string) bool { return false })
			target.Thaw()
			m.lose(t)
		}
		fenced()
		r := m.run(t, "cleanup", "--abandon", "--confirm="+m.name)
		require.Equal(t, refused, r.code, r)
		assert.Contains(t, r.stderr, "a cutover was interrupted")
		m.must(t, "cutover", "--abort")
		assert.False(t, p.source.readOnly(t), "the source is open again")
		m.lose(t)
		r = m.cutover(t)
		require.Equal(t, refused, r.code, "nothing is left of that cutover: %s", r)
		assert.False(t, p.source.readOnly(t))

		m.must(t, "verify")
		r = m.cutover(t)
		require.Equal(t, unfinished, r.code, "the hook fails: %s", r)
		m.lose(t)
		r = m.cutover(t)
		require.Equal(t, unfinished, r.code, "the hook fails again: %s", r)
		require.NoError(t, os.WriteFile(hook, nil, 0o600))
		m.lose(t)
		r = m.cutover(t)
		require.Equal(t, done, r.code, r)
		m.equal(t)
	})
}

// TestStateLostUnsealed takes the record of the takeover out of the target's bookkeeping, and leaves there what the
// cutover has noted of its steps, as a repair by hand may do. The record alone counts: without it no phase calls the
// move over, and nothing is done.
func TestStateLostUnsealed(t *testing.T) {
	m := newMove(t, mysqlPair(t), settings{})
	m.fill(t, 500)
	for _, phase := range []string{"init-schema", "init-copy", "verify", "cutover"} {
		m.must(t, phase, confirmed(m, phase)...)
	}
	m.target.exec(t, "DELETE FROM "+quote("wherry_"+m.name)+".facts WHERE name = 'cutover'")
	before := m.fact(t, "cutover_journal")
	require.NotEmpty(t, before)
	for _, phase := range []string{"cutover", "start-replica", "verify", "init-copy"} {
		require.NoError(t, os.RemoveAll(m.state)) // a refusal writes none
		r := m.run(t, phase, confirmed(m, phase)...)
		assert.Equal(t, outcomeUnknown, r.code, "%s: %s", phase, r)
		assert.Contains(t, r.stderr, "the fact \"cutover\"", phase)
	}
	r := m.run(t, "cleanup", "--abandon", "--confirm="+m.name)
	assert.Equal(t, outcomeUnknown, r.code, r)
	assert.Equal(t, before, m.fact(t, "cutover_journal"))
	assert.True(t, m.source.readOnly(t), "the source stays closed")
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
	m.must(t, "start-replica", "--until-caught-up")
	at := m.fact(t, "position")
	restore(copied)
	m.must(t, "start-replica", "--until-caught-up")
	assert.NotEqual(t, at, m.fact(t, "position"))
	m.must(t, "verify")
	verified := m.file(t)
	m.must(t, "start-replica", "--until-caught-up")
	restore(verified) // remembers a verification: what has changed since is compared by the cutover
	r := m.cutover(t)
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

// TestStateUnusable gives every phase a state file that is not of this move or cannot be read: all refuse it, leave
// it as it is, and touch no server.
func TestStateUnusable(t *testing.T) {
	m := newMove(t, mysqlPair(t), settings{})
	m.fill(t, 200)
	m.must(t, "init-schema")
	good := m.file(t)
	cases := map[string][]byte{
		"another move":  bytes.Replace(good, []byte("move: "+m.name), []byte("move: other"), 1),
		"newer":         regexp.MustCompile(`(?m)^version: \d+$`).ReplaceAll(good, []byte("version: 999")),
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

// TestStateDiskFull fills the disk of the state file, and makes it read-only: a phase does not begin, or goes on
// without telling how far it is; the file stays whole; no fence is raised that the journal does not know of; and with
// room again the same command goes on.
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
		require.Equal(t, unmended, r.code, "%s: %s", phase, r)
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
	until(t, "a warning", func() bool { return strings.Contains(copying.stderr.String(), "state file not updated") },
		copying)
	target.Slow(0)
	r := copying.wait(t)
	assert.Equal(t, unmended, r.code, "the end cannot be recorded: %s", r)
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
