// Package hook runs the user's own commands; the exit code is the answer.
//
// Its one invariant: Run returns within the timeout and a few seconds, whatever the command does, and a command that
// did not exit with 0 in time has said no; what it had started is killed with it. A password never reaches it. For
// example, `hooks.switch: curl .. & sleep 1000` with a timeout of 30s: after 30 s curl and sleep both get TERM, 2 s
// later KILL.
//
// It does not decide when a hook runs or what a no means, and does not print: output goes where the caller says.
package hook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// DefaultTimeout holds when a Hook has none.
const DefaultTimeout = 30 * time.Second

// grace is what a command has to clean up between TERM and KILL, and how long its output is awaited after it
// has ended.
const grace = 2 * time.Second

// What can go wrong beside an *ExitError.
var (
	// ErrNoCommand: the command is empty.
	ErrNoCommand = errors.New("no command")
	// ErrNotFound: the command's first word is not an executable.
	ErrNotFound = errors.New("command not found")
	// ErrTimeout: the command did not end in time and was killed.
	ErrTimeout = errors.New("no answer in time")
)

// Hook is one command of the user's.
type Hook struct {
	Name    string            // the config key, such as hooks.switch; used in errors
	Command string            // run by sh -c
	Timeout time.Duration     // default DefaultTimeout
	Env     map[string]string // facts: "head" becomes WHERRY_HEAD; those named like a secret are left out
	Stdout  io.Writer         // nil discards
	Stderr  io.Writer         // nil discards; its end is kept for the error either way
}

// ExitError says that the command answered no.
type ExitError struct {
	Name   string
	Code   int    // exit code, or 128 + the signal that ended it, as shells count
	Stderr string // the last of what it wrote there
}

func (e *ExitError) Error() string {
	text := fmt.Sprintf("run hook %s: exit code %d", e.Name, e.Code)
	if e.Stderr != "" {
		text += ": " + e.Stderr
	}
	switch e.Code {
	case 126:
		text += " (the command is not executable: correct it or its mode)"
	case 127:
		text += " (a command was not found: give its full path, wherry's PATH may differ from yours)"
	default:
		text += " (mend the cause or change " + e.Name + ", then run the same command again)"
	}
	return text
}

// Is matches ErrNotFound when the shell did not find the command.
func (e *ExitError) Is(target error) bool { return target == ErrNotFound && e.Code == 127 }

// Run runs the command to its end and returns nil if it exits with 0. Processes that a successful command leaves
// in the background live on, but must not need its output. When the timeout passes (ErrTimeout) or ctx is
// cancelled (its cause), the whole process group gets TERM and 2 s later KILL.
func Run(ctx context.Context, h Hook) error {
	if strings.TrimSpace(h.Command) == "" {
		return fmt.Errorf("run hook %s: %w: set %s", h.Name, ErrNoCommand, h.Name)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("run hook %s: %w", h.Name, context.Cause(ctx))
	}
	timeout := h.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout,
		fmt.Errorf("%w: killed after %s (make it faster or raise hooks.timeout)", ErrTimeout, timeout))
	defer cancel()

	kept := &tail{next: h.Stderr}
	cmd := exec.Command("sh", "-c", h.Command)
	cmd.Env = environ(os.Environ(), h.Env)
	cmd.Stdout, cmd.Stderr = h.Stdout, kept
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = grace // a grandchild may hold the pipes open for ever
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run hook %s: start sh: %w", h.Name, err)
	}
	var answer error
	ended := make(chan struct{})
	go func() {
		answer = cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return h.verdict(answer, kept)
	case <-ctx.Done():
		killGroup(cmd.Process.Pid, ended)
		return fmt.Errorf("run hook %s: %w", h.Name, context.Cause(ctx))
	}
}

// verdict turns what Wait returned into the answer.
func (h Hook) verdict(err error, kept *tail) error {
	var exit *exec.ExitError
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay): // it exited with 0, only its children still hold a pipe
		return nil
	case !errors.As(err, &exit):
		return fmt.Errorf("run hook %s: %w", h.Name, err)
	}
	code := exit.ExitCode()
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		code = 128 + int(status.Signal())
	}
	return &ExitError{Name: h.Name, Code: code, Stderr: kept.String()}
}
