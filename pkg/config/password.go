package config

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// passwordCommandTimeout is long enough for a vault over a slow link and short enough to notice a prompt
// that waits for a terminal.
const passwordCommandTimeout = 10 * time.Second

// ResolvePassword returns the endpoint's password: from the environment, else password_command, else
// password_file, else password; "" when none is set. It may be called again and then asks again. Errors name
// the key, never what a command or file holds.
func (e *Endpoint) ResolvePassword(ctx context.Context) (string, error) {
	switch {
	case e.EnvPassword != "":
		return e.EnvPassword.Reveal(), nil
	case e.PasswordCommand != "":
		return e.runPasswordCommand(ctx)
	case e.PasswordFile != "":
		return e.readPasswordFile()
	default:
		return e.Password.Reveal(), nil
	}
}

// readPasswordFile returns the file without its last line break. An empty file is an error: an account without a
// password is written by leaving the key out.
func (e *Endpoint) readPasswordFile() (string, error) {
	data, err := os.ReadFile(e.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", e.key("password_file"), err)
	}
	password := trimNewline(string(data))
	if password == "" {
		return "", fmt.Errorf("read %s: %s is empty", e.key("password_file"), e.PasswordFile)
	}
	return password, nil
}

// runPasswordCommand returns what the command prints, without the last line break. What it writes to standard error is
// dropped, since it may hold the secret; so the error says to run it by hand.
func (e *Endpoint) runPasswordCommand(ctx context.Context) (string, error) {
	key := e.key("password_command")
	ctx, cancel := context.WithTimeoutCause(ctx, passwordCommandTimeout,
		fmt.Errorf("no answer within %s, it must not ask for input", passwordCommandTimeout))
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", e.PasswordCommand)
	var out bytes.Buffer
	cmd.Stdout = &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that what the shell started dies with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", fmt.Errorf("run %s: %w (run it by hand to see why)", key, err)
	}
	password := trimNewline(out.String())
	if password == "" {
		return "", fmt.Errorf("run %s: it printed nothing", key)
	}
	return password, nil
}

// trimNewline removes one line break, as editors and echo leave it. Blanks stay: they may be part of a password.
func trimNewline(s string) string { return strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r") }
