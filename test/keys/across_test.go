package keys

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	engine "wherry/pkg/db/mysql"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestEqualOnTargetOnly: a row whose key only the target calls equal to another's is refused, and the other one stays;
// so is one that competes for a unique value. A key that changes into one that the target calls equal is none of these.
func TestEqualOnTargetOnly(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, _, server *harness.Server) {
		ctx, database := t.Context(), "wk_across"
		server.Drop(t, database, engine.Bookkeeping(database))
		server.Exec(t, "CREATE DATABASE "+database,
			"CREATE TABLE "+database+".sharp (k VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, u "+
				"VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, UNIQUE KEY u (u))",
			"CREATE TABLE "+database+".blunt (k VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY "+
				"KEY, u VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, UNIQUE KEY u (u))",
			"INSERT INTO "+database+".blunt VALUES ('A', '1'), ('b', 'x')")
		t.Cleanup(func() { server.Drop(t, database, engine.Bookkeeping(database)) })
		target, err := engine.OpenTarget(ctx, engine.Config{
			Host: server.Host, Port: server.Port, User: lab.User,
			Password: lab.Password, Move: database,
		})
		require.NoError(t, err)
		defer target.Close()
		tables, err := target.Tables(ctx, func(n schema.Name) bool { return n.Database == database })
		require.NoError(t, err)
		r, err := route.New(tables[1], tables[0], "")
		require.NoError(t, err)
		require.NoError(t, target.Ledger().Create(ctx))
		require.NoError(t, target.Ledger().Put(ctx, db.FactPosition, "file=x:4"))
		applier, err := target.NewApplier(ctx, db.ApplyOptions{Workers: 1})
		require.NoError(t, err)
		defer applier.Close()
		row := func(values ...string) (row db.Row) {
			for _, v := range values {
				row = append(row, []byte(v))
			}
			return row
		}
		apply := func(tb db.TableBatch) error {
			tb.Route = r
			_, err := applier.Apply(ctx, &db.Batch{Tables: []db.TableBatch{tb}})
			if err == nil {
				return applier.Commit(ctx, "file=x:5")
			}
			return fmt.Errorf("%w; %w", err, applier.Rollback(ctx))
		}
		err = apply(db.TableBatch{Upserts: []db.Row{row("a", "2")}})
		require.ErrorIs(t, err, db.ErrUnsupported, "a key")
		require.ErrorContains(t, err, "nothing was overwritten")
		require.ErrorIs(t, apply(db.TableBatch{Upserts: []db.Row{row("c", "X")}}), db.ErrUnsupported, "a unique value")
		require.NoError(t, apply(db.TableBatch{Deletes: []db.Row{row("a")}}), "another row than A")
		blunt := func() []string { return server.Lines(t, "SELECT k, u FROM "+database+".blunt") }
		assert.Equal(t, []string{`k="A" u="1" `, `k="b" u="x" `}, blunt(), "what was there")
		require.NoError(t, apply(db.TableBatch{Deletes: []db.Row{row("A")}, Upserts: []db.Row{
			row("a", "x"),
			row("b", "1"),
		}}), "keys and values change places")
		assert.Equal(t, []string{`k="a" u="x" `, `k="b" u="1" `}, blunt())

		// While rows are newer than the log, one gives way to what the log tells, and that is noted before.
		require.NoError(t, applier.Close())
		noted := 0
		applier, err = target.NewApplier(ctx, db.ApplyOptions{
			Workers: 1,
			Displaced: func(_ context.Context, displaced *route.Route) (bool, error) {
				assert.Same(t, r, displaced)
				assert.Equal(t, []string{`k="a" u="x" `, `k="b" u="1" `}, blunt())
				noted++
				return noted > 1, nil
			},
		})
		require.NoError(t, err)
		require.NoError(t, apply(db.TableBatch{Upserts: []db.Row{row("a", "y")}}))
		assert.Zero(t, noted, "nothing was in the way")
		require.NoError(t, apply(db.TableBatch{Upserts: []db.Row{row("a", "x")}}))
		require.ErrorIs(t, apply(db.TableBatch{Upserts: []db.Row{row("A", "2"), row("c", "1")}}), db.ErrUnsupported,
			"it may not")
		require.NoError(t, apply(db.TableBatch{Upserts: []db.Row{row("A", "2"), row("c", "1")}}))
		assert.Equal(t, 2, noted)
		assert.Equal(t, []string{`k="A" u="2" `, `k="c" u="1" `}, blunt())
	})
}

// TestManyTables moves 300 tables, most of them almost empty, through all phases.
func TestManyTables(t *testing.T) {
	harness.Each(t, []harness.Ends{harness.MariaDB}, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "wk_many_tables", source, target)
		conn, err := m.Source.DB.Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, lab.ExecAll(t.Context(), conn, "USE wk_many_tables",
			"CREATE TABLE marks (id INT PRIMARY KEY)"))
		for i := range 300 {
			require.NoError(t, lab.ExecAll(t.Context(), conn, fmt.Sprintf("CREATE TABLE t%d (id INT PRIMARY KEY, a "+
				"VARCHAR(20), KEY (a))", i)))
			if i%2 == 0 {
				require.NoError(t, lab.ExecAll(t.Context(), conn, fmt.Sprintf("INSERT INTO t%d VALUES (1, 'x'), "+
					"(%d, 'y')", i, i+2)))
			}
		}
		m.Phases(t, "check", "init-schema", "init-copy")
		replica := m.Start(t, "start-replica")
		m.Followed(t, replica)
		m.Must(t, "verify")
		assert.Equal(t, 301, m.Equal(t))
		replica.Interrupt(t)
	})
}
