package evolve

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// kinds are schema changes of a table {t} of a database that has others beside it, by what they are.
var kinds = []struct{ name, statements string }{
	{"add", "ALTER TABLE d.t ADD COLUMN added INT NOT NULL DEFAULT 7 AFTER id"},
	{"drop_column", "ALTER TABLE d.t DROP COLUMN pad"},
	{"modify", "ALTER TABLE d.t MODIFY pad VARCHAR(300) NULL"},
	{"rename", "RENAME TABLE d.t TO d.u"},
	{"index", "ALTER TABLE d.beside DROP KEY z; ALTER TABLE d.t ADD KEY n (n)"},
	{"truncate", "TRUNCATE TABLE d.t"},
	{"drop", "DROP TABLE d.t"},
	{"again", "DROP TABLE d.t; CREATE TABLE d.t (k INT PRIMARY KEY, other VARCHAR(5)); INSERT INTO d.t VALUES " +
		"(1, 'new')"},
	{"swap", "RENAME TABLE d.t TO d.tmp, d.beside TO d.t, d.tmp TO d.beside"},
	{"create", "CREATE TABLE d.fresh (id INT PRIMARY KEY); INSERT INTO d.fresh VALUES (1), (2)"},
}

// fillKinds makes a database for each kind.
func (m *move) fillKinds(t *testing.T, rows int) (databases []string) {
	t.Helper()
	for _, k := range kinds {
		d := m.Name + "_" + k.name
		databases = append(databases, d)
		m.Source.Exec(t, "CREATE DATABASE "+d+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
			"CREATE TABLE "+d+".t (id INT PRIMARY KEY, n INT, pad VARCHAR(200) NOT NULL)",
			"CREATE TABLE "+d+".beside (id INT PRIMARY KEY, z INT, KEY (z))",
			fmt.Sprintf("INSERT INTO %s.t WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < "+
				"%d) SELECT n, n * 2, REPEAT('p', 100) FROM s", d, rows),
			"INSERT INTO "+d+".beside VALUES (1, 2), (2, 2)")
	}
	return databases
}

// changeKinds makes all changes, with rows around them.
func (m *move) changeKinds(t *testing.T) {
	t.Helper()
	for _, k := range kinds {
		d := m.Name + "_" + k.name
		m.Source.Exec(t, "UPDATE "+d+".t SET n = n + 1 WHERE id % 10 = 0")
		for _, s := range split(k.statements, d) {
			m.Source.Exec(t, s)
		}
		if k.name != "drop" && k.name != "rename" && k.name != "again" && k.name != "swap" {
			m.Source.Exec(t, "UPDATE "+d+".t SET n = n + 1 WHERE id % 10 = 1",
				"INSERT INTO "+d+".beside VALUES (3, 3)")
		}
	}
}

// TestBetweenPhases changes tables after each phase and before the next.
func TestBetweenPhases(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		for _, before := range []string{"init-copy", "start-replica", "verify"} {
			t.Run("before "+before, func(t *testing.T) {
				m := newMove(t, "we_p", source, target, harness.Options{Lines: extras(source, target)})
				databases := m.fillKinds(t, 100)
				for _, phase := range []string{"init-schema", "init-copy", "start-replica", "verify"} {
					if phase == before {
						m.changeKinds(t)
						m.Mark(t)
					}
					if phase == "start-replica" {
						phase += " --until-caught-up"
					}
					m.must(t, phase)
				}
				m.must(t, "start-replica --until-caught-up")
				m.equal(t, append(databases, "we_p_m")...)
			})
		}
	})
}

// TestDuringCopy changes the very tables that are being copied, and kills the copy in between.
func TestDuringCopy(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		for _, kill := range []bool{false, true} {
			t.Run(fmt.Sprintf("killed %t", kill), func(t *testing.T) {
				m := newMove(t, "we_c", source, target, harness.Options{Lines: append(extras(source, target),
					"copy: {workers: 3, chunk_rows: 20}")})
				databases := m.fillKinds(t, 1000)
				m.must(t, "init-schema")
				copying := m.Start(t, "init-copy")
				require.True(t, lab.Until(func() bool {
					var chunks int
					err := m.Target.DB.QueryRowContext(t.Context(),
						"SELECT COUNT(*) FROM wherry_we_c.chunks WHERE done = 1").Scan(&chunks)
					return err == nil && chunks > 30
				}, copying.Progress), "no chunks are copied")
				m.changeKinds(t)
				if kill {
					require.NoError(t, copying.Signal(os.Kill))
				}
				<-copying.Done()
				if kill {
					require.Equal(t, -1, copying.Code, copying.Log())
					m.must(t, "init-copy")
				} else {
					require.Equal(t, done, copying.Code, "%s\n%s", last(copying), copying.Log())
				}
				m.Mark(t)
				m.must(t, "start-replica --until-caught-up", "verify")
				m.equal(t, append(databases, "we_c_m")...)
			})
		}
	})
}

// TestDuringVerify changes tables over and over while they are verified: what is equal is not said to differ.
func TestDuringVerify(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "we_v", source, target, harness.Options{Lines: append(extras(source, target),
			"verify: {chunk_rows: 50}")})
		databases := m.fillKinds(t, 1000)
		m.must(t, "init-schema", "init-copy")
		replica := m.Start(t, "start-replica")
		m.Followed(t, replica)
		verify := m.Start(t, "verify")
		for n := 0; n < 12; n++ {
			d := databases[n%2]
			m.Source.Exec(t, fmt.Sprintf("ALTER TABLE %s.t ADD COLUMN c%d INT DEFAULT %d", d, n, n),
				fmt.Sprintf("UPDATE %s.t SET c%d = id WHERE id %% 5 = 0", d, n),
				fmt.Sprintf("ALTER TABLE %s.beside RENAME COLUMN z TO y, RENAME COLUMN id TO z", d),
				fmt.Sprintf("ALTER TABLE %s.beside RENAME COLUMN z TO id, RENAME COLUMN y TO z", d))
		}
		select {
		case <-verify.Done():
		case <-replica.Done():
			require.NoError(t, verify.Signal(os.Kill))
			require.Fail(t, "start-replica ended", "%s\n%s", last(replica), replica.Log())
		}
		assert.NotEqual(t, 3, verify.Code, "%s\n%s", last(verify), verify.Log())
		m.Followed(t, replica)
		m.must(t, "verify")
		replica.Interrupt(t)
		m.equal(t, databases...)
	})
}

// TestModes stops at schema changes, passes over them, and takes those that were made by hand.
func TestModes(t *testing.T) {
	source, target := harness.MySQL.Open(t)
	setup := func(t *testing.T, mode string) *move {
		m := newMove(t, "we_o", source, target, harness.Options{Lines: []string{"replicate: {ddl: " + mode + "}"}})
		m.Source.Exec(t, "CREATE DATABASE we_o_a", "CREATE TABLE we_o_a.t (id INT PRIMARY KEY, n INT)",
			"INSERT INTO we_o_a.t VALUES (1, 1)")
		m.must(t, "init-schema", "init-copy")
		return m
	}
	t.Run("stop", func(t *testing.T) {
		m := setup(t, "stop")
		m.Source.Exec(t, "INSERT INTO we_o_a.t VALUES (2, 2)", "ALTER TABLE we_o_a.t ADD COLUMN x INT DEFAULT 4",
			"INSERT INTO we_o_a.t VALUES (3, 3, 3)")
		var at string
		for range 2 {
			c := m.Run(t, "start-replica", "--until-caught-up")
			require.Equal(t, refused, c.Code, c.Log())
			for _, text := range []string{
				"we_o_a.t", "ADD COLUMN x", "replicate.ddl is stop", "nothing was changed",
				"--skip-ddl", "init-copy --table we_o_a.t",
			} {
				assert.Contains(t, last(c), text)
			}
			assert.Equal(t, "2", m.Target.Text(t, "SELECT COUNT(*) FROM we_o_a.t"), "what was before it is applied")
			if at != "" {
				assert.Equal(t, at, m.Fact(t, "position"), "the position is kept")
			}
			at = m.Fact(t, "position")
		}
		c := m.Run(t, "start-replica", "--until-caught-up", "--skip-ddl") // not made
		require.Equal(t, refused, c.Code, c.Log())
		assert.Contains(t, last(c), "column x")
		m.Target.Exec(t, "ALTER TABLE we_o_a.t ADD COLUMN x INT DEFAULT 5") // made wrong
		c = m.Run(t, "start-replica", "--until-caught-up", "--skip-ddl")
		require.Equal(t, refused, c.Code, c.Log())
		assert.Contains(t, last(c), "default is")
		assert.Equal(t, at, m.Fact(t, "position"), "the position is kept")
		m.Target.Exec(t, "ALTER TABLE we_o_a.t DROP COLUMN x", "ALTER TABLE we_o_a.t ADD COLUMN x INT DEFAULT 4")
		m.must(t, "start-replica --until-caught-up --skip-ddl", "verify")
		m.equal(t, "we_o_a")
		m.Source.Exec(t, "ALTER TABLE we_o_a.t DROP COLUMN x", "INSERT INTO we_o_a.t VALUES (9, 9)")
		require.Equal(t, refused, m.Run(t, "start-replica", "--until-caught-up").Code)
		m.must(t, "init-copy --table we_o_a.t", "start-replica --until-caught-up", "verify")
		m.equal(t, "we_o_a")
	})
	t.Run("skipped and not made", func(t *testing.T) {
		m := newMove(t, "we_o", source, target, harness.Options{Lines: []string{"cutover: {fence: none}"}})
		m.Source.Exec(t, "CREATE DATABASE we_o_a", "CREATE TABLE we_o_a.t (id INT PRIMARY KEY, n INT) PARTITION "+
			"BY RANGE (id) (PARTITION p VALUES LESS THAN (10), PARTITION q VALUES LESS THAN (20))",
			"CREATE TABLE we_o_a.other (id INT PRIMARY KEY, n INT)", "INSERT INTO we_o_a.t VALUES (1, 1), (11, 11)",
			"INSERT INTO we_o_a.other VALUES (2, 2)")
		m.must(t, "init-schema", "init-copy", "verify")
		m.Source.Exec(t, "ALTER TABLE we_o_a.t EXCHANGE PARTITION p WITH TABLE we_o_a.other")
		require.Equal(t, refused, m.Run(t, "start-replica", "--until-caught-up").Code)
		// the tables look as they must, and nobody has exchanged their rows
		c := m.Run(t, "start-replica", "--until-caught-up", "--skip-ddl")
		require.Equal(t, done, c.Code, c.Log())
		assert.Contains(t, c.Log(), "only the definitions of the tables were looked at, none of their rows")
		c = m.Run(t, "cutover", "--confirm=we_o")
		require.Equal(t, 3, c.Code, "%s\n%s", last(c), c.Log())
		m.must(t, "verify --repair", "cutover --confirm=we_o")
		m.equal(t, "we_o_a")
	})
	t.Run("passed over", func(t *testing.T) {
		m := newMove(t, "we_o", source, target, harness.Options{Lines: []string{
			"cutover: {fence: none}",
			"replicate: {ddl: ignore}",
		}})
		m.Source.Exec(t, "CREATE DATABASE we_o_a", "CREATE TABLE we_o_a.t (id INT PRIMARY KEY, n INT)",
			"INSERT INTO we_o_a.t VALUES (1, 1)")
		m.must(t, "init-schema", "init-copy", "verify")
		m.Source.Exec(t, "TRUNCATE TABLE we_o_a.t", "INSERT INTO we_o_a.t VALUES (2, 2)")
		m.must(t, "start-replica --until-caught-up")
		c := m.Run(t, "cutover", "--confirm=we_o")
		require.Equal(t, 3, c.Code, "%s\n%s", last(c), c.Log())
		m.must(t, "verify --repair", "cutover --confirm=we_o")
		m.equal(t, "we_o_a")
	})
	t.Run("ignore", func(t *testing.T) {
		m := setup(t, "ignore")
		m.Source.Exec(t, "ALTER TABLE we_o_a.t COMMENT 'new'", "INSERT INTO we_o_a.t VALUES (2, 2)")
		m.must(t, "start-replica --until-caught-up")
		assert.Equal(t, "2", m.Target.Text(t, "SELECT COUNT(*) FROM we_o_a.t"))
		assert.Empty(t, m.Target.Text(t, "SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = "+
			"'we_o_a' AND TABLE_NAME = 't'"))
		// rows of another shape cannot be passed over
		m.Source.Exec(t, "ALTER TABLE we_o_a.t ADD COLUMN x INT", "INSERT INTO we_o_a.t VALUES (3, 3, 3)")
		c := m.Run(t, "start-replica", "--until-caught-up")
		assert.Equal(t, refused, c.Code, c.Log())
		assert.Equal(t, "2", m.Target.Text(t, "SELECT COUNT(*) FROM we_o_a.t"))
	})
}

// TestRotatedWhileCopied rotates the partitions of a table all the time while it is copied, and changes its indexes
// and defaults: its rows are copied once, for such changes leave them as they are, or take whole partitions of them
// away.
func TestRotatedWhileCopied(t *testing.T) {
	kill := false
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		kill = !kill
		m := newMove(t, "we_r", source, target, harness.Options{Lines: append(extras(source, target),
			"copy: {workers: 2, chunk_rows: 20}")})
		m.Source.Exec(t, "CREATE DATABASE we_r_a", "CREATE TABLE we_r_a.t (day INT NOT NULL, n INT NOT NULL, v "+
			"VARCHAR(50) DEFAULT 'x', PRIMARY KEY (n, day), KEY v (v)) PARTITION BY RANGE (day) "+
			"(PARTITION p0 VALUES LESS THAN (1), PARTITION p1 VALUES LESS THAN (2), PARTITION p2 VALUES LESS THAN "+
			"(3), PARTITION p3 VALUES LESS THAN (4), PARTITION p4 VALUES LESS THAN (1000))",
			"INSERT INTO we_r_a.t WITH RECURSIVE s AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 899) "+
				"SELECT n % 5, n, REPEAT('v', n % 50) FROM s")
		m.must(t, "init-schema")
		// without a key, copied anew
		m.Source.Exec(t, "CREATE TABLE we_r_a.bag (a INT, b INT)",
			"INSERT INTO we_r_a.bag VALUES (1, 1), (1, 1), (NULL, 2)")
		var copying *harness.Child
		kept := false // t has had a chunk: from then on it must not be made anew
		begun := func() bool {
			kept = kept ||
				m.Target.Text(t, "SELECT COUNT(*) FROM wherry_we_r.chunks WHERE source = '`we_r_a`.`t`'") != "0"
			return kept
		}
		made, untold := 0, 0 // tables made anew, and changes read late that cannot be told: those must be copied anew
		count := func() {
			// killed before the first chunk: there is nothing to keep, and the next run makes the table as it is by
			// then
			if !begun() {
				return
			}
			made += strings.Count(copying.Log(), `"we_r_a.t","time"`)
			untold += strings.Count(copying.Log(), "cannot be told")
		}
		again := func() {
			copying = m.Start(t, "init-copy")
		}
		again()
		for r := range 12 {
			m.Source.Exec(t, fmt.Sprintf("ALTER TABLE we_r_a.t ADD PARTITION (PARTITION ahead%d VALUES LESS "+
				"THAN (%d))", r, 1001+r),
				fmt.Sprintf("INSERT INTO we_r_a.t (day, n) VALUES (%d, %d)", 5+r, 10_000+r),
				fmt.Sprintf("DELETE FROM we_r_a.t WHERE n = %d", 7*r))
			if r < 4 {
				m.Source.Exec(t, fmt.Sprintf("INSERT INTO we_r_a.t VALUES (%d, -%d, 'goes')", r, 1+r),
					fmt.Sprintf("ALTER TABLE we_r_a.t DROP PARTITION p%d", r),
					fmt.Sprintf("INSERT INTO we_r_a.t VALUES (%d, -%d, 'stays')", r, 11+r)) // in another one
			}
			m.Source.Exec(t, fmt.Sprintf("ALTER TABLE we_r_a.t ADD INDEX i%d (n), ALTER COLUMN v SET DEFAULT "+
				"'x%[1]d', COMMENT 'turn %[1]d'", r),
				fmt.Sprintf("UPDATE we_r_a.t SET v = 'turn %d' WHERE n %% 70 = %d", r, r%70))
			if r%3 > 0 {
				m.Source.Exec(t, fmt.Sprintf("ALTER TABLE we_r_a.t DROP INDEX i%d", r))
			}
			m.Source.Exec(t, fmt.Sprintf("ALTER TABLE we_r_a.bag COMMENT 'turn %d'", r),
				"INSERT INTO we_r_a.bag VALUES (1, 1), (3, 4)", "DELETE FROM we_r_a.bag LIMIT 1")
			if kill && r%3 == 2 {
				if r > 2 { // the first run is killed at any moment, the others once there is a chunk
					require.True(t, lab.Until(begun, copying.Progress), "no chunk is cut: %s", copying.Log())
				}
				require.NoError(t, copying.Signal(os.Kill))
				<-copying.Done()
				count()
				again()
			}
		}
		<-copying.Done()
		require.Equal(t, done, copying.Code, "%s\n%s", last(copying), copying.Log())
		count()
		assert.LessOrEqual(t, made, 2+2*untold, "made anew before the first row, and when a change cannot be told: %s",
			copying.Log())
		assert.LessOrEqual(t, untold, 6, "of more than 60 changes: %s", copying.Log())
		m.Mark(t)
		m.must(t, "start-replica --until-caught-up", "verify")
		m.equal(t, "we_r_a", "we_r_m")
	})
}
