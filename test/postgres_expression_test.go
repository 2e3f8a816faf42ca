package test

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
	"wherry/pkg/schema/postgres"
)

// postgresOperands are the columns that expressions compute with, and values of each. N stands for NULL.
var postgresOperands = []struct {
	name, definition string
	values           []string
}{
	{"i", "int", []string{"0", "1", "-1", "7", "-7", "2147483647", "-2147483648", "N", "100"}},
	{"s", "smallint", []string{"32767", "-32768", "0", "3", "N"}},
	{"b", "bigint", []string{"0", "-4611686018427387904", "4611686018427387903", "5", "N", "-1", "1"}},
	{"u", "int unsigned", []string{"0", "4294967295", "1", "N", "10"}},
	{"w", "bigint unsigned", []string{"18446744073709551615", "0", "1", "N", "9223372036854775808"}},
	{"d", "decimal(12,3)", []string{"0.000", "0.500", "-0.500", "1.005", "-2.345", "999999999.999", "N", "2.500"}},
	{"f", "double", []string{"0", "0.1", "-1.5", "1e140", "2.5", "N", "123456789.123", "-7"}},
	{"r", "float", []string{"0", "0.5", "-1.25", "N", "3"}},
	{"t", "varchar(40) COLLATE utf8mb4_bin", []string{
		"''", "'abc'", "'ABC'", "'a '", "'  pad  '", "'äöü€'", "N", "'x%y'",
		"'b'",
	}},
	{"n", "varchar(40) COLLATE NOPAD", []string{"'abc'", "''", "'b'", "'a '", "'Ä'", "'a'", "N", "'zz'"}},
	{"a", "varchar(40) CHARACTER SET ascii COLLATE ascii_bin", []string{"'Hello'", "''", "'WORLD 1'", "N", "' x '"}},
	{"c", "char(10) COLLATE utf8mb4_bin", []string{"'abc'", "''", "'b'", "N", "'ä'"}},
	{"e", "enum('x','Y','z z')", []string{"'x'", "'Y'", "'z z'", "N"}},
	{"y", "varbinary(20)", []string{"''", "'abc'", "'a '", "N", "'zz'"}},
	{"da", "date", []string{"'2024-02-29'", "'1999-12-31'", "'2023-01-01'", "N", "'1000-01-01'", "'9999-12-31'"}},
	{"dt", "datetime(6)", []string{
		"'2024-02-29 23:59:59.999999'", "'2000-01-01 00:00:00'", "N",
		"'1999-12-31 12:34:56.5'", "'2024-03-03 06:00:00.000001'",
	}},
	{"ti", "time(3)", []string{"'00:00:00'", "'23:59:59.999'", "N", "'12:34:56.5'"}},
}

// postgresExpressions are expressions of the closed list, by the type that takes their values.
var postgresExpressions = map[string]string{
	"bigint": `
		i + 1;s + s;s * s;i - s;b + i;u + u;-i;i * -3;i % 7;s mod 3;mod(i, s);i div 3;b div s;abs(s);abs(i);
		sign(i);sign(d);sign(b);ceil(d);ceiling(d);floor(d);floor(i);i = 1;i <> s;i <=> s;i < b;d >= 0.5;f > 0;
		f = r;i in (1, 7, 100);i not in (1, 2);i between 0 and 10;d not between -1 and 1;i is null;
		i is not null;i > 0 and s > 0;i or s;not i;!(i > 1);i xor s;(i > 1) xor (s > 1);(i > 0) is true;
		(i > 0) is not false;if(i > 0, 5, -5);ifnull(i, 7);coalesce(i, s, 3);nullif(i, 1);isnull(t);
		case i when 1 then 10 when 7 then 70 else 0 end;case when d > 0 then 1 when i < 0 then 2 end;
		cast(i as signed);char_length(t);character_length(n);char_length(c);length(t);octet_length(n);length(y);
		length(c);instr(t, 'b');locate('c', n);locate('ü', t);t = 'abc';t <> 'a';n = 'a';n < 'b';n >= 'a ';
		n between 'a' and 'c';t in ('abc', 'a', 'b');t like 'a%';n like '_b%';t not like '%c';e = 'Y';
		e in ('x', 'z z');e <> 'x';y = 'abc';y < 'b';year(da);month(da);day(da);dayofmonth(dt);dayofyear(da);
		dayofweek(da);weekday(dt);quarter(da);hour(dt);minute(dt);second(dt);microsecond(dt);hour(ti);
		minute(ti);second(ti);microsecond(ti);extract(year from da);extract(hour from dt);datediff(da, dt);
		datediff(da, '2020-01-01');to_days(da);da > '2000-01-01';da = dt;dt < '2024-01-01 00:00:00';
		dt between '1999-01-01' and '2024-03-03 06:00:00.000001';da is null or i > 1;round(d);truncate(d, 0);
		w = 1;w > i;ascii_only = 'Hello'`,
	"decimal(40,10)": `
		d + 1;d * d;d - i;d + 0.1;d * i;u * u;w + 0;w div 7;w mod 5;-d;d % 3;mod(d, 0.7);abs(d);round(d, 1);
		round(d, 2);truncate(d, 2);truncate(d, 1);ifnull(d, 1);coalesce(d, i);if(i > 0, d, s);b + d;u - u;d % i`,
	"double": `
		f + 1;f * f;f - d;f + r;r + r;r * 3;f / 3;f / r;-f;abs(f);floor(r);ceil(r);coalesce(f, 1);
		if(i > 0, f, d);f + 0.1;f * 1e10`,
	"varchar(200)": `
		concat(t, '-', a);concat(i, 'x', s);concat(t, d);left(t, 2);right(n, 2);left(t, 0);substr(t, 2);
		substring(n, 2, 2);mid(t, 1, 3);substr(t, 9);trim(t);ltrim(t);rtrim(t);reverse(t);lower(a);lcase(a);
		upper(a);ucase(a);hex(y);replace(t, 'b', 'zz');replace(n, '', 'x');ifnull(t, 'none');nullif(t, 'abc');
		nullif(n, 'b');if(i > 0, 'pos', 'neg');case when i > 0 then t else a end;coalesce(t, a);cast(i as char);
		cast(b as char);concat(e, '!');upper(concat(a, '!'));concat(w, u)`,
	"date": `
		date(dt);date(da);last_day(da);last_day(dt);cast(dt as date);da;coalesce(da, date(dt));
		if(i > 0, da, NULL)`,
	"datetime(6)": `
		dt;da;coalesce(dt, da);ifnull(dt, timestamp'2020-01-01 00:00:00')`,
	"time(3)": `
		ti;coalesce(ti, NULL)`,
}

// postgresJSON are expressions over a document, which only MySQL has a type for.
var postgresJSON = []string{
	"j->>'$.a'", "json_unquote(json_extract(j, '$.b.c'))", "j->>'$.missing'", "j->>'$.n'",
}

// TestExpressionsOnPostgres computes every expression of the closed list on both families and on PostgreSQL.
func TestExpressionsOnPostgres(t *testing.T) {
	target, d := newPostgresServer(t), plainPostgres(t)
	seen := map[string]bool{}
	for _, s := range schemaServers(t) {
		t.Run(s.name, func(t *testing.T) {
			for _, kind := range []string{
				"bigint", "decimal(40,10)", "double", "varchar(200)", "date", "datetime(6)", "time(3)",
			} {
				t.Run(kind, func(t *testing.T) {
					var all []string
					for e := range strings.SplitSeq(postgresExpressions[kind], ";") {
						all = append(all, strings.ReplaceAll(strings.Join(strings.Fields(e), " "), "ascii_only", "a"))
					}
					noteFunctions(seen, all)
					computeOnPostgres(t, s, target, d, kind, all)
				})
			}
			if s.flavor.Family == schema.MariaDB { // MySQL 9.6 made a component of them
				noteFunctions(seen, []string{"md5(t)"})
				t.Run("md5", func(t *testing.T) {
					computeOnPostgres(t, s, target, d, "varchar(200)", []string{"md5(t)", "md5(y)"})
				})
			}
			if s.flavor.Family == schema.MySQL {
				noteFunctions(seen, postgresJSON)
				t.Run("json", func(t *testing.T) { computeOnPostgres(t, s, target, d, "varchar(200)", postgresJSON) })
			}
		})
	}
	for _, name := range postgres.Functions() {
		assert.True(t, seen[name], "function %s is computed by no test", name)
	}
}

func noteFunctions(seen map[string]bool, expressions []string) {
	for _, e := range expressions {
		for _, name := range postgres.Functions() {
			if strings.Contains(" "+strings.NewReplacer("(", " ( ", ",", " ").Replace(e), " "+name+" (") {
				seen[name] = true
			}
		}
	}
}

// computeOnPostgres makes a table with a generated column for each expression on both servers, puts the same rows into
// both, and compares.
func computeOnPostgres(t *testing.T, s *schemaServer, target *postgresServer, d postgres.Dialect, kind string,
	expressions []string,
) {
	s.fresh(t, schemaFrom)
	target.fresh(t, d, schemaTo)
	name, to := schema.Name{Database: schemaFrom, Table: "t"}, schema.Name{Database: schemaTo, Table: "t"}
	s.exec(t, "CREATE TABLE "+mysql.Quoted(name)+" (id int PRIMARY KEY, "+operandColumns(s, kind, expressions)+
		") CHARSET utf8mb4 COLLATE utf8mb4_general_ci")
	plan, losses, err := d.Map(s.read(t, name), to, func(n schema.Name) schema.Name { return n })
	require.NoError(t, err)
	for _, loss := range losses {
		assert.False(t, loss.Name == "generated-column" && loss.Grade != schema.Note, "%s: %s", loss.Column, loss.What)
	}
	target.exec(t, d.CreateTable(plan, false)...)
	assert.Empty(t, d.Differences(plan, target.read(t, to), true, true))
	conn, err := s.db.Conn(t.Context())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.ExecContext(t.Context(), "SET sql_mode = ''") // a division by zero is NULL
	require.NoError(t, err)
	const rows = 45
	for row := range rows {
		values := operandValues(row, s.flavor.Family == schema.MySQL)
		_, err := conn.ExecContext(t.Context(), "INSERT INTO "+mysql.Quoted(name)+" ("+values[0]+") VALUES "+
			"("+values[1]+")")
		require.NoError(t, err, values[1])
		_, err = target.conn.Exec(t.Context(), "INSERT INTO "+postgres.Quoted(to)+" ("+values[0]+") VALUES "+
			"("+values[1]+")")
		require.NoError(t, err, values[1])
	}
	for i, e := range expressions {
		column := fmt.Sprintf("g%d", i)
		at := plan.Column(column)
		want := sourceTexts(t, s, "SELECT CAST("+column+" AS CHAR) FROM "+mysql.Quoted(name)+" ORDER BY id")
		got := targetTexts(t, target, `SELECT "`+column+`"::text FROM `+postgres.Quoted(to)+" ORDER BY id")
		for row := range want {
			if !assert.True(t, sameText(kind, want[row], got[row]), "%s, row %d (%s): %s on the source, %s by %s", e,
				row,
				operandValues(row, true)[1], want[row], got[row], plan.Columns[at].Expr) {
				break
			}
		}
	}
}

// operandColumns writes the columns of the table.
func operandColumns(s *schemaServer, kind string, expressions []string) string {
	nopad := "utf8mb4_nopad_bin"
	if s.flavor.Family == schema.MySQL {
		nopad = "utf8mb4_0900_bin"
	}
	var columns []string
	for _, o := range postgresOperands {
		columns = append(columns, "`"+o.name+"` "+strings.ReplaceAll(o.definition, "NOPAD", nopad))
	}
	if s.flavor.Family == schema.MySQL {
		columns = append(columns, "j json")
	}
	for i, e := range expressions {
		columns = append(columns, fmt.Sprintf("g%d %s GENERATED ALWAYS AS (%s) VIRTUAL", i, kind, e))
	}
	return strings.Join(columns, ", ")
}

// operandValues returns the columns and the values of a row, which both languages read.
func operandValues(row int, document bool) [2]string {
	names, values := []string{"id"}, []string{strconv.Itoa(row)}
	for k, o := range postgresOperands {
		value := o.values[(row+row/9*(k%4+1))%len(o.values)]
		names = append(names, o.name)
		values = append(values, strings.ReplaceAll(value, "N", "NULL"))
	}
	if document {
		documents := []string{
			`'{"a": "x\\ty", "b": {"c": [1, 2.5, null, true]}, "n": null}'`,
			`'{"a": 1.5, "b": {"c": {"z": 1, "y": "é"}}}'`,
			`'[1]'`, "NULL", `'{"a": true}'`,
		}
		names, values = append(names, "j"), append(values, strings.ReplaceAll(documents[row%len(documents)], `x\\ty`,
			"xy"))
	}
	return [2]string{strings.Join(names, ", "), strings.Join(values, ", ")}
}

func sourceTexts(t *testing.T, s *schemaServer, query string) (texts []string) {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text sql.NullString
		require.NoError(t, rows.Scan(&text))
		texts = append(texts, textOrNull(text))
	}
	require.NoError(t, rows.Err())
	return texts
}

func targetTexts(t *testing.T, s *postgresServer, query string) []string {
	t.Helper()
	rows, err := s.conn.Query(t.Context(), query)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[sql.NullString])
	require.NoError(t, err)
	texts := make([]string, len(found))
	for i, text := range found {
		texts[i] = textOrNull(text)
	}
	return texts
}

func textOrNull(text sql.NullString) string {
	if !text.Valid {
		return "NULL"
	}
	return "'" + text.String + "'"
}

// sameText tells whether the text of a value is that of another of the type.
func sameText(kind, source, target string) bool {
	switch {
	case source == target:
		return true
	case kind == "double":
		a, errA := strconv.ParseFloat(strings.Trim(source, "'"), 64)
		b, errB := strconv.ParseFloat(strings.Trim(target, "'"), 64)
		return errA == nil && errB == nil && a == b
	case strings.HasPrefix(kind, "datetime"), strings.HasPrefix(kind, "time"):
		cut := func(s string) string { return strings.TrimSuffix(strings.TrimRight(strings.Trim(s, "'"), "0"), ".") }
		return cut(source) == cut(target) || cut(source) == cut(strings.Trim(target, "'")+".0")
	default:
		return false
	}
}
