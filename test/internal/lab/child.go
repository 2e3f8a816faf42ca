package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// samples is how often a child's memory is read: its peak is kept by the kernel, so only growth in the last
// moment of its life can be missed.
const samples = 20 * time.Millisecond

// Child is a program that runs, or has ended.
type Child struct {
	Wall    time.Duration // from start to end
	CPU     time.Duration // user and system time
	PeakRSS int64         // bytes
	Code    int           // exit code

	cmd   *exec.Cmd
	began time.Time
	done  chan struct{}
	err   error
	mu    sync.Mutex
	out   strings.Builder // standard output
	log   tail            // the end of standard error
}

// Start starts a program. Its output goes to the writers too, if they are not nil. When ctx ends it is asked to
// stop, and killed if it does not within 20 s. Variables of the environment named WHERRY_* do not reach it.
func Start(ctx context.Context, stdout, stderr io.Writer, name string, args ...string) (*Child, error) {
	return StartIn(ctx, "", stdout, stderr, name, args...)
}

// StartIn is Start in a folder.
func StartIn(ctx context.Context, folder string, stdout, stderr io.Writer, name string, args ...string) (*Child,
	error,
) {
	c := &Child{done: make(chan struct{})}
	c.cmd = exec.CommandContext(ctx, name, args...)
	c.cmd.Dir = folder
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = 20 * time.Second
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal reaches it through ctx only
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "WHERRY_") {
			c.cmd.Env = append(c.cmd.Env, variable)
		}
	}
	c.cmd.Stdout = &tee{mu: &c.mu, keep: &c.out, next: stdout}
	c.cmd.Stderr = &tee{mu: &c.mu, keep: &c.log, next: stderr}
	c.began = time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go c.wait()
	return c, nil
}

// Run starts a program and waits for its end.
func Run(ctx context.Context, stdout, stderr io.Writer, name string, args ...string) (*Child, error) {
	c, err := Start(ctx, stdout, stderr, name, args...)
	if err != nil {
		return nil, err
	}
	return c, c.Wait()
}

// wait ends when the child has: it samples memory until then.
func (c *Child) wait() {
	ended := make(chan error, 1)
	go func() { ended <- c.cmd.Wait() }()
	tick := time.NewTicker(samples)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			c.Wall = time.Since(c.began)
			c.CPU = c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime()
			c.Code = c.cmd.ProcessState.ExitCode()
			c.err = c.verdict(err)
			close(c.done)
			return
		case <-tick.C:
			// Not ru_maxrss: until exec a child shares its parent's memory, and the parent's size would count.
			c.PeakRSS = max(c.PeakRSS, peakRSS(c.cmd.Process.Pid))
		}
	}
}

func (c *Child) verdict(err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return fmt.Errorf("%s: %w\n%s", strings.Join(c.cmd.Args, " "), err, strings.TrimSpace(c.Log()))
	default:
		return fmt.Errorf("%s: %w", strings.Join(c.cmd.Args, " "), err)
	}
}

// Wait waits for the end; an exit code other than 0 is an error that has the end of standard error.
func (c *Child) Wait() error {
	<-c.done
	return c.err
}

// PID is the process.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Done is closed at the end.
func (c *Child) Done() <-chan struct{} { return c.done }

// Signal sends a signal, unless the child has ended.
func (c *Child) Signal(signal os.Signal) error {
	if err := c.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", c.cmd.Path, err)
	}
	return nil
}

// Output is what it has written to standard output.
func (c *Child) Output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.String()
}

// Log is the end of what it has written to standard error.
func (c *Child) Log() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.log.buf)
}

// peakRSS reads VmHWM of a process: its peak in bytes, 0 if it is gone.
func peakRSS(pid int) int64 {
	file, err := os.Open("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return kilobytes << 10
		}
	}
	return 0
}

// tee keeps what passes.
type tee struct {
	mu   *sync.Mutex
	keep io.Writer
	next io.Writer
}

func (t *tee) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.keep.Write(p); err != nil {
		return 0, err
	}
	if t.next != nil {
		return t.next.Write(p)
	}
	return len(p), nil
}

const tailBytes = 8 << 10

// tail keeps the end of what is written.
type tail struct{ buf []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if excess := len(t.buf) - tailBytes; excess > 0 {
		t.buf = append(t.buf[:0], t.buf[excess:]...)
	}
	return len(p), nil
}
