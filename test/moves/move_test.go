package moves

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// patience is how long a test waits for what should take a moment.
const patience = lab.Patience

// Exit codes of wherry.
const (
	done        = 0
	failed      = 1
	locked      = 11
	refused     = 12
	gone        = 13
	unfinished  = 15
	unmended    = 78
	interrupted = 130
)

// move is one configuration of wherry with a database of its own on the source.
type move struct {
	pair
	name     string // of the move and of its database on the source
	config   string // file
	state    string // file
	folder   string // in which commands run; "": the test's own
	database string // on the target
	settings settings
}

// settings are what a move's configuration has besides names.
type settings struct {
	source, target string   // addresses, when they are not the servers' own: those of proxies
	routed         bool     // the database and the table ints get other names on the target
	filter         string   // of the table ints
	lines          []string // whole keys, such as "copy: {workers: 2}"
	hasty          bool     // a server that says nothing for a second is asked whether it lives
}

// newMove makes an empty database on the source and a configuration that moves it. Everything is removed in the end.
func newMove(t *testing.T, p pair, s settings) *move {
	t.Helper()
	var random [4]byte
	_, err := rand.Read(random[:])
	require.NoError(t, err)
	m := &move{pair: p, name: prefix + hex.EncodeToString(random[:]), settings: s}
	m.database = m.name
	if s.routed {
		m.database += "_new"
	}
	dir := t.TempDir()
	m.config, m.state = filepath.Join(dir, "wherry.yaml"), filepath.Join(dir, "state.yaml")
	m.write(t)
	t.Cleanup(func() { m.remove(t) })
	for _, s := range []*server{p.source, p.target} {
		require.NoError(t, s.writable(t.Context()), s.name)
	}
	p.source.exec(t, "CREATE DATABASE "+quote(m.name)+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
	return m
}

// second returns the same move with a state file of its own, as from another machine.
func (m *move) second(t *testing.T) *move {
	t.Helper()
	other := *m
	dir := t.TempDir()
	other.config, other.state = filepath.Join(dir, "wherry.yaml"), filepath.Join(dir, "state.yaml")
	other.write(t)
	return &other
}

// write writes the configuration.
func (m *move) write(t *testing.T) {
	t.Helper()
	end := func(s *server, address string) string {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			host, port = s.host, s.port
		}
		more := ""
		if m.settings.hasty {
			more = ", connect_timeout: 1s"
		}
		return fmt.Sprintf("{host: %s, port: %s, user: %s, password: %s, tls: {mode: disabled}%s}", host, port, user,
			password, more)
	}
	lines := []string{
		"move: " + m.name,
		"state: " + m.state,
		"source: " + end(m.source, m.settings.source),
		"target: " + end(m.target, m.settings.target),
		fmt.Sprintf("tables: {include: [%q]}", m.name+".*"),
	}
	if m.settings.routed {
		lines = append(lines, fmt.Sprintf("routes: [{from: %q, to: %q}, {from: %q, to: %q}]", m.name+".*",
			m.database+".*", m.name+".ints", m.database+".numbers"))
	}
	if m.settings.filter != "" {
		lines = append(lines, fmt.Sprintf("filters: [{table: %q, where: %q}]", m.name+".ints", m.settings.filter))
	}
	text := strings.Join(append(lines, m.settings.lines...), "\n") + "\n"
	require.NoError(t, os.WriteFile(m.config, []byte(text), 0o600))
}

// remove drops the databases and lets both servers be written to again.
func (m *move) remove(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, s := range []*server{m.source, m.target} {
		if err := s.writable(ctx); err != nil {
			t.Errorf("turn read_only of %s off: %v", s.name, err)
		}
		for _, database := range []string{m.name, m.database, "wherry_" + m.name} {
			if _, err := s.db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+quote(database)); err != nil {
				t.Errorf("drop %s on %s: %v", database, s.name, err)
			}
		}
	}
}

// targetTable is where a table of the source goes.
func (m *move) targetTable(table string) string {
	if m.settings.routed && table == "ints" {
		return "numbers"
	}
	return table
}

// chunks returns how many chunks are copied.
func (m *move) chunks(t *testing.T) int {
	t.Helper()
	var n int
	err := m.target.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+quote("wherry_"+m.name)+
		".chunks WHERE done = 1").Scan(&n)
	if err != nil {
		return 0 // not begun yet, or the server is away
	}
	return n
}

// fact returns an entry of the bookkeeping on the target.
func (m *move) fact(t *testing.T, name string) string {
	t.Helper()
	return m.target.text(t, "SELECT value FROM "+quote("wherry_"+m.name)+".facts WHERE name = ?", name)
}

// result is how a command of wherry ended. A signal is code -1.
type result struct {
	code           int
	stdout, stderr string
}

func (r result) String() string {
	return fmt.Sprintf("exit status %d\nstdout: %s\nstderr: %s", r.code, end(r.stdout), end(r.stderr))
}

// end is the last part of a long text.
func end(text string) string { return text[max(0, len(text)-4000):] }

// run runs a command to its end.
func (m *move) run(t *testing.T, phase string, args ...string) result {
	t.Helper()
	p := m.start(t, phase, args...)
	return p.wait(t)
}

// must runs a command that must end well.
func (m *move) must(t *testing.T, phase string, args ...string) result {
	t.Helper()
	r := m.run(t, phase, args...)
	require.Equal(t, done, r.code, "%s: %s", phase, r)
	return r
}

// cutover confirms it.
func (m *move) cutover(t *testing.T) result {
	t.Helper()
	return m.run(t, "cutover", "--confirm="+m.name)
}

// proc is a command of wherry that runs, or has ended.
type proc struct {
	args           string
	cmd            *exec.Cmd
	stdout, stderr buffer
	done           chan struct{}
}

// start starts a command; it is killed at the end of the test if it still runs then.
func (m *move) start(t *testing.T, phase string, args ...string) *proc {
	t.Helper()
	p := &proc{args: phase + " " + strings.Join(args, " "), done: make(chan struct{})}
	p.cmd = exec.Command(wherry, append([]string{phase, "--config", m.config}, args...)...)
	p.cmd.Dir = m.folder
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "WHERRY_") {
			p.cmd.Env = append(p.cmd.Env, variable)
		}
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.WaitDelay = 5 * time.Second // hooks may hold its output open
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // the exit code says it
		close(p.done)
	}()
	t.Cleanup(func() {
		if !p.ended() {
			t.Logf("still running at the end of the test: %s\n%s", p.args, end(p.stderr.String()))
			p.kill(t)
		}
	})
	return p
}

// ended tells whether the command has.
func (p *proc) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// signal sends a signal; a command that has ended does not mind.
func (p *proc) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		require.NoError(t, err)
	}
}

// kill is kill -9. It returns false when the command had ended before.
func (p *proc) kill(t *testing.T) bool {
	t.Helper()
	p.signal(t, syscall.SIGKILL)
	<-p.done
	return p.cmd.ProcessState.ExitCode() == -1
}

// wait waits for the end, for as long as the command moves.
func (p *proc) wait(t *testing.T) result {
	t.Helper()
	if !lab.Until(p.ended, p.moves()) {
		p.signal(t, syscall.SIGQUIT) // shows where it hangs
		<-p.done
		require.FailNow(t, "no end", "%s: %s", p.args, p.result())
	}
	return p.result()
}

// moves changes while the command works.
func (p *proc) moves() lab.Progress { return lab.Works(p.cmd.Process.Pid) }

func (p *proc) result() result {
	return result{p.cmd.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String()}
}

// running requires that the command has not ended.
func (p *proc) running(t *testing.T) {
	t.Helper()
	if p.ended() {
		require.FailNow(t, "ended too early", "%s: %s", p.args, p.result())
	}
}

// until waits for something to become true while commands run.
func until(t *testing.T, what string, f func() bool, running ...*proc) {
	t.Helper()
	moves := make([]lab.Progress, len(running))
	for i, p := range running {
		moves[i] = p.moves()
	}
	if lab.Until(func() bool {
		if f() {
			return true
		}
		for _, p := range running {
			p.running(t)
		}
		return false
	}, moves...) {
		return
	}
	var logs []string
	for _, p := range running {
		logs = append(logs, p.args+": "+end(p.stderr.String()))
	}
	require.FailNow(t, "waited in vain", "%s\n%s", what, strings.Join(logs, "\n"))
}

// caughtUp writes a marker on the source and waits until it is on the target: everything before it is, too.
func (m *move) caughtUp(t *testing.T, running ...*proc) {
	t.Helper()
	var random [8]byte
	_, err := rand.Read(random[:])
	require.NoError(t, err)
	mark := hex.EncodeToString(random[:])
	m.source.exec(t, "INSERT INTO "+quote(m.name)+".marks (mark) VALUES ('"+mark+"')")
	until(t, "marker on the target", func() bool {
		var n int
		err := m.target.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+quote(m.database)+
			".marks WHERE mark = ?", mark).Scan(&n)
		return err == nil && n == 1
	}, running...)
}

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
