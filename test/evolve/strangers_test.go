package evolve

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// theirs is what somebody else has on the target: a table with a row, or another thing of that name.
const theirs = "CREATE TABLE d.%s (id INT PRIMARY KEY, v INT); INSERT INTO d.%s VALUES (99, 990)"

// takes are changes on the source by which a table gets a name that somebody else's has on the target.
var takes = []struct {
	name, there string // what is there, by its name
	change      string
	make        string // %s is the name; theirs
}{
	{name: "create", there: "foo", change: "CREATE TABLE d.foo (id INT PRIMARY KEY, v INT); INSERT INTO d.foo VALUES " +
		"(7, 1), (99, 1); DELETE FROM d.foo WHERE id = 99"},
	{name: "create of another shape", there: "bar", change: "CREATE TABLE d.bar (k VARCHAR(9) PRIMARY KEY); INSERT " +
		"INTO d.bar VALUES ('x')"},
	{
		name: "create like", there: "alike",
		change: "CREATE TABLE d.alike LIKE d.t; INSERT INTO d.alike SELECT * FROM d.t",
	},
	{
		name: "create select", there: "chosen",
		change: "CREATE TABLE d.chosen (PRIMARY KEY (id)) AS SELECT id, v FROM d.t",
	},
	{name: "drop and create", there: "late", change: "CREATE TABLE d.late (id INT PRIMARY KEY, v INT); DROP TABLE " +
		"d.late; CREATE TABLE d.late (id INT PRIMARY KEY, v INT); INSERT INTO d.late VALUES (1, 1)"},
	{name: "rename", there: "named", change: "CREATE TABLE d.unnamed LIKE d.t; RENAME TABLE d.unnamed TO d.named; " +
		"INSERT INTO d.named VALUES (1, 1)"},
	{name: "alter rename", there: "altered", change: "CREATE TABLE d.before LIKE d.t; ALTER TABLE d.before RENAME TO " +
		"d.altered, ADD COLUMN n INT; INSERT INTO d.altered VALUES (1, 1, 1)"},
	{name: "create where a view is", there: "seen", change: "CREATE TABLE d.seen (id INT PRIMARY KEY, v INT); INSERT " +
		"INTO d.seen VALUES (1, 1)", make: "CREATE VIEW d.%s AS SELECT 99 AS id, 990 AS v"},
}

// put makes somebody else's table on the target.
func (m *move) put(t *testing.T, name, statements string) {
	t.Helper()
	m.Target.Exec(t, split(strings.ReplaceAll(statements, "%s", name), m.Name+"_d")...)
}

// untouched looks whether it is as it was made.
func (m *move) untouched(t *testing.T, name string) {
	t.Helper()
	assert.Equal(t, []string{"99 990"}, m.Target.Strings(t, "SELECT CONCAT_WS(' ', id, v) FROM "+m.Name+"_d."+
		lab.Quote(name)), "somebody else's %s", name)
}

// withOwn is a move of a table t that is followed.
func withOwn(t *testing.T, name string, source, target *harness.Server, o harness.Options) *move {
	t.Helper()
	m := newMove(t, name, source, target, o)
	m.Source.Exec(t, "DROP DATABASE IF EXISTS elsewhere", "CREATE DATABASE elsewhere",
		"CREATE DATABASE "+name+"_d CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
		"CREATE TABLE "+name+"_d.t (id INT PRIMARY KEY, v INT)", "INSERT INTO "+name+"_d.t VALUES (1, 1), (2, 2)")
	t.Cleanup(func() { m.Source.Exec(t, "DROP DATABASE IF EXISTS elsewhere") })
	m.must(t, "init-schema", "init-copy")
	return m
}

// fails runs a command that is refused, and returns what it said.
func (m *move) fails(t *testing.T, command string) string {
	t.Helper()
	c := m.Run(t, strings.Fields(command)...)
	require.Equal(t, refused, c.Code, "%s: %s\n%s", command, last(c), c.Log())
	return c.Output() + c.Log()
}

// allPairs runs a test for all combinations of families.
func allPairs(t *testing.T, test func(t *testing.T, source, target *harness.Server)) {
	t.Helper()
	harness.Each(t, slices.Concat(always, sometimes), test)
}

// TestTablesOfOthers has tables of somebody else on the target whose names tables of the source get: each is named
// and left alone, and once it has another name the move goes on.
func TestTablesOfOthers(t *testing.T) {
	allPairs(t, func(t *testing.T, source, target *harness.Server) {
		m := withOwn(t, "we_of", source, target, harness.Options{Lines: extras(source, target)})
		for _, c := range takes {
			t.Run(c.name, func(t *testing.T) {
				if c.make == "" {
					c.make = theirs
				}
				m.put(t, c.there, c.make)
				m.Source.Exec(t, split(c.change, m.Name+"_d")...)
				m.Mark(t)
				said := m.fails(t, "start-replica --until-caught-up")
				for _, says := range []string{"we_of_d." + c.there, "nothing was changed", "tables.exclude"} {
					assert.Contains(t, said, says)
				}
				m.untouched(t, c.there)
				if c.name == "create of another shape" {
					assert.Contains(t, m.fails(t, "init-copy --table we_of_d.bar"),
						"we_of_d.bar exists on the target, and this move did not make it")
					m.untouched(t, c.there)
				}
				m.fails(t, "start-replica --until-caught-up --skip-ddl")
				m.untouched(t, c.there)
				m.Target.Exec(t, fmt.Sprintf("RENAME TABLE we_of_d.%s TO we_of_d.theirs", c.there))
				m.must(t, "start-replica --until-caught-up")
				m.untouched(t, "theirs")
				m.Target.Exec(t, "DROP "+map[bool]string{true: "TABLE", false: "VIEW"}[c.make == theirs]+
					" we_of_d.theirs")
				if c.name == "rename out" {
					assert.Equal(t, "5", m.Target.Text(t, "SELECT id FROM we_of_d.gone"))
					m.Target.Exec(t, "DROP TABLE we_of_d.gone")
				}
				m.equal(t, "we_of_d", "we_of_m")
			})
		}
	})
}

// TestTakenWhenAllowed takes an empty table of the planned shape, and no other, for one that the source creates. It
// is not dropped when the move is given up.
func TestTakenWhenAllowed(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		extra := strings.Replace(extras(source, target)[0], "schema: {", "schema: {existing: accept, ", 1)
		m := withOwn(t, "we_ta", source, target, harness.Options{Lines: []string{extra}})
		const full = "CREATE TABLE d.%s (id INT PRIMARY KEY, v INT, KEY (v)) DEFAULT CHARSET=utf8mb4 " +
			"COLLATE=utf8mb4_general_ci"
		m.put(t, "fits", strings.Replace(full, ", KEY (v)", "", 1))
		m.put(t, "full", full+"; INSERT INTO d.%s VALUES (99, 990)")
		for _, name := range []string{"fits", "full"} {
			m.Source.Exec(t, split(strings.ReplaceAll(full, "%s", name)+"; INSERT INTO d."+name+" VALUES (1, 1)",
				"we_ta_d")...)
		}
		m.Mark(t)
		assert.Contains(t, m.fails(t, "start-replica --until-caught-up"), "we_ta_d.full is not empty")
		m.untouched(t, "full")
		m.Target.Exec(t, "DELETE FROM we_ta_d.full")
		m.must(t, "start-replica --until-caught-up", "init-copy --table we_ta_d.fits",
			"start-replica --until-caught-up")
		m.equal(t, "we_ta_d", "we_ta_m")
		m.must(t, "cleanup --abandon --confirm=we_ta")
		assert.Equal(t, []string{"fits", "full"},
			m.Target.Strings(t, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'we_ta_d' "+
				"ORDER BY 1"))
	})
}

// TestMadeWhileFollowed: a table that the log brought in is the move's, for every command.
func TestMadeWhileFollowed(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		m := withOwn(t, "we_mf", source, target, harness.Options{Lines: extras(source, target)})
		m.Source.Exec(t, split("CREATE TABLE d.fresh (id INT PRIMARY KEY, v INT); INSERT INTO d.fresh VALUES (1, "+
			"1); CREATE TABLE d.brief (id INT PRIMARY KEY); DROP TABLE d.brief; "+
			"RENAME TABLE d.t TO d.u; CREATE TABLE d.t (other INT PRIMARY KEY)", "we_mf_d")...)
		m.Mark(t)
		m.must(t, "start-replica --until-caught-up", "check")
		m.put(t, "brief", theirs)
		status := m.Run(t, "status", "--json").Output()
		for _, name := range []string{"we_mf_d.fresh", "we_mf_d.u", "we_mf_d.t", "we_mf_m.marks"} {
			assert.Contains(t, status, name)
		}
		assert.NotContains(t, status, "brief")
		m.must(t, "verify", "cleanup --abandon --confirm=we_mf")
		assert.Equal(t, []string{"brief"}, m.Target.Strings(t, "SELECT TABLE_NAME FROM information_schema.TABLES "+
			"WHERE TABLE_SCHEMA LIKE 'we\\_mf\\_%' ORDER BY 1"))
		m.untouched(t, "brief")
	})
}

// striking is a move whose next run dies at a schema statement on the target.
type striking struct {
	*move
	steps *between.Steps
}

// killAt runs a command and kills it at the first schema statement on the target that begins with text.
func (s *striking) killAt(t *testing.T, text string, when between.Moment, command string) {
	t.Helper()
	started := make(chan *harness.Child, 1)
	s.steps.AimAmong(func(statement string) bool { return strings.HasPrefix(statement, text) }, 1, when, func() {
		c := <-started
		started <- c
		_ = c.Signal(os.Kill)
	})
	c := s.Start(t, strings.Fields(command)...)
	started <- c
	require.True(t, c.Ended(), "no end: %s", c.Log())
	_, struck := s.steps.Counted()
	require.NotEmpty(t, struck, "%s was not run: %s", text, c.Log())
	require.Equal(t, -1, c.Code, c.Log())
	s.steps.Aim(0, between.Before, nil)
	time.Sleep(50 * time.Millisecond)
	require.True(t, lab.Until(func() bool { // what was sent is carried out, and its connection gone
		return s.Target.Text(t, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND "+
			"INFO LIKE ?", text+"%") == "0" &&
			s.Target.Text(t, "SELECT COALESCE(IS_USED_LOCK(?), 0)", "wherry_"+s.Name) == "0"
	}), "the connection does not end")
}

// there tells whether the target has something of that name.
func (m *move) there(t *testing.T, name string) bool {
	t.Helper()
	return m.Target.Text(t,
		"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
		m.Name+"_d", name) != ""
}

// TestNameTakenAfterKill kills wherry before, at and after a statement that gives a name to a table or takes one
// away; somebody else then has that name, if it is free. What wherry does next is nothing to their table.
func TestNameTakenAfterKill(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		proxy := target.Proxy(t)
		s := &striking{steps: &between.Steps{}}
		s.move = withOwn(t, "we_nk", source, target,
			harness.Options{TargetAt: proxy.Address(), Lines: extras(source, target)})
		proxy.Count(s.steps)
		s.Target.Exec(t, "CREATE DATABASE IF NOT EXISTS we_nk_d")
		for _, c := range []struct{ statement, change, name string }{
			{"CREATE TABLE `we_nk_d`", "CREATE TABLE d.fresh (id INT PRIMARY KEY, v INT); INSERT INTO d.fresh " +
				"VALUES (1, 1)", "fresh"},
			{"DROP TABLE", "DROP TABLE d.fresh", "fresh"},
			{"RENAME TABLE", "CREATE TABLE d.old (id INT PRIMARY KEY, v INT); RENAME TABLE d.old TO d.new; INSERT " +
				"INTO d.new VALUES (1, 1)", "old"},
			{"RENAME TABLE", "RENAME TABLE d.new TO d.newer; INSERT INTO d.newer VALUES (2, 1)", "newer"},
			{
				"TRUNCATE TABLE", "TRUNCATE TABLE d.newer; INSERT INTO d.newer VALUES (2, 2); DROP TABLE d.newer",
				"newer",
			},
		} {
			for when := range between.Moments {
				t.Run(fmt.Sprintf("%s %s %s", c.statement, c.name, when), func(t *testing.T) {
					if setup := map[string]string{
						"DROP TABLE d.fresh": "CREATE TABLE d.fresh (id INT PRIMARY KEY, v INT); INSERT INTO d.fresh " +
							"VALUES (1, 1)",
						"RENAME TABLE d.new": "CREATE TABLE d.new (id INT PRIMARY KEY, v INT)",
						"TRUNCATE TABLE d.n": "CREATE TABLE d.newer (id INT PRIMARY KEY, v INT)",
					}[c.change[:18]]; setup != "" {
						s.Source.Exec(t, split(setup, "we_nk_d")...)
						s.must(t, "start-replica --until-caught-up")
					}
					s.Source.Exec(t, split(c.change, "we_nk_d")...)
					s.Mark(t)
					s.killAt(t, c.statement, when, "start-replica --until-caught-up")
					if other := !s.there(t, c.name); other {
						s.put(t, c.name, theirs)
						run := s.Run(t, "start-replica", "--until-caught-up")
						require.Contains(t, []int{done, refused}, run.Code, run.Log())
						s.untouched(t, c.name)
						if run.Code == refused {
							assert.Contains(t, run.Log()+run.Output(), "we_nk_d."+c.name)
						}
						s.Target.Exec(t, "DROP TABLE we_nk_d."+c.name)
					}
					s.must(t, "start-replica --until-caught-up")
					s.equal(t, "we_nk_d", "we_nk_m")
					for _, name := range []string{"fresh", "old", "new", "newer"} {
						s.Source.Exec(t, "DROP TABLE IF EXISTS we_nk_d."+name)
					}
					s.must(t, "start-replica --until-caught-up", "check")
					s.equal(t, "we_nk_d", "we_nk_m")
				})
			}
		}
	})
}

// TestNameTakenWhileMade has somebody else make a table on the target after init-schema has looked, and before it
// makes its own. It is told, again when init-schema is run again, and left alone.
func TestNameTakenWhileMade(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		proxy := target.Proxy(t)
		s := &striking{steps: &between.Steps{}}
		s.move = newMove(t, "we_nm", source, target,
			harness.Options{TargetAt: proxy.Address(), Lines: extras(source, target)})
		s.Source.Exec(t, "CREATE DATABASE we_nm_d", "CREATE TABLE we_nm_d.a (id INT PRIMARY KEY, v INT)",
			"CREATE TABLE we_nm_d.b (id INT PRIMARY KEY, v INT)")
		var once sync.Once
		s.steps.Hold = func(statement string) {
			if strings.HasPrefix(statement, "CREATE TABLE `we_nm_d`.`b`") {
				once.Do(func() { s.put(t, "b", theirs) })
			}
		}
		proxy.Count(s.steps)
		for range 2 {
			said := s.fails(t, "init-schema")
			assert.Contains(t, said, "we_nm_d.b")
			s.untouched(t, "b")
		}
		s.Target.Exec(t, "RENAME TABLE we_nm_d.b TO we_nm_d.c")
		s.killAt(t, "CREATE TABLE `we_nm_d`.`b`", between.Sent, "init-schema")
		s.must(t, "init-schema", "init-copy", "start-replica --until-caught-up")
		s.untouched(t, "c")
		s.Target.Exec(t, "DROP TABLE we_nm_d.c")
		s.equal(t, "we_nm_d", "we_nm_m")
	})
}

// TestOlderBookkeeping goes on with moves that an older version began, which kept no list of the move's tables.
func TestOlderBookkeeping(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		m := withOwn(t, "we_ob", source, target, harness.Options{Lines: extras(source, target)})
		older := func() {
			m.Target.Exec(t, "DROP TABLE wherry_we_ob.owned", "DELETE FROM wherry_we_ob.facts WHERE name = 'owned'")
		}
		m.Source.Exec(t, split("CREATE TABLE d.fresh (id INT PRIMARY KEY); RENAME TABLE d.t TO d.u", "we_ob_d")...)
		m.must(t, "start-replica --until-caught-up")
		older()
		m.put(t, "foo", theirs)
		m.put(t, "t", theirs) // whose name the move had
		m.must(t, "check")
		m.Source.Exec(t, split("ALTER TABLE d.fresh ADD COLUMN v INT; INSERT INTO d.fresh VALUES (1, 1); TRUNCATE "+
			"TABLE d.u; DROP TABLE d.fresh", "we_ob_d")...)
		m.must(t, "start-replica --until-caught-up", "verify")
		m.Source.Exec(t, "CREATE TABLE we_ob_d.foo (id INT PRIMARY KEY, v INT)")
		m.fails(t, "start-replica --until-caught-up")
		older()
		m.must(t, "cleanup --abandon --confirm=we_ob")
		assert.Equal(t, []string{"foo", "t"}, m.Target.Strings(t, "SELECT TABLE_NAME FROM information_schema.TABLES "+
			"WHERE TABLE_SCHEMA LIKE 'we\\_ob\\_%' ORDER BY 1"))
		m.untouched(t, "foo")
		m.untouched(t, "t")
	})
}
