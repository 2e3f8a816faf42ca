package initschema

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/plan"
	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

const existingTable = "CREATE TABLE `t` (\n  `id` int NOT NULL,\n  `u` varchar(10) DEFAULT NULL,\n  `v` int DEFAULT " +
	"NULL,\n  `p` int DEFAULT NULL,\n" +
	"  PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`u`),\n  KEY `v` (`v`),\n  CONSTRAINT `f` FOREIGN KEY (`p`) " +
	"REFERENCES `other` (`id`)\n" +
	") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"

func existingParsed(t *testing.T, create string) *schema.Table {
	t.Helper()
	table, err := mysql.ParseCreate(create, schema.Name{Database: "d", Table: "t"},
		mysql.Flavor{Family: schema.MySQL, Version: 90704}, mysql.Collations{})
	require.NoError(t, err)
	return table
}

// TestUnfit has a table on the target that is unlike its plan in one respect.
func TestUnfit(t *testing.T) {
	name := schema.Name{Database: "d", Table: "t"}
	replaced := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(existingTable) }
	for what, c := range map[string]struct {
		source    string // differs where the mapping lost something
		found     string
		obstacles []string
		says      []string // nothing when it can be taken
	}{
		"equal":                  {found: existingTable},
		"without a plain index":  {found: replaced(",\n  KEY `v` (`v`)", "")},
		"without a unique index": {found: replaced(",\n  UNIQUE KEY `u` (`u`)", "")},
		"without a foreign key": {found: replaced(",\n  CONSTRAINT `f` FOREIGN KEY (`p`) REFERENCES `other` (`id`)",
			"")},
		"index of another name": {
			found: replaced("KEY `v`", "KEY `w`"),
			says:  []string{"index w: definition is KEY `w` (`v`), planned none"},
		},
		"index over another": {
			found: replaced("KEY `v` (`v`)", "KEY `v` (`p`)"),
			says:  []string{"index v: definition is KEY `v` (`p`), planned KEY `v` (`v`)"},
		},
		"index unique there": {
			found: replaced("  KEY `v`", "  UNIQUE KEY `v`"),
			says:  []string{"index v: definition is UNIQUE KEY `v` (`v`), planned KEY `v` (`v`)"},
		},
		"a unique index more": {
			found: replaced("  KEY `v` (`v`)", "  KEY `v` (`v`),\n  UNIQUE KEY `x` (`v`)"),
			says:  []string{"index x: definition is UNIQUE KEY `x` (`v`), planned none"},
		},
		"a column more": {
			found: replaced("  PRIMARY", "  `x` int DEFAULT NULL,\n  PRIMARY"),
			says:  []string{"column x: definition is int, planned none"},
		},
		"a column less": {
			found: replaced("  `v` int DEFAULT NULL,\n", "", "  KEY `v` (`v`),\n", ""),
			says:  []string{"column v: definition is none, planned int", "column p: position is 3, planned 4"},
		},
		"columns in another order": {
			found: replaced("  `v` int DEFAULT NULL,\n  `p` int DEFAULT NULL,\n",
				"  `p` int DEFAULT NULL,\n  `v` int DEFAULT NULL,\n"),
			says: []string{"column v: position is 4, planned 3", "column p: position is 3, planned 4"},
		},
		"another type": {
			found: replaced("varchar(10)", "varchar(9)"),
			says:  []string{"column u: type is varchar(9), planned varchar(10)"},
		},
		"another primary key": {
			found: replaced("PRIMARY KEY (`id`)", "PRIMARY KEY (`id`,`v`)"),
			says:  []string{"primary key: definition"},
		},
		"another foreign key": {found: replaced("REFERENCES `other` (`id`)",
			"REFERENCES `other` (`id`) ON DELETE CASCADE"), says: []string{"foreign key f: definition"}},
		"rows and triggers": {
			found: existingTable, obstacles: []string{"is not empty", "has triggers"},
			says: []string{"is not empty", "has triggers"},
		},
		"rows, and another type": {
			found: replaced("varchar(10)", "varchar(9)"), obstacles: []string{"is not empty"},
			says: []string{"varchar(9)", "is not empty"},
		},
		"another collation than the source's": {
			source: replaced("varchar(10)", "varchar(10) COLLATE utf8mb4_general_ci"), found: existingTable,
			says: []string{"has the unique index u already, and column u has another collation than on the source"},
		},
		"another collation, index to come": {
			source: replaced("varchar(10)", "varchar(10) COLLATE utf8mb4_general_ci"),
			found:  replaced(",\n  UNIQUE KEY `u` (`u`)", ""),
		},
	} {
		t.Run(what, func(t *testing.T) {
			planned, source := existingParsed(t, existingTable), existingParsed(t, existingTable)
			if c.source != "" {
				source = existingParsed(t, c.source)
			}
			m := &memory{
				dieAfter: 0, tables: []*schema.Table{existingParsed(t, c.found)},
				obstacles: map[schema.Name][]string{name: c.obstacles},
			}
			claimed := 0
			err := New(m, []plan.Step{{Source: source, Target: planned}}, Options{
				Accept: true, Claim: func(context.Context, []schema.Name,
					[]schema.Name,
				) error {
					claimed++
					return nil
				},
			}).Run(t.Context())
			if c.says == nil {
				require.NoError(t, err)
				assert.Equal(t, 1, claimed)
				return
			}
			require.ErrorIs(t, err, ErrRefused)
			for _, s := range c.says {
				require.ErrorContains(t, err, s)
			}
			assert.Zero(t, claimed)
			require.ErrorContains(t, err, map[bool]string{true: "1 reason:", false: "2 reasons"}[len(c.says) == 1])
		})
	}
}

// TestUnfitUnlessAccepted refuses the fittest table when nobody asked for it.
func TestUnfitUnlessAccepted(t *testing.T) {
	m := &memory{dieAfter: 0, tables: []*schema.Table{existingParsed(t, existingTable)}}
	planned := existingParsed(t, existingTable)
	err := New(m, []plan.Step{{Source: planned, Target: planned}}, Options{}).Run(t.Context())
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "table d.t: exists on the target, and this move did not make it")
}
