package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRunPassesFactsAndOutput(t *testing.T) {
	t.Setenv("WHERRY_SOURCE_PASSWORD", "hunter2")
	t.Setenv("WHERRY_COPY_WORKERS", "3")
	t.Setenv("MYSQL_PWD", "hunter2")
	var out, errs bytes.Buffer
	err := Run(t.Context(), Hook{
		Name: "hooks.switch", Command: `echo "$WHERRY_HEAD"; env; echo said >&2`,
		Env:    map[string]string{"head": "a:1-5 'x'", "target.host": "h", "source_password": "hunter2"},
		Stdout: &out, Stderr: &errs,
	})
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(out.String(), "a:1-5 'x'\n"))
	assert.Contains(t, out.String(), "WHERRY_TARGET_HOST=h\n")
	assert.Contains(t, out.String(), "PATH=")
	assert.NotContains(t, out.String(), "hunter2")
	assert.NotContains(t, out.String(), "WHERRY_COPY_WORKERS")
	assert.Equal(t, "said\n", errs.String())
}

func TestRunAnswers(t *testing.T) {
	cases := []struct {
		name, command string
		code          int
		stderr, text  string
	}{
		{"no", "echo no >&2; exit 3", 3, "no", "run hook hooks.switch: exit code 3: no (mend the cause or change " +
			"hooks.switch"},
		{"not found", "nosuchcommand --x", 127, "", "give its full path"},
		{"not executable", "/etc/passwd", 126, "", "is not executable"},
		{"killed by a signal", "kill -9 $$", 137, "", "exit code 137"},
		{
			"end of a long stderr", `i=0; while [ $i -lt 500 ]; do echo "line $i"; i=$((i+1)); done >&2; exit 1`, 1,
			"line 499", "line 499",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			err := Run(t.Context(), Hook{Name: "hooks.switch", Command: tc.command})
			var exit *ExitError
			require.ErrorAs(t, err, &exit)
			assert.Equal(t, tc.code, exit.Code)
			assert.Equal(t, "hooks.switch", exit.Name)
			assert.Contains(t, exit.Stderr, tc.stderr)
			assert.LessOrEqual(t, len(exit.Stderr), maxTail)
			require.ErrorContains(t, err, tc.text)
			assert.Equal(t, tc.code == 127, errors.Is(err, ErrNotFound))
		})
	}
	err := Run(t.Context(), Hook{Name: "hooks.switch", Command: " "})
	require.ErrorIs(t, err, ErrNoCommand)
	require.ErrorContains(t, err, "run hook hooks.switch: no command: set hooks.switch")
}

// alive is false once a process is gone; one that nobody waits for yet counts as gone.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// readPID waits until a command has written its child's pid.
func readPID(t *testing.T, name string) int {
	t.Helper()
	var pid int
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(name)
		if err != nil {
			return false
		}
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	return pid
}

func TestHangIsKilledWithAllItStarted(t *testing.T) {
	cases := []struct {
		name, command string
		atLeast       time.Duration
	}{
		{"sleeps", "sleep 300 & echo $! >$WHERRY_FILE; wait", 0},
		{"ignores TERM", "trap '' TERM; sleep 300 & echo $! >$WHERRY_FILE; wait; wait", grace},
		{"grandchild ignores TERM", "(trap '' TERM; sleep 300) & echo $! >$WHERRY_FILE; wait", grace},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pid")
			var out bytes.Buffer
			began := time.Now()
			err := Run(t.Context(), Hook{
				Name: "hooks.fence", Command: tc.command, Timeout: 500 * time.Millisecond,
				Env: map[string]string{"file": file}, Stdout: &out,
			})
			took := time.Since(began)
			require.ErrorIs(t, err, ErrTimeout)
			require.ErrorContains(t, err, "run hook hooks.fence: no answer in time: killed after 500ms")
			assert.GreaterOrEqual(t, took, tc.atLeast)
			assert.Less(t, took, grace+time.Minute)
			pid := readPID(t, file)
			assert.Eventually(t, func() bool { return !alive(pid) }, time.Minute, 10*time.Millisecond)
		})
	}
}

func TestCancelGivesTheCause(t *testing.T) {
	stop := errors.New("asked to stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(100*time.Millisecond, func() { cancel(stop) })
	began := time.Now()
	err := Run(ctx, Hook{Name: "hooks.fence", Command: "sleep 300"})
	require.ErrorIs(t, err, stop)
	require.NotErrorIs(t, err, ErrTimeout)
	assert.Less(t, time.Since(began), grace)
	require.ErrorIs(t, Run(ctx, Hook{Name: "x", Command: "true"}), stop, "not even started")
}

func TestGrandchildHoldsThePipe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	var out bytes.Buffer
	began := time.Now()
	err := Run(t.Context(), Hook{
		Name: "hooks.switch", Command: "echo done; sleep 300 & echo $! >$WHERRY_FILE; exit 0",
		Env: map[string]string{"file": file}, Stdout: &out,
	})
	require.NoError(t, err, "the command itself said yes")
	assert.Less(t, time.Since(began), grace+time.Minute)
	assert.Equal(t, "done\n", out.String())
	pid := readPID(t, file)
	assert.True(t, alive(pid), "what it left in the background is its own affair")
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))

	err = Run(t.Context(), Hook{Name: "hooks.switch", Command: "sleep 3 & exit 4", Stdout: &out})
	var exit *ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 4, exit.Code)
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	script, plain := filepath.Join(dir, "my script"), filepath.Join(dir, "plain")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n"), 0o700))
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	for _, command := range []string{
		"true", "ls -l", " /bin/sh -c x", "A=1 B='2 3' ls", "'" + script + "' x", `"` + script + `"`,
		"if true; then ls; fi",
		"$CMD x", "(cd /; ls)", "{ ls; }", "! ls", "cd /tmp && ls", "ls;true", ">x ls", "`pwd`/x",
	} {
		require.NoError(t, Check(command), command)
	}
	for command, want := range map[string]error{
		"": ErrNoCommand, " \n": ErrNoCommand, "nosuchcommand x": ErrNotFound, "A=1 nosuchcommand": ErrNotFound,
		plain: ErrNotFound, dir: ErrNotFound, script: ErrNotFound, "/no/such/file": ErrNotFound,
	} {
		require.ErrorIs(t, Check(command), want, command)
	}
	for _, command := range []string{"ls 'x", "if true", "ls |", "(ls"} {
		require.ErrorContains(t, Check(command), "invalid command: ", command)
	}
}
