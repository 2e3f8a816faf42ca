package postgres

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// mapped maps a table of one body to shop.t and returns it with its losses as "grade name column" words.
func mapped(t *testing.T, d Dialect, flavor mysql.Flavor, body string) (*schema.Table, []string) {
	t.Helper()
	plan, losses, err := d.Map(sourceTable(t, flavor, "t", body), schema.Name{Database: "shop", Table: "t"}, keep)
	require.NoError(t, err, body)
	var words []string
	for _, loss := range losses {
		words = append(words, strings.TrimSpace(loss.Grade.String()+" "+loss.Name+" "+loss.Column))
	}
	return plan, words
}

// everyType is what each type of the source becomes, with what that loses.
var everyType = []struct {
	source string // of column a
	type_  string
	losses string // separated by commas
}{
	{"tinyint", "smallint", ""},
	{"tinyint(1)", "smallint", ""},
	{"tinyint unsigned", "smallint", ""},
	{"smallint", "smallint", ""},
	{"smallint unsigned", "integer", ""},
	{"mediumint", "integer", ""},
	{"mediumint unsigned", "integer", ""},
	{"int", "integer", ""},
	{"int unsigned", "bigint", ""},
	{"int(5) unsigned zerofill", "bigint", ""},
	{"bigint", "bigint", ""},
	{"bigint unsigned", "numeric(20,0)", ""},
	{"decimal(65,30)", "numeric(65,30)", ""},
	{"decimal(5,0) unsigned", "numeric(5,0)", ""},
	{"float", "real", ""},
	{"float(7,3)", "real", ""},
	{"double", "double precision", ""},
	{"bit(1)", "boolean", ""},
	{"bit(64)", "bit(64)", ""},
	{"year", "smallint", ""},
	{"date", "date", "rare zero-date a"},
	{"datetime", "timestamp(0) without time zone", "rare zero-date a"},
	{"datetime(6)", "timestamp without time zone", "rare zero-date a"},
	{"timestamp(3) NULL", "timestamp(3) with time zone", "rare zero-date a"},
	{"time(2)", "time(2) without time zone", "note range a"},
	{"char(10) COLLATE utf8mb4_0900_bin", "character varying(10)", "rare zero-byte a"},
	{"varchar(300)", "character varying(300)", "rare zero-byte a,loss collation a"},
	{"varchar(0) COLLATE utf8mb4_0900_bin", "text", "rare zero-byte a"},
	{"varchar(9) COLLATE utf8mb4_0900_ai_ci", "character varying(9)", "rare zero-byte a,loss collation a"},
	{"varchar(9) CHARACTER SET latin1 COLLATE latin1_bin", "character varying(9)", "rare zero-byte a,loss collation a"},
	{"tinytext COLLATE utf8mb4_0900_bin", "text", "rare zero-byte a"},
	{"longtext COLLATE utf8mb4_0900_bin", "text", "rare zero-byte a"},
	{"binary(16)", "bytea", ""},
	{"varbinary(20)", "bytea", ""},
	{"longblob", "bytea", ""},
	{"enum('a','b''c')", "text", "loss enum a,note range a"},
	{"set('a','b')", "text[]", "loss set a"},
	{"json", "jsonb", ""},
	{"geometry", "bytea", "loss geometry a"},
	{"point /*!80003 SRID 4326 */", "bytea", "loss geometry a"},
	{"vector(3)", "real[]", "loss vector-array a"},
	{"uuid", "uuid", "loss uuid-order a"},
	{"inet4", "inet", ""},
	{"inet6", "inet", ""},
	{"longtext COLLATE utf8mb4_bin CHECK (json_valid(`a`))", "jsonb", "loss json-text a,rare zero-byte a"},
}

func TestEveryType(t *testing.T) {
	d := dialectWith(t, Options{})
	for _, c := range everyType {
		plan, losses := mapped(t, d, mysql97, "`a` "+c.source+" DEFAULT NULL")
		assert.Equal(t, c.type_, plan.Columns[0].Type.Text, c.source)
		assert.Equal(t, c.losses, strings.Join(losses, ","), c.source)
		assert.Equal(t, plan.Columns[0].Type.Text, ParseType(plan.Columns[0].Type.Text).Text, "as it is read back")
	}
}

// TestPostGIS: with the extension geometries have its type.
func TestPostGIS(t *testing.T) {
	d := dialectWith(t, Options{PostGIS: true})
	for source, want := range map[string]string{
		"geometry": "geometry", "point": "geometry(Point)", "point /*!80003 SRID 4326 */": "geometry(Point,4326)",
		"multipolygon": "geometry(MultiPolygon)",
	} {
		plan, losses := mapped(t, d, mysql97, "`a` "+source+" NOT NULL, SPATIAL KEY `s` (`a`)")
		assert.Equal(t, want, plan.Columns[0].Type.Text)
		assert.Equal(t, want, ParseType("public."+want).Text, "the schema of the extension is left out")
		assert.Empty(t, losses)
		assert.Contains(t, d.CreateTable(plan, false)[1], "USING gist")
	}
}

// TestTypesOfTheUser: rules for types and columns, the most particular first.
func TestTypesOfTheUser(t *testing.T) {
	d := dialectWith(t, Options{Types: map[string]string{
		"tinyint(1)": "boolean", "shop.*.id": "uuid", "shop.t.n": "integer", "*.*.*": "text", "enum": "varchar",
		"time": "interval", "set": "text", "json": "json", "bigint unsigned": "bigint", "shop.none.a": "text",
	}})
	const body = "`id` binary(16) NOT NULL, `f` tinyint(1) DEFAULT '1', `n` tinyint(1), `e` enum('a') COLLATE " +
		"utf8mb4_0900_bin"
	plan, losses := mapped(t, dialectWith(t, Options{Types: map[string]string{
		"tinyint(1)": "boolean", "shop.*.id": "uuid", "shop.t.n": "integer", "enum": "varchar", "shop.t.x": "text",
	}}), mysql97, body)
	var types []string
	for _, c := range plan.Columns {
		types = append(types, c.Type.Text)
	}
	assert.Equal(t, []string{"uuid", "boolean", "integer", "character varying"}, types)
	assert.Equal(t, "true", defaultText(&plan.Columns[1]))
	assert.Empty(t, plan.Checks, "varchar has no CHECK")
	assert.Equal(t, []string{"note range f", "loss enum e"}, losses)
	assert.Equal(t, []string{"shop.none.a"}, d.Unused([]*schema.Table{sourceTable(t, mysql97, "t", body)}))

	_, losses = mapped(t, dialectWith(t, Options{Types: map[string]string{"shop.t.f": "uuid", "int": "smallint"}}),
		mysql97, "`f` int, `g` int")
	assert.Equal(t, []string{"fatal type f", "note range g"}, losses)
}

func TestOptionsAreRefused(t *testing.T) {
	for key, to := range map[string]string{"tinyint(1)": "bool ean", "nothing": "text", "a.b": "text", "int": "money"} {
		_, err := New(Options{Types: map[string]string{key: to}})
		require.ErrorContains(t, err, "types: ", key)
	}
	_, err := New(Options{Identifiers: "UPPER"})
	require.ErrorContains(t, err, "not keep, lower or snake")
}

// TestZeroDates: when they become NULL their columns take NULL, but not those of a key.
func TestZeroDates(t *testing.T) {
	const body = "`day` date NOT NULL, `made` datetime NOT NULL DEFAULT '0000-00-00 00:00:00', PRIMARY KEY (`day`)"
	for allowed, nullable := range map[bool]bool{false: false, true: true} {
		plan, losses := mapped(t, dialectWith(t, Options{ZeroDates: allowed}), mysql97, body)
		assert.False(t, plan.Columns[0].Nullable)
		assert.Equal(t, nullable, plan.Columns[1].Nullable)
		assert.Equal(t, []string{"note range day", "rare zero-date made", "loss zero-date made"}, losses)
		assert.Nil(t, plan.Columns[1].Default)
	}
}

// TestEveryLossIsMade: each loss on the way to PostgreSQL alone is the loss of some table, and no other is made that
// cannot be allowed.
func TestEveryLossIsMade(t *testing.T) {
	made := map[string]bool{}
	for _, body := range []string{
		"`a` int DEFAULT (json_array()), `b` enum('a'), `c` set('a'), `d` geometry, `e` vector(3), `f` uuid, `g` date",
		"`a` varchar(9), `b` datetime ON UPDATE CURRENT_TIMESTAMP, `c` int GENERATED ALWAYS AS (crc32(`a`)) STORED, " +
			"FULLTEXT KEY `f` (`a`), KEY `x` ((crc32(`a`))), CONSTRAINT `k` CHECK (`a` = 'x')",
		"`a` longtext CHECK (json_valid(`a`)), `p` point NOT NULL, SPATIAL KEY `s` (`p`)",
		"`a` int /*!80023 INVISIBLE */",
		"`a` int, `g` int GENERATED ALWAYS AS (`a` + 1) STORED, CONSTRAINT `f` FOREIGN KEY (`g`) REFERENCES `p` " +
			"(`id`) ON UPDATE CASCADE",
	} {
		table := sourceTable(t, mysql97, "t", body)
		_, losses, err := dialectWith(t, Options{}).Map(table, table.Name, keep)
		require.NoError(t, err)
		for _, loss := range losses {
			if loss.Grade == schema.Lossy || loss.Grade == schema.Rare {
				made[loss.Name] = true
			}
			assert.Equal(t, table.Name, loss.Table)
			assert.NotEmpty(t, loss.What)
		}
	}
	for _, loss := range schema.LossNames {
		if schema.PostgresOnly(loss.Name) {
			assert.True(t, made[loss.Name], loss.Name)
		}
		delete(made, loss.Name)
	}
	assert.Empty(t, made, "losses that cannot be allowed")
}

// TestNotTranslated: of what the servers may compute otherwise nothing is written.
func TestNotTranslated(t *testing.T) {
	const columns = "`i` int, `t` varchar(9) COLLATE utf8mb4_general_ci, `b` varchar(9), `n` varchar(9) COLLATE " +
		"utf8mb4_0900_bin, `ts` timestamp NULL, `d` datetime, `j` json, `e` enum('x','y')"
	table := sourceTable(t, mysql97, "t", columns)
	m := &mapping{
		Dialect: dialectWith(t, Options{}), source: table, held: map[string]bool{},
		target: &schema.Table{Name: table.Name},
	}
	require.NoError(t, m.nameColumns())
	for i := range table.Columns {
		m.target.Columns = append(m.target.Columns, m.column(&table.Columns[i]))
	}
	for _, expr := range []string{
		"`i` / 2", "`t` = 'a'", "`t` like 'a%'", "`b` < 'a'", "`b` = `t`", "`i` = 'a'", "`b` + 1", "hour(`ts`)",
		"`d` = `i`", "`d` + interval 1 day", "lower(`n`)", "substr(`n`,-1)", "`e` = 'z'", "`e` < 'x'", "`b` regexp 'x'",
		"`j`->>'$[0]'", "`j` = 1", "now()", "rand()", "@a", "`nothing`", "concat_ws(',',`n`)", "greatest(1,2)",
		"cast(`n` as signed)", "`i` << 1", "`i` | 1", "left(`n`,`i`)", "concat(`d`)", "`d` = 'yesterday'", "1 +",
		"char_length(`n`", "`n` like 'a\\\\%'", "date('2024-02-00')", "length(`x`)", "`i` collate utf8mb4_bin",
	} {
		_, err := m.translate(expr, asCondition)
		require.Error(t, err, expr)
	}
	_, err := m.translate("`i`", asDefault)
	assert.Error(t, err, "no default reads a column")
}

// TestNames: rules for identifiers, and names that are too long.
func TestNames(t *testing.T) {
	for name, want := range map[string][3]string{
		"OrderID": {"OrderID", "orderid", "order_id"}, "HTTPServer2Go": {
			"HTTPServer2Go", "httpserver2go",
			"http_server2_go",
		},
		"a b-c": {"a b-c", "a b-c", "a_b_c"}, "ÄÖ": {"ÄÖ", "äö", "äö"}, "x": {"x", "x", "x"},
		"already_snake": {"already_snake", "already_snake", "already_snake"},
	} {
		for i, rule := range []Identifiers{Keep, Lower, Snake} {
			assert.Equal(t, want[i], rule.Apply(name))
			assert.Equal(t, want[i], rule.Apply(rule.Apply(name)), "applied twice")
		}
	}
	long, other := strings.Repeat("ä", 40), strings.Repeat("ä", 41)
	assert.LessOrEqual(t, len(Keep.Apply(long)), MaxIdentifier)
	assert.NotEqual(t, Keep.Apply(long), Keep.Apply(other))
	assert.Equal(t, Keep.Apply(long), Keep.Apply(Keep.Apply(long)))

	_, _, err := dialectWith(t, Options{Identifiers: Snake}).Map(sourceTable(t, mysql97, "t", "`aB` int, `a_b` int"),
		schema.Name{Database: "shop", Table: "t"}, keep)
	require.ErrorContains(t, err, "columns aB and a_b would both be a_b")
	_, _, err = dialectWith(t, Options{}).Map(sourceTable(t, mysql97, "t", "`xmin` int"),
		schema.Name{Database: "shop", Table: "t"}, keep)
	require.ErrorContains(t, err, "PostgreSQL keeps for itself")
	plan, _ := mapped(t, dialectWith(t, Options{Identifiers: Snake}), mysql97, "`userID` int NOT NULL, `x` int "+
		"GENERATED ALWAYS AS (`userID` + 1) STORED, PRIMARY KEY (`userID`), KEY `byUser` (`x`)")
	assert.Equal(t, "userID", plan.Columns[0].From)
	assert.Equal(t, `("user_id"::bigint + 1::bigint)`, plan.Columns[1].Expr)
	assert.Equal(t, "t_by_user", plan.Indexes[0].Name)
}
