// Package cli runs the real program with input that is wrong, and looks at what it says, how it exits, and that it has
// changed nothing.
//
// Its one invariant: whatever a row expects, no secret appears in any output, and unless it says so neither the
// target nor the state file is another after it than before.
package cli

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// server is one of WHERRY_TEST_SERVERS.
type server struct {
	name, flavor   string
	host           string
	port           int
	user, password string
	admin          *sql.DB
}

// onPairs runs a test from a server to another of the same family, for each family.
func onPairs(t *testing.T, test func(t *testing.T, source, target *server)) {
	servers := map[string]*server{}
	for _, entry := range strings.Fields(os.Getenv("WHERRY_TEST_SERVERS")) {
		name, address, _ := strings.Cut(entry, "=")
		u, err := url.Parse(address)
		require.NoError(t, err, entry)
		port, err := strconv.Atoi(u.Port())
		require.NoError(t, err, entry)
		password, _ := u.User.Password()
		servers[name] = &server{
			name: name, flavor: u.Scheme, host: u.Hostname(), port: port, user: u.User.Username(),
			password: password,
		}
	}
	required := os.Getenv("WHERRY_REQUIRE_SERVERS") == "1"
	if len(servers) == 0 {
		if required {
			t.Fatal("no WHERRY_TEST_SERVERS, and WHERRY_REQUIRE_SERVERS=1")
		}
		t.Skip("SKIPPED WITHOUT SERVERS: set WHERRY_TEST_SERVERS, see scripts/servers.sh")
	}
	for _, flavor := range []string{"mysql", "mariadb"} {
		t.Run(flavor, func(t *testing.T) {
			source, target := servers[flavor+"-1"], servers[flavor+"-2"]
			if source == nil || target == nil {
				if required {
					t.Fatalf("no %s-1 and %s-2 in WHERRY_TEST_SERVERS, and WHERRY_REQUIRE_SERVERS=1", flavor, flavor)
				}
				t.Skipf("SKIPPED WITHOUT SERVERS: no %s-1 and %s-2", flavor, flavor)
			}
			for _, s := range []*server{source, target} {
				s.open(t)
				s.exec(t, "DROP DATABASE IF EXISTS "+database, "DROP DATABASE IF EXISTS wherry_"+database,
					"CREATE USER IF NOT EXISTS "+account+"@'%' IDENTIFIED BY '"+secret+"'",
					"GRANT ALL ON *.* TO "+account+"@'%'")
				t.Cleanup(func() {
					s.exec(t, "DROP DATABASE IF EXISTS "+database, "DROP DATABASE IF EXISTS wherry_"+database,
						"DROP USER IF EXISTS "+account+"@'%'", "DROP USER IF EXISTS "+few+"@'%'")
				})
			}
			test(t, source, target)
		})
	}
}

// open connects as the administrator until the test ends.
func (s *server) open(t *testing.T) {
	t.Helper()
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd = "tcp", net.JoinHostPort(s.host, strconv.Itoa(s.port)), s.user, s.password
	c.MultiStatements, c.Logger = true, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	require.NoError(t, err)
	admin := sql.OpenDB(connector)
	s.admin = admin
	t.Cleanup(func() { _ = admin.Close() })
}

func (s *server) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := s.admin.ExecContext(context.WithoutCancel(t.Context()), statement)
		require.NoError(t, err, "%s: %s", s.name, statement)
	}
}

func (s *server) text(t *testing.T, query string) string {
	t.Helper()
	var text sql.NullString
	err := s.admin.QueryRowContext(t.Context(), query).Scan(&text)
	if !errors.Is(err, sql.ErrNoRows) {
		require.NoError(t, err, "%s: %s", s.name, query)
	}
	return text.String
}

// global sets a global variable until the test ends. Nothing else may run on the server meanwhile.
func (s *server) global(t *testing.T, name, value string) {
	t.Helper()
	before := s.text(t, "SELECT @@GLOBAL."+name)
	s.exec(t, "SET GLOBAL "+name+" = "+value)
	if _, err := strconv.Atoi(before); err != nil {
		before = "'" + before + "'"
	}
	t.Cleanup(func() { s.exec(t, "SET GLOBAL "+name+" = "+before) })
}

// inventory is every table of a server.
func (s *server) inventory(t *testing.T) string {
	t.Helper()
	s.exec(t, "SET SESSION group_concat_max_len = 1000000")
	return s.text(t, "SELECT GROUP_CONCAT(CONCAT(SCHEMA_NAME, ':', COALESCE((SELECT GROUP_CONCAT(TABLE_NAME) FROM "+
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

func baseSettings(dir string, source, target *server) settings {
	end := func(s *server) settings {
		return settings{"host": s.host, "port": s.port, "user": account, "password": secret}
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
