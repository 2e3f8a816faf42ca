package mysql

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

// TestEveryLossIsMade: each name that can be allowed is the name of a loss that some table has, and there are no
// others.
func TestEveryLossIsMade(t *testing.T) {
	mysql57 := Flavor{Family: schema.MySQL, Version: 50744}
	const end = ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
	made := map[string]bool{}
	for _, c := range []struct {
		from, to Flavor
		create   string
		losses   []string // grade, name and column
	}{
		{mysql97, mysql57, "`a` int DEFAULT NULL, CONSTRAINT `c` CHECK (`a` > 1)" + end, []string{"loss check "}},
		{
			mysql97, mariadb101, "`a` int DEFAULT NULL, CONSTRAINT `c` CHECK (`a` > 1) /*!80016 NOT ENFORCED */" + end,
			[]string{"note check "},
		},
		{mariadb101, mysql57, "`a` int DEFAULT NULL CHECK (`a` > 1)" + end, []string{"loss check a"}},
		{
			mysql97, mariadb101, "`a` varchar(9) COLLATE utf8mb4_0900_ai_ci DEFAULT NULL" + end,
			[]string{"loss collation a"},
		},
		{
			mysql97, mariadb101, "`a` varchar(9) COLLATE utf8mb4_0900_bin DEFAULT NULL" + end,
			[]string{"note collation a"},
		},
		{
			mysql97, mariadb101, "`a` int DEFAULT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 " +
				"COLLATE=utf8mb4_0900_ai_ci",
			[]string{"note collation "},
		},
		{mariadb101, mysql97, "`a` int DEFAULT NULL `x`='y'" + end, []string{"loss column-option a"}},
		{mysql97, mariadb101, "`a` int /*!50606 STORAGE DISK */ DEFAULT NULL" + end, []string{"note column-option a"}},
		{
			mariadb101, mysql97, "`a` text /*M!100301 COMPRESSED*/ DEFAULT NULL" + end,
			[]string{"loss compressed-column a"},
		},
		{mariadb101, mysql97, "`a` varchar(9) DEFAULT '?'" + end, []string{"loss default a"}},
		{mysql97, mariadb101, "`a` int DEFAULT NULL" + end + " ENCRYPTION='Y'", []string{"loss encryption "}},
		{mysql97, mariadb101, "`a` int DEFAULT NULL" + end + " ENCRYPTION='N'", []string{"note table-option "}},
		{
			mariadb101, mysql97, "`a` int DEFAULT NULL" + end + " `ENCRYPTED`=YES `ENCRYPTION_KEY_ID`=2",
			[]string{"loss encryption ", "note table-option "},
		},
		{mariadb101, mysql97, "`a` int DEFAULT NULL) ENGINE=Aria DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin " +
			"PAGE_CHECKSUM=1", []string{"loss engine ", "note table-option "}},
		{
			mysql97, mariadb101, "`a` text, FULLTEXT KEY `f` (`a`) /*!50100 WITH PARSER `ngram` */ " + end,
			[]string{"loss fulltext-parser "},
		},
		{
			mysql97, mariadb101, "`a` int GENERATED ALWAYS AS (1) STORED NOT NULL" + end,
			[]string{"loss generated-not-null a"},
		},
		{mariadb101, mysql97, "`a` int DEFAULT NULL, KEY `k` (`a`) `x`='y'" + end, []string{"loss index-option "}},
		{
			mysql97, mariadb101, "`a` int DEFAULT NULL, KEY `k` (`a`) KEY_BLOCK_SIZE=4" + end,
			[]string{"note index-option "},
		},
		{
			mariadb101, mysql97, "`a` inet4 DEFAULT NULL, `b` inet6 DEFAULT NULL, `c` uuid DEFAULT NULL" + end,
			[]string{"loss inet4 a", "loss inet6 b", "loss uuid c"},
		},
		{mysql97, mariadb101, "`a` int NOT NULL /*!80023 INVISIBLE */" + end, []string{"loss invisible-column a"}},
		{mysql97, mariadb101, "`a` json DEFAULT NULL" + end, []string{"loss json a"}},
		{
			mysql97, mariadb101, "`a` double DEFAULT NULL, `b` float DEFAULT NULL" + end,
			[]string{"rare negative-zero a", "rare negative-zero b"},
		},
		{mysql97, mariadb101, "`a` int" + end, []string{"loss no-default a"}},
		{mysql97, mysql97, "`a` int" + end, nil},
		{
			mariadb101, mysql97, "`s` date NOT NULL, `e` date NOT NULL, PERIOD FOR `p` (`s`, `e`)" + end,
			[]string{"loss period "},
		},
		{
			mysql97, mysql97, "`ts` timestamp NULL DEFAULT NULL, `a` int GENERATED ALWAYS AS (hour(`ts`)) STORED" + end,
			[]string{"loss session-expression a"},
		},
		{mariadb101, mariadb101, "`ts` timestamp NULL DEFAULT NULL, `a` int GENERATED ALWAYS AS (hour(`ts`)) STORED" +
			end, []string{"loss session-expression a"}},
		{
			mysql97, mariadb101, "`b` int DEFAULT NULL, `a` decimal(9,4) GENERATED ALWAYS AS ((`b` / 3)) STORED" + end,
			[]string{"loss session-expression a"},
		},
		{mysql97, mysql97, "`ts` timestamp NULL DEFAULT NULL, `v` int GENERATED ALWAYS AS (hour(`ts`)) VIRTUAL, `a` " +
			"int GENERATED ALWAYS AS ((`v` + 1)) STORED" + end, []string{"loss session-expression a"}},
		{
			mysql97, mysql97, "`ts` timestamp NULL DEFAULT NULL, `v` int GENERATED ALWAYS AS (hour(`ts`)) VIRTUAL" +
				end,
			nil,
		},
		{mysql97, mysql97, "`ts` timestamp NULL DEFAULT NULL, `v` int GENERATED ALWAYS AS (hour(`ts`)) VIRTUAL, KEY " +
			"`k` (`v`)" + end, []string{"loss session-expression v"}},
		{
			mysql97, mysql97, "`ts` timestamp NULL DEFAULT NULL, UNIQUE KEY `k` ((hour(`ts`)))" + end,
			[]string{"loss session-expression "},
		},
		{mysql97, mysql97, "`d` date DEFAULT NULL, KEY `k` ((year(`d`)))" + end, nil},
		{mysql97, mysql97, "`ts` timestamp NULL DEFAULT NULL, `v` int GENERATED ALWAYS AS (hour(`ts`)) VIRTUAL" + end +
			"\n/*!50100 PARTITION BY HASH (`v`)\nPARTITIONS 2 */", []string{"loss session-expression v"}},
		{mysql97, mysql97, "`n` int DEFAULT NULL, `v` int GENERATED ALWAYS AS ((`n` + 1)) VIRTUAL" + end +
			"\n/*!50100 PARTITION BY HASH (`v`)\nPARTITIONS 2 */", nil},
		{
			mysql97, mysql97, "`ts` timestamp NULL DEFAULT NULL, CONSTRAINT `c` CHECK ((hour(`ts`) < 12))" + end,
			[]string{"loss session-expression "},
		},
		{mysql97, mysql97, "`ts` timestamp NULL DEFAULT NULL, CONSTRAINT `c` CHECK ((`ts` is not null))" + end, nil},
		{
			mariadb101, mysql97, "`ts` timestamp NULL DEFAULT NULL CHECK (hour(`ts`) < 12)" + end,
			[]string{"loss session-expression "},
		},
		{mariadb101, mariadb101, "`ts` timestamp NULL DEFAULT NULL CHECK (hour(`ts`) < 12)" + end, nil},
		{mysql97, mysql97, "`c` char(9) DEFAULT NULL, `a` varchar(9) GENERATED ALWAYS AS (`c`) STORED, `b` " +
			"varchar(9) GENERATED ALWAYS AS (concat(`a`,_utf8mb4'x')) STORED" +
			end, []string{"rare session-expression a", "rare session-expression b"}},
		{mysql97, mysql97, "`a` int DEFAULT NULL, `b` bigint GENERATED ALWAYS AS ((`a` * 2)) STORED, `c` double " +
			"GENERATED ALWAYS AS ((`a` / 3e0)) STORED" + end, nil},
		{mysql97, mariadb101, "`a` point /*!80003 SRID 4326 */ DEFAULT NULL" + end, []string{"loss srid a"}},
		{mysql97, mariadb101, "`a` int DEFAULT NULL" + end + " CONNECTION='x'", []string{"loss table-option "}},
		{mysql97, mariadb101, "`a` vector(3) DEFAULT NULL" + end, []string{"loss vector a"}},
		{
			Flavor{Family: schema.MariaDB, Version: 110800},
			mysql97, "`a` vector(3) NOT NULL, VECTOR KEY `v` (`a`)" + end,
			[]string{"loss vector a", "loss vector-index "},
		},
		{mysql97, mariadb101, "`a` int DEFAULT NULL, KEY `k` (`a`) /*!80000 INVISIBLE */" + end, nil},
		{
			mysql97,
			Flavor{Family: schema.MariaDB, Version: 100500},
			"`a` int DEFAULT NULL, KEY `k` (`a` DESC) /*!80000 INVISIBLE */" +
				end,
			[]string{"note descending-index a", "note invisible-index "},
		},
	} {
		table, err := ParseCreate("CREATE TABLE `t` (`id` int NOT NULL, "+c.create,
			schema.Name{Database: "shop", Table: "t"}, c.from, collationsOf(c.from))
		require.NoError(t, err, c.create)
		_, losses, err := New(c.to, collationsOf(c.to)).Map(table, table.Name, nil)
		require.NoError(t, err)
		var got []string
		for _, loss := range losses {
			got = append(got, loss.Grade.String()+" "+loss.Name+" "+loss.Column)
			if loss.Grade == schema.Lossy || loss.Grade == schema.Rare {
				made[loss.Name] = true
			}
		}
		assert.ElementsMatch(t, c.losses, got, "%s to %s: %s", c.from, c.to, c.create)
	}
	for _, loss := range schema.LossNames {
		assert.NotEqual(t, schema.PostgresOnly(loss.Name), made[loss.Name], loss.Name)
		delete(made, loss.Name)
	}
	assert.Empty(t, made, "losses that cannot be allowed")
}
