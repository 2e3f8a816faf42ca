package cli

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// standing is what status --json says of how a move stands.
type standing struct {
	Stand struct {
		Rule, Now string
		Wrong     []string
	}
	Next      string
	Reason    string
	Positions struct {
		LagSeconds *float64 `json:"lag_seconds"`
		AtMost     bool     `json:"lag_at_most"`
	}
}

// stands asks for the status, in words and as JSON.
func (b *begun) stands(code int, options ...string) (standing, string) {
	b.Helper()
	words := b.run(code, strings.Join(append([]string{"status"}, options...), " "))
	s := b.document(code, options...)
	assert.Contains(b.T, words.stdout, s.Next)
	return s, words.stdout
}

func (b *begun) document(code int, options ...string) (s standing) {
	b.Helper()
	c := b.run(code, strings.Join(append([]string{"status", "--json"}, options...), " "))
	line, _, _ := strings.Cut(c.stdout, "\n")
	require.NoError(b.T, json.Unmarshal([]byte(line), &s), c.stdout)
	return s
}

// until waits for a rule to hold.
func (b *begun) until(rule string) standing {
	b.Helper()
	var s standing
	for began := time.Now(); time.Since(began) < patience; time.Sleep(100 * time.Millisecond) {
		if s = b.document(0); s.Stand.Rule == rule {
			return s
		}
	}
	require.Equal(b.T, rule, s.Stand.Rule, "%+v", s)
	return s
}

// start runs a command until it is stopped.
func (b *begun) start(args ...string) (stop func() int) {
	b.Helper()
	cmd := exec.Command(binary, append(args, "--config", b.path)...)
	cmd.Dir = b.dir
	require.NoError(b.T, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	stop = sync.OnceValue(func() int {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-ended
		}
		return cmd.ProcessState.ExitCode()
	})
	b.Cleanup(func() { stop() })
	return stop
}

// relay leads to a server until it is cut.
type relay struct {
	port int
	mu   sync.Mutex
	down bool
	open []net.Conn
}

func newRelay(t *testing.T, to *harness.Server) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	r := &relay{port: l.Addr().(*net.TCPAddr).Port}
	address := to.Address()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", address)
			if err != nil || !r.keep(in, out) {
				_ = in.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
		}
	}()
	return r
}

func (r *relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = append(r.open, conns...)
	return !r.down
}

func (r *relay) cut(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
	for _, c := range r.open {
		_ = c.Close()
	}
	r.open = nil
}

// TestStatusWithoutStateFile: a move whose state file is not there is not taken for one that has not begun.
func TestStatusWithoutStateFile(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		b := begin(t, source, target)
		s, _ := b.stands(0)
		assert.Equal(t, "not begun", s.Stand.Rule)
		assert.Equal(t, "wherry check --config "+b.path, s.Next)
		b.set("target.port", closed(t))
		s, _ = b.stands(10)
		assert.Equal(t, "no state file", s.Stand.Rule)
		require.Len(t, s.Stand.Wrong, 1)
		assert.Contains(t, s.Stand.Wrong[0], "connection refused")
		_, words := b.stands(10, "--offline")
		assert.Contains(t, words, "there is no state file")
		b.set("target.port", target.Port)
		b.run(0, "init-schema")
		b.set("state", filepath.Join(b.dir, "elsewhere.yaml"))
		s, words = b.stands(10)
		assert.Equal(t, "state file elsewhere", s.Stand.Rule)
		assert.Contains(t, words, "the target holds this move")
		assert.Contains(t, words, filepath.Join(b.dir, "elsewhere.yaml"))
	})
}

// TestStatusTellsTheTruth goes through a move in which things go wrong, and looks at what status says after each.
func TestStatusTellsTheTruth(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		b := begin(t, source, target, "init-schema", "init-copy")
		s, _ := b.stands(0)
		assert.Equal(t, "wherry start-replica --config "+b.path, s.Next)
		link := newRelay(t, target)
		b.set("target.port", link.port)
		stop := b.start("start-replica")
		s = b.until("unproved")
		assert.Equal(t, "wherry verify --config "+b.path, s.Next)

		link.cut(true)
		s = b.until("cut off")
		assert.Contains(t, s.Stand.Now, "the target cannot be reached")
		assert.Contains(t, s.Stand.Wrong[0], "the target does not answer")
		assert.Contains(t, s.Reason, "start-replica goes on by itself")
		_, words := b.stands(0)
		assert.NotContains(t, words, "switch over")
		link.cut(false)
		b.until("unproved")

		lock, err := target.DB.Conn(t.Context()) // verify waits for it
		require.NoError(t, err)
		_, err = lock.ExecContext(t.Context(), "LOCK TABLES "+database+".u WRITE")
		require.NoError(t, err)
		verifying := b.start("verify")
		s = b.until("beside")
		assert.Contains(t, s.Stand.Now, "verify runs")
		assert.Equal(t, "wherry status --watch --config "+b.path, s.Next)
		_, err = lock.ExecContext(t.Context(), "UNLOCK TABLES")
		require.NoError(t, err)
		require.NoError(t, lock.Close())
		b.until("ready")
		assert.Zero(t, verifying())

		stop()
		b.until("stopped")
		source.Exec(t, "INSERT INTO "+database+".t VALUES (9, 'late')")
		time.Sleep(1100 * time.Millisecond)
		s, words = b.stands(0)
		require.NotNil(t, s.Positions.LagSeconds)
		assert.Greater(t, *s.Positions.LagSeconds, 1.0, "the source has gone on")
		assert.True(t, s.Positions.AtMost)
		assert.Contains(t, words, "up to ")
		assert.NotContains(t, words, "; 0s behind")
		b.run(0, "start-replica --until-caught-up")

		target.Exec(t, "DELETE FROM "+database+".t WHERE id = 9")
		c := b.run(3, "verify --table "+database+".t")
		s, _ = b.stands(0)
		assert.Equal(t, "wherry verify --repair --table "+database+".t --config "+b.path, s.Next)
		assert.Contains(t, c.stdout, "next: "+s.Next+"\n", "standard output says what status says")
		assert.Contains(t, c.stderr, s.Next+"\n", "and so does standard error")
		b.run(0, "verify --repair --table "+database+".t")
		s, words = b.stands(0)
		assert.Equal(t, "ready", s.Stand.Rule, "all were compared before, and the one that differed is mended")
		assert.NotContains(t, words, "rows that differ")

		b.set("hooks", settings{"before_cutover": "exit 4"})
		c = b.run(12, "cutover --confirm="+database)
		s, words = b.stands(0)
		assert.Equal(t, "failed", s.Stand.Rule)
		assert.Contains(t, words, "before_cutover")
		assert.Contains(t, c.stderr, s.Next)
		b.set("hooks", settings{})
		b.run(0, "verify")
		s, words = b.stands(0)
		assert.Equal(t, "ready", s.Stand.Rule)
		assert.NotContains(t, words, "before_cutover", "an old failure is of no matter")
	})
}

// TestStatusAfterRefusals: after exit status 12 and 13 the next command is one that helps, and it does.
func TestStatusAfterRefusals(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		b := begin(t, source, target, "init-schema", "init-copy")
		b.set("replicate", settings{"ddl": "stop"})
		source.Exec(t, "ALTER TABLE "+database+".t ADD COLUMN n INT")
		c := b.run(12, "start-replica --until-caught-up")
		s, _ := b.stands(0)
		assert.Equal(t, "wherry init-copy --table "+database+".t --config "+b.path, s.Next)
		assert.Contains(t, c.stderr, s.Next)
		b.advised(0, s.Next)
		s, _ = b.stands(0)
		b.advised(130, s.Next)
		assert.Equal(t, "1", target.Text(t, "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '"+
			database+"' AND COLUMN_NAME = 'n'"))

		source.Exec(t, "INSERT INTO "+database+".u VALUES (7)")
		source.Purge(t)
		c = b.run(13, "start-replica --until-caught-up")
		s, words := b.stands(0)
		assert.Equal(t, "wherry cleanup --abandon --config "+b.path+" --confirm="+database, s.Next)
		assert.Contains(t, words, "copy.spool")
		assert.Contains(t, c.stderr, s.Next)
		assert.Contains(t, c.stderr, "copy.spool")
		b.advised(0, s.Next)
		s, _ = b.stands(0)
		assert.Equal(t, "not begun", s.Stand.Rule)
	})
}

// advised runs a command as it was advised; one that would run on is stopped after a second.
func (b *begun) advised(code int, line string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	if code == 130 {
		ctx, cancel = context.WithTimeout(b.Context(), time.Second)
		defer cancel()
	}
	words := strings.Fields(line)
	cmd := exec.CommandContext(ctx, binary, words[1:]...)
	cmd.Dir = b.dir
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && ctx.Err() == nil {
		require.ErrorAs(b.T, err, &exit)
	}
	require.Equal(b.T, code, cmd.ProcessState.ExitCode(), "%s: %s", line, out)
}

// TestCheckBeside: check looks at a move that runs, and stops nobody.
func TestCheckBeside(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		b := begin(t, source, target, "init-schema", "init-copy")
		b.start("start-replica")
		b.until("unproved")
		checked := b.run(0, "check")
		assert.Contains(t, checked.stdout, "0 failed")
		lock, err := target.DB.Conn(t.Context()) // verify waits for it
		require.NoError(t, err)
		_, err = lock.ExecContext(t.Context(), "LOCK TABLES "+database+".u WRITE")
		require.NoError(t, err)
		verifying := b.start("verify")
		b.until("beside")
		b.run(0, "check")
		_, err = lock.ExecContext(t.Context(), "UNLOCK TABLES")
		require.NoError(t, err)
		require.NoError(t, lock.Close())
		b.until("ready")
		assert.Zero(t, verifying())
	})
}
