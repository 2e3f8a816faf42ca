package keyless

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestGeneratedInvisiblePrimaryKey has a target that adds a primary key to tables that have none. A move's have none
// there either.
func TestGeneratedInvisiblePrimaryKey(t *testing.T) {
	source, target := harness.MySQL.Open(t)
	m := newMove(t, source, target)
	app := source.In(t, m.Name)
	app.Exec(t, "CREATE TABLE a (n INT)", "CREATE TABLE filtered (n INT)",
		"CREATE TABLE u (n INT NOT NULL, UNIQUE KEY (n))", "INSERT INTO a VALUES (1), (1)")
	target.Set(t, "sql_generate_invisible_primary_key", "ON")
	m.Phases(t, "check", "init-schema", "init-copy")
	app.Exec(t, "DELETE FROM a LIMIT 1", "INSERT INTO u VALUES (5)")
	m.CatchUp(t)
	moved := target.In(t, m.Name)
	assert.Equal(t, "n", moved.Text(t, "SELECT GROUP_CONCAT(DISTINCT column_name) FROM information_schema.columns "+
		"WHERE table_schema = DATABASE()"))
	assert.Equal(t, "1", moved.Text(t, "SELECT COUNT(*) FROM a"))
}

// TestRequiredPrimaryKey has a target that takes no table without a primary key: the check says so before anything is
// made.
func TestRequiredPrimaryKey(t *testing.T) {
	for flavor, variable := range map[string]string{
		lab.MySQL:   "sql_require_primary_key",
		lab.MariaDB: "innodb_force_primary_key",
	} {
		t.Run(flavor, func(t *testing.T) {
			source, target := harness.Ends{From: flavor, To: flavor}.Open(t)
			m := newMove(t, source, target)
			source.In(t, m.Name).Exec(t, "CREATE TABLE keyed (n INT PRIMARY KEY)", "CREATE TABLE filtered (n INT)")
			target.Set(t, variable, "ON")
			child := m.Ends(t, harness.Refused, "check")
			assert.Contains(t, child.Output(), "keyless_move.filtered")
			assert.Contains(t, child.Output(), variable)
			assert.NotContains(t, child.Output(), "keyless_move.keyed")
		})
	}
}

// TestSnapshotPrivilege asks for LOCK TABLES only where a snapshot needs it.
func TestSnapshotPrivilege(t *testing.T) {
	const name, account, secret = "keyless_grants", "keyless_reader", "keyless-reader-secret"
	harness.EachFlavor(t, func(t *testing.T, s *harness.Server) {
		app := s.Fresh(t, name)
		app.Exec(t, "CREATE TABLE keyed (n INT PRIMARY KEY)", "CREATE TABLE bag (n INT)",
			"DROP USER IF EXISTS "+account,
			"CREATE USER "+account+" IDENTIFIED BY '"+secret+"'", "GRANT SELECT ON "+name+".* TO "+account,
			"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO "+account)
		_, routes := source(t, s, name)
		src, err := mysql.OpenSource(t.Context(), mysql.Config{
			Host: s.Host, Port: s.Port, User: account,
			Password: secret, Move: "keyless",
		})
		require.NoError(t, err)
		t.Cleanup(func() { _ = src.Close() })
		lacks := func(r *route.Route) (what []string) {
			found, err := src.Check(t.Context(), db.Plan{Routes: []*route.Route{r}, Fence: db.FenceNone})
			require.NoError(t, err)
			for _, f := range found {
				if f.Check == "privileges" && f.Level == db.Fail {
					what = append(what, f.What)
				}
			}
			return what
		}
		assert.Empty(t, lacks(routes["keyed"]))
		if s.Flavor == lab.MariaDB {
			assert.Empty(t, lacks(routes["bag"]))
			snapshot, err := src.Snapshot(t.Context(), &routes["bag"].Source)
			require.NoError(t, err, "and these are enough")
			require.NoError(t, snapshot.Close())
			return
		}
		assert.Equal(t, []string{"no LOCK TABLES"}, lacks(routes["bag"]))
		app.Exec(t, "GRANT LOCK TABLES ON "+name+".* TO "+account)
		assert.Empty(t, lacks(routes["bag"]))
		snapshot, err := src.Snapshot(t.Context(), &routes["bag"].Source)
		require.NoError(t, err, "and that is enough")
		require.NoError(t, snapshot.Close())
	})
}

// TestManyRemovals removes thousands of rows in one batch from a table of 200,000 that has no index: the table is
// read a few times, not once for each.
func TestManyRemovals(t *testing.T) {
	const name, total, gone = "keyless_many", 200_000, 5_000
	harness.EachFlavor(t, func(t *testing.T, s *harness.Server) {
		app := s.Fresh(t, name)
		app.Exec(t, "CREATE TABLE bag (n INT, b VARCHAR(60))", "INSERT INTO bag VALUES (0, 'a row of usual length, "+
			"of no interest otherwise')")
		for size := 1; size < total; size *= 2 {
			app.Exec(t, fmt.Sprintf("INSERT INTO bag SELECT n + %d, b FROM bag LIMIT %d", size, min(size, total-size)))
		}
		app.Exec(t, "UPDATE bag SET n = n DIV 2 WHERE n < 2000") // two copies of some
		target, err := mysql.OpenTarget(t.Context(), mysql.Config{
			Host: s.Host, Port: s.Port, User: lab.User,
			Password: lab.Password, Move: "keyless_many",
		})
		require.NoError(t, err)
		t.Cleanup(func() { _ = target.Close() })
		require.NoError(t, target.Ledger().Drop(t.Context()))
		require.NoError(t, target.Ledger().Create(t.Context()))
		require.NoError(t, target.Ledger().Put(t.Context(), db.FactPosition, "p0"))
		tables, err := target.Tables(t.Context(), func(n schema.Name) bool { return n.Database == name })
		require.NoError(t, err)
		r, err := route.New(tables[0], tables[0], "")
		require.NoError(t, err)
		batch := &db.Batch{Tables: []db.TableBatch{{Route: r}}}
		for n := range gone { // one of two copies of the first thousand
			batch.Tables[0].Deletes = append(batch.Tables[0].Deletes, db.Row{
				strconv.AppendInt(nil, int64(n), 10),
				[]byte("a row of usual length, of no interest otherwise"),
			})
			if n >= 1000 {
				batch.Tables[0].Deletes[n][0] = strconv.AppendInt(nil, int64(n+1000), 10)
			}
		}
		a, err := target.NewApplier(t.Context(), db.ApplyOptions{})
		require.NoError(t, err)
		t.Cleanup(func() { _ = a.Close() })
		deletes := func() (n int) {
			var name string
			row := app.DB.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Com_delete'")
			require.NoError(t, row.Scan(&name, &n))
			return n
		}
		before, began := deletes(), time.Now()
		applied, err := a.Apply(t.Context(), batch)
		require.NoError(t, err)
		require.NoError(t, a.Commit(t.Context(), "p1"))
		t.Logf("%d of %d rows removed in %s", gone, total, time.Since(began))
		assert.EqualValues(t, gone, applied.Deleted)
		assert.LessOrEqual(t, deletes()-before, 10, "DELETE statements")
		assert.Equal(t, strconv.Itoa(total-gone), app.Text(t, "SELECT COUNT(*) FROM bag"))
		assert.Equal(t, "1",
			app.Text(t, "SELECT MAX(copies) FROM (SELECT COUNT(*) AS copies FROM bag GROUP BY n) AS c"))
		began = time.Now()
		_, err = a.Apply(t.Context(),
			&db.Batch{Tables: []db.TableBatch{{
				Route:   r,
				Deletes: []db.Row{{[]byte("199999"), []byte("a row of usual length, of no interest otherwise")}},
			}}})
		require.NoError(t, err)
		require.NoError(t, a.Commit(t.Context(), "p2"))
		t.Logf("the last of them alone in %s", time.Since(began))
	})
}

// TestLedgerOfEarlierVersion has bookkeeping that knows no positions of chunks.
func TestLedgerOfEarlierVersion(t *testing.T) {
	harness.EachFlavor(t, func(t *testing.T, s *harness.Server) {
		target, err := mysql.OpenTarget(t.Context(), mysql.Config{
			Host: s.Host, Port: s.Port, User: lab.User,
			Password: lab.Password, Move: "keyless_old",
		})
		require.NoError(t, err)
		t.Cleanup(func() { _ = target.Close() })
		ledger, table := target.Ledger(), schema.Name{Database: "shop", Table: "bag"}
		require.NoError(t, ledger.Drop(t.Context()))
		require.NoError(t, ledger.Create(t.Context()))
		s.In(t, "wherry_keyless_old").Exec(t, "ALTER TABLE chunks DROP COLUMN position")
		require.NoError(t, ledger.Create(t.Context()))
		require.NoError(t, ledger.Plan(t.Context(), db.Chunk{}, table))
		chunks, err := ledger.Chunks(t.Context(), table)
		require.NoError(t, err)
		assert.Equal(t, []db.Chunk{{}}, chunks)
		require.NoError(t, ledger.Drop(t.Context()))
	})
}
