package mysql

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

func TestParseFlavor(t *testing.T) {
	for version, want := range map[string]Flavor{
		"9.7.4": {schema.MySQL, 90704}, "8.0.36-28": {schema.MySQL, 80036}, "5.7.44-log": {schema.MySQL, 50744},
		"10.11.4-MariaDB-1:10.11.4+maria~ubu2204": {schema.MariaDB, 101104},
		"5.5.5-10.3.38-MariaDB-log":               {schema.MariaDB, 100338}, "11.8.2-MariaDB": {schema.MariaDB, 110802},
		"8.4": {schema.MySQL, 80400},
	} {
		got, err := ParseFlavor(version)
		require.NoError(t, err, version)
		assert.Equal(t, want, got, version)
	}
	for _, version := range []string{"", "x", "8", "8.x.1", "-8.0.1", "8.0.1000"} {
		_, err := ParseFlavor(version)
		require.Error(t, err, version)
	}
	assert.Equal(t, "MariaDB 10.11.4", Flavor{schema.MariaDB, 101104}.String())
	assert.True(t, Flavor{schema.MySQL, 90600}.LogsCascades())
	assert.False(t, Flavor{schema.MariaDB, 110802}.LogsCascades())
	assert.False(t, Flavor{schema.MySQL, 80018}.HasRowAlias())
}

func TestQuote(t *testing.T) {
	assert.Equal(t, "`a``b`.`c.d`", Quoted(schema.Name{Database: "a`b", Table: "c.d"}))
	assert.Equal(t, "`t`", Quoted(schema.Name{Table: "t"}))
	assert.Equal(t, `'it''s \\ \0\n'`, Literal("it's \\ \x00\n"))
}

func TestNearestCollation(t *testing.T) {
	my, maria := collationsOf(mysql97), collationsOf(mariadb101)
	for from, want := range map[string]string{
		"utf8mb4_0900_ai_ci": "utf8mb4_uca1400_nopad_ai_ci", "utf8mb4_0900_bin": "utf8mb4_nopad_bin",
		"utf8mb4_de_pb_0900_ai_ci": "utf8mb4_uca1400_german2_nopad_ai_ci",
		"utf8mb4_ja_0900_as_cs_ks": "utf8mb4_uca1400_nopad_as_cs", "utf8mb4_bin": "utf8mb4_bin", "nosuch_thing": "",
	} {
		assert.Equal(t, want, maria.nearest(from, false), from)
	}
	for from, want := range map[string]string{
		"utf8mb4_uca1400_nopad_ai_ci": "utf8mb4_0900_ai_ci", "utf8mb4_nopad_bin": "utf8mb4_0900_bin",
		"utf8mb4_uca1400_ai_ci": "utf8mb4_unicode_520_ci",
		"utf8mb4_uca1400_as_cs": "utf8mb4_bin", "utf8mb4_uca1400_swedish_ai_ci": "utf8mb4_swedish_ci",
		"utf8mb4_uca1400_german2_nopad_ai_ci": "utf8mb4_de_pb_0900_ai_ci",
		"utf8mb3_uca1400_ai_ci":               "utf8mb3_unicode_520_ci", "latin1_swedish_nopad_ci": "latin1_swedish_ci",
	} {
		assert.Equal(t, want, my.nearest(from, false), from)
	}
	assert.Equal(t, "anything_ci", Collations{}.nearest("anything_ci", true))
	// In keys a stand-in tells apart all that the original does: accents, case, trailing spaces, emoji.
	for from, want := range map[string]string{
		"utf8mb4_0900_ai_ci": "utf8mb4_uca1400_nopad_ai_ci", "utf8mb4_0900_as_ci": "utf8mb4_uca1400_nopad_as_ci",
		"utf8mb4_0900_bin":         "utf8mb4_nopad_bin",
		"utf8mb4_ja_0900_as_cs_ks": "utf8mb4_nopad_bin", "utf8mb4_nb_0900_ai_ci": "utf8mb4_nopad_bin",
		"utf8mb4_sv_0900_as_cs": "utf8mb4_nopad_bin",
	} {
		assert.Equal(t, want, maria.nearest(from, true), from)
	}
	for from, want := range map[string]string{
		"utf8mb4_uca1400_ai_ci": "utf8mb4_unicode_520_ci", "utf8mb4_uca1400_as_ci": "utf8mb4_0900_as_ci",
		"utf8mb4_uca1400_ai_cs":         "utf8mb4_bin",
		"utf8mb4_uca1400_swedish_ai_ci": "utf8mb4_bin", "utf8mb4_general_nopad_ci": "utf8mb4_0900_bin",
		"utf8mb4_unicode_520_nopad_ci": "utf8mb4_0900_bin",
		"utf8mb4_unicode_nopad_ci":     "utf8mb4_0900_bin", "utf8mb3_uca1400_as_ci": "utf8mb3_bin",
		"utf8mb3_uca1400_nopad_ai_ci": "", "latin1_swedish_nopad_ci": "", "latin1_nopad_bin": "",
	} {
		assert.Equal(t, want, my.nearest(from, true), from)
	}
}

func TestDifferencesReadWell(t *testing.T) {
	parse := func(columns string) *schema.Table {
		table, err := ParseCreate("CREATE TABLE `t` ("+columns+") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 "+
			"COLLATE=utf8mb4_bin", schema.Name{Database: "shop", Table: "t"}, mysql97, Collations{})
		require.NoError(t, err)
		return table
	}
	plan := parse("`id` bigint NOT NULL, `n` decimal(10,2) DEFAULT '1.50', `old` int DEFAULT NULL, PRIMARY KEY " +
		"(`id`), KEY `k` (`n`)")
	got := parse("`id` int NOT NULL, `n` decimal(10,2) DEFAULT 1.5, `new` int DEFAULT NULL, PRIMARY KEY (`id`)")
	dialect := New(mysql97, Collations{})
	assert.Equal(t, []string{
		"column id: type is int, planned bigint",
		"column old: definition is none, planned int",
		"column new: definition is int, planned none",
		"index k: definition is none, planned KEY `k` (`n`)",
	}, dialect.Differences(plan, got, true, true))
	assert.Len(t, dialect.Differences(plan, got, false, false), 3)
}

func TestSameExpression(t *testing.T) {
	for a, b := range map[string]string{
		"(`a` + 1)": "`a` + 1", "(`a` <> _utf8mb4'it\\'s')": "`a` <> 'it''s'", "now()": "current_timestamp()",
		"(`a` % 3)":  "`a` MOD 3",
		"lower(`B`)": "lower(`b`)", "((`a` < `b`) or (`b` is null))": "`a` < `b` or `b` is null",
	} {
		assert.True(t, sameExpression(a, b), a)
	}
	for a, b := range map[string]string{"`a` + 1": "`a` + 2", "'a'": "'A'", "`a`": "'a'", "": "1"} {
		assert.False(t, sameExpression(a, b), a)
	}
}

func TestDemandedIndexes(t *testing.T) {
	for indexes, want := range map[string][]string{
		"PRIMARY KEY (`a`), KEY `x` (`id`), KEY `y` (`id`,`a`), UNIQUE KEY `u` (`b`)": {"x"},
		"PRIMARY KEY (`id`), UNIQUE KEY `u` (`a`)":                                    nil,
		"UNIQUE KEY `n` (`b`), UNIQUE KEY `k` (`id`), KEY `z` (`a`)":                  {"k"},
		"PRIMARY KEY (`a`(3)), UNIQUE KEY `k` (`id`,`a`)":                             {"k"},
		"KEY `f` (`b`), KEY `x` (`a`,`id`)":                                           {"x"},
		"PRIMARY KEY (`a`,`id`), KEY `x` (`b`)":                                       nil,
	} {
		table, err := ParseCreate("CREATE TABLE `t` (`id` int NOT NULL AUTO_INCREMENT, `a` varchar(9) NOT NULL, `b` "+
			"int, "+indexes+") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
			schema.Name{Database: "shop", Table: "t"}, mysql97, Collations{})
		require.NoError(t, err)
		var got []string
		for _, index := range demandedOf(table) {
			got = append(got, index.Name)
		}
		assert.Equal(t, want, got, indexes)
	}
}

// TestStandInsInExpressions: what a column of another type makes of an expression is not known, so it is refused.
func TestStandInsInExpressions(t *testing.T) {
	for _, c := range []struct {
		columns string
		fatal   []string
	}{
		{"`u` uuid DEFAULT NULL, `i` inet6 DEFAULT NULL, `g` int GENERATED ALWAYS AS (`n` + 1) STORED", nil},
		{"`u` uuid DEFAULT NULL, `g` int GENERATED ALWAYS AS (length(`u`)) STORED", []string{"u"}},
		{
			"`u` uuid DEFAULT NULL, `i` inet4 DEFAULT NULL, CONSTRAINT `c` CHECK (`i` > 'x' or `U` is null)",
			[]string{"u", "i"},
		},
		{"`i` inet6 DEFAULT NULL CHECK (`i` <> '::1')", []string{"i"}},
	} {
		table, err := ParseCreate("CREATE TABLE `t` (`n` int NOT NULL, "+c.columns+", PRIMARY KEY (`n`)) "+
			"ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
			schema.Name{Database: "shop", Table: "t"}, mariadb101, Collations{})
		require.NoError(t, err)
		_, losses, err := New(mysql97, Collations{}).Map(table, table.Name, nil)
		require.NoError(t, err)
		var fatal []string
		for _, loss := range losses {
			if loss.Grade == schema.Fatal {
				assert.Equal(t, "expression", loss.Name)
				fatal = append(fatal, loss.Column)
			}
		}
		assert.Equal(t, c.fatal, fatal, c.columns)
	}
}

// TestDemandedRowKey: the index that identifies the rows of a planned table is made with it, whatever its definition
// says.
func TestDemandedRowKey(t *testing.T) {
	table := &schema.Table{
		Columns: []schema.Column{{Name: "a"}, {Name: "g", Generated: schema.Virtual, Nullable: true}},
		Primary: &schema.Index{Name: "PRIMARY", Parts: []schema.Part{{Column: "a"}}},
		Indexes: []schema.Index{{Name: "k", Unique: true, Parts: []schema.Part{{Column: "g"}}}},
	}
	assert.Empty(t, demandedIndexes(table))
	table.RowKey = "k"
	assert.Equal(t, map[int]bool{0: true}, demandedIndexes(table))
}

// TestSessionColumns: stored values that depend on the session for certain, and not those that only may, or are
// computed when read.
func TestSessionColumns(t *testing.T) {
	table, err := ParseCreate("CREATE TABLE `t` (`ts` timestamp NULL DEFAULT NULL, `c` char(9) DEFAULT NULL, "+
		"`stored` int GENERATED ALWAYS AS (hour(`ts`)) STORED, `read` int GENERATED ALWAYS AS (hour(`ts`)) VIRTUAL, "+
		"`rare` varchar(9) GENERATED ALWAYS AS (`c`) STORED) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
		schema.Name{Database: "shop", Table: "t"}, mysql97, Collations{})
	require.NoError(t, err)
	assert.Equal(t, []string{"stored"}, New(mariadb101, Collations{}).SessionColumns(table))
}
