package back

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// audit makes a table that a trigger and an event write to, and both.
func (m *move) audit(t *testing.T) {
	t.Helper()
	m.Source.Exec(t,
		"CREATE TABLE "+name+
			".audit (token VARCHAR(40) NOT NULL, what VARCHAR(10) NOT NULL, KEY (token)) ENGINE=InnoDB",
		"CREATE TRIGGER "+name+".on_item AFTER INSERT ON "+name+".items FOR EACH ROW INSERT INTO "+name+
			".audit VALUES (NEW.token, 'new')",
		// As the application: an account that may write to a read-only server would go on with it on the old source.
		"CREATE DEFINER='"+harness.AppUser+"'@'%' EVENT "+name+".ticks ON SCHEDULE EVERY 1 SECOND DO INSERT INTO "+name+
			".audit VALUES ('tick', 'tick')")
}

// TestBackTriggers: what a trigger did on the new server comes back as rows, so the old source's own must not act;
// once the source has taken over again they are as they were, and act once. The same holds for events.
func TestBackTriggers(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, from, to *harness.Server) {
		m := newMove(t, from, to, "cutover: {max_lag: 30s, timeout: 20s, objects: [triggers, events]}")
		for _, s := range []*harness.Server{m.Source, m.Target} {
			s.Exec(t, "SET GLOBAL event_scheduler = 1")
			t.Cleanup(func() { s.Exec(t, "SET GLOBAL event_scheduler = 0") })
		}
		m.createTables(t, 50)
		m.audit(t)
		triggers := "SELECT GROUP_CONCAT(CONCAT_WS(' ', trigger_name, definer, action_statement)) FROM " +
			"information_schema.triggers WHERE trigger_schema = '" + name + "'"
		events := "SELECT GROUP_CONCAT(CONCAT_WS(' ', event_name, definer, status, event_definition)) FROM " +
			"information_schema.events WHERE event_schema = '" + name + "'"
		trigger, event := m.Source.Text(t, triggers), m.Source.Text(t, events)
		require.Contains(t, trigger, "on_item")
		require.Contains(t, event, "ENABLED")
		m.UpToCutover(t)
		m.Must(t, "cutover", m.Confirm())
		insert := func(s *harness.Server, token string) {
			s.Exec(t, "INSERT INTO "+name+".items (token, n) VALUES ('"+token+"', 0)")
		}
		insert(m.Target, "there")
		m.Must(t, "start-replica", "--reverse", "--until-caught-up")
		assert.Empty(t, m.Source.Text(t, triggers))
		assert.Contains(t, m.Source.Text(t, events), "DISABLED")
		insert(m.Target, "there again")
		m.Must(t, "start-replica", "--reverse", "--until-caught-up")
		count := func(s *harness.Server, token string) int {
			return s.Number(t, "SELECT COUNT(*) FROM "+name+".audit WHERE token = ?", token)
		}
		for _, token := range []string{"there", "there again"} {
			assert.Equal(t, []int{1, 1}, []int{count(m.Target, token), count(m.Source, token)}, token)
		}
		time.Sleep(2200 * time.Millisecond) // for ticks
		m.Must(t, "verify", "--reverse")
		m.Must(t, "cutover", "--reverse", m.Confirm())
		assert.Equal(t, trigger, m.Source.Text(t, triggers), "as it was")
		assert.Equal(t, event, m.Source.Text(t, events), "as it was")
		assert.GreaterOrEqual(t, count(m.Source, "tick"), 2)
		insert(m.Source, "home")
		assert.Equal(t, 1, count(m.Source, "home"))
		assert.Equal(t, []int{1, 1}, []int{count(m.Source, "there"), count(m.Source, "there again")})
	})
}

// TestBackTriggersGivenUp: a way back that is given up leaves the source's triggers and events as they were.
func TestBackTriggersGivenUp(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, from, to *harness.Server) {
		m := newMove(t, from, to)
		m.createTables(t, 10)
		m.audit(t)
		list := "SELECT CONCAT((SELECT GROUP_CONCAT(CONCAT_WS(' ', trigger_name, definer, action_statement, " +
			"sql_mode)) FROM information_schema.triggers WHERE trigger_schema = '" + name + "'), " +
			"(SELECT GROUP_CONCAT(CONCAT_WS(' ', event_name, definer, status, event_definition)) FROM " +
			"information_schema.events WHERE event_schema = '" + name + "'))"
		before := m.Source.Text(t, list)
		require.NotEmpty(t, before)
		m.UpToCutover(t)
		m.Must(t, "cutover", m.Confirm())
		m.Must(t, "start-replica", "--reverse", "--until-caught-up")
		assert.Empty(t, m.Source.Text(t, list), "no trigger")
		m.Must(t, "cleanup", "--abandon", m.Confirm())
		assert.Equal(t, before, m.Source.Text(t, list))
		assert.True(t, m.Source.ReadOnly(t))
	})
}

// TestBackFromTheTakeover: the way back begins at the takeover itself, not where wherry came to look: what
// applications wrote before a cutover that died was finished is in it, and nothing that was applied forward is
// repeated, which a table without a key would show.
func TestBackFromTheTakeover(t *testing.T) {
	harness.Each(t, harness.Every, func(t *testing.T, from, to *harness.Server) {
		m := newMove(t, from, to, "hooks: {switch: exit 1}", "schema: {allow_losses: [collation]}")
		m.createTables(t, 200)
		m.UpToCutover(t)
		m.Source.Exec(t, "INSERT INTO "+name+".entries VALUES ('last', 1)",
			"INSERT INTO "+name+".entries VALUES ('last', 1)")
		m.Fails(t, harness.Unfinished, "cutover", m.Confirm())
		require.NotEmpty(t, m.Fact(t, "cutover"))
		m.Target.Exec(t, "INSERT INTO "+name+".entries VALUES ('first', 1)",
			"UPDATE "+name+".items SET n = 7 ORDER BY id LIMIT 3",
			"INSERT INTO "+name+".entries VALUES ('last', 1)") // somebody has switched by hand
		m.Configure(t, "hooks: {}")
		m.Must(t, "cutover", m.Confirm())
		m.Target.Exec(t, "DELETE FROM "+name+".entries WHERE token = 'last' LIMIT 1")
		m.Must(t, "start-replica", "--reverse", "--until-caught-up")
		m.equal(t)
		assert.Equal(t, 2, m.Source.Number(t, "SELECT COUNT(*) FROM "+name+".entries WHERE token = 'last'"))
		assert.Equal(t, 1, m.Source.Number(t, "SELECT COUNT(*) FROM "+name+".entries WHERE token = 'first'"))
		m.Must(t, "verify", "--reverse")
	})
}

// TestBackFences: whatever stopped the writes on the way forward, the way back puts it right, and stops writes in the
// same way.
func TestBackFences(t *testing.T) {
	for _, fence := range []string{"lock_tables", "hook", "none"} {
		t.Run(fence, func(t *testing.T) {
			m := moveOf(t, harness.MySQL)
			log := m.Place + ".log"
			say := func(hook string) string {
				return hook + ": 'echo " + hook + " $WHERRY_DIRECTION $WHERRY_SOURCE >> " + log + "'"
			}
			m.Configure(t, "cutover: {fence: "+fence+"}", "hooks: {"+say("fence")+", "+say("unfence")+", "+
				say("switch")+"}")
			m.createTables(t, 50)
			m.UpToCutover(t)
			m.Must(t, "cutover", m.Confirm())
			m.Target.Exec(t, "UPDATE "+name+".items SET n = n + 1")
			m.Must(t, "start-replica", "--reverse", "--until-caught-up")
			m.Must(t, "verify", "--reverse")
			m.Must(t, "cutover", "--reverse", m.Confirm())
			m.equal(t)
			old, now := m.Source.Address(), m.Target.Address()
			want := "switch forward " + old + "\nswitch reverse " + now + "\n"
			if fence == "hook" {
				want = strings.Join([]string{
					"fence forward " + old, "switch forward " + old, "fence reverse " + now,
					"unfence forward " + old, "switch reverse " + now, "",
				}, "\n")
			}
			assert.Equal(t, want, read(t, log))
		})
	}
}

// TestBackRefused: what would make the way back wrong is refused, and says what to do.
func TestBackRefused(t *testing.T) {
	m := moveOf(t, harness.MySQL)
	m.createTables(t, 50)
	m.UpToCutover(t)
	m.Must(t, "cutover", m.Confirm())
	begin := []string{"start-replica", "--reverse", "--until-caught-up"}

	m.Source.Exec(t, "SET GLOBAL super_read_only = 0", "SET GLOBAL read_only = 0")
	assert.Contains(t, m.Fails(t, harness.Refused, begin...), "takes writes, although the cutover had closed it")
	m.Source.Exec(t, "SET GLOBAL super_read_only = 1")
	unlogged(t, m.Target, "ALTER TABLE "+name+".items ADD COLUMN more INT NULL")
	assert.Contains(t, m.Fails(t, harness.Refused, begin...), "the change is not in its log")
	assert.False(t, m.Source.Has(t, ledger), "nothing was changed")
	unlogged(t, m.Target, "ALTER TABLE "+name+".items DROP COLUMN more")
	assert.True(t, m.Source.ReadOnly(t))

	// as a target without a log
	m.Target.Exec(t, "UPDATE "+ledger+".facts SET value = '' WHERE name = 'return_position'")
	assert.Contains(t, m.Fails(t, harness.Refused, begin...), "there is no way back")
}

// TestBackPurged: a way back whose log is purged is told as that, with advice that leaves the target alone.
func TestBackPurged(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, from, to *harness.Server) {
		m := newMove(t, from, to)
		m.createTables(t, 10)
		m.UpToCutover(t)
		m.Must(t, "cutover", m.Confirm())
		m.Target.Purge(t)
		said := m.Fails(t, harness.Gone, "start-replica", "--reverse", "--until-caught-up")
		assert.Contains(t, said, "leave the target as it is")
		assert.NotContains(t, said, "drop the target's tables")
		assert.False(t, m.Source.Has(t, ledger), "nothing was changed")
	})
}

// TestWayBackIsChecked: whether there will be a way back shows before the move, and is no reason not to move.
func TestWayBackIsChecked(t *testing.T) {
	m := moveOf(t, harness.MySQL)
	m.createTables(t, 10)
	check := m.Run(t, "check", "--all")
	require.Zero(t, check.Code)
	assert.Contains(t, check.Output(), "start-replica --reverse can keep a way back open")
	m.Configure(t, "filters: [{table: "+name+".items, where: 'id < 5'}]")
	m.Target.Exec(t, "SET GLOBAL binlog_row_image = 'MINIMAL'")
	defer m.Target.Exec(t, "SET GLOBAL binlog_row_image = 'FULL'")
	check = m.Run(t, "check")
	require.Zero(t, check.Code)
	for _, reason := range []string{"there would be no way back", "has a row filter", "binlog_row_image"} {
		assert.Contains(t, check.Output(), reason)
	}
}

// TestBackStatus: status tells of both ways.
func TestBackStatus(t *testing.T) {
	m := moveOf(t, harness.MySQL)
	m.createTables(t, 10)
	m.UpToCutover(t)
	status := func() string {
		child := m.Run(t, "status")
		require.Zero(t, child.Code)
		return child.Output()
	}
	m.Must(t, "cutover", "--rehearse", m.Confirm())
	assert.Contains(t, status(), `"rehearsal":{"at":`)
	m.Must(t, "cutover", m.Confirm())
	m.Must(t, "start-replica", "--reverse", "--until-caught-up")
	for _, part := range []string{
		`"name":"reverse:start-replica","status":"done"`,
		`"reverse":{"positions":{"start":"gtid=`, "wherry start-replica --reverse",
	} {
		assert.Contains(t, status(), part)
	}
	m.Must(t, "verify", "--reverse")
	m.Must(t, "cutover", "--reverse", m.Confirm())
	assert.Contains(t, status(), "the source has taken over again")
}
