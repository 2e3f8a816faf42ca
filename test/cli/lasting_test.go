package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// begun is a move of two small tables, as far as some phases have come.
type begun struct {
	*scene
	path string
}

func begin(t *testing.T, source, target *harness.Server, phases ...string) *begun {
	t.Helper()
	for _, s := range []*harness.Server{source, target} {
		s.Exec(t, "DROP DATABASE IF EXISTS "+database, "DROP DATABASE IF EXISTS wherry_"+database)
	}
	source.Exec(t, "CREATE DATABASE "+database, "CREATE TABLE "+database+".t (id INT PRIMARY KEY, v VARCHAR(20) "+
		"NOT NULL)",
		"INSERT INTO "+database+".t VALUES (1, 'a'), (2, 'b')", "CREATE TABLE "+database+".u (id INT PRIMARY KEY)",
		"INSERT INTO "+database+".u VALUES (1)")
	b := &begun{scene: &scene{T: t, dir: t.TempDir(), source: source, target: target}}
	b.config = baseSettings(b.dir, source, target)
	b.path = writeSettings(t, b.dir, b.config)
	for _, phase := range phases {
		b.run(0, phase)
	}
	return b
}

// set changes the configuration.
func (b *begun) set(key string, value any) {
	b.config.set(key, value)
	writeSettings(b.T, b.dir, b.config)
}

func (b *begun) run(code int, command string) call {
	b.Helper()
	c := wherry(b.T, b.environ, append(strings.Fields(command), "--config", b.path)...)
	require.Equal(b.T, code, c.code, "%s: %s", command, c.all())
	return c
}

// TestLastingErrors: what a retry cannot mend ends with 78 in every phase, so that a unit does not try for ever, and
// what it can mend does not. Mended, the same command goes on.
func TestLastingErrors(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		t.Cleanup(func() { target.Exec(t, "SET GLOBAL read_only = 0") })
		b := begin(t, source, target, "init-schema")
		const all = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, REFERENCES ON *.*"
		account := func(grants string) {
			grant("target", grants)(b.scene)
			writeSettings(t, b.dir, b.config)
		}
		lasting := func(command string, says ...string) {
			t.Helper()
			c := b.run(78, command)
			for _, what := range append(says, "trying again does not help") {
				assert.Contains(t, c.stderr, what, command)
			}
		}

		account(strings.Replace(all, "INSERT, ", "", 1))
		lasting("init-copy", "INSERT command denied")
		account(all)
		target.Exec(t, "SET GLOBAL read_only = 1")
		lasting("init-copy", "read")
		target.Exec(t, "SET GLOBAL read_only = 0")
		b.run(0, "init-copy")
		b.run(0, "start-replica --until-caught-up")

		source.Exec(t, "INSERT INTO "+database+".t VALUES (3, 'c')")
		target.Exec(t, "SET GLOBAL read_only = 1")
		lasting("start-replica --until-caught-up", "read")
		target.Exec(t, "SET GLOBAL read_only = 0")
		b.run(0, "start-replica --until-caught-up")
		target.Exec(t, "ALTER USER "+few+"@'%' IDENTIFIED BY '"+secret+"-changed'")
		for _, command := range []string{"start-replica", "verify", "cutover --confirm=" + database, "cleanup"} {
			lasting(command, "Access denied")
		}
		target.Exec(t, "ALTER USER "+few+"@'%' IDENTIFIED BY '"+secret+"'")
		b.run(0, "verify")
		assert.Equal(t, "1a2b3c", target.Text(t, "SELECT GROUP_CONCAT(id, v ORDER BY id SEPARATOR '') FROM "+database+
			".t"))

		b.set("target.tls", settings{"mode": "verify-full"})
		lasting("verify", "target: connect to")
		b.set("target.tls", settings{"mode": "preferred"})
		b.set("target.port", closed(t))
		c := b.run(1, "verify")
		assert.Contains(t, c.stderr, "connection refused")
		assert.NotContains(t, c.all(), "lost")
	})
}

// TestUnwritableState: a state file that cannot be written ends every phase with 78.
func TestUnwritableState(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("root writes everywhere: a folder stands in the file's place")
	}
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		b := begin(t, source, target)
		require.NoError(t, os.Mkdir(filepath.Join(b.dir, "state.yaml.tmp"), 0o700))
		write(t, filepath.Join(b.dir, "state.yaml.tmp", "file"), "")
		c := b.run(78, "init-schema")
		assert.Contains(t, c.stderr, "state.yaml.tmp")
		assert.Contains(t, c.stderr, "trying again does not help")
		require.NoError(t, os.RemoveAll(filepath.Join(b.dir, "state.yaml.tmp")))
		b.run(0, "init-schema")
	})
}

// TestUnfinishedCutover: a hook that fails after the takeover ends with 15 and says what is left, as often as it is
// tried; when it is mended the rest is done.
func TestUnfinishedCutover(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		t.Cleanup(func() {
			if source.Flavor == "mysql" {
				source.Exec(t, "SET GLOBAL super_read_only = 0")
			}
			source.Exec(t, "SET GLOBAL read_only = 0")
		})
		b := begin(t, source, target, "init-schema", "init-copy", "verify")
		b.set("hooks", settings{"switch": "exit 9"})
		for range 2 {
			c := b.run(15, "cutover --confirm="+database)
			assert.Contains(t, c.stderr, "the target has taken over")
			assert.Contains(t, c.stderr, "hooks.switch")
			assert.Contains(t, c.stderr, "exit code 9")
			assert.NotContains(t, c.stderr, "progress is saved")
		}
		assert.NotEmpty(t, target.Text(t, "SELECT value FROM wherry_"+database+".facts WHERE name = 'cutover'"))
		b.set("hooks", settings{"switch": "true", "after_cutover": "exit 7"})
		c := b.run(15, "cutover --confirm="+database)
		assert.Contains(t, c.stderr, "hooks.after_cutover")
		assert.NotContains(t, c.stderr, "hooks.switch", "which has run")
		b.set("source.port", closed(t))
		c = b.run(15, "cutover --confirm="+database)
		assert.Contains(t, c.stderr, "connection refused", "what an unreachable server leaves undone")
		b.set("source.port", source.Port)
		b.set("hooks", settings{})
		b.run(0, "cutover --confirm="+database)
	})
}
