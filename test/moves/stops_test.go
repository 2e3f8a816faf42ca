package moves

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSchemaChange changes a table while start-replica follows it: it stops there, with everything before applied and
// the position kept. Changes of other tables pass.
func TestSchemaChange(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		m := newMove(t, p, settings{})
		m.fill(t, 500)
		m.must(t, "init-schema")
		m.must(t, "init-copy")
		replica := m.start(t, "start-replica")
		m.caughtUp(t, replica)
		other := prefix + "other_" + m.name
		t.Cleanup(func() { p.source.exec(t, "DROP DATABASE IF EXISTS "+quote(other)) })
		p.source.exec(t, "CREATE DATABASE "+quote(other), "CREATE TABLE "+quote(other)+".ints (id INT PRIMARY KEY)",
			"ALTER TABLE "+quote(other)+".ints ADD COLUMN x INT", "DROP TABLE "+quote(other)+".ints")
		m.caughtUp(t, replica)
		p.source.exec(t, "UPDATE "+quote(m.name)+".ints SET t = 'the last before' WHERE id = 100", "ALTER TABLE "+quote(m.name)+".ints ADD COLUMN added INT",
			"INSERT INTO "+quote(m.name)+".marks (mark) VALUES ('after')")
		r := replica.wait(t, patience)
		require.Equal(t, refused, r.code, r)
		assert.Contains(t, r.stderr, "ADD COLUMN added")
		assert.Equal(t, "the last before", p.target.text(t, "SELECT t FROM "+quote(m.database)+".ints WHERE id = 100"))
		assert.Equal(t, "0", p.target.text(t, "SELECT COUNT(*) FROM "+quote(m.database)+".marks WHERE mark = 'after'"), "changes after it")
		before := m.fact(t, "position")
		r = m.run(t, "start-replica")
		assert.Equal(t, refused, r.code, r)
		assert.Equal(t, before, m.fact(t, "position"), "the position is kept")
	})
}

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
			"SET SESSION binlog_format = STATEMENT", "USE " + quote(m.name), "UPDATE ints SET t = 'by statement' WHERE id = 100", "SET SESSION binlog_format = ROW",
		} {
			_, err := conn.ExecContext(t.Context(), statement)
			require.NoError(t, err, statement)
		}
		r := replica.wait(t, patience)
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
		p.source.exec(t, "INSERT INTO "+quote(m.name)+".marks (mark) VALUES ('lost')", "FLUSH BINARY LOGS", "INSERT INTO "+quote(m.name)+".marks (mark) VALUES ('kept')")
		p.source.purge(t)
		r := m.run(t, "start-replica", "--until-caught-up")
		require.Equal(t, gone, r.code, r)
		assert.Contains(t, r.stderr, "copy")
		assert.Equal(t, "0", p.target.text(t, "SELECT COUNT(*) FROM "+quote(m.database)+".marks"), "nothing is applied past the gap")
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

// TestSourceChanged changes, adds and drops tables of the source between init-schema and init-copy.
func TestSourceChanged(t *testing.T) {
	m := newMove(t, mysqlPair(t), settings{})
	m.fill(t, 500)
	m.must(t, "init-schema")
	database := quote(m.name)
	for _, c := range []struct{ change, back, names string }{
		{"ALTER TABLE " + database + ".ints MODIFY t VARCHAR(300)", "ALTER TABLE " + database + ".ints MODIFY t VARCHAR(200)", "ints"},
		{"CREATE TABLE " + database + ".fresh (id INT PRIMARY KEY)", "DROP TABLE " + database + ".fresh", "fresh"},
		{"RENAME TABLE " + database + ".bins TO " + database + ".bins2", "RENAME TABLE " + database + ".bins2 TO " + database + ".bins", "bins"},
	} {
		m.source.exec(t, c.change)
		r := m.run(t, "init-copy")
		assert.Equal(t, refused, r.code, "%s: %s", c.change, r)
		assert.Contains(t, r.stderr, c.names)
		assert.Zero(t, m.chunks(t), "chunks copied")
		m.source.exec(t, c.back)
	}
	m.must(t, "init-copy")
	m.equal(t)
}

// TestSchemaChangedWhileCopied changes a table in the middle of its copy: the copy does not come to a good end, now or when
// it is run again.
func TestSchemaChangedWhileCopied(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		m, _, _, target := slowed(t, p)
		copying := m.inTheMiddle(t)
		p.source.exec(t, "ALTER TABLE "+quote(m.name)+".ints ADD COLUMN added INT NOT NULL DEFAULT 7 AFTER id")
		target.slow(0)
		for _, r := range []result{copying.wait(t, patience), m.run(t, "init-copy")} {
			assert.Equal(t, refused, r.code, r)
			assert.Contains(t, r.stderr, "ints")
		}
		assert.Empty(t, m.fact(t, "consistent"))
	})
}
