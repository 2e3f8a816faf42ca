// Package values moves tables with the values that tools for moving tables lose: their edges, type by type. Half of
// the rows is copied; the other half is written, and all of them are changed, before changes are followed.
//
// What both ends hold is compared by SQL of its own. The servers are those of WHERRY_TEST_SERVERS.
package values

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

func TestMain(m *testing.M) { harness.Main(m) }

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
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		newMove(t, source, target).run(t)
	})
}

// losses are those of what one version or family has and another lacks, none of which changes a value.
const losses = "schema: {allow_losses: [collation, compressed-column, inet4, inet6, invisible-column, json, uuid]}"

// TestVersions moves the tables with servers of other versions, without those that one of the two does not have.
func TestVersions(t *testing.T) {
	harness.EachVersion(t, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, source, target, losses)
		m.otherVersion = true
		m.run(t)
	})
}

// move is a move of tables.
type move struct {
	*harness.Move
	tables []table

	otherVersion bool // a server of the move is not of the version that the tables are for
}

const database = "values_all"

func newMove(t *testing.T, source, target *harness.Server, lines ...string) *move {
	m := &move{Move: harness.New(t, source, target, harness.Options{
		Name: database, Create: "CHARACTER SET utf8mb4", Lines: lines,
	})}
	for _, tables := range [][]table{numbers(), texts(), times(), others(), lonely()} {
		for _, table := range tables {
			if table.only == "" || table.only == source.Flavor && table.only == target.Flavor {
				m.tables = append(m.tables, table)
			}
		}
	}
	// Servers whose clocks are set to different zones, none of them UTC.
	source.Set(t, "time_zone", "'+05:30'")
	target.Set(t, "time_zone", "'-08:00'")
	return m
}

func (m *move) run(t *testing.T) {
	m.tables = slices.DeleteFunc(m.tables, func(table table) bool { return !m.create(t, &table) })
	// it knows no negative zero, which is a loss of its own
	if m.otherVersion && m.Target.Text(t, "SELECT CONCAT(-0e0)") == "0" {
		for i := range m.tables {
			for j, row := range m.tables[i].rows {
				m.tables[i].rows[j] = strings.ReplaceAll(row, "-0e0", "0e0")
			}
		}
	}
	for i := range m.tables {
		m.write(t, &m.tables[i], -1) // from 0 on, which servers like to take for the next number
	}
	m.Phases(t, "init-schema", "init-copy")
	for i := range m.tables {
		m.write(t, &m.tables[i], 1000)
		m.rotate(t, &m.tables[i])
	}
	m.CatchUp(t)
	for i := range m.tables {
		t.Run(m.tables[i].name, func(t *testing.T) { m.compare(t, &m.tables[i]) })
	}
	summary := m.Must(t, "verify")
	assert.Zero(t, summary.Number("differences"))
}

// create makes a table, and returns false when a server of another version does not know a type.
func (m *move) create(t *testing.T, table *table) bool {
	t.Helper()
	err := lab.Exec(t.Context(), m.Source.DB, "USE "+database,
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
	m.Source.Exec(t, statements...)
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
	m.Source.Exec(t, statements...)
}

// compare reads both ends.
func (m *move) compare(t *testing.T, table *table) {
	x := harness.Table{Database: database, Name: table.name}
	want, got := m.Source.Rows(t, x), m.Target.Rows(t, x)
	if m.otherVersion {
		columns, err := lab.Columns(t.Context(), m.Source.DB, database, table.name)
		require.NoError(t, err)
		got, err = lab.RowsOf(t.Context(), m.Target.DB, database, table.name, columns, "")
		require.NoError(t, err)
	}
	least := 2 * len(table.rows)
	if len(table.rows) > 2 {
		least--
	}
	assert.Len(t, want, least, "rows on the source")
	assert.Equal(t, want, got)
}
