package moves

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestTableThatTheTargetCannotCreate: a limit that only the target knows stops init-schema with the table's name and
// the server's reason, nothing is left of the table, and once mended the same command goes on.
func TestTableThatTheTargetCannotCreate(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		format := p.target.text(t, "SELECT @@global.innodb_default_row_format")
		p.target.exec(t, "SET GLOBAL innodb_default_row_format = 'COMPACT'") // keys of 767 bytes instead of 3072
		t.Cleanup(func() { p.target.exec(t, "SET GLOBAL innodb_default_row_format = '"+format+"'") })
		m := newMove(t, p, settings{})
		p.source.exec(t, "CREATE TABLE "+quote(m.name)+".a (id INT NOT NULL PRIMARY KEY)",
			"CREATE TABLE "+quote(m.name)+".b (v VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL PRIMARY KEY)",
			"INSERT INTO "+quote(m.name)+".b VALUES ('x')")
		r := m.run(t, "init-schema")
		assert.NotEqual(t, done, r.code)
		assert.Contains(t, r.stderr, "create table "+m.name+".b")
		assert.Contains(t, r.stderr, "767 bytes")
		assert.Equal(t, "0", p.target.text(t, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ? "+
			"AND table_name = 'b'", m.name))
		p.target.exec(t, "SET GLOBAL innodb_default_row_format = '"+format+"'")
		m.must(t, "init-schema")
		m.must(t, "init-copy")
		assert.Equal(t, "x", p.target.text(t, "SELECT v FROM "+quote(m.name)+".b"))
	})
}
