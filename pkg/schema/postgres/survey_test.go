package postgres

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// mysql97 is a source for tests.
var mysql97 = mysql.Flavor{Family: schema.MySQL, Version: 90704}

// sourceTable reads the body of a CREATE TABLE as the source prints it.
func sourceTable(t *testing.T, flavor mysql.Flavor, name, body string) *schema.Table {
	t.Helper()
	const end = "\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
	table, err := mysql.ParseCreate("CREATE TABLE `"+name+"` (\n"+body+end, schema.Name{Database: "shop", Table: name},
		flavor, mysql.Collations{})
	require.NoError(t, err, body)
	return table
}

func keep(n schema.Name) schema.Name { return n }

func dialectWith(t *testing.T, opts Options) Dialect {
	t.Helper()
	d, err := New(opts)
	require.NoError(t, err)
	return d
}

// TestForeignKeysHaveOneType: BIGINT UNSIGNED is one type wherever foreign keys lead.
func TestForeignKeysHaveOneType(t *testing.T) {
	tables := []*schema.Table{
		sourceTable(t, mysql97, "customer", "`id` bigint unsigned NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`)"),
		sourceTable(t, mysql97, "account", "`id` bigint unsigned NOT NULL, `big` bigint unsigned, PRIMARY KEY (`id`), "+
			"CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `customer` (`id`)"),
		sourceTable(t, mysql97, "entry", "`account` bigint unsigned, `code` bigint unsigned, KEY `a` (`account`), "+
			"CONSTRAINT `f` FOREIGN KEY (`account`) REFERENCES `account` (`id`), CONSTRAINT `g` FOREIGN KEY "+
			"(`code`) REFERENCES `code` (`id`)"),
		sourceTable(t, mysql97, "code", "`id` bigint unsigned NOT NULL, PRIMARY KEY (`id`)"),
		sourceTable(t, mysql97, "loose", "`id` char(36), CONSTRAINT `h` FOREIGN KEY (`id`) REFERENCES `tight` (`id`)"),
		sourceTable(t, mysql97, "tight", "`id` char(36), `x` int, UNIQUE KEY `u` (`id`)"),
	}
	for i := range tables {
		for j := range tables[i].ForeignKeys {
			tables[i].ForeignKeys[j].Parent.Database = "shop"
		}
	}
	d := dialectWith(t, Options{Types: map[string]string{"shop.tight.id": "uuid"}}).Survey(tables, keep)
	want := map[string]string{
		"customer.id": "bigint", "account.id": "bigint", "account.big": "numeric(20,0)", "entry.account": "bigint",
		"entry.code": "numeric(20,0)", "code.id": "numeric(20,0)", "loose.id": "uuid", "tight.id": "uuid",
		"tight.x": "integer",
	}
	got := map[string]string{}
	for _, table := range tables {
		plan, _, err := d.Map(table, table.Name, keep)
		require.NoError(t, err)
		for _, c := range plan.Columns {
			got[table.Name.Table+"."+c.Name] = c.Type.Text
		}
	}
	assert.Equal(t, want, got)
}

// TestForeignKeysLeadToUniqueKeys: MySQL lets one lead to any index, PostgreSQL does not.
func TestForeignKeysLeadToUniqueKeys(t *testing.T) {
	child := sourceTable(t, mysql97, "c", "`a` int, CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `shop`.`p` (`a`)")
	for body, kept := range map[string]bool{
		"`a` int, KEY `k` (`a`)": false, "`a` int, UNIQUE KEY `k` (`a`)": true,
		"`a` int NOT NULL, `b` int NOT NULL, PRIMARY KEY (`a`,`b`)": false,
	} {
		parent := sourceTable(t, mysql97, "p", body)
		d := dialectWith(t, Options{}).Survey([]*schema.Table{child, parent}, keep)
		plan, losses, err := d.Map(child, child.Name, keep)
		require.NoError(t, err)
		assert.Equal(t, kept, len(plan.ForeignKeys) == 1, body)
		assert.Equal(t, kept, !has(losses, "foreign-key"), body)
	}
}

func has(losses []schema.Loss, name string) bool {
	for _, loss := range losses {
		if loss.Name == name {
			return true
		}
	}
	return false
}

// TestIndexNamesAreFree: names of indexes are kept apart from those of tables and of other tables' indexes.
func TestIndexNamesAreFree(t *testing.T) {
	tables := []*schema.Table{
		sourceTable(t, mysql97, "a", "`x` int, KEY `b_c` (`x`), KEY `own` (`x`)"),
		sourceTable(t, mysql97, "a_b", "`x` int, KEY `c` (`x`)"),
		sourceTable(t, mysql97, "a_own", "`x` int"),
	}
	d := dialectWith(t, Options{}).Survey(tables, keep)
	seen := map[string]bool{"a": true, "a_b": true, "a_own": true}
	for _, table := range tables {
		plan, _, err := d.Map(table, table.Name, keep)
		require.NoError(t, err)
		for _, index := range plan.Indexes {
			assert.False(t, seen[index.Name], index.Name)
			assert.LessOrEqual(t, len(index.Name), MaxIdentifier)
			seen[index.Name] = true
		}
	}
}
