package keyless

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// column is a column and the literals that writers put into it. NULL is one of them.
type column struct {
	name, definition string
	values           []string
}

// table has no key. Its first column is the number by which writers find rows.
type table struct {
	name    string
	columns []column
	indexes string
	where   string // the rows that move
}

func (x table) create() string {
	parts := make([]string, len(x.columns))
	for i, c := range x.columns {
		parts[i] = c.name + " " + c.definition
	}
	return "CREATE TABLE " + x.name + " (" + strings.Join(parts, ", ") + x.indexes + ") ENGINE=InnoDB"
}

func (x table) row(r *rand.Rand) string {
	values := make([]string, len(x.columns))
	for i, c := range x.columns {
		values[i] = c.value(r)
	}
	return "(" + strings.Join(values, ", ") + ")"
}

func (c column) value(r *rand.Rand) string {
	if c.values[0] != "DEFAULT" && r.IntN(8) == 0 {
		return "NULL"
	}
	return c.values[r.IntN(len(c.values))]
}

func numbers(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(i-n/10))
	}
	return all
}

// alike are texts that collations call equal, and that only bytes tell apart.
var alike = []string{
	"''", "'a'", "'A'", "'a '", "'á'", "'x'", "X'7800'", "'NULL'", "'~'", `'\\'`, `'\''`, "'1:1'",
	"'\\n\\t'",
}

// tables returns what is moved. Across flavors, columns that the other flavor lacks are left out.
func tables(like bool) []table {
	number := column{name: "n", definition: "INT NULL", values: numbers(60)}
	text := column{name: "b", definition: "VARCHAR(20) NULL", values: alike}
	unique := column{name: "u", definition: "INT NULL"}
	for i := range 400 {
		unique.values = append(unique.values, fmt.Sprint(i))
	}
	for range 400 {
		unique.values = append(unique.values, "NULL")
	}
	return []table{
		{name: "plain", columns: []column{number, text}},
		{name: "indexed", columns: []column{number, text}, indexes: ", KEY (b), KEY (n, b)"},
		{name: "uniq", columns: []column{number, text, unique}, indexes: ", UNIQUE KEY (u)"},
		{name: "filtered", columns: []column{number, text}, where: "n < 25"},
		{name: "types", columns: append([]column{number}, types(like)...)},
	}
}

func types(like bool) []column {
	zero := "-0e0"
	if !like { // MariaDB has no negative zero
		zero = "0"
	}
	all := []column{
		{name: "ti", definition: "TINYINT", values: []string{"-128", "0", "127"}},
		{name: "bu", definition: "BIGINT UNSIGNED", values: []string{"0", "18446744073709551615"}},
		{name: "de", definition: "DECIMAL(30,10)", values: []string{"0", "-0.0000000001", "12345678901234567890.1"}},
		{
			name: "fl", definition: "FLOAT", values: []string{"0.1", "16777217", zero, "0", "1e-45", "3.4e38"},
		},
		{name: "do", definition: "DOUBLE", values: []string{
			"0.1", zero, "0", "5e-324", "1.7976931348623157e308",
			"1e15",
		}},
		{name: "bi", definition: "BIT(17)", values: []string{"b'0'", "b'1'", "b'11111111111111111'"}},
		{name: "cl", definition: "CHAR(10) CHARACTER SET latin1", values: []string{"'a'", "'A'", "'€ä'", "''"}},
		{name: "vg", definition: "VARCHAR(10) CHARACTER SET gbk", values: []string{"'中'", "'a'", "'a '"}},
		{name: "vu", definition: "VARCHAR(10) CHARACTER SET utf16", values: []string{"'中'", "'a'", "'A'"}},
		{name: "te", definition: "TEXT CHARACTER SET utf8mb4", values: []string{
			"'😀'", "REPEAT('long ', 300)", "''",
			"'~'",
		}},
		{name: "fb", definition: "BINARY(4)", values: []string{"X'01020000'", "X'00000000'", "'a'"}},
		{name: "vb", definition: "VARBINARY(10)", values: []string{"X'0102'", "X'010200'", "''"}},
		{name: "bl", definition: "BLOB", values: []string{"X'00FF'", "''", "REPEAT(X'00', 2000)"}},
		{name: "en", definition: "ENUM('x', 'X y', 'ä')", values: []string{"'x'", "'X y'", "'ä'"}},
		{name: "se", definition: "SET('a', 'b', 'c')", values: []string{"''", "'a,c'", "'a,b,c'"}},
		{name: "da", definition: "DATE", values: []string{"'1000-01-01'", "'9999-12-31'"}},
		{name: "ts", definition: "TIMESTAMP(6) NULL", values: []string{
			"'1970-01-01 00:00:01'",
			"'2038-01-19 03:14:07.999999'",
		}},
		{name: "dt", definition: "DATETIME(3)", values: []string{"'2026-01-01 00:00:00.001'", "'9999-12-31 23:59:59'"}},
		{name: "tm", definition: "TIME(2)", values: []string{"'-838:59:59'", "'00:00:00.01'", "'838:59:59'"}},
		{name: "ye", definition: "YEAR", values: []string{"1901", "2155", "0"}},
		{name: "ge", definition: "INT GENERATED ALWAYS AS (n + 1) VIRTUAL", values: []string{"DEFAULT"}},
	}
	if like {
		json := []string{`'{"a": 1.0, "b": [1, 2.5, null]}'`, `'[]'`, `'"a"'`, `'"A"'`, `'1e20'`}
		all = append(all, column{name: "js", definition: "JSON", values: json},
			column{name: "pt", definition: "POINT", values: []string{
				"ST_GeomFromText('POINT(1 2)')",
				"ST_GeomFromText('POINT(-0.5 1e10)')",
			}})
	}
	return all
}
