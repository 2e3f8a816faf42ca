package back

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// left lists the files beside the state file.
func (m *move) left(t *testing.T) (names []string) {
	t.Helper()
	found, err := filepath.Glob(m.State + "*")
	require.NoError(t, err)
	for _, name := range found {
		names = append(names, filepath.Base(name))
	}
	return names
}

// TestCleanup: no trace of a move that is over is left but its data and a record, also when the cleanup is killed.
// Before it is over, nothing happens.
func TestCleanup(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, from, to *harness.Server) {
		r := rand.New(rand.NewPCG(lab.Seed(t), 1))
		m := newMove(t, from, to)
		m.createTables(t, 100)
		m.UpToCutover(t)
		assert.Contains(t, m.Fails(t, harness.Refused, "cleanup"), "--abandon --confirm="+name)
		assert.True(t, m.Target.Has(t, ledger))

		m.Must(t, "cutover", m.Confirm())
		said := m.Fails(t, harness.Differs, "cleanup", "--dry-run")
		assert.Contains(t, said, "DROP DATABASE IF EXISTS `"+ledger+"`")
		assert.NotContains(t, said, "DROP TABLE")
		assert.True(t, m.Target.Has(t, ledger))
		m.Killed(t, r, 2, 70*time.Millisecond, "cleanup")
		detail := m.Must(t, "cleanup").Text("detail")
		t.Log(detail)
		assert.False(t, m.Target.Has(t, ledger))
		assert.False(t, m.Source.Has(t, ledger))
		assert.Equal(t, []string{"state.yaml.done"}, m.left(t))
		m.equal(t)
		assert.True(t, m.Source.ReadOnly(t), "as the cutover left it")
		assert.Contains(t, m.Must(t, "cleanup").Text("detail"), "nothing of the move is on the servers")
	})
}

// TestKeep ends a move without a cutover: the tables stay and are the application's, also when the cleanup is killed.
// Before the copy is complete nothing happens.
func TestKeep(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, from, to *harness.Server) {
		r := rand.New(rand.NewPCG(lab.Seed(t), 5))
		m := newMove(t, from, to)
		m.createTables(t, 100)
		keep := []string{"cleanup", "--keep", m.Confirm()}
		m.Must(t, "init-schema")
		assert.Contains(t, m.Fails(t, harness.Refused, keep...), "run init-copy again")
		assert.True(t, m.Target.Has(t, ledger))
		m.Must(t, "init-copy")
		m.CatchUp(t)
		assert.Contains(t, m.Fails(t, harness.Differs, "cleanup", "--keep", "--dry-run"),
			"DROP DATABASE IF EXISTS `"+ledger+"`")
		m.Killed(t, r, 2, 70*time.Millisecond, keep...)
		t.Log(m.Must(t, keep...).Text("detail"))
		assert.False(t, m.Target.Has(t, ledger))
		assert.Equal(t, []string{"state.yaml.kept"}, m.left(t))
		m.equal(t)
		assert.False(t, m.Source.ReadOnly(t))
		assert.Contains(t, m.Fails(t, 64, "cleanup", "--keep", "--abandon"), "give one of them")
	})
}

// TestAbandon gives a move up, at any place: what it made is gone, what was there before stays, the source was only
// read, and it can begin again.
func TestAbandon(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, from, to *harness.Server) {
		r := rand.New(rand.NewPCG(lab.Seed(t), 2))
		m := newMove(t, from, to, "schema: {existing: accept}")
		m.createTables(t, 5000)
		m.Target.Exec(t, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
			"CREATE TABLE "+name+".counters (id INT NOT NULL PRIMARY KEY, n BIGINT NOT NULL) ENGINE=InnoDB",
			"CREATE TABLE "+name+".of_others (id INT NOT NULL PRIMARY KEY) ENGINE=InnoDB",
			"INSERT INTO "+name+".of_others VALUES (1)")
		abandon := []string{"cleanup", "--abandon", m.Confirm()}
		tables := func() string {
			return m.Target.Text(t, "SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM "+
				"information_schema.tables WHERE table_schema = '"+name+"'")
		}
		for _, upTo := range []string{"init-schema", "init-copy", "start-replica"} {
			m.Must(t, "init-schema")
			if upTo != "init-schema" {
				m.Must(t, "init-copy")
			}
			if upTo == "start-replica" {
				replica := m.Start(t, "start-replica")
				time.Sleep(300 * time.Millisecond)
				m.Fails(t, harness.Locked, abandon...)
				m.Second(t).Fails(t, harness.Locked, abandon...) // the same move from another machine
				replica.Kill(t)
			}
			said := m.Fails(t, harness.Differs, "cleanup", "--abandon", "--dry-run")
			assert.Contains(t, said, "DROP TABLE IF EXISTS `"+name+"`.`items`")
			assert.NotContains(t, said, "counters")
			assert.Contains(t, m.Fails(t, harness.Refused, "cleanup", "--abandon"), "must be confirmed")
			assert.Equal(t, "counters,entries,items,of_others", tables())
			m.Killed(t, r, 2, 70*time.Millisecond, abandon...)
			t.Log(m.Must(t, abandon...).Text("detail"))
			assert.Equal(t, "counters,of_others", tables(), "up to %s", upTo)
			assert.False(t, m.Target.Has(t, ledger))
			assert.Equal(t, []string{"state.yaml.abandoned"}, m.left(t))
			m.Target.Exec(t, "DELETE FROM "+name+".counters")
		}
		assert.Equal(t, 1, m.Target.Number(t, "SELECT COUNT(*) FROM "+name+".of_others"))
		m.UpToCutover(t)
		m.Must(t, "cutover", m.Confirm())
		m.equal(t)
	})
}
