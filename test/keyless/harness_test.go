// Package keyless moves tables without a key between real servers: duplicate rows, NULLs, every type, under load and
// killed. What is on both sides in the end is compared as multisets by the tests' own SQL, never by wherry's.
//
// The servers are those of WHERRY_TEST_SERVERS (scripts/servers.sh env prints it). The tests turn their read_only on
// and off, so nobody else may use them meanwhile: go test -p 1.
package keyless

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

var wherry string // the wherry under test

func TestMain(m *testing.M) { os.Exit(lab.Main(m, &wherry)) }

// server returns one of the servers. Without any the test is skipped, or fails where they are required.
func server(t *testing.T, name string) lab.Server {
	t.Helper()
	servers, err := lab.ParseServers(os.Getenv("WHERRY_TEST_SERVERS"))
	require.NoError(t, err)
	s, err := lab.Find(servers, name)
	if err != nil {
		if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED WITHOUT SERVERS: set WHERRY_TEST_SERVERS, see scripts/servers.sh: ", err)
	}
	return s
}

// onFlavors runs a test on a server of each flavor.
func onFlavors(t *testing.T, test func(t *testing.T, s lab.Server)) {
	for _, flavor := range []string{lab.MySQL, lab.MariaDB} {
		t.Run(flavor, func(t *testing.T) { test(t, server(t, flavor+"-1")) })
	}
}

// pool returns connections as the account that may do everything.
func pool(t *testing.T, s lab.Server, database string) *sql.DB {
	t.Helper()
	opened, err := s.Admin(database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

// fresh makes an empty database and returns connections to it.
func fresh(t *testing.T, s lab.Server, database string) *sql.DB {
	t.Helper()
	run(t, pool(t, s, ""), "SET GLOBAL read_only = 0", "DROP DATABASE IF EXISTS "+database,
		"CREATE DATABASE "+database+" CHARACTER SET utf8mb4",
		"FLUSH BINARY LOGS") // MariaDB finds GTIDs by reading the file up to there
	return pool(t, s, database)
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := db.ExecContext(context.WithoutCancel(t.Context()), statement)
		require.NoError(t, err, "%.200s", statement)
	}
}

// bag counts the distinct rows of a table, each written in hexadecimal digits.
func bag(t *testing.T, db *sql.DB, table string, columns []column, where string) map[string]int {
	t.Helper()
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = "COALESCE(HEX(" + c.bytes() + "), 'NULL')"
	}
	query := "SELECT CONCAT_WS(' ', " + strings.Join(list, ", ") + ") AS image, COUNT(*) FROM " + table
	if where != "" {
		query += " WHERE " + where
	}
	rows, err := db.QueryContext(t.Context(), query+" GROUP BY image")
	require.NoError(t, err, query)
	defer rows.Close()
	found := map[string]int{}
	for rows.Next() {
		var image string
		var n int
		require.NoError(t, rows.Scan(&image, &n))
		found[image] = n
	}
	require.NoError(t, rows.Err())
	return found
}

// difference describes the first few rows that are not on both sides equally often.
func difference(source, target map[string]int) (lines []string) {
	for image, n := range source {
		if target[image] != n && len(lines) < 5 {
			lines = append(lines, fmt.Sprintf("%s: %d on the source, %d on the target", image, n, target[image]))
		}
	}
	for image, n := range target {
		if source[image] == 0 && len(lines) < 10 {
			lines = append(lines, fmt.Sprintf("%s: none on the source, %d on the target", image, n))
		}
	}
	return lines
}

// text returns the only value of a query, "" for NULL or no row.
func text(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var value sql.NullString
	if err := db.QueryRowContext(t.Context(), query).Scan(&value); err != nil {
		require.ErrorIs(t, err, sql.ErrNoRows, query)
	}
	return value.String
}
