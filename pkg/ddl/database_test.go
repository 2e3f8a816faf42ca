package ddl

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// TestDatabases reads what statements on databases make of the collation that new tables get.
func TestDatabases(t *testing.T) {
	const none = "-" // nothing changes
	for statement, want := range map[string]string{
		"CREATE DATABASE x CHARACTER SET latin1":                               "latin1_swedish_ci",
		"CREATE SCHEMA x DEFAULT CHARSET = 'utf8'":                             "utf8mb3_general_ci",
		"CREATE DATABASE x COLLATE latin1_bin CHARACTER SET latin1 /* c */;":   "latin1_bin",
		"CREATE DATABASE x /*!80016 DEFAULT ENCRYPTION='N' */":                 "ascii_bin", // of the session
		"CREATE DATABASE x CHARACTER SET DEFAULT":                              "ascii_bin",
		"CREATE DATABASE IF NOT EXISTS x COLLATE utf8mb4_bin":                  "utf8mb4_bin",
		"CREATE DATABASE IF NOT EXISTS shop COLLATE utf8mb4_bin":               none,
		"CREATE OR REPLACE DATABASE shop COLLATE utf8mb4_bin COMMENT 'a'":      "utf8mb4_bin",
		"ALTER DATABASE x DEFAULT CHARACTER SET latin1 COLLATE latin1_bin":     "latin1_bin",
		"ALTER DATABASE CHARACTER SET latin1":                                  "latin1_swedish_ci",
		"ALTER SCHEMA COLLATE = utf8mb4_bin":                                   "utf8mb4_bin",
		"ALTER DATABASE x READ ONLY = 1":                                       none,
		"ALTER DATABASE `#mysql50#a-b` UPGRADE DATA DIRECTORY NAME":            none,
		"DROP DATABASE IF EXISTS shop":                                         "",
		"SET STATEMENT max_statement_time = 1 FOR ALTER SCHEMA x CHARSET utf8": "utf8mb3_general_ci",
	} {
		ctx := context(mariadb101)
		ctx.Databases, ctx.ServerCollation = map[string]string{"shop": "latin1_swedish_ci"}, 65
		c, err := Parse(statement, ctx)
		require.NoError(t, err, statement)
		assert.Empty(t, c.Tables(), statement)
		assert.NotEmpty(t, c.Defaults(), statement)
		cat := catalog(mariadb101)
		cat.Collations.Numbers = map[int]string{65: "ascii_bin"}
		effects, err := c.Apply(cat)
		require.NoError(t, err, statement)
		if want == none {
			assert.Empty(t, effects, statement)
			continue
		}
		require.Len(t, effects, 1, statement)
		expected := Effect{Kind: Database, Name: schema.Name{Database: c.Defaults()}, Collation: want}
		assert.Equal(t, expected, effects[0], statement)
	}
}

// TestDatabaseOfContext: the defaults of databases in a statement's context count, not those that they have now.
func TestDatabaseOfContext(t *testing.T) {
	const statement = "CREATE TABLE t2 (id INT PRIMARY KEY, v VARCHAR(9))"
	for _, databases := range []map[string]string{nil, {"shop": "latin1_bin"}, {}} {
		ctx := context(mysql97)
		ctx.Databases = databases
		c, err := Parse(statement, ctx)
		require.NoError(t, err)
		effects, err := c.Apply(catalog(mysql.Flavor{Family: schema.MySQL, Version: 90704}))
		require.NoError(t, err)
		require.Len(t, effects, 1)
		switch {
		case databases == nil:
			assert.Equal(t, "utf8mb4_general_ci", effects[0].After.Collation)
		case len(databases) == 0:
			assert.Nil(t, effects[0].After, "it is left open")
		default:
			assert.Equal(t, "latin1_bin", effects[0].After.Collation)
			assert.Equal(t, "latin1", effects[0].After.Charset)
		}
	}
}
