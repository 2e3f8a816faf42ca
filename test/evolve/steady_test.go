package evolve

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestVerifyUnderSteadyChanges changes the schema of a small table for as long as another is verified, and rows of
// both: it ends, and has compared the other once, and the small one as it is.
func TestVerifyUnderSteadyChanges(t *testing.T) {
	source, target := harness.MySQL.Open(t)
	proxy := source.Proxy(t)
	var changes atomic.Int64
	var verifying atomic.Bool
	// however fast verify is, the small table changes twice meanwhile
	proxy.Count(&between.Steps{Hold: func(statement string) {
		for verifying.Load() && strings.Contains(statement, "`large`") && changes.Load() < 2 &&
			t.Context().Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
	}})
	m := newMove(t, "we_q", source, target,
		harness.Options{SourceAt: proxy.Address(), Lines: append(extras(source, target),
			"verify: {chunk_rows: 10, workers: 1}")})
	m.Source.Exec(t, "CREATE DATABASE we_q_a", "CREATE TABLE we_q_a.small (id INT PRIMARY KEY, a INT)",
		"INSERT INTO we_q_a.small VALUES (1, 1), (2, 2)",
		"CREATE TABLE we_q_a.large (id INT PRIMARY KEY, a INT)", "SET SESSION cte_max_recursion_depth = 100000",
		"INSERT INTO we_q_a.large WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 40000) "+
			"SELECT n, n FROM s")
	m.must(t, "init-schema", "init-copy")
	replica := m.Start(t, "start-replica")
	m.Followed(t, replica)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	changed := make(chan error, 1)
	go func() {
		var err error
		for n := 0; ctx.Err() == nil && err == nil; n++ {
			changes.Store(int64(n))
			err = lab.ExecAll(context.WithoutCancel(ctx), m.one,
				fmt.Sprintf("ALTER TABLE we_q_a.small ADD c%d INT DEFAULT 3", n), "UPDATE we_q_a.small SET a = a + 1",
				fmt.Sprintf("UPDATE we_q_a.large SET a = a + 1 WHERE id %% 4000 = %d", n),
				fmt.Sprintf("ALTER TABLE we_q_a.small DROP a, CHANGE c%d a INT", n))
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Second): // longer than the small table takes
			}
		}
		changed <- err
	}()
	verifying.Store(true)
	verify := m.Run(t, "verify")
	stop()
	require.NoError(t, <-changed)
	require.Equal(t, done, verify.Code, "%s\n%s", last(verify), verify.Log())
	assert.Greater(t, changes.Load(), int64(1))
	assert.Contains(t, last(verify), `"rows":4000`, "40,002 rows and marks, each once")
	m.Followed(t, replica)
	replica.Interrupt(t)
	m.equal(t, "we_q_a")
}

// TestColumnGoneWhileCutOver drops a column of the source just when the cutover is about to read it: the cutover is
// planned anew with what is left, instead of failing with the server's error.
func TestColumnGoneWhileCutOver(t *testing.T) {
	source, target := harness.MySQL.Open(t)
	proxy := source.Proxy(t)
	var cutting atomic.Bool
	dropped := make(chan error, 1)
	var m *move
	proxy.Count(&between.Steps{Hold: func(statement string) {
		if strings.Contains(statement, "FROM `we_r_a`.`small`") && cutting.CompareAndSwap(true, false) {
			dropped <- lab.ExecAll(context.WithoutCancel(t.Context()), m.one, "ALTER TABLE we_r_a.small DROP a")
		}
	}})
	m = newMove(t, "we_r", source, target, harness.Options{
		SourceAt: proxy.Address(), Lines: extras(source, target),
	})
	m.Source.Exec(t, "CREATE DATABASE we_r_a", "CREATE TABLE we_r_a.small (id INT PRIMARY KEY, a INT, b INT)",
		"INSERT INTO we_r_a.small VALUES (1, 1, 1), (2, 2, 2)")
	m.must(t, "init-schema", "init-copy")
	replica := m.Start(t, "start-replica")
	m.Followed(t, replica)
	m.must(t, "verify")
	m.Source.Exec(t, "UPDATE we_r_a.small SET a = a + 1")
	m.Followed(t, replica)
	cutting.Store(true)
	cutover := m.Run(t, "cutover", "--rehearse", m.Confirm())
	require.NoError(t, <-dropped)
	require.Equal(t, done, cutover.Code, "%s\n%s", last(cutover), cutover.Log())
	assert.Contains(t, cutover.Log(), "planned anew")
	replica.Interrupt(t)
	m.equal(t, "we_r_a")
}
