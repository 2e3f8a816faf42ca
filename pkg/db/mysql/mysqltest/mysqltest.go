// Package mysqltest is the application that the conformance suite lets write to MySQL and MariaDB, for the tests of all
// engines that rows of these servers are moved to.
//
// Its one invariant: it writes by SQL that wherry has no part in.
package mysqltest

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/db/mysql"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// Servers returns the MySQL and MariaDB servers of WHERRY_TEST_SERVERS by their names, such as mysql-1.
func Servers(t *testing.T) map[string]mysql.Config {
	t.Helper()
	servers := map[string]mysql.Config{}
	for _, entry := range strings.Fields(os.Getenv("WHERRY_TEST_SERVERS")) {
		name, address, _ := strings.Cut(entry, "=")
		u, err := url.Parse(address)
		require.NoError(t, err)
		if u.Scheme == "postgres" {
			continue
		}
		host, portText, err := net.SplitHostPort(u.Host)
		require.NoError(t, err)
		port, err := strconv.Atoi(portText)
		require.NoError(t, err)
		password, _ := u.User.Password()
		servers[name] = mysql.Config{
			Host: host, Port: port, User: u.User.Username(), Password: password,
			Move: "conformance",
		}
	}
	return servers
}

// NoServers ends a test that found no servers: it is skipped, or fails where they are required.
func NoServers(t *testing.T) {
	t.Helper()
	if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
		t.Fatal("no pair of servers in WHERRY_TEST_SERVERS, and WHERRY_REQUIRE_SERVERS=1")
	}
	t.Skip("SKIPPED WITHOUT SERVERS: set WHERRY_TEST_SERVERS, see scripts/servers.sh")
}

// App is the account of the application: without the privileges by which an administrator passes a fence.
const App = "dbtest_app"

// Source opens a source with an empty dbtest.SourceDatabase, and the application that writes to it.
func Source(t *testing.T, source mysql.Config) (db.Source, dbtest.Writer) {
	t.Helper()
	Execute(t, source, "SET GLOBAL read_only = 0", "DROP DATABASE IF EXISTS "+dbtest.SourceDatabase,
		"CREATE DATABASE "+dbtest.SourceDatabase+" CHARACTER SET utf8mb4", "CREATE USER IF NOT EXISTS "+App+
			"@'%' IDENTIFIED BY 'app'",
		"CREATE USER IF NOT EXISTS "+App+"@localhost IDENTIFIED BY 'app'",
		"GRANT ALL ON "+dbtest.SourceDatabase+".* TO "+App+"@'%'",
		"GRANT ALL ON "+dbtest.SourceDatabase+".* TO "+App+"@localhost")
	opened, err := mysql.OpenSource(t.Context(), source)
	require.NoError(t, err)
	t.Cleanup(func() { _ = opened.Close() })
	config := source
	config.User, config.Password = App, "app"
	return opened, &writer{pool: Pool(t, config), specs: map[schema.Name]dbtest.Spec{}}
}

// Pool returns connections to a server, with a strict sql_mode.
func Pool(t *testing.T, config mysql.Config) *sql.DB {
	t.Helper()
	c := driver.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd = "tcp", config.Address(), config.User, config.Password
	c.InterpolateParams = true
	c.Params = map[string]string{"sql_mode": "'TRADITIONAL,NO_AUTO_VALUE_ON_ZERO'"}
	connector, err := driver.NewConnector(c)
	require.NoError(t, err)
	opened := sql.OpenDB(connector)
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

// Execute runs statements on a server.
func Execute(t *testing.T, config mysql.Config, statements ...string) {
	t.Helper()
	opened := Pool(t, config)
	for _, s := range statements {
		_, err := opened.ExecContext(t.Context(), s)
		require.NoError(t, err, s)
	}
}

// writer is the application: it writes by SQL that wherry has no part in.
type writer struct {
	pool  *sql.DB
	mu    sync.Mutex
	specs map[schema.Name]dbtest.Spec
}

func (w *writer) Create(ctx context.Context, spec dbtest.Spec) error {
	w.mu.Lock()
	w.specs[spec.Name] = spec
	w.mu.Unlock()
	var parts []string
	for _, c := range spec.Columns {
		part := dialect.Quote(c.Name)
		switch c.Kind {
		case schema.Integer:
			part += " BIGINT"
		case schema.Varchar:
			part += " VARCHAR(200)"
			if c.Charset != "" {
				part += " CHARACTER SET " + c.Charset
			}
		case schema.Varbinary:
			part += " VARBINARY(300)"
		default:
			return fmt.Errorf("no column of kind %d", c.Kind)
		}
		if !c.Null {
			part += " NOT NULL"
		}
		if c.Automatic {
			part += " AUTO_INCREMENT"
		}
		parts = append(parts, part)
	}
	if len(spec.Key) > 0 {
		parts = append(parts, "PRIMARY KEY ("+strings.Join(spec.Key, ", ")+")")
	}
	for _, c := range spec.Unique {
		parts = append(parts, "UNIQUE KEY u_"+c+" ("+c+")")
	}
	for _, c := range spec.Index {
		parts = append(parts, "KEY i_"+c+" ("+c+")")
	}
	if spec.ParentKey != "" {
		parts = append(parts, "KEY f_"+spec.ParentKey+" ("+spec.ParentKey+")",
			fmt.Sprintf("CONSTRAINT f_%s_%s FOREIGN KEY (%s) REFERENCES %s (%s)",
				spec.Name.Table, spec.ParentKey, spec.ParentKey, dialect.Quoted(spec.Parent), spec.ParentKey))
	}
	_, err := w.pool.ExecContext(ctx, "CREATE TABLE "+dialect.Quoted(spec.Name)+" ("+strings.Join(parts,
		", ")+") ENGINE=InnoDB CHARACTER SET utf8mb4")
	return err
}

func (w *writer) AddColumn(ctx context.Context, table schema.Name, column string) error {
	_, err := w.pool.ExecContext(ctx, "ALTER TABLE "+dialect.Quoted(table)+" ADD COLUMN "+column+" BIGINT NULL")
	return err
}

func (w *writer) CreateView(ctx context.Context, view, table schema.Name) error {
	_, err := w.pool.ExecContext(ctx, "CREATE VIEW "+dialect.Quoted(view)+" AS SELECT * FROM "+dialect.Quoted(table))
	return err
}

func (w *writer) Begin(ctx context.Context) (dbtest.WriteTx, error) {
	// Not the caller's ctx: the transaction outlives the call, and its end is the caller's affair.
	tx, err := w.pool.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, err
	}
	return &writeTx{w, tx}, nil
}

type writeTx struct {
	w  *writer
	tx *sql.Tx
}

// insertRows is how many rows one INSERT takes at most.
const insertRows = 500

func (t *writeTx) Write(ctx context.Context, writes ...dbtest.Write) error {
	for len(writes) > 0 {
		n := 1
		for writes[0].Before == nil && n < len(writes) && n < insertRows && writes[n].Before == nil &&
			writes[n].Table == writes[0].Table {
			n++
		}
		statement, args := t.statement(writes[:n])
		res, err := t.tx.ExecContext(ctx, statement, args...)
		if err != nil {
			return err
		}
		if affected, err := res.RowsAffected(); err != nil || affected != int64(n) {
			return fmt.Errorf("%.100s: affected %d, not %d: %w", statement, affected, n, err)
		}
		writes = writes[n:]
	}
	return nil
}

// statement writes inserts of one table, or one update or delete.
func (t *writeTx) statement(writes []dbtest.Write) (string, []any) {
	t.w.mu.Lock()
	spec := t.w.specs[writes[0].Table]
	t.w.mu.Unlock()
	var args []any
	add := func(row db.Row) {
		for i, v := range row {
			switch {
			case v == nil:
				args = append(args, nil)
			case spec.Columns[i].Kind == schema.Integer:
				n, err := strconv.ParseInt(string(v), 10, 64)
				if err != nil {
					panic(err) // the suite writes numbers there
				}
				args = append(args, n)
			case spec.Columns[i].Kind == schema.Varchar:
				args = append(args, string(v))
			default:
				args = append(args, v)
			}
		}
	}
	each := func(join, format string) string {
		parts := make([]string, len(spec.Columns))
		for i, c := range spec.Columns {
			parts[i] = strings.ReplaceAll(format, "column", dialect.Quote(c.Name))
		}
		return strings.Join(parts, join)
	}
	table, first := dialect.Quoted(spec.Name), writes[0]
	if first.Before == nil {
		rows := make([]string, len(writes))
		for i, w := range writes {
			add(w.After)
			rows[i] = "(" + each(", ", "?") + ")"
		}
		return "INSERT INTO " + table + " (" + each(", ", "column") + ") VALUES " + strings.Join(rows, ", "), args
	}
	where := " WHERE " + each(" AND ", "column <=> ?") + " LIMIT 1"
	if first.After == nil {
		add(first.Before)
		return "DELETE FROM " + table + where, args
	}
	add(first.After)
	add(first.Before)
	return "UPDATE " + table + " SET " + each(", ", "column = ?") + where, args
}

func (t *writeTx) Commit(ctx context.Context) error {
	// Commit of database/sql knows no ctx; a statement does.
	if _, err := t.tx.ExecContext(ctx, "COMMIT"); err != nil {
		return err
	}
	return t.tx.Rollback() // nothing is open any more
}

func (t *writeTx) Rollback() error { return t.tx.Rollback() }
