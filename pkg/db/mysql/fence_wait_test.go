package mysql_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/db/mysql"
	"wherry/pkg/db/mysql/mysqltest"
)

// TestFenceBehindARowLock: a statement waits for a row of a transaction whose next statement would wait for the
// fence, which waits for the first. No server finds that circle out; the fence has to step back for a moment.
func TestFenceBehindARowLock(t *testing.T) {
	servers := mysqltest.Servers(t)
	for _, name := range []string{"mysql-1", "mariadb-1"} {
		cfg, ok := servers[name]
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			table := dbtest.SourceDatabase + ".waits"
			mysqltest.Execute(t, cfg, "SET GLOBAL read_only = 0", "DROP DATABASE IF EXISTS "+dbtest.SourceDatabase,
				"CREATE DATABASE "+dbtest.SourceDatabase,
				"CREATE TABLE "+table+" (id INT PRIMARY KEY, n INT) ENGINE=InnoDB",
				"INSERT INTO "+table+" VALUES (1, 0), (2, 0)",
				"CREATE USER IF NOT EXISTS "+mysqltest.App+"@'%' IDENTIFIED BY 'app'",
				"GRANT ALL ON "+dbtest.SourceDatabase+
					".* TO "+mysqltest.App+"@'%'")
			writer := cfg
			writer.User, writer.Password = mysqltest.App, "app"
			apps := mysqltest.Pool(t, writer)
			source, err := mysql.OpenSource(t.Context(), cfg)
			require.NoError(t, err)
			t.Cleanup(func() { _ = source.Close() })
			fence, err := source.NewFence(t.Context(), db.FenceReadOnly, nil, "")
			require.NoError(t, err)
			t.Cleanup(func() { _ = fence.Lift(context.WithoutCancel(t.Context())) })

			first, err := apps.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			_, err = first.ExecContext(t.Context(), "UPDATE "+table+" SET n = 1 WHERE id = 1")
			require.NoError(t, err)
			waiting := make(chan error, 1)
			go func() {
				_, err := apps.ExecContext(t.Context(), "UPDATE "+table+" SET n = n + 1 WHERE id = 1")
				waiting <- err
			}()
			time.Sleep(200 * time.Millisecond)
			raised := make(chan error, 1)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			began := time.Now()
			go func() { raised <- fence.Raise(ctx) }()
			time.Sleep(200 * time.Millisecond)
			_, err = first.ExecContext(t.Context(), "UPDATE "+table+" SET n = 1 WHERE id = 2")
			require.NoError(t, err)
			require.NoError(t, first.Commit())
			require.NoError(t, <-waiting)
			require.NoError(t, <-raised)
			assert.Less(t, time.Since(began), 20*time.Second)
			require.NoError(t, fence.Holds(t.Context()))
		})
	}
}
