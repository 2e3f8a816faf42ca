// Package harness is what tests of whole moves share: the servers that they run on, the pairs of flavors, a move with
// its configuration, the wherry under test as a process, an application that writes meanwhile, and a comparison of both
// ends by SQL of its own.
//
// Whatever is unexpected fails the test. The servers are those of WHERRY_TEST_SERVERS (scripts/servers.sh env prints
// it). Tests turn their read_only on and off, so nobody else may use them meanwhile: go test -p 1.
package harness

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/lab"
)

// The account of an application. A read-only server refuses what it writes.
const (
	AppUser     = "app_of_tests"
	AppPassword = "app-secret"
)

// dialect is what the harness says in an engine's own words.
type dialect struct {
	quote     func(name string) string
	writable  string // lets applications write
	readOnly  string // tells whether they may not: 0 if they may
	unchecked string // begins statements that foreign keys do not hinder
	checked   string // ends them
	drop      string // removes a database, whose name follows
	cascade   string // what stands behind that name
}

var mysqlDialect = dialect{
	quote: lab.Quote, writable: "SET GLOBAL read_only = 0", readOnly: "SELECT @@global.read_only",
	unchecked: "SET SESSION foreign_key_checks = 0", checked: "SET SESSION foreign_key_checks = 1",
	drop: "DROP DATABASE IF EXISTS ",
}

// dialects are those of the flavors. A further engine is one more line.
var dialects = map[string]dialect{
	lab.MySQL: mysqlDialect, lab.MariaDB: mysqlDialect,
	lab.Postgres: {
		quote:    func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` },
		writable: "SELECT 1", readOnly: "SELECT '0'", unchecked: "SELECT 1", checked: "SELECT 1",
		drop: "SET client_min_messages = error; DROP SCHEMA IF EXISTS ", cascade: " CASCADE",
	},
}

// Server is a server to test with.
type Server struct {
	lab.Server
	DB *sql.DB // as the account that may do everything
}

// Find connects to a server by its name, such as mysql-1. Without it the test is skipped, or fails where servers are
// required.
func Find(t *testing.T, name string) *Server {
	t.Helper()
	s, err := lab.Find(Listed(t), name)
	if err != nil {
		lacking(t, err)
	}
	return Connect(t, s)
}

// Connect connects to a server until the end of the test.
func Connect(t *testing.T, s lab.Server) *Server {
	t.Helper()
	c := &Server{Server: s}
	c.DB = c.Pool(t, "")
	return c
}

// In is the server with connections that are in a database. It need not be there yet.
func (s *Server) In(t *testing.T, database string) *Server {
	t.Helper()
	return &Server{s.Server, s.Pool(t, database)}
}

// Fresh makes an empty database, which replaces one of that name, and returns the server with connections that are in
// it.
func (s *Server) Fresh(t *testing.T, database string) *Server {
	t.Helper()
	s.Writable(t)
	s.Drop(t, database)
	s.Exec(t, "CREATE DATABASE "+lab.Quote(database)+" CHARACTER SET utf8mb4",
		"FLUSH BINARY LOGS") // MariaDB finds GTIDs by reading the file up to there
	return s.In(t, database)
}

// Batch is the server with connections that take several statements in one text, and are in a database, or in none: "".
func (s *Server) Batch(t *testing.T, database string) *Server {
	t.Helper()
	pool, err := s.Server.Batch(database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	return &Server{s.Server, pool}
}

// Pool returns connections that are in a database, or in none: "".
func (s *Server) Pool(t *testing.T, database string) *sql.DB {
	t.Helper()
	return s.As(t, lab.User, lab.Password, database)
}

// As returns connections of an account.
func (s *Server) As(t *testing.T, user, password, database string) *sql.DB {
	t.Helper()
	pool, err := s.Open(user, password, database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	return pool
}

// App makes the account of the application, which may write to a database, and returns its connections in it.
func (s *Server) App(t *testing.T, database string) *sql.DB {
	t.Helper()
	s.Exec(t, "CREATE USER IF NOT EXISTS '"+AppUser+"'@'%' IDENTIFIED BY '"+AppPassword+"'",
		"GRANT ALL ON "+lab.Quote(database)+".* TO '"+AppUser+"'@'%'")
	return s.As(t, AppUser, AppPassword, database)
}

// Exec runs statements, all on one connection, also while the test ends.
func (s *Server) Exec(t *testing.T, statements ...string) {
	t.Helper()
	require.NoError(t, lab.Exec(context.WithoutCancel(t.Context()), s.DB, statements...), s.Name)
}

// Text is the only value of a query, "" for NULL or no row. It waits for a server that is away.
func (s *Server) Text(t *testing.T, query string, args ...any) string {
	t.Helper()
	var value string
	var err error
	for until := time.Now().Add(lab.Patience); ; time.Sleep(100 * time.Millisecond) {
		if value, err = s.Value(t, query, args...); err == nil || !isLost(err) || time.Now().After(until) {
			break
		}
	}
	require.NoError(t, err, "%s: %s", s.Name, query)
	return value
}

// Value is the only value of a query, "" for NULL or no row. It is for what may go wrong: the server may be away, the
// table not be there yet.
func (s *Server) Value(t *testing.T, query string, args ...any) (string, error) {
	t.Helper()
	var value sql.NullString
	err := s.DB.QueryRowContext(context.WithoutCancel(t.Context()), query, args...).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return value.String, err
}

// Number is Text as a number.
func (s *Server) Number(t *testing.T, query string, args ...any) int {
	t.Helper()
	text := s.Text(t, query, args...)
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "%s: %s: %q", s.Name, query, text)
	return n
}

// Strings is the first column of a query.
func (s *Server) Strings(t *testing.T, query string, args ...any) []string {
	t.Helper()
	out, err := lab.Strings(context.WithoutCancel(t.Context()), s.DB, query, args...)
	require.NoError(t, err, s.Name)
	return out
}

// Lines are the rows of a query, each as "column=value ...", in the order of the text.
func (s *Server) Lines(t *testing.T, query string, args ...any) []string {
	t.Helper()
	rows, err := s.DB.QueryContext(context.WithoutCancel(t.Context()), query, args...)
	require.NoError(t, err, "%s: %s", s.Name, query)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var lines []string
	for rows.Next() {
		require.NoError(t, rows.Scan(into...))
		var b strings.Builder
		for i, v := range values {
			if v.Valid {
				fmt.Fprintf(&b, "%s=%q ", columns[i], v.String)
			} else {
				fmt.Fprintf(&b, "%s=NULL ", columns[i])
			}
		}
		lines = append(lines, b.String())
	}
	require.NoError(t, rows.Err(), query)
	slices.Sort(lines)
	return lines
}

// Has tells whether there is a database.
func (s *Server) Has(t *testing.T, database string) bool {
	t.Helper()
	return s.Text(t, "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ?", database) == "1"
}

// ReadOnly tells whether the server refuses the writes of applications.
func (s *Server) ReadOnly(t *testing.T) bool {
	t.Helper()
	return s.Text(t, dialects[s.Flavor].readOnly) != "0"
}

// Writable turns read_only off.
func (s *Server) Writable(t *testing.T) {
	t.Helper()
	s.Exec(t, dialects[s.Flavor].writable)
}

// Set sets a global variable for the time of the test.
func (s *Server) Set(t *testing.T, name, value string) {
	t.Helper()
	before := s.Text(t, "SELECT @@global."+name)
	if _, err := strconv.Atoi(before); err != nil {
		before = "'" + before + "'"
	}
	s.Exec(t, "SET GLOBAL "+name+" = "+value)
	t.Cleanup(func() { s.Exec(t, "SET GLOBAL "+name+" = "+before) })
}

// Logs are the files of the server's binary log.
func (s *Server) Logs(t *testing.T) (files []string) {
	t.Helper()
	rows, err := s.DB.QueryContext(context.WithoutCancel(t.Context()), "SHOW BINARY LOGS")
	require.NoError(t, err, s.Name)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	into := make([]any, len(columns)) // more of them on MySQL
	for i := range into {
		into[i] = new(any)
	}
	var file string
	into[0] = &file
	for rows.Next() {
		require.NoError(t, rows.Scan(into...))
		files = append(files, file)
	}
	require.NoError(t, rows.Err())
	return files
}

// Purge removes all of the binary log but a new last file. MariaDB keeps files for a while that its engine may need
// after a crash.
func (s *Server) Purge(t *testing.T) {
	t.Helper()
	s.Exec(t, "FLUSH BINARY LOGS")
	logs := s.Logs(t)
	last := logs[len(logs)-1]
	Until(t, "a purged log", func() bool {
		s.Exec(t, "PURGE BINARY LOGS TO '"+last+"'")
		return s.Logs(t)[0] == last
	})
}

// Drop drops databases by patterns of path.Match, whatever foreign keys lead from one to another.
func (s *Server) Drop(t *testing.T, patterns ...string) {
	t.Helper()
	d := dialects[s.Flavor]
	statements := []string{d.unchecked}
	for _, database := range s.Strings(t, "SELECT schema_name FROM information_schema.schemata") {
		if slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(p, database); return ok }) {
			statements = append(statements, d.drop+d.quote(database)+d.cascade)
		}
	}
	s.Exec(t, append(statements, d.checked)...)
}

// Proxy leads to the server until the end of the test.
func (s *Server) Proxy(t *testing.T) *between.Proxy {
	t.Helper()
	p, err := between.NewProxy(s.Address())
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// Script is the script that starts and stops servers. Without it the test is skipped, or fails where it is required.
func Script(t *testing.T) string {
	t.Helper()
	script := os.Getenv("WHERRY_SERVERS_SCRIPT")
	if script == "" {
		lacking(t, "servers cannot be started and stopped: set WHERRY_SERVERS_SCRIPT, see scripts/servers.sh")
	}
	return script
}

// Control has the script start, stop, kill, freeze, thaw or restart the server. start returns when it is ready.
func (s *Server) Control(t *testing.T, verb string) {
	t.Helper()
	script := Script(t)
	// the script waits for copies of itself
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, script, verb, s.Name).CombinedOutput()
	require.NoError(t, err, "%s %s: %s", verb, s.Name, out)
}

// refusal is the number of a server's error, 0 for what is none.
func refusal(err error) uint16 {
	var refused *mysql.MySQLError
	if errors.As(err, &refused) {
		return refused.Number
	}
	return 0
}
