// Package values moves tables with the values that tools for moving tables lose: their edges, type by type. Half of
// the rows is copied; the other half is written, and all of them are changed, before changes are followed.
//
// What both ends hold is compared by SQL of its own. The servers are those of WHERRY_TEST_SERVERS.
package values

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

var wherry string // the wherry under test

func TestMain(m *testing.M) { os.Exit(lab.Main(m, &wherry)) }

// table is a table of one behaviour. Its columns are listed as they stand in CREATE TABLE, besides the key id.
type table struct {
	name    string
	only    string // the family that has it, or empty
	columns []string
	rows    []string // values in the order of the columns, without those of generated ones
	loose   bool     // rows that a strict server does not take
	session string   // a statement before rows are written
	change  string   // a statement more before changes are followed
}

// names are the columns that rows have values for.
func (t *table) names() (names []string) {
	for _, column := range t.columns {
		if !strings.Contains(column, " AS (") {
			names = append(names, strings.Fields(column)[0])
		}
	}
	return names
}

// TestValues moves every table from each family to its like.
func TestValues(t *testing.T) {
	list := os.Getenv("WHERRY_TEST_SERVERS")
	if strings.TrimSpace(list) == "" {
		if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
			t.Fatal("no WHERRY_TEST_SERVERS, and WHERRY_REQUIRE_SERVERS=1")
		}
		t.Skip("SKIPPED WITHOUT SERVERS: set WHERRY_TEST_SERVERS, see scripts/servers.sh")
	}
	servers, err := lab.ParseServers(list)
	require.NoError(t, err)
	for _, family := range []string{lab.MySQL, lab.MariaDB} {
		t.Run(family, func(t *testing.T) {
			source, target, err := lab.Pair(servers, family, family)
			require.NoError(t, err)
			newMove(t, source, target).run(t)
		})
	}
}

// losses are those of what one version or family has and another lacks, none of which changes a value.
const losses = "schema: {allow_losses: [collation, compressed-column, inet4, inet6, invisible-column, json, uuid]}"

// TestVersions moves the tables with servers of other versions, without those that one of the two does not have.
func TestVersions(t *testing.T) {
	for _, p := range lab.Versions(t) {
		t.Run(p.Name, func(t *testing.T) {
			m := newMove(t, p.Source, p.Target, losses)
			m.otherVersion = true
			m.run(t)
		})
	}
}

// move is a move of one database, which has the same name on the target.
type move struct {
	*lab.Wherry
	source, to *sql.DB
	tables     []table

	otherVersion bool // a server of the move is not of the version that the tables are for
}

const database = "values_all"

func newMove(t *testing.T, source, target lab.Server, extra ...string) *move {
	m := &move{source: open(t, source), to: open(t, target)}
	for _, tables := range [][]table{numbers(), texts(), times(), others(), lonely()} {
		for _, table := range tables {
			if table.only == "" || table.only == source.Flavor && table.only == target.Flavor {
				m.tables = append(m.tables, table)
			}
		}
	}
	drop := []string{"DROP DATABASE IF EXISTS " + database, "DROP DATABASE IF EXISTS wherry_" + database}
	m.exec(t, m.source, append(drop, "CREATE DATABASE "+database+" CHARACTER SET utf8mb4")...)
	m.exec(t, m.to, drop...)
	// Servers whose clocks are set to different zones, none of them UTC.
	m.exec(t, m.source, "SET GLOBAL time_zone = '+05:30'")
	m.exec(t, m.to, "SET GLOBAL time_zone = '-08:00'")
	t.Cleanup(func() {
		m.exec(t, m.source, "SET GLOBAL time_zone = SYSTEM")
		m.exec(t, m.to, "SET GLOBAL time_zone = SYSTEM")
		if !t.Failed() {
			m.exec(t, m.source, drop...)
			m.exec(t, m.to, drop...)
		}
	})
	dir := t.TempDir()
	var err error
	m.Wherry, err = lab.Move{
		Name: database, State: filepath.Join(dir, "state.yaml"), Source: source, Target: target,
		Include: database + ".*", Extra: extra,
	}.Write(wherry, filepath.Join(dir, "wherry.yaml"))
	require.NoError(t, err)
	return m
}

func open(t *testing.T, s lab.Server) *sql.DB {
	t.Helper()
	db, err := s.Admin("")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (m *move) exec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	require.NoError(t, lab.Exec(context.WithoutCancel(t.Context()), db, statements...))
}

func (m *move) must(t *testing.T, args ...string) lab.Summary {
	t.Helper()
	c, summary, err := m.Run(t.Context(), args...)
	if err != nil {
		require.NoError(t, err, "%s: %.3000s", args, c.Output())
	}
	return summary
}

func (m *move) run(t *testing.T) {
	m.tables = slices.DeleteFunc(m.tables, func(table table) bool { return !m.create(t, &table) })
	// it knows no negative zero, which is a loss of its own
	if m.otherVersion && m.text(t, m.to, "SELECT CONCAT(-0e0)") == "0" {
		for i := range m.tables {
			for j, row := range m.tables[i].rows {
				m.tables[i].rows[j] = strings.ReplaceAll(row, "-0e0", "0e0")
			}
		}
	}
	for i := range m.tables {
		m.write(t, &m.tables[i], -1) // from 0 on, which servers like to take for the next number
	}
	m.must(t, "init-schema")
	m.must(t, "init-copy")
	for i := range m.tables {
		m.write(t, &m.tables[i], 1000)
		m.rotate(t, &m.tables[i])
	}
	m.must(t, "start-replica", "--until-caught-up")
	for i := range m.tables {
		t.Run(m.tables[i].name, func(t *testing.T) { m.compare(t, &m.tables[i]) })
	}
	summary := m.must(t, "verify")
	assert.Zero(t, summary.Number("differences"))
}

// text is the only value of a query.
func (m *move) text(t *testing.T, db *sql.DB, query string) (value string) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&value))
	return value
}

// create makes a table, and returns false when a server of another version does not know a type.
func (m *move) create(t *testing.T, table *table) bool {
	t.Helper()
	err := lab.Exec(t.Context(), m.source, "USE "+database,
		"CREATE TABLE "+table.name+" (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, "+strings.Join(table.columns,
			", ")+")"+
			map[bool]string{true: " WITH SYSTEM VERSIONING"}[strings.HasPrefix(table.name, "versioned")])
	if err != nil && m.otherVersion {
		t.Logf("%s is left out: %v", table.name, err)
		return false
	}
	require.NoError(t, err)
	return true
}

// write inserts the table's rows with numbers after first.
func (m *move) write(t *testing.T, table *table, first int) {
	t.Helper()
	statements := []string{
		"USE " + database, "SET NAMES utf8mb4", "SET time_zone = '+00:00'",
		"SET SESSION sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'",
	}
	verb := "INSERT INTO "
	if table.loose {
		verb = "INSERT IGNORE INTO "
	}
	if table.session != "" {
		statements = append(statements, table.session)
	}
	for i, row := range table.rows {
		statements = append(statements, fmt.Sprintf("%s%s (id, %s) VALUES (%d, %s)", verb, table.name,
			strings.Join(table.names(), ", "), first+i+1, row))
	}
	m.exec(t, m.source, statements...)
}

// rotate gives every row that was copied the values of the next, deletes one and gives one another key.
func (m *move) rotate(t *testing.T, table *table) {
	t.Helper()
	var sets []string
	for _, name := range table.names() {
		sets = append(sets, "a."+name+" = b."+name)
	}
	n := len(table.rows)
	statements := []string{
		"USE " + database, "SET NAMES utf8mb4", "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
		fmt.Sprintf("UPDATE IGNORE %s a JOIN %s b ON b.id = 1001 + a.id %% %d SET %s WHERE a.id < 1000", table.name,
			table.name, n, strings.Join(sets, ", ")),
		fmt.Sprintf("UPDATE %s SET id = 5000 WHERE id = 1001", table.name),
	}
	if n > 2 {
		statements = append(statements, fmt.Sprintf("DELETE FROM %s WHERE id = 1002", table.name))
	}
	if table.change != "" {
		statements = append(statements, table.change)
	}
	m.exec(t, m.source, statements...)
}

// compare reads both ends.
func (m *move) compare(t *testing.T, table *table) {
	columns := m.expressions(t, m.source, table.name)
	want := m.read(t, m.source, table.name, columns)
	if !m.otherVersion { // across versions a column may be of another type, and must hold the same text
		columns = m.expressions(t, m.to, table.name)
	}
	got := m.read(t, m.to, table.name, columns)
	least := 2 * len(table.rows)
	if len(table.rows) > 2 {
		least--
	}
	assert.Len(t, want, least, "rows on the source")
	assert.Equal(t, want, got)
}

// read returns every row as text: bytes and characters in hexadecimal digits.
func (m *move) read(t *testing.T, db *sql.DB, name string, expressions []string) []string {
	t.Helper()
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, lab.ExecAll(t.Context(), conn, "SET NAMES binary"))
	rows, err := conn.QueryContext(t.Context(), "SELECT "+strings.Join(expressions, ", ")+" FROM "+database+"."+name+
		" ORDER BY id")
	require.NoError(t, err, name)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var out []string
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		line := ""
		for i, v := range values {
			if text, ok := v.([]byte); ok {
				v = string(text)
			}
			line += fmt.Sprintf("%s=%v ", columns[i], v)
		}
		out = append(out, line)
	}
	require.NoError(t, rows.Err())
	return out
}

// expressions are the columns, also those that are generated or invisible, as text that shows every byte.
func (m *move) expressions(t *testing.T, db *sql.DB, name string) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS WHERE "+
		"TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
		database, name)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var column, kind string
		require.NoError(t, rows.Scan(&column, &kind))
		name := column
		switch kind {
		case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "binary", "varbinary",
			"tinyblob", "blob", "mediumblob",
			"longblob", "bit", "vector", "geometry", "point", "polygon", "geomcollection", "geometrycollection":
			column = "HEX(" + column + ")"
		case "json":
			column = "HEX(CONVERT(" + column + " USING utf8mb4))"
		case "float":
			column += " * 1e0"
		case "double":
			column = "CONCAT(" + column + ")"
		case "timestamp":
			column = "UNIX_TIMESTAMP(" + column + ")"
		}
		out = append(out, column+" AS "+name)
	}
	require.NoError(t, rows.Err())
	return out
}
