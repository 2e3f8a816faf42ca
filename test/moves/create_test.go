package moves

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/test/internal/harness"
)

// TestTableThatTheTargetCannotCreate: a limit that only the target knows stops init-schema with the table's name and
// the server's reason, nothing is left of the table, and once mended the same command goes on.
func TestTableThatTheTargetCannotCreate(t *testing.T) {
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		format := p.target.Text(t, "SELECT @@global.innodb_default_row_format")
		p.target.Exec(t, "SET GLOBAL innodb_default_row_format = 'COMPACT'") // keys of 767 bytes instead of 3072
		t.Cleanup(func() { p.target.Exec(t, "SET GLOBAL innodb_default_row_format = '"+format+"'") })
		m := newMove(t, p, settings{})
		p.source.Exec(t, "CREATE TABLE "+quote(m.Name)+".a (id INT NOT NULL PRIMARY KEY)",
			"CREATE TABLE "+quote(m.Name)+".b (v VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL PRIMARY KEY)",
			"INSERT INTO "+quote(m.Name)+".b VALUES ('x')")
		r := m.Run(t, "init-schema")
		assert.NotEqual(t, harness.Done, r.Code)
		assert.Contains(t, r.Stderr(), "create table "+m.Name+".b")
		assert.Contains(t, r.Stderr(), "767 bytes")
		assert.Equal(t, "0", p.target.Text(t, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ? "+
			"AND table_name = 'b'", m.Name))
		p.target.Exec(t, "SET GLOBAL innodb_default_row_format = '"+format+"'")
		m.Phases(t, "init-schema", "init-copy")
		assert.Equal(t, "x", p.target.Text(t, "SELECT v FROM "+quote(m.Name)+".b"))
	})
}
