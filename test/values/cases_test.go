package values

import (
	"fmt"
	"strings"
)

func numbers() []table {
	bits := table{name: "bits"}
	for n := 1; n <= 64; n++ {
		bits.columns = append(bits.columns, fmt.Sprintf("b%d BIT(%d) NULL", n, n))
	}
	for _, value := range []string{"0", "1", "all", "top", "NULL"} {
		var row []string
		for n := 1; n <= 64; n++ {
			digits := map[string]string{"all": strings.Repeat("1", n), "top": "1" + strings.Repeat("0", n-1)}[value]
			if digits != "" {
				row = append(row, "b'"+digits+"'")
			} else {
				row = append(row, value)
			}
		}
		bits.rows = append(bits.rows, strings.Join(row, ","))
	}
	nines := strings.Repeat("9", 35) + "." + strings.Repeat("9", 30)
	return []table{
		bits,
		{
			name: "integers",
			columns: []string{
				"a TINYINT", "b TINYINT UNSIGNED", "c SMALLINT", "d SMALLINT UNSIGNED", "e MEDIUMINT",
				"f MEDIUMINT UNSIGNED", "g INT", "h INT UNSIGNED",
				"i BIGINT", "j BIGINT UNSIGNED", "k INT(8) ZEROFILL", "l BOOLEAN",
			},
			rows: []string{
				"-128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, 0, false",
				"127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, " +
					"18446744073709551615, 4294967295, true",
				"-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, 1, NULL",
				"NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
			},
		},
		{
			name: "decimals", columns: []string{
				"a DECIMAL(65,30)", "b DECIMAL(65,0)", "c DECIMAL(30,30)",
				"d DECIMAL(1,0)", "e DECIMAL(9,4) UNSIGNED",
			},
			rows: []string{
				nines + "," + strings.Repeat("9", 65) + ", 0." + strings.Repeat("9", 30) + ", 9, 99999.9999",
				"-" + nines + ", -" + strings.Repeat("9", 65) + ", -0." + strings.Repeat("9", 30) + ", -9, 0",
				"0.000000000000000000000000000001, 1, -0.000000000000000000000000000001, 0, 0.0001", "0, 0, 0, 0, 0",
				"-0.0, -0.0, -0.0, -0.0, 0.0",
				"NULL, NULL, NULL, NULL, NULL",
			},
		},
		{
			name: "reals", columns: []string{"a FLOAT", "b DOUBLE", "c DOUBLE(20,5)", "d FLOAT(9,3)"},
			rows: []string{
				"3.402823466e38, 1.7976931348623157e308, 123456789012345.12345, 123456.789",
				"-3.402823466e38, -1.7976931348623157e308, -0.00001, -0.001",
				"1.175494351e-38, 2.2250738585072014e-308, 0, 0", "1.401298464e-45, 4.9406564584124654e-324, 1e14, 1e5",
				"-1.401298464e-45, -4.9406564584124654e-324, 1, 1",
				"-0e0, -0e0, -0e0, -0e0", "0.1, 0.1, 0.1, 0.1",
				"16777217, 9007199254740993, 900719925474.0993, 16777.217", "1e15, 1e15, 1e14, 1", "1e-15, 1e-15, 1, 1",
				"-5.522340143358133e-15, -2.6485511381413165e-21, 1, 1",
				"0.3333333333333333, 0.30000000000000004, 1, 1", "NULL, NULL, NULL, NULL",
			},
		},
	}
}

// texts are characters in every sort of character set, and bytes.
func texts() []table {
	odd := []string{
		"''", "' '", "'a '", "' a'", "'a\\0b'", `'\\'`, `'\\N'`, `'\\\\n'`, "'''\"`'", `'\t\n\r\Z\b'`, "'NULL'",
		"'null'", "'\\'\\\\'", "'a,b;c'", "NULL",
	}
	special := table{name: "specials", columns: []string{
		"a CHAR(20)", "b VARCHAR(20)", "c TEXT", "d VARBINARY(20)",
		"e BLOB", "f LONGTEXT",
	}}
	for _, v := range odd {
		special.rows = append(special.rows, strings.Join([]string{v, v, v, v, v, v}, ", "))
	}
	high := table{name: "latin1", columns: []string{
		"a CHAR(1) CHARACTER SET latin1",
		"b VARCHAR(4) CHARACTER SET latin1", "c TEXT CHARACTER SET latin1 COLLATE latin1_bin",
	}}
	for b := range 256 {
		high.rows = append(high.rows, fmt.Sprintf("x'%02x', x'%02x%02x', x'20%02x'", b, b, b, b))
	}
	return []table{
		special, high,
		{
			name: "unicode", columns: []string{
				"a VARCHAR(20) CHARACTER SET utf8mb4", "b VARCHAR(20) CHARACTER SET utf8mb3",
				"c CHAR(20) CHARACTER SET utf16", "d TEXT CHARACTER SET utf32",
				"e VARCHAR(20) CHARACTER SET ucs2", "f VARCHAR(20) CHARACTER SET utf16le",
			},
			rows: []string{
				"'😀👩‍👩‍👧', 'žluť', '😀a', '𠀀', '漢字', '😀'", "'', '', '', '', '', ''",
				"'\\\\', '\\\\', '\\\\', '\\\\', '\\\\', '\\\\'", "'a ', 'a ', 'a ', 'a ', 'a ', 'a '",
				"_utf8mb4 x'f48fbfbf', _utf8mb3 x'efbfbf', _utf16 x'dbffdfff', _utf32 x'0010ffff', _ucs2 x'd800', " +
					"_utf16le x'ffdbffdf'", "x'00', x'00', x'0000', x'00000000', x'005c', x'5c00'",
				"NULL, NULL, NULL, NULL, NULL, NULL",
			},
		},
		{
			name: "asian", columns: []string{ // 0x5c as a second byte, and codes that stand for nothing
				"a VARCHAR(20) CHARACTER SET gbk", "b VARCHAR(20) CHARACTER SET sjis",
				"c VARCHAR(20) CHARACTER SET big5", "d VARCHAR(20) CHARACTER SET cp932",
				"e VARCHAR(20) CHARACTER SET eucjpms", "f VARCHAR(20) CHARACTER SET euckr",
				"g VARCHAR(20) CHARACTER SET gb2312",
			},
			rows: []string{
				"x'815c', x'835c', x'a55c', x'835c', x'8ea1', x'b0a1', x'b0a1'",
				"x'bf5c27', x'955c27', x'b35c27', x'955c27', x'a1c0', x'a1a1', x'a1a1'",
				"x'815c5c', x'815f5c', x'a55c5c', x'815f5c', x'5c', x'5c', x'5c'",
				"x'fefe', x'8540', x'c6a1', x'8740', x'8fa2af', x'c8fe', x'f7fe'",
				"'文字', '表示', '功能', '能力', '構成', '가나', '中文'", "NULL, NULL, NULL, NULL, NULL, NULL, NULL",
			},
		},
		{
			name: "binaries", columns: []string{
				"a BINARY(4)", "b VARBINARY(4)", "c BLOB", "d BINARY(255)",
				"e CHAR(3) CHARACTER SET binary", "f LONGBLOB",
			},
			rows: []string{
				"x'00000000', x'00000000', x'00000000', '', '', ''",
				"x'41000000', x'41000000', x'41', x'00', x'00', x'00'",
				"x'', x'', x'', REPEAT(x'00', 255), x'000000', REPEAT(x'5c00', 300000)",
				"x'20202020', x'2020', x'2000', REPEAT(x'ff', 255), x'ffffff', REPEAT(x'27', 300000)",
				"x'000000ff', x'ff', x'5c4e', REPEAT(' ', 255), '   ', x'5c4e'", "NULL, NULL, NULL, NULL, NULL, NULL",
			},
		},
	}
}

func times() []table {
	stamps := table{name: "timestamps", columns: []string{
		"a TIMESTAMP NULL", "b TIMESTAMP(6) NULL",
		"c DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP",
	}}
	for _, second := range []string{
		// 2024's changes of clocks in Europe
		"1", "86399", "2147483647", "1711846799", "1711846800", "1711846801", "1729990800", "1729987200", "1729994399",
		"1710057600", "1710054000", "1730610000", "1730613600", // and in America
	} {
		stamps.rows = append(stamps.rows, fmt.Sprintf("FROM_UNIXTIME(%s), FROM_UNIXTIME(%s.000001), '2024-03-31 "+
			"02:30:00'", second, strings.Replace(second, "2147483647", "2147483646", 1)))
	}
	stamps.rows = append(stamps.rows, "'0000-00-00', '0000-00-00', '0000-00-00'", "NULL, NULL, NULL")
	zoned := stamps
	zoned.name, zoned.session = "timestamps_zoned", "SET time_zone = '-03:30'"
	return []table{
		stamps, zoned,
		{
			name: "dates", columns: []string{"a DATE", "b DATETIME", "c DATETIME(6)", "d YEAR", "e DATETIME(3)"},
			rows: []string{
				"'0000-00-00', '0000-00-00', '0000-00-00', 0, '0000-00-00'",
				"'2024-00-00', '2024-00-00', '2024-00-00 01:02:03.000001', 1901, '2024-00-00'",
				"'2024-02-00', '2024-02-00 23:59:59', '2024-02-00', 2155, '2024-02-00'",
				"'0000-01-01', '0000-01-01', '0000-12-31 23:59:59.999999', 2000, '0000-01-01'",
				"'9999-12-31', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999999', 1999, '9999-12-31 23:59:59.999'",
				"'2023-02-31', '2023-04-31', '2023-02-30', 2024, '2023-02-31'",
				"'1582-10-10', '1582-10-10', '0001-01-01', 1970, '1000-01-01'", "NULL, NULL, NULL, NULL, NULL",
			},
		},
		{
			name: "durations", columns: []string{"a TIME", "b TIME(6)", "c TIME(1)"},
			rows: []string{
				"'-838:59:59', '-838:59:58.999999', '-838:59:58.9'", "'838:59:59', '838:59:58.999999', '838:59:58.9'",
				"'-00:00:01', '-00:00:00.000001', '-00:00:00.1'",
				"'00:00:00', '00:00:00', '00:00:00'", "'25:00:00', '-25:00:00.5', '24:00:00'",
				"'-100:00:00', '99:59:59.999999', '100:00:00'", "NULL, NULL, NULL",
			},
		},
	}
}

func others() []table {
	members := make([]string, 64)
	for i := range members {
		members[i] = fmt.Sprintf("'m%dä'", i)
	}
	labels := table{ // MariaDB cannot show characters beyond U+FFFF in labels
		name: "labels", loose: true,
		columns: []string{
			"a ENUM('','a','it''s','x,y','back\\\\slash','\"q\"','ü')", "b SET(" + strings.Join(members, ",") + ")",
			"c ENUM('ソ','表','x') CHARACTER SET sjis", "d SET('ж','ю','я') CHARACTER SET koi8r",
			"e ENUM('Ł','ž') CHARACTER SET cp1250", "f SET('文','字') CHARACTER SET gbk",
			"g ENUM('é','?') CHARACTER SET utf16", "h ENUM('a ','b') CHARACTER SET latin1",
		},
		rows: []string{
			"0, 0, 0, 0, 0, 0, 0, 0", "1, 18446744073709551615, 1, 7, 1, 3, 1, 1",
			"2, 9223372036854775808, 2, 5, 2, 2, 2, 2", "3, 1, 3, 2, 1, 1, 1, 1",
			"4, 3, 1, 1, 2, 0, 2, 2", "5, 0x5555555555555555, 1, 4, 1, 1, 1, 1", "6, 1, 1, 1, 1, 1, 1, 1",
			"7, 1, 1, 1, 1, 1, 1, 1", "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
		},
	}
	deep := strings.Repeat("[", 30) + "1.0" + strings.Repeat("]", 30) // MariaDB takes no more than 31
	return []table{
		labels,
		{
			name: "documents", columns: []string{"j JSON"},
			rows: []string{
				`'{"double": 1.0, "zero": 0.0, "minus": -0.0, "big": 18446744073709551615, "low": ` +
					`-9223372036854775808, "exp": 1e20, "small": 1e-7}'`,
				`'[1.7976931348623157e308, 5e-324, 9007199254740993, 0.1, 100000000000000000000, ` +
					`-5.522340143358133e-15]'`, `'{"a": 1, "a": 2, "b": {"c": [], "c": {}}}'`,
				"'" + deep + "'", `'"\\u0000\\u001f\\u00e9\\ud83d\\ude00\\\\\\"\\/\\b\\f\\n\\r\\t"'`, `'null'`,
				`'true'`, `'""'`, `'{}'`, `'[]'`, `'{"": 0}'`, `' [ 1 , 2 ] '`, "NULL",
			},
		},
		{
			name: "shapes", columns: []string{"a POINT", "b GEOMETRY", "c POLYGON", "d GEOMETRYCOLLECTION"},
			rows: []string{
				"ST_GeomFromText('POINT(1 -2.5)'), ST_GeomFromText('POINT(1 2)', 4326), ST_GeomFromText('POLYGON((0 " +
					"0,0 3,3 3,0 0))', 4326), ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')",
				"ST_GeomFromText('POINT(0 0)', 3857), ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 " +
					"0,1 1))'), ST_GeomFromText('POLYGON((0 0,0 3,3 3,0 0))'), " +
					"ST_GeomFromText('GEOMETRYCOLLECTION(POINT(5 5))', 4326)",
				"NULL, NULL, NULL, NULL",
			},
		},
		{
			name: "computed", columns: []string{
				"a INT", "v INT AS (a * 2) VIRTUAL", "b VARCHAR(10)", "s VARCHAR(20) AS (concat(b, '-', a)) STORED",
				"w CHAR(32) AS (upper(b)) VIRTUAL", "c INT",
			},
			rows: []string{"1, 'x', 2", "-5, 'žluť', NULL", "NULL, NULL, 3", "0, '', 4"},
		},
		{
			name: "defaults", columns: []string{
				"a INT DEFAULT (1 + 2)", "b VARCHAR(20) DEFAULT (concat('x', 'ü'))", "c INT INVISIBLE DEFAULT 7",
				"d INT INVISIBLE NULL", "e TEXT DEFAULT ('long')", "f CHAR(36) DEFAULT (uuid())",
				"g VARCHAR(9) DEFAULT 'it''s'",
			},
			rows: []string{
				"DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT",
				"1, 'b', 2, 3, 'e', 'f', ''", "NULL, NULL, NULL, NULL, NULL, NULL, NULL",
			},
		},
	}
}

// lonely are types that one family has.
func lonely() []table {
	documents := []string{
		`JSON_ARRAY(CAST(1.50 AS DECIMAL(10,2)), CAST('-0.05' AS DECIMAL(30,20)), CAST(18446744073709551616 AS ` +
			`DECIMAL(20)), CAST(7 AS DECIMAL(3,1)))`,
		`JSON_OBJECT('it''s "quoted"', CAST('12345678901234567890123456789.123456789' AS DECIMAL(65,9)))`,
		`JSON_ARRAY(DATE'2024-02-29', TIME'-838:59:58.000001', TIMESTAMP'2024-02-29 01:02:03.000001', x'cafe00', ` +
			`b'101')`,
		`CONCAT(REPEAT('[', 99), '1.0', REPEAT(']', 99))`, `CONCAT(REPEAT('{"k": ', 99), 'null', REPEAT('}', 99))`,
	}
	partial := table{
		name: "partial", only: "mysql", columns: []string{"j JSON", "k JSON", "p INT"},
		session: "SET SESSION binlog_row_value_options = PARTIAL_JSON",
		rows: []string{
			`'{"a": "aaaaaaaaaaaaaaaaaaaa", "b": [1, 2, {"c": "cccccccccccccc"}]}', '[1, 2.0, 3]', 1`,
			`'{"a": 1, "b": 2.0}', '{"x": "` + strings.Repeat("y", 300) + `"}', 2`, `'[]', NULL, 3`,
		},
		change: `UPDATE partial SET j = JSON_REMOVE(JSON_SET(j, '$.a', 'b', '$.b[2].c', 7.0, '$.new', CAST(1.50 AS ` +
			`DECIMAL(9,2))), '$.b[0]'), k = JSON_REPLACE(k, '$[1]', 1.0)`,
	}
	compressed := partial
	compressed.name, compressed.session = "compressed_log", "SET SESSION binlog_transaction_compression = ON"
	compressed.change = strings.Replace(partial.change, "UPDATE partial", "UPDATE compressed_log", 1)
	return []table{
		partial, compressed,
		{name: "documents_typed", only: "mysql", columns: []string{"j JSON"}, rows: documents},
		{
			name: "vectors", only: "mysql", columns: []string{"v VECTOR(3)", "w VECTOR(2048) NULL"},
			rows: []string{
				"STRING_TO_VECTOR('[1,2,3.5]'), NULL", "x'00000080', STRING_TO_VECTOR('[-0.5]')",
				"x'5c00273f0a00093f', STRING_TO_VECTOR(CONCAT('[1', REPEAT(',0.1', 2047), ']'))",
			},
		},
		{
			name: "addresses", only: "mariadb", columns: []string{"u UUID", "i INET4", "j INET6"},
			rows: []string{
				"'00000000-0000-0000-0000-000000000000', '0.0.0.0', '::'",
				"'ffffffff-ffff-ffff-ffff-ffffffffffff', '255.255.255.255', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'",
				"'018f3b7a-1234-7abc-8def-0123456789ab', '10.0.0.0', '::ffff:1.2.3.4'",
				"'A0EEBC99-9C0B-1EF8-BB6D-6BB9BD380A00', '1.2.3.4', '1:0:1:0:1:0:1:0'",
				"'00112233-4455-4677-8899-aabbccddeeff', '0.0.0.1', '::2:3'", "UUID(), '127.0.0.1', '2001:db8::'",
				"NULL, NULL, NULL",
			},
		},
		{
			name: "compressed", only: "mariadb",
			columns: []string{
				"a VARCHAR(100) COMPRESSED", "b TEXT COMPRESSED CHARACTER SET latin1",
				"c LONGBLOB COMPRESSED", "d VARBINARY(500) COMPRESSED",
				"e VARCHAR(300) COMPRESSED CHARACTER SET utf16",
			},
			rows: []string{
				"'', '', '', '', ''", "'a ', 'é', x'00', x'005c', 'ü'",
				"REPEAT('x', 100), REPEAT('é', 9000), REPEAT(x'005c27', 100000), REPEAT('z', 500), REPEAT('漢', 300)",
				"NULL, NULL, NULL, NULL, NULL",
			},
		},
	}
}
