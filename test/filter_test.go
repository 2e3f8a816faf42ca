package test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/route"
	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// filterColumn is a column with the SQL of values that go in, and of literals to compare with.
type filterColumn struct {
	name, definition string
	values, literals []string
	equality         bool // only = and IN are supported
}

// listed returns the literals that may stand in IN and BETWEEN.
func (c filterColumn) listed() []string {
	if strings.Contains(c.definition, "int") {
		return c.values
	}
	return c.literals
}

var (
	filterIntegers = []string{"0", "1", "-1", "7", "-128", "127", "99999", "-99999"}
	filterTexts    = []string{
		"''", "' '", "'a'", "'a '", "'A'", "'ab'", "'a\tb'", "'ä'", "'🚢'", "'ab  '", "'b'",
		"'it''s'", "'a\x01'", "'\t'", "'NULL'", "'10'",
	}
	filterASCII = []string{
		"''", "' '", "'a'", "'a '", "'A'", "'ab'", "'ab  '", "'b'", "'it''s'", "'NULL'", "'10'",
		`"a"`,
	}
	filterDates   = []string{"'2024-02-29'", "'2000-01-01'", "'1999-12-31'", "'2037-12-31'", "'1000-01-01'"}
	filterMoments = []string{
		"'2024-02-29 00:00:00'", "'2024-02-29'", "'2000-01-01 12:30:00'", "'1999-12-31 23:59:59'",
		"'2037-12-31 00:00:01'", "TIMESTAMP'2000-01-01 12:30:00'",
	}
)

func filterColumns(mariadb bool) []filterColumn {
	noPad := map[bool]string{false: "utf8mb4_0900_bin", true: "utf8mb4_nopad_bin"}[mariadb]
	return []filterColumn{
		{"i8", "tinyint", []string{"0", "1", "-1", "7", "-128", "127"}, append([]string{
			"1.0", "1.5", "-0.5", "+1",
			"TRUE", "00001", "18446744073709551616",
		}, filterIntegers...), false},
		{
			"u8", "tinyint unsigned",
			[]string{"0", "1", "255"},
			append([]string{"255", "256", "-0"}, filterIntegers...),
			false,
		},
		{
			"i64", "bigint", append([]string{"9223372036854775807", "-9223372036854775808"}, filterIntegers...),
			append([]string{
				"9223372036854775807", "-9223372036854775808", "9223372036854775808",
				"-9223372036854775809", "9223372036854775806.9",
			}, filterIntegers...), false,
		},
		{
			"u64", "bigint unsigned",
			[]string{"0", "1", "18446744073709551615", "9223372036854775808"},
			append([]string{"18446744073709551615", "18446744073709551614", "9223372036854775807.5"},
				filterIntegers...), false,
		},
		{"z", "int(7) zerofill", []string{"0", "1", "7", "99999"}, filterIntegers, false},
		{
			"d1", "decimal(10,3)",
			[]string{"0", "1.500", "-1.5", "99999", "0.001", "-0.001"},
			append([]string{"1.5", "1.50000", "-1.5", "0.001", "0.0010001", "-.001", ".001"}, filterIntegers...),
			false,
		},
		{"d2", "decimal(65,30)", []string{
			"0", "1.000000000000000000000000000001", "-1",
			"12345678901234567890123456789012345",
		}, append([]string{
			"1.000000000000000000000000000001",
			"1.000000000000000000000000000002", "12345678901234567890123456789012345",
		}, filterIntegers...), false},
		{
			"dt", "date", append([]string{"'0000-00-00'", "'2024-00-00'"}, filterDates...),
			append([]string{"DATE'2024-02-29'"}, filterDates...), false,
		},
		{
			"dtm", "datetime", append([]string{"'0000-00-00'", "'2024-02-29 00:00:01'"}, filterMoments...),
			filterMoments,
			false,
		},
		{"dtm3", "datetime(3)", append([]string{"'2000-01-01 12:30:00.5'", "'2000-01-01 12:30:00.501'"},
			filterMoments...), append([]string{
			"'2000-01-01 12:30:00.5'", "'2000-01-01 12:30:00.501'",
			"'2024-02-29 00:00:00.000'",
		}, filterMoments...), false},
		{"ts", "timestamp NULL", []string{
			"'2000-01-01 12:30:00'", "'2024-02-29'", "'0000-00-00'",
			"'1999-12-31 23:59:59'",
		}, filterMoments, false},
		{
			"ts6", "timestamp(6) NULL",
			[]string{"'2000-01-01 12:30:00.000001'", "'2000-01-01 12:30:00'"},
			append([]string{"'2000-01-01 12:30:00.000001'", "'2000-01-01 12:30:00.00'"}, filterMoments...), false,
		},
		{"tm", "time", []string{
			"'00:00:00'", "'-00:00:01'", "'838:59:59'", "'-838:59:59'", "'12:00:00'",
			"'100:00:00'",
		}, []string{
			"'00:00:00'", "'-00:00:01'", "'838:59:59'", "'-12:00:00'", "'12:00:00'",
			"'100:00:00'", "TIME'12:00:00'", "'099:00:00'",
		}, false},
		{"tm2", "time(2)", []string{"'00:00:00.5'", "'-00:00:00.25'", "'12:00:00'"}, []string{
			"'00:00:00.5'",
			"'-00:00:00.25'", "'12:00:00'", "'12:00:00.00'", "'00:00:00.49'",
		}, false},
		{"y", "year", []string{"2024", "0", "1901", "2155", "1999"}, []string{"2024", "1901", "2155", "2000"}, false},
		{"vb", "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", filterTexts, filterTexts, false},
		{"vn", "varchar(20) CHARACTER SET utf8mb4 COLLATE " + noPad, filterTexts, filterTexts, false},
		{
			"l1", "varchar(20) CHARACTER SET latin1 COLLATE latin1_bin", append([]string{"'ä'", "'é '"},
				filterASCII...),
			filterASCII, false,
		},
		{"c", "char(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", filterTexts, filterTexts, false},
		{"cn", "char(10) CHARACTER SET utf8mb4 COLLATE " + noPad, filterTexts, filterTexts, false},
		{
			"t", "text CHARACTER SET utf8mb3 COLLATE utf8mb3_bin",
			[]string{"'ä'", "''", "'a '", "'a'", "'€'"},
			[]string{"'ä'", "''", "'a '", "'a'", "'€'", "'ä  '"},
			false,
		},
		{
			"bn", "binary(3)",
			[]string{"'a'", "''", "'abc'", "x'ff00ff'", "'a  '"},
			append([]string{"x'610000'", "x'ff00ff'", "0x616263", "'abc'"}, filterASCII...), false,
		},
		{
			"vbn", "varbinary(10)",
			[]string{"'a'", "''", "'a '", "x'ff00ff'", "x'00'"},
			append([]string{"x'ff00ff'", "x'00'", "b'01100001'"}, filterASCII...), false,
		},
		{
			"bl", "blob",
			[]string{"'a'", "''", "'a '", "x'ff00ff'"},
			append([]string{"x'ff00ff'", "x''"}, filterASCII...),
			false,
		},
		{"e", "enum('a','B','it''s','') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", []string{
			"'a'", "'B'", "'it''s'",
			"''",
		}, []string{"'a'", "'B'", "'it''s'"}, true},
		{"e2", "enum('new','Done','x_1') CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", []string{
			"'new'", "'Done'",
			"'x_1'", "'bad'",
		}, []string{"'new'", "'Done'", "'x_1'"}, true},
		{
			"e3", "enum('new','Done','x_1')",
			[]string{"'new'", "'Done'", "'x_1'"},
			[]string{"'new'", "'Done'", "'x_1'"},
			true,
		},
	}
}

func filterPick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// filterAtom returns one random comparison.
func filterAtom(r *rand.Rand, columns []filterColumn) string {
	c := columns[r.IntN(len(columns))]
	literal := func() string {
		if r.IntN(12) == 0 {
			return "NULL"
		}
		return filterPick(r, c.literals)
	}
	negation := filterPick(r, []string{"", "NOT "})
	switch r.IntN(6) {
	case 0:
		return c.name + " IS " + negation + "NULL"
	case 1:
		list := make([]string, 1+r.IntN(4))
		for i := range list {
			list[i] = filterPick(r, c.listed())
			if r.IntN(12) == 0 {
				list[i] = "NULL"
			}
		}
		return c.name + " " + negation + "IN (" + strings.Join(list, ", ") + ")"
	case 2:
		if !c.equality {
			return c.name + " " + negation + "BETWEEN " + filterPick(r, c.listed()) + " AND " + filterPick(r,
				c.listed())
		}
	}
	operators := []string{"=", "<>", "<=>", "!=", "<", "<=", ">", ">="}
	if c.equality {
		operators = operators[:4]
	}
	operator := filterPick(r, operators)
	if r.IntN(4) == 0 {
		return literal() + " " + operator + " " + c.name
	}
	return c.name + " " + operator + " " + literal()
}

func filterCondition(r *rand.Rand, columns []filterColumn, depth int) string {
	if depth == 0 || r.IntN(3) == 0 {
		return filterAtom(r, columns)
	}
	a, b := filterCondition(r, columns, depth-1), filterCondition(r, columns, depth-1)
	switch r.IntN(5) {
	case 0:
		return "NOT (" + a + ")"
	case 1:
		return "(" + a + ") XOR (" + b + ")"
	case 2:
		return a + " AND " + b
	case 3:
		return "(" + a + " OR " + b + ")"
	default:
		return a + " OR " + b
	}
}

// TestFilterAgreesWithServer compares Match with what servers select, for random rows and conditions.
func TestFilterAgreesWithServer(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, s := range schemaServers(t) {
		for _, charset := range []string{"binary", "utf8mb4"} {
			t.Run(s.name+" "+charset, func(t *testing.T) {
				filterAgrees(t, s, charset, rand.New(rand.NewPCG(seed, 1)))
			})
		}
	}
}

const filterDatabase = "filter_property"

func filterAgrees(t *testing.T, s *schemaServer, charset string, r *rand.Rand) {
	s.fresh(t, filterDatabase)
	columns := filterColumns(s.flavor.Family == schema.MariaDB)
	name := schema.Name{Database: filterDatabase, Table: "t"}
	filterFill(t, s, name, columns, r)
	table := s.read(t, name)
	rel := &route.Relation{Table: table}
	for i := range table.Columns {
		rel.Columns = append(rel.Columns, i)
	}
	conn := filterConn(t, s, charset)
	rows := filterRead(t, conn, "SELECT * FROM "+mysql.Quoted(name)+" ORDER BY id")
	const perQuery = 25
	matched := 0
	for range 60 {
		var conditions []string
		for range perQuery {
			conditions = append(conditions, filterCondition(r, columns, 2))
		}
		selected := filterRead(t, conn, "SELECT (("+strings.Join(conditions,
			")), ((")+")) FROM "+mysql.Quoted(name)+" ORDER BY id")
		for i, condition := range conditions {
			filter, err := route.ParseFilter(condition, rel)
			require.NoError(t, err, condition)
			for n := range rows {
				want := string(selected[n][i]) == "1"
				if got := filter.Match(rows[n]); got != want {
					t.Fatalf("%s: Match says %v, server %q, for row %q", condition, got, selected[n][i], rows[n])
				}
				if want {
					matched++
				}
			}
		}
		where := filterRead(t, conn, "SELECT id FROM "+mysql.Quoted(name)+" WHERE ("+conditions[0]+") ORDER BY id")
		filter, err := route.ParseFilter(conditions[0], rel)
		require.NoError(t, err)
		var got, want []string
		for _, row := range where {
			want = append(want, string(row[0]))
		}
		for _, row := range rows {
			if filter.Match(row) {
				got = append(got, string(row[0]))
			}
		}
		assert.Equal(t, want, got, conditions[0])
	}
	assert.Positive(t, matched)
}

func filterFill(t *testing.T, s *schemaServer, name schema.Name, columns []filterColumn, r *rand.Rand) {
	t.Helper()
	create := "CREATE TABLE " + mysql.Quoted(name) + " (id int NOT NULL PRIMARY KEY"
	for _, c := range columns {
		create += ", " + c.name + " " + c.definition
	}
	conn := filterConn(t, s, "utf8mb4")
	filterExec(t, conn, create+")")
	for id := range 120 {
		values := []string{fmt.Sprint(id)}
		for _, c := range columns {
			if r.IntN(8) == 0 {
				values = append(values, "NULL")
			} else {
				values = append(values, filterPick(r, c.values))
			}
		}
		filterExec(t, conn, "INSERT INTO "+mysql.Quoted(name)+" VALUES ("+strings.Join(values, ", ")+")")
	}
}

// filterConn returns a session as an engine has it, in UTC and with zero dates allowed.
func filterConn(t *testing.T, s *schemaServer, charset string) *sql.Conn {
	t.Helper()
	conn, err := s.db.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	filterExec(t, conn, "SET NAMES "+charset)
	filterExec(t, conn, "SET SESSION time_zone = '+00:00', sql_mode = ''")
	return conn
}

func filterExec(t *testing.T, conn *sql.Conn, statement string) {
	t.Helper()
	_, err := conn.ExecContext(context.WithoutCancel(t.Context()), statement)
	require.NoError(t, err, statement)
}

func filterRead(t *testing.T, conn *sql.Conn, query string) [][][]byte {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), query)
	require.NoError(t, err, query)
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	require.NoError(t, err)
	var out [][][]byte
	for rows.Next() {
		row, into := make([][]byte, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		require.NoError(t, rows.Scan(into...))
		out = append(out, row)
	}
	require.NoError(t, rows.Err())
	return out
}
