package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"wherry/test/internal/lab"
)

const (
	mysqlOnly   = lab.MySQL
	mariadbOnly = lab.MariaDB
)

// kind is a type that a column may have.
type kind struct {
	class string // what the type is: int, text, json, ...
	sql   string // the type, without NULL or NOT NULL
	value func(*rand.Rand) string
	lossy bool // between the families, unless the loss is allowed
}

func sortCollations(all []collation) {
	slices.SortFunc(all, func(a, b collation) int { return cmp.Compare(a.name, b.name) })
}

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

func integer(r *rand.Rand) kind {
	width := pick(r, 0, 1, 2, 3, 3, 4, 4)
	name, bits := []string{"TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT"}[width], []int{8, 16, 24, 32, 64}[width]
	if r.IntN(2) == 0 {
		highest := uint64(math.MaxUint64) >> (64 - bits)
		return kind{class: "int", sql: name + " UNSIGNED", value: func(r *rand.Rand) string {
			if r.IntN(12) == 0 {
				return fmt.Sprint(pick(r, 0, 1, highest, highest-1, highest/2+1))
			}
			return fmt.Sprint(r.Uint64N(min(highest, 3000) + 1))
		}}
	}
	highest := int64(math.MaxInt64) >> (64 - bits)
	return kind{class: "int", sql: name, value: func(r *rand.Rand) string {
		if r.IntN(12) == 0 {
			return fmt.Sprint(pick(r, 0, -1, highest, highest-1, -highest, -highest-1))
		}
		reach := min(highest, 2000)
		return fmt.Sprint(r.Int64N(2*reach+1) - reach)
	}}
}

func decimal(r *rand.Rand) kind {
	shape := pick(r, [2]int{5, 2}, [2]int{10, 0}, [2]int{20, 4}, [2]int{38, 10}, [2]int{65, 30}, [2]int{30, 30})
	whole, scale := shape[0]-shape[1], shape[1]
	return kind{
		class: "decimal", sql: fmt.Sprintf("DECIMAL(%d,%d)", shape[0], scale),
		value: func(r *rand.Rand) string {
			sign := pick(r, "", "-")
			text := fmt.Sprint(r.IntN(900))
			if r.IntN(12) == 0 {
				text = strings.Repeat("9", whole)
			}
			text = text[:min(len(text), whole)]
			if text == "" {
				text = "0"
			}
			if scale > 0 && r.IntN(3) > 0 {
				text += "." + fmt.Sprintf("%0*d", min(scale, 4), r.IntN(1e4))[:min(scale, 4)]
			}
			return sign + text
		},
	}
}

// temporal draws dates and times, zero ones and the ends of the ranges among them.
func temporal(r *rand.Rand) kind {
	digits := pick(r, 0, 0, 3, 6)
	name := pick(r, "DATE", "DATETIME", "DATETIME", "TIMESTAMP", "TIME", "YEAR")
	typed := name
	if digits > 0 && name != "DATE" && name != "YEAR" {
		typed = fmt.Sprintf("%s(%d)", name, digits)
	}
	edges := map[string][]string{
		"DATE":     {"0000-00-00", "2024-00-00", "1000-01-01", "9999-12-31", "0000-01-01"},
		"DATETIME": {"0000-00-00 00:00:00", "2024-02-00 00:00:00", "9999-12-31 23:59:59", "1000-01-01 00:00:00"},
		"TIMESTAMP": {
			"0000-00-00 00:00:00", "1970-01-01 00:00:01", "2038-01-19 03:14:07", "2024-03-31 01:30:00",
			"2024-10-27 00:30:00",
		},
		"TIME": {"00:00:00", "-838:59:59", "838:59:59", "-00:00:01", "24:00:00"},
		"YEAR": {"0000", "1901", "2155"},
	}[name]
	return kind{class: "temporal", sql: typed, value: func(r *rand.Rand) string {
		if r.IntN(10) == 0 {
			return "'" + pick(r, edges...) + "'"
		}
		day, second := r.IntN(400), r.IntN(3600)
		fraction := ""
		if digits > 0 && r.IntN(2) == 0 {
			fraction = fmt.Sprintf(".%06d", r.IntN(1e6))[:digits+1]
		}
		switch name {
		case "DATE":
			return fmt.Sprintf("'2024-01-01' + INTERVAL %d DAY", day)
		case "YEAR":
			return fmt.Sprint(1901 + r.IntN(254))
		case "TIME":
			return fmt.Sprintf("'%s%02d:%02d:%02d%s'", pick(r, "", "-"), r.IntN(800), second/60, second%60, fraction)
		default:
			return fmt.Sprintf("'20%02d-%02d-%02d 12:%02d:%02d%s'", r.IntN(30)+1, 1+r.IntN(12), 1+r.IntN(28), second/60,
				second%60, fraction)
		}
	}}
}

func binary(r *rand.Rand) kind {
	length := pick(r, 1, 4, 16, 16, 40)
	if r.IntN(2) == 0 {
		return kind{class: "binary", sql: fmt.Sprintf("BINARY(%d)", length), value: func(r *rand.Rand) string {
			return fmt.Sprintf("X'%X'", text(r, "binary", length))
		}}
	}
	return kind{class: "binary", sql: fmt.Sprintf("VARBINARY(%d)", length), value: func(r *rand.Rand) string {
		return fmt.Sprintf("X'%X'", text(r, "binary", length))
	}}
}

// uuid draws the three ways in which people keep them.
func uuid(r *rand.Rand) kind {
	format := pick(r, "v4", "v7")
	return kind{class: "binary", sql: "BINARY(16)", value: func(r *rand.Rand) string {
		low := r.Uint64N(1500) * 0x9e3779b97f4a7c15
		if format == "v7" {
			return fmt.Sprintf("X'%012X7%03X%016X'", 0x18e000000000+low%1500, low%4096, low|1<<63)
		}
		return fmt.Sprintf("X'%016X%016X'", low*31, low)
	}}
}

// floating leaves out -0 where the source has it and the target does not: MariaDB stores 0 in its place.
func (d *draw) floating(r *rand.Rand) kind {
	single := r.IntN(2) == 0
	name := "DOUBLE"
	if single {
		name = "FLOAT"
	}
	return kind{class: "float", sql: name, value: func(r *rand.Rand) string {
		if r.IntN(10) == 0 {
			zero := "-0e0"
			if d.crossing() {
				zero = "0e0"
			}
			if single {
				return pick(r, zero, "0", "3.402823466e38", "-3.402823466e38", "1.175494351e-38", "1e-45", "16777217",
					"0.1")
			}
			return pick(r, zero, "0", "1.7976931348623157e308", "-1.7976931348623157e308", "2.2250738585072014e-308",
				"5e-324", "0.1", "1e20")
		}
		return fmt.Sprintf("%de%d", r.IntN(4000)-2000, r.IntN(5)-3)
	}}
}

func bit(r *rand.Rand) kind {
	width := pick(r, 1, 7, 8, 9, 24, 63, 64)
	return kind{class: "bit", sql: fmt.Sprintf("BIT(%d)", width), value: func(r *rand.Rand) string {
		n := r.Uint64N(600)
		if r.IntN(6) == 0 {
			n = math.MaxUint64
		}
		return fmt.Sprintf("b'%b'", n&(math.MaxUint64>>(64-width)))
	}}
}
