package plan

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// TestWithoutUnique: while rows are copied a unique value may be on two of them, so those indexes always come later.
func TestWithoutUnique(t *testing.T) {
	table := mustParse(t, "CREATE TABLE `t` (\n  `id` int NOT NULL,\n  `n` int NOT NULL AUTO_INCREMENT,\n  `u` int "+
		"DEFAULT NULL,\n  `i` int DEFAULT NULL,\n"+
		"  PRIMARY KEY (`id`),\n  UNIQUE KEY `n` (`n`),\n  UNIQUE KEY `u` (`u`),\n  KEY `i` (`i`)\n) ENGINE=InnoDB "+
		"DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci")
	reduced := withoutUnique(table)
	names := []string{}
	for _, index := range reduced.Indexes {
		names = append(names, index.Name)
	}
	assert.Equal(t, []string{"n", "i"}, names)
	assert.Len(t, table.Indexes, 3, "the plan itself is whole")
}

func mustParse(t *testing.T, create string) *schema.Table {
	t.Helper()
	table, err := mysql.ParseCreate(create, schema.Name{Database: "d", Table: "t"},
		mysql.Flavor{Family: schema.MySQL, Version: 90704}, mysql.Collations{
			Known:   map[string]string{"utf8mb4_0900_ai_ci": "utf8mb4"},
			Default: map[string]string{"utf8mb4": "utf8mb4_0900_ai_ci"},
		})
	require.NoError(t, err)
	return table
}
