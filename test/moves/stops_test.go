package moves

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStatementFormat writes in statement format: what the log does not show row by row stops start-replica.
func TestStatementFormat(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		m := newMove(t, p, settings{})
		m.fill(t, 500)
		m.must(t, "init-schema")
		m.must(t, "init-copy")
		replica := m.start(t, "start-replica")
		m.caughtUp(t, replica)
		conn, err := p.source.db.Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		for _, statement := range []string{
			"SET SESSION binlog_format = STATEMENT", "USE " + quote(m.name),
			"UPDATE ints SET t = 'by statement' WHERE id = 100", "SET SESSION binlog_format = ROW",
		} {
			_, err := conn.ExecContext(t.Context(), statement)
			require.NoError(t, err, statement)
		}
		r := replica.wait(t)
		require.Equal(t, refused, r.code, r)
		assert.Contains(t, r.stderr, "statement")
		r = m.run(t, "start-replica")
		assert.Equal(t, refused, r.code, "again: %s", r)
	})
}

// TestPurged purges the log that start-replica would have to read.
func TestPurged(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		m := newMove(t, p, settings{})
		m.fill(t, 500)
		m.must(t, "init-schema")
		m.must(t, "init-copy")
		m.must(t, "start-replica", "--until-caught-up")
		p.source.exec(t, "INSERT INTO "+quote(m.name)+".marks (mark) VALUES ('lost')", "FLUSH BINARY LOGS",
			"INSERT INTO "+quote(m.name)+".marks (mark) VALUES ('kept')")
		p.source.purge(t)
		r := m.run(t, "start-replica", "--until-caught-up")
		require.Equal(t, gone, r.code, r)
		assert.Contains(t, r.stderr, "copy")
		assert.Equal(t, "0", p.target.text(t, "SELECT COUNT(*) FROM "+quote(m.database)+".marks"),
			"nothing is applied past the gap")
	})
}

// purge removes all of the log but its last file.
func (s *server) purge(t *testing.T) {
	t.Helper()
	s.exec(t, "FLUSH BINARY LOGS")
	rows, err := s.db.QueryContext(t.Context(), "SHOW BINARY LOGS")
	require.NoError(t, err)
	defer rows.Close()
	names, err := rows.Columns()
	require.NoError(t, err)
	last := ""
	for rows.Next() {
		values := make([]any, len(names))
		values[0] = &last
		for i := range values[1:] {
			values[i+1] = new(any)
		}
		require.NoError(t, rows.Scan(values...))
	}
	require.NoError(t, rows.Err())
	for range 20 { // a dump thread that has not ended yet holds its file
		s.exec(t, "PURGE BINARY LOGS TO '"+last+"'")
		time.Sleep(50 * time.Millisecond)
	}
}
