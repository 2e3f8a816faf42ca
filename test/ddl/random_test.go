package ddl

import (
	"errors"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// TestRandom makes random tables and alters them at random: whatever the server takes, the model's table must be the
// server's, or left open. It runs for a few seconds; WHERRY_DDL_TIME says for how long.
func TestRandom(t *testing.T) {
	for _, flavor := range []string{"mysql", "mariadb"} {
		t.Run(flavor, func(t *testing.T) {
			b := open(t, flavor, "ddl_random")
			g := &generator{b: b, r: rand.New(rand.NewSource(seed(t)))} //nolint:gosec // repeatable on purpose
			ends := time.Now().Add(duration(t))
			b.fresh()
			taken, refused, unknown := 0, 0, 0
			for round := 0; time.Now().Before(ends); round++ {
				if round%25 == 0 {
					b.fresh()
					b.exec("CREATE TABLE parent (id INT PRIMARY KEY, c0 INT, KEY (c0))")
				}
				statement := g.statement()
				before := b.definitions()
				told, err := b.step(statement)
				switch {
				case err == nil:
					taken++
				case errors.Is(err, errModel):
					require.NoError(t, err, "round %d: %s\nbefore:\n%s", round, statement, before)
				default:
					refused++
				}
				if len(told.unknown) > 0 {
					unknown++
				}
			}
			t.Logf("%d statements were taken, %d refused by the server, %d left a shape open", taken, refused, unknown)
			require.Greater(t, taken, 10)
			require.Less(t, unknown, taken/3, "the model leaves too much open")
		})
	}
}

func seed(t *testing.T) int64 {
	t.Helper()
	s := time.Now().UnixNano()
	if text := os.Getenv("WHERRY_SEED"); text != "" {
		var err error
		s, err = strconv.ParseInt(text, 10, 64)
		require.NoError(t, err, "WHERRY_SEED")
	}
	t.Logf("replay with WHERRY_SEED=%d", s)
	return s
}

func duration(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("WHERRY_DDL_TIME")
	if text == "" {
		return 4 * time.Second
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err, "WHERRY_DDL_TIME")
	return d
}

// generator makes statements about the tables t0 to t2 and parent, by what the server has.
type generator struct {
	b *bench
	r *rand.Rand
}

func (g *generator) pick(list ...string) string { return list[g.r.Intn(len(list))] }

func (g *generator) chance(percent int) bool { return g.r.Intn(100) < percent }

func (g *generator) table() string { return g.pick("t0", "t1", "t2") }

func (g *generator) name() string { return fmt.Sprintf("c%d", g.r.Intn(7)) }

func (g *generator) statement() string {
	state := g.b.state()
	name := g.table()
	t := state[schema.Name{Database: g.b.db, Table: name}]
	if t == nil {
		return g.create(name, state)
	}
	switch g.r.Intn(40) {
	case 0:
		return "DROP TABLE " + name
	case 1:
		return "RENAME TABLE " + name + " TO swap, " + g.table() + " TO " + name
	case 2:
		return "ALTER TABLE " + name + " RENAME TO " + g.table()
	case 3:
		return "CREATE " + g.pick("", "UNIQUE ") + "INDEX " + g.pick("i0", "i1",
			"i2") + " ON " + name + " (" + g.parts(t) + ")"
	case 4:
		return "ALTER TABLE parent RENAME COLUMN " + g.pick("id", "c0", "c1", "c2") + " TO " + g.pick("id", "c0", "c1",
			"c2")
	case 5:
		return "TRUNCATE " + name
	case 6:
		return "DROP INDEX " + g.index(t) + " ON " + name
	case 7:
		if t.Partition != "" {
			return "ALTER TABLE " + name + " " + g.pick("ADD PARTITION PARTITIONS 2", "COALESCE PARTITION 1",
				"DROP PARTITION a", "TRUNCATE PARTITION b", "REMOVE PARTITIONING",
				"REORGANIZE PARTITION b INTO (PARTITION c VALUES LESS THAN (50), "+
					"PARTITION b VALUES LESS THAN MAXVALUE)", "PARTITION BY KEY (c0) PARTITIONS 3")
		}
		return "ALTER TABLE " + name + " PARTITION BY HASH (c0) PARTITIONS 2"
	case 8:
		if g.b.flavor.Family == schema.MariaDB {
			return "ALTER TABLE " + name + " " + g.pick("ADD COLUMN IF NOT EXISTS "+g.name()+" INT",
				"DROP COLUMN IF EXISTS "+g.name(), "ADD INDEX IF NOT EXISTS i0 ("+g.some(t)+")",
				"DROP INDEX IF EXISTS i1", "MODIFY COLUMN IF EXISTS "+g.name()+" INT", "DROP CONSTRAINT IF EXISTS kk")
		}
	}
	var clauses []string
	for range 1 + g.r.Intn(3) {
		clauses = append(clauses, g.clause(t))
	}
	return "ALTER TABLE " + name + " " + strings.Join(clauses, ", ")
}

func (g *generator) create(name string, state state) string {
	for n := range state {
		if g.chance(10) && n.Database == g.b.db {
			return "CREATE TABLE " + name + " LIKE " + n.Table
		}
	}
	var elements []string
	for i := range 2 + g.r.Intn(4) {
		elements = append(elements, fmt.Sprintf("c%d %s", i, g.definition()))
	}
	if g.chance(60) {
		elements = append(elements, "PRIMARY KEY (c0)")
	}
	for g.chance(60) {
		elements = append(elements, g.pick("KEY", "UNIQUE KEY", "KEY named")+" (c"+g.pick("0", "1", "1, c0", "0, c1")+
			")")
	}
	if g.chance(25) {
		elements = append(elements, g.pick("", "CONSTRAINT f"+name+" ")+"FOREIGN KEY ("+g.pick("c0",
			"c1")+") REFERENCES parent (c0)")
	}
	if g.chance(25) {
		elements = append(elements, g.pick("", "CONSTRAINT k"+name+" ")+"CHECK ("+g.condition()+")")
	}
	options := ""
	if g.chance(40) {
		options = " DEFAULT CHARSET=" + g.pick("latin1", "utf8mb3", "utf8mb4", "utf8mb4 COLLATE utf8mb4_bin", "ascii")
	}
	if g.chance(20) {
		options += " COMMENT='" + g.pick("a", "it''s", "ü") + "'"
	}
	if g.chance(10) {
		options += " PARTITION BY " + g.pick("HASH (c0) PARTITIONS 3", "KEY (c0) PARTITIONS 2",
			"RANGE (c0) (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN MAXVALUE)")
	}
	return "CREATE TABLE " + name + " (" + strings.Join(elements, ", ") + ")" + options
}

func (g *generator) condition() string {
	return g.pick("c0 > 0", "c1 <> 5", "c0 < c1", "c1 IS NOT NULL OR c0 = 3", "c0 BETWEEN 1 AND 9", "c1 IN (1, 2)")
}

// definition is a column's, behind its name.
func (g *generator) definition() string {
	n := strconv.Itoa(1 + g.r.Intn(30))
	d := g.pick("INT", "INT", "BIGINT UNSIGNED", "SMALLINT", "BOOL", "INTEGER(7)", "TINYINT(1) ZEROFILL",
		"DECIMAL(10,2)", "DEC", "NUMERIC("+n+")", "FLOAT", "DOUBLE",
		"VARCHAR("+n+")", "VARCHAR("+n+")", "CHAR("+n+")", "VARCHAR("+n+") CHARACTER SET latin1",
		"VARCHAR("+n+") COLLATE utf8mb4_bin", "NVARCHAR("+n+")", "TEXT", "TEXT("+n+"0)", "MEDIUMTEXT",
		"VARBINARY("+n+")", "BINARY("+n+")", "BLOB", "BIT("+n+")", "ENUM('a','b','c')", "SET('x','y')", "DATE",
		"DATETIME", "DATETIME(3)", "TIME", "TIMESTAMP", "TIMESTAMP NULL", "YEAR", "JSON")
	if g.chance(35) {
		d += " NOT NULL"
	} else if g.chance(20) {
		d += " NULL"
	}
	switch {
	case g.chance(30):
		d += " DEFAULT " + g.pick("1", "'1'", "NULL", "0", "'a'", "'2020-01-02'", "TRUE", "CURRENT_TIMESTAMP", "''",
			"-3", "1.5", "'x,y'", "0x41", "b'11'", "'10:11:12'", "(1 + 2)")
	case g.chance(8):
		d += " AS (" + g.pick("c0 + 1", "CONCAT(c0, 'x')", "c1 * 2") + ") " + g.pick("VIRTUAL", "STORED")
	}
	if g.chance(10) {
		d += " " + g.pick("UNIQUE", "COMMENT 'ü''x'", "INVISIBLE", "PRIMARY KEY", "AUTO_INCREMENT",
			"AUTO_INCREMENT UNIQUE", "CHECK (c0 > 1)")
	}
	return d
}

func (g *generator) some(t *schema.Table) string { return t.Columns[g.r.Intn(len(t.Columns))].Name }

func (g *generator) parts(t *schema.Table) string {
	var parts []string
	for range 1 + g.r.Intn(2) {
		parts = append(parts, g.some(t)+g.pick("", "", "", "(3)", " DESC"))
	}
	return strings.Join(parts, ", ")
}

func (g *generator) index(t *schema.Table) string {
	if len(t.Indexes) == 0 {
		return "i0"
	}
	return dialect.Quote(t.Indexes[g.r.Intn(len(t.Indexes))].Name)
}

func (g *generator) place(t *schema.Table) string {
	return g.pick("", "", "", " FIRST", " AFTER "+g.some(t), " AFTER "+g.name())
}

// clause is one of ALTER TABLE.
func (g *generator) clause(t *schema.Table) string {
	switch g.r.Intn(22) {
	case 0, 1, 2:
		return "ADD COLUMN " + g.name() + " " + g.definition() + g.place(t)
	case 3:
		return "ADD (" + g.name() + " " + g.definition() + ", " + g.name() + " " + g.definition() + ")"
	case 4, 5:
		return "DROP COLUMN " + g.some(t)
	case 6, 7, 8:
		return "MODIFY " + g.some(t) + " " + g.definition() + g.place(t)
	case 9:
		return "CHANGE " + g.some(t) + " " + g.name() + " " + g.definition() + g.place(t)
	case 10, 11:
		return "RENAME COLUMN " + g.some(t) + " TO " + g.name()
	case 12:
		return "ALTER " + g.some(t) + " " + g.pick("DROP DEFAULT", "SET DEFAULT 7", "SET DEFAULT 'q'",
			"SET DEFAULT NULL")
	case 13:
		return "ADD " + g.pick("KEY", "UNIQUE", "INDEX i0", "UNIQUE KEY i1") + " (" + g.parts(t) + ")"
	case 14:
		return "DROP KEY " + g.index(t)
	case 15:
		return g.pick("DROP PRIMARY KEY", "ADD PRIMARY KEY ("+g.some(t)+")", "DROP PRIMARY KEY, ADD PRIMARY KEY ("+
			g.some(t)+")")
	case 16:
		return "RENAME INDEX " + g.index(t) + " TO " + g.pick("i0", "i1", "i2")
	case 17:
		return g.pick("CONVERT TO CHARACTER SET utf8mb4", "CONVERT TO CHARACTER SET latin1", "DEFAULT CHARSET utf8mb3",
			"COLLATE utf8mb4_bin", "CONVERT TO CHARACTER SET utf8mb3 COLLATE utf8mb3_bin")
	case 18:
		return "ADD " + g.pick("", "CONSTRAINT ff ") + "FOREIGN KEY (" + g.some(t) + ") REFERENCES parent (c0)" +
			g.pick("", " ON DELETE CASCADE")
	case 19:
		if len(t.ForeignKeys) > 0 {
			return "DROP FOREIGN KEY " + t.ForeignKeys[0].Name
		}
		return "ADD CHECK (" + g.condition() + ")"
	case 20:
		return g.pick("COMMENT 'c'", "ENGINE=InnoDB", "FORCE", "ROW_FORMAT=DYNAMIC", "STATS_PERSISTENT=1",
			"AUTO_INCREMENT=50", "REMOVE PARTITIONING", "COALESCE PARTITION 1", "ADD PARTITION PARTITIONS 1",
			"TRUNCATE PARTITION ALL")
	default:
		if len(t.Checks) > 0 {
			return "DROP CONSTRAINT " + dialect.Quote(t.Checks[0].Name)
		}
		return "ADD " + g.pick("", "CONSTRAINT kk ") + "CHECK (" + g.condition() + ")"
	}
}
