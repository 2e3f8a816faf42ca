package mysql

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

var objectSets = Collations{Known: map[string]string{
	"utf8mb4_general_ci": "utf8mb4", "utf8mb4_bin": "utf8mb4",
	"latin1_swedish_ci": "latin1", "utf8mb4_uca1400_nopad_ai_ci": "utf8mb4",
}}

// object reads a definition as of MySQL, unless the flavor is given.
func object(t *testing.T, kind schema.ObjectKind, definition string, change ...func(*schema.Object)) *schema.Object {
	t.Helper()
	o := &schema.Object{
		Kind: kind, Name: schema.Name{Database: "shop", Table: "o"}, Definition: definition,
		Flavor: schema.Flavor(mysql97), Columns: []string{"a"},
		Session: schema.Session{Charset: "utf8mb4", Collation: "utf8mb4_general_ci"},
	}
	if kind == schema.TriggerObject {
		o.Table = schema.Name{Database: "shop", Table: "orders"}
	}
	for _, c := range change {
		c(o)
	}
	if definition != "" {
		require.NoError(t, ParseObject(o), definition)
	}
	return o
}

func mode(m string) func(*schema.Object) { return func(o *schema.Object) { o.Session.SQLMode = m } }

func ofMariaDB(o *schema.Object) { o.Flavor = schema.Flavor(mariadb101) }

// same leaves every name as it is; moved gives the database, and one table in it, another.
var (
	same = schema.Places{
		Tables: map[schema.Name]schema.Name{
			{Database: "shop", Table: "orders"}: {Database: "shop", Table: "orders"},
			{Database: "shop", Table: "items"}:  {Database: "shop", Table: "items"},
			{Database: "shop", Table: "o"}:      {Database: "shop", Table: "o"},
		},
		Homes: map[string]string{"shop": "shop"},
	}
	moved = schema.Places{
		Tables: map[schema.Name]schema.Name{
			{Database: "shop", Table: "orders"}: {Database: "new", Table: "orders"},
			{Database: "shop", Table: "items"}:  {Database: "new", Table: "things"},
			{Database: "shop", Table: "o"}:      {Database: "new", Table: "o"},
		},
		Homes: map[string]string{"shop": "new"},
	}
	moved1 = schema.Places{ // every table keeps its own name
		Tables: map[schema.Name]schema.Name{
			{Database: "shop", Table: "orders"}: {Database: "new", Table: "orders"},
			{Database: "shop", Table: "o"}:      {Database: "new", Table: "o"},
		},
		Homes: map[string]string{"shop": "new"},
	}
)

const by = "DEFINER=`a``b`@`%` "

// TestObjectsAreWritten: what SHOW CREATE printed becomes the statement for the target; the rest of the text stays,
// to the byte.
func TestObjectsAreWritten(t *testing.T) {
	for title, c := range map[string]struct {
		o      *schema.Object
		places schema.Places
		want   string
	}{
		"view": {
			object(t, schema.ViewObject, "CREATE ALGORITHM=MERGE "+by+"SQL SECURITY INVOKER VIEW `o` AS select "+
				"`shop`.`orders`.`a` AS `a` from `shop`.`orders` WITH CASCADED CHECK OPTION"),
			same, "CREATE ALGORITHM=MERGE " + by + "SQL SECURITY INVOKER VIEW `shop`.`o` AS select " +
				"`shop`.`orders`.`a` AS `a` from `shop`.`orders` WITH CASCADED CHECK OPTION",
		},
		"view of another database and a renamed table": {
			object(t, schema.ViewObject, "CREATE "+by+"VIEW `o` AS select `shop`.`items`.`a` AS `a`,`x`.`b` AS "+
				"`shop` from (`shop`.`items` join `shop`.`orders` `x`) where `f`(`shop`.`g`(1))"),
			moved, "CREATE " + by + "VIEW `new`.`o` AS select `items`.`a` AS `a`,`x`.`b` AS `shop` from " +
				"(`new`.`things` `items` join `new`.`orders` `x`) where `f`(`new`.`g`(1))",
		},
		"view of a renamed table with an alias": {
			object(t, schema.ViewObject, "CREATE "+by+"VIEW `o` AS select `i`.`a` AS `a` from `shop`.`items` `i`"),
			moved, "CREATE " + by + "VIEW `new`.`o` AS select `i`.`a` AS `a` from `new`.`things` `i`",
		},
		"view of a view that has an alias, as MySQL prints it": {
			object(t, schema.ViewObject, "CREATE "+by+"VIEW `o` AS select `shop`.`b`.`id` AS `id`,`x`.`a` AS `a` "+
				"from (`shop`.`orders` `b` join json_table(`shop`.`b`.`j`, '$[*]' columns (`a` int path '$')) `x`) "+
				"where (`shop`.`items`.`a` = any (select `shop`.`items`.`a` from `shop`.`items`))"),
			moved, "CREATE " + by + "VIEW `new`.`o` AS select `b`.`id` AS `id`,`x`.`a` AS `a` from (`new`.`orders` " +
				"`b` join json_table(`b`.`j`, '$[*]' columns (`a` int path '$')) `x`) where (`items`.`a` = any " +
				"(select `items`.`a` from `new`.`things` `items`))",
		},
		"an alias that is the name of another table": {
			object(t, schema.ViewObject, "CREATE "+by+"VIEW `o` AS select `shop`.`items`.`id` AS `id` from "+
				"`shop`.`orders` `items`"),
			moved, "CREATE " + by + "VIEW `new`.`o` AS select `items`.`id` AS `id` from `new`.`orders` `items`",
		},
		"procedure": {
			object(t, schema.Procedure, "CREATE "+by+"PROCEDURE `o`(IN x INT)\n    COMMENT 'it''s'\nBEGIN -- "+
				"don't\n SELECT \"orders\", shop.orders.a FROM shop.orders; CALL shop.p(1); # shop.orders\nEND"),
			moved1, "CREATE " + by + "PROCEDURE `new`.`o` (IN x INT)\n    COMMENT 'it''s'\nBEGIN -- don't\n SELECT " +
				"\"orders\", `new`.`orders`.a FROM `new`.`orders`; CALL `new`.p(1); # shop.orders\nEND",
		},
		"procedure with quoted names": {
			object(t, schema.Procedure, `CREATE `+by+`PROCEDURE "o"() SELECT '\' FROM "shop"."orders", "a\"`,
				mode("ANSI_QUOTES,NO_BACKSLASH_ESCAPES")),
			moved1, "CREATE " + by + "PROCEDURE `new`.`o` () SELECT '\\' FROM `new`.`orders`, \"a\\\"",
		},
		"trigger as it was typed": {
			object(t, schema.TriggerObject, "CREATE "+by+"TRIGGER shop . o\nafter Insert on shop.orders for each "+
				"row follows other SET @a = NEW.orders_id", ofMariaDB),
			moved1, "CREATE " + by + "TRIGGER `new`.`o` AFTER INSERT ON `new`.`orders` FOR EACH ROW SET @a = " +
				"NEW.orders_id",
		},
		"event": {
			object(t, schema.EventObject, "CREATE "+by+"EVENT `o` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 "+
				"00:00:00' ON COMPLETION NOT PRESERVE ENABLE COMMENT 'DISABLE' DO SELECT 1"),
			same, "CREATE " + by + "EVENT `shop`.`o` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ON " +
				"COMPLETION NOT PRESERVE DISABLE COMMENT 'DISABLE' DO SELECT 1",
		},
		"event of a replica": {
			object(t, schema.EventObject, "CREATE "+by+"EVENT `o` ON SCHEDULE AT '2030-01-01 00:00:00' ON "+
				"COMPLETION PRESERVE DISABLE ON SLAVE DO SELECT 1"),
			same, "CREATE " + by + "EVENT `shop`.`o` ON SCHEDULE AT '2030-01-01 00:00:00' ON COMPLETION PRESERVE " +
				"DISABLE DO SELECT 1",
		},
		"another definer": {
			object(t, schema.Function, "CREATE "+by+"FUNCTION `o`() RETURNS int\n    DETERMINISTIC\nRETURN 1"),
			schema.Places{Homes: same.Homes, Definer: schema.Account{User: "c@d", Host: "10.%"}},
			"CREATE DEFINER=`c@d`@`10.%` FUNCTION `shop`.`o` () RETURNS int\n    DETERMINISTIC\nRETURN 1",
		},
		"whoever creates it": {
			object(t, schema.Function, "CREATE "+by+"AGGREGATE FUNCTION `o`() RETURNS int RETURN 1"),
			schema.Places{Homes: same.Homes, Current: true},
			"CREATE AGGREGATE FUNCTION `shop`.`o` () RETURNS int RETURN 1",
		},
	} {
		t.Run(title, func(t *testing.T) {
			d := New(Flavor(c.o.Flavor), objectSets)
			target, remarks := d.MapObject(c.o, c.places)
			assert.Empty(t, remarks)
			assert.Equal(t, c.want, d.CreateObject(target))
		})
	}
}

// TestObjectsRefused: what cannot be moved for sure is not.
func TestObjectsRefused(t *testing.T) {
	for title, c := range map[string]struct {
		o      *schema.Object
		places schema.Places
		says   string
	}{
		"renamed table without its database": {
			object(t, schema.Procedure,
				"CREATE "+by+"PROCEDURE `o`() SELECT * FROM Items"), moved,
			"mentions Items, and the table of that name becomes new.things",
		},
		"other thing of a renamed database": {
			object(t, schema.Procedure,
				"CREATE "+by+"PROCEDURE `o`() SELECT * FROM shop.left_behind"), moved1,
			"refers to shop.left_behind, and shop becomes new",
		},
		"alias like the database": {
			object(t, schema.Procedure,
				"CREATE "+by+"PROCEDURE `o`() SELECT 1 FROM t shop"), moved1,
			"uses shop, which is a database that becomes new",
		},
		"dynamic statement": {object(t, schema.Procedure,
			"CREATE "+by+"PROCEDURE `o`() PREPARE s FROM @q"), moved1, "runs statements that it puts together"},
		"view of a table left behind": {
			object(t, schema.ViewObject,
				"CREATE "+by+"VIEW `o` AS select `other`.`t`.`a` AS `a` from `other`.`t`"), same,
			"reads other.t, which is not moved",
		},
		"broken view": {object(t, schema.ViewObject, "CREATE "+by+"VIEW `o` AS select 1 AS `a`",
			func(o *schema.Object) { o.Columns = nil }), same, "is broken on the source"},
		"hidden": {object(t, schema.Procedure, "",
			func(o *schema.Object) { o.Hidden = "no privilege" }), same, "no privilege"},
		"package": {object(t, schema.Package, ""), same, "packages are not moved"},
		"JavaScript": {object(t, schema.Procedure, "",
			func(o *schema.Object) { o.Language = "JAVASCRIPT" }), same, "is written in JAVASCRIPT"},
		"bytes of another character set": {
			object(t, schema.Procedure,
				"CREATE "+by+"PROCEDURE `o`() SELECT '\x81\\'",
				func(o *schema.Object) { o.Session.Charset, o.Session.SQLMode = "sjis", "NO_BACKSLASH_ESCAPES" }), same,
			"character set sjis",
		},
	} {
		t.Run(title, func(t *testing.T) {
			_, remarks := New(Flavor(c.o.Flavor), objectSets).MapObject(c.o, c.places)
			require.NotEmpty(t, remarks)
			assert.True(t, remarks[0].Fatal)
			assert.Contains(t, remarks[0].What, c.says)
			assert.NotEmpty(t, remarks[0].Fix)
		})
	}
}

// TestObjectsCross: sql_mode, collations and texts between the families.
func TestObjectsCross(t *testing.T) {
	mysql, mariadb := New(mysql97, Collations{}), New(mariadb101, objectSets)
	p := func(change ...func(*schema.Object)) *schema.Object {
		return object(t, schema.Procedure, "CREATE "+by+"PROCEDURE `o`() SELECT 'a' COLLATE utf8mb4_0900_ai_ci",
			append(change, func(o *schema.Object) { o.Session.Collation = "utf8mb4_0900_ai_ci" })...)
	}
	o, remarks := mariadb.MapObject(p(mode("STRICT_TRANS_TABLES,ANSI_QUOTES")), same)
	assert.Equal(t, "STRICT_TRANS_TABLES,ANSI_QUOTES,TIME_ROUND_FRACTIONAL", o.Session.SQLMode,
		"MySQL rounds fractions of seconds")
	assert.Equal(t, "utf8mb4_uca1400_nopad_ai_ci", o.Session.Collation)
	assert.Contains(t, o.Body, "COLLATE utf8mb4_uca1400_nopad_ai_ci")
	assert.Len(t, remarks, 2)
	o, _ = mariadb.MapObject(p(mode("TIME_TRUNCATE_FRACTIONAL")), same)
	assert.Empty(t, o.Session.SQLMode)
	o, _ = mysql.MapObject(p(ofMariaDB, mode("NO_AUTO_CREATE_USER")), same)
	assert.Equal(t, "TIME_TRUNCATE_FRACTIONAL", o.Session.SQLMode, "MariaDB cuts them")
	o, _ = mysql.MapObject(p(ofMariaDB, mode("TIME_ROUND_FRACTIONAL")), same)
	assert.Empty(t, o.Session.SQLMode)
	_, remarks = mysql.MapObject(p(ofMariaDB, mode("ORACLE")), same)
	assert.Contains(t, remarks[0].What, "sql_mode ORACLE")

	view := "CREATE ALGORITHM=UNDEFINED " + by + "SQL SECURITY DEFINER VIEW `o` AS select _utf8mb4'it\\'s' AS `a`"
	o, remarks = mariadb.MapObject(object(t, schema.ViewObject, view), same)
	assert.Empty(t, remarks)
	assert.Equal(t, "AS select 'it''s' AS `a`", strings.Join(strings.Fields(o.Body), " "))
	for body, to := range map[string]schema.Dialect{"regexp_like(1,2)": mariadb, "median(1)": mysql} {
		source := object(t, schema.ViewObject, "CREATE "+by+"VIEW `o` AS select "+body+" AS `a`")
		source.Flavor.Family = map[bool]schema.Family{false: schema.MySQL, true: schema.MariaDB}[body == "median(1)"]
		_, remarks = to.MapObject(source, same)
		require.Len(t, remarks, 1, body)
		assert.Contains(t, remarks[0].What, "does not have")
	}
	_, remarks = mysql.MapObject(object(t, schema.SequenceObject, "CREATE SEQUENCE `o` start with 1", ofMariaDB), same)
	assert.Contains(t, remarks[0].What, "has no sequences")
	_, remarks = mysql.MapObject(object(t, schema.Procedure, "CREATE DEFINER=`boss`@`` PROCEDURE `o`() SELECT 1",
		ofMariaDB), same)
	assert.Contains(t, remarks[0].What, "belongs to the role boss")
}

// TestObjectsNotUnderstood: a head that is not understood is an error, not a guess.
func TestObjectsNotUnderstood(t *testing.T) {
	for kind, definition := range map[schema.ObjectKind]string{
		schema.TriggerObject: "CREATE TRIGGER `o` BEFORE INSERT OR UPDATE ON `t` FOR EACH ROW SET @a = 1",
		schema.EventObject:   "CREATE EVENT `o` ON SCHEDULE EVERY 1 DAY DO SELECT 1",
		schema.Procedure:     "CREATE DEFINER=`a`@`b` PROCEDURE `o`() SELECT 'no end",
		schema.ViewObject:    "DROP VIEW `o`",
	} {
		require.Error(t, ParseObject(&schema.Object{
			Kind: kind, Name: schema.Name{Database: "shop", Table: "o"},
			Definition: definition,
		}), definition)
	}
}

func TestAccount(t *testing.T) {
	a, err := schema.ParseAccount("app@shop@10.%")
	require.NoError(t, err)
	assert.Equal(t, schema.Account{User: "app@shop", Host: "10.%"}, a)
	for _, wrong := range []string{"", "app", "@host", "app@"} {
		_, err := schema.ParseAccount(wrong)
		require.Error(t, err, wrong)
	}
}
