package test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
	"wherry/pkg/schema/postgres"
)

// postgresServer is the PostgreSQL of WHERRY_TEST_SERVERS.
type postgresServer struct{ conn *pgx.Conn }

func newPostgresServer(t *testing.T) *postgresServer {
	t.Helper()
	for _, entry := range strings.Fields(os.Getenv("WHERRY_TEST_SERVERS")) {
		if _, address, _ := strings.Cut(entry, "="); strings.HasPrefix(address, "postgres://") {
			config, err := pgx.ParseConfig(address)
			require.NoError(t, err)
			config.DefaultQueryExecMode = pgx.QueryExecModeExec // tables change under way
			conn, err := pgx.ConnectConfig(t.Context(), config)
			require.NoError(t, err)
			t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
			s := &postgresServer{conn}
			s.exec(t, "SET TimeZone = 'UTC'", "SET search_path = ''", "SET client_min_messages = warning")
			return s
		}
	}
	if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
		t.Fatal("no PostgreSQL in WHERRY_TEST_SERVERS, and WHERRY_REQUIRE_SERVERS=1")
	}
	t.Skip("SKIPPED WITHOUT SERVERS: no PostgreSQL in WHERRY_TEST_SERVERS, see scripts/servers.sh")
	return nil
}

// exec runs texts by the simple protocol, which takes several statements as one.
func (s *postgresServer) exec(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		_, err := s.conn.PgConn().Exec(context.WithoutCancel(t.Context()), text).ReadAll()
		require.NoError(t, err, text)
		if !strings.HasPrefix(text, "SET ") {
			_, err = postgres.ReadStatement(text)
			assert.NoError(t, err)
		}
	}
}

// read returns a table, nil when it is not there.
func (s *postgresServer) read(t *testing.T, name schema.Name) *schema.Table {
	t.Helper()
	var row []byte
	err := s.conn.QueryRow(t.Context(), postgres.CatalogSQL, []string{name.Database}, []string{name.Table}).Scan(&row)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	require.NoError(t, err)
	table, err := postgres.ReadTable(row)
	require.NoError(t, err, string(row))
	return table
}

// fresh makes an empty schema that is dropped after the test.
func (s *postgresServer) fresh(t *testing.T, d schema.Dialect, name string) {
	t.Helper()
	s.exec(t, d.DropDatabase(name), d.CreateDatabase(name, ""), d.CreateDatabase(name, ""))
	t.Cleanup(func() { s.exec(t, d.DropDatabase(name)) })
}

// plainPostgres is the dialect by default.
func plainPostgres(t *testing.T) postgres.Dialect {
	t.Helper()
	d, err := postgres.New(postgres.Options{})
	require.NoError(t, err)
	return d
}

// TestSchemaOnPostgres makes every table on PostgreSQL and reads it back.
func TestSchemaOnPostgres(t *testing.T) {
	target, d := newPostgresServer(t), plainPostgres(t)
	for _, s := range schemaServers(t) {
		t.Run(s.name, func(t *testing.T) {
			s.fresh(t, schemaOther)
			s.fresh(t, schemaFrom)
			target.fresh(t, d, schemaTo)
			s.exec(t, "CREATE TABLE "+mysql.Quoted(schema.Name{Database: schemaOther, Table: "parent"})+
				" (id int primary key, u varchar(20) CHARACTER SET latin1, unique(u))")
			target.exec(t, "CREATE TABLE "+postgres.Quoted(schema.Name{Database: schemaTo, Table: "parent"})+
				" (id int primary key, u varchar(20) unique)")
			for _, c := range schemaCases {
				family := map[bool]string{false: "mysql", true: "mariadb"}[s.flavor.Family == schema.MariaDB]
				if c.only == "" || c.only == family {
					t.Run(c.name, func(t *testing.T) { onPostgres(t, s, target, d, c) })
				}
			}
		})
	}
}

func onPostgres(t *testing.T, s *schemaServer, target *postgresServer, d postgres.Dialect, c schemaCase) {
	from := schema.Name{Database: schemaFrom, Table: c.name}
	s.exec(t, strings.Replace(c.create, "%s", mysql.Quoted(from), 1))
	source := s.read(t, from)
	to := schema.Name{Database: schemaTo, Table: c.name + " 2"}
	rename := func(n schema.Name) schema.Name {
		if n == from {
			return to
		}
		return schema.Name{Database: schemaTo, Table: n.Table}
	}
	plan, losses, err := d.Map(source, to, rename)
	require.NoError(t, err)
	again, _, err := d.Map(source, to, rename)
	require.NoError(t, err)
	assert.Equal(t, plan, again)
	for _, loss := range losses {
		t.Log(loss.Grade, loss.Name, loss.Column, loss.What)
		if loss.Grade == schema.Fatal {
			return
		}
	}
	deferredOnPostgres(t, target, d, plan)
	fullOnPostgres(t, target, d, plan)
}

func fullOnPostgres(t *testing.T, s *postgresServer, d postgres.Dialect, plan *schema.Table) {
	t.Helper()
	s.exec(t, d.CreateTable(plan, false)...)
	s.exec(t, d.AddForeignKeys(plan, s.read(t, plan.Name))...)
	got := s.read(t, plan.Name)
	text := strings.Join(d.CreateTable(plan, false), "\n")
	assert.Empty(t, d.Differences(plan, got, true, true), text)
	assert.Empty(t, d.AddIndexes(plan, got))
	assert.Empty(t, d.AddForeignKeys(plan, got))
	former := map[string]string{}
	for i := range plan.Columns {
		former[plan.Columns[i].Name] = plan.Columns[i].Name
	}
	statements, err := d.Alter(got, plan, former, nil)
	require.NoError(t, err)
	assert.Empty(t, statements)
	s.exec(t, d.DropTable(plan.Name))
}

func deferredOnPostgres(t *testing.T, s *postgresServer, d postgres.Dialect, plan *schema.Table) {
	t.Helper()
	s.exec(t, d.CreateTable(plan, true)...)
	got := s.read(t, plan.Name)
	assert.Empty(t, d.Differences(plan, got, false, false))
	s.exec(t, d.AddIndexes(plan, got)...)
	s.exec(t, d.AddForeignKeys(plan, s.read(t, plan.Name))...)
	if statement := d.SetAutoIncrement(plan, 4711); statement != "" {
		s.exec(t, statement)
		assert.EqualValues(t, 4711, s.read(t, plan.Name).AutoIncrement)
	}
	assert.Empty(t, d.Differences(plan, s.read(t, plan.Name), true, true))
	s.exec(t, d.DropTable(plan.Name))
}
