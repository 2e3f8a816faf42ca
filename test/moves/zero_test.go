package moves

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// TestNegativeZero writes -0 into a table that moves to MariaDB, which stores 0: the first row stops the move, copied
// or followed, and with the permission it arrives as 0, and both ends compare as equal.
func TestNegativeZero(t *testing.T) {
	pairs(t, []harness.Ends{harness.ToMariaDB}, func(t *testing.T, p pair) {
		m := newMove(t, p, settings{})
		table := quote(m.Name) + ".zeros"
		p.source.Exec(t, "CREATE TABLE "+quote(m.Name)+".marks (id INT NOT NULL PRIMARY KEY) ENGINE=InnoDB"+
			generalTable,
			"CREATE TABLE "+table+" (id INT NOT NULL PRIMARY KEY, d DOUBLE, f FLOAT)"+generalTable,
			"INSERT INTO "+table+" VALUES (1, 0, 0), (2, -0e0, 1), (3, -1e-300, 0.1)")
		allow := func(lines ...string) {
			m.settings.lines = lines
			m.write(t)
		}
		const permission = "schema: {allow_losses: [negative-zero]}"
		m.Must(t, "init-schema")
		r := m.Run(t, "init-copy")
		require.Equal(t, harness.Refused, r.Code, r)
		assert.Contains(t, r.Stderr(), "column d")
		assert.Contains(t, r.Stderr(), "allow_losses: [negative-zero]")
		allow(permission)
		m.Must(t, "init-copy")
		allow()
		replica := m.Start(t, "start-replica")
		p.source.Exec(t, "INSERT INTO "+table+" VALUES (4, 1, -0e0)")
		r = replica.Wait(t)
		require.Equal(t, harness.Refused, r.Code, r)
		assert.Contains(t, r.Stderr(), "column f")
		p.source.Exec(t, "UPDATE "+table+" SET d = -0e0, f = -0e0 WHERE id = 3")
		allow(permission)
		replica = m.Start(t, "start-replica")
		m.Followed(t, replica)
		m.Must(t, "verify")
		const rows = "SELECT GROUP_CONCAT(CONCAT_WS(' ', id, d, f * 1e0) ORDER BY id SEPARATOR ', ') FROM "
		assert.Equal(t, "1 0 0, 2 -0 1, 3 -0 -0, 4 1 -0", p.source.Text(t, rows+table))
		assert.Equal(t, "1 0 0, 2 0 1, 3 0 0, 4 1 0", p.target.Text(t, rows+quote(m.database)+".zeros"))
		m.cutover(t)
	})
}
