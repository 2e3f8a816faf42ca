package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/test/internal/harness"
)

// TestPreconditions breaks what a phase relies on after the phase before it was done: the phase looks again, refuses,
// names the finding as check does, and changes nothing. Mended, the same command goes on.
func TestPreconditions(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		t.Cleanup(func() {
			if source.Flavor == "mysql" {
				source.Exec(t, "SET GLOBAL super_read_only = 0")
			}
			source.Exec(t, "SET GLOBAL read_only = 0")
		})
		b := begin(t, source, target)
		for _, command := range []string{
			"init-schema", "init-copy", "start-replica --until-caught-up", "verify",
			"cutover --confirm=" + database,
		} {
			for name, value := range map[string][2]string{
				"binlog_format":    {"STATEMENT", "ROW"},
				"binlog_row_image": {"MINIMAL", "FULL"},
			} {
				source.Exec(t, "SET GLOBAL "+name+" = '"+value[0]+"'")
				c := b.run(12, command)
				source.Exec(t, "SET GLOBAL "+name+" = '"+value[1]+"'")
				assert.Contains(t, c.stderr, "is "+value[0]+", wanted "+value[1], command)
				assert.Contains(t, c.stderr, "SET GLOBAL "+name, command)
			}
			if command == "init-schema" {
				assert.Equal(t, "0", target.Text(t, "SELECT COUNT(*) FROM information_schema.TABLES WHERE "+
					"TABLE_SCHEMA LIKE '%"+database+"'"), "nothing is made")
				target.Exec(t, "SET GLOBAL read_only = 1")
				assert.Contains(t, b.run(12, command).stderr, "@@read_only is ", "whatever check refuses")
				target.Exec(t, "SET GLOBAL read_only = 0")
			}
			if strings.HasPrefix(command, "cutover") {
				assert.Equal(t, "0", source.Text(t, "SELECT @@GLOBAL.read_only + 0"), "nothing is fenced")
			}
			b.run(0, command)
		}
	})
}

// TestForeignBookkeeping has a database of the bookkeeping's name that is somebody else's: it is refused, named and
// left alone.
func TestForeignBookkeeping(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		b := begin(t, source, target)
		target.Exec(t, "CREATE DATABASE wherry_"+database, "CREATE TABLE wherry_"+database+".facts (name VARCHAR(64) "+
			"PRIMARY KEY, value TEXT)", "INSERT INTO wherry_"+database+".facts VALUES ('mine', 'x')")
		c := b.run(12, "check")
		assert.Contains(t, c.stdout, "is a database that this move did not make: it holds facts")
		b.run(12, "init-schema")
		assert.Equal(t, "x", target.Text(t, "SELECT value FROM wherry_"+database+".facts"))
		target.Exec(t, "DROP DATABASE wherry_"+database)
		b.run(0, "init-schema")
	})
}
