package postgres

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

// viewCases are views as a server prints them, and what becomes of them; empty is refused.
var viewCases = []struct{ body, want string }{
	{
		"AS select `t`.`id` AS `id`,`t`.`n` AS `name` from `t`",
		`AS SELECT "t"."id", "t"."n" FROM "to"."t2" AS "t"`,
	},
	{
		"AS select `t`.`id` AS `id`,(`t`.`d` + 1) AS `e` from `t` where (`t`.`d` > 3)",
		`AS SELECT "t"."id", ("t"."d"::bigint + 1::bigint) FROM "to"."t2" AS "t" WHERE ("t"."d" > 3)`,
	},
	{
		"AS select `t`.`id` AS `id`,sum(`u`.`amt`) AS `s` from ((`t` left join `u` on((`t`.`id` = `u`.`t_id`))) " +
			"join `u` `w` on((`w`.`id` = `t`.`id`))) where (`u`.`id` is not null) group by `t`.`id` having " +
			"(sum(`u`.`amt`) > 3) order by sum(`u`.`amt`) desc limit 5",
		`AS SELECT "t"."id", sum("u"."amt"::numeric) FROM (("to"."t2" AS "t" LEFT JOIN "to"."u" AS "u" ON ` +
			`("t"."id" = "u"."t_id")) JOIN "to"."u" AS "w" ON ("w"."id" = "t"."id")) WHERE ("u"."id" IS NOT NULL) ` +
			`GROUP BY "t"."id" HAVING (sum("u"."amt"::numeric) > 3) ORDER BY sum("u"."amt"::numeric) DESC NULLS ` +
			`LAST LIMIT 5`,
	},
	{
		"AS select count(0) AS `c`,count(distinct `x`.`id`) AS `k` from (`t` `x` join `shop`.`u`)",
		`AS SELECT count(0), count(DISTINCT "x"."id") FROM ("to"."t2" AS "x" CROSS JOIN "to"."u" AS "u")`,
	},
	{
		"AS select concat(`t`.`n`,_utf8mb4' ',`t`.`id`) AS `a`,if(`t`.`d`,'yes','') AS `b` from `t` `t`",
		`AS SELECT ("t"."n"::text || ' '::text || "t"."id"::text), (CASE WHEN ("t"."d" <> 0) THEN 'yes'::text ELSE ` +
			`''::text ` +
			`END) FROM "to"."t2" AS "t"`,
	},
	{"AS select `t`.`n` AS `n`,count(0) AS `c` from `t` group by `t`.`n`", ""},
	{"AS select distinct `t`.`n` AS `n`,`t`.`id` AS `c` from `t`", ""},
	{"AS select `t`.`id` AS `a`,avg(`t`.`d`) AS `b` from `t`", ""},
	{"AS select 1 AS `a`,2 AS `b` from `t` union select 3 AS `3`,4 AS `4`", ""},
	{"AS select `t`.`id` AS `a`,(select max(`u`.`id`) from `u`) AS `b` from `t`", ""},
	{"AS select `o`.`id` AS `a`,`o`.`b` AS `b` from `o`", ""},
	{"AS select group_concat(`t`.`n`) AS `a`,1 AS `b` from `t`", ""},
	{"AS select `t`.`id` AS `a`,`t`.`n` AS `b` from `t` order by `t`.`n`", ""},
}

func TestViews(t *testing.T) {
	tables := []*schema.Table{
		sourceTable(t, mysql97, "t", "`id` int NOT NULL, `n` varchar(9) COLLATE utf8mb4_general_ci, `d` int"),
		sourceTable(t, mysql97, "u", "`id` int NOT NULL, `t_id` int, `amt` decimal(10,2)"),
	}
	d := dialectWith(t, Options{Materialize: []string{"shop.m*"}}).Survey(tables, keep)
	places := schema.Places{Tables: map[schema.Name]schema.Name{
		{Database: "shop", Table: "t"}: {Database: "to", Table: "t2"}, {
			Database: "shop",
			Table:    "u",
		}: {Database: "to", Table: "u"},
		{Database: "shop", Table: "v"}:  {Database: "to", Table: "v"},
		{Database: "shop", Table: "mv"}: {Database: "to", Table: "mv"},
	}}
	for _, c := range viewCases {
		o := &schema.Object{
			Kind: schema.ViewObject, Name: schema.Name{Database: "shop", Table: "v"}, Columns: []string{"a", "b"},
			Body: c.body,
		}
		got, remarks := d.MapObject(o, places)
		if c.want == "" {
			require.Len(t, remarks, 1, c.body)
			assert.True(t, remarks[0].Fatal)
			continue
		}
		require.Empty(t, remarks, c.body)
		assert.Equal(t, `CREATE VIEW "to"."v" ("a", "b") `+c.want, d.CreateObject(got))
		assert.Equal(t, `DROP VIEW IF EXISTS "to"."v"`, d.DropObject(got))
	}
	o := &schema.Object{
		Kind: schema.ViewObject, Name: schema.Name{Database: "shop", Table: "mv"}, Columns: []string{"a", "b"},
		Body: viewCases[0].body, Lead: "ALGORITHM=UNDEFINED SQL SECURITY INVOKER",
	}
	got, remarks := d.MapObject(o, places)
	assert.Contains(t, d.CreateObject(got), "CREATE MATERIALIZED VIEW ")
	assert.Contains(t, d.DropObject(got), "DROP MATERIALIZED VIEW IF EXISTS ")
	assert.Len(t, remarks, 1)

	got.Lead = ""
	scratch, remarks := d.MapObject(got, schema.Places{Tables: map[schema.Name]schema.Name{
		{Database: "to", Table: "t2"}: {Database: "s", Table: "x"}, got.Name: {Database: "s", Table: "v"},
	}})
	assert.Empty(t, remarks)
	assert.Equal(t, `CREATE VIEW "s"."v" ("a", "b") AS SELECT "t"."id", "t"."n" FROM "s"."x" AS "t"`,
		d.CreateObject(scratch.Invoker()))

	plain := dialectWith(t, Options{})
	_, remarks = plain.MapObject(&schema.Object{
		Kind: schema.ViewObject, Name: schema.Name{Database: "shop", Table: "v"}, Columns: []string{"a"},
		Body: viewCases[1].body,
	}, places)
	assert.True(t, remarks[0].Fatal, "types of columns are not known")
	_, remarks = plain.MapObject(&schema.Object{Kind: schema.TriggerObject}, places)
	assert.True(t, remarks[0].Fatal)
}
