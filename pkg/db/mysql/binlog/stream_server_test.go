package binlog

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire/wiretest"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// head returns the end of the log, as file and offset and GTIDs.
func headOf(s *wiretest.Server, c *wiretest.Conn) Position {
	statement := "SHOW BINARY LOG STATUS"
	if s.MariaDB {
		statement = "SHOW MASTER STATUS"
	}
	row := c.Rows(statement)[0]
	offset, err := strconv.ParseUint(string(row[1]), 10, 64)
	require.NoError(c.T, err)
	p := Position{File: string(row[0]), Offset: offset, Server: s.Tag}
	text := ""
	if s.MariaDB {
		text = string(c.Rows("SELECT @@gtid_binlog_pos")[0][0])
	} else {
		text = string(c.Rows("SELECT @@gtid_executed")[0][0])
	}
	if text != "" {
		p.GTIDs, err = ParseGTIDs(text)
		require.NoError(c.T, err)
	}
	return p
}

func openLog(t *testing.T, s *wiretest.Server, from Position, change func(*Config), routes ...*route.Route) *stream {
	t.Helper()
	cfg := Config{
		Dialer: s.Dialer, Flavor: flavorOf(s), Tag: s.Tag, From: from,
		Routes: routes, heartbeat: 500 * time.Millisecond,
	}
	if change != nil {
		change(&cfg)
	}
	opened, err := openStream(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = opened.Close() })
	return opened.(*stream) //nolint:forcetypeassert // its only type
}

var streamType = regexp.MustCompile(`^(\w+)(?:\(([^)]*)\))?(.*)$`)

// routeOf describes a table as information_schema does, as far as decoding needs.
func routeOf(c *wiretest.Conn, database, table string) *route.Route {
	c.T.Helper()
	c.Exec("SET NAMES utf8mb4")
	defer c.Exec("SET NAMES binary")
	t := &schema.Table{Name: schema.Name{Database: database, Table: table}}
	for _, row := range c.Rows(`SELECT COLUMN_NAME, COLUMN_TYPE, COALESCE(CHARACTER_SET_NAME, ''),
		COALESCE(GENERATION_EXPRESSION, ''), COLUMN_KEY, COALESCE(CONVERT(COLUMN_TYPE USING utf8mb4), ''), IS_NULLABLE
		FROM information_schema.COLUMNS
		WHERE TABLE_SCHEMA = '` + database + `' AND TABLE_NAME = '` + table + `' ORDER BY ORDINAL_POSITION`) {
		column := schema.Column{
			Name: string(row[0]), Type: streamColumnType(string(row[1])),
			Nullable: string(row[6]) == "YES",
		}
		column.Type.Charset = string(row[2])
		if len(row[3]) > 0 {
			column.Generated = schema.Stored
		}
		if string(row[4]) == "PRI" {
			t.Primary = &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: column.Name}}}
		}
		t.Columns = append(t.Columns, column)
	}
	t.Engine = string(c.Rows("SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = '" + database +
		"' AND TABLE_NAME = '" + table + "'")[0][0])
	r, err := route.New(t, t, "")
	require.NoError(c.T, err)
	return r
}

func streamColumnType(text string) schema.Type {
	m := streamType.FindStringSubmatch(text)
	out := schema.Type{
		Name: m[1], Text: text, Unsigned: strings.Contains(m[3], "unsigned"),
		Zerofill: strings.Contains(m[3], "zerofill"),
	}
	first, second, _ := strings.Cut(m[2], ",")
	n, _ := strconv.Atoi(first)
	kinds := map[string]schema.Kind{
		"tinyint": schema.Integer, "smallint": schema.Integer, "mediumint": schema.Integer, "int": schema.Integer,
		"bigint":  schema.Integer,
		"decimal": schema.Decimal, "float": schema.Float, "double": schema.Double, "bit": schema.Bit,
		"char":    schema.Char,
		"varchar": schema.Varchar, "binary": schema.Binary, "varbinary": schema.Varbinary, "enum": schema.Enum,
		"set":  schema.Set,
		"date": schema.Date, "time": schema.Time, "datetime": schema.Datetime, "timestamp": schema.Timestamp,
		"year": schema.Year,
		"json": schema.JSON, "vector": schema.Vector, "tinytext": schema.Text, "text": schema.Text,
		"mediumtext": schema.Text,
		"longtext":   schema.Text, "tinyblob": schema.Blob, "blob": schema.Blob, "mediumblob": schema.Blob,
		"longblob": schema.Blob,
		"geometry": schema.Geometry, "point": schema.Geometry, "linestring": schema.Geometry,
		"polygon": schema.Geometry,
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
	deadline := time.Now().Add(time.Minute)
	for n > 0 {
		part, err := s.Next(t.Context(), time.Second)
		require.NoError(t, err)
		require.True(t, time.Now().Before(deadline), "%d transactions are missing at %s", n, s.Position())
		if part == nil {
			continue
		}
		parts, deadline = append(parts, part), time.Now().Add(time.Minute) // it moves
		if part.End {
			n--
		}
	}
	return parts
}

// flavorOf returns the family of a server, at some version.
func flavorOf(s *wiretest.Server) dialect.Flavor {
	if s.MariaDB {
		return dialect.Flavor{Family: schema.MariaDB}
	}
	return dialect.Flavor{Family: schema.MySQL}
}
