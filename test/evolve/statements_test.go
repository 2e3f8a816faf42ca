package evolve

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
	"wherry/test/internal/statements"
)

// flowing is a case in databases of its own.
type flowing struct {
	statements.Case
	db, other string
	settings  string // of the session after Setup
	refusals  []string
	again     []string // tables that were copied anew beside another refusal, without a word of their own
	stuck     bool     // refused again and again
	lacks     string   // what a server of another version than the table is for does not know
}

// together is how many cases run before what they did is waited for.
const together = 25

// TestStatements runs every case of the table of schema changes while its tables are moved and written to. Each is
// followed, or refused with its table and statement named and nothing changed, and then the command that the refusal
// names brings the table over.
//
// Each case runs for one of the two pairs of like families and for one of the two crossings, all of them for all with
// WHERRY_EVERY_PAIR=1.
func TestStatements(t *testing.T) {
	every := os.Getenv("WHERRY_EVERY_PAIR") == "1"
	for i, e := range slices.Concat(always, sometimes) {
		t.Run(e.String(), func(t *testing.T) {
			source, target := e.Open(t)
			m := newMove(t, "we_s", source, target, harness.Options{Lines: extras(source, target)})
			ran := m.statements(t, func(number int) bool { return every || number%2 == i/len(always) })
			assert.GreaterOrEqual(t, ran, 150)
		})
	}
}

// TestVersions does the same with servers of other versions, and with one of eight cases for each pair, or with
// WHERRY_EVERY_PAIR=1 with all. What a server's version does not know is left out.
func TestVersions(t *testing.T) {
	number := 0
	harness.EachVersion(t, func(t *testing.T, source, target *harness.Server) {
		pair := number
		number++
		m := newMove(t, "we_s", source, target,
			harness.Options{Lines: []string{"schema: {allow_losses: [" + acrossLosses + "]}"}})
		m.otherVersion = true
		every := os.Getenv("WHERRY_EVERY_PAIR") == "1"
		ran := m.statements(t, func(number int) bool { return every || number%8 == pair%8 })
		assert.GreaterOrEqual(t, ran, 15)
	})
}

// statements runs the cases that are wanted, and returns how many statements they had.
func (m *move) statements(t *testing.T, wanted func(number int) bool) (ran int) {
	t.Helper()
	cases := m.cases(t, wanted)
	m.must(t, "check", "init-schema", "init-copy")
	replica := m.Start(t, "start-replica")
	m.Followed(t, replica)
	for begin := 0; begin < len(cases); begin += together {
		for _, c := range cases[begin:min(begin+together, len(cases))] {
			ran += m.change(t, c)
		}
		m.Mark(t)
		replica = m.untilFollowed(t, replica, cases)
	}
	replica.Interrupt(t)
	m.judge(t, cases, ran)
	return ran
}

// lagging tells whether all that was refused is what could not be told any more when it was read: the source had gone
// on.
func lagging(refusals []string) bool {
	return !slices.ContainsFunc(refusals, func(text string) bool {
		return !strings.Contains(text, "later ones have changed the table again") &&
			!strings.Contains(text, "cannot be told from the statements that follow")
	})
}

const acrossLosses = "no-default, collation, json, table-option, index-option, invisible-column, column-option, " +
	"generated-not-null"

// extras are what a move between families needs to be allowed.
func extras(source, target *harness.Server) []string {
	losses := ""
	if source.Flavor != target.Flavor {
		losses = acrossLosses
	}
	return []string{"schema: {allow_losses: [" + losses + "]}"}
}

// cases makes the databases of all cases that hold for the pair, and what is in them before.
func (m *move) cases(t *testing.T, wanted func(number int) bool) (cases []*flowing) {
	t.Helper()
	for i, c := range statements.All() {
		if c.Title == "an import of a file" || !wanted(i) { // that one leaves a table that cannot be read
			continue
		}
		if m.Source.Flavor == lab.MySQL && !c.MySQL || m.Source.Flavor == lab.MariaDB && !c.MariaDB {
			continue
		}
		f := &flowing{Case: c, db: fmt.Sprintf("%s_%03d", m.Name, i), other: fmt.Sprintf("%s_%03d_other", m.Name, i)}
		m.session(t, f, "CREATE DATABASE "+f.db+" CHARACTER SET utf8mb4",
			"CREATE DATABASE "+f.other+" CHARACTER SET utf8mb4", "USE "+f.db,
			"SET sql_mode = DEFAULT, foreign_key_checks = 1, explicit_defaults_for_timestamp = 1, time_zone = '+03:00'")
		for _, s := range c.Setup {
			m.statement(t, f, statements.Text(s, f.db, f.other))
		}
		const settings = "SELECT CONCAT('SET sql_mode = \"', @@sql_mode, '\", foreign_key_checks = 1, " +
			"explicit_defaults_for_timestamp = ', @@explicit_defaults_for_timestamp)"
		require.NoError(t, m.one.QueryRowContext(t.Context(), settings).Scan(&f.settings))
		cases = append(cases, f)
	}
	return cases
}

// change runs a case's statements, with other sessions' writes in between, and returns how many there were.
func (m *move) change(t *testing.T, f *flowing) int {
	t.Helper()
	m.session(t, f, "USE "+f.db, f.settings)
	for _, s := range f.Statements {
		m.statement(t, f, statements.Text(s, f.db, f.other))
		if f.lacks != "" {
			return 0
		}
		m.touch(t, f)
	}
	return len(f.Statements)
}

// statement runs a statement of a case. One that a server of another version refuses ends the case.
func (m *move) statement(t *testing.T, f *flowing, statement string) {
	t.Helper()
	if f.lacks != "" {
		return
	}
	_, err := m.one.ExecContext(t.Context(), statement)
	if err != nil && m.otherVersion {
		f.lacks = err.Error()
		return
	}
	require.NoError(t, err, "%s: %s", f.Title, statement)
}

// session runs statements in the one session of all cases.
func (m *move) session(t *testing.T, f *flowing, all ...string) {
	t.Helper()
	require.NoError(t, lab.ExecAll(t.Context(), m.one, all...), f.Title)
}

// touch changes a row of each of a case's tables, where there is a number to change. What a constraint forbids is left.
func (m *move) touch(t *testing.T, f *flowing) {
	t.Helper()
	for _, column := range m.Source.Strings(t, `SELECT CONCAT('`+"`', REPLACE(TABLE_SCHEMA, '`', '``'), '`.`', "+
		"REPLACE(TABLE_NAME, '`', '``'), '` SET `', REPLACE(COLUMN_NAME, '`', '``'), '`'"+`)
		FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN (?, ?) AND DATA_TYPE = 'int'
		AND COALESCE(GENERATION_EXPRESSION, '') = '' AND COLUMN_KEY <> 'PRI'`, f.db, f.other) {
		_, _ = m.Source.DB.ExecContext(t.Context(), "UPDATE "+column+" = 1 + (RAND() * 1000 DIV 1) ORDER BY 1 LIMIT 1")
	}
}

// untilFollowed lets start-replica follow. When it refuses a case's statement, that is noted, and the refusal's
// advice taken.
func (m *move) untilFollowed(t *testing.T, replica *harness.Child, cases []*flowing) *harness.Child {
	t.Helper()
	for !m.Marked(t, replica) {
		for ended := replica; ended.Code != done; {
			advice := m.note(t, ended, cases)
			ended = m.Run(t, append([]string{"init-copy"}, advice...)...)
			m.noteAgain(t, ended, advice, cases)
		}
		replica = m.Start(t, "start-replica")
	}
	return replica
}

// caseOf finds the case that a text names a table of.
func caseOf(cases []*flowing, text string) *flowing {
	at := slices.IndexFunc(cases, func(f *flowing) bool {
		return strings.Contains(text, f.db+".") || strings.Contains(text, f.other+".")
	})
	if at < 0 {
		return nil
	}
	return cases[at]
}

// noteAgain notes the tables that a copy brought over anew though nobody had asked for them.
func (m *move) noteAgain(t *testing.T, copied *harness.Child, asked []string, cases []*flowing) {
	t.Helper()
	for _, table := range copiedAnew(copied) {
		if slices.Contains(asked, table) {
			continue
		}
		f := caseOf(cases, table)
		require.NotNil(t, f, table)
		f.again = append(f.again, table)
	}
}

// copiedAnew returns the tables that a copy says that it has brought over anew.
func copiedAnew(copied *harness.Child) (tables []string) {
	for _, line := range strings.Split(copied.Log(), "\n") {
		var said struct {
			Message string `json:"message"`
			Table   string `json:"table"`
		}
		if json.Unmarshal([]byte(line), &said) == nil &&
			said.Message == "table is copied anew, as it is on the source now" {
			tables = append(tables, said.Table)
		}
	}
	return tables
}

// note notes a refusal with the case that it is about, and returns what it advises.
func (m *move) note(t *testing.T, c *harness.Child, cases []*flowing) (advice []string) {
	t.Helper()
	require.Equal(t, refused, c.Code, "%s\n%s", last(c), c.Log())
	text, advice := refusal(t, c)
	f := caseOf(cases, text)
	require.NotNil(t, f, "a refusal that names no table: %s", text)
	f.refusals = append(f.refusals, text)
	require.Less(t, len(f.refusals), len(f.Statements)+6, "%s is refused for ever: %s", f.Title, text)
	f.stuck = len(f.refusals) > len(f.Statements) || len(advice) == 0
	if m.stays(f) || f.Barred != "" || f.stuck { // the table cannot be had there
		for _, table := range m.Source.Strings(t, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE "+
			"TABLE_SCHEMA = ?", f.db) {
			m.Source.Exec(t, "SET foreign_key_checks = 0", "DROP TABLE "+f.db+"."+lab.Quote(table))
		}
	}
	return advice
}

// stays tells whether a case cannot be had on the other end.
func (m *move) stays(f *flowing) bool { return f.Stays != "" && m.across() }

var advised = regexp.MustCompile(`copy again with wherry init-copy (.*?), or make the change`)

// refusal returns what a command refused, and the tables that it advises to copy again, as arguments.
func refusal(t *testing.T, c *harness.Child) (text string, advice []string) {
	t.Helper()
	var line struct {
		Type  string `json:"type"`
		Error string `json:"error"`
		Code  int    `json:"code"`
	}
	require.NoError(t, json.Unmarshal([]byte(last(c)), &line), c.Output())
	require.Equal(t, "error", line.Type)
	if found := advised.FindStringSubmatch(line.Error); found != nil {
		for _, flag := range strings.Split(found[1], " --table ") {
			advice = append(advice, "--table", strings.TrimPrefix(flag, "--table "))
		}
	}
	return line.Error, advice
}

// judge compares everything, and what was refused with what had to be.
func (m *move) judge(t *testing.T, cases []*flowing, ran int) {
	t.Helper()
	followed, refusals, late, again := 0, 0, 0, 0
	for _, f := range cases {
		for _, database := range []string{f.db, f.other} {
			for _, difference := range m.differences(t, database) {
				assert.Fail(t, "both ends differ", "%s: %s", f.Title, difference)
			}
		}
		if f.lacks != "" {
			t.Logf("%s is left out: %s", f.Title, f.lacks)
			continue
		}
		must := f.Opaque || f.Barred != ""
		may := must || m.stays(f)
		switch {
		case len(f.refusals) == 0 && len(f.again) > 0:
			again++
			t.Logf("%s was copied anew beside another: %q", f.Title, f.again)
		case len(f.refusals) == 0: // also of one that need not cross: then it is equal all the same
			followed++
			assert.False(t, must, "%s: was followed", f.Title)
		case lagging(f.refusals) && !may:
			late++
			t.Logf("%s could not be told in hindsight: %s", f.Title, f.refusals[0])
		default:
			refusals++
			assert.True(t, may, "%s: was refused: %q", f.Title, f.refusals)
			assert.False(t, f.stuck && !may, "%s is refused again and again: %s", f.Title,
				f.refusals[len(f.refusals)-1])
			t.Logf("%s: %q", f.Title, f.refusals)
		}
	}
	t.Logf("%d cases followed, %d refused, %d for what came after, %d copied anew beside another, %d statements",
		followed, refusals, late, again, ran)
	assert.LessOrEqual(t, (late+again)*12, max(len(cases), 24))
}
