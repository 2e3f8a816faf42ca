package moves

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNegativeZero writes -0 into a table that moves to MariaDB, which stores 0: the first row stops the move, copied
// or followed, and with the permission it arrives as 0, and both ends compare as equal.
func TestNegativeZero(t *testing.T) {
	pairs(t, [][2]string{{"mysql-1", "mariadb-2"}}, func(t *testing.T, p pair) {
		m := newMove(t, p, settings{})
		table := quote(m.name) + ".zeros"
		p.source.exec(t, "CREATE TABLE "+quote(m.name)+".marks (mark VARCHAR(20) NOT NULL PRIMARY KEY) ENGINE=InnoDB"+
			generalTable,
			"CREATE TABLE "+table+" (id INT NOT NULL PRIMARY KEY, d DOUBLE, f FLOAT)"+generalTable,
			"INSERT INTO "+table+" VALUES (1, 0, 0), (2, -0e0, 1), (3, -1e-300, 0.1)")
		allow := func(lines ...string) {
			m.settings.lines = lines
			m.write(t)
		}
		const permission = "schema: {allow_losses: [negative-zero]}"
		m.must(t, "init-schema")
		r := m.run(t, "init-copy")
		require.Equal(t, refused, r.code, r)
		assert.Contains(t, r.stderr, "column d")
		assert.Contains(t, r.stderr, "allow_losses: [negative-zero]")
		allow(permission)
		m.must(t, "init-copy")
		allow()
		replica := m.start(t, "start-replica")
		p.source.exec(t, "INSERT INTO "+table+" VALUES (4, 1, -0e0)")
		r = replica.wait(t)
		require.Equal(t, refused, r.code, r)
		assert.Contains(t, r.stderr, "column f")
		p.source.exec(t, "UPDATE "+table+" SET d = -0e0, f = -0e0 WHERE id = 3")
		allow(permission)
		replica = m.start(t, "start-replica")
		m.caughtUp(t, replica)
		m.must(t, "verify")
		const rows = "SELECT GROUP_CONCAT(CONCAT_WS(' ', id, d, f * 1e0) ORDER BY id SEPARATOR ', ') FROM "
		assert.Equal(t, "1 0 0, 2 -0 1, 3 -0 -0, 4 1 -0", p.source.text(t, rows+table))
		assert.Equal(t, "1 0 0, 2 0 1, 3 0 0, 4 1 0", p.target.text(t, rows+quote(m.database)+".zeros"))
		m.cutover(t)
	})
}
