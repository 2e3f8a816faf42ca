package codec_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db/canon"
	"wherry/pkg/db/postgres/codec"
	"wherry/pkg/schema"
)

// pair is a type of the source and one of the target, with values: what PostgreSQL must show for each, and those that
// it cannot hold.
type pair struct {
	value   schema.Type
	column  schema.Type
	shown   map[string]string // canonical bytes -> text of PostgreSQL
	refused []string
}

func column(name, text string) schema.Type { return schema.Type{Name: name, Text: text} }

func scaled(name, text string, scale int) schema.Type {
	return schema.Type{Name: name, Text: text, Scale: scale}
}

// same are values that are shown as they are.
func same(values ...string) map[string]string {
	shown := map[string]string{}
	for _, v := range values {
		shown[v] = v
	}
	return shown
}

func numbers() []pair {
	integer := func(size int) schema.Type { return schema.Type{Kind: schema.Integer, Size: size} }
	return []pair{
		{integer(2), column("smallint", "smallint"), same("0", "-1", "32767", "-32768"), []string{
			"32768", "-32769",
			"",
		}},
		{
			integer(4), column("integer", "integer"), same("0", "-1", "2147483647", "-2147483648"),
			[]string{"2147483648"},
		},
		{
			integer(8), column("bigint", "bigint"), same("0", "9223372036854775807", "-9223372036854775808"),
			[]string{"9223372036854775808", "18446744073709551615"},
		},
		{integer(8), column("numeric", "numeric"), same(
			"0", "1", "-1", "10", "9999", "10000", "10001", "100000000", "18446744073709551615", "-9223372036854775808",
		), []string{"x", "--1"}},
		{integer(1), column("boolean", "boolean"), map[string]string{"0": "false", "1": "true"}, []string{
			"2", "-1",
			"10",
		}},
		{integer(4), column("text", "text"), same("0", "-17"), nil},
		{schema.Type{Kind: schema.Year}, column("smallint", "smallint"), map[string]string{
			"0000": "0", "1901": "1901", "2155": "2155",
		}, nil},
		{schema.Type{Kind: schema.Decimal, Precision: 65, Scale: 30}, column("numeric", "numeric"), same(
			"0.000000000000000000000000000000", "-0.000000000000000000000000000001",
			"99999999999999999999999999999999999.999999999999999999999999999999", "1.100000000000000000000000000000",
			"-10000.000100000000000000000000000000", "10000000.000000000000000000000000000000",
		), []string{"1.2.3"}},
		{
			schema.Type{Kind: schema.Decimal, Precision: 5, Scale: 1},
			column("numeric", "numeric"),
			same("0.0", "-0.1", "9999.9", "-9999.9", "12.3", "1000.0"), nil,
		},
		{
			schema.Type{Kind: schema.Decimal, Precision: 20},
			column("bigint", "bigint"), same("0", "-12"),
			[]string{"9223372036854775808"},
		},
		{schema.Type{Kind: schema.Float}, column("real", "real"), map[string]string{
			"0": "0", "-0": "-0", "1.5": "1.5", "0.10000000149011612": "0.1", "3.4028234663852886e38": "3.4028235e+38",
			"1.401298464324817e-45": "1e-45",
		}, []string{"0.1", "1e39"}},
		{
			schema.Type{Kind: schema.Float},
			column("double precision", "double precision"), same("0.10000000149011612"),
			nil,
		},
		{schema.Type{Kind: schema.Double}, column("double precision", "double precision"), map[string]string{
			"0": "0", "-0": "-0", "0.1": "0.1", "1.7976931348623157e308": "1.7976931348623157e+308",
			"5e-324": "5e-324", "1e15": "1e+15", "100000000000000": "100000000000000",
		}, []string{"1e400"}},
	}
}

func bits() []pair {
	bit := func(n int) schema.Type { return schema.Type{Kind: schema.Bit, Size: n} }
	target := func(name, text string, n int) schema.Type { return schema.Type{Name: name, Text: text, Size: n} }
	return []pair{
		{bit(1), column("boolean", "boolean"), map[string]string{"\x00": "false", "\x01": "true"}, []string{
			"\x02",
			"",
		}},
		{bit(1), target("bit", "bit(1)", 1), map[string]string{"\x00": "0", "\x01": "1"}, []string{"\x02"}},
		{bit(10), target("bit", "bit(10)", 10), map[string]string{
			"\x00\x00": "0000000000", "\x02\x01": "1000000001", "\x03\xff": "1111111111",
		}, []string{"\x04\x00", "\x01"}},
		{bit(8), target("varbit", "bit varying(8)", 8), map[string]string{"\x81": "10000001"}, nil},
		{bit(64), target("bit", "bit(64)", 64), map[string]string{
			"\x80\x00\x00\x00\x00\x00\x00\x01": "1" + strings.Repeat("0", 62) + "1",
		}, nil},
		{bit(10), column("integer", "integer"), map[string]string{"\x02\x01": "513", "\x00\x00": "0"}, nil},
		{bit(64), column("bigint", "bigint"), map[string]string{
			"\x7f\xff\xff\xff\xff\xff\xff\xff": "9223372036854775807",
		}, []string{"\x80\x00\x00\x00\x00\x00\x00\x00"}},
		{bit(10), column("bytea", "bytea"), map[string]string{"\x02\x01": `\x0201`}, nil},
	}
}

func moments() []pair {
	at := func(kind schema.Kind, scale int) schema.Type { return schema.Type{Kind: kind, Scale: scale} }
	zone := map[string]string{}
	for v, text := range map[string]string{
		"1970-01-01 00:00:01.000000": "1970-01-01 00:00:01+00",
		"2038-01-19 03:14:07.999999": "2038-01-19 03:14:07.999999+00",
		"1999-12-31 23:59:59.500000": "1999-12-31 23:59:59.5+00",
	} {
		zone[v] = text
	}
	return []pair{
		{
			at(schema.Date, 0), column("date", "date"), same("0001-01-01", "1582-10-10", "1900-03-01", "2000-02-29",
				"2000-01-01", "1999-12-31", "2024-12-31", "9999-12-31"),
			[]string{"0000-00-00", "2024-00-10", "2024-02-31", "1900-02-29", "0000-01-01", "2024-13-01", "2024-1-1"},
		},
		{at(schema.Datetime, 6), scaled("timestamp", "timestamp without time zone", 6), map[string]string{
			"0001-01-01 00:00:00.000000": "0001-01-01 00:00:00",
			"1000-01-01 00:00:00.000001": "1000-01-01 00:00:00.000001",
			"9999-12-31 23:59:59.999999": "9999-12-31 23:59:59.999999",
			"2000-01-01 00:00:00.000000": "2000-01-01 00:00:00",
			"1999-12-31 23:59:59.999999": "1999-12-31 23:59:59.999999",
			"2024-02-29 12:00:00.100000": "2024-02-29 12:00:00.1",
		}, []string{"0000-00-00 00:00:00.000000", "2024-01-00 00:00:00.000000", "2024-01-01 24:00:00.000000"}},
		{
			at(schema.Datetime, 0), scaled("timestamp", "timestamp(0) without time zone", 0),
			same("2024-05-06 07:08:09"),
			nil,
		},
		{at(schema.Datetime, 3), scaled("timestamp", "timestamp(3) without time zone", 3), map[string]string{
			"2024-05-06 07:08:09.120": "2024-05-06 07:08:09.12", "1969-12-31 23:59:59.999": "1969-12-31 23:59:59.999",
		}, nil},
		{
			at(schema.Timestamp, 6), scaled("timestamptz", "timestamp with time zone", 6), zone,
			[]string{"0000-00-00 00:00:00.000000"},
		},
		{
			at(schema.Time, 2), scaled("time", "time(2) without time zone", 2),
			map[string]string{
				"00:00:00.00": "00:00:00", "23:59:59.99": "23:59:59.99", "24:00:00.00": "24:00:00",
			},
			[]string{"-00:00:01.00", "24:00:00.01", "838:59:59.00"},
		},
		{at(schema.Time, 0), column("interval", "interval"), map[string]string{
			"00:00:00": "00:00:00", "-00:00:01": "-00:00:01", "838:59:59": "838:59:59", "-838:59:59": "-838:59:59",
			"100:00:00": "100:00:00",
		}, nil},
		{at(schema.Time, 6), column("interval", "interval"), map[string]string{
			"-01:02:03.000004": "-01:02:03.000004",
		}, nil},
		{at(schema.Time, 0), column("text", "text"), same("-838:59:59"), nil},
	}
}

func texts() []pair {
	const uuid = "00112233-4455-6677-8899-aabbccddeeff"
	utf8 := schema.Type{Kind: schema.Varchar, Size: 20, Charset: "utf8mb4"}
	long := schema.Type{Kind: schema.Text, Size: 4, Charset: "utf8mb4"}
	words := same("", " ", "a ", "žluťoučký 🐎", "\t\n\\'\"", "NULL", strings.Repeat("x", 20))
	return []pair{
		{
			utf8,
			schema.Type{Kind: schema.Varchar, Name: "varchar", Size: 20, Text: "character varying(20)"},
			words,
			[]string{"x\x00", "\xff", "\xed\xa0\x80"},
		},
		{
			utf8,
			schema.Type{Kind: schema.Varchar, Name: "varchar", Size: 3, Text: "character varying(3)"},
			same("abc", "🐎🐎🐎"),
			[]string{"abc ", "abcd"},
		},
		{utf8, column("text", "text"), words, nil},
		{long, column("text", "text"), same(strings.Repeat("long ", 30000)), nil},
		{schema.Type{Kind: schema.Enum, Charset: "utf8mb4"}, column("text", "text"), same("", "a,b", "ž"), nil},
		{schema.Type{Kind: schema.Set, Charset: "utf8mb4"}, column("text", "text"), same("", "a,b"), nil},
		{schema.Type{Kind: schema.Set, Charset: "utf8mb4"}, column("text[]", "text[]"), map[string]string{
			"": "{}", "a": "{a}", "a,b c,ž": `{a,"b c",ž}`, `q"\`: `{"q\"\\"}`, "NULL,{": `{"NULL","{"}`,
		}, []string{"\xff"}},
		{schema.Type{Kind: schema.Varbinary, Size: 20}, column("bytea", "bytea"), map[string]string{
			"": `\x`, "\x00\xff\\": `\x00ff5c`,
		}, nil},
		{
			schema.Type{Kind: schema.Varchar, Charset: "latin1"},
			column("bytea", "bytea"),
			map[string]string{"\xe9": `\xe9`},
			nil,
		},
		{
			schema.Type{Kind: schema.Binary, Size: 16},
			column("uuid", "uuid"),
			map[string]string{
				"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff": uuid,
			},
			[]string{"short"},
		},
		{
			schema.Type{Kind: schema.UUID},
			column("uuid", "uuid"), same(uuid),
			[]string{
				"00112233-4455-6677-8899-AABBCCDDEEFF", "00112233445566778899aabbccddeeff",
				"g0112233-4455-6677-8899-aabbccddeeff",
			},
		},
		{schema.Type{Kind: schema.UUID}, column("text", "text"), same(uuid), nil},
		{
			schema.Type{Kind: schema.INET4},
			column("inet", "inet"),
			map[string]string{"1.2.3.4": "1.2.3.4/32"},
			[]string{"::1"},
		},
		{schema.Type{Kind: schema.INET6}, column("inet", "inet"), map[string]string{
			"::": "::/128", "::1": "::1/128", "::ffff:1.2.3.4": "::ffff:1.2.3.4/128",
			"1::1:0:1:0:1:0": "1:0:1:0:1:0:1:0/128",
		}, []string{"1.2.3.4", "x"}},
	}
}

func documents() []pair {
	json, vector := schema.Type{Kind: schema.JSON}, "\x00\x00\x80\x3f\x00\x00\x00\xc0"
	point := "\x01\x01\x00\x00\x00" + strings.Repeat("\x00\x00\x00\x00\x00\x00\xf0\x3f", 2)
	return []pair{
		{
			json, column("jsonb", "jsonb"), same(`{}`, `{"a": [1, 2.50, -3], "bb": "x\"\\u0000\u0001ž"}`, `null`,
				`"🐎"`, `1.0`),
			[]string{`"\u0000"`, `"\\\u0000"`},
		},
		{json, column("json", "json"), same(`{"b":1,  "a":2}`, `"\u0000"`), nil},
		{schema.Type{Kind: schema.Vector}, column("real[]", "real[]"), map[string]string{
			vector: "{1,-2}", "": "{}", "\x01\x00\x00\x00": "{1e-45}",
		}, []string{"abc", "\x00\x00\xc0\x7f"}},
		{schema.Type{Kind: schema.Geometry}, column("bytea", "bytea"), map[string]string{"\x00": `\x00`}, nil},
		{schema.Type{Kind: schema.Geometry}, column("geometry", "public.geometry"), map[string]string{
			"\x00\x00\x00\x00" + point: "", "\xe6\x10\x00\x00" + point: "",
		}, []string{"short", "\x00\x00\x00\x00\x00" + point}},
	}
}

func pairs() (all []pair) {
	for _, some := range [][]pair{numbers(), bits(), moments(), texts(), documents()} {
		all = append(all, some...)
	}
	return all
}

// TestCodecs takes every value there and back, and refuses those that the column cannot hold.
func TestCodecs(t *testing.T) {
	for _, p := range pairs() {
		c, err := codec.New(&p.value, &p.column)
		require.NoError(t, err, "%+v to %s", p.value, p.column.Name)
		for v := range p.shown {
			back, err := there(&c, []byte(v))
			require.NoError(t, err, "%q to %s", v, p.column.Name)
			assert.Equal(t, v, string(back), "%+v to %s", p.value, p.column.Name)
		}
		for _, v := range p.refused {
			_, err := c.AppendField(nil, []byte(v))
			var refused *codec.ValueError
			require.ErrorAs(t, err, &refused, "%q to %s", v, p.column.Name)
		}
		null, err := c.AppendField(nil, nil)
		require.NoError(t, err)
		assert.Equal(t, "\xff\xff\xff\xff", string(null))
	}
}

func there(c *codec.Codec, v []byte) ([]byte, error) {
	field, err := c.AppendField([]byte("before"), v)
	if err != nil {
		return nil, err
	}
	field = field[len("before")+4:]
	if c.Decode == nil {
		return field, nil
	}
	return c.Decode(nil, field)
}

// TestRandom takes random numbers and moments there and back.
func TestRandom(t *testing.T) {
	number := func(value, column schema.Type) *codec.Codec {
		c, err := codec.New(&value, &column)
		require.NoError(t, err)
		return &c
	}
	decimal := number(schema.Type{Kind: schema.Decimal, Precision: 65, Scale: 30}, column("numeric", "numeric"))
	double := number(schema.Type{Kind: schema.Double}, column("double precision", "double precision"))
	day := number(schema.Type{Kind: schema.Date}, column("date", "date"))
	instant := number(schema.Type{Kind: schema.Datetime, Scale: 6}, scaled("timestamp", "timestamp", 6))
	for range 20000 {
		whole, fraction := digits(35), digits(30)
		whole = strings.TrimLeft(whole[rand.IntN(36):], "0")
		at := time.Unix(rand.Int64N(300_000_000_000)-62135596800, rand.Int64N(1e9)).UTC()
		if at.Year() > 9999 {
			at = at.AddDate(-1000, 0, 0)
		}
		for text, c := range map[string]*codec.Codec{
			whole + zero(whole) + "." + fraction:                    decimal,
			string(canon.AppendDouble(nil, rand.NormFloat64()*1e9)): double,
			at.Format("2006-01-02"):                                 day,
			at.Format("2006-01-02 15:04:05.000000"):                 instant,
		} {
			back, err := there(c, []byte(text))
			require.NoError(t, err, text)
			require.Equal(t, text, string(back))
		}
	}
}

func zero(whole string) string {
	if whole == "" {
		return "0"
	}
	return ""
}

func digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + rand.IntN(10)*rand.IntN(2))
	}
	return string(b)
}

// TestNoAllocation: values of the load path are written into room that is there.
func TestNoAllocation(t *testing.T) {
	room := make([]byte, 0, 1<<20)
	for _, p := range pairs() {
		c, err := codec.New(&p.value, &p.column)
		require.NoError(t, err)
		for v := range p.shown {
			value := []byte(v)
			var field []byte
			allocs := testing.AllocsPerRun(10, func() { field, _ = c.AppendField(room[:0], value) })
			assert.Zero(t, allocs, "%q to %s", v[:min(len(v), 40)], p.column.Name)
			if c.Decode == nil {
				continue
			}
			field = append([]byte{}, field[4:]...)
			allocs = testing.AllocsPerRun(10, func() { _, _ = c.Decode(room[:0], field) })
			assert.Zero(t, allocs, "%q from %s", v[:min(len(v), 40)], p.column.Name)
		}
	}
}

// TestServer asks PostgreSQL how it shows every value, as a field and as an element of an array, and reads it back.
func TestServer(t *testing.T) {
	conn := connect(t)
	for _, p := range pairs() {
		if p.column.Name == "geometry" { // without PostGIS
			continue
		}
		c, err := codec.New(&p.value, &p.column)
		require.NoError(t, err)
		for v, shown := range p.shown {
			field, err := c.AppendField(nil, []byte(v))
			require.NoError(t, err)
			element, err := c.AppendElement(codec.AppendArray(nil, c.OID, 1), []byte(v))
			require.NoError(t, err)
			cast := "::" + p.column.Text
			res := conn.ExecParams(t.Context(), "SELECT x::text, x, u"+cast+"::text FROM (SELECT $1"+cast+
				" AS x) AS x, unnest($2::"+arrayName(&c)+") AS u", [][]byte{field[4:], element},
				[]uint32{0, c.Array()}, []int16{1, 1}, []int16{0, 1, 0}).Read()
			require.NoError(t, res.Err, "%q to %s", v, p.column.Name)
			row := res.Rows[0]
			assert.Equal(t, shown, string(row[0]), "%q in %s", v, p.column.Name)
			assert.Equal(t, shown, string(row[2]), "%q in %s by an array", v, p.column.Name)
			back := row[1]
			if c.Decode != nil {
				back, err = c.Decode(nil, row[1])
				require.NoError(t, err)
			}
			assert.Equal(t, v, string(back), "from %s", p.column.Name)
		}
	}
}

// TestNumericForm asks PostgreSQL how it prints documents.
func TestNumericForm(t *testing.T) {
	conn := connect(t)
	for _, text := range []string{
		`0`, `-0`, `-0.0`, `1.50`, `1e3`, `1.5e3`, `1.5E-3`, `1e+2`, `15e-1`, `1.50e1`, `0e5`, `0.0e-2`, `1e-7`,
		`-1e20`,
		`12345678901234567890123`, `1.7976931348623157e308`, `5e-324`,
		`{"bb":1, "a":[1.10,2e1],"a":{"c":"\u00e9\/\u0001"}}`,
		`{"é":1,"zz":2,"b":3,"":4}`, `"\b\f\n\r\t\"\\\u007f"`,
	} {
		res := conn.ExecParams(t.Context(), "SELECT $1::jsonb::text", [][]byte{[]byte(text)}, []uint32{25}, nil,
			nil).Read()
		require.NoError(t, res.Err, text)
		assert.Equal(t, string(res.Rows[0][0]), string(canon.AppendNumericForm(nil, []byte(text))), text)
	}
}

func arrayName(c *codec.Codec) string {
	return map[uint32]string{
		16: "bool", 17: "bytea", 20: "int8", 21: "int2", 23: "int4", 25: "text", 114: "json", 700: "float4",
		701: "float8",
		869: "inet", 1082: "date", 1083: "time", 1114: "timestamp", 1184: "timestamptz", 1186: "interval", 1560: "bit",
		1562: "varbit", 1700: "numeric", 2950: "uuid", 3802: "jsonb",
	}[c.OID] + "[]"
}

func connect(t *testing.T) *pgconn.PgConn {
	t.Helper()
	for _, entry := range strings.Fields(os.Getenv("WHERRY_TEST_SERVERS")) {
		name, address, _ := strings.Cut(entry, "=")
		if name != "postgres-1" {
			continue
		}
		conn, err := pgconn.Connect(t.Context(), address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close(t.Context()) })
		_, err = conn.Exec(t.Context(),
			"SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET DateStyle = 'ISO'").ReadAll()
		require.NoError(t, err)
		return conn
	}
	if required, _ := strconv.ParseBool(os.Getenv("WHERRY_REQUIRE_SERVERS")); required {
		t.Fatal("no postgres-1 in WHERRY_TEST_SERVERS, and WHERRY_REQUIRE_SERVERS=1")
	}
	t.Skip("SKIPPED WITHOUT SERVERS: set WHERRY_TEST_SERVERS, see scripts/servers.sh")
	return nil
}
