package harness

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// Exit codes of wherry.
const (
	Done        = 0
	Failed      = 1
	Differs     = 3 // also: pending
	Locked      = 11
	Refused     = 12
	Gone        = 13
	Unfinished  = 15
	Unmended    = 78
	Interrupted = 130
)

// Child is a command of wherry that runs, or has ended.
type Child struct {
	*lab.Child
	args   []string
	stderr *buffer
}

// Start starts a command; args begin with its name. It is killed at the end of the test if it still runs then.
func (m *Move) Start(t *testing.T, args ...string) *Child {
	t.Helper()
	c := &Child{args: args, stderr: &buffer{}}
	w := lab.Wherry{Binary: binary, Config: m.Config, Stderr: c.stderr, Folder: m.Folder, Text: m.Text}
	var err error
	c.Child, err = w.Start(context.WithoutCancel(t.Context()), args...)
	require.NoError(t, err)
	t.Cleanup(func() {
		if !c.HasEnded() {
			t.Logf("still running at the end of the test: %v\n%s", args, end(c.stderr.String()))
			c.Kill(t)
		}
	})
	return c
}

// Run runs a command to its end, whatever that is. One that stands still fails the test.
func (m *Move) Run(t *testing.T, args ...string) *Child {
	t.Helper()
	c := m.Start(t, args...)
	c.Wait(t)
	return c
}

// Ends runs a command that must end with an exit code.
func (m *Move) Ends(t *testing.T, code int, args ...string) *Child {
	t.Helper()
	c := m.Start(t, args...)
	c.Ends(t, code)
	return c
}

// Fails runs a command that must end with an exit code, and returns all that it said.
func (m *Move) Fails(t *testing.T, code int, args ...string) string {
	t.Helper()
	return m.Ends(t, code, args...).Said()
}

// Must runs a command that must end well, and returns its summary.
func (m *Move) Must(t *testing.T, args ...string) lab.Summary {
	t.Helper()
	c := m.Ends(t, Done, args...)
	if m.Text {
		return nil
	}
	summary, err := lab.ParseSummary(c.Output())
	require.NoError(t, err, "%v", args)
	return summary
}

// Phases runs commands without arguments, one after another.
func (m *Move) Phases(t *testing.T, commands ...string) {
	t.Helper()
	for _, command := range commands {
		m.Must(t, command)
	}
}

// CatchUp follows until the target has what the source has.
func (m *Move) CatchUp(t *testing.T) {
	t.Helper()
	m.Must(t, "start-replica", "--until-caught-up")
}

// UpToCutover moves everything, and leaves the move ready for its cutover.
func (m *Move) UpToCutover(t *testing.T) {
	t.Helper()
	m.Phases(t, "check", "init-schema", "init-copy")
	m.CatchUp(t)
	m.Must(t, "verify")
}

// Confirm is the flag with which cutover and the like are confirmed.
func (m *Move) Confirm() string { return "--confirm=" + m.Name }

// Killed starts a command n times and kills it after a random time. One that ends before must end well, or be refused:
// the gates of a cutover, and of the way back, may not be met.
func (m *Move) Killed(t *testing.T, r *rand.Rand, n int, longest time.Duration, args ...string) {
	t.Helper()
	codes := []int{Done}
	if args[0] == "cutover" || slices.Contains(args, "--reverse") {
		codes = append(codes, Refused)
	}
	for range n {
		c := m.Start(t, args...)
		select {
		case <-c.Done():
			require.Contains(t, codes, c.Code, "%s", c)
		case <-time.After(time.Duration(r.Int64N(int64(longest)))):
			c.Kill(t)
		}
	}
}

// Mark writes a row on the source that others wait for, into the table marks (id INT PRIMARY KEY).
func (m *Move) Mark(t *testing.T) {
	t.Helper()
	*m.marks++
	database := m.Name
	if m.Marks != "" {
		database = m.Marks
	}
	m.Source.Exec(t, fmt.Sprintf("INSERT INTO %s.marks (id) VALUES (%d)", lab.Quote(database), *m.marks))
}

// hasMark tells whether the last mark is on the target.
func (m *Move) hasMark(t *testing.T) bool {
	t.Helper()
	database := m.Name
	if m.Marks != "" {
		database = m.Marks
	}
	if m.MarksThere != "" {
		database = m.MarksThere
	}
	top, err := m.Target.Value(t, "SELECT MAX(id) FROM "+lab.Quote(database)+".marks")
	return err == nil && top == strconv.Itoa(*m.marks)
}

// Marked waits until the last mark is on the target, and returns true; or until the command ends, and returns false.
func (m *Move) Marked(t *testing.T, replica *Child) bool {
	t.Helper()
	come := false
	require.True(t, lab.Until(func() bool {
		come = m.hasMark(t)
		return come || replica.HasEnded()
	}, replica.Progress), "not followed: %s", replica)
	return come
}

// Followed writes a mark and waits until it is on the target: everything before it is, too. The commands must be
// running until then.
func (m *Move) Followed(t *testing.T, running ...*Child) {
	t.Helper()
	m.Mark(t)
	Until(t, "a mark on the target", func() bool { return m.hasMark(t) }, running...)
}

// Until waits for something to become true, for as long as the commands move. They must be running until then.
func Until(t *testing.T, what string, f func() bool, running ...*Child) {
	t.Helper()
	moves := make([]lab.Progress, len(running))
	for i, c := range running {
		moves[i] = c.Progress
	}
	if lab.Until(func() bool {
		if f() {
			return true
		}
		for _, c := range running {
			c.Running(t)
		}
		return false
	}, moves...) {
		return
	}
	var logs []string
	for _, c := range running {
		logs = append(logs, c.String())
	}
	require.FailNow(t, "waited in vain", "%s\n%s", what, strings.Join(logs, "\n"))
}

// HasEnded tells whether the command has.
func (c *Child) HasEnded() bool {
	select {
	case <-c.Done():
		return true
	default:
		return false
	}
}

// Running requires that the command has not ended.
func (c *Child) Running(t *testing.T) {
	t.Helper()
	if c.HasEnded() {
		require.FailNow(t, "ended too early", "%s", c)
	}
}

// Wait waits for the end, for as long as the command or something else moves, and returns the command.
func (c *Child) Wait(t *testing.T, progress ...lab.Progress) *Child {
	t.Helper()
	require.True(t, c.Ended(progress...), "no end: %s", c)
	return c
}

// Ends waits for the end with an exit code.
func (c *Child) Ends(t *testing.T, code int) {
	t.Helper()
	c.Wait(t)
	require.Equal(t, code, c.Code, "%s", c)
}

// Interrupt ends a start-replica as a person does, and waits for its good end.
func (c *Child) Interrupt(t *testing.T) {
	t.Helper()
	require.NoError(t, c.Signal(os.Interrupt))
	c.Wait(t)
	require.Contains(t, []int{Done, Interrupted, -1}, c.Code, "%s", c) // -1: it had only just been started
}

// Kill is kill -9. It returns false when the command had ended before.
func (c *Child) Kill(t *testing.T) bool {
	t.Helper()
	require.NoError(t, c.Signal(syscall.SIGKILL))
	<-c.Done()
	return c.Code == -1
}

// Stderr is all that it has written to standard error.
func (c *Child) Stderr() string { return c.stderr.String() }

// Said is all that it has written.
func (c *Child) Said() string { return c.Output() + c.Stderr() }

// String is for the message of a failed test: the end of all that it said, without what is well.
func (c *Child) String() string {
	code := "runs"
	if c.HasEnded() {
		code = fmt.Sprintf("exit status %d", c.Code)
	}
	var out strings.Builder
	for line := range strings.Lines(c.Output()) {
		if !strings.Contains(line, `"level":"ok"`) {
			out.WriteString(line)
		}
	}
	return fmt.Sprintf("%s: %s\nstdout: %s\nstderr: %s", strings.Join(c.args, " "), code, end(out.String()),
		end(c.Stderr()))
}

// end is the last part of a long text.
func end(text string) string { return text[max(0, len(text)-4000):] }

// buffer is a bytes.Buffer that may be read while it is written.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
