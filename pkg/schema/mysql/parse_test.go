package mysql

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// The flavors and, in excerpts, the collations of the servers that testdata was read from.
var (
	mysql97    = Flavor{Family: schema.MySQL, Version: 90704}
	mariadb101 = Flavor{Family: schema.MariaDB, Version: 101119}
)

func collationsOf(flavor Flavor) Collations {
	c := Collations{Known: map[string]string{}, Default: map[string]string{
		"utf8mb4": "utf8mb4_0900_ai_ci", "utf8mb3": "utf8mb3_general_ci", "latin1": "latin1_swedish_ci",
		"ascii": "ascii_general_ci", "binary": "binary",
		"gb18030": "gb18030_chinese_ci", "gbk": "gbk_chinese_ci", "sjis": "sjis_japanese_ci",
		"utf16": "utf16_general_ci", "utf32": "utf32_general_ci",
		"ucs2": "ucs2_general_ci", "big5": "big5_chinese_ci", "koi8r": "koi8r_general_ci",
		"cp1251": "cp1251_general_ci", "latin2": "latin2_general_ci",
	}}
	own := "utf8mb4_0900_ai_ci utf8mb4_0900_as_ci utf8mb4_0900_as_cs utf8mb4_0900_bin utf8mb4_de_pb_0900_ai_ci " +
		"utf8mb4_de_pb_0900_as_cs utf8mb4_sv_0900_as_cs utf8mb4_es_trad_0900_ai_ci utf8mb4_ja_0900_as_cs_ks " +
		"gb18030_chinese_ci"
	if flavor.Family == schema.MariaDB {
		c.Default["utf8mb4"] = "utf8mb4_general_ci"
		own = "utf8mb4_uca1400_ai_ci utf8mb4_uca1400_as_ci utf8mb4_uca1400_as_cs utf8mb4_uca1400_nopad_ai_ci " +
			"utf8mb4_uca1400_nopad_as_ci utf8mb4_uca1400_nopad_as_cs " +
			"utf8mb4_uca1400_german2_nopad_ai_ci utf8mb4_uca1400_german2_nopad_as_ci utf8mb4_uca1400_swedish_ai_ci " +
			"utf8mb4_uca1400_swedish_nopad_as_cs utf8mb4_uca1400_spanish2_nopad_ai_ci " +
			"utf8mb4_nopad_bin utf8mb4_unicode_520_nopad_ci utf8mb3_uca1400_ai_ci latin1_swedish_nopad_ci"
	}
	shared := "utf8mb4_bin utf8mb4_general_ci utf8mb4_unicode_ci utf8mb4_unicode_520_ci utf8mb4_swedish_ci " +
		"utf8mb3_bin utf8mb3_croatian_ci utf8mb3_unicode_520_ci " +
		"latin1_bin latin1_german1_ci ascii_bin cp1251_general_cs latin2_bin"
	for _, name := range strings.Fields(own + " " + shared) {
		c.Known[name], _, _ = strings.Cut(name, "_")
	}
	for charset, name := range c.Default {
		c.Known[name] = charset
	}
	return c
}

func nameIn(create string) schema.Name {
	tokens, err := sqltext.Lex(create, printed)
	if err != nil || len(tokens) < 3 {
		return schema.Name{}
	}
	return schema.Name{Database: "shop", Table: tokens[2].Text}
}

// TestGolden reads what servers print, writes it in both families' languages and compares with golden files, which
// WHERRY_UPDATE_GOLDEN=1 rewrites. What is written in the table's own language must read back the same.
func TestGolden(t *testing.T) {
	for dir, flavor := range map[string]Flavor{"mysql-9.7": mysql97, "mariadb-10.11": mariadb101} {
		files, err := filepath.Glob(filepath.Join("testdata", dir, "*.sql"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			t.Run(file, func(t *testing.T) {
				definition, err := os.ReadFile(file)
				require.NoError(t, err)
				create := strings.TrimSuffix(string(definition), "\n")
				source, err := ParseCreate(create, nameIn(create), flavor, collationsOf(flavor))
				require.NoError(t, err)
				assert.Equal(t, create, source.Definition)
				var golden strings.Builder
				for _, target := range []Flavor{mysql97, mariadb101} {
					writeGolden(t, &golden, source, target)
				}
				compareGolden(t, strings.TrimSuffix(file, ".sql")+".golden", golden.String())
			})
		}
	}
}

func writeGolden(t *testing.T, golden *strings.Builder, source *schema.Table, flavor Flavor) {
	t.Helper()
	dialect := New(flavor, collationsOf(flavor))
	to := schema.Name{Database: "to", Table: source.Name.Table}
	plan, losses, err := dialect.Map(source, to, func(n schema.Name) schema.Name {
		return schema.Name{
			Database: "to",
			Table:    n.Table,
		}
	})
	require.NoError(t, err)
	fmt.Fprintf(golden, "-- %s\n", flavor)
	for _, loss := range losses {
		fmt.Fprintf(golden, "-- %s %s %s: %s\n", loss.Grade, loss.Name, loss.Column, loss.What)
	}
	for _, statement := range slices.Concat(
		dialect.CreateTable(plan, true),
		dialect.AddIndexes(plan, &schema.Table{Primary: plan.Primary, Indexes: demandedOf(plan)}),
		dialect.AddForeignKeys(plan, &schema.Table{}),
	) {
		golden.WriteString(statement + ";\n")
	}
	if !flavor.Family.Across(source.Flavor.Family) {
		create := strings.Replace(dialect.CreateTable(plan, false)[0], "`to`.", "", 1)
		back, err := ParseCreate(create, to, flavor, collationsOf(flavor))
		require.NoError(t, err)
		assert.Empty(t, dialect.Differences(plan, back, true, false))
	}
}

func demandedOf(t *schema.Table) []schema.Index {
	var out []schema.Index
	for i, yes := range demandedIndexes(t) {
		if yes {
			out = append(out, t.Indexes[i])
		}
	}
	return out
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if os.Getenv("WHERRY_UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file) //nolint:gosec // a file of testdata
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// other versions than those of testdata, as their manuals and sources say they print.
func TestParseOtherVersions(t *testing.T) {
	for name, c := range map[string]struct {
		create string
		flavor Flavor
		check  func(t *testing.T, table *schema.Table)
	}{
		"mysql 5.7": {
			"CREATE TABLE `t` (\n  `id` int(11) unsigned NOT NULL AUTO_INCREMENT,\n  `b` tinyint(1) NOT NULL " +
				"DEFAULT '0',\n  `u` varchar(5) CHARACTER SET utf8 COLLATE utf8_bin DEFAULT NULL,\n  `v` bigint(20) " +
				"GENERATED ALWAYS AS ((`id` + 1)) VIRTUAL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB " +
				"AUTO_INCREMENT=5 DEFAULT CHARSET=utf8\n/*!50100 PARTITION BY KEY */ /*!50611 ALGORITHM = 1 " +
				"*/ /*!50100 (id)\nPARTITIONS 4 */",
			Flavor{Family: schema.MySQL, Version: 50744},
			func(t *testing.T, table *schema.Table) {
				assert.Equal(t, "int unsigned", table.Columns[0].Type.Text)
				assert.Equal(t, "tinyint(1)", table.Columns[1].Type.Text)
				assert.Equal(t, "utf8mb3_bin", table.Columns[2].Type.Collation)
				assert.Equal(t, "(`id` + 1)", table.Columns[3].Expr)
				assert.Equal(t, "utf8mb3_general_ci", table.Collation)
				assert.True(t, strings.HasPrefix(table.Partition, "/*!50100 PARTITION BY KEY"), table.Partition)
				create := New(Flavor{Family: schema.MySQL, Version: 50744}, Collations{}).CreateTable(table, false)[0]
				assert.Contains(t, create, "CHARACTER SET utf8 COLLATE utf8_bin")
			},
		},
		"mariadb 10.3": {
			"CREATE TABLE `t` (\n  `a` int(11) DEFAULT NULL,\n  `b` int(11) GENERATED ALWAYS AS (`a` + 1) " +
				"PERSISTENT,\n  `c` timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),\n " +
				" `d` varchar(10) DEFAULT 'x' INVISIBLE,\n  `e` text /*!100301 COMPRESSED*/ DEFAULT NULL\n) " +
				"ENGINE=InnoDB DEFAULT CHARSET=latin1 `ENCRYPTED`=YES `ENCRYPTION_KEY_ID`=2",
			Flavor{Family: schema.MariaDB, Version: 100338},
			func(t *testing.T, table *schema.Table) {
				assert.Equal(t, schema.Stored, table.Columns[1].Generated)
				assert.Equal(t, "CURRENT_TIMESTAMP", table.Columns[2].OnUpdate)
				assert.True(t, table.Columns[3].Invisible)
				assert.Equal(t, []string{"COMPRESSED"}, table.Columns[4].Extra)
				assert.Equal(t, []string{"`ENCRYPTED`=YES", "`ENCRYPTION_KEY_ID`=2"}, table.Options)
			},
		},
		"mariadb 11.8": {
			"CREATE TABLE `t` (\n  `id` int(11) NOT NULL,\n  `v` vector(3) NOT NULL,\n  `u` uuid DEFAULT " +
				"uuid_v7(),\n  `s` int(11) DEFAULT nextval(`shop`.`seq`),\n  PRIMARY KEY (`id` DESC),\n  VECTOR KEY " +
				"`v` (`v`) `M`=8 `DISTANCE`=euclidean\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 " +
				"COLLATE=utf8mb4_uca1400_ai_ci WITH SYSTEM VERSIONING",
			Flavor{Family: schema.MariaDB, Version: 110802},
			func(t *testing.T, table *schema.Table) {
				assert.Equal(t, schema.VectorIndex, table.Indexes[0].Kind)
				assert.Equal(t, schema.SystemVersioned, table.Kind)
				assert.Equal(t, "nextval(`shop`.`seq`)", table.Columns[3].Default.Text)
			},
		},
		"mysql 8.0": {
			"CREATE TABLE `t` (\n  `id` bigint unsigned NOT NULL AUTO_INCREMENT /*!80023 INVISIBLE */,\n  `g` " +
				"geometrycollection NOT NULL /*!80003 SRID 4326 */,\n  `x` int DEFAULT NULL /*!50606 STORAGE DISK " +
				"*/ /*!50606 COLUMN_FORMAT FIXED */,\n  PRIMARY KEY (`id`),\n  KEY `k` (`x`) USING BTREE " +
				"COMMENT 'a' /*!80000 INVISIBLE */,\n  KEY `f` ((`x` + 1)),\n  CONSTRAINT `c` CHECK ((`x` > " +
				"0)) /*!80016 NOT ENFORCED */\n) /*!50100 TABLESPACE `ts` */ ENGINE=InnoDB " +
				"AUTO_INCREMENT=9 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci /*!80016 " +
				"ENCRYPTION='Y' */",
			Flavor{Family: schema.MySQL, Version: 80036},
			func(t *testing.T, table *schema.Table) {
				assert.True(t, table.Columns[0].Invisible)
				assert.EqualValues(t, 4326, *table.Columns[1].Type.SRID)
				assert.True(t, table.Indexes[0].Invisible)
				assert.Equal(t, "`x` + 1", table.Indexes[1].Parts[0].Expr)
				assert.True(t, table.Checks[0].NotEnforced)
				assert.EqualValues(t, 9, table.AutoIncrement)
				assert.Equal(t, []string{"TABLESPACE `ts`", "ENCRYPTION='Y'"}, table.Options)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := ParseCreate(c.create, schema.Name{Database: "shop", Table: "t"}, c.flavor,
				Collations{Default: map[string]string{"utf8": "utf8_general_ci", "latin1": "latin1_swedish_ci"}})
			require.NoError(t, err)
			c.check(t, table)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const tail = ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
	for create, want := range map[string]string{
		"":                                      "cannot understand the end of SHOW CREATE TABLE",
		"CREATE VIEW `t` AS SELECT":             `cannot understand "VIEW`,
		"CREATE TABLE `u` (`a` int" + tail:      "no definition of this table but of `u`",
		"CREATE TABLE `t` (`a` hyperint" + tail: `cannot understand type "hyperint"`,
		"CREATE TABLE `t` (`a` int QUANTUM" + tail:            `cannot understand "QUANTUM`,
		"CREATE TABLE `t` (`a` int, ANTIKEY `x` (`a`)" + tail: `cannot understand "ANTIKEY`,
		"CREATE TABLE `t` (`a` int" + tail +
			" QUANTUM=1": `cannot understand "QUANTUM=1"`,
		"CREATE TABLE `t` (`a` int" + tail + " COMMENT='x":          "no end of quotes",
		"CREATE TABLE `t` (`a` int /*!80000 INVISIBLE" + tail:       "no end of comment",
		"CREATE TABLE `t` (`a` int /* why */" + tail:                "cannot understand comment",
		"CREATE TABLE `t` (`a` int, KEY `k` (`a`) USING LSM" + tail: "cannot understand USING lsm",
		"CREATE TABLE `t` (`a` varchar(5)) ENGINE=InnoDB DEFAULT CHARSET=latin9": "no default collation is " +
			"known for character set latin9",
		"CREATE TABLE `t` (`a` varchar(5)) ENGINE=InnoDB":                               "no character set of column a",
		"CREATE TABLE `t` (`a` int DEFAULT )":                                           "cannot understand",
		"CREATE TABLE `t` (`a` int CHECK (`a` > (1)":                                    "cannot understand the end",
		"CREATE TABLE `t` (`a` int" + tail + " PARTITION BY KEY (`a`))":                 "cannot understand",
		"CREATE TABLE `t` (`a` int COLLATE utf8mb4_bin" + tail:                          "character set of column a",
		"CREATE TABLE `t` (`a` int" + tail + " START TRANSACTION":                       "still being created",
		"CREATE TABLE `t` (`a` int, CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES" + tail: "cannot understand",
	} {
		_, err := ParseCreate(create, schema.Name{Database: "shop", Table: "t"}, mysql97, Collations{})
		if assert.Error(t, err, create) {
			assert.Contains(t, err.Error(), want)
			assert.Contains(t, err.Error(), "shop.t")
		}
	}
}

func FuzzParseCreate(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "m*", "*.sql"))
	require.NoError(f, err)
	for _, file := range files {
		definition, err := os.ReadFile(file) //nolint:gosec // a file of testdata
		require.NoError(f, err)
		f.Add(string(definition))
	}
	f.Fuzz(func(t *testing.T, create string) {
		for _, flavor := range []Flavor{mysql97, mariadb101} {
			table, err := ParseCreate(create, nameIn(create), flavor, collationsOf(flavor))
			if err != nil {
				continue
			}
			dialect := New(flavor, collationsOf(flavor))
			plan, _, err := dialect.Map(table, table.Name, nil)
			if err != nil {
				continue
			}
			_ = dialect.CreateTable(plan, true)
			if differences := dialect.Differences(plan, plan, true, false); len(differences) > 0 {
				t.Errorf("a table differs from itself: %q", differences)
			}
		}
	})
}
