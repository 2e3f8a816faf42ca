package mysql

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// typeColumn is a column of the table of all types, with expressions for values at its edges.
type typeColumn struct {
	definition string
	edges      []string
	random     func(*rand.Rand) string
}

func hexLiteral(b []byte) string { return "x'" + hex.EncodeToString(b) + "'" }

func randomInt(bits int, unsigned bool) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		v := r.Uint64() >> (64 - bits) >> r.IntN(bits)
		if unsigned {
			return strconv.FormatUint(v, 10)
		}
		return strconv.FormatInt(int64(v<<(64-bits))>>(64-bits), 10) //nolint:gosec // sign extension
	}
}

func randomDouble(r *rand.Rand) string {
	switch r.IntN(4) {
	case 0:
		return strconv.FormatFloat(float64(r.Int64N(2000000)-1000000)/math.Pow10(r.IntN(8)), 'g', -1, 64)
	case 1:
		return strconv.FormatFloat(math.Ldexp(1, r.IntN(2000)-1000), 'e', -1, 64)
	}
	for {
		if v := math.Float64frombits(r.Uint64()); !math.IsNaN(v) && !math.IsInf(v, 0) {
			return strconv.FormatFloat(v, 'e', -1, 64)
		}
	}
}

func randomFloat(r *rand.Rand) string {
	for {
		if v := math.Float32frombits(r.Uint32()); v == v && !math.IsInf(float64(v), 0) {
			return strconv.FormatFloat(float64(v), 'e', -1, 64)
		}
	}
}

func randomBytes(most int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		b := make([]byte, r.IntN(most+1))
		for i := range b {
			b[i] = byte(r.IntN(256))
			if r.IntN(4) == 0 {
				b[i] = 0
			}
		}
		return hexLiteral(b)
	}
}

func randomText(most int, charset string) func(*rand.Rand) string {
	alphabet := []string{"a", "Z", " ", "  ", "ä", "€", "\\", "'", "\x00", "漢", "\n", "\""}
	if charset == "utf8mb4" {
		alphabet = append(alphabet, "😀")
	}
	if charset == "latin1" {
		alphabet[9] = "é"
	}
	return func(r *rand.Rand) string {
		text := ""
		for range r.IntN(most + 1) {
			text += alphabet[r.IntN(len(alphabet))]
		}
		if runes := []rune(text); len(runes) > most {
			text = string(runes[:most])
		}
		return "_utf8mb4 " + hexLiteral([]byte(text))
	}
}

func randomDecimal(precision, scale int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		digits := func(n int) string {
			s := "0"
			for range r.IntN(n + 1) {
				s += strconv.Itoa(r.IntN(10))
			}
			return s
		}
		return "'" + []string{"", "-"}[r.IntN(2)] + digits(precision-scale) + "." + digits(scale) + "'"
	}
}

func randomTime(layout string) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		date := fmt.Sprintf("%04d-%02d-%02d", 1971+r.IntN(66), 1+r.IntN(12), 1+r.IntN(28))
		clock := fmt.Sprintf("%02d:%02d:%02d.%06d", r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000000))
		switch layout {
		case "date":
			return "'" + date + "'"
		case "time":
			return fmt.Sprintf("'%s%d:%s'", []string{"", "-"}[r.IntN(2)], r.IntN(838), clock[3:])
		default:
			return "'" + date + " " + clock + "'"
		}
	}
}

func typeColumns(mariadb bool) []typeColumn {
	var all []typeColumn
	for _, i := range []struct {
		name string
		bits int
	}{{"tinyint", 8}, {"smallint", 16}, {"mediumint", 24}, {"int", 32}, {"bigint", 64}} {
		most, lowest := uint64(math.MaxUint64)>>(64-i.bits), int64(-1)<<(i.bits-1)
		all = append(all,
			typeColumn{i.name, []string{"0", "-1", strconv.FormatInt(lowest, 10), strconv.FormatInt(-lowest-1, 10)}, randomInt(i.bits, false)},
			typeColumn{i.name + " unsigned", []string{"0", strconv.FormatUint(most, 10)}, randomInt(i.bits, true)})
	}
	all = append(all,
		typeColumn{"int(6) zerofill", []string{"0", "7", "4294967295"}, randomInt(32, true)},
		typeColumn{"decimal(8,2) zerofill", []string{"0", "7.5"}, func(r *rand.Rand) string { return strconv.Itoa(r.IntN(99999)) + ".25" }},
		typeColumn{"double", []string{
			"0", "-0e0", "1e14", "1e15", "123456789012345", "1234567890123456", "1e-14", "1e-15", "1e-16", "0.00001", "1e308",
			"1.7976931348623157e308", "2.2250738585072014e-308", "5e-324", "123456789.125", "1e22", "1e23", "9007199254740993",
		}, randomDouble},
		typeColumn{"float", []string{"0", "-0e0", "0.1", "16777217", "3.4028234e38", "1.17549435e-38", "1e-45"}, randomFloat},
		typeColumn{"bit(1)", []string{"b'0'", "b'1'"}, func(r *rand.Rand) string { return strconv.Itoa(r.IntN(2)) }},
		typeColumn{"bit(12)", []string{"0", "4095", "256"}, func(r *rand.Rand) string { return strconv.Itoa(r.IntN(4096)) }},
		typeColumn{"bit(64)", []string{"0", "18446744073709551615"}, randomInt(64, true)},
		typeColumn{"enum('a','b''s','ü','') character set utf8mb4", []string{"1", "2", "3", "4", "0"}, func(r *rand.Rand) string { return strconv.Itoa(r.IntN(5)) }},
		typeColumn{"enum('ä','€') character set latin1", []string{"1", "2"}, func(r *rand.Rand) string { return strconv.Itoa(r.IntN(3)) }},
		typeColumn{"set('x','ü','z') character set utf16", []string{"0", "7", "2"}, func(r *rand.Rand) string { return strconv.Itoa(r.IntN(8)) }},
		typeColumn{"date", []string{"'0000-00-00'", "'2024-00-00'", "'2024-02-00'", "'9999-12-31'", "'1000-01-01'", "'0001-01-01'"}, randomTime("date")},
		typeColumn{"year", []string{"0", "1901", "2155"}, func(r *rand.Rand) string { return strconv.Itoa(1901 + r.IntN(255)) }},
		typeColumn{"json", jsonEdges(mariadb), randomJSON},
		typeColumn{"point", []string{"ST_GeomFromText('POINT(1 -2.5)')"}, func(r *rand.Rand) string {
			return fmt.Sprintf("ST_GeomFromText('POINT(%d %d)', 0)", r.IntN(180), r.IntN(90))
		}},
	)
	for _, d := range [][2]int{{1, 0}, {65, 30}, {65, 0}, {30, 30}, {10, 2}, {18, 9}, {19, 10}, {5, 5}} {
		all = append(all, typeColumn{
			fmt.Sprintf("decimal(%d,%d)", d[0], d[1]),
			[]string{"0", "'-0.0'", "'" + strings.Repeat("9", d[0]-d[1]) + "." + strings.Repeat("9", d[1]) + "'", "'-0.000000001'"},
			randomDecimal(d[0], d[1]),
		})
	}
	for digits := range 7 {
		suffix := ""
		if digits > 0 {
			suffix = fmt.Sprintf("(%d)", digits)
		}
		all = append(all,
			typeColumn{"time" + suffix, []string{"'00:00:00'", "'-838:59:59'", "'838:59:59'", "'-00:00:00.1'", "'-00:00:01.999999'", "'-25:00:00.000001'"}, randomTime("time")},
			typeColumn{"datetime" + suffix, []string{"'0000-00-00'", "'2024-00-00 10:00:00'", "'9999-12-31 23:59:59'", "'2024-02-29 12:34:56.123456'"}, randomTime("datetime")},
			typeColumn{"timestamp" + suffix + " null", []string{"'0000-00-00'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'2024-02-29 12:34:56.123456'"}, randomTime("datetime")})
	}
	for _, charset := range []string{"utf8mb4", "latin1", "utf16", "ucs2"} {
		all = append(all,
			typeColumn{"char(20) character set " + charset, []string{"''", "'a '", "' a'"}, randomText(20, charset)},
			typeColumn{"varchar(90) character set " + charset, []string{"''", "'a '"}, randomText(90, charset)},
			typeColumn{"mediumtext character set " + charset, []string{"''", "'a '", "REPEAT('x', 70000)"}, randomText(30, charset)})
	}
	for _, b := range []string{"binary(5)", "varbinary(5)", "tinyblob", "blob", "mediumblob", "longblob"} {
		all = append(all, typeColumn{b, []string{"''", "x'00'", "x'4100'", "x'2020'", "x'0041'"}, randomBytes(5)})
	}
	all = append(all, typeColumn{"char(120) character set utf8mb4", []string{"''", "REPEAT('ä', 120)"}, randomText(120, "utf8mb4")},
		typeColumn{"binary(255)", []string{"''", "REPEAT('x', 255)"}, randomBytes(255)})
	if !mariadb {
		all = append(all, typeColumn{"vector(3)", []string{"STRING_TO_VECTOR('[1,2,3.5]')"}, func(*rand.Rand) string { return "NULL" }})
	}
	return all
}

func jsonEdges(mariadb bool) []string {
	edges := []string{
		`'{}'`, `'[]'`, `'null'`, `'[1, 2.0, 1e20, -0.0, 1e-7, true, false, null, "", 18446744073709551615, -9223372036854775808, 65536, -32769]'`,
		`'{"b": 1, "aa": {"x": [[], {}]}, "a": "\\u0001\\b\\f\\n\\r\\t\\"\\\\/ü😀"}'`, `'1.5'`, `'"text"'`, `'[123456789012345678901234567890, 1e15, 1e14, 0.00001, 123456.789e3]'`,
	}
	if mariadb {
		return edges
	}
	return append(edges,
		`JSON_ARRAY(CAST(1.50 AS DECIMAL(10,2)), CAST('-0.05' AS DECIMAL(30,20)), DATE'2024-02-29', TIME'-12:34:56.5', TIMESTAMP'2024-02-29 01:02:03.000001', x'cafe00', b'101')`,
		`JSON_OBJECT('long', CAST(REPEAT('x', 300) AS BINARY), 'blob', CAST(REPEAT('y', 57) AS BINARY), 'c', CAST('y' AS BINARY))`,
		`(SELECT JSON_ARRAYAGG(CONCAT('element ', n)) FROM (WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 900) SELECT REPEAT(n, 40) AS n FROM s) AS q)`,
		`(SELECT JSON_OBJECTAGG(CONCAT('key', n), n) FROM (WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 900) SELECT REPEAT(n, 40) AS n FROM s) AS q)`)
}

func randomJSON(r *rand.Rand) string {
	var value func(depth int) string
	value = func(depth int) string {
		switch k := r.IntN(8); {
		case k == 0 && depth < 4:
			members := make([]string, r.IntN(6))
			for i := range members {
				members[i] = value(depth + 1)
			}
			return "[" + strings.Join(members, ",") + "]"
		case k <= 2 && depth < 4:
			members := make([]string, r.IntN(6))
			for i := range members {
				members[i] = `"` + strings.Repeat("k", r.IntN(9)) + strconv.Itoa(r.IntN(9)) + `":` + value(depth+1)
			}
			return "{" + strings.Join(members, ",") + "}"
		case k <= 4:
			return strconv.FormatInt(int64(r.Uint64())>>r.IntN(63), 10) //nolint:gosec // any bits
		case k == 5:
			return strconv.FormatFloat(math.Ldexp(r.Float64(), r.IntN(400)-200), 'e', -1, 64)
		default:
			return `"` + strings.Repeat("x", r.IntN(200)) + `\\u0007ü"`
		}
	}
	return "'" + value(0) + "'"
}

// TestTwoRoadsOneRow writes rows of every type and compares what SELECT prints with what the log holds, byte for byte.
func TestTwoRoadsOneRow(t *testing.T) {
	const seed = 20240229
	eachStreamServer(t, func(t *testing.T, s *streamServer) {
		c := s.connect(t)
		c.database("binlog_t_types")
		columns := typeColumns(s.mariadb)
		random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test
		for at, column := range columns {
			t.Run(column.definition, func(t *testing.T) {
				c.t = t
				twoRoads(t, s, c, random, fmt.Sprintf("t%d", at), []typeColumn{column}, 100)
			})
		}
		t.Run("all", func(t *testing.T) {
			c.t = t
			twoRoads(t, s, c, random, "wide", columns, 1500)
		})
	})
}

func twoRoads(t *testing.T, s *streamServer, c *streamConn, random *rand.Rand, table string, columns []typeColumn, rows int) {
	definition, names := []string{"id int primary key"}, []string{"id"}
	for i, column := range columns {
		names = append(names, fmt.Sprintf("c%d", i))
		definition = append(definition, names[i+1]+" "+column.definition)
		if i == 0 {
			definition = append(definition, "g1 int AS (id + 1) VIRTUAL", "g2 varchar(300) AS (REPEAT('x', id % 300)) STORED")
		}
	}
	c.exec("CREATE TABLE " + table + " (" + strings.Join(definition, ", ") + ") ROW_FORMAT=DYNAMIC")
	r := c.routeOf("binlog_t_types", table)
	from := s.head(c)
	value := func(i, row int) string {
		switch edges := columns[i].edges; {
		case row < len(edges):
			return edges[row]
		case row == len(edges) || random.IntN(20) == 0:
			return "NULL"
		default:
			return columns[i].random(random)
		}
	}
	c.exec("SET NAMES utf8mb4")
	for row := 0; row < rows; row += 50 {
		var b strings.Builder
		for j := row; j < row+50; j++ {
			values := []string{strconv.Itoa(j)}
			for i := range columns {
				values = append(values, value(i, j))
			}
			b.WriteString(",(" + strings.Join(values, ",") + ")")
		}
		c.exec("INSERT IGNORE INTO " + table + " (" + strings.Join(names, ",") + ") VALUES " + b.String()[1:])
	}
	c.exec("SET NAMES binary")
	inserted := c.rows(selectAll(r))
	updates := []string{}
	for i := range columns {
		updates = append(updates, fmt.Sprintf("%s = %s", names[i+1], value(i, 1)))
	}
	c.exec("SET NAMES utf8mb4")
	c.exec("UPDATE IGNORE " + table + " SET " + strings.Join(updates, ", ") + ", id = id + 1000000 WHERE id % 2 = 0")
	c.exec("SET NAMES binary")
	updated := c.rows(selectAll(r))
	c.exec("DELETE FROM " + table)

	model := map[string]db.Row{}
	stream := s.open(t, from, nil, r)
	inserts, updatesSeen := 0, 0
	for _, part := range take(t, stream, (rows+49)/50+2) {
		for _, change := range part.Changes {
			switch {
			case change.Before == nil:
				inserts++
				model[string(change.After[0])] = change.After
				if inserts == len(inserted) {
					sameRows(t, r.Source.Column, inserted, model)
				}
			case change.After == nil:
				if updatesSeen > 0 {
					sameRows(t, r.Source.Column, updated, model)
					updatesSeen = 0
				}
				require.Equal(t, model[string(change.Before[0])], change.Before)
				delete(model, string(change.Before[0]))
			default:
				updatesSeen++
				require.Equal(t, model[string(change.Before[0])], change.Before)
				delete(model, string(change.Before[0]))
				model[string(change.After[0])] = change.After
			}
		}
	}
	assert.Equal(t, len(inserted), inserts)
	assert.Empty(t, model)
	require.NoError(t, stream.Close())
	c.exec("DROP TABLE " + table)
}

// sameRows compares rows by SELECT with a model built from the log.
func sameRows(t *testing.T, column func(int) *schema.Column, want []db.Row, model map[string]db.Row) {
	t.Helper()
	require.Len(t, model, len(want))
	shown := 0
	for _, row := range want {
		got := model[string(row[0])]
		for i := range row {
			if (row[i] == nil) != (got[i] == nil) || !bytes.Equal(row[i], got[i]) {
				t.Errorf("row %s, column %s %s: SELECT %.300q, log %.300q", row[0], column(i).Name, column(i).Type.Text, row[i], got[i])
				if shown++; shown > 3 {
					t.FailNow()
				}
			}
		}
	}
}
