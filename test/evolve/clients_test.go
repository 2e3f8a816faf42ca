package evolve

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// Texts in the bytes of other character sets than UTF-8.
const (
	zhongwen = "\xd6\xd0\xce\xc4" // 中文 in gbk
	biao     = "\xb1\xed"         // 表 in gbk
	hyou     = "\x95\x5c"         // 表 in sjis, whose second byte is a backslash
)

// clients are statements that mean something by the variables of their session, and later ones that hide what they
// did: only the log tells it.
var clients = []struct {
	name, session, before, change string // {t} is the table
	loose                         bool   // it cannot be told for certain, so it may be refused
	only                          string
}{
	{name: "gbk", session: "NAMES gbk", change: "ALTER TABLE {t} ADD d VARCHAR(40) DEFAULT '" + zhongwen +
		"'; ALTER TABLE {t} ALTER d SET DEFAULT 'later'"},
	{name: "gbk_column", session: "NAMES gbk", change: "ALTER TABLE {t} ADD " + biao + " VARCHAR(40) COMMENT '" + biao +
		"' DEFAULT '" + biao + "'; ALTER TABLE {t} CHANGE " + biao + " d VARCHAR(50)"},
	// valid UTF-8 too
	{name: "latin1", session: "NAMES latin1", change: "ALTER TABLE {t} ADD d VARCHAR(40) DEFAULT '\xc3\xa9'; ALTER " +
		"TABLE {t} ALTER d SET DEFAULT 'later'"},
	{name: "sjis", session: "NAMES sjis", change: "ALTER TABLE {t} ADD d VARCHAR(40) DEFAULT '" + hyou +
		"'; ALTER TABLE {t} ALTER d SET DEFAULT 'later'"},
	{name: "labels", session: "NAMES gbk", change: "ALTER TABLE {t} ADD d ENUM('x', '" + zhongwen + "') DEFAULT '" +
		zhongwen + "'; ALTER TABLE {t} MODIFY d VARCHAR(30)"},
	{name: "bytes", session: "NAMES binary", change: "ALTER TABLE {t} ADD d VARCHAR(40) CHARACTER SET gbk DEFAULT '" +
		zhongwen + "'; ALTER TABLE {t} ALTER d SET DEFAULT 'later'", loose: true},
	{
		name: "crossed", session: "NAMES utf8mb4, character_set_connection = latin1",
		change: "ALTER TABLE {t} ADD d VARCHAR(40) DEFAULT 'é中'; ALTER TABLE {t} ALTER d SET DEFAULT 'later'",
		loose:  true,
	},
	{name: "real", session: "sql_mode = 'REAL_AS_FLOAT'", change: "ALTER TABLE {t} ADD d REAL DEFAULT 16777217; " +
		"ALTER TABLE {t} MODIFY d VARCHAR(40)", loose: true},
	{name: "empty", session: "sql_mode = 'EMPTY_STRING_IS_NULL'", change: "ALTER TABLE {t} ADD d VARCHAR(9) DEFAULT " +
		"''; ALTER TABLE {t} ALTER d SET DEFAULT 'later'", loose: true, only: lab.MariaDB},
	{name: "oracle", session: "sql_mode = 'ORACLE'", change: "ALTER TABLE {t} ADD d DATE DEFAULT '2020-01-02'; ALTER " +
		"TABLE {t} MODIFY d VARCHAR(40)", loose: true, only: lab.MariaDB},
	{name: "number", session: "sql_mode = 'ORACLE'", change: "ALTER TABLE {t} ADD d NUMBER(10) DEFAULT 5; ALTER " +
		"TABLE {t} MODIFY d VARCHAR2(40)", loose: true, only: lab.MariaDB},
	{name: "pipes", session: "sql_mode = 'PIPES_AS_CONCAT'", change: "ALTER TABLE {t} ADD d VARCHAR(9) DEFAULT ('a' " +
		"|| 'b'); ALTER TABLE {t} ALTER d SET DEFAULT 'later'", loose: true},
	{
		name: "quotes", session: "sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
		change: `ALTER TABLE {t} ADD "d" VARCHAR(9) DEFAULT 'a\'; ALTER TABLE {t} ALTER "d" SET DEFAULT 'later'`,
	},
	{
		name: "collation", session: "default_collation_for_utf8mb4 = utf8mb4_general_ci",
		change: "ALTER TABLE {t} ADD d VARCHAR(9) CHARACTER SET utf8mb4 DEFAULT 'ß', ADD UNIQUE KEY both_ (id, d); " +
			"ALTER TABLE {t} MODIFY d VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT 'later'",
		only: lab.MySQL,
	},
}

// TestClients has sessions of many kinds change tables while nothing is followed, and later statements hide what they
// did. The rows on the target are the source's: texts are read in the character set of their session, types and
// expressions by its sql_mode; or the table is refused, and copied again.
func TestClients(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "we_k", source, target, harness.Options{Lines: extras(source, target)})
		var names []string
		loose := map[string]bool{}
		for _, c := range clients {
			if c.only != "" && c.only != source.Flavor {
				continue
			}
			d := "we_k_" + c.name
			names, loose[d] = append(names, d), c.loose
			m.Source.Exec(t, "CREATE DATABASE "+d+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
				"CREATE TABLE "+d+".t (id INT PRIMARY KEY)", "INSERT INTO "+d+".t VALUES (1), (2)")
		}
		m.Source.Exec(t, "CREATE DATABASE we_k_made CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
		names, loose["we_k_made"] = append(names, "we_k_made"), true
		m.must(t, "init-schema", "init-copy")
		const plain = "SET NAMES utf8mb4, sql_mode = 'STRICT_ALL_TABLES'"
		for _, c := range clients {
			if !slices.Contains(names, "we_k_"+c.name) {
				continue
			}
			statements := strings.Split(strings.ReplaceAll(c.change, "{t}", "we_k_"+c.name+".t"), "; ")
			// The rows are written by a session that writes as any other does.
			require.NoError(t, lab.ExecAll(t.Context(), m.one, plain, "SET "+c.session, statements[0], plain,
				"INSERT INTO we_k_"+c.name+".t (id) VALUES (3)", "SET "+c.session, statements[1], plain), c.name)
		}
		// Tables whose names and columns are not ASCII, one of which the server writes into its log in other words
		// and another character set.
		require.NoError(t, lab.ExecAll(t.Context(), m.one, "USE we_k_made", "SET NAMES gbk",
			"CREATE TABLE "+biao+" (id INT PRIMARY KEY, "+biao+" VARCHAR(9) DEFAULT '"+biao+"')",
			"INSERT INTO "+biao+" (id) VALUES (1), (2)", "CREATE TABLE x"+biao+" (PRIMARY KEY (id)) AS SELECT * FROM "+
				biao, "CREATE TABLE y"+biao+" LIKE "+biao, "INSERT INTO y"+biao+" SELECT * FROM "+biao,
			"CREATE TABLE z"+biao+" LIKE "+biao, "DROP TABLE z"+biao, "RENAME TABLE "+biao+" TO v"+biao,
			"ALTER TABLE v"+biao+" ADD t INT DEFAULT 5 COMMENT '"+biao+"'", plain))
		m.Mark(t)
		replica, again := m.Start(t, "start-replica"), map[string]bool{}
		for !m.Marked(t, replica) {
			for ended := replica; ended.Code != done; {
				require.Equal(t, refused, ended.Code, ended.Log())
				text, advice := refusal(t, ended)
				require.NotEmpty(t, advice, text)
				for i := 1; i < len(advice); i += 2 {
					require.Equal(t, "1", m.Source.Text(t, "SELECT COUNT(*) FROM information_schema.TABLES WHERE "+
						"CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) = ?", advice[i]), text)
				}
				ended = m.Run(t, append([]string{"init-copy", "--log-level", "warn"}, advice...)...)
				for _, table := range copiedAnew(ended) {
					d, _, _ := strings.Cut(table, ".")
					again[d] = true
				}
			}
			replica = m.Start(t, "start-replica")
		}
		replica.Interrupt(t)
		m.equal(t, names...)
		for _, d := range names {
			assert.False(t, again[d] && !loose[d], "%s was copied again", d)
		}
		t.Logf("copied again: %v", again)
	})
}
