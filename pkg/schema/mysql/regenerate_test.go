package mysql

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

func TestRegenerates(t *testing.T) {
	for dir, flavor := range map[string]Flavor{"mysql-9.7": mysql97, "mariadb-10.11": mariadb101} {
		files, err := filepath.Glob(filepath.Join("testdata", dir, "*.sql"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			definition, err := os.ReadFile(file) //nolint:gosec // a file of testdata
			require.NoError(t, err)
			create := strings.TrimSuffix(string(definition), "\n")
			table, err := ParseCreate(create, nameIn(create), flavor, collationsOf(flavor))
			require.NoError(t, err)
			assert.Empty(t, dialect{}.Regenerates(table), file)
		}
	}
}

// TestRegeneratesNot: whatever of a table is not written as it was read is told.
func TestRegeneratesNot(t *testing.T) {
	const create = "CREATE TABLE `t` (\n  `id` int NOT NULL,\n  `a` varchar(5) DEFAULT 'x',\n  `g` int GENERATED " +
		"ALWAYS AS ((`id` + (1 * 2))) STORED,\n  PRIMARY KEY (`id`),\n" +
		"  KEY `k` (`a`),\n  CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `p` (`id`),\n  CONSTRAINT `c` CHECK " +
		"((`id` > 0))\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
	for want, spoil := range map[string]func(*schema.Table){
		"":                        func(*schema.Table) {},
		`cannot understand "NOSU`: func(t *schema.Table) { t.Columns[1].Extra = []string{"NOSUCH"} },
		"column a: character set": func(t *schema.Table) { t.Columns[1].Type.Charset = "latin1" },
		"columns: not the same":   func(t *schema.Table) { t.Columns[1].Type.Size = 6 },
		"kind: not the same":      func(t *schema.Table) { t.Kind = schema.SystemVersioned },
		"table: options": func(t *schema.Table) {
			t.Options = []string{
				"min_rows=1",
				"MIN_ROWS=2 MAX_ROWS=3",
			}
		},
		"checks: not the same": func(t *schema.Table) { t.Checks[0].Expr += " " },
		"foreignkeys: not":     func(t *schema.Table) { t.ForeignKeys[0].OnDelete = "CASCADE ON UPDATE CASCADE" },
		"table: partitions": func(t *schema.Table) {
			t.Partition = "INDEX DIRECTORY='x' PARTITION BY HASH " +
				"(`id`)"
		},
	} {
		table, err := ParseCreate(create, schema.Name{Database: "shop", Table: "t"}, mysql97, collationsOf(mysql97))
		require.NoError(t, err)
		spoil(table)
		found := strings.Join(dialect{}.Regenerates(table), "; ")
		if want == "" {
			assert.Empty(t, found)
		}
		assert.Contains(t, found, want)
	}
}
