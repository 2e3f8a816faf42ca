package mysql

import (
	"context"
	"net"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// streamServer is a real server that tests of the stream run on.
type streamServer struct {
	name    string
	mariadb bool
	config  *Config
	tag     string // by which it is known
}

func (s *streamServer) identify(t *testing.T) {
	t.Helper()
	w, err := dialWire(t.Context(), s.config)
	require.NoError(t, err)
	rows, err := w.query(t.Context(), tagQuery(s.mariadb))
	require.NoError(t, err)
	found, err := db.ReadAll(rows)
	require.NoError(t, err)
	s.tag = string(found[0][0])
	require.NoError(t, w.close())
}

// streamServers returns the servers of WHERRY_TEST_SERVERS.
func streamServers(t *testing.T) []*streamServer {
	t.Helper()
	var all []*streamServer
	for _, entry := range strings.Fields(os.Getenv("WHERRY_TEST_SERVERS")) {
		name, address, _ := strings.Cut(entry, "=")
		u, err := url.Parse(address)
		require.NoError(t, err)
		if u.Scheme != "mysql" && u.Scheme != "mariadb" {
			continue
		}
		host, portText, err := net.SplitHostPort(u.Host)
		require.NoError(t, err)
		port, err := strconv.Atoi(portText)
		require.NoError(t, err)
		password, _ := u.User.Password()
		all = append(all, &streamServer{name: name, mariadb: u.Scheme == "mariadb", config: &Config{
			Host: host, Port: port, User: u.User.Username(), Password: password, ConnectTimeout: 5 * time.Second,
			ServerID: uint32(900000 + os.Getpid()%50000), //nolint:gosec // small
		}})
	}
	return all
}

// eachStreamServer runs a test on one server of each flavor.
func eachStreamServer(t *testing.T, run func(t *testing.T, s *streamServer)) {
	t.Helper()
	seen := map[bool]bool{}
	for _, s := range streamServers(t) {
		if seen[s.mariadb] {
			continue
		}
		seen[s.mariadb] = true
		s.identify(t)
		t.Run(s.name, func(t *testing.T) { run(t, s) })
	}
	if len(seen) == 0 {
		if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
			t.Fatal("WHERRY_TEST_SERVERS names no MySQL or MariaDB server")
		}
		t.Skip("SKIPPED: WHERRY_TEST_SERVERS is empty, nothing was tested against a real server")
	}
}

// streamConn is a session of a test.
type streamConn struct {
	t *testing.T
	w *wire
}

func (s *streamServer) connect(t *testing.T) *streamConn {
	t.Helper()
	w, err := dialWire(t.Context(), s.config)
	require.NoError(t, err)
	c := &streamConn{t, w}
	t.Cleanup(func() { _ = w.close() })
	c.exec("SET NAMES binary", "SET time_zone = '+00:00'", "SET sql_mode = 'NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO'")
	return c
}

func (c *streamConn) exec(statements ...string) {
	c.t.Helper()
	for _, statement := range statements {
		_, err := c.w.exec(context.Background(), statement)
		require.NoError(c.t, err, "%.300s", statement)
	}
}

func (c *streamConn) try(statement string) error {
	_, err := c.w.exec(context.Background(), statement)
	return err
}

func (c *streamConn) rows(statement string) []db.Row {
	c.t.Helper()
	rows, err := c.w.query(context.Background(), statement)
	require.NoError(c.t, err, "%.300s", statement)
	all, err := db.ReadAll(rows)
	require.NoError(c.t, err, "%.300s", statement)
	return all
}

// head returns the end of the log, as file and offset and GTIDs.
func (s *streamServer) head(c *streamConn) position {
	statement := "SHOW BINARY LOG STATUS"
	if s.mariadb {
		statement = "SHOW MASTER STATUS"
	}
	row := c.rows(statement)[0]
	offset, err := strconv.ParseUint(string(row[1]), 10, 64)
	require.NoError(c.t, err)
	p := position{file: string(row[0]), offset: offset, server: s.tag}
	text := ""
	if s.mariadb {
		text = string(c.rows("SELECT @@gtid_binlog_pos")[0][0])
	} else {
		text = string(c.rows("SELECT @@gtid_executed")[0][0])
	}
	if text != "" {
		p.gtid, err = parseGTIDs(text)
		require.NoError(c.t, err)
	}
	return p
}

func (s *streamServer) open(t *testing.T, from position, change func(*streamConfig), routes ...*route.Route) *stream {
	t.Helper()
	cfg := streamConfig{server: s.config, mariadb: s.mariadb, from: from, routes: routes, heartbeat: 500 * time.Millisecond, serverTag: s.tag}
	if change != nil {
		change(&cfg)
	}
	opened, err := openStream(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = opened.Close() })
	return opened.(*stream) //nolint:forcetypeassert // its only type
}

// database makes an empty database.
func (c *streamConn) database(name string) {
	c.exec("DROP DATABASE IF EXISTS "+name, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4", "USE "+name)
}

var streamType = regexp.MustCompile(`^(\w+)(?:\(([^)]*)\))?(.*)$`)

// routeOf describes a table as information_schema does, as far as decoding needs.
func (c *streamConn) routeOf(database, table string) *route.Route {
	c.t.Helper()
	c.exec("SET NAMES utf8mb4")
	defer c.exec("SET NAMES binary")
	t := &schema.Table{Name: schema.Name{Database: database, Table: table}}
	for _, row := range c.rows(`SELECT COLUMN_NAME, COLUMN_TYPE, COALESCE(CHARACTER_SET_NAME, ''), COALESCE(GENERATION_EXPRESSION, ''),
		COLUMN_KEY, COALESCE(CONVERT(COLUMN_TYPE USING utf8mb4), ''), IS_NULLABLE FROM information_schema.COLUMNS
		WHERE TABLE_SCHEMA = '` + database + `' AND TABLE_NAME = '` + table + `' ORDER BY ORDINAL_POSITION`) {
		column := schema.Column{Name: string(row[0]), Type: streamColumnType(string(row[1])), Nullable: string(row[6]) == "YES"}
		column.Type.Charset = string(row[2])
		if len(row[3]) > 0 {
			column.Generated = schema.Stored
		}
		if string(row[4]) == "PRI" {
			t.Primary = &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: column.Name}}}
		}
		t.Columns = append(t.Columns, column)
	}
	t.Engine = string(c.rows("SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = '" + database + "' AND TABLE_NAME = '" + table + "'")[0][0])
	r, err := route.New(t, t, "")
	require.NoError(c.t, err)
	return r
}

func streamColumnType(text string) schema.Type {
	m := streamType.FindStringSubmatch(text)
	out := schema.Type{Name: m[1], Text: text, Unsigned: strings.Contains(m[3], "unsigned"), Zerofill: strings.Contains(m[3], "zerofill")}
	first, second, _ := strings.Cut(m[2], ",")
	n, _ := strconv.Atoi(first)
	kinds := map[string]schema.Kind{
		"tinyint": schema.Integer, "smallint": schema.Integer, "mediumint": schema.Integer, "int": schema.Integer, "bigint": schema.Integer,
		"decimal": schema.Decimal, "float": schema.Float, "double": schema.Double, "bit": schema.Bit, "char": schema.Char,
		"varchar": schema.Varchar, "binary": schema.Binary, "varbinary": schema.Varbinary, "enum": schema.Enum, "set": schema.Set,
		"date": schema.Date, "time": schema.Time, "datetime": schema.Datetime, "timestamp": schema.Timestamp, "year": schema.Year,
		"json": schema.JSON, "vector": schema.Vector, "tinytext": schema.Text, "text": schema.Text, "mediumtext": schema.Text,
		"longtext": schema.Text, "tinyblob": schema.Blob, "blob": schema.Blob, "mediumblob": schema.Blob, "longblob": schema.Blob,
		"geometry": schema.Geometry, "point": schema.Geometry, "linestring": schema.Geometry, "polygon": schema.Geometry,
	}
	out.Kind = kinds[m[1]]
	switch out.Kind {
	case schema.Integer:
		out.Size = map[string]int{"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "bigint": 8}[m[1]]
	case schema.Decimal:
		out.Precision = n
		out.Scale, _ = strconv.Atoi(second)
	case schema.Time, schema.Datetime, schema.Timestamp:
		out.Scale = n
	case schema.Enum, schema.Set:
		for _, label := range strings.Split(strings.TrimSuffix(strings.TrimPrefix(m[2], "'"), "'"), "','") {
			out.Labels = append(out.Labels, strings.ReplaceAll(label, "''", "'"))
		}
	default:
		out.Size = n
	}
	return out
}

// take collects parts until n transactions have ended.
func take(t *testing.T, s *stream, n int) []*db.Part {
	t.Helper()
	var parts []*db.Part
	deadline := time.Now().Add(20 * time.Second)
	for n > 0 {
		part, err := s.Next(t.Context(), time.Second)
		require.NoError(t, err)
		require.True(t, time.Now().Before(deadline), "%d transactions are missing at %s", n, s.Position())
		if part == nil {
			continue
		}
		parts = append(parts, part)
		if part.End {
			n--
		}
	}
	return parts
}

// canonicalText names a column in the form whose text is canonical.
func canonicalText(c *schema.Column) string {
	switch {
	case c.Type.Kind == schema.Float:
		return "`" + c.Name + "` * 1e0"
	case c.Type.Zerofill:
		return "`" + c.Name + "` + 0"
	default:
		return "`" + c.Name + "`"
	}
}
