package postgres_test

import (
	"context"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/db/mysql"
	"wherry/pkg/db/mysql/mysqltest"
	"wherry/pkg/db/postgres"
)

// TestConformance runs the suite of all engines with PostgreSQL as the target of each family.
func TestConformance(t *testing.T) {
	sources, targets := mysqltest.Servers(t), servers(t)
	target, ok := targets["postgres-1"]
	ran := 0
	for _, name := range []string{"mysql-1", "mariadb-1"} {
		source, found := sources[name]
		if !found || !ok {
			continue
		}
		ran++
		t.Run(name+" to postgres-1", func(t *testing.T) { dbtest.Run(t, harness(source, target)) })
	}
	if ran == 0 {
		mysqltest.NoServers(t)
	}
}

func harness(source mysql.Config, target postgres.Config) dbtest.Harness {
	open := func(t *testing.T) db.Target {
		opened, err := postgres.OpenTarget(t.Context(), target)
		require.NoError(t, err)
		t.Cleanup(func() { _ = opened.Close() })
		return opened
	}
	return dbtest.Harness{
		Source: func(t *testing.T) (db.Source, dbtest.Writer) { return mysqltest.Source(t, source) },
		Target: func(t *testing.T) db.Target {
			execute(t, target, `DROP SCHEMA IF EXISTS "`+dbtest.TargetDatabase+`" CASCADE`,
				`DROP SCHEMA IF EXISTS "`+postgres.Bookkeeping(target.Move)+`" CASCADE`)
			return open(t)
		},
		Reopen: open,
		Fences: []db.FenceKind{db.FenceReadOnly, db.FenceLockTables},
		Large:  40000,
		NoZero: true, NoTriggers: true,
	}
}

// servers returns the PostgreSQL servers of WHERRY_TEST_SERVERS by their names.
func servers(t *testing.T) map[string]postgres.Config {
	t.Helper()
	found := map[string]postgres.Config{}
	for _, entry := range strings.Fields(os.Getenv("WHERRY_TEST_SERVERS")) {
		name, address, _ := strings.Cut(entry, "=")
		u, err := url.Parse(address)
		require.NoError(t, err)
		if u.Scheme != "postgres" {
			continue
		}
		port, err := strconv.Atoi(u.Port())
		require.NoError(t, err)
		found[name] = postgres.Config{
			Host: u.Hostname(), Port: port, User: u.User.Username(), Database: strings.TrimPrefix(u.Path, "/"),
			Move: "conformance", ConnectTimeout: 5 * time.Second,
		}
	}
	return found
}

// execute runs statements on a server, by the driver alone.
func execute(t *testing.T, c postgres.Config, statements ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // also while a test ends
	conn, err := pgconn.Connect(ctx, "host="+c.Host+" port="+strconv.Itoa(c.Port)+" user="+c.User+" dbname="+
		c.Database+" sslmode=disable")
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(ctx)) }()
	for _, s := range statements {
		_, err := conn.Exec(ctx, s).ReadAll()
		require.NoError(t, err, s)
	}
}
