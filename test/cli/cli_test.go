// Package cli runs the real program with input that is wrong, and looks at what it says, how it exits, and that it has
// changed nothing.
//
// Its one invariant: whatever a row expects, no secret appears in any output, and unless it says so neither the
// target nor the state file is another after it than before.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

const (
	database = "wherry_cli"
	account  = "wherry_cli_all"
	few      = "wherry_cli_few" // an account without something
	secret   = "cli-S3cret-9Qz"
	patience = lab.Patience
)

var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "wherry-cli")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "wherry")
		build := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "wherry")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build wherry:", err)
			return 1
		}
		return m.Run()
	}())
}

// onPairs runs a test from a server to another of the same family, for each family.
func onPairs(t *testing.T, test func(t *testing.T, source, target *harness.Server)) {
	t.Helper()
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		source, target = source.Batch(t, ""), target.Batch(t, "")
		for _, s := range []*harness.Server{source, target} {
			s.Exec(t, "DROP DATABASE IF EXISTS "+database, "DROP DATABASE IF EXISTS wherry_"+database,
				"CREATE USER IF NOT EXISTS "+account+"@'%' IDENTIFIED BY '"+secret+"'",
				"GRANT ALL ON *.* TO "+account+"@'%'")
			t.Cleanup(func() {
				s.Exec(t, "DROP DATABASE IF EXISTS "+database, "DROP DATABASE IF EXISTS wherry_"+database,
					"DROP USER IF EXISTS "+account+"@'%'", "DROP USER IF EXISTS "+few+"@'%'")
			})
		}
		test(t, source, target)
	})
}

// inventory is every table of a server.
func inventory(t *testing.T, s *harness.Server) string {
	t.Helper()
	s.Exec(t, "SET SESSION group_concat_max_len = 1000000")
	return s.Text(t, "SELECT GROUP_CONCAT(CONCAT(SCHEMA_NAME, ':', COALESCE((SELECT GROUP_CONCAT(TABLE_NAME) FROM "+
		"information_schema.TABLES t WHERE t.TABLE_SCHEMA = s.SCHEMA_NAME), '')) ORDER BY SCHEMA_NAME) FROM "+
		"information_schema.SCHEMATA s"+
		" WHERE SCHEMA_NAME IN ('"+database+"', 'wherry_"+database+"', 'wherry_cli_moved')")
}

// settings are a configuration as a tree; JSON is YAML too.
type settings map[string]any

// set sets a dotted key.
func (c settings) set(key string, value any) {
	head, rest, deeper := strings.Cut(key, ".")
	if !deeper {
		c[head] = value
		return
	}
	inner, ok := c[head].(settings)
	if !ok {
		inner = settings{}
		c[head] = inner
	}
	inner.set(rest, value)
}

// nobody is a server that is not there.
func nobody(port int) *harness.Server {
	return &harness.Server{Server: lab.Server{Host: "127.0.0.1", Port: port}}
}

func baseSettings(dir string, source, target *harness.Server) settings {
	end := func(s *harness.Server) settings {
		return settings{"host": s.Host, "port": s.Port, "user": account, "password": secret}
	}
	return settings{
		"move": database, "state": filepath.Join(dir, "state.yaml"), "source": end(source), "target": end(target),
		"tables": settings{"include": []string{database + ".*"}}, "log": settings{"level": "warn"},
	}
}

// call is one run of the program, and what came of it.
type call struct {
	code           int
	stdout, stderr string
	took           time.Duration
}

func (c call) all() string { return c.stdout + c.stderr }

// wherry runs the program to its end.
func wherry(t *testing.T, environ []string, args ...string) call {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "WHERRY_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, environ...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &stdout, &stderr, t.TempDir()
	began := time.Now()
	err := cmd.Run()
	require.NoError(t, ctx.Err(), "wherry %s did not end within %s:\n%s", strings.Join(args, " "), patience, &stderr)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	c := call{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), time.Since(began)}
	assert.NotContains(t, c.all(), secret, "a secret was printed")
	return c
}

// jsonLines checks that a command with --json prints nothing but JSON lines, and returns the last one.
func (c call) jsonLines(t *testing.T) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimRight(c.stdout, "\n"), "\n")
	var last map[string]any
	for i, line := range lines {
		last = nil
		require.NoError(t, json.Unmarshal([]byte(line), &last), "line %d of standard output: %q", i+1, line)
		assert.NotEmpty(t, last["type"], line)
	}
	if c.code == 0 || c.code == 3 { // differences are a result
		assert.Equal(t, "summary", last["type"], c.stdout)
		return last
	}
	assert.Equal(t, "error", last["type"], c.stdout)
	assert.InDelta(t, c.code, last["code"], 0, c.stdout)
	return last
}

// write writes a file that only its owner can read.
func write(t *testing.T, path, content string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// writeSettings writes a configuration and returns its path.
func writeSettings(t *testing.T, dir string, c settings) string {
	t.Helper()
	text, err := json.MarshalIndent(c, "", "  ")
	require.NoError(t, err)
	return write(t, filepath.Join(dir, "wherry.yaml"), string(text))
}
