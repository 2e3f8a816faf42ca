// Package alter proves on real servers that Dialect.Alter takes a table to another definition and keeps its rows.
package alter

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"regexp"
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

// The tables to alter are in one database, and what they shall be in another.
const now, later = "alter_now", "alter_later"

// server is one server of WHERRY_TEST_SERVERS, with one connection, whose session is like a target's.
type server struct {
	name    string
	conn    *sql.Conn
	flavor  mysql.Flavor
	known   mysql.Collations
	dialect schema.Dialect
}

// servers connects to the first server of each family.
func servers(t *testing.T) []*server {
	t.Helper()
	harness.Listed(t)
	list := strings.Fields(os.Getenv("WHERRY_TEST_SERVERS"))
	seen := map[bool]bool{}
	var all []*server
	for _, entry := range list {
		name, address, _ := strings.Cut(entry, "=")
		u, err := url.Parse(address)
		require.NoError(t, err, entry)
		if u.Scheme != "mysql" && u.Scheme != "mariadb" || seen[u.Scheme == "mariadb"] {
			continue
		}
		seen[u.Scheme == "mariadb"] = true
		password, _ := u.User.Password()
		pool, err := sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s)/?charset=utf8mb4", u.User.Username(), password,
			u.Host))
		require.NoError(t, err)
		t.Cleanup(func() { _ = pool.Close() })
		s := &server{name: u.Scheme}
		s.conn, err = pool.Conn(t.Context())
		require.NoError(t, err, name)
		s.flavor, err = mysql.ParseFlavor(s.cells(t, "SELECT VERSION()")[0])
		require.NoError(t, err)
		s.known = s.collations(t)
		s.dialect = mysql.New(s.flavor, s.known)
		s.exec(t, "SET SESSION foreign_key_checks = 0")
		s.exec(t, "SET SESSION timestamp = 1600000000.123456") // as a caller sets it, for what is filled in
		s.fresh(t)
		all = append(all, s)
	}
	return all
}

const strict = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'"

// fresh makes both databases anew.
func (s *server) fresh(t *testing.T) {
	t.Helper()
	s.exec(t, strict)
	for _, name := range []string{now, later} {
		s.exec(t, "DROP DATABASE IF EXISTS "+name)
		s.exec(t, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
	}
}

func (s *server) collations(t *testing.T) mysql.Collations {
	t.Helper()
	column := "COLLATION_NAME"
	if s.flavor.HasFullCollationNames() {
		column = "FULL_COLLATION_NAME"
	}
	c := mysql.Collations{Known: map[string]string{}, Default: map[string]string{}}
	for into, query := range map[*map[string]string]string{
		&c.Known: "SELECT " + column +
			", CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE " +
			"CHARACTER_SET_NAME IS NOT NULL",
		&c.Default: "SELECT CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME FROM information_schema.CHARACTER_SETS",
	} {
		for _, row := range s.rows(t, query) {
			(*into)[row[0]] = row[1]
		}
	}
	return c
}

func (s *server) exec(t *testing.T, statement string) {
	t.Helper()
	require.NoError(t, s.try(statement), "%s: %s", s.name, statement)
}

func (s *server) try(statement string) error {
	_, err := s.conn.ExecContext(context.Background(), statement)
	return err
}

// rows returns what a query does; NULL is "NULL", anything else in quotes only if it is that word.
func (s *server) rows(t *testing.T, query string) [][]string {
	t.Helper()
	rows, err := s.conn.QueryContext(context.Background(), query)
	require.NoError(t, err, "%s: %s", s.name, query)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var all [][]string
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		row := make([]string, len(columns))
		for i, v := range values {
			if row[i] = v.String; !v.Valid {
				row[i] = "NULL"
			}
		}
		all = append(all, row)
	}
	require.NoError(t, rows.Err())
	return all
}

// cells returns the rows of a query, each as one text.
func (s *server) cells(t *testing.T, query string) []string {
	t.Helper()
	var all []string
	for _, row := range s.rows(t, query) {
		all = append(all, strings.Join(row, " "))
	}
	return all
}

// read describes the table of a database as if it were in the one to alter.
func (s *server) read(t *testing.T, database, table string) *schema.Table {
	t.Helper()
	create := s.rows(t, "SHOW CREATE TABLE "+mysql.Quoted(schema.Name{Database: database, Table: table}))[0][1]
	parsed, err := mysql.ParseCreate(create, schema.Name{Database: now, Table: table}, s.flavor, s.known)
	require.NoError(t, err, create)
	require.Empty(t, s.dialect.Regenerates(parsed), create)
	return parsed
}

// contents returns the rows of a table, with every column, in an order of their own.
func (s *server) contents(t *testing.T, database string, table *schema.Table) []string {
	t.Helper()
	columns := make([]string, len(table.Columns))
	for i := range table.Columns {
		columns[i] = "HEX(" + mysql.Quote(table.Columns[i].Name) + ")"
	}
	all := s.cells(t, "SELECT "+strings.Join(columns, ", ")+" FROM "+mysql.Quoted(schema.Name{
		Database: database,
		Table:    table.Name.Table,
	}))
	slices.Sort(all)
	return all
}

// lineage reads "new<old" words, and "-name" for a column that is new though from has one of the name; others keep
// their names.
func lineage(from, to *schema.Table, text string) map[string]string {
	former, fresh := map[string]string{}, map[string]bool{}
	taken := map[string]bool{}
	for _, word := range strings.Fields(text) {
		name, old, found := strings.Cut(word, "<")
		if found {
			former[name], taken[strings.ToLower(old)] = old, true
		} else {
			fresh[strings.TrimPrefix(name, "-")] = true
		}
	}
	for i := range to.Columns {
		name := to.Columns[i].Name
		if at := from.Column(name); former[name] == "" && !fresh[name] && at >= 0 && !taken[strings.ToLower(name)] {
			former[name] = from.Columns[at].Name
		}
	}
	return former
}

// printed returns what SHOW CREATE TABLE says, as lines whose order does not matter but that of columns: the proof by
// the server's own words, apart from what it leaves out or not by how it came to a character set.
func (s *server) printed(t *testing.T, database, table string) []string {
	t.Helper()
	create := s.rows(t, "SHOW CREATE TABLE "+mysql.Quoted(schema.Name{Database: database, Table: table}))[0][1]
	create = regexp.MustCompile(` AUTO_INCREMENT=[0-9]+`).ReplaceAllString(create, "")
	create = strings.ReplaceAll(create, "`"+database+"`.", "")
	create = regexp.MustCompile(` CHARACTER SET [a-z0-9]+`).ReplaceAllString(create, "")
	create = regexp.MustCompile(` COLLATE [a-z0-9_]+`).ReplaceAllString(create, "")
	create = strings.ReplaceAll(create, " USING BTREE", "")
	lines := strings.Split(create, "\n")
	column := 0
	for i, line := range lines {
		if strings.HasPrefix(line, "  `") {
			column++
			line = fmt.Sprintf("%4d %s", column, line)
		}
		lines[i] = strings.TrimSuffix(line, ",")
	}
	slices.Sort(lines)
	return lines
}

// alter runs a pair: from is made with rows and taken to what to is.
func (s *server) alter(t *testing.T, p pair) {
	t.Helper()
	s.fresh(t)
	for _, statement := range p.before {
		for _, database := range []string{now, later} {
			s.exec(t, "USE "+database)
			s.exec(t, statement)
		}
	}
	toName := "t"
	if p.renamed != "" {
		toName = p.renamed
	}
	s.exec(t, "USE "+later)
	s.exec(t, "CREATE TABLE "+toName+" "+p.to)
	to := s.read(t, later, toName)
	s.exec(t, "USE "+now)
	s.exec(t, "CREATE TABLE t "+p.from)
	if p.rows != "" {
		s.exec(t, "INSERT INTO t VALUES "+p.rows)
	}
	from := s.read(t, now, "t")
	former := lineage(from, to, p.lineage)
	statements, err := s.dialect.Alter(from, to, former, p.empties)
	if p.refused != "" {
		require.ErrorContains(t, err, p.refused)
		return
	}
	require.NoError(t, err)
	if p.statements >= 0 {
		assert.Len(t, statements, max(p.statements, 1), "%q", statements)
	}
	for _, part := range p.says {
		assert.Contains(t, strings.Join(statements, "; "), part)
	}
	for _, part := range p.not {
		assert.NotContains(t, strings.Join(statements, "; "), part)
	}
	for _, statement := range statements {
		t.Log(statement)
		require.NoError(t, s.try(statement), "from %s\nto %s\n%s", from.Definition, to.Definition, statement)
	}
	got := s.read(t, now, toName)
	assert.Empty(t, s.dialect.Differences(to, got, true, true), "%q", statements)
	assert.Equal(t, s.printed(t, later, toName), s.printed(t, now, toName), "%q", statements)
	if p.want != nil {
		assert.ElementsMatch(t, p.want, s.cells(t, "SELECT * FROM "+mysql.Quote(toName)))
	}
	again, err := s.dialect.Alter(got, to, lineage(got, to, ""), nil)
	require.NoError(t, err)
	assert.Empty(t, again, "nothing is left to do")
}

func TestPairs(t *testing.T) {
	for _, s := range servers(t) {
		ran := 0
		for _, p := range pairs {
			if p.only == "" || p.only == s.name {
				ran++
				t.Run(s.name+"/"+p.name, func(t *testing.T) { s.alter(t, p) })
			}
		}
		assert.Greater(t, ran, 100)
	}
}
