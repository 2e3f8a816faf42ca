package test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// Values to compute with: # stands for each of them in turn.
var (
	expressionNumbers = []string{"0", "1", "-1", "2.5", "-2.5", "255", "NULL", "123456789", "0.1"}
	expressionTexts   = []string{
		"''", "'abc'", "'ÄÖü€'", "' x '", "'a,b,c'", "'12'", "NULL", "'AbC'", "'192.168.1.1'",
		"'::1'",
	}
	expressionDates = []string{
		"'2020-02-29'", "'2020-02-29 23:59:59.999999'", "'1999-12-31 00:00:00'", "NULL",
		"timestamp'2021-06-15 01:02:03.5'", "date'2021-01-03'",
	}
	expressionTimes  = []string{"'10:11:12'", "'-800:00:01'", "'00:00:00.5'", "NULL"}
	expressionShapes = []string{
		"st_geomfromtext('POINT(1 2)')", "st_geomfromtext('LINESTRING(0 0,3 4)')",
		"st_geomfromtext('POLYGON((0 0,4 0,4 4,0 4,0 0))')",
	}
	expressionJSON = []string{`'{"a": 1, "b": [1, 2, {"c": null}]}'`, `'[1, 2, "x"]'`, `'3'`, `'"s"'`, `NULL`, `'{}'`}
)

// expressions are what both families compute alike, and are therefore let across.
var expressions = []struct {
	values    []string
	templates string // separated by ;
}{
	{
		expressionNumbers,
		"abs(#);acos(#);asin(#);atan(#);atan2(#,2);bin(#);bit_count(#);ceil(#);ceiling(#);conv(#,10,16);cos(#);" +
			"crc32(#);degrees(#);floor(#);format(#,2);hex(#);ln(#);log(#);log10(#);oct(#);radians(#);sign(#);sin(#);" +
			"sqrt(#);tan(#);to_days(from_unixtime(abs(#)));truncate(#,0);round(#);round(#,1);mod(#,3);" +
			"pow(abs(#),0.5);power(#,2);ifnull(#,7);nullif(#,1);coalesce(#,5);interval(#,1,2);# div 3;# + 1;# * 2;" +
			"# / 3;# | 1;# & 7;# ^ 3;# << 2;# xor 1;cast(# as char);cast(# as signed);cast(# as decimal(12,3));" +
			"greatest(#,0,1);least(#,0,1);case # when 1 then 'x' else 'y' end;# in (1,2);# between 0 and 9;# is null;" +
			"if(# > 0,'a','b');elt(#,'a','b');sec_to_time(#);inet_ntoa(#);make_set(#,'a','b');field(#,1,2);" +
			"export_set(5,'Y','N',',',4);maketime(1,2,#);makedate(2020,abs(#));period_add(202001,#);from_unixtime(#)",
	},
	{
		expressionTexts,
		"ascii(#);bit_length(#);char_length(#);character_length(#);hex(#);lcase(#);length(#);lower(#);ltrim(#);" +
			"octet_length(#);ord(#);quote(#);reverse(#);rtrim(#);soundex(#);to_base64(#);trim(#);" +
			"trim(leading 'a' from #);ucase(#);upper(#);crc32(#);sha2(#,256);isnull(#);hex(unhex(hex(#)));" +
			"hex(from_base64(to_base64(#)));inet_aton(#);hex(inet6_aton(#));inet6_ntoa(inet6_aton(#));concat(#,'x');" +
			"concat_ws('-',#,'x',NULL);left(#,2);right(#,2);lpad(#,5,'*');rpad(#,5,'*');repeat(#,2);" +
			"replace(#,'b','zz');instr(#,'b');locate('b',#,1);position('b' in #);substring_index(#,',',2);" +
			"substr(#,2);substring(#,-2,1);mid(#,1,2);insert(#,2,1,'ZZ');strcmp(#,'b');find_in_set('b',#);" +
			"# like '%b%';# regexp 'b+';# rlike '^a';cast(# as char(3));convert(# using utf8mb4);json_quote(#);" +
			"json_valid(#);json_array(#,1);binary # = 'abc'",
	},
	{
		expressionDates,
		"dayname(#);dayofmonth(#);dayofweek(#);dayofyear(#);last_day(#);month(#);monthname(#);quarter(#);to_days(#);" +
			"to_seconds(#);week(#);weekday(#);weekofyear(#);year(#);yearweek(#);" +
			"date_format(#,'%Y-%m-%d %H:%i:%s.%f %a %b %c %D %e %j %k %l %M %p %r %T %U %u %V %v %W %w %X %x %y %%');" +
			"date_add(#, interval 1 month);date_sub(#, interval '1:2' minute_second);adddate(#, interval 2 week);" +
			"adddate(#,5);subdate(#,5);subdate(#, interval 1 day);datediff(#,'2010-01-01');" +
			"timestampdiff(second,#,'2022-03-04 05:06:07');timestampdiff(month,#,'2022-03-04 05:06:07');" +
			"timestampadd(week,3,#);extract(year_month from #);extract(week from #);" +
			"str_to_date(date_format(#,'%d.%m.%Y'),'%d.%m.%Y');convert_tz(#,'+00:00','+05:30');cast(# as date);" +
			"cast(# as datetime(6));period_diff(extract(year_month from #),201912)",
	},
	{expressionTimes, "hour(#);minute(#);second(#);microsecond(#);time_format(#,'%H:%i:%s.%f')"},
	{
		expressionShapes,
		"st_srid(#);st_geometrytype(#);st_dimension(#);st_isempty(#);st_numpoints(#);hex(st_startpoint(#));" +
			"hex(st_endpoint(#));hex(st_exteriorring(#))",
	},
	{
		expressionJSON,
		"json_extract(#,'$.a');json_extract(#,'$.b[*]');json_unquote(#);json_unquote(json_extract(#,'$.b[2]'));" +
			"json_type(#);json_length(#);json_depth(#);json_keys(#);json_contains_path(#,'one','$.a','$.z');" +
			"json_search(#,'one','x');json_overlaps(#,'[1]')",
	},
	{
		[]string{"1"},
		"hex(point(#,2));hex(linestring(point(#,2),point(3,4)));" +
			"hex(polygon(linestring(point(0,0),point(0,#),point(1,1),point(0,0))));st_x(point(#,2));st_y(point(#,2));" +
			"hex(st_geomfromwkb(unhex('0101000000000000000000F03F0000000000000040')));" +
			"hex(st_pointfromtext('POINT(1 2)'));pi();get_format(date,'EUR');rand(#);length(random_bytes(#));" +
			"length(uuid());uuid_short() > 0;length(now());length(curdate());length(utc_timestamp());" +
			"length(unix_timestamp()) > 0",
	},
}

// foreign are what the families compute differently, or one of them not at all, and what shows it. They are refused.
var foreignExpressions = []string{
	"log2(123456789)", "time_to_sec('00:00:00.5')", "timediff('2020-02-29','2020-02-28 00:00:00')",
	"json_object('z',1,'a',2)", `json_value('{"a": [1]}','$.a')`,
	"json_contains('3','1','$.a')", "from_days(1)", "unix_timestamp('0000-00-00')", "regexp_substr('','[a-c]+')",
	"is_ipv4(NULL)", "is_ipv4_mapped(NULL)", "subtime('2020-02-29','01:00:00.5')", "addtime('2020-02-29','01:00:00.5')",
	"uncompressed_length('abc')", "bin_to_uuid(unhex('00112233445566778899aabbccddeeff'))", "nvl(NULL,1)", "chr(65)",
	"regexp_like('a','a')", "json_pretty('[1]')", "st_length(point(1,2))",
}

// TestExpressions computes every expression on both families, and sees that those alike are let across and the others
// are not.
func TestExpressions(t *testing.T) {
	families := map[bool]*schemaServer{}
	for _, s := range schemaServers(t) {
		families[s.flavor.Family == schema.MariaDB] = s
	}
	if len(families) < 2 {
		t.Skip("only one family of servers")
	}
	conns := map[bool]*sql.Conn{}
	for maria, s := range families {
		conn, err := s.db.Conn(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		for _, set := range []string{
			"sql_mode=''", "time_zone='+00:00'", "timestamp=1600000000",
			"NAMES utf8mb4 COLLATE utf8mb4_general_ci",
		} {
			_, err := conn.ExecContext(t.Context(), "SET "+set)
			require.NoError(t, err)
		}
		conns[maria] = conn
	}
	compute := func(maria bool, expr string) string {
		var value sql.NullString
		if err := conns[maria].QueryRowContext(context.WithoutCancel(t.Context()),
			"SELECT CAST("+expr+" AS CHAR)").Scan(&value); err != nil {
			return "error"
		}
		if !value.Valid {
			return "NULL"
		}
		return "'" + value.String + "'"
	}
	crosses := func(maria bool, expr string) bool {
		expr = strings.ReplaceAll(expr, "#", "`id`")
		from, to := families[maria], families[!maria]
		table, err := mysql.ParseCreate("CREATE TABLE `t` (`id` int DEFAULT ("+expr+")) ENGINE=InnoDB DEFAULT "+
			"CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
			schema.Name{Database: "d", Table: "t"}, from.flavor, from.Collations)
		require.NoError(t, err, expr)
		_, losses, err := mysql.New(to.flavor, to.Collations).Map(table, table.Name, nil)
		require.NoError(t, err)
		for _, loss := range losses {
			if loss.Grade == schema.Fatal {
				return false
			}
		}
		return true
	}
	computed := 0
	for _, group := range expressions {
		for _, template := range strings.Split(group.templates, ";") {
			assert.True(t, crosses(false, template) && crosses(true, template), "%s is refused", template)
			for _, value := range group.values {
				expr := strings.ReplaceAll(template, "#", value)
				assert.Equal(t, compute(false, expr), compute(true, expr), expr)
				computed++
			}
		}
	}
	assert.Greater(t, computed, 1000)
	for _, expr := range foreignExpressions {
		assert.NotEqual(t, compute(false, expr), compute(true, expr), "%s is alike", expr)
		assert.False(t, crosses(false, expr) || crosses(true, expr), "%s is let across", expr)
	}
	assert.False(t, crosses(true, "md5('a')"), "MySQL 9.7 has no MD5")
	assert.True(t, crosses(false, "md5('a')"), "MariaDB has it")
}
