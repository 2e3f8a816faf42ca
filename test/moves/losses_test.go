package moves

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// crossing is a table that only loses something, or nothing, on its way to the other family.
type crossing struct {
	loss    string // "" for none
	column  string // that the finding names; "" for the table
	create  string // after CREATE TABLE name
	alter   string // after ALTER TABLE name, to make what CREATE TABLE cannot
	compare string // expressions that both ends must give the same for, besides those of the rows' bytes
	rows    []string
	later   []string // statements with %s for the table, run while changes are followed
}

func (c crossing) table() string {
	if c.loss == "" {
		return "shared"
	}
	return "t_" + strings.ReplaceAll(c.loss, "-", "_")
}

const generalTable = " DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci"

// shared has the types that both families have, with values at their ends.
var shared = crossing{
	create: `(id INT NOT NULL PRIMARY KEY, i1 TINYINT, i2 SMALLINT UNSIGNED, i3 MEDIUMINT, i4 INT UNSIGNED, i8 BIGINT,
		u8 BIGINT UNSIGNED, z INT(6) ZEROFILL,
		de DECIMAL(65,30), f FLOAT, d DOUBLE, b1 BIT(1), b64 BIT(64), y YEAR, da DATE, t6 TIME(6), dt DATETIME(6),
		ts TIMESTAMP(3) NULL,
		c CHAR(5), vb VARBINARY(9), bi BINARY(4), tx MEDIUMTEXT, bl LONGBLOB, l1 VARCHAR(9) CHARACTER SET latin1,
		gb VARCHAR(9) CHARACTER SET gbk,
		sj VARCHAR(9) CHARACTER SET sjis, u16 VARCHAR(9) CHARACTER SET utf16, e ENUM('a','é','c,d'),
		s SET('x','y','z'), g GEOMETRY, n VARCHAR(5))` + generalTable,
	compare: `i1, i2, i3, i4, i8, u8, z, de, f * 1e0, d, b1 + 0, b64 + 0, y, da, t6, dt, ts, HEX(c), HEX(vb), HEX(bi),
		HEX(tx), HEX(bl), HEX(l1), HEX(gb),
		HEX(sj), HEX(u16), e + 0, s + 0, HEX(g), n`,
	rows: []string{
		`1, -128, 65535, -8388608, 4294967295, -9223372036854775808, 18446744073709551615, 7,
			-99999999999999999999999999999999999.999999999999999999999999999999,
			1.17549e-38, -1.7976931348623157e308, b'1',
			b'1000000000000000000000000000000000000000000000000000000000000001', 1901, '1000-01-01', '-838:59:59',
			'9999-12-31 23:59:59.999999', '1970-01-01 00:00:01', 'ab ', X'0001FF20', X'61000000', REPEAT('🚢é', 5000),
			X'00095C0A27FF', 'é€', '中', '表', '😀é',
			'é', 'x,z', ST_GeomFromText('POINT(1 -2.5)'), NULL`,
		`2` + strings.Repeat(", NULL", 30),
		`3, 0, 0, 0, 0, 0, 0, 0, 0, 1e0, -1e-300, b'0', b'0', 0, '0001-01-01', '00:00:00', '1000-01-01',
			'2038-01-19 03:14:07', '', '', '', '', '', '', '', '', '', 1, '',
			ST_GeomFromText('MULTIPOLYGON(((0 0,0 9,9 9,0 0)))'), 'x'`,
	},
	later: []string{
		"UPDATE %s SET d = 0.1, f = 3.4e38, tx = '\\\\N', s = '', e = 3, g = NULL WHERE id = 2",
		"DELETE FROM %s WHERE id = 3",
		"INSERT INTO %s (id, de, t6, b64, gb, g) VALUES (4, 0.000000000000000000000000000001, '838:59:58.999999', " +
			"b'11', '漢', ST_GeomFromText('LINESTRING(0 0,1 1)'))",
	},
}

// crossings are the losses that a family's tables have on the other, each with a table.
var crossings = map[string][]crossing{
	"mysql": {
		{
			loss: "json", column: "v", create: "(id INT NOT NULL PRIMARY KEY, v JSON)" + generalTable,
			compare: "CAST(v AS CHAR)",
			rows: []string{
				`1, '{"b": [1, 2.0, 1e100, "ü🚢\\n", null], "a": 18446744073709551615}'`, "2, NULL",
				`3, '"x"'`, "4, CAST(CAST('2020-01-02 03:04:05.678' AS DATETIME(3)) AS JSON)",
			},
			later: []string{
				`UPDATE %s SET v = JSON_SET(v, '$.c', CAST(1.50 AS DECIMAL(5,2))) WHERE id = 1`,
				"INSERT INTO %s VALUES (5, '[]')",
			},
		},
		{
			loss: "collation", column: "v", compare: "HEX(v), HEX(w), HEX(x)",
			create: `(id INT NOT NULL PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_0900_ai_ci,
				w VARCHAR(20) COLLATE utf8mb4_0900_as_cs, x VARCHAR(20) COLLATE utf8mb4_ja_0900_as_cs_ks,
				UNIQUE KEY (v), UNIQUE KEY (w), UNIQUE KEY (x))` + generalTable,
			rows: []string{
				"1, 'strasse', 'straße', 'か'", "2, 'e', 'é', 'カ'", "3, 'e ', 'É', 'が'", "4, '😀', '😀', '😀'",
				"5, '😁', '😁', '😁'", "6, '', '', ''", "7, ' ', ' ', ' '",
				"8, 'o', 'ss', 'っ'", "9, 'þ', 'SS', 'つ'", "10, 'e  ', 'E', 'a'", "11, '\t', 'é ', 'A'",
			},
			later: []string{
				"UPDATE %s SET v = 'È ', w = 'ß' WHERE id = 3", "DELETE FROM %s WHERE id = 2",
				"INSERT INTO %s VALUES (12, 'E', 'é', 'カ ')",
			},
		},
		{
			loss: "srid", column: "v", create: "(id INT NOT NULL PRIMARY KEY, v POINT SRID 4326)" + generalTable,
			compare: "HEX(v)",
			rows:    []string{"1, ST_GeomFromText('POINT(52 4)', 4326)", "2, NULL"},
			later:   []string{"UPDATE %s SET v = ST_GeomFromText('POINT(-52 -4)', 4326) WHERE id = 2"},
		},
		{
			loss: "generated-not-null", column: "v", create: "(id INT NOT NULL PRIMARY KEY, v INT AS (id * 2) STORED " +
				"NOT NULL)" + generalTable, compare: "v",
			rows: []string{"1, DEFAULT", "2, DEFAULT"}, later: []string{"INSERT INTO %s (id) VALUES (3)"},
		},
		{
			loss: "invisible-column", column: "v", create: "(id INT NOT NULL PRIMARY KEY, n INT, v INT NOT NULL " +
				"INVISIBLE)" + generalTable, compare: "n, v",
			rows: nil, later: []string{
				"INSERT INTO %s (id, n, v) VALUES (1, 2, 3)",
				"UPDATE %s SET v = 4 WHERE id = 1",
			},
		},
		{
			loss: "fulltext-parser", create: "(id INT NOT NULL PRIMARY KEY, v TEXT, FULLTEXT KEY ft (v) WITH " +
				"PARSER ngram)" + generalTable, compare: "HEX(v)",
			rows: []string{"1, '漢字かな'"}, later: []string{"UPDATE %s SET v = 'x' WHERE id = 1"},
		},
		{
			loss: "vector", column: "v", create: "(id INT NOT NULL PRIMARY KEY, v VECTOR(3))" + generalTable,
			compare: "HEX(v)",
			rows:    []string{"1, STRING_TO_VECTOR('[1,-2.5,3e-20]')", "2, NULL"},
			later:   []string{"UPDATE %s SET v = STRING_TO_VECTOR('[0,0,0]') WHERE id = 2"},
		},
		{
			loss: "no-default", column: "v", create: "(id INT NOT NULL PRIMARY KEY, v INT)" + generalTable,
			alter: "ALTER v DROP DEFAULT", compare: "v",
			rows: []string{"1, 2", "2, NULL"}, later: []string{"INSERT INTO %s (id, v) VALUES (3, NULL)"},
		},
	},
	"mariadb": {
		{
			loss: "uuid", column: "id", create: "(id UUID NOT NULL PRIMARY KEY, v UUID UNIQUE)" + generalTable,
			compare: "v",
			rows: []string{
				"'123e4567-e89b-12d3-a456-426614174000', '00000000-0000-0000-0000-000000000000'",
				"'018c2e65-4b7d-7000-8000-0000000000ff', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'",
				"'f81d4fae-7dec-11d0-a765-00a0c91e6bf6', NULL", "'018c2e65-4b7d-7000-8000-000000000100', NULL",
				"'9b2e4f1c-0d3a-4c5b-8e7f-1a2b3c4d5e6f', NULL",
			},
			later: []string{
				"UPDATE %s SET v = '123E4567-E89B-12D3-A456-426614174001' WHERE v IS NULL AND id LIKE '018c%%'",
				"DELETE FROM %s WHERE id = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'",
				"INSERT INTO %s VALUES ('00000000-0000-0000-0000-000000000001', NULL)",
			},
		},
		{
			loss: "inet6", column: "v", create: "(id INT NOT NULL PRIMARY KEY, v INET6, UNIQUE KEY (v))" + generalTable,
			compare: "v",
			rows: []string{
				"1, '::'", "2, '2001:0db8::ff00:42:8329'", "3, '::ffff:192.0.2.1'", "4, NULL",
				"5, 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'",
			},
			later: []string{
				"UPDATE %s SET v = 'FE80::1' WHERE id = 4", "DELETE FROM %s WHERE id = 1",
				"INSERT INTO %s VALUES (6, '::192.0.2.1')",
			},
		},
		{
			loss: "inet4", column: "v", create: "(id INT NOT NULL PRIMARY KEY, v INET4, KEY (v))" + generalTable,
			compare: "v",
			rows:    []string{"1, '0.0.0.0'", "2, '255.255.255.255'", "3, NULL"},
			later:   []string{"UPDATE %s SET v = '10.0.0.1' WHERE id = 3"},
		},
		{
			loss: "compressed-column", column: "v", create: "(id INT NOT NULL PRIMARY KEY, v TEXT COMPRESSED, w " +
				"VARBINARY(500) COMPRESSED)" + generalTable, compare: "HEX(v), HEX(w)",
			rows: []string{"1, REPEAT('é🚢', 5000), REPEAT('a', 500)", "2, '', ''", "3, NULL, NULL"},
			later: []string{
				"UPDATE %s SET v = REPEAT('x', 60000), w = X'00FF20' WHERE id = 3",
				"UPDATE %s SET v = 'short' WHERE id = 1",
			},
		},
		{
			loss: "collation", column: "v", compare: "HEX(v), HEX(w), HEX(x)",
			create: `(id INT NOT NULL PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_uca1400_nopad_ai_ci,
				w VARCHAR(20) COLLATE utf8mb4_uca1400_as_ci, x VARCHAR(20) COLLATE utf8mb4_general_nopad_ci,
				UNIQUE KEY (v), UNIQUE KEY (w), UNIQUE KEY (x))` + generalTable,
			rows: []string{
				"1, 'strasse', 'e', 'ss'", "2, 'e', 'é', 'ss '", "3, 'e ', 'è', 'か'", "4, '😀', '😀', 'が'",
				"5, '😁', '😁', 'æ'", "6, '', '', ''", "7, ' ', 'ß', ' '", "8, 'o', 'sz', 'ae'",
			},
			later: []string{
				"UPDATE %s SET v = 'x ', w = 'É ' WHERE id = 2", "DELETE FROM %s WHERE id = 1",
				"INSERT INTO %s VALUES (9, 'STRASSE', 'E', 'SS')",
			},
		},
		{
			loss: "period", create: "(id INT NOT NULL PRIMARY KEY, s DATE NOT NULL, e DATE NOT NULL, PERIOD FOR p " +
				"(s, e))" + generalTable, compare: "s, e",
			rows:  []string{"1, '2020-01-01', '2020-01-02'"},
			later: []string{"UPDATE %s SET e = '2021-01-01' WHERE id = 1"},
		},
		{
			loss: "default", column: "v", create: "(id INT NOT NULL PRIMARY KEY, v VARCHAR(9) DEFAULT 'why?')" +
				generalTable, compare: "v",
			rows: []string{"1, DEFAULT"}, later: []string{"INSERT INTO %s (id) VALUES (2)"},
		},
	},
}

// TestLosses: what the other family cannot hold as it is, is refused by name before anything is changed, and moves with
// the permission: copied, followed and compared, byte for byte.
func TestLosses(t *testing.T) {
	pairs(t, harness.Across, func(t *testing.T, p pair) {
		cases := append([]crossing{shared}, crossings[p.source.Flavor]...)
		m := newMove(t, p, settings{})
		p.source.Exec(t, "CREATE TABLE "+quote(m.Name)+".marks (id INT NOT NULL PRIMARY KEY) ENGINE=InnoDB"+
			generalTable)
		var allowed []string
		for i, c := range cases {
			name := quote(m.Name) + "." + c.table()
			p.source.Exec(t, "CREATE TABLE "+name+" "+c.create)
			if c.alter != "" {
				p.source.Exec(t, "ALTER TABLE "+name+" "+c.alter)
			}
			for _, row := range c.rows {
				p.source.Exec(t, "INSERT INTO "+name+" VALUES ("+row+")")
			}
			if c.loss != "" && i%2 == 0 {
				allowed = append(allowed, c.loss)
			} else if c.loss != "" {
				allowed = append(allowed, fmt.Sprintf("%q", c.loss+"@*."+c.table()))
			}
		}
		m.refusesLosses(t, cases)
		// With all permissions but one it is still refused.
		m.settings.lines = []string{"schema: {allow_losses: [" + strings.Join(allowed[1:], ", ") + "]}"}
		m.write(t)
		m.refusesLosses(t, cases[1:2])
		m.settings.lines = []string{"schema: {allow_losses: [" + strings.Join(allowed, ", ") + "]}"}
		m.write(t)
		r := m.Ends(t, harness.Done, "check")
		for _, c := range cases[1:] {
			assert.Contains(t, r.Output(), "loss:"+c.loss+" (move) "+m.Name+"."+c.table(),
				"an allowed loss is a warning")
		}
		m.Must(t, "init-schema")
		withoutPermission := m.settings.lines
		m.settings.lines = nil
		m.write(t)
		refusal := m.Run(t, "init-copy")
		assert.Equal(t, harness.Refused, refusal.Code, refusal)
		m.settings.lines = withoutPermission
		m.write(t)
		m.Must(t, "init-copy")
		m.sameCrossings(t, cases)
		replica := m.Start(t, "start-replica")
		for _, c := range cases {
			for _, statement := range c.later {
				p.source.Exec(t, fmt.Sprintf(statement, quote(m.Name)+"."+c.table()))
			}
		}
		m.Followed(t, replica)
		m.sameCrossings(t, cases)
		m.Must(t, "verify")
		end := m.cutover(t)
		require.Equal(t, harness.Done, end.Code, end)
		m.sameCrossings(t, cases)
	})
}

// refusesLosses runs what must be refused for the losses of the cases, and sees that the target is as it was.
func (m *move) refusesLosses(t *testing.T, cases []crossing) {
	t.Helper()
	check, create := m.Run(t, "check"), m.Run(t, "init-schema")
	assert.Equal(t, harness.Refused, check.Code, check)
	assert.Equal(t, harness.Refused, create.Code, create)
	for _, c := range cases {
		if c.loss == "" {
			continue
		}
		subject := m.Name + "." + c.table()
		if c.column != "" {
			subject += "." + c.column
		}
		assert.Contains(t, check.Output(), "FAIL  loss:"+c.loss+" (move) "+subject)
		assert.Contains(t, check.Output(), `allow_losses: ["`+c.loss+"@"+m.Name+"."+c.table()+`"]`)
		assert.Contains(t, create.Stderr(), "loss:"+c.loss+": "+subject)
		assert.Contains(t, create.Stderr(), "nothing was changed")
	}
	databases := "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name IN ('" + m.database +
		"', 'wherry_" + m.Name + "')"
	assert.Equal(t, "0", m.target.Text(t, databases), "databases made on the target")
}

// sameCrossings compares both ends by expressions that mean the same on them.
func (m *move) sameCrossings(t *testing.T, cases []crossing) {
	t.Helper()
	for _, c := range cases {
		query := "SELECT id, " + c.compare + " FROM " + quote(m.Name) + "." + c.table()
		source, target := m.source.Lines(t, query), m.target.Lines(t, query)
		assert.True(t, len(target) > 0 || c.rows == nil, c.table())
		assert.Equal(t, source, target, c.table())
	}
}

// TestFatalLosses: what no permission can mend stays refused, and says so.
func TestFatalLosses(t *testing.T) {
	tables := map[string]map[string]string{
		"mysql": {
			"charset":          "(id INT NOT NULL PRIMARY KEY, v VARCHAR(9) CHARACTER SET gb18030)",
			"functional-index": "(id INT NOT NULL PRIMARY KEY, v INT, KEY ((v + 1)))",
		},
		"mariadb": {
			"collation": "(id INT NOT NULL PRIMARY KEY, v VARCHAR(9) CHARACTER SET latin1 COLLATE " +
				"latin1_swedish_nopad_ci, UNIQUE KEY (v))",
			"long-unique": "(id INT NOT NULL PRIMARY KEY, v TEXT, UNIQUE KEY (v))",
			"expression":  "(id INT NOT NULL PRIMARY KEY, v UUID, w INT AS (LENGTH(v)) STORED)",
		},
	}
	pairs(t, harness.Across, func(t *testing.T, p pair) {
		every, err := os.ReadFile("../../config.example.yaml")
		require.NoError(t, err)
		var names []string
		for line := range strings.Lines(string(every)) {
			if rest, ok := strings.CutPrefix(line, "  #   "); ok {
				names = append(names, strings.Fields(rest)[0])
			}
		}
		m := newMove(t, p, settings{lines: []string{"schema: {allow_losses: [" + strings.Join(names, ", ") + "]}"}})
		for loss, create := range tables[p.source.Flavor] {
			p.source.Exec(t, "CREATE TABLE "+quote(m.Name)+"."+quote("t_"+loss)+" "+create)
		}
		check, create := m.Run(t, "check"), m.Run(t, "init-schema")
		assert.Equal(t, harness.Refused, check.Code, check)
		assert.Equal(t, harness.Refused, create.Code, create)
		for loss := range tables[p.source.Flavor] {
			assert.Contains(t, check.Output(), "FAIL  loss:"+loss+" (move) "+m.Name+".t_"+loss)
		}
		assert.NotContains(t, check.Output(), "allow_losses: [")
	})
}
