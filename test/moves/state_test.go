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
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// otherState is the exit code for a state file that cannot be used.
const otherState = 10

// file is the state file's content.
func (m *move) file(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile(m.State)
	require.NoError(t, err)
	return content
}

// lose removes the state file, as a command in another folder finds none.
func (m *move) lose(t *testing.T) {
	t.Helper()
	require.NoError(t, os.Remove(m.State))
}

// TestStateLost removes the state file between all phases, and in the middle of the copy: what the target holds
// counts, every phase goes on at once, and nothing is copied again.
func TestStateLost(t *testing.T) {
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		counter := &between.Steps{}
		target := p.target.Proxy(t)
		target.Count(counter)
		m := newMove(t, p, settings{target: target.Address(), lines: []string{"copy: {workers: 2, chunk_rows: 300}"}})
		m.fill(t, 2_000)
		load := m.startLoad(t, lab.Seed(t), 2, 2_000, 4*time.Millisecond)
		m.Must(t, "init-schema")
		m.lose(t)
		r := m.Run(t, "start-replica")
		require.Equal(t, harness.Refused, r.Code, r)
		require.Contains(t, r.Stderr(), "wherry init-copy")
		m.lose(t)

		target.Slow(4 * time.Millisecond)
		copying := m.inTheMiddle(t)
		copying.Kill(t)
		target.Slow(0)
		m.lose(t)
		r = m.Run(t, "start-replica")
		require.Equal(t, harness.Refused, r.Code, "in the middle of the copy: %s", r)
		m.lose(t)
		before := m.Chunks(t)
		counter.Aim(0, between.Before, nil)
		m.Must(t, "init-copy")
		assert.Equal(t, m.Chunks(t)-before, counter.Containing("LOAD DATA LOCAL"), "chunks are not copied again")

		m.lose(t)
		assert.Contains(t, m.Ends(t, harness.Done, "init-copy").Output(), "done already")
		m.lose(t)
		m.Must(t, "check")
		assert.Contains(t, m.Ends(t, harness.Done, "status").Output(), "init-copy", "check knows it too")
		m.lose(t)
		m.CatchUp(t)
		m.lose(t)
		m.Must(t, "verify")
		m.lose(t)
		r = m.cutover(t)
		require.Equal(t, harness.Refused, r.Code, "a verify that nobody remembers: %s", r)
		assert.Contains(t, r.Stderr(), "verify")
		m.Must(t, "verify")
		r = m.cutover(t)
		require.Equal(t, harness.Done, r.Code, r)
		load.Stop(t)
		for _, phase := range []string{"init-schema", "init-copy", "start-replica", "verify", "cutover"} {
			m.lose(t)
			r = m.Run(t, append([]string{phase}, confirmed(m, phase)...)...)
			if phase == "verify" { // whose result is lost
				require.Equal(t, harness.Refused, r.Code, r)
			} else {
				require.Equal(t, harness.Done, r.Code, "%s after the takeover: %s", phase, r)
			}
			assert.Contains(t, r.Output()+r.Stderr(), "taken over", phase)
		}
		m.equal(t)
		m.complete(t)
	})
}

// TestStateLostUnderFence kills a cutover while the source is closed, and removes the state file, which says how it
// was before: the target's bookkeeping knows. So it does of a takeover of which a hook failed.
func TestStateLostUnderFence(t *testing.T) {
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		hook := filepath.Join(t.TempDir(), "good")
		source, target := p.source.Proxy(t), p.target.Proxy(t)
		m := newMove(t, p, settings{
			source: source.Address(), target: target.Address(),
			lines: []string{"hooks: {switch: 'test -e " + hook + "'}", "cutover: {timeout: 1m}"},
		})
		m.fill(t, 500)
		m.Phases(t, "init-schema", "init-copy")
		m.Must(t, "verify")
		fenced := func() {
			t.Helper()
			source.LoseStatements(1, func(text string) bool {
				if strings.HasPrefix(text, "SET GLOBAL") && strings.Contains(text, "read_only") {
					target.Freeze() // and the cutover waits with the source closed
				}
				return false
			})
			cutting := m.Start(t, "cutover", "--confirm="+m.Name)
			harness.Until(t, "the source is closed", func() bool { return p.source.ReadOnly(t) }, cutting)
			cutting.Kill(t)
			source.LoseStatements(0, func(string) bool { return false })
			target.Thaw()
			m.lose(t)
		}
		fenced()
		r := m.Run(t, "cleanup", "--abandon", "--confirm="+m.Name)
		require.Equal(t, harness.Refused, r.Code, r)
		assert.Contains(t, r.Stderr(), "a cutover was interrupted")
		m.Must(t, "cutover", "--abort")
		assert.False(t, p.source.ReadOnly(t), "the source is open again")
		m.lose(t)
		r = m.cutover(t)
		require.Equal(t, harness.Refused, r.Code, "nothing is left of that cutover: %s", r)
		assert.False(t, p.source.ReadOnly(t))

		m.Must(t, "verify")
		r = m.cutover(t)
		require.Equal(t, harness.Unfinished, r.Code, "the hook fails: %s", r)
		m.lose(t)
		r = m.cutover(t)
		require.Equal(t, harness.Unfinished, r.Code, "the hook fails again: %s", r)
		require.NoError(t, os.WriteFile(hook, nil, 0o600))
		m.lose(t)
		r = m.cutover(t)
		require.Equal(t, harness.Done, r.Code, r)
		m.equal(t)
	})
}

// TestStateLostUnsealed takes the record of the takeover out of the target's bookkeeping, and leaves there what the
// cutover has noted of its steps, as a repair by hand may do. The record alone counts: without it no phase calls the
// move over, and nothing is done.
func TestStateLostUnsealed(t *testing.T) {
	m := newMove(t, pairOf(t, harness.MySQL), settings{})
	m.fill(t, 500)
	for _, phase := range []string{"init-schema", "init-copy", "verify", "cutover"} {
		m.Must(t, append([]string{phase}, confirmed(m, phase)...)...)
	}
	m.target.Exec(t, "DELETE FROM "+quote("wherry_"+m.Name)+".facts WHERE name = 'cutover'")
	before := m.Fact(t, "cutover_journal")
	require.NotEmpty(t, before)
	for _, phase := range []string{"cutover", "start-replica", "verify", "init-copy"} {
		require.NoError(t, os.RemoveAll(m.State)) // a refusal writes none
		r := m.Run(t, append([]string{phase}, confirmed(m, phase)...)...)
		assert.Equal(t, outcomeUnknown, r.Code, "%s: %s", phase, r)
		assert.Contains(t, r.Stderr(), "the fact \"cutover\"", phase)
	}
	r := m.Run(t, "cleanup", "--abandon", "--confirm="+m.Name)
	assert.Equal(t, outcomeUnknown, r.Code, r)
	assert.Equal(t, before, m.Fact(t, "cutover_journal"))
	assert.True(t, m.source.ReadOnly(t), "the source stays closed")
}

// TestStateLostAndChanged loses the state file in the middle of the copy, and the configuration changes which rows go
// where: what is copied already was copied under another rule, so nothing goes on.
func TestStateLostAndChanged(t *testing.T) {
	m, _, _, target := slowed(t, pairOf(t, harness.MySQL))
	copying := m.inTheMiddle(t)
	copying.Kill(t)
	target.Slow(0)
	require.NoError(t, os.Remove(m.State))
	m.settings.filter = "worker IN (0, 1)"
	m.write(t)
	for _, phase := range []string{"init-schema", "init-schema"} {
		r := m.Run(t, phase)
		require.Equal(t, otherState, r.Code, "%s: %s", phase, r)
		assert.Contains(t, r.Stderr(), "other routes or filters")
	}
	m.settings.filter = ""
	m.write(t)
	m.Phases(t, "init-schema", "init-copy")
}

// TestStateStale puts older copies of the state file in its place, as from a backup: the target's own record counts.
func TestStateStale(t *testing.T) {
	m := newMove(t, pairOf(t, harness.MySQL), settings{lines: []string{"copy: {workers: 2, chunk_rows: 300}"}})
	m.fill(t, 2_000)
	load := m.startLoad(t, lab.Seed(t), 2, 2_000, 4*time.Millisecond)
	m.Must(t, "init-schema")
	created := m.file(t)
	m.Must(t, "init-copy")
	copied := m.file(t)
	restore := func(content []byte) { require.NoError(t, os.WriteFile(m.State, content, 0o600)) }
	restore(created)
	m.CatchUp(t)
	at := m.Fact(t, "position")
	restore(copied)
	m.CatchUp(t)
	assert.NotEqual(t, at, m.Fact(t, "position"))
	m.Must(t, "verify")
	verified := m.file(t)
	m.CatchUp(t)
	restore(verified) // remembers a verification: what has changed since is compared by the cutover
	r := m.cutover(t)
	require.Equal(t, harness.Done, r.Code, r)
	load.Stop(t)
	m.equal(t)
	for _, old := range [][]byte{created, copied, verified} {
		for _, phase := range []string{"init-schema", "init-copy", "start-replica", "cutover"} {
			restore(old)
			r := m.Run(t, append([]string{phase}, confirmed(m, phase)...)...)
			assert.NotContains(t, []int{harness.Failed, harness.Gone, outcomeUnknown}, r.Code,
				"%s after the takeover: %s", phase, r)
			if r.Code == harness.Refused && phase != "init-schema" && phase != "init-copy" {
				assert.Contains(t, r.Stderr(), "init-copy", "%s: the phase before it", phase)
			}
		}
	}
	restore(copied)
	assert.Contains(t, m.Ends(t, harness.Done, "start-replica").Output(), "over")
	m.equal(t)
}

// TestStateUnusable gives every phase a state file that is not of this move or cannot be read: all refuse it, leave
// it as it is, and touch no server.
func TestStateUnusable(t *testing.T) {
	m := newMove(t, pairOf(t, harness.MySQL), settings{})
	m.fill(t, 200)
	m.Must(t, "init-schema")
	good := m.file(t)
	cases := map[string][]byte{
		"another move":  bytes.Replace(good, []byte("move: "+m.Name), []byte("move: other"), 1),
		"newer":         regexp.MustCompile(`(?m)^version: \d+$`).ReplaceAll(good, []byte("version: 999")),
		"garbage":       []byte("\x00\xff\x80 no state at all"),
		"empty":         {},
		"cut off early": good[:len(good)/3],
		"cut off late":  good[:len(good)-2],
	}
	for what, content := range cases {
		require.NotEqual(t, good, content, what)
		require.NoError(t, os.WriteFile(m.State, content, 0o600))
		for _, phase := range []string{"init-schema", "init-copy", "start-replica", "verify", "cutover"} {
			r := m.Run(t, append([]string{phase}, confirmed(m, phase)...)...)
			assert.Equal(t, otherState, r.Code, "%s, %s: %s", what, phase, r)
			assert.Contains(t, r.Stderr(), m.State, "%s, %s", what, phase)
			assert.Equal(t, content, m.file(t), "%s, %s: the file is left as it is", what, phase)
		}
	}
	require.NoError(t, os.WriteFile(m.State, good, 0o600))
	m.Must(t, "init-copy")
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
	m, load, _, target := slowed(t, pairOf(t, harness.MySQL))
	m.State = filepath.Join(dir, "state.yaml")
	m.write(t)
	m.Must(t, "init-schema")
	impossible := func(phase, why string) {
		t.Helper()
		before := m.file(t)
		r := m.Run(t, append([]string{phase}, confirmed(m, phase)...)...)
		require.Equal(t, harness.Unmended, r.Code, "%s: %s", phase, r)
		assert.Contains(t, r.Stderr(), why, phase)
		assert.Contains(t, r.Stderr(), m.State, phase)
		assert.Equal(t, before, m.file(t), "%s: the file", phase)
		assert.False(t, m.source.ReadOnly(t), "%s: the source", phase)
	}
	room := fillDisk(t, dir)
	impossible("init-copy", "no space left")
	room()

	copying := m.inTheMiddle(t)
	room = fillDisk(t, dir)
	harness.Until(t, "a warning", func() bool { return strings.Contains(copying.Stderr(), "state file not updated") },
		copying)
	target.Slow(0)
	r := copying.Wait(t)
	assert.Equal(t, harness.Unmended, r.Code, "the end cannot be recorded: %s", r)
	assert.NotEmpty(t, m.Fact(t, "consistent"), "but it came to it")
	room()
	m.Must(t, "init-copy")
	room = fillDisk(t, dir)
	impossible("start-replica", "no space left")
	room()
	m.CatchUp(t)
	m.Must(t, "verify")
	room = fillDisk(t, dir)
	impossible("cutover", "no space left")
	room()

	require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	impossible("verify", "read-only file system")
	impossible("cutover", "read-only file system")
	require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT, ""))
	r = m.cutover(t)
	require.Equal(t, harness.Done, r.Code, r)
	load.Stop(t)
	m.equal(t)
}
