package keys

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// statementWord is whatever in a statement may be a name: of a table, a column, an alias, a variable.
var statementWord = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

// statementText is a literal, which no name can meet.
var statementText = regexp.MustCompile(`'(\\.|[^'\\])*'`)

// ownNames are names of tables of the move whose statements are collected.
var ownNames = []string{
	"marks", "wk_said", "keyed", "competing", "bag", "wide", "parent", "child", "swapped", "id",
	"v", "u", "e", "n",
}

// listen has the servers record the statements of the account until the returned function gives the words in them.
func (m *move) listen(t *testing.T) (heard func() []string) {
	t.Helper()
	ends := []*harness.Server{m.Source, m.Target}
	for _, s := range ends {
		output := s.Strings(t, "SELECT @@GLOBAL.log_output")[0]
		s.Exec(t, "SET GLOBAL log_output = 'TABLE'", "TRUNCATE TABLE mysql.general_log",
			"SET GLOBAL general_log = 1")
		t.Cleanup(func() {
			s.Exec(t, "SET GLOBAL general_log = 0", "TRUNCATE TABLE mysql.general_log",
				"SET GLOBAL log_output = '"+output+"'")
		})
	}
	return func() []string {
		words := map[string]bool{}
		for _, s := range ends {
			s.Exec(t, "SET GLOBAL general_log = 0")
			for _, statement := range s.Strings(t, "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log "+
				"WHERE command_type = 'Query' AND argument LIKE '%"+m.Name+"%'") {
				for _, word := range statementWord.FindAllString(statementText.ReplaceAllString(statement, "''"), -1) {
					literal := strings.HasPrefix(word, "x") || len(word) >= 4 &&
						strings.Trim(strings.ToLower(word), "0123456789abcdef") == ""
					if !literal && len(word) < 64 && !strings.Contains(word, "wk_") {
						words[strings.ToLower(word)] = true
					}
				}
			}
		}
		for _, own := range ownNames {
			delete(words, own)
		}
		var list []string
		for word := range words {
			list = append(list, word)
		}
		slices.Sort(list)
		return list
	}
}

// wholeMove takes a move from its beginning to the repair of a damage.
func (m *move) wholeMove(t *testing.T, change func(), damage ...string) {
	t.Helper()
	m.Phases(t, "check", "init-schema", "init-copy")
	change()
	m.CatchUp(t)
	m.Equal(t)
	m.Must(t, "verify")
	m.Target.Exec(t, damage...)
	m.Must(t, "verify", "--repair")
	m.Equal(t)
	m.Must(t, "cutover", "--rehearse", m.Confirm())
}

// TestNamesOfOurs collects all words that stand in the statements of a whole move, and moves tables, columns, keys,
// checks and foreign keys that have these names: none of them may meet an alias, a variable, a keyword or a column of
// ours.
func TestNamesOfOurs(t *testing.T) {
	pairs := harness.Every
	if os.Getenv("WHERRY_EVERY_PAIR") != "1" {
		pairs = harness.Across // each family as source and as target
	}
	harness.Each(t, pairs, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "wk_said", source, target, "cutover: {fence: lock_tables}", "copy: {chunk_rows: 3}",
			"schema: {allow_losses: [collation]}")
		in := quote(m.Name)
		m.Source.Exec(t, "USE "+in, "CREATE TABLE keyed (id INT PRIMARY KEY, v VARCHAR(20), e ENUM('a'))",
			"CREATE TABLE competing (id INT PRIMARY KEY, u INT UNIQUE)", "CREATE TABLE bag (n INT, v VARCHAR(20))",
			"CREATE TABLE parent (id INT PRIMARY KEY)", "CREATE TABLE child (id INT PRIMARY KEY, n INT, FOREIGN KEY "+
				"(n) REFERENCES parent (id) ON DELETE CASCADE)", "CREATE TABLE swapped LIKE keyed",
			"SET sql_mode = ''", "INSERT INTO keyed VALUES (1, 'a', 'a'), (2, 'b', 'wrong'), (3, 'c', NULL), (4, "+
				"'d', 'a')", "INSERT INTO competing VALUES (1, 1), (2, 2)",
			"INSERT INTO bag VALUES (1, 'x'), (1, 'x'), (2, 'y'), (3, 'z'), (4, 'z')",
			"INSERT INTO parent VALUES (1), (2)", "INSERT INTO child VALUES (1, 1), (2, 2), (3, 1)")
		heard := m.listen(t)
		m.wholeMove(t, func() {
			m.Source.Exec(t, "USE "+in, "UPDATE keyed SET v = 'new' WHERE id < 3", "DELETE FROM keyed WHERE id = 3",
				"UPDATE competing SET u = u + 10", "DELETE FROM bag WHERE n < 4 LIMIT 4",
				"DELETE FROM parent WHERE id = 1",
				"ALTER TABLE bag ADD c INT", "RENAME TABLE keyed TO x, swapped TO keyed, x TO swapped")
		}, "UPDATE "+in+".bag SET v = 'damage' LIMIT 1", "DELETE FROM "+in+".competing")
		words := heard()
		require.Subset(t, words, []string{"facts", "chunks", "orphans", "infile"},
			"the log does not hold wherry's statements")
		words = append(words, "w", "h", "new", "old", "excluded", "values", "dual", "wherry", "wherry_wk_names",
			"_wherry_aside", "tried_trigger", "binlog", "gtid", "primary_", "my_row_id", "hashed", "lateral", "system",
			"rank", "groups")
		slices.Sort(words)
		words = slices.Compact(words)
		if file := os.Getenv("WHERRY_WORDS"); file != "" {
			require.NoError(t, os.WriteFile(file, []byte(strings.Join(words, "\n")), 0o600))
		}
		t.Log(len(words), "words")
		moveNamed(t, source, target, words)
	})
}

// renamed is a quoted name as an index may have it, and on MariaDB a check: not that of the primary key.
func renamed(name string) string { return strings.Replace(name, "`primary`", "`primary__`", 1) }

// moveNamed moves a table for each word, of four kinds by turns, and two tables whose columns are all the words.
func moveNamed(t *testing.T, source, target *harness.Server, words []string) {
	m := newMove(t, "wk_names", source, target, "cutover: {fence: lock_tables}", "copy: {workers: 2, chunk_rows: 3}",
		"schema: {allow_losses: [collation]}")
	in := quote(m.Name) + "."
	create, change, damage := []string{"USE " + quote(m.Name)}, []string{"USE " + quote(m.Name)}, []string{}
	for i, word := range words {
		a, b := quote(word), quote(words[(i+1)%len(words)])
		key := renamed(a)
		table, values := in+a, " VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 4), (6, 4)"
		definition := a + " INT PRIMARY KEY, " + b + " VARCHAR(20), KEY " + key + " (" + b + ")" // written by upserts
		switch i % 4 {
		case 1: // by REPLACE
			definition, values = a+" INT PRIMARY KEY, "+b+" INT, UNIQUE KEY "+key+" ("+b+")", " VALUES (1, 1), (2, "+
				"2), (3, 3), (4, 5)"
		case 2: // found by hashes
			definition, values = a+" INT, "+b+" INT", " VALUES (1, 1), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (4, "+
				"4), (1, 4)"
		case 3:
			values = " VALUES (1, 1), (2, 1), (3, 2), (4, 4), (5, 4), (6, 4)"
			definition = fmt.Sprintf("%[1]s INT PRIMARY KEY, %[2]s INT, CONSTRAINT %[4]s FOREIGN KEY (%[2]s) "+
				"REFERENCES %[3]s (%[1]s), CONSTRAINT %[5]s CHECK (%[1]s < 1000)", a, b, table, key, renamed(b))
		}
		create = append(create, "CREATE TABLE "+table+" ("+definition+")", "INSERT INTO "+table+values)
		change = append(change, "UPDATE "+table+" SET "+b+" = "+b+" + 3 WHERE "+a+" = 1",
			"DELETE FROM "+table+" WHERE "+a+" IN (3, 6)", "INSERT INTO "+table+" VALUES (7, 2)")
		if i%4 == 1 { // 1 got what 4 had
			change[len(change)-3] = "UPDATE " + table + " SET " + b + " = " + b + " + 10"
			change[len(change)-1] = "INSERT INTO " + table + " VALUES (7, 2)"
		}
		if i > 1 { // those two are swapped
			damage = append(damage, fmt.Sprintf("DELETE FROM %s WHERE %s = %d", table, a,
				map[bool]int{true: 5, false: 2}[i%4 == 3]))
		}
	}
	columns := quote(strings.Join(words, "` TINYINT, `")) + " TINYINT"
	columns = strings.ReplaceAll(columns, "``", "`")
	ones := strings.TrimSuffix(strings.Repeat("1, ", len(words)-1), ", ")
	for _, table := range []string{in + "wk_wide", in + "wk_wide_bag"} {
		key := ""
		if table == in+"wk_wide" {
			key = ", PRIMARY KEY (" + quote(words[0]) + ")"
		}
		create = append(create, "CREATE TABLE "+table+" ("+columns+key+")", "INSERT INTO "+table+" VALUES (1, "+ones+
			"), (2, "+ones+"), (3, "+ones+"), (4, "+ones+")")
		change = append(change, "UPDATE "+table+" SET "+quote(words[1])+" = 7 WHERE "+quote(words[0])+" < 3",
			"DELETE FROM "+table+" WHERE "+quote(words[0])+" = 3")
		damage = append(damage, "UPDATE "+table+" SET "+quote(words[2])+" = 9 WHERE "+quote(words[0])+" = 4")
	}
	// a swap
	change = append(change, "RENAME TABLE "+quote(words[0])+" TO x, "+quote(words[1])+" TO "+quote(words[0])+", x TO "+
		quote(words[1]),
		"ALTER TABLE wk_wide_bag RENAME COLUMN "+quote(words[3])+" TO renamed, ADD later INT")
	m.Source.Exec(t, create...)
	m.wholeMove(t, func() { m.Source.Exec(t, change...) }, damage...)
}
