package sources

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db/mysql"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// parallel are the settings of a replica that applies with several threads, and commits in any order that it likes or
// in the primary's.
func parallel(flavor string, ordered bool) []string {
	if flavor == lab.MariaDB {
		mode := "optimistic"
		if ordered {
			mode = "conservative"
		}
		return []string{"slave_parallel_threads=4", "slave_parallel_mode=" + mode}
	}
	order := "OFF"
	if ordered {
		order = "ON"
	}
	return []string{"replica_parallel_workers=4", "replica_preserve_commit_order=" + order}
}

// TestReplicaSource moves from a replica that applies with several threads while its primary is written to, and never
// touches the primary: the user's own fence stops writes there, and the replica is still applying when it returns. In
// the end the target holds what the primary has.
func TestReplicaSource(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		p := newPair(t, flavor, parallel(flavor, flavor == lab.MariaDB)...)
		dir := t.TempDir()
		asked, done := filepath.Join(dir, "asked"), filepath.Join(dir, "done")
		m := newMove(t, "ws_replica", p.primary, p.replica.Server.Server, target(t, flavor), "copy: {chunk_rows: 500}",
			"cutover: {fence: hook, max_lag: 1m}",
			fmt.Sprintf("hooks: {fence: 'touch %s; while [ ! -e %s ]; do sleep 0.05; done', unfence: 'true'}", asked,
				done))
		p.replica.has(t, p.primary)
		grants := p.primary.text(t, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%wherry%'")
		l := startLoad(t, m.Name, p.primary)
		found := m.Ends(t, harness.Done, "check")
		assert.Contains(t, found.Output(), "the source is a replica of")
		m.Phases(t, "init-schema", "init-copy")
		following := m.Start(t, "start-replica")
		m.followed(t, p.primary, following)
		m.Must(t, "verify")
		p.replica.delay(t, 2)
		switching := m.Start(t, "cutover", m.Confirm())
		harness.Until(t, "the fence", func() bool { return exists(asked) }, switching)
		l.Hold()
		p.primary.Exec(t, "SET GLOBAL read_only = 1")
		harness.Until(t, "everything is received", func() bool { return p.replica.received(t, p.primary) }, switching)
		require.NotEqual(t, p.primary.sum(t, m.Name+".accounts"), p.replica.sum(t, m.Name+".accounts"),
			"the replica is behind")
		require.NoError(t, os.WriteFile(done, nil, 0o600))
		switching.Ends(t, harness.Done)
		l.Release()
		l.Stop(t)
		following.Ends(t, harness.Done)
		m.equal(t, p.primary)
		assert.Equal(t, grants, p.primary.text(t, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO "+
			"LIKE '%wherry%'"))
	})
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// delay makes a replica apply what it receives later, in seconds.
func (n *node) delay(t *testing.T, seconds int) {
	t.Helper()
	n.stopReplica(t)
	if n.Flavor == lab.MySQL {
		n.Exec(t, fmt.Sprintf("CHANGE REPLICATION SOURCE TO SOURCE_DELAY = %d", seconds), "START REPLICA")
		return
	}
	n.Exec(t, fmt.Sprintf("CHANGE MASTER TO MASTER_DELAY = %d", seconds), "START SLAVE")
}

// received tells whether the relay log has everything of the primary.
func (n *node) received(t *testing.T, primary *node) bool {
	t.Helper()
	if n.Flavor == lab.MySQL {
		set := n.text(t, "SELECT RECEIVED_TRANSACTION_SET FROM performance_schema.replication_connection_status")
		return n.text(t, "SELECT GTID_SUBSET(?, CONCAT(?, ',', @@GLOBAL.gtid_executed))",
			primary.text(t, "SELECT @@GLOBAL.gtid_executed"), set) == "1"
	}
	rows, err := n.DB.QueryContext(t.Context(), "SHOW ALL SLAVES STATUS")
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	got := ""
	for rows.Next() {
		values, into := make([][]byte, len(columns)), make([]any, len(columns))
		for i := range into {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		for i, c := range columns {
			if c == "Gtid_IO_Pos" {
				got = string(values[i])
			}
		}
	}
	require.NoError(t, rows.Err())
	return got == primary.text(t, "SELECT @@GLOBAL.gtid_binlog_pos")
}

// TestReplicaFenceRefused refuses fences that stop nobody on the primary, at check and at the cutover, and leaves the
// replica as it was; once replication is stopped there is no primary in the way.
func TestReplicaFenceRefused(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		p := newPair(t, flavor)
		m := newMove(t, "ws_fence", p.primary, p.replica.Server.Server, target(t, flavor))
		p.replica.has(t, p.primary)
		told := m.Ends(t, harness.Refused, "check")
		assert.Contains(t, told.Output(), "read_only here does not stop writes there")
		told = m.Ends(t, harness.Refused, "init-schema")
		assert.Contains(t, told.Stderr(), "read_only here does not stop writes there")
		m.Configure(t, "cutover: {fence: none}")
		m.Phases(t, "init-schema", "init-copy")
		m.CatchUp(t)
		m.Must(t, "verify")
		for _, fence := range []string{"read_only", "lock_tables"} {
			m.Configure(t, "cutover: {fence: "+fence+"}")
			told = m.Ends(t, harness.Refused, "cutover", m.Confirm())
			assert.Contains(t, told.Stderr(), fence+" here does not stop writes there")
			assert.Equal(t, "0", p.replica.text(t, "SELECT @@GLOBAL.read_only"), fence)
		}
		p.replica.stopReplica(t)
		m.Must(t, "cutover", m.Confirm())
		m.equal(t, p.replica)
		p.replica.Exec(t, "SET GLOBAL read_only = 0")
	})
}

// TestReplicaThatDoesNotLog refuses a replica whose log lacks what it replicates.
func TestReplicaThatDoesNotLog(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		setting := map[string]string{
			lab.MySQL:   "log_replica_updates=OFF",
			lab.MariaDB: "skip-log-slave-updates",
		}[flavor]
		p := newPair(t, flavor, setting)
		m := newMove(t, "ws_silent", p.primary, p.replica.Server.Server, target(t, flavor), "cutover: {fence: none}")
		p.replica.has(t, p.primary)
		told := m.Ends(t, harness.Refused, "check")
		assert.Contains(t, told.Output(), "what comes from this replica's primary is not logged")
	})
}

// TestReplicaSafePosition reads start positions on a replica that applies with several threads, and counts by SQL
// what can be seen: every transaction inserts one row, so as many rows must be seen as the position has transactions.
func TestReplicaSafePosition(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		p := newPair(t, flavor, parallel(flavor, false)...)
		p.primary.Exec(t, "CREATE DATABASE ws_safe", "CREATE TABLE ws_safe.rows_ (id BIGINT PRIMARY KEY "+
			"AUTO_INCREMENT, v INT)")
		base := transactions(t, p.primary, p.primary.end(t))
		p.replica.has(t, p.primary)
		l := inserts(t, p.primary, 8)
		source, err := mysql.OpenSource(t.Context(), mysql.Config{
			Host: p.replica.Host, Port: p.replica.Port,
			User: lab.User, Password: lab.Password,
		})
		require.NoError(t, err)
		defer func() { assert.NoError(t, source.Close()) }()
		missed, gaps, last := 0, 0, int64(0)
		for range 300 {
			pos, err := source.SafePosition(t.Context())
			require.NoError(t, err)
			seen, err := strconv.ParseInt(p.replica.text(t, "SELECT COUNT(*) FROM ws_safe.rows_"), 10, 64)
			require.NoError(t, err)
			set := strings.TrimPrefix(strings.Fields(pos.String())[0], "gtid=")
			if n := transactions(t, p.primary, set) - base; seen < n {
				missed++
			} else {
				last = n
			}
			if strings.Count(set, ":") > 1 {
				gaps++
			}
		}
		l.Stop(t)
		assert.Zero(t, missed, "positions with transactions that could not be seen")
		assert.Positive(t, last, "the load was seen")
		t.Logf("%d of 300 positions had gaps; the last had %d transactions", gaps, last)
	})
}

// end is the GTIDs of everything on a server.
func (n *node) end(t *testing.T) string {
	t.Helper()
	return strings.ReplaceAll(n.text(t, map[string]string{
		lab.MySQL:   "SELECT @@GLOBAL.gtid_executed",
		lab.MariaDB: "SELECT @@GLOBAL.gtid_binlog_pos",
	}[n.Flavor]), "\n", "")
}

// transactions counts those of a set or list that began on a server.
func transactions(t *testing.T, n *node, set string) (count int64) {
	t.Helper()
	if n.Flavor == lab.MariaDB {
		parts := strings.Split(set, "-")
		last, err := strconv.ParseInt(parts[len(parts)-1], 10, 64)
		require.NoError(t, err, set)
		return last
	}
	uuid := n.text(t, "SELECT @@server_uuid")
	for _, member := range strings.Split(set, ",") {
		parts := strings.Split(member, ":")
		if parts[0] != uuid {
			continue
		}
		for _, run := range parts[1:] {
			first, last, isRange := strings.Cut(run, "-")
			a, err := strconv.ParseInt(first, 10, 64)
			require.NoError(t, err, set)
			b := a
			if isRange {
				b, err = strconv.ParseInt(last, 10, 64)
				require.NoError(t, err, set)
			}
			count += b - a + 1
		}
	}
	return count
}

// inserts has writers insert one row per transaction until stopped.
func inserts(t *testing.T, n *node, writers int) *harness.Load {
	t.Helper()
	o := harness.Loaded{Workers: writers}
	l := harness.StartLoad(t, o, func(ctx context.Context, _ int, _ *rand.Rand) error {
		_, err := n.DB.ExecContext(ctx, "INSERT INTO ws_safe.rows_ (v) VALUES (1)")
		return err
	})
	time.Sleep(300 * time.Millisecond)
	return l
}
