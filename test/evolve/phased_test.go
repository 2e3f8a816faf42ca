package evolve

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestTwoPhaseAlter has MariaDB write each ALTER TABLE twice, when it begins and when it ends or is given up: what it
// does is done when it has ended, and not at all when it failed. Rows are written while it runs.
func TestTwoPhaseAlter(t *testing.T) {
	source, target := harness.MariaDB.Open(t)
	m := newMove(t, "we_f", source, target, harness.Options{Lines: extras(source, target)})
	m.Source.Exec(t, "CREATE DATABASE we_f_a", "CREATE TABLE we_f_a.t (id INT PRIMARY KEY, a INT, pad VARCHAR(200))",
		"INSERT INTO we_f_a.t WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 245), p AS "+
			"(SELECT (x.n - 1) * 245 + y.n AS n FROM s x, s y) SELECT n, n % 50, REPEAT('p', 150) FROM p")
	m.must(t, "init-schema", "init-copy")
	replica := m.Start(t, "start-replica")
	require.NoError(t, lab.ExecAll(t.Context(), m.one, "SET SESSION binlog_alter_two_phase = 1",
		"ALTER TABLE we_f_a.t ADD b INT NOT NULL DEFAULT 4", "UPDATE we_f_a.t SET b = 5 WHERE id = 1"))
	_, err := m.one.ExecContext(t.Context(), "ALTER TABLE we_f_a.t ADD UNIQUE u (a)")
	require.ErrorContains(t, err, "Duplicate entry")
	altered := make(chan error, 1)
	go func() {
		altered <- lab.ExecAll(t.Context(), m.one, "ALTER TABLE we_f_a.t ADD c INT DEFAULT 6 FIRST, ADD KEY (pad, "+
			"a), ALGORITHM=INPLACE, LOCK=NONE", "CREATE INDEX k ON we_f_a.t (a)", "DROP INDEX k ON we_f_a.t")
	}()
	written := 0
	for ended := false; !ended; written++ {
		select {
		case err := <-altered:
			require.NoError(t, err)
			ended = true
		case <-time.After(time.Millisecond):
			m.Source.Exec(t, fmt.Sprintf("UPDATE we_f_a.t SET a = a + 1 WHERE id %% 1000 = %d", written%1000))
		}
	}
	assert.Greater(t, written, 10, "rows were written while it ran")
	m.Followed(t, replica)
	replica.Interrupt(t)
	m.equal(t, "we_f_a")
	m.must(t, "verify")
}
