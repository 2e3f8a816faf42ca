package postgres

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

// TestNormal: what is written and what PostgreSQL prints have one form, and other expressions have another.
func TestNormal(t *testing.T) {
	for _, same := range [][2]string{
		{`("b" = 'x')`, `((b)::text = 'x'::text)`},
		{`"a" > -5`, `(a > '-5'::integer)`},
		{`("a" = ANY (ARRAY['x', 'y']))`, `(a = ANY (ARRAY['x'::text, 'y'::text]))`},
		{`(NOT ("a" IS DISTINCT FROM "b"))`, `(NOT (a IS DISTINCT FROM b))`},
		{`B'0101'`, `'0101'::"bit"`},
		{`E'\\x6162'`, `'\x6162'::bytea`},
		{`LOCALTIMESTAMP(3)`, `LOCALTIMESTAMP(3)`},
		{`"left"("t"::text, 3)`, `"left"((t)::text, 3)`},
		{`(CASE WHEN ("i" = 1) THEN 'a'::text ELSE NULL END)`, "CASE\n    WHEN (i = 1) THEN 'a'::text\n    ELSE " +
			"NULL::text\nEND"},
		{`(EXTRACT(year FROM "d"))::integer`, `(EXTRACT(year FROM d))::integer`},
		{`a + b * c`, `(a + (b * c))`},
		{`a OR b AND NOT c = d`, `(a OR (b AND (NOT (c = d))))`},
		{`("t" COLLATE "C" ~~ 'x%')`, `((t COLLATE "C") ~~ 'x%'::text)`},
		{`(CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')`, `(CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'::text)`},
	} {
		assert.Equal(t, normal(same[0]), normal(same[1]))
	}
	for _, other := range [][2]string{
		{`(a + b) * c`, `a + b * c`},
		{`a - (b - c)`, `a - b - c`},
		{`'a'`, `'b'`},
		{`"A"`, `a`},
		{`f(a)`, `a`},
		{`a = ANY (ARRAY[1])`, `a = ALL (ARRAY[1])`},
		{`a IS NULL`, `a IS NOT NULL`},
		{`NOT a`, `a`},
		{`-a`, `a`},
		{`a COLLATE "C"`, `a`},
		{`coalesce(a, b)`, `coalesce(b, a)`},
	} {
		assert.NotEqual(t, normal(other[0]), normal(other[1]))
	}
	assert.Equal(t, "(a", normal("(a"), "what cannot be read is its own form")
}

func FuzzNormal(f *testing.F) {
	for _, seed := range []string{
		"(a + 1)", "CASE WHEN a THEN 'b' END", "a::numeric(10,2)[]", "E'\\\\'",
		"x = ANY (ARRAY[",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		normal(text)
		ParseType(text)
		_, _ = ReadStatement(text)
		renameIn(text, map[string]string{"a": "b"})
	})
}

func TestParseType(t *testing.T) {
	for text, want := range map[string]string{
		"int": "integer", "VARCHAR(20)": "character varying(20)", "timestamptz": "timestamp with time zone",
		"timestamp(0) without time zone": "timestamp(0) without time zone", "decimal(5)": "numeric(5,0)",
		"double precision": "double precision", "pg_catalog.bool": "boolean", "text[]": "text[]", "bit(3)": "bit(3)",
		"time(3)": "time(3) without time zone", "public.geometry(Point,4326)": "geometry(Point,4326)",
		"character varying": "character varying", "interval": "interval", "real[]": "real[]",
	} {
		got := ParseType(text)
		assert.NotEqual(t, schema.Other, got.Kind, text)
		assert.Equal(t, want, got.Text, text)
	}
	for _, text := range []string{"money", "int(", "varchar(1,2)", "text(3)", "", "date date"} {
		assert.Equal(t, schema.Other, ParseType(text).Kind, text)
	}
}

// TestReadStatement: every statement of the dialect says on which tables it acts.
func TestReadStatement(t *testing.T) {
	d := dialectWith(t, Options{})
	a, b := schema.Name{Database: `s"1`, Table: "a; b"}, schema.Name{Database: "s2", Table: "$wherry$"}
	plan, _ := mapped(t, d, mysql97, "`id` int NOT NULL COMMENT 'x', `n` datetime ON UPDATE CURRENT_TIMESTAMP, "+
		"PRIMARY KEY (`id`), UNIQUE KEY `u` (`n`)")
	plan.Name = a
	for text, want := range map[string][]Act{
		d.DropTable(a):                     {{Kind: Drops, Name: a}},
		d.TruncateTable(b):                 {{Kind: Changes, Name: b}},
		d.Analyze(b):                       {{Kind: Changes, Name: b}},
		d.CreateTable(plan, true)[0]:       {{Kind: Creates, Name: a}},
		d.CreateTable(plan, true)[1]:       {{Kind: Changes, Name: a}},
		d.CreateTable(plan, false)[2]:      {{Kind: Changes, Name: a}},
		d.CreateDatabase("x", ""):          nil,
		d.DropDatabase("x"):                nil,
		d.Triggers(plan)[0]:                {{Kind: Changes, Name: a}, {Kind: Changes, Name: a}},
		d.SetAutoIncrement(plan, 5) + "":   nil,
		d.RenameTables([][2]schema.Name{}): nil,
		d.RenameTables([][2]schema.Name{{a, b}, {b, a}}): {
			{Kind: Renames, Name: a, To: b}, {Kind: Renames, Name: b, To: a},
		},
	} {
		got, err := ReadStatement(text)
		require.NoError(t, err, text)
		if len(want) == 2 && want[0].Kind == Renames { // there and back again is one rename to itself, by its ends
			assert.Equal(t, []Act{{Kind: Renames, Name: a, To: a}}, got, text)
			continue
		}
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"DELETE FROM x", "DROP TABLE x", "ALTER TABLE x ADD y int", "SELECT 1"} {
		_, err := ReadStatement(text)
		assert.Error(t, err, text)
	}
}

// TestTriggers: ON UPDATE CURRENT_TIMESTAMP.
func TestTriggers(t *testing.T) {
	d := dialectWith(t, Options{})
	plan, _ := mapped(t, d, mysql97, "`id` int, `n` timestamp(3) NULL ON UPDATE CURRENT_TIMESTAMP(3)")
	texts := d.Triggers(plan)
	require.Len(t, texts, 1)
	assert.Contains(t, texts[0], `NEW."n" := CURRENT_TIMESTAMP(3)`)
	plan.Columns[1].OnUpdate = ""
	assert.Empty(t, d.Triggers(plan))
}

func TestLiterals(t *testing.T) {
	d := dialectWith(t, Options{})
	for definition, want := range map[string]string{
		"int(5) unsigned zerofill DEFAULT '00007'": "7", "decimal(5,2) DEFAULT '-0.50'": "-0.50",
		"bit(1) DEFAULT b'1'":   "true",
		"bit(4) DEFAULT b'101'": "B'0101'", "double DEFAULT '1e30'": "'1e+30'",
		"float DEFAULT '1234567'": "'1.234567e+06'",
		"binary(3) DEFAULT 'a'":   `E'\\x610000'`, "set('a','b') DEFAULT 'a,b'": "ARRAY['a', 'b']",
		"set('a','b') DEFAULT ''": "ARRAY[]::text[]", "timestamp NULL DEFAULT '2020-01-01 00:00:00'": "'2020-01-01 " +
			"00:00:00+00'",
		"datetime(3) DEFAULT '2020-01-01 00:00:00.500'": "'2020-01-01 00:00:00.5'", "date DEFAULT '0000-00-00'": "",
		"time DEFAULT '-12:00:00'": "", "time DEFAULT '23:59:59'": "'23:59:59'",
		"varchar(9) DEFAULT 'it''s'":   "'it''s'",
		"varchar(36) DEFAULT (uuid())": "gen_random_uuid()::text", "binary(16) DEFAULT " +
			"(uuid_to_bin(uuid()))": "uuid_send(" +
			"gen_random_uuid())", "datetime(6) DEFAULT CURRENT_TIMESTAMP(6)": "LOCALTIMESTAMP(6)",
		"varchar(9) DEFAULT (now())": "", "int DEFAULT (1 + 2)": "(1::bigint + 2::bigint)",
		"date DEFAULT (curdate())":                       "CURRENT_DATE",
		"bigint unsigned DEFAULT '18446744073709551615'": "18446744073709551615", "year DEFAULT '2024'": "2024",
	} {
		plan, _ := mapped(t, d, mysql97, "`a` "+definition)
		assert.Equal(t, want, defaultText(&plan.Columns[0]), definition)
	}
	text, ok := jsonLiteral(`{"bb": 1.50, "a": [true, null, "<é\""]}`)
	assert.True(t, ok)
	assert.Equal(t, `{"a": [true, null, "<é\""], "bb": 1.50}`, text) //nolint:testifylint // the blanks count
}
