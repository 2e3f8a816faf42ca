package keys

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"

	"wherry/test/internal/lab"
)

// shape is a table with one kind of key. Values of its columns come from a pool, so that keys come back, change into
// one another, and meet keys that only a collation calls equal.
type shape struct {
	table   string
	on      string   // family of the source that knows it; empty: both
	alike   bool     // only for a target of the same family
	columns []string // definitions; besides them every table has `v` INT
	indexes []string
	set     []string                    // names of the columns that are written
	values  func(r *rand.Rand) []string // literals for them
}

// one makes a shape of one key column.
func one(table, kind string, values func(r *rand.Rand) string) shape {
	return shape{
		table: table, columns: []string{"`k` " + kind + " NOT NULL"}, indexes: []string{"PRIMARY KEY (`k`)"},
		set:    []string{"k"},
		values: func(r *rand.Rand) []string { return []string{values(r)} },
	}
}

// among picks one of the literals, and now and then a number within the range.
func among(literals ...string) func(r *rand.Rand) string {
	return func(r *rand.Rand) string { return literals[r.IntN(len(literals))] }
}

// near picks a literal at the limits, or a number between low and high.
func near(low, high int64, limits ...string) func(r *rand.Rand) string {
	return func(r *rand.Rand) string {
		if r.IntN(3) == 0 {
			return limits[r.IntN(len(limits))]
		}
		return fmt.Sprint(low + r.Int64N(high-low+1))
	}
}

func numbers() []shape {
	return []shape{
		one("tiny", "TINYINT", near(-60, 60, "-128", "-1", "0", "1", "127")),
		one("tiny_unsigned", "TINYINT UNSIGNED", near(0, 120, "0", "255", "254")),
		one("small", "SMALLINT", near(-60, 60, "-32768", "32767", "0")),
		one("medium_unsigned", "MEDIUMINT UNSIGNED", near(0, 120, "16777215", "0")),
		one("int", "INT", near(-60, 60, "-2147483648", "2147483647")),
		one("big", "BIGINT", near(-60, 60, "-9223372036854775808", "9223372036854775807", "9007199254740993")),
		one("big_unsigned", "BIGINT UNSIGNED", near(0, 120, "18446744073709551615", "18446744073709551614",
			"9223372036854775808", "9223372036854775807")),
		one("filled", "INT(8) ZEROFILL", near(0, 120, "4294967295")),
		one("gaps", "BIGINT", func(r *rand.Rand) string {
			return fmt.Sprint((r.Int64N(120) - 60) * 70_000_000_000_000_000)
		}),
		one("decimal", "DECIMAL(12,3)", near(-60, 60, "-999999999.999", "0.001", "-0.001", "1.5", "1.501")),
		one("decimal_long", "DECIMAL(65,30)", near(-60, 60, strings.Repeat("9", 35)+"."+strings.Repeat("9", 30),
			"-"+strings.Repeat("9", 35)+"."+strings.Repeat("9", 29)+"8",
			"0.000000000000000000000000000001", "-0.000000000000000000000000000001")),
		one("double", "DOUBLE", func(r *rand.Rand) string {
			return among("-0e0", "0e0", "5e-324", "-5e-324", "1.7976931348623157e308", "0.1e0",
				"1.2345678901234567e-15", "1.2345678901234567e-14",
				fmt.Sprintf("%de-1", r.IntN(120)-60), fmt.Sprintf("%de-20", r.IntN(60)), fmt.Sprintf("1.%016de0",
					r.IntN(60)))(r)
		}),
		one("float", "FLOAT", func(r *rand.Rand) string {
			return among("-0e0", "0e0", "1.4e-45", "3.4028234e38", "0.1e0", "16777216e0", "16777217e0",
				fmt.Sprintf("%de-1", r.IntN(120)-60), fmt.Sprintf("%de20", r.IntN(60)))(r)
		}),
		one("float_digits", "FLOAT(9,3)", near(-60, 60, "0.001", "0.002", "12345.678")),
		one("bit_one", "BIT(1)", among("0", "1")),
		one("bit_odd", "BIT(13)", near(0, 120, "8191", "8190", "4096")),
		one("bit_full", "BIT(64)", near(0, 120, "18446744073709551615", "18446744073709551614", "9223372036854775808")),
		one("year", "YEAR", near(1901, 2020, "0", "2155", "1901", "2000")),
	}
}

func times() []shape {
	day := func(r *rand.Rand) string { return fmt.Sprintf("2024-%02d-%02d", 1+r.IntN(12), 1+r.IntN(9)) }
	quoted := func(values func(r *rand.Rand) string, limits ...string) func(r *rand.Rand) string {
		return func(r *rand.Rand) string {
			if r.IntN(4) == 0 {
				return "'" + limits[r.IntN(len(limits))] + "'"
			}
			return "'" + values(r) + "'"
		}
	}
	return []shape{
		one("date", "DATE", quoted(day, "0000-00-00", "2024-02-31", "2024-00-10", "9999-12-31", "0001-01-01")),
		one("datetime", "DATETIME", quoted(day, "0000-00-00 00:00:00", "2024-02-31 10:00:00", "9999-12-31 23:59:59")),
		one("datetime_micros", "DATETIME(6)", quoted(func(r *rand.Rand) string {
			return fmt.Sprintf("%s 01:02:03.%06d", day(r), r.IntN(3))
		}, "0000-00-00", "9999-12-31 23:59:59.999999")),
		one("timestamp", "TIMESTAMP(3)", quoted(func(r *rand.Rand) string {
			return fmt.Sprintf("%s 02:30:00.%03d", day(r), r.IntN(3))
		},
			"0000-00-00 00:00:00", "1970-01-01 00:00:01", "2038-01-19 03:14:07.999", "2024-03-31 01:30:00",
			"2024-10-27 00:30:00", "2024-10-27 01:30:00")),
		one("time", "TIME(2)", quoted(func(r *rand.Rand) string {
			return fmt.Sprintf("%d:00:00.%02d", r.IntN(120)-60, r.IntN(3))
		}, "-838:59:59", "838:59:59", "-00:00:00.01", "00:00:00")),
	}
}

func labels() []shape {
	var members []string
	for i := range 64 {
		members = append(members, fmt.Sprintf("'m%d'", i))
	}
	full := one("set_full", "SET("+strings.Join(members, ",")+")", near(0, 120, "18446744073709551615",
		"9223372036854775808", "9223372036854775807", "18446744073709551614"))
	pair := func(table, kind string, values func(r *rand.Rand) string) shape {
		return shape{
			table: table, columns: []string{"`n` INT NOT NULL", "`k` " + kind + " NOT NULL"},
			indexes: []string{"PRIMARY KEY (`k`,`n`)"}, set: []string{"k", "n"},
			values: func(r *rand.Rand) []string { return []string{values(r), fmt.Sprint(r.IntN(25) - 12)} },
		}
	}
	return []shape{
		one("enum", "ENUM('zeta','alpha','mid','beta','A','9','1') CHARACTER SET latin1", near(1, 7, "'1'", "'mid'")),
		pair("enum_first", "ENUM('zeta','alpha','mid','beta') CHARACTER SET utf8mb4", near(1, 4, "'zeta'", "'beta'")),
		pair("enum_wide", "ENUM('zeta','alpha','ä','漢') CHARACTER SET utf16", near(1, 4, "1", "3")),
		one("set", "SET('c','b','a','é','1','2') CHARACTER SET latin1 COLLATE latin1_german1_ci",
			near(0, 63, "0", "63")),
		pair("set_first", "SET('c','b','ä','漢') CHARACTER SET utf16", near(0, 15, "0", "15")),
		full,
	}
}

// collations of keys, with the family that has them: of "" both.
var collations = map[string][]string{
	"": {
		"latin1_swedish_ci", "latin1_german2_ci", "latin1_bin", "latin1_general_cs", "utf8mb3_general_ci",
		"utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_bin",
		"utf8mb4_spanish2_ci", "utf8mb4_hungarian_ci", "ucs2_general_ci", "utf16_unicode_ci", "utf16le_general_ci",
		"utf32_general_ci", "gbk_chinese_ci", "sjis_japanese_ci", "big5_chinese_ci",
		"ujis_japanese_ci", "euckr_korean_ci", "tis620_thai_ci", "cp1251_general_cs", "koi8r_general_ci", "cp932_bin",
		"ascii_bin",
	},
	lab.MySQL: {
		"utf8mb4_0900_ai_ci", "utf8mb4_0900_as_cs", "utf8mb4_0900_bin", "utf8mb4_de_pb_0900_ai_ci",
		"utf8mb4_ja_0900_as_cs_ks", "gb18030_chinese_ci",
	},
	lab.MariaDB: {
		"utf8mb4_uca1400_ai_ci", "utf8mb4_uca1400_nopad_as_cs", "latin1_swedish_nopad_ci",
		"utf8mb4_nopad_bin", "utf8mb4_general_nopad_ci", "utf16_unicode_nopad_ci",
	},
}

// words are equal to one another by one collation or the other: by case, accent, spaces at the end, what a letter
// stands for, and pairs of letters that sort as one.
var words = strings.Split("|a|A|á|Á|ä|ae|AE|æ|x|x |x  |X "+
	"|x\t|ss|ß|SS|ẞ|ch|cz|d|ñ|n|lla|lz|dzs|ddzs|и|й|И|漢|汉|か|カ|ｶ|เก|กเ|가|0|10|9|'|\\|\x00|\x01|ÿ|€|ı|i|I|İ|œ|oe|😀|😁",
	"|")

func texts() []shape {
	var all []shape
	for family, names := range collations {
		for _, collation := range names {
			charset, _, _ := strings.Cut(collation, "_")
			values := func(r *rand.Rand) string {
				word := words[r.IntN(len(words))]
				if r.IntN(3) == 0 {
					word += words[r.IntN(len(words))]
				}
				return "CONVERT(_utf8mb4 X'" + hex.EncodeToString([]byte(word)) + "' USING " + charset + ") COLLATE " +
					collation
			}
			for _, kind := range []string{"CHAR", "VARCHAR"} {
				s := one(strings.ToLower(kind)+"_"+collation, kind+"(20) CHARACTER SET "+charset+" COLLATE "+collation,
					values)
				s.on, s.alike = family, family != "" // stand-ins for collations are tested apart
				all = append(all, s)
			}
		}
	}
	return all
}

func binaries() []shape {
	bytes := func(size int) func(r *rand.Rand) string {
		return func(r *rand.Rand) string {
			b := make([]byte, r.IntN(size+1))
			for i := range b {
				b[i] = []byte{0, 0, 1, ' ', 'a', 'A', 0xff, '\\'}[r.IntN(8)]
			}
			return "X'" + hex.EncodeToString(b) + "'"
		}
	}
	seen := rand.New(rand.NewPCG(1, 1))
	var v4, v7 []string
	for i := range 100 {
		v4 = append(v4, fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", seen.Uint32(), seen.Uint32()>>16, seen.Uint32()>>20,
			seen.Uint32()>>20, seen.Uint64()>>16))
		v7 = append(v7, fmt.Sprintf("0190%04x-%04x-7%03x-8%03x-%012x", i/7, i, seen.Uint32()>>20, seen.Uint32()>>20,
			seen.Uint64()>>16))
	}
	packed := func(list []string) func(r *rand.Rand) string {
		return func(r *rand.Rand) string { return "X'" + strings.ReplaceAll(among(list...)(r), "-", "") + "'" }
	}
	quoted := func(list ...string) func(r *rand.Rand) string {
		return func(r *rand.Rand) string { return "'" + among(list...)(r) + "'" }
	}
	all := []shape{
		one("binary_short", "BINARY(4)", bytes(4)), one("varbinary", "VARBINARY(6)", bytes(6)),
		one("uuid_v4_packed", "BINARY(16)", packed(v4)), one("uuid_v7_packed", "BINARY(16)", packed(v7)),
		one("uuid_v4_text", "CHAR(36) CHARACTER SET ascii", quoted(v4...)),
	}
	v1 := []string{
		"d84a1b1e-e562-11f1-b41a-02fc00000001", "123e4567-e89b-12d3-a456-426614174000",
		"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
	}
	for _, s := range []shape{
		one("uuid", "UUID", quoted(append(append(v1, v4[:40]...), v7[:40]...)...)),
		one("inet6", "INET6", func(r *rand.Rand) string {
			return quoted("::", "::1", "::ffff:1.2.3.4", "2001:db8::ff00:42:8329", fmt.Sprintf("fe80::%x",
				r.IntN(60)))(r)
		}),
		one("inet4", "INET4", func(r *rand.Rand) string {
			return quoted("0.0.0.0", "255.255.255.255", fmt.Sprintf("10.0.0.%d", r.IntN(60)))(r)
		}),
	} {
		s.on, s.alike = lab.MariaDB, true
		all = append(all, s)
	}
	return all
}
