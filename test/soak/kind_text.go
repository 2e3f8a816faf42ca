package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// characters draws a CHAR or VARCHAR of a collation that both ends have, unless it may be lossy.
func (d *draw) characters(r *rand.Rand, lossy bool) kind {
	c := d.collation(r, lossy)
	length := pick(r, 1, 4, 10, 20, 40)
	name := pick(r, "CHAR", "VARCHAR", "VARCHAR")
	return kind{
		class: "text", lossy: c.only != "", sql: fmt.Sprintf("%s(%d) CHARACTER SET %s COLLATE %s", name, length,
			c.charset, c.name),
		value: func(r *rand.Rand) string { return literal(c.charset, text(r, c.charset, length)) },
	}
}

// collation draws one that the source has; both ends do, unless it may be lossy.
func (d *draw) collation(r *rand.Rand, lossy bool) collation {
	for {
		c := collations[r.IntN(len(collations))]
		if c.only == "" || c.only == d.from && (d.from == d.to || lossy && c.charset == "utf8mb4") {
			return c
		}
	}
}

func (d *draw) longText(r *rand.Rand) kind {
	c := d.collation(r, d.on("losses"))
	return kind{
		class: "text", lossy: c.only != "", sql: fmt.Sprintf("%s CHARACTER SET %s COLLATE %s",
			pick(r, "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"), c.charset, c.name),
		value: func(r *rand.Rand) string {
			s := text(r, c.charset, 60)
			if r.IntN(40) == 0 && s != "" {
				return fmt.Sprintf("LEFT(REPEAT(%s, 500), 50)", literal(c.charset, s))
			}
			return literal(c.charset, s)
		},
	}
}

func longBytes(r *rand.Rand) kind {
	name := pick(r, "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB")
	return kind{class: "binary", sql: name, value: func(r *rand.Rand) string {
		s := fmt.Sprintf("X'%X'", text(r, "binary", 200))
		if r.IntN(40) == 0 && name != "TINYBLOB" {
			return fmt.Sprintf("REPEAT(%s, %d)", s, 1+r.IntN(200))
		}
		return s
	}}
}

func labels(r *rand.Rand) []string {
	all := []string{"a", "B", "it''s", "x y", "ü", "0", "longer label", "NULL", "c", "d", "e", "f"}
	return all[:2+r.IntN(len(all)-1)]
}

func enumeration(r *rand.Rand) kind {
	of := labels(r)
	return kind{class: "enum", sql: "ENUM('" + strings.Join(of, "','") + "') CHARACTER SET utf8mb4 COLLATE " + pick(r,
		"utf8mb4_bin", "utf8mb4_general_ci"), value: func(r *rand.Rand) string {
		if r.IntN(3) == 0 {
			return fmt.Sprint(1 + r.IntN(len(of)))
		}
		return "'" + pick(r, of...) + "'"
	}}
}

func set(r *rand.Rand) kind {
	of := labels(r)
	if r.IntN(3) == 0 {
		of = of[:2]
		for n := 2; n < 64; n++ {
			of = append(of, fmt.Sprint("m", n))
		}
	}
	return kind{
		class: "set", sql: "SET('" + strings.Join(of, "','") + "') CHARACTER SET latin1",
		value: func(r *rand.Rand) string {
			var chosen []string
			for range r.IntN(4) {
				chosen = append(chosen, pick(r, of...))
			}
			return "'" + strings.Join(chosen, ",") + "'"
		},
	}
}

func json(r *rand.Rand) kind {
	return kind{class: "json", sql: "JSON", lossy: true, value: func(r *rand.Rand) string {
		return pick(r,
			`'null'`, `'{}'`, `'[]'`, `'""'`, `'true'`, `'1'`, `'1.0'`, `'-0.0'`, `'1e20'`, `'18446744073709551615'`,
			`'-9223372036854775808'`,
			fmt.Sprintf(`'{"a": %d, "b": [%d.0, "x\\"y", null, {"c": %g}]}'`, r.IntN(100), r.IntN(9), r.Float64()),
			`'{"k": "é😀中", "": [[[[]]]], "z": 1.5}'`,
			fmt.Sprintf(`'[%s"end"]'`, strings.Repeat(fmt.Sprintf(`"item %d", `, r.IntN(100)), r.IntN(30))),
			`CONCAT('{"long": "', REPEAT('ab', 300), '"}')`)
	}}
}

func geometry(r *rand.Rand) kind {
	shape := pick(r, "POINT", "GEOMETRY", "GEOMETRY")
	return kind{class: "geometry", sql: shape, value: func(r *rand.Rand) string {
		wkt := fmt.Sprintf("POINT(%d %d.5)", r.IntN(90), r.IntN(90))
		if shape == "GEOMETRY" {
			wkt = pick(r, wkt, "LINESTRING(0 0, 1 1, 2 -2)", "POLYGON((0 0, 0 3, 3 3, 0 0))",
				"GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1))")
		}
		return fmt.Sprintf("ST_GeomFromText('%s', %d)", wkt, pick(r, 0, 0, 3857))
	}}
}

// mariadbType draws a type that only MariaDB has.
func mariadbType(r *rand.Rand) kind {
	switch r.IntN(3) {
	case 0:
		return kind{class: "network", sql: "UUID", lossy: true, value: func(r *rand.Rand) string {
			return fmt.Sprintf("'%08x-1234-%04x-8000-%012x'", r.IntN(3), r.IntN(2), r.IntN(1000))
		}}
	case 1:
		return kind{class: "network", sql: "INET6", lossy: true, value: func(r *rand.Rand) string {
			return fmt.Sprintf("'%x::%x'", r.IntN(3), 1+r.IntN(1000))
		}}
	default:
		return kind{class: "network", sql: "INET4", lossy: true, value: func(r *rand.Rand) string {
			return fmt.Sprintf("'10.0.%d.%d'", r.IntN(4), r.IntN(256))
		}}
	}
}
