package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

var commands = []string{
	"check", "init-schema", "init-copy", "start-replica", "verify", "cutover", "status", "run",
	"version",
}

// TestHelp looks whether every command says how it is used and how it exits.
func TestHelp(t *testing.T) {
	root := wherry(t, nil, "--help")
	assert.Zero(t, root.code)
	for _, command := range commands {
		assert.Regexp(t, `(?m)^  `+regexp.QuoteMeta(command)+` `, root.stdout, "listed by wherry --help")
		c := wherry(t, nil, command, "--help")
		assert.Zero(t, c.code, command)
		assert.Empty(t, c.stderr, command)
		for _, part := range []string{
			"\nUSAGE\n  wherry " + command, "\nEXAMPLES\n  wherry " + command,
			"\nEXIT STATUS\n", "\nGLOBAL FLAGS\n", "  12   refused",
		} {
			assert.Contains(t, c.stdout, part, command)
		}
	}
}

func TestVersionAndCompletion(t *testing.T) {
	c := wherry(t, nil, "version")
	assert.Zero(t, c.code)
	assert.Regexp(t, `^wherry \S+ \(go1\.\S+, linux/\S+\)\n$`, c.stdout)
	last := wherry(t, nil, "version", "--json").jsonLines(t)
	assert.NotEmpty(t, last["version"])

	c = wherry(t, nil, "completion", "bash")
	require.Zero(t, c.code, c.stderr)
	script := write(t, filepath.Join(t.TempDir(), "completion"), c.stdout)
	if bash, err := exec.LookPath("bash"); err == nil {
		out, err := exec.Command(bash, "-n", script).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	for _, shell := range []string{"zsh", "fish", "powershell"} {
		assert.Zero(t, wherry(t, nil, "completion", shell).code, shell)
	}
	c = wherry(t, nil, "__complete", "start-")
	assert.Contains(t, c.stdout, "start-replica")
}

// TestPrintConfig looks whether the effective configuration comes without secrets, wherever they are from, and can be
// read again.
func TestPrintConfig(t *testing.T) {
	dir := t.TempDir()
	config := baseSettings(dir, nobody(1), nobody(2))
	config.set("target.password", "")
	config.set("target.password_file", write(t, filepath.Join(dir, "secret"), secret+"\n"))
	path := writeSettings(t, dir, config)
	for _, environ := range [][]string{nil, {
		"WHERRY_SOURCE_PASSWORD=" + secret, "WHERRY_TARGET_PASSWORD=" + secret,
		"WHERRY_COPY_WORKERS=7",
	}} {
		c := wherry(t, environ, "check", "--config", path, "--print-config", "--log-level", "debug")
		require.Zero(t, c.code, c.all())
		assert.Contains(t, c.stdout, "move: "+database)
		assert.Contains(t, c.stdout, "***")
		again := wherry(t, environ, "status", "--config", write(t, filepath.Join(dir, "printed.yaml"), c.stdout),
			"--print-config")
		assert.Zero(t, again.code, again.all())
	}
}

// TestWithoutLocalInfile moves a table to a target that takes no LOAD DATA LOCAL, and on the way looks at what can
// only be wrong once a move has begun.
func TestWithoutLocalInfile(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		target.Set(t, "local_infile", "0")
		source.Exec(t, "CREATE DATABASE "+database, "CREATE TABLE "+database+".t (id INT PRIMARY KEY, v VARCHAR(20) "+
			"NOT NULL)",
			"INSERT INTO "+database+".t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
		dir := t.TempDir()
		path := writeSettings(t, dir, baseSettings(dir, source, target))
		run := func(code int, args ...string) call {
			t.Helper()
			c := wherry(t, nil, append(args, "--config", path)...)
			require.Equal(t, code, c.code, c.all())
			return c
		}
		checked := run(0, "check")
		assert.Contains(t, checked.stdout, "WARN  local_infile (target) @@local_infile")
		assert.Contains(t, checked.stdout, "SET GLOBAL local_infile = ON")
		assert.Contains(t, checked.stdout, "next: wherry init-schema --config "+path)
		assert.NoFileExists(t, filepath.Join(dir, "state.yaml"), "check keeps no record")
		dry := run(3, "init-schema", "--dry-run")
		assert.Contains(t, dry.stdout, "CREATE TABLE `"+database+"`.`t`")
		assert.Empty(t, inventory(t, target), "a dry run changed the target")
		assert.NoFileExists(t, filepath.Join(dir, "state.yaml"), "a dry run keeps no record")
		run(0, "init-schema")
		run(12, "start-replica")
		last := run(0, "init-copy", "--json").jsonLines(t)
		assert.InDelta(t, 3, last["rows"], 0)
		assert.Contains(t, run(0, "init-copy").stdout, "done already")
		assert.Equal(t, "1a2b3c", target.Text(t, "SELECT GROUP_CONCAT(id, v ORDER BY id SEPARATOR '') FROM "+database+
			".t"))

		stateBefore, err := os.ReadFile(filepath.Join(dir, "state.yaml"))
		require.NoError(t, err)
		for _, position := range []string{"yesterday", "binlog.000001", "binlog.000001:x", "0-0"} {
			c := run(64, "start-replica", "--until="+position)
			assert.Contains(t, c.stderr, "--until", position)
			assert.Contains(t, c.stderr, position)
			run(64, "start-replica", "--json", "--until="+position).jsonLines(t)
		}
		c := run(64, "verify", "--table", database+".nothing")
		assert.Contains(t, c.stderr, database+".nothing")
		stateAfter, err := os.ReadFile(filepath.Join(dir, "state.yaml"))
		require.NoError(t, err)
		assert.Equal(t, string(stateBefore), string(stateAfter), "wrong usage was recorded")
		before := inventory(t, target)
		assert.Contains(t, run(12, "cutover", "--confirm=shop").stderr, "--confirm=shop is not the name of the move")
		assert.Equal(t, before, inventory(t, target))
		assert.Equal(t, "0", source.Text(t, "SELECT @@GLOBAL.read_only + 0"), "the source was fenced")

		replica(t, dir, path)
		run(0, "start-replica", "--until-caught-up")
		verified := run(0, "verify", "--json").jsonLines(t)
		assert.InDelta(t, 0, verified["differences"], 0)
		var status map[string]any
		require.NoError(t, json.Unmarshal([]byte(run(0, "status", "--json").stdout), &status))
		assert.NotEmpty(t, status["type"])

		target.Exec(t, "UPDATE "+database+".t SET v = 'z' WHERE id = 2")
		c = run(3, "verify")
		assert.Contains(t, c.all(), "verify --repair")
		differing := run(3, "verify", "--json").jsonLines(t)
		assert.InDelta(t, 1, differing["differences"], 0)
		run(0, "verify", "--repair")
		assert.Equal(t, "1a2b3c", target.Text(t, "SELECT GROUP_CONCAT(id, v ORDER BY id SEPARATOR '') FROM "+database+
			".t"))

		run(3, "cutover", "--dry-run")
		source.Exec(t, "ALTER TABLE "+database+".t ADD COLUMN n INT")
		run(0, "verify") // which follows the change first
		assert.Equal(t, "1", target.Text(t, "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '"+
			database+"' AND COLUMN_NAME = 'n'"))

		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, f := range files {
			content, err := os.ReadFile(filepath.Join(dir, f.Name()))
			require.NoError(t, err)
			if f.Name() != "wherry.yaml" {
				assert.NotContains(t, string(content), secret, f.Name())
			}
		}
	})
}

// replica runs start-replica until it is asked to stop, and looks at what others can see of it meanwhile.
func replica(t *testing.T, dir, path string) {
	t.Helper()
	cmd := exec.Command(binary, "start-replica", "--config", path, "--log-level", "debug")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &out, dir
	require.NoError(t, cmd.Start())
	stopped := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the exit code is looked at below
		close(stopped)
	}()
	defer func() { _ = cmd.Process.Kill() }()
	var second call
	for began := time.Now(); time.Since(began) < patience; time.Sleep(50 * time.Millisecond) {
		holder, err := os.ReadFile(filepath.Join(dir, "state.yaml.lock"))
		if err == nil && strings.HasPrefix(string(holder), "start-replica ") {
			break
		}
	}
	running := regexp.MustCompile(`start-replica +running`)
	shown := wherry(t, nil, "status", "--config", path)
	// until it has connected
	for began := time.Now(); !running.MatchString(shown.stdout) && time.Since(began) < patience; {
		time.Sleep(50 * time.Millisecond)
		shown = wherry(t, nil, "status", "--config", path)
	}
	assert.Regexp(t, running, shown.stdout)
	second = wherry(t, nil, "start-replica", "--config", path)
	assert.Equal(t, 11, second.code, second.all())
	assert.Contains(t, second.stderr, "wherry start-replica holds it (pid "+strconv.Itoa(cmd.Process.Pid))
	for _, what := range []string{"cmdline", "environ"} {
		content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), what))
		if err == nil {
			assert.NotContains(t, string(content), secret, what)
		}
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-stopped:
	case <-time.After(patience):
		t.Fatal("start-replica did not stop")
	}
	assert.Equal(t, 130, cmd.ProcessState.ExitCode(), out.String())
	assert.Contains(t, out.String(), "interrupted")
	assert.NotContains(t, out.String(), secret)
}

// TestWithoutLog checks a source that keeps no log, on a server of its own.
func TestWithoutLog(t *testing.T) {
	list, stop, err := lab.Extra(harness.Script(t), lab.MariaDB, "skip-log-bin")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stop()) })
	servers, err := lab.ParseServers(list)
	require.NoError(t, err)
	onPairs(t, func(t *testing.T, _, target *harness.Server) {
		if target.Flavor != lab.MariaDB {
			t.Skip("one family is enough")
		}
		quiet := harness.Connect(t, servers[0])
		quiet.Exec(t, "CREATE USER "+account+"@'%' IDENTIFIED BY '"+secret+"'", "GRANT ALL ON *.* TO "+account+"@'%'",
			"CREATE DATABASE "+database, "CREATE TABLE "+database+".t (id INT PRIMARY KEY)")
		r := row{command: "check", code: 12, says: []string{
			"log_bin", "is OFF, wanted ON",
			"set log_bin in the server's configuration and restart it",
		}}
		r.play(t, quiet, target, true, false)
	})
}
