package mysql_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql"
	"wherry/pkg/db/mysql/mysqltest"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// TestWorkersWaitForEachOther applies a transaction in two pieces of which the second reads, on one connection, all
// rows of a small table, among them those that the others have written: the server sees no deadlock. The next try
// uses one connection.
func TestWorkersWaitForEachOther(t *testing.T) {
	for name, config := range mysqltest.Servers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			config.Move = "workers"
			mysqltest.Execute(t, config, "DROP DATABASE IF EXISTS wherry_workers",
				"DROP DATABASE IF EXISTS small_tables",
				"CREATE DATABASE small_tables",
				"CREATE TABLE small_tables.t (id BIGINT PRIMARY KEY, v VARCHAR(200))",
				"INSERT INTO small_tables.t WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n "+
					"< 200) SELECT n, 'x' FROM s",
				"ANALYZE TABLE small_tables.t")
			target, err := mysql.OpenTarget(ctx, config)
			require.NoError(t, err)
			defer func() { require.NoError(t, target.Close()) }()
			tables, err := target.Tables(ctx, func(n schema.Name) bool { return n.Database == "small_tables" })
			require.NoError(t, err)
			r, err := route.New(tables[0], tables[0], "")
			require.NoError(t, err)
			require.NoError(t, target.Ledger().Create(ctx))
			require.NoError(t, target.Ledger().Put(ctx, db.FactPosition, "p0"))
			written, gone := db.TableBatch{Route: r}, db.TableBatch{Route: r}
			for id := range 200 {
				key := strconv.AppendInt(nil, int64(id+1), 10)
				if id < 20 {
					written.Upserts = append(written.Upserts, db.Row{key, []byte("y")})
				} else {
					gone.Deletes = append(gone.Deletes, db.Row{key})
				}
			}
			apply := func(a db.Applier) error {
				if _, err := a.Apply(ctx, &db.Batch{Tables: []db.TableBatch{written}}); err != nil {
					return err
				}
				applied, err := a.Apply(ctx, &db.Batch{Tables: []db.TableBatch{gone}})
				if err == nil {
					assert.Equal(t, int64(180), applied.Deleted)
				}
				return err
			}
			a, err := target.NewApplier(ctx, db.ApplyOptions{Workers: 4})
			require.NoError(t, err)
			require.ErrorIs(t, apply(a), db.ErrRetry)
			require.NoError(t, a.Rollback(ctx))
			require.NoError(t, apply(a), "by the same applier")
			require.NoError(t, a.Rollback(ctx))
			require.NoError(t, a.Close())
			a, err = target.NewApplier(ctx, db.ApplyOptions{Workers: 4})
			require.NoError(t, err)
			require.NoError(t, apply(a), "by the next one")
			require.NoError(t, a.Commit(ctx, "p1"))
			require.NoError(t, a.Close())
		})
	}
}
