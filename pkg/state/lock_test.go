package state

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startHolder starts another process that holds the lock, and returns its pid and how to kill -9 it.
func startHolder(t *testing.T, path, phase string) (pid int, kill func()) {
	t.Helper()
	cmd := childCommand(t, "lock", path, phase)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "held\n", line)
	return cmd.Process.Pid, func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

func TestLockIsExclusiveUntilDeath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.yaml")
	f := open(t, path, OpenOptions{Move: "shop"})
	pid, kill := startHolder(t, path, PhaseInitCopy)
	defer kill()

	_, err := f.Lock(PhaseInitCopy)
	require.ErrorIs(t, err, ErrLocked)
	var held *HeldError
	require.ErrorAs(t, err, &held)
	assert.Equal(t, PhaseInitCopy, held.Phase)
	assert.Equal(t, pid, held.PID)
	require.ErrorContains(t, err, "wherry init-copy holds it (pid ")
	phase, at, err := f.Holder()
	require.NoError(t, err)
	assert.Equal(t, PhaseInitCopy, phase)
	assert.Equal(t, pid, at)

	kill()
	phase, _, err = f.Holder()
	require.NoError(t, err)
	assert.Empty(t, phase)
	l, err := f.Lock(PhaseInitCopy)
	require.NoError(t, err)
	assert.False(t, l.Beside())
	_, err = f.Lock(PhaseVerify)
	require.ErrorIs(t, err, ErrLocked, "also within one process")
	require.NoError(t, l.Release())
	require.NoError(t, l.Release())
	l, err = f.Lock(PhaseVerify)
	require.NoError(t, err)
	require.NoError(t, l.Release())
	phase, _, err = f.Holder()
	require.NoError(t, err)
	assert.Empty(t, phase)
}

func TestLockBeside(t *testing.T) {
	cases := []struct {
		holder string
		beside bool
	}{
		{PhaseStartReplica, true},
		{RunPrefix + PhaseStartReplica, true},
		{PhaseInitCopy, false},
		{RunPrefix + PhaseInitCopy, false},
		{PhaseVerify, false},
	}
	for _, tc := range cases {
		t.Run(tc.holder, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "s.yaml")
			f := open(t, path, OpenOptions{Move: "shop"})
			pid, kill := startHolder(t, path, tc.holder)
			defer kill()
			l, err := f.LockBeside(PhaseVerify)
			if !tc.beside {
				var held *HeldError
				require.ErrorAs(t, err, &held)
				assert.Equal(t, tc.holder, held.Phase)
				assert.Equal(t, pid, held.PID)
				kill()
				l, err = f.LockBeside(PhaseVerify) // the side lock was given back
				require.NoError(t, err)
				require.NoError(t, l.Release())
				return
			}
			require.NoError(t, err)
			assert.True(t, l.Beside())
			_, err = f.LockBeside(PhaseCutover)
			require.ErrorIs(t, err, ErrLocked, "verify and cutover exclude each other")
			require.NoError(t, l.Release())
		})
	}
}

func TestLockBesideTakesAFreeLock(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "s.yaml"), OpenOptions{Move: "shop"})
	l, err := f.LockBeside(PhaseVerify)
	require.NoError(t, err)
	assert.False(t, l.Beside())
	_, err = f.Lock(PhaseStartReplica)
	var held *HeldError
	require.ErrorAs(t, err, &held)
	assert.Equal(t, PhaseVerify, held.Phase)
	require.NoError(t, l.Release())
}

func TestSetPhase(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "s.yaml"), OpenOptions{Move: "shop"})
	l, err := f.Lock(RunPrefix + PhaseStartReplica)
	require.NoError(t, err)
	for _, phase := range []string{RunPrefix + PhaseVerify, "run", RunPrefix + PhaseStartReplica} {
		require.NoError(t, l.SetPhase(phase))
		got, pid, err := f.Holder()
		require.NoError(t, err)
		assert.Equal(t, phase, got)
		assert.Equal(t, os.Getpid(), pid)
	}
	require.Error(t, l.SetPhase("two words"))
	require.NoError(t, l.Release())
}

func TestHolderWritesItsNameLate(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "s.yaml"), OpenOptions{Move: "shop"})
	file, err := openLock(f.path + ".lock")
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	require.NoError(t, tryFlock(file))

	_, err = f.Lock(PhaseVerify) // it never does
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorContains(t, err, "another wherry holds it")

	late := time.AfterFunc(50*time.Millisecond, func() { _ = writeHolder(file, self(PhaseInitCopy)) })
	defer late.Stop()
	_, err = f.Lock(PhaseVerify)
	var held *HeldError
	require.ErrorAs(t, err, &held)
	assert.Equal(t, PhaseInitCopy, held.Phase)
}

func TestNameLeftBehindByTheDead(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "s.yaml"), OpenOptions{Move: "shop"})
	gone := childCommand(t, "none", f.path, "")
	require.NoError(t, gone.Run())
	stale := self(PhaseStartReplica)
	stale.pid = gone.Process.Pid
	file, err := openLock(f.path + ".lock")
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	require.NoError(t, writeHolder(file, stale))
	require.NoError(t, tryFlock(file))
	late := time.AfterFunc(50*time.Millisecond, func() { _ = writeHolder(file, self(PhaseInitCopy)) })
	defer late.Stop()
	_, err = f.LockBeside(PhaseVerify)
	var held *HeldError
	require.ErrorAs(t, err, &held, "the dead start-replica must not be believed")
	assert.Equal(t, PhaseInitCopy, held.Phase)
}

func TestParseHolder(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "verify": false, "verify 1": false, "verify 12 host": false, "verify 12 host\n": true,
		"verify 12 host\nrest": true, "verify x host\n": false, "a b 12 host\n": false, "verify -1 host\n": false,
	} {
		_, ok := parseHolder(text)
		assert.Equal(t, want, ok, "%q", text)
	}
}
