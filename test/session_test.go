package test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// sessionCase is an expression of a stored column and the variables of the session that its value depends on.
type sessionCase struct {
	expr string
	// uses are variables, each with a mark before it when only certain values depend on it: ~ with the test's row
	// among them, ? without.
	uses   string
	column string // its type; VARCHAR(300) when empty
	// the session changes the column i of a row that is there, so that it need not be able to write the others
	update  bool
	mariadb string // what MariaDB's version of it depends on, where that differs: "none" for nothing
}

// sessionCases are what the table of session-dependent functions says, and much that it calls safe.
var sessionCases = append([]sessionCase{
	// Time zones.
	{expr: "hour(ts)", uses: "time_zone"},
	{expr: "ts + 0", uses: "time_zone"},
	{expr: "concat(ts,'')", uses: "time_zone"},
	{expr: "ifnull(ts,ts)", uses: "time_zone"},
	{expr: "extract(hour from ts)", uses: "time_zone"},
	{expr: "json_object('a',ts)", uses: "time_zone"},
	{expr: "from_unixtime(i)", uses: "time_zone"},
	{expr: "ts > dt2", uses: "time_zone"},
	{expr: "unix_timestamp(dt)", uses: "time_zone"},
	{expr: "unix_timestamp(d)", uses: "time_zone"},
	{expr: "dt", column: "TIMESTAMP(6) NULL", uses: "time_zone"},
	{expr: "from_unixtime(i)", column: "DATETIME", uses: "time_zone"},
	{expr: "virt + 0", uses: "time_zone"},
	{expr: "unix_timestamp(ts)"},
	{expr: "ts is null"},
	{expr: "isnull(ts)"},
	{expr: "ts is not null or i > 3"},
	// Division.
	{expr: "i / u", uses: "div_precision_increment"},
	{expr: "dcm / i", uses: "div_precision_increment"},
	{expr: "i / 3.0", uses: "div_precision_increment"},
	{expr: "i / u", uses: "div_precision_increment", column: "DECIMAL(30,20)"},
	{expr: "round(i / 7,15)", uses: "div_precision_increment"},
	{expr: "dbl / i"},
	{expr: "i / dbl"},
	{expr: "i / 3e0"},
	{expr: "cast(i as double) / u"},
	{expr: "i div 3"},
	{expr: "i % 7"},
	{expr: "mod(dcm,7)"},
	{expr: "i % 0"},
	// Languages.
	{expr: "dayname(d)", uses: "lc_time_names,?sql_mode"},
	{expr: "monthname(d)", uses: "lc_time_names,?sql_mode"},
	{expr: "date_format(d,'%d %M')", uses: "lc_time_names,?sql_mode"},
	{expr: "date_format(dt,'%b')", uses: "lc_time_names,?sql_mode"},
	{expr: "date_format(d,'%%%a')", uses: "lc_time_names,?sql_mode"},
	{expr: "dayname(d) = 'monday'", uses: "lc_time_names,?sql_mode"},
	{expr: "date_format(d,f)", uses: "lc_time_names,?sql_mode,?time_zone"},
	{expr: "date_format(d,'%Y-%m-%d %H:%i:%s %D %U %u %V %v %w %x %X %j %p %%M')", uses: "?sql_mode"},
	{expr: "time_format(t,'%H:%i %p')"},
	{expr: "format(dcm,2)"},
	{expr: "format(dcm,2,'de_DE')"},
	// Weeks, ciphers, flags.
	{expr: "extract(week from d)", uses: "default_week_format,?sql_mode"},
	{expr: "week(d)", uses: "?sql_mode"},
	{expr: "hex(aes_encrypt(s,'k'))", uses: "block_encryption_mode", mariadb: "none"},
	{expr: "ifnull(aes_decrypt(b16,'k'),'none')", uses: "block_encryption_mode", mariadb: "none"},
	{expr: "s4 regexp 'a.b'", mariadb: "~default_regex_flags"},
	{expr: "regexp_replace(s4,'a.b','x')", mariadb: "~default_regex_flags"},
	{expr: "s rlike '^a'", mariadb: "?default_regex_flags"},
	{expr: "hex(weight_string('a'))", uses: "~default_collation_for_utf8mb4", mariadb: "none"},
	// The present day.
	{expr: "date(t)", uses: "timestamp,?sql_mode"},
	{expr: "year(t)", uses: "timestamp"},
	{expr: "timestamp(t)", uses: "timestamp,~sql_mode"},
	{expr: "cast(t as datetime)", uses: "timestamp,~sql_mode"},
	{expr: "t", column: "DATETIME(6)", uses: "timestamp"},
	{expr: "t > dt3", uses: "timestamp"},
	{expr: "hour(t)"},
	{expr: "time_to_sec(t)"},
	{expr: "addtime(t,'01:00:00')"},
	{expr: "addtime(dt,t)", column: "DATETIME(6)", uses: "?sql_mode"},
	{expr: "concat(t)"},
	{expr: "t + 0"},
	// What sql_mode decides, for certain values.
	{expr: "length(c)", uses: "~sql_mode"},
	{expr: "concat(c,'|')", uses: "~sql_mode"},
	{expr: "c", uses: "~sql_mode"},
	{expr: "concat(rtrim(c),'|')"},
	{expr: "c is null"},
	{expr: "i - u", uses: "~sql_mode"},
	{expr: "i - 300"},
	{expr: "cast(i as unsigned) - 1", uses: "?sql_mode"},
	{expr: "cast(s8 as datetime)", uses: "~time_zone,?sql_mode"},
	{expr: "hour(s8)", uses: "~time_zone,?sql_mode", mariadb: "?sql_mode"},
	{expr: "date(s6)", uses: "~sql_mode,?time_zone", mariadb: "~sql_mode"},
	{expr: "cast(s7 as date)", uses: "~sql_mode,?time_zone", mariadb: "~sql_mode"},
	{expr: "s6", column: "DATE", uses: "~sql_mode,?time_zone", mariadb: "~sql_mode"},
	{
		expr: "json_unquote(json_extract(j,'$.d'))", column: "DATETIME", uses: "~time_zone,?sql_mode",
		mariadb: "?sql_mode",
	},
	{expr: "year(dz) + 0 * i", uses: "?sql_mode", update: true},
	{expr: "concat(last_day(dz),i)", uses: "?sql_mode", mariadb: "~sql_mode", update: true},
	{expr: "concat(cast(dz as datetime),i)", uses: "~sql_mode", update: true},
	{expr: "cast(dt as datetime)", uses: "~sql_mode"},
	{expr: "dt", column: "DATETIME", uses: "~sql_mode"},
	{expr: "cast(t as time)", uses: "~sql_mode"},
	{expr: "str_to_date(s2,'%d %M %Y')", uses: "?sql_mode"},
	{expr: "str_to_date(s6,'%Y-%m-%d')", uses: "~sql_mode", mariadb: "?sql_mode"},
}, safeCases()...)

// safeCases are expressions over the row alone. What only dates that are none make different, or text that is read as
// a date, is told where the case is not.
func safeCases() (cases []sessionCase) {
	plain := `i + u;i * u;not i;not i between 0 and 5;not i = 3;!i;i or u;s like 'a\\_b';s3 like 'a\\_b';
		cast(i as char);hex(cast(i as char));length(concat(i));concat(i,'a');length(concat(i,'a'));
		sha2(i,256);crc32(i);hex(i);hex(i) = 'ff';hex(255) = 'FF';if(hex(u)='ff',1,0);cast(u as char) = '255';'a' = 'A';
		'a' < 'B';_utf8mb4'a' = _utf8mb4'A';convert(b using utf8mb4) = 'ss';
		convert(b using utf8mb4);cast(b as char charset utf8mb4) = 'ss';s = 'ABC';s = b;instr('abc','B');
		locate('B','abc');replace('abc','B','x');field('a','A');strcmp('a','A');find_in_set('a','A,b');
		concat_ws(',',i,'a');bin(i);oct(i);conv(i,10,16);conv(i,10,16) = 'FF';char(65 using utf8mb4);inet_ntoa(u);
		to_base64(i);to_base64(b);quote(s);elt(1,'a','b');elt(1,i,u);make_set(3,'a','b');
		export_set(5,'Y','N');repeat('a',3);repeat(s,3);space(3);lpad(i,9,'0');lpad(s,9,'0');rpad(i,9,'0');
		length(lpad(i,9,'0'));substr(i,1,2);left(i,2);reverse(i);upper(s);trim(s);concat(dt);concat(d);
		concat(dcm);concat(dbl);length(concat(dbl));length(concat(d));sec_to_time(i);d > '2024-01-01';
		dt > '2024-01-01 00:00:00';convert_tz(dt,'+00:00','+05:00');dt + 0;floor(dt + 0);makedate(2024,60);
		maketime(1,2,3);
		json_extract(j,'$.a');json_unquote(json_extract(j,'$.a'));json_extract(j,'$.a') = 'X';
		json_unquote(json_extract(j,'$.a')) = 'X';json_object('a',dt);json_array(i,s);json_quote(s);
		uncompress(compress(s));soundex(s);hex(inet6_aton('::1'));st_astext(st_geomfromtext('POINT(1 2)'));
		cast(dcm as signed);round(dcm,1);round(dbl);truncate(dcm,1);sqrt(i);pow(i,2);exp(1);log(i);
		cast(dbl as char);cast(dbl as decimal(10,2));cast(dcm as double);coalesce(s,'x');ifnull(i,0);nullif(s,'ABC');
		nullif('a','A');case s when 'ABC' then 1 else 0 end;case 'a' when 'A' then 1 else 0 end;
		greatest('a','B');greatest(s,'B');greatest(i,u);interval(i,1,2,3);bit_count(i);i & 3;i | u;i ^ 3;i << 2;~i;
		period_add(202401,3);get_format(date,'EUR');substring_index(s,'b',1);y;y + 1`
	for _, expr := range strings.Split(plain, ";") {
		cases = append(cases, sessionCase{expr: strings.TrimSpace(expr)})
	}
	for _, expr := range strings.Split("dayofweek(d);to_days(d);d + interval 1 day;dt + interval 1 "+
		"day;timestampdiff(day,d,dt);timestampadd(day,1,d);weekofyear(d);microsecond(dt);second(dt);hour(dt);"+
		"date(dt);week(d,1);yearweek(d);extract(year_month from d);timestamp(d,t);timediff(dt,dt)", ";") {
		cases = append(cases, sessionCase{expr: expr, uses: "?sql_mode"})
	}
	return cases
}

// sessionColumns is the row that expressions are computed of.
const sessionColumns = `id INT PRIMARY KEY, i INT, u INT UNSIGNED, dcm DECIMAL(12,3), dbl DOUBLE, s VARCHAR(60),
	s2 VARCHAR(60), s3 VARCHAR(60), s4 VARCHAR(60), s6 VARCHAR(60), s7 VARCHAR(60), s8 VARCHAR(60),
	f VARCHAR(60), c CHAR(10), d DATE, dz DATE, dt DATETIME(6), dt2 DATETIME(6), dt3 DATETIME(6), ts TIMESTAMP(6) NULL,
	t TIME(6), j JSON, b VARBINARY(60), b16 VARBINARY(16), y YEAR`

const sessionRow = `255, 256, 10.125, 2.5, 'aBc', '05 March 2024', 'a\\xb', 'a\nb', '2024-02-31', '0000-00-00',
	'2024-03-05 10:00:00+07:00', '%M', 'ab', '2024-03-04', '2024-03-00',
	'2024-12-31 23:59:59.999999', '2024-02-29 08:00:00', '2000-01-01', FROM_UNIXTIME(1709175600.5), '23:59:59.999999',
	'{"a":"x","d":"2024-03-05 10:00:00+07:00"}', X'C39F', X'2914A7C0266D33D15642F71C4FEB5ADE', 2024`

// baseSession is what a move's own sessions on a target compute with (pkg/db/mysql/wire, session_variables.go).
const baseSession = "SET SESSION sql_mode = " +
	"'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', " +
	"timestamp = 1600000000"

// hostileSessions are settings by variable, those that only one family has among them.
func hostileSessions(maria bool) map[string][]string {
	modes := `PAD_CHAR_TO_FULL_LENGTH NO_UNSIGNED_SUBTRACTION ERROR_FOR_DIVISION_BY_ZERO PIPES_AS_CONCAT
		HIGH_NOT_PRECEDENCE REAL_AS_FLOAT NO_BACKSLASH_ESCAPES ANSI_QUOTES IGNORE_SPACE NO_ZERO_DATE
		NO_ZERO_IN_DATE ONLY_FULL_GROUP_BY ANSI`
	all := map[string][]string{
		"time_zone": {"'+09:30'", "'-08:00'"}, "div_precision_increment": {"0", "20"}, "lc_time_names": {"'de_DE'"},
		"default_week_format": {"3", "6"}, "timestamp": {"86400*365"}, "group_concat_max_len": {"4"},
		"character_set_connection": {"ucs2", "latin1"}, "character_set_client": {"gbk", "binary"},
		"collation_connection": {"utf8mb4_bin", "utf8mb4_turkish_ci"},
		"collation_database":   {"ucs2_bin"}, "collation_server": {"ucs2_bin"},
		"rand_seed1": {"5"}, "insert_id": {"77"}, "last_insert_id": {"77"}, "sql_auto_is_null": {"1"},
		"lc_messages": {"'de_DE'"}, "max_sort_length": {"64"},
		"explicit_defaults_for_timestamp": {"0"}, "sql_safe_updates": {"1"},
	}
	if maria {
		modes += " TIME_ROUND_FRACTIONAL EMPTY_STRING_IS_NULL ORACLE MSSQL"
		all["default_regex_flags"] = []string{"'DOTALL,EXTENDED'"}
		all["old_mode"] = []string{"''"}
	} else {
		modes += " TIME_TRUNCATE_FRACTIONAL"
		all["default_collation_for_utf8mb4"] = []string{"utf8mb4_general_ci"}
		all["block_encryption_mode"] = []string{"'aes-256-ecb'"}
	}
	all["sql_mode"] = []string{"''"}
	for _, mode := range strings.Fields(modes) {
		all["sql_mode"] = append(all["sql_mode"], "'"+mode+"'")
	}
	return all
}

// TestSessionExpressions computes stored columns in sessions of every kind. Those whose values differ from what a
// session of a move computes must be reported, with the variable; no others may be.
func TestSessionExpressions(t *testing.T) {
	for _, s := range schemaServers(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newSessionWorld(t, s)
			for variable, values := range hostileSessions(s.flavor.Family == schema.MariaDB) {
				for _, value := range values {
					w.compute(t, variable, value)
				}
			}
			seen, told := w.compare(t)
			assert.Greater(t, seen, 120, "expressions")
			assert.Greater(t, told, 15, "that depend on the session")
		})
	}
}

// TestSessionPartitions: servers refuse partition functions that depend on the session. So a partition can depend on
// it only through a generated column.
func TestSessionPartitions(t *testing.T) {
	for _, s := range schemaServers(t) {
		s.fresh(t, "session_p")
		for function, allowed := range map[string]bool{
			"UNIX_TIMESTAMP(ts)": true, "YEAR(d)": true, "HOUR(ts)": false, "TO_DAYS(ts)": false,
			"UNIX_TIMESTAMP(d)": false, "FROM_UNIXTIME(i)": false, "WEEK(d)": false, "i / 2": false,
			"DAYNAME(d)": false,
		} {
			_, err := s.db.ExecContext(t.Context(), "CREATE TABLE session_p.t (i INT, d DATE, ts TIMESTAMP NOT NULL) "+
				"PARTITION BY RANGE ("+function+") (PARTITION p VALUES LESS THAN MAXVALUE)")
			assert.Equal(t, allowed, err == nil, "%s: %s: %v", s.name, function, err)
			s.exec(t, "DROP TABLE IF EXISTS session_p.t")
		}
	}
}

// TestSessionFunctionsAreProved: every function that is listed as depending on the session is in an expression that
// shows it.
func TestSessionFunctionsAreProved(t *testing.T) {
	for _, name := range mysql.SessionFunctions() {
		assert.True(t, slices.ContainsFunc(sessionCases, func(c sessionCase) bool {
			return strings.Contains(c.expr, name+"(") && c.uses != "" && !strings.HasPrefix(c.uses, "?")
		}), name)
	}
}

// sessionWorld is the tables of one server: the expressions that it takes, those that are safe together.
type sessionWorld struct {
	*schemaServer
	own    *sql.Conn // a session of a move
	names  string
	made   int
	tables []*sessionTable
	row    int            // the last one inserted
	rows   map[int]string // setting by row
}

// sessionTable has a column for each of some cases. Where a row cannot be computed as a whole, each case gets a table
// of its own.
type sessionTable struct {
	name    string
	cases   []sessionCase
	singles []*sessionTable
	broken  map[int]bool // rows that could not be inserted
}

func newSessionWorld(t *testing.T, s *schemaServer) *sessionWorld {
	t.Helper()
	w := &sessionWorld{schemaServer: s, rows: map[int]string{}}
	s.fresh(t, "session_x")
	s.exec(t, "ALTER DATABASE session_x DEFAULT CHARACTER SET utf8mb4")
	w.own = w.session(t, "timestamp", "1600000000")
	t.Cleanup(func() { _ = w.own.Close() })
	exec := func(statement string) error {
		_, err := w.own.ExecContext(context.WithoutCancel(t.Context()), statement)
		return err
	}
	require.NoError(t, exec("CREATE TABLE session_x.base ("+sessionColumns+")"))
	require.NoError(t, exec("INSERT INTO session_x.base VALUES (1, "+sessionRow+")"))
	for i, column := range regexp.MustCompile(`, |,\s+`).Split(sessionColumns, -1) {
		if name := strings.Fields(column)[0]; i > 0 {
			w.names += ", " + name
		}
	}
	var all []sessionCase
	for _, c := range sessionCases {
		if s.flavor.Family == schema.MariaDB && c.mariadb != "" {
			c.uses = strings.TrimPrefix(c.mariadb, "none")
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b sessionCase) int {
		return strings.Compare(fmt.Sprint(a.update), fmt.Sprint(b.update))
	})
	inserts := slices.IndexFunc(all, func(c sessionCase) bool { return c.update })
	for group := range sessionGroups(all[:inserts], all[inserts:]) {
		forbidden := func(cases ...sessionCase) bool {
			err := exec(createSession("probe", cases))
			if err == nil {
				require.NoError(t, exec("DROP TABLE session_x.probe"))
			}
			return err != nil
		}
		if forbidden(group...) { // what a server does not allow in a stored column needs no answer
			group = slices.DeleteFunc(group, func(c sessionCase) bool { return forbidden(c) })
		}
		w.add(t, group)
	}
	return w
}

// sessionGroups cuts lists into what a table holds.
func sessionGroups(lists ...[]sessionCase) iter.Seq[[]sessionCase] {
	return func(yield func([]sessionCase) bool) {
		for _, list := range lists {
			for group := range slices.Chunk(list, 20) {
				if !yield(group) {
					return
				}
			}
		}
	}
}

// add makes a table.
func (w *sessionWorld) add(t *testing.T, cases []sessionCase) *sessionTable {
	t.Helper()
	table := &sessionTable{name: fmt.Sprintf("t%d", w.made), cases: cases, broken: map[int]bool{}}
	w.made++
	w.exec(t, createSession(table.name, cases))
	if len(cases) > 1 {
		w.tables = append(w.tables, table)
	}
	return table
}

func createSession(name string, cases []sessionCase) string {
	create := "CREATE TABLE session_x." + name + " (" + sessionColumns + ", virt BIGINT AS (ts + 0) VIRTUAL"
	for i, c := range cases {
		kind := c.column
		if kind == "" {
			kind = "VARCHAR(300)"
		}
		create += fmt.Sprintf(", g%d %s AS (%s) STORED", i, kind, c.expr)
	}
	return create + ")"
}

// session opens a session of a move in which one variable is another.
func (w *sessionWorld) session(t *testing.T, variable, value string) *sql.Conn {
	t.Helper()
	conn, err := w.db.Conn(t.Context())
	require.NoError(t, err)
	for _, statement := range []string{baseSession, "SET SESSION " + variable + " = " + value} {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err, "%s: %s", w.name, statement)
	}
	return conn
}

// compute inserts the row into every table in a session of its own, which is the first to open the tables.
func (w *sessionWorld) compute(t *testing.T, variable, value string) {
	t.Helper()
	conn := w.session(t, variable, value)
	defer func() {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // nobody else should get it
		_ = conn.Close()
	}()
	w.exec(t, "FLUSH TABLES")
	w.row++
	w.rows[w.row] = variable + " = " + value
	for _, table := range w.tables {
		if w.insert(t, conn, table) {
			continue
		}
		if table.singles == nil {
			for _, c := range table.cases {
				table.singles = append(table.singles, w.add(t, []sessionCase{c}))
			}
		}
		for _, single := range table.singles {
			w.insert(t, conn, single)
		}
	}
}

// insert tells whether a session can compute the row.
func (w *sessionWorld) insert(t *testing.T, conn *sql.Conn, table *sessionTable) bool {
	t.Helper()
	insert := fmt.Sprintf("INSERT INTO session_x.%s (id%s) SELECT %d%s FROM session_x.base",
		table.name, w.names, w.row, w.names)
	if table.cases[0].update {
		update := fmt.Sprintf("UPDATE session_x.%s SET i = i - 1 WHERE id = %d", table.name, w.row)
		for _, statement := range []string{insert, update, "FLUSH TABLES"} {
			_, err := w.own.ExecContext(t.Context(), statement)
			require.NoError(t, err, statement)
		}
		insert = fmt.Sprintf("UPDATE session_x.%s SET i = i + 1 WHERE id = %d", table.name, w.row)
	}
	_, err := conn.ExecContext(t.Context(), insert)
	table.broken[w.row] = err != nil
	return err == nil
}

// compare sees that every value that is another than a move's session computes is told, and the other way round.
func (w *sessionWorld) compare(t *testing.T) (seen, told int) {
	t.Helper()
	w.compute(t, "timestamp", "1600000000")
	base := w.row
	for _, table := range w.tables {
		parsed := w.read(t, schema.Name{Database: "session_x", Table: table.name})
		for i, c := range table.cases {
			seen++
			column := fmt.Sprintf("g%d", i)
			values, broken := w.values(t, table.name, column), table.broken
			if table.singles != nil {
				broken = table.singles[i].broken
				maps.Copy(values, w.values(t, table.singles[i].name, "g0"))
			}
			changed := map[string]bool{}
			for row, setting := range w.rows {
				// A session that cannot compute it writes no row: nothing to carry.
				variable, _, _ := strings.Cut(setting, " = ")
				if !broken[row] && values[row] != "" && (broken[base] || values[row] != values[base]) {
					changed[variable] = true
				}
			}
			var expected []string
			for _, use := range strings.Split(c.uses, ",") {
				variable := strings.TrimLeft(use, "~?")
				if variable != "" {
					expected = append(expected, strings.TrimPrefix(strings.Replace(use, "?", "~", 1), ""))
				}
				if variable != "" && !strings.HasPrefix(use, "?") {
					assert.True(t, changed[variable], "%s does not change with %s", c.expr, variable)
				}
				delete(changed, variable)
			}
			if slices.Contains(expected, "timestamp") { // what the present day is depends on the time zone too
				delete(changed, "time_zone")
				delete(changed, "old_mode")
			}
			assert.Empty(t, changed, "%s: %s changes with other variables", w.name, c.expr)
			var got []string
			for _, use := range mysql.SessionUses(parsed, &parsed.Columns[parsed.Column(column)]) {
				mark := ""
				if use.Rare {
					mark = "~"
				}
				got = append(got, mark+use.Variable)
			}
			assert.ElementsMatch(t, expected, got, "%s: %s", w.name, c.expr)
			if len(got) > 0 {
				told++
			}
		}
	}
	return seen, told
}

// values returns a column's values by row.
func (w *sessionWorld) values(t *testing.T, table, column string) map[int]string {
	t.Helper()
	same := "1"
	for _, name := range strings.Split(strings.TrimPrefix(w.names, ", "), ", ") {
		// A session may be unable to write some value of the row.
		same += " AND HEX(t." + name + ") <=> HEX(b." + name + ")"
	}
	rows, err := w.db.QueryContext(t.Context(), "SELECT t.id, HEX(t."+column+") FROM session_x."+table+" t, "+
		"session_x.base b WHERE "+same)
	require.NoError(t, err)
	defer rows.Close()
	values := map[int]string{}
	for rows.Next() {
		var id int
		var value sql.NullString
		require.NoError(t, rows.Scan(&id, &value))
		values[id] = fmt.Sprint(value.Valid, value.String)
	}
	require.NoError(t, rows.Err())
	return values
}
