package moves

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// TestStatementFormat writes in statement format: what the log does not show row by row stops start-replica.
func TestStatementFormat(t *testing.T) {
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		m := newMove(t, p, settings{})
		m.fill(t, 500)
		m.Phases(t, "init-schema", "init-copy")
		replica := m.Start(t, "start-replica")
		m.Followed(t, replica)
		conn, err := p.source.DB.Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		for _, statement := range []string{
			"SET SESSION binlog_format = STATEMENT", "USE " + quote(m.Name),
			"UPDATE ints SET t = 'by statement' WHERE id = 100", "SET SESSION binlog_format = ROW",
		} {
			_, err := conn.ExecContext(t.Context(), statement)
			require.NoError(t, err, statement)
		}
		r := replica.Wait(t)
		require.Equal(t, harness.Refused, r.Code, r)
		assert.Contains(t, r.Stderr(), "statement")
		r = m.Run(t, "start-replica")
		assert.Equal(t, harness.Refused, r.Code, "again: %s", r)
	})
}

// TestPurged purges the log that start-replica would have to read.
func TestPurged(t *testing.T) {
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		m := newMove(t, p, settings{})
		m.fill(t, 500)
		m.Phases(t, "init-schema", "init-copy")
		m.CatchUp(t)
		p.source.Exec(t, "INSERT INTO "+quote(m.Name)+".marks VALUES (-1)", "FLUSH BINARY LOGS",
			"INSERT INTO "+quote(m.Name)+".marks VALUES (-2)")
		p.source.Purge(t)
		r := m.Run(t, "start-replica", "--until-caught-up")
		require.Equal(t, harness.Gone, r.Code, r)
		assert.Contains(t, r.Stderr(), "copy")
		assert.Equal(t, "0", p.target.Text(t, "SELECT COUNT(*) FROM "+quote(m.database)+".marks"),
			"nothing is applied past the gap")
	})
}
