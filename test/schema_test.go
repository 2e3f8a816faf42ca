package test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql" // the driver of both families
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
	"wherry/test/internal/harness"
)

// schemaServer is one server of WHERRY_TEST_SERVERS.
type schemaServer struct {
	name    string
	db      *sql.DB
	flavor  mysql.Flavor
	version string
	mysql.Collations
}

// schemaServers connects to the servers that WHERRY_TEST_SERVERS lists, one per flavor and version.
func schemaServers(t *testing.T) []*schemaServer {
	t.Helper()
	harness.Listed(t)
	list := strings.Fields(os.Getenv("WHERRY_TEST_SERVERS"))
	seen := map[string]bool{}
	var servers []*schemaServer
	for _, entry := range list {
		name, address, _ := strings.Cut(entry, "=")
		u, err := url.Parse(address)
		require.NoError(t, err, entry)
		if u.Scheme != "mysql" && u.Scheme != "mariadb" {
			continue
		}
		password, _ := u.User.Password()
		dsn := fmt.Sprintf("%s:%s@tcp(%s)/?interpolateParams=true&charset=utf8mb4&multiStatements=false",
			u.User.Username(), password, u.Host)
		db, err := sql.Open("mysql", dsn)
		require.NoError(t, err)
		t.Cleanup(func() { _ = db.Close() })
		s := &schemaServer{name: name, db: db}
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT VERSION()").Scan(&s.version), entry)
		if seen[s.version] {
			continue
		}
		seen[s.version] = true
		s.flavor, err = mysql.ParseFlavor(s.version)
		require.NoError(t, err)
		s.Collations = schemaCollations(t, db, s.flavor)
		servers = append(servers, s)
	}
	return servers
}

func schemaCollations(t *testing.T, db *sql.DB, flavor mysql.Flavor) mysql.Collations {
	t.Helper()
	column := "COLLATION_NAME"
	if flavor.Family == schema.MariaDB && flavor.Version >= 101001 {
		column = "FULL_COLLATION_NAME"
	}
	c := mysql.Collations{Known: map[string]string{}, Default: map[string]string{}}
	read := func(into map[string]string, query string) {
		rows, err := db.QueryContext(t.Context(), query)
		require.NoError(t, err)
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var key, value string
			require.NoError(t, rows.Scan(&key, &value))
			into[key] = value
		}
		require.NoError(t, rows.Err())
	}
	read(c.Known,
		"SELECT "+column+", CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE "+
			"CHARACTER_SET_NAME IS NOT NULL")
	read(c.Default, "SELECT CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME FROM information_schema.CHARACTER_SETS")
	return c
}

func (s *schemaServer) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := s.db.ExecContext(context.WithoutCancel(t.Context()), statement)
		require.NoError(t, err, "%s: %s", s.name, statement)
	}
}

func (s *schemaServer) read(t *testing.T, name schema.Name) *schema.Table {
	t.Helper()
	var table, create string
	require.NoError(t, s.db.QueryRowContext(t.Context(), "SHOW CREATE TABLE "+mysql.Quoted(name)).Scan(&table, &create),
		name.String())
	parsed, err := mysql.ParseCreate(create, name, s.flavor, s.Collations)
	require.NoError(t, err, create)
	require.Empty(t, mysql.New(s.flavor, s.Collations).Regenerates(parsed), create)
	return parsed
}

// fresh makes an empty database that is dropped after the test.
func (s *schemaServer) fresh(t *testing.T, name string) {
	t.Helper()
	drop := "DROP DATABASE IF EXISTS " + mysql.Quote(name)
	s.exec(t, drop)
	s.exec(t, "CREATE DATABASE "+mysql.Quote(name))
	t.Cleanup(func() { s.exec(t, drop) })
}

// schemaCase is a table to carry; %s stands for its quoted name. Cases of one flavor say so.
type schemaCase struct {
	name   string
	only   string // "mysql" or "mariadb", or both when empty
	create string
	losses []string // that crossing must report at least
}

const schemaFrom, schemaTo, schemaOther = "schema_rt_from", "schema_rt`to.x", "schema_rt_other"

func TestSchemaRoundTrip(t *testing.T) {
	servers := schemaServers(t)
	for _, s := range servers {
		for _, other := range servers {
			t.Run(s.name+" to "+other.name, func(t *testing.T) {
				s.fresh(t, schemaOther)
				s.fresh(t, schemaFrom)
				other.fresh(t, schemaTo)
				s.exec(t, "CREATE TABLE "+mysql.Quoted(schema.Name{
					Database: schemaOther,
					Table:    "parent",
				})+" (id int primary key, u varchar(20) CHARACTER SET latin1, unique(u))")
				other.exec(t, "CREATE TABLE "+mysql.Quoted(schema.Name{
					Database: schemaTo,
					Table:    "parent",
				})+" (id int primary key, u varchar(20) CHARACTER SET latin1, unique(u))")
				for _, c := range schemaCases {
					family := map[bool]string{false: "mysql", true: "mariadb"}[s.flavor.Family == schema.MariaDB]
					if c.only == "" || c.only == family {
						t.Run(c.name, func(t *testing.T) { schemaRoundTrip(t, s, other, c) })
					}
				}
			})
		}
	}
}

// TestSchemaSystemTables reads every table that servers define themselves: nobody chose these to suit the parser.
func TestSchemaSystemTables(t *testing.T) {
	for _, s := range schemaServers(t) {
		names := s.systemTables(t)
		require.NotEmpty(t, names)
		dialect := mysql.New(s.flavor, s.Collations)
		for _, name := range names {
			table := s.read(t, name)
			create := strings.Replace(dialect.CreateTable(table, false)[0], mysql.Quoted(name), mysql.Quote(name.Table),
				1)
			again, err := mysql.ParseCreate(create, name, s.flavor, s.Collations)
			require.NoError(t, err, create)
			assert.Empty(t, dialect.Differences(table, again, true, false), create)
		}
	}
}

func (s *schemaServer) systemTables(t *testing.T) []schema.Name {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES "+
		"WHERE TABLE_TYPE = 'BASE TABLE' "+
		"AND TABLE_SCHEMA IN ('mysql', 'performance_schema', 'sys')")
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	var names []schema.Name
	for rows.Next() {
		var name schema.Name
		require.NoError(t, rows.Scan(&name.Database, &name.Table))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	return names
}

func schemaRoundTrip(t *testing.T, s, other *schemaServer, c schemaCase) {
	from := schema.Name{Database: schemaFrom, Table: c.name}
	to := schema.Name{Database: schemaTo, Table: c.name}
	if len([]rune(c.name)) < 60 {
		to.Table += " 2"
	}
	s.exec(t, strings.Replace(c.create, "%s", mysql.Quoted(from), 1))
	source := s.read(t, from)
	dialect := mysql.New(other.flavor, other.Collations)
	plan, losses, err := dialect.Map(source, to, func(n schema.Name) schema.Name {
		if n == from {
			return to
		}
		return schema.Name{Database: schemaTo, Table: n.Table}
	})
	require.NoError(t, err)
	crossing := s.flavor.Family.Across(other.flavor.Family)
	fatal := false
	var names []string
	for _, loss := range losses {
		fatal = fatal || loss.Grade == schema.Fatal
		names = append(names, loss.Name)
		t.Log(loss.Name, loss.Column, loss.What)
	}
	if crossing {
		for _, want := range c.losses {
			assert.Contains(t, names, want)
		}
	} else {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "table-option" || name == "default" })
		assert.Equal(t, source.Kind == schema.SystemVersioned, len(names) > 0, names)
	}
	if fatal {
		assert.NotEmpty(t, c.losses, "an unexpected refusal")
		return
	}
	schemaFull(t, other, dialect, plan, to)
	schemaDeferred(t, other, dialect, plan, to)
}

func schemaFull(t *testing.T, s *schemaServer, dialect schema.Dialect, plan *schema.Table, to schema.Name) {
	t.Helper()
	s.exec(t, dialect.CreateTable(plan, false)...)
	s.exec(t, dialect.AddForeignKeys(plan, s.read(t, to))...)
	got := s.read(t, to)
	assert.Empty(t, dialect.Differences(plan, got, true, true), "planned\n%s\ngot\n%s", dialect.CreateTable(plan,
		false), got.Definition)
	assert.Empty(t, dialect.AddIndexes(plan, got))
	assert.Empty(t, dialect.AddForeignKeys(plan, got))
	s.exec(t, "DROP TABLE "+mysql.Quoted(to))
}

func schemaDeferred(t *testing.T, s *schemaServer, dialect schema.Dialect, plan *schema.Table, to schema.Name) {
	t.Helper()
	s.exec(t, dialect.CreateTable(plan, true)...)
	got := s.read(t, to)
	assert.Empty(t, dialect.Differences(plan, got, false, false))
	s.exec(t, dialect.AddIndexes(plan, got)...)
	s.exec(t, dialect.AddForeignKeys(plan, s.read(t, to))...)
	if statement := dialect.SetAutoIncrement(plan, 4711); statement != "" {
		s.exec(t, statement)
		assert.EqualValues(t, 4711, s.read(t, to).AutoIncrement)
	}
	got = s.read(t, to)
	assert.Empty(t, dialect.Differences(plan, got, true, true), "%s", got.Definition)
	s.exec(t, "DROP TABLE "+mysql.Quoted(to))
}
