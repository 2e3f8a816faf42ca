package back

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// likePairs runs a test for MySQL and for MariaDB.
func likePairs(t *testing.T, f func(t *testing.T, from, to string)) {
	t.Helper()
	for _, flavor := range []string{lab.MySQL, lab.MariaDB} {
		t.Run(flavor, func(t *testing.T) { f(t, flavor+"-1", flavor+"-2") })
	}
}

// left lists the files beside the state file.
func (m *move) left(t *testing.T) (names []string) {
	t.Helper()
	found, err := filepath.Glob(m.state + "*")
	require.NoError(t, err)
	for _, name := range found {
		names = append(names, filepath.Base(name))
	}
	return names
}

// TestCleanup: no trace of a move that is over is left but its data and a record, also when the cleanup is killed.
// Before it is over, nothing happens.
func TestCleanup(t *testing.T) {
	likePairs(t, func(t *testing.T, from, to string) {
		r := rand.New(rand.NewPCG(lab.Seed(t), 1))
		m := newMove(t, from, to)
		m.createTables(t, 100)
		m.upToCutover(t)
		assert.Contains(t, m.fails(t, refused, "cleanup"), "--abandon --confirm="+name)
		assert.True(t, m.target.has(t, ledger))

		m.must(t, "cutover", "--confirm="+name)
		said := m.fails(t, pending, "cleanup", "--dry-run")
		assert.Contains(t, said, "DROP DATABASE IF EXISTS `"+ledger+"`")
		assert.NotContains(t, said, "DROP TABLE")
		assert.True(t, m.target.has(t, ledger))
		m.killed(t, r, 2, 70*time.Millisecond, "cleanup")
		detail := m.must(t, "cleanup").Text("detail")
		t.Log(detail)
		assert.False(t, m.target.has(t, ledger))
		assert.False(t, m.source.has(t, ledger))
		assert.Equal(t, []string{"state.yaml.done"}, m.left(t))
		m.equal(t)
		assert.True(t, m.source.readOnly(t), "as the cutover left it")
		assert.Contains(t, m.must(t, "cleanup").Text("detail"), "nothing of the move is on the servers")
	})
}

// TestKeep ends a move without a cutover: the tables stay and are the application's, also when the cleanup is killed.
// Before the copy is complete nothing happens.
func TestKeep(t *testing.T) {
	likePairs(t, func(t *testing.T, from, to string) {
		r := rand.New(rand.NewPCG(lab.Seed(t), 5))
		m := newMove(t, from, to)
		m.createTables(t, 100)
		keep := []string{"cleanup", "--keep", "--confirm=" + name}
		m.must(t, "init-schema")
		assert.Contains(t, m.fails(t, refused, keep...), "run init-copy again")
		assert.True(t, m.target.has(t, ledger))
		m.must(t, "init-copy")
		m.must(t, "start-replica", "--until-caught-up")
		assert.Contains(t, m.fails(t, pending, "cleanup", "--keep", "--dry-run"),
			"DROP DATABASE IF EXISTS `"+ledger+"`")
		m.killed(t, r, 2, 70*time.Millisecond, keep...)
		t.Log(m.must(t, keep...).Text("detail"))
		assert.False(t, m.target.has(t, ledger))
		assert.Equal(t, []string{"state.yaml.kept"}, m.left(t))
		m.equal(t)
		assert.False(t, m.source.readOnly(t))
		assert.Contains(t, m.fails(t, 64, "cleanup", "--keep", "--abandon"), "give one of them")
	})
}

// TestAbandon gives a move up, at any place: what it made is gone, what was there before stays, the source was only
// read, and it can begin again.
func TestAbandon(t *testing.T) {
	likePairs(t, func(t *testing.T, from, to string) {
		r := rand.New(rand.NewPCG(lab.Seed(t), 2))
		m := newMove(t, from, to, "schema: {existing: accept}")
		m.createTables(t, 5000)
		m.target.run(t, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
			"CREATE TABLE "+name+".counters (id INT NOT NULL PRIMARY KEY, n BIGINT NOT NULL) ENGINE=InnoDB",
			"CREATE TABLE "+name+".of_others (id INT NOT NULL PRIMARY KEY) ENGINE=InnoDB",
			"INSERT INTO "+name+".of_others VALUES (1)")
		abandon := []string{"cleanup", "--abandon", "--confirm=" + name}
		tables := func() string {
			return m.target.text(t, "SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM "+
				"information_schema.tables WHERE table_schema = '"+name+"'")
		}
		for _, upTo := range []string{"init-schema", "init-copy", "start-replica"} {
			m.must(t, "init-schema")
			if upTo != "init-schema" {
				m.must(t, "init-copy")
			}
			if upTo == "start-replica" {
				replica := m.start(t, "start-replica")
				time.Sleep(300 * time.Millisecond)
				m.fails(t, locked, abandon...)
				other := *m.Wherry // the same move from another machine
				other.Config = m.Config + ".other.yaml"
				require.NoError(t, os.WriteFile(other.Config, []byte(read(t, m.Config)+"\n"), 0o600))
				child, err := other.Start(t.Context(), append(abandon[:3:3], "--state", filepath.Join(t.TempDir(),
					"state.yaml"))...)
				require.NoError(t, err)
				_ = child.Wait() // the code says it
				assert.Equal(t, locked, child.Code, child.Log())
				kill(t, replica)
			}
			said := m.fails(t, pending, "cleanup", "--abandon", "--dry-run")
			assert.Contains(t, said, "DROP TABLE IF EXISTS `"+name+"`.`items`")
			assert.NotContains(t, said, "counters")
			assert.Contains(t, m.fails(t, refused, "cleanup", "--abandon"), "must be confirmed")
			assert.Equal(t, "counters,entries,items,of_others", tables())
			m.killed(t, r, 2, 70*time.Millisecond, abandon...)
			t.Log(m.must(t, abandon...).Text("detail"))
			assert.Equal(t, "counters,of_others", tables(), "up to %s", upTo)
			assert.False(t, m.target.has(t, ledger))
			assert.Equal(t, []string{"state.yaml.abandoned"}, m.left(t))
			m.target.run(t, "DELETE FROM "+name+".counters")
		}
		assert.Equal(t, 1, m.target.number(t, "SELECT COUNT(*) FROM "+name+".of_others"))
		m.upToCutover(t)
		m.must(t, "cutover", "--confirm="+name)
		m.equal(t)
	})
}
