package mysql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

const alterTail = "\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"

// alterCases are pairs of definitions, and "new<old" words for columns that get another name.
var alterCases = []struct {
	name, from, to, renamed, tail, later string
	empties                              []string
}{
	{name: "nothing", from: "`id` int NOT NULL, PRIMARY KEY (`id`)", to: "`id` int NOT NULL, PRIMARY KEY (`id`)"},
	{name: "add, drop, modify", from: "`id` int NOT NULL, `a` int DEFAULT NULL, `b` int DEFAULT NULL, PRIMARY KEY " +
		"(`id`)", to: "`z` int DEFAULT NULL, `id` int NOT NULL, `b` bigint DEFAULT '5' COMMENT 'it''s', `c` text, " +
		"PRIMARY KEY (`id`)"},
	{
		name: "exchange names", from: "`id` int NOT NULL, `a` int DEFAULT NULL, `b` int DEFAULT NULL, `g` int " +
			"GENERATED ALWAYS AS ((`a` - `b`)) STORED, PRIMARY KEY (`id`), KEY `k` (`a`), CONSTRAINT `c` CHECK " +
			"((`a` > 0))",
		to: "`id` int NOT NULL, `b` int DEFAULT NULL, `a` int DEFAULT NULL, `g` int GENERATED ALWAYS AS ((`b` - " +
			"`a`)) STORED, PRIMARY KEY (`id`), KEY `k` (`b`), CONSTRAINT `c` CHECK ((`b` > 0))",
		renamed: "a<b b<a",
	},
	{
		name: "order", from: "`a` int NOT NULL, `b` int NOT NULL, `c` int NOT NULL, `d` int NOT NULL, `e` int NOT NULL",
		to: "`d` int NOT NULL, `a` int NOT NULL, `c` int NOT NULL, `b` int NOT NULL, `e` int NOT NULL",
	},
	{name: "virtual to stored", from: "`id` int NOT NULL, `g` int GENERATED ALWAYS AS ((`id` + 1)) VIRTUAL, PRIMARY " +
		"KEY (`id`), KEY `k` (`g`)", to: "`id` int NOT NULL, `g` int GENERATED ALWAYS AS ((`id` + 1)) STORED, " +
		"PRIMARY KEY (`id`), KEY `k` (`g`)"},
	{name: "keys", from: "`id` int NOT NULL AUTO_INCREMENT, `a` int NOT NULL, PRIMARY KEY (`id`), KEY `old` (`a`), " +
		"KEY `kind` (`a`,`id`)", to: "`id` int NOT NULL AUTO_INCREMENT, `a` int NOT NULL, PRIMARY KEY (`a`), KEY " +
		"`new` (`a`), UNIQUE KEY `kind` (`a`,`id`), KEY `id` (`id`)"},
	{name: "foreign keys", from: "`id` int NOT NULL, `a` int DEFAULT NULL, PRIMARY KEY (`id`), KEY `a` (`a`), " +
		"CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `p` (`id`), CONSTRAINT `g` FOREIGN KEY (`a`) REFERENCES `q` " +
		"(`id`)", to: "`id` int NOT NULL, `a` int DEFAULT NULL, PRIMARY KEY (`id`), KEY `a` (`a`), CONSTRAINT " +
		"`f` FOREIGN KEY (`a`) REFERENCES `p` (`id`) ON DELETE CASCADE, CONSTRAINT `h` FOREIGN KEY (`a`) " +
		"REFERENCES `q` (`id`)"},
	{name: "options", from: "`id` int NOT NULL", tail: "\n) ENGINE=MyISAM DEFAULT CHARSET=latin1 ROW_FORMAT=FIXED " +
		"MAX_ROWS=7 STATS_PERSISTENT=1 COMMENT='x'", to: "`id` int NOT NULL", later: alterTail +
		" STATS_SAMPLE_PAGES=9 MAX_ROWS=8"},
	{
		name: "partitions roll on", from: "`id` int NOT NULL",
		tail: alterTail + "\n/*!50100 PARTITION BY RANGE (`id`)\n(PARTITION p0 VALUES LESS THAN (10) ENGINE = " +
			"InnoDB,\n PARTITION p1 VALUES LESS THAN (20) ENGINE = InnoDB) */",
		to: "`id` int NOT NULL, `a` int DEFAULT NULL", later: alterTail +
			"\n/*!50100 PARTITION BY RANGE (`id`)\n(PARTITION p1 VALUES LESS THAN (20) ENGINE = InnoDB,\n " +
			"PARTITION p2 VALUES LESS THAN (30) ENGINE = InnoDB) */", empties: []string{"p0"},
	},
	{
		name: "partitioning removed", from: "`id` int NOT NULL",
		tail: alterTail + "\n/*!50100 PARTITION BY HASH (`id`)\nPARTITIONS 3 */", to: "`id` int NOT NULL",
		empties: []string{"p2"},
	},
	{
		name: "fulltexts", from: "`id` int NOT NULL, `a` text",
		to: "`id` int NOT NULL, `a` text, FULLTEXT KEY `x` (`a`), FULLTEXT KEY `y` (`a`)",
	},
}

func TestAlterGolden(t *testing.T) {
	var golden strings.Builder
	for _, flavor := range []Flavor{mysql97, mariadb101, {schema.MySQL, 50744}, {schema.MariaDB, 100338}} {
		d := New(flavor, Collations{})
		for _, c := range alterCases {
			from, to := alterSide(t, flavor, c.from, c.tail), alterSide(t, flavor, c.to, c.later)
			former := map[string]string{}
			for i := range to.Columns {
				if name := to.Columns[i].Name; from.Column(name) >= 0 {
					former[name] = name
				}
			}
			for _, word := range strings.Fields(c.renamed) {
				now, was, _ := strings.Cut(word, "<")
				former[now] = was
			}
			statements, err := d.Alter(from, to, former, c.empties)
			require.NoError(t, err, c.name)
			fmt.Fprintf(&golden, "-- %s: %s\n", flavor, c.name)
			for _, statement := range statements {
				golden.WriteString(statement + ";\n")
			}
		}
	}
	compareGolden(t, "testdata/alter.golden", golden.String())
}

func alterSide(t *testing.T, flavor Flavor, body, tail string) *schema.Table {
	t.Helper()
	if tail == "" {
		tail = alterTail
	}
	table, err := ParseCreate("CREATE TABLE `t` (\n"+body+tail, schema.Name{Database: "shop", Table: "t"}, flavor,
		Collations{Default: map[string]string{"latin1": "latin1_swedish_ci"}})
	require.NoError(t, err)
	return table
}

// TestMoves: the fewest columns are put elsewhere, for every order of six.
func TestMoves(t *testing.T) {
	longest := func(order []int) int {
		best := 0
		for set := range 1 << len(order) {
			last, n, rising := -1, 0, true
			for i, at := range order {
				if set>>i&1 == 1 {
					rising, last, n = rising && at > last, at, n+1
				}
			}
			if rising {
				best = max(best, n)
			}
		}
		return best
	}
	var permute func(order []int, k int)
	permute = func(order []int, k int) {
		if k < len(order) {
			for i := k; i < len(order); i++ {
				order[k], order[i] = order[i], order[k]
				permute(order, k+1)
				order[k], order[i] = order[i], order[k]
			}
			return
		}
		stay, last := 0, -1
		for i, moved := range (&alteration{former: order}).moves() {
			if !moved {
				require.Greater(t, order[i], last, "%v", order)
				stay, last = stay+1, order[i]
			}
		}
		require.Equal(t, longest(order), stay, "%v", order)
	}
	permute([]int{0, 1, 2, 3, 4, 5}, 0)
	assert.Equal(t, []bool{false, false, false, true}, (&alteration{former: []int{0, -1, 2, 1}}).moves())
}

func TestAlterRefuses(t *testing.T) {
	d := New(mysql97, Collations{})
	from := alterSide(t, mysql97, "`id` int NOT NULL, `g` int GENERATED ALWAYS AS (`id`) VIRTUAL", "")
	to := alterSide(t, mysql97, "`id` int NOT NULL, `g` int DEFAULT NULL", "")
	for want, former := range map[string]map[string]string{
		"alter table shop.t: cannot keep the values of virtual column g": {"id": "id", "g": "g"},
		"no such column":                 {"id": "x"},
		"cannot make two columns of":     {"id": "id", "g": "id"},
		"cannot make column x of column": {"x": "id"},
	} {
		_, err := d.Alter(from, to, former, nil)
		require.ErrorContains(t, err, want)
	}
	versioned := *to
	versioned.Kind = schema.SystemVersioned
	_, err := d.Alter(to, &versioned, nil, nil)
	require.ErrorContains(t, err, "keeps its history")
	_, err = d.Alter(to, to, nil, []string{"p0"})
	require.ErrorContains(t, err, "cannot empty partition p0")
}

// TestAlterGoesOn: partitions that an alteration has dropped before it was interrupted are not emptied again; those
// that are there, or whose names are not listed, are.
func TestAlterGoesOn(t *testing.T) {
	d := New(mysql97, Collations{})
	table := func(clause string) *schema.Table {
		return alterSide(t, mysql97, "`id` int NOT NULL", alterTail+"\n/*!50100 PARTITION BY "+clause+" */")
	}
	three := table("RANGE (`id`)\n(PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB,\n PARTITION P1 VALUES LESS " +
		"THAN (20) ENGINE = InnoDB,\n PARTITION `than` VALUES LESS THAN (30) ENGINE = InnoDB)")
	two := table("RANGE (`id`)\n(PARTITION P1 VALUES LESS THAN (20) ENGINE = InnoDB,\n PARTITION `than` VALUES LESS " +
		"THAN (30) ENGINE = InnoDB)")
	below := table("RANGE (`id`)\nSUBPARTITION BY HASH (`id`)\nSUBPARTITIONS 2\n(PARTITION p0 VALUES LESS THAN (10) " +
		"ENGINE = InnoDB)")
	hashed := table("HASH (`id`)\nPARTITIONS 3")
	for _, c := range []struct {
		from, to *schema.Table
		empties  []string
		want     []string
	}{
		{three, two, []string{"P0"}, []string{"ALTER TABLE `shop`.`t` DROP PARTITION `p0`"}},
		{two, two, []string{"P0"}, nil},
		{two, two, []string{"p0", "p1"}, []string{"ALTER TABLE `shop`.`t` TRUNCATE PARTITION `p1`"}},
		{two, three, []string{"p0"}, nil}, // refused below: it must be there
		{below, below, []string{"p0sp1"}, []string{"ALTER TABLE `shop`.`t` TRUNCATE PARTITION `p0sp1`"}},
		{hashed, hashed, []string{"p2"}, []string{"ALTER TABLE `shop`.`t` TRUNCATE PARTITION `p2`"}},
	} {
		got, err := d.Alter(c.from, c.to, map[string]string{"id": "id"}, c.empties)
		require.NoError(t, err)
		if c.to == three {
			assert.Equal(t, "ALTER TABLE `shop`.`t` TRUNCATE PARTITION `p0`", got[0], "the server refuses it")
			continue
		}
		assert.Equal(t, c.want, got, "%q of %s", c.empties, c.from.Partition)
	}
}
