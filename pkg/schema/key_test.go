package schema_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// TestKeyIndex: which index identifies rows, and whether rows compete for unique values besides.
func TestKeyIndex(t *testing.T) {
	const columns = "`a` int NOT NULL,\n  `b` varchar(20) NOT NULL,\n  `n` int DEFAULT NULL,\n  `t` text NOT " +
		"NULL,\n  `e` enum('x','y') NOT NULL,\n" +
		"  `e2` enum('x','') NOT NULL,\n  `s2` set('x','y','x') NOT NULL,\n  `v` int GENERATED ALWAYS AS (`a` + 1) " +
		"VIRTUAL NOT NULL,\n" +
		"  `h` char(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,\n  `g` int GENERATED ALWAYS AS " +
		"(`a` + 2) STORED NOT NULL,\n  `u` uuid NOT NULL,\n  `p` bit(7) NOT NULL,\n"
	const maria = "mariadb "
	for indexes, want := range map[string]struct {
		key   string
		other bool
	}{
		"":                           {"", false},
		"PRIMARY KEY (`a`)":          {"PRIMARY a", false},
		"PRIMARY KEY (`b` DESC,`a`)": {"PRIMARY b a", false},
		"PRIMARY KEY (`b`(10))":      {"", true},
		"PRIMARY KEY (`b`(10)),UNIQUE KEY `k` (`a`)":                      {"", true},
		"PRIMARY KEY (`g`)":                                               {"PRIMARY g", false},
		"PRIMARY KEY (`g`),UNIQUE KEY `k` (`a`)":                          {"PRIMARY g", true},
		"PRIMARY KEY (`e`,`p`,`u`)":                                       {"PRIMARY e p u", false},
		"PRIMARY KEY (`e2`)":                                              {"", true},
		"PRIMARY KEY (`s2`),UNIQUE KEY `k` (`e`)":                         {"", true},
		"UNIQUE KEY `k` (`n`)":                                            {"", true},
		"UNIQUE KEY `k` (`a`,`n`)":                                        {"", true},
		"UNIQUE KEY `n` (`n`),UNIQUE KEY `k` (`a`)":                       {"k a", true},
		"UNIQUE KEY `k` (`b`),UNIQUE KEY `l` (`a`)":                       {"k b", true},
		"UNIQUE KEY `k` (`b`),KEY `l` (`a`)":                              {"k b", false},
		"UNIQUE KEY `k` ((`a` + 1))":                                      {"", true},
		"PRIMARY KEY (`a`),UNIQUE KEY `k` ((`a` + 1))":                    {"PRIMARY a", true},
		"PRIMARY KEY (`a`),UNIQUE KEY `k` (`t`(10))":                      {"PRIMARY a", true},
		"UNIQUE KEY `k` (`v`)":                                            {"k v", false},
		"UNIQUE KEY `k` (`v`),UNIQUE KEY `l` (`b`)":                       {"l b", true},
		"UNIQUE KEY `k` (`a`) /*!80000 INVISIBLE */,UNIQUE KEY `l` (`b`)": {"l b", true},
		maria + "PRIMARY KEY (`h`)":                                       {"", true},
		maria + "PRIMARY KEY (`h`),UNIQUE KEY `k` (`b`)":                  {"", true},
		maria + "UNIQUE KEY `k` (`t`)":                                    {"", true},
		maria + "UNIQUE KEY `k` (`b`) USING HASH":                         {"", true},
		"UNIQUE KEY `k` (`b`) USING HASH":                                 {"k b", false},
		maria + "PRIMARY KEY (`a`,`period` WITHOUT OVERLAPS)":             {"", true},
	} {
		flavor := mysql.Flavor{Family: schema.MySQL, Version: 90704}
		indexes, isMaria := strings.CutPrefix(indexes, maria)
		if isMaria {
			flavor = mysql.Flavor{Family: schema.MariaDB, Version: 101119}
		}
		create := "CREATE TABLE `t` (\n  " + strings.TrimSuffix(columns+indexes, ",\n") +
			"\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
		table, err := mysql.ParseCreate(create, schema.Name{Database: "shop", Table: "t"}, flavor, mysql.Collations{})
		require.NoError(t, err, indexes)
		got := []string{}
		if index := table.KeyIndex(); index != nil {
			got = append(got, index.Name)
		}
		for _, at := range table.Key() {
			got = append(got, table.Columns[at].Name)
		}
		assert.Equal(t, want.key, strings.Join(got, " "), indexes)
		assert.Equal(t, want.other, table.OtherUnique(), indexes)
	}
}

// TestRowKey: a planned table's rows are identified as the source's are, though its own definition would say otherwise.
func TestRowKey(t *testing.T) {
	table := &schema.Table{
		Columns: []schema.Column{{Name: "a"}, {Name: "g", Generated: schema.Virtual, Nullable: true}},
		Primary: &schema.Index{Name: "PRIMARY", Parts: []schema.Part{{Column: "a"}}},
		Indexes: []schema.Index{{Name: "k", Unique: true, Parts: []schema.Part{{Column: "g"}}}},
	}
	assert.Equal(t, []int{0}, table.Key())
	table.RowKey = "k"
	assert.Equal(t, []int{1}, table.Key())
	assert.True(t, table.OtherUnique())
	table.RowKey = "gone"
	assert.Nil(t, table.Key())
	assert.True(t, table.OtherUnique())
}
