package mysql

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// typeColumn is a type, with expressions for values at its edges.
type typeColumn struct {
	definition string // behind the column's name
	own        bool   // the other family does not have it
	stamp      bool   // without NULL, some servers take NOT NULL
	nullable   bool   // no value stands in for NULL
	plain      string // a literal that may be a default
	edges      []string
	random     func(*rand.Rand) string
	change     string // an expression over the column itself, %s, that changes a value
}

// textSet is a character set of a server.
type textSet struct {
	name     string
	own      bool
	alphabet []string // encoded characters
	letters  []string // those of them that a label may have, in UTF-8
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

// randomText draws from an alphabet, and with raw any bytes: those that are no characters of the set end the value,
// and those that are but stand for nothing stay. Which are, the families do not agree on.
func randomText(most int, raw bool, alphabet []string) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		var b strings.Builder
		for range r.IntN(most + 1) {
			if raw && r.IntN(40) == 0 {
				b.WriteByte(byte(r.IntN(256)))
			} else {
				b.WriteString(alphabet[r.IntN(len(alphabet))])
			}
		}
		return hexLiteral([]byte(b.String()))
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

// typeColumns returns every type that a server has: those without characters, and for every character set one type of
// text and one of labels, drawn at random.
func typeColumns(mariadb bool, charsets []textSet, r *rand.Rand) []typeColumn {
	all := append(numberColumns(), temporalColumns()...)
	for _, b := range []string{"binary(5)", "varbinary(5)", "tinyblob", "blob", "mediumblob", "longblob"} {
		all = append(all, typeColumn{definition: b, edges: []string{
			"''", "x'00'", "x'4100'", "x'2020'", "x'0041'",
			`'\\N'`,
		}, random: randomBytes(5)})
	}
	all = append(all,
		typeColumn{definition: "binary(255)", edges: []string{"''", "REPEAT('x', 255)"}, random: randomBytes(255)},
		typeColumn{definition: "bit(1)", edges: []string{"b'0'", "b'1'"}, random: func(r *rand.Rand) string {
			return strconv.Itoa(r.IntN(2))
		}},
		typeColumn{definition: "bit(12)", edges: []string{"0", "4095", "256"}, random: func(r *rand.Rand) string {
			return strconv.Itoa(r.IntN(4096))
		}},
		typeColumn{definition: "bit(64)", edges: []string{"0", "18446744073709551615"}, random: randomInt(64, true)},
		typeColumn{
			definition: "json", nullable: true, edges: jsonEdges(mariadb), random: randomJSON,
			change: "JSON_SET(JSON_REMOVE(%s, '$.k0', '$[0]'), '$.k1', 7.0, '$.new', JSON_ARRAY('x', 1))",
		},
		typeColumn{definition: "point", nullable: true, edges: []string{
			"ST_GeomFromText('POINT(1 -2.5)')",
			"ST_GeomFromText('POINT(0 0)')",
		}, random: func(r *rand.Rand) string {
			return fmt.Sprintf("ST_GeomFromText('POINT(%d %d)', %d)", r.IntN(90), r.IntN(90), []int{0, 4326}[r.IntN(2)])
		}},
		typeColumn{definition: "geometry", nullable: true, edges: []string{
			"ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')", "ST_GeomFromText('POLYGON((0 0,0 3,3 3,0 0))', 4326)",
		}, random: func(r *rand.Rand) string {
			return fmt.Sprintf("ST_GeomFromText('LINESTRING(0 0,%d %d,2 2)')", r.IntN(90), r.IntN(90))
		}},
	)
	for _, c := range charsets {
		all = append(all, textColumn(c, false, r), textColumn(c, true, r), labelColumn(c, r))
	}
	if mariadb {
		return append(all, mariadbColumns()...)
	}
	for _, real := range []string{"float", "double"} { // MariaDB has no -0
		all = append(all, typeColumn{
			definition: real, own: true, edges: []string{"-0e0", "0"},
			random: func(r *rand.Rand) string { return []string{"-0e0", "0", "-1"}[r.IntN(3)] },
		})
	}
	return append(all, typeColumn{
		definition: "vector(3)", own: true, nullable: true,
		edges: []string{"STRING_TO_VECTOR('[1,2,3.5]')", "x'00000080'"}, random: func(r *rand.Rand) string {
			return fmt.Sprintf("STRING_TO_VECTOR('[%d,%g]')", r.IntN(100)-50, r.Float32())
		},
	})
}

func textColumn(c textSet, raw bool, r *rand.Rand) typeColumn {
	of := []string{"char(20)", "varchar(90)", "tinytext", "mediumtext"}[r.IntN(4)]
	most := map[string]int{"char(20)": 20, "varchar(90)": 90, "tinytext": 60, "mediumtext": 60}[of]
	edges := []string{"''", "'a '", "' a'", "'NULL'", `'\\N'`, `'\\'`, `'a\tb\nc\0d'`, `'''"'`}
	if of == "mediumtext" {
		edges = append(edges, "REPEAT('x', 70000)")
	}
	plain := "" // MySQL takes no literal as default of a text
	if most != 60 {
		plain = "'a'"
	}
	return typeColumn{
		definition: of + " character set " + c.name, own: c.own || raw, plain: plain, edges: edges,
		random: randomText(most, raw, c.alphabet),
	}
}

// labelColumn makes labels of the character set's own characters.
func labelColumn(c textSet, r *rand.Rand) typeColumn {
	of, number, labels := "enum", 20, []string{"'a'", "'b''s'", "'x,y'"}
	if r.IntN(2) == 0 {
		labels = append(labels, "''")
	}
	if r.IntN(2) == 0 {
		of, number, labels = "set", []int{20, 64}[r.IntN(2)], labels[:2]
	}
	for i := len(labels); i < number; i++ {
		text := c.letters[r.IntN(len(c.letters))] + strconv.Itoa(i) + c.letters[r.IntN(len(c.letters))]
		labels = append(labels, "'"+strings.NewReplacer(`\`, `\\`, "'", "''", ",", "").Replace(text)+"'")
	}
	most := uint64(1)<<(number-1)<<1 - 1
	random := func(r *rand.Rand) string { return strconv.FormatUint(r.Uint64()&most, 10) }
	if of == "enum" {
		most = uint64(number) //nolint:gosec // small
		random = func(r *rand.Rand) string { return strconv.Itoa(r.IntN(number + 1)) }
	}
	return typeColumn{
		definition: of + "(" + strings.Join(labels, ",") + ") character set " + c.name, own: c.own,
		edges: []string{"0", "1", "2", "3", strconv.FormatUint(most, 10)}, random: random,
	}
}

func mariadbColumns() []typeColumn {
	all := []typeColumn{
		{definition: "uuid", edges: []string{
			"'00000000-0000-0000-0000-000000000000'",
			"'ffffffff-ffff-ffff-ffff-ffffffffffff'", "UUID()",
		}, random: randomUUID},
		{
			definition: "inet4", edges: []string{"'0.0.0.0'", "'255.255.255.255'", "'10.0.0.0'"},
			random: func(r *rand.Rand) string {
				return fmt.Sprintf("'%d.%d.%d.%d'", r.IntN(256), r.IntN(256), r.IntN(2), r.IntN(3))
			},
		},
		{definition: "inet6", edges: []string{
			"'::'", "'::1'", "'::ffff:1.2.3.4'", "'1::'", "'::2:3'",
			"'1:0:1:0:1:0:1:0'",
		}, random: func(r *rand.Rand) string {
			groups := make([]string, 8)
			for i := range groups {
				groups[i] = strconv.FormatInt(int64(r.IntN(2)*r.IntN(65536)), 16)
			}
			return "'" + strings.Join(groups, ":") + "'"
		}},
	}
	for _, of := range []string{
		"varchar(90)", "varchar(400)", "tinytext", "text", "longtext", "varbinary(300)", "blob",
		"longblob",
	} {
		all = append(all, typeColumn{definition: of + " compressed", edges: []string{
			"''", "'a '", "REPEAT('x', 90)",
			"REPEAT('xyz', 30)",
		}, random: func(r *rand.Rand) string {
			// no longer than a column: MariaDB checks only bytes
			return fmt.Sprintf("REPEAT('%c', %d)", 'a'+r.IntN(26), r.IntN(90))
		}})
	}
	for i := range all {
		all[i].own = true
	}
	return all
}

// randomUUID draws of all versions that MariaDB takes, some ending in a zero byte.
func randomUUID(r *rand.Rand) string {
	var b [16]byte
	for i := range b {
		b[i] = byte(r.IntN(256))
	}
	b[6], b[8] = b[6]&0x0f|byte(1+r.IntN(8))<<4, b[8]&0x3f|0x80
	if r.IntN(3) == 0 {
		b[15] = 0
	}
	return fmt.Sprintf("'%x-%x-%x-%x-%x'", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func numberColumns() []typeColumn {
	var all []typeColumn
	for _, i := range []struct {
		name string
		bits int
	}{{"tinyint", 8}, {"smallint", 16}, {"mediumint", 24}, {"int", 32}, {"bigint", 64}} {
		most, lowest := uint64(math.MaxUint64)>>(64-i.bits), int64(-1)<<(i.bits-1)
		all = append(all,
			typeColumn{definition: i.name, plain: "-7", edges: []string{
				"0", "-1", strconv.FormatInt(lowest, 10),
				strconv.FormatInt(-lowest-1, 10),
			}, random: randomInt(i.bits, false)},
			typeColumn{
				definition: i.name + " unsigned", plain: "7", edges: []string{"0", strconv.FormatUint(most, 10)},
				random: randomInt(i.bits, true),
			})
	}
	for _, d := range [][2]int{{1, 0}, {65, 30}, {65, 0}, {30, 30}, {10, 2}, {18, 9}, {19, 10}, {5, 5}} {
		all = append(all, typeColumn{
			definition: fmt.Sprintf("decimal(%d,%d)", d[0], d[1]), plain: "0",
			edges: []string{"0", "'-0.0'", "'" + strings.Repeat("9", d[0]-d[1]) + "." + strings.Repeat("9",
				d[1]) + "'", "'-0.000000001'"},
			random: randomDecimal(d[0], d[1]),
		})
	}
	return append(all,
		typeColumn{definition: "int(6) zerofill", edges: []string{"0", "7", "4294967295"}, random: randomInt(32, true)},
		typeColumn{definition: "decimal(8,2) zerofill", edges: []string{"0", "7.5"}, random: func(r *rand.Rand) string {
			return strconv.Itoa(r.IntN(99999)) + ".25"
		}},
		typeColumn{definition: "double", edges: []string{
			"0", "1e14", "1e15", "123456789012345", "1234567890123456", "1e-14", "1e-15", "1e-16", "0.00001", "1e308",
			"1.7976931348623157e308", "2.2250738585072014e-308", "5e-324", "123456789.125", "1e22", "1e23",
			"9007199254740993",
		}, random: randomDouble},
		typeColumn{
			definition: "double(12,3)", edges: []string{"0", "1.005", "123456789.125"},
			random: func(r *rand.Rand) string {
				return strconv.FormatFloat(r.Float64()*1e8, 'g', -1, 64)
			},
		},
		typeColumn{definition: "float", edges: []string{
			"0", "0.1", "16777217", "3.4028234e38", "1.17549435e-38",
			"1e-45",
		}, random: randomFloat},
		typeColumn{
			definition: "float(7,3)", edges: []string{"0", "0.1", "1234.567"},
			random: func(r *rand.Rand) string { return strconv.FormatFloat(r.Float64()*1e3, 'g', -1, 64) },
		},
	)
}

func temporalColumns() []typeColumn {
	all := []typeColumn{
		{definition: "date", edges: []string{
			"'0000-00-00'", "'2024-00-00'", "'2024-02-00'", "'9999-12-31'",
			"'1000-01-01'", "'0001-01-01'", "'2023-02-31'",
		}, random: randomTime("date")},
		{definition: "year", edges: []string{"0", "1901", "2155"}, random: func(r *rand.Rand) string {
			return strconv.Itoa(1901 + r.IntN(255))
		}},
	}
	for digits := range 7 {
		suffix := ""
		if digits > 0 {
			suffix = fmt.Sprintf("(%d)", digits)
		}
		all = append(all,
			typeColumn{definition: "time" + suffix, edges: []string{
				"'00:00:00'", "'-838:59:59'", "'838:59:59'",
				"'-00:00:00.1'", "'-00:00:01.999999'", "'-25:00:00.000001'",
			}, random: randomTime("time")},
			typeColumn{definition: "datetime" + suffix, edges: []string{
				"'0000-00-00'", "'2024-00-00 10:00:00'",
				"'9999-12-31 23:59:59'", "'2024-02-29 12:34:56.123456'",
			}, random: randomTime("datetime")},
			typeColumn{
				definition: "timestamp" + suffix, stamp: true, edges: []string{
					"'0000-00-00'",
					"'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'2024-02-29 12:34:56.123456'",
				},
				random: randomTime("datetime"),
			})
	}
	return all
}

func jsonEdges(mariadb bool) []string {
	edges := []string{
		`'{}'`, `'[]'`, `'null'`, `'[1, 2.0, 1e20, -0.0, 1e-7, true, false, null, "", 18446744073709551615, ` +
			`-9223372036854775808, 65536, -32769]'`,
		`'{"b": 1, "aa": {"x": [[], {}]}, "a": "\\u0001\\b\\f\\n\\r\\t\\"\\\\/ü😀"}'`, `'1.5'`, `'"text"'`,
		`'[123456789012345678901234567890, 1e15, 1e14, 0.00001, 123456.789e3]'`,
	}
	if mariadb {
		return edges
	}
	return append(edges,
		`JSON_ARRAY(CAST(1.50 AS DECIMAL(10,2)), CAST('-0.05' AS DECIMAL(30,20)), CAST(18446744073709551616 AS `+
			`DECIMAL(20)), DATE'2024-02-29', TIME'-12:34:56.5', TIMESTAMP'2024-02-29 01:02:03.000001', x'cafe00', `+
			`b'101')`,
		`JSON_OBJECT('long', CAST(REPEAT('x', 300) AS BINARY), 'blob', CAST(REPEAT('y', 57) AS BINARY), 'c', `+
			`CAST('y' AS BINARY))`,
		`(SELECT JSON_ARRAYAGG(CONCAT('element ', n)) FROM (WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + `+
			`1 FROM s WHERE n < 900) SELECT REPEAT(n, 40) AS n FROM s) AS q)`,
		`(SELECT JSON_OBJECTAGG(CONCAT('key', n), n) FROM (WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 `+
			`FROM s WHERE n < 900) SELECT REPEAT(n, 40) AS n FROM s) AS q)`)
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
