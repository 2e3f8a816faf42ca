package mysql_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/db/mysql"
	"wherry/pkg/db/mysql/mysqltest"
)

// TestConformance runs the suite of all engines on pairs of real servers.
func TestConformance(t *testing.T) {
	servers := mysqltest.Servers(t)
	ran := 0
	for _, pair := range []struct{ source, target, method string }{
		{"mysql-1", "mysql-2", "auto"},
		{"mysql-1", "mysql-2", "insert"},
		{"mariadb-1", "mariadb-2", "auto"},
		{"mysql-1", "mariadb-2", "auto"},
		{"mariadb-1", "mysql-2", "auto"},
	} {
		source, ok := servers[pair.source]
		target, found := servers[pair.target]
		if !ok || !found {
			continue
		}
		ran++
		target.LoadMethod = pair.method
		t.Run(pair.source+" to "+pair.target+" by "+pair.method, func(t *testing.T) {
			dbtest.Run(t, harness(source, target))
		})
	}
	if ran == 0 {
		mysqltest.NoServers(t)
	}
}

func harness(source, target mysql.Config) dbtest.Harness {
	open := func(t *testing.T) db.Target {
		opened, err := mysql.OpenTarget(t.Context(), target)
		require.NoError(t, err)
		t.Cleanup(func() { _ = opened.Close() })
		return opened
	}
	return dbtest.Harness{
		Source: func(t *testing.T) (db.Source, dbtest.Writer) { return mysqltest.Source(t, source) },
		Target: func(t *testing.T) db.Target {
			mysqltest.Execute(t, target, "DROP DATABASE IF EXISTS "+dbtest.TargetDatabase,
				"DROP DATABASE IF EXISTS "+mysql.Bookkeeping(target.Move))
			return open(t)
		},
		Reopen: open,
		Fences: []db.FenceKind{db.FenceReadOnly, db.FenceLockTables},
		Large:  40000,
	}
}
