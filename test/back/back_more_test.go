package back

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// audit makes a table that a trigger and an event write to, and both.
func (m *move) audit(t *testing.T) {
	t.Helper()
	m.source.run(t,
		"CREATE TABLE "+name+
			".audit (token VARCHAR(40) NOT NULL, what VARCHAR(10) NOT NULL, KEY (token)) ENGINE=InnoDB",
		"CREATE TRIGGER "+name+".on_item AFTER INSERT ON "+name+".items FOR EACH ROW INSERT INTO "+name+
			".audit VALUES (NEW.token, 'new')",
		// As the application: an account that may write to a read-only server would go on with it on the old source.
		"CREATE DEFINER='"+appUser+"'@'%' EVENT "+name+".ticks ON SCHEDULE EVERY 1 SECOND DO INSERT INTO "+name+
			".audit VALUES ('tick', 'tick')")
}

// TestBackTriggers: what a trigger did on the new server comes back as rows, so the old source's own must not act;
// once the source has taken over again they are as they were, and act once. The same holds for events.
func TestBackTriggers(t *testing.T) {
	likePairs(t, func(t *testing.T, from, to string) {
		m := newMove(t, from, to, "cutover: {max_lag: 30s, timeout: 20s, objects: [triggers, events]}")
		for _, s := range []*server{m.source, m.target} {
			s.run(t, "SET GLOBAL event_scheduler = 1")
			t.Cleanup(func() { s.run(t, "SET GLOBAL event_scheduler = 0") })
		}
		m.createTables(t, 50)
		m.audit(t)
		triggers := "SELECT GROUP_CONCAT(CONCAT_WS(' ', trigger_name, definer, action_statement)) FROM " +
			"information_schema.triggers WHERE trigger_schema = '" + name + "'"
		events := "SELECT GROUP_CONCAT(CONCAT_WS(' ', event_name, definer, status, event_definition)) FROM " +
			"information_schema.events WHERE event_schema = '" + name + "'"
		trigger, event := m.source.text(t, triggers), m.source.text(t, events)
		require.Contains(t, trigger, "on_item")
		require.Contains(t, event, "ENABLED")
		m.upToCutover(t)
		m.must(t, "cutover", "--confirm="+name)
		insert := func(s *server, token string) {
			s.run(t, "INSERT INTO "+name+".items (token, n) VALUES ('"+token+"', 0)")
		}
		insert(m.target, "there")
		m.must(t, "start-replica", "--reverse", "--until-caught-up")
		assert.Empty(t, m.source.text(t, triggers))
		assert.Contains(t, m.source.text(t, events), "DISABLED")
		insert(m.target, "there again")
		m.must(t, "start-replica", "--reverse", "--until-caught-up")
		count := func(s *server, token string) int {
			return s.number(t, "SELECT COUNT(*) FROM "+name+".audit WHERE token = ?", token)
		}
		for _, token := range []string{"there", "there again"} {
			assert.Equal(t, []int{1, 1}, []int{count(m.target, token), count(m.source, token)}, token)
		}
		time.Sleep(2200 * time.Millisecond) // for ticks
		m.must(t, "verify", "--reverse")
		m.must(t, "cutover", "--reverse", "--confirm="+name)
		assert.Equal(t, trigger, m.source.text(t, triggers), "as it was")
		assert.Equal(t, event, m.source.text(t, events), "as it was")
		assert.GreaterOrEqual(t, count(m.source, "tick"), 2)
		insert(m.source, "home")
		assert.Equal(t, 1, count(m.source, "home"))
		assert.Equal(t, []int{1, 1}, []int{count(m.source, "there"), count(m.source, "there again")})
	})
}

// TestBackTriggersGivenUp: a way back that is given up leaves the source's triggers and events as they were.
func TestBackTriggersGivenUp(t *testing.T) {
	likePairs(t, func(t *testing.T, from, to string) {
		m := newMove(t, from, to)
		m.createTables(t, 10)
		m.audit(t)
		list := "SELECT CONCAT((SELECT GROUP_CONCAT(CONCAT_WS(' ', trigger_name, definer, action_statement, " +
			"sql_mode)) FROM information_schema.triggers WHERE trigger_schema = '" + name + "'), " +
			"(SELECT GROUP_CONCAT(CONCAT_WS(' ', event_name, definer, status, event_definition)) FROM " +
			"information_schema.events WHERE event_schema = '" + name + "'))"
		before := m.source.text(t, list)
		require.NotEmpty(t, before)
		m.upToCutover(t)
		m.must(t, "cutover", "--confirm="+name)
		m.must(t, "start-replica", "--reverse", "--until-caught-up")
		assert.Empty(t, m.source.text(t, list), "no trigger")
		m.must(t, "cleanup", "--abandon", "--confirm="+name)
		assert.Equal(t, before, m.source.text(t, list))
		assert.True(t, m.source.readOnly(t))
	})
}

// TestBackFromTheTakeover: the way back begins at the takeover itself, not where wherry came to look: what
// applications wrote before a cutover that died was finished is in it, and nothing that was applied forward is
// repeated, which a table without a key would show.
func TestBackFromTheTakeover(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to string) {
		m := newMove(t, from, to, "hooks: {switch: exit 1}", "schema: {allow_losses: [collation]}")
		m.createTables(t, 200)
		m.upToCutover(t)
		m.source.run(t, "INSERT INTO "+name+".entries VALUES ('last', 1)",
			"INSERT INTO "+name+".entries VALUES ('last', 1)")
		m.fails(t, 15, "cutover", "--confirm="+name)
		require.NotEmpty(t, m.target.fact(t, "cutover"))
		m.target.run(t, "INSERT INTO "+name+".entries VALUES ('first', 1)",
			"UPDATE "+name+".items SET n = 7 ORDER BY id LIMIT 3",
			"INSERT INTO "+name+".entries VALUES ('last', 1)") // somebody has switched by hand
		m.configure(t, "hooks: {}")
		m.must(t, "cutover", "--confirm="+name)
		m.target.run(t, "DELETE FROM "+name+".entries WHERE token = 'last' LIMIT 1")
		m.must(t, "start-replica", "--reverse", "--until-caught-up")
		m.equal(t)
		assert.Equal(t, 2, m.source.number(t, "SELECT COUNT(*) FROM "+name+".entries WHERE token = 'last'"))
		assert.Equal(t, 1, m.source.number(t, "SELECT COUNT(*) FROM "+name+".entries WHERE token = 'first'"))
		m.must(t, "verify", "--reverse")
	})
}

// TestBackFences: whatever stopped the writes on the way forward, the way back puts it right, and stops writes in the
// same way.
func TestBackFences(t *testing.T) {
	for _, fence := range []string{"lock_tables", "hook", "none"} {
		t.Run(fence, func(t *testing.T) {
			m := newMove(t, "mysql-1", "mysql-2")
			log := m.place + ".log"
			say := func(hook string) string {
				return hook + ": 'echo " + hook + " $WHERRY_DIRECTION $WHERRY_SOURCE >> " + log + "'"
			}
			m.configure(t, "cutover: {fence: "+fence+"}", "hooks: {"+say("fence")+", "+say("unfence")+", "+
				say("switch")+"}")
			m.createTables(t, 50)
			m.upToCutover(t)
			m.must(t, "cutover", "--confirm="+name)
			m.target.run(t, "UPDATE "+name+".items SET n = n + 1")
			m.must(t, "start-replica", "--reverse", "--until-caught-up")
			m.must(t, "verify", "--reverse")
			m.must(t, "cutover", "--reverse", "--confirm="+name)
			m.equal(t)
			old, now := m.source.Address(), m.target.Address()
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
	m := newMove(t, "mysql-1", "mysql-2")
	m.createTables(t, 50)
	m.upToCutover(t)
	m.must(t, "cutover", "--confirm="+name)
	begin := []string{"start-replica", "--reverse", "--until-caught-up"}

	m.source.run(t, "SET GLOBAL super_read_only = 0", "SET GLOBAL read_only = 0")
	assert.Contains(t, m.fails(t, refused, begin...), "takes writes, although the cutover had closed it")
	m.source.run(t, "SET GLOBAL super_read_only = 1")
	m.target.unlogged(t, "ALTER TABLE "+name+".items ADD COLUMN more INT NULL")
	assert.Contains(t, m.fails(t, refused, begin...), "its log does not tell of the change")
	assert.False(t, m.source.has(t, ledger), "nothing was changed")
	m.target.unlogged(t, "ALTER TABLE "+name+".items DROP COLUMN more")
	assert.True(t, m.source.readOnly(t))

	// as a target without a log
	m.target.run(t, "UPDATE "+ledger+".facts SET value = '' WHERE name = 'return_position'")
	assert.Contains(t, m.fails(t, refused, begin...), "there is no way back")
}

// TestBackPurged: a way back whose log is purged is told as that, with advice that leaves the target alone.
func TestBackPurged(t *testing.T) {
	likePairs(t, func(t *testing.T, from, to string) {
		m := newMove(t, from, to)
		m.createTables(t, 10)
		m.upToCutover(t)
		m.must(t, "cutover", "--confirm="+name)
		m.target.run(t, "FLUSH BINARY LOGS")
		require.True(t, lab.Until(func() bool { // MariaDB keeps a file until the engine's checkpoint is beyond it
			logs := m.target.logs(t)
			m.target.run(t, "PURGE BINARY LOGS TO '"+logs[len(logs)-1]+"'")
			return len(logs) == 1
		}), "the log is not purged")
		said := m.fails(t, gone, "start-replica", "--reverse", "--until-caught-up")
		assert.Contains(t, said, "leave the target as it is")
		assert.NotContains(t, said, "drop the target's tables")
		assert.False(t, m.source.has(t, ledger), "nothing was changed")
	})
}

// logs returns the files of the server's log.
func (s *server) logs(t *testing.T) (files []string) {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), "SHOW BINARY LOGS")
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	into := make([]any, len(columns)) // more of them on MySQL
	for i := range into {
		into[i] = new(any)
	}
	var file string
	into[0] = &file
	for rows.Next() {
		require.NoError(t, rows.Scan(into...))
		files = append(files, file)
	}
	require.NoError(t, rows.Err())
	return files
}

// TestWayBackIsChecked: whether there will be a way back shows before the move, and is no reason not to move.
func TestWayBackIsChecked(t *testing.T) {
	m := newMove(t, "mysql-1", "mysql-2")
	m.createTables(t, 10)
	check := m.run(t, "check", "--all")
	require.Zero(t, check.Code)
	assert.Contains(t, check.Output(), "start-replica --reverse can keep a way back open")
	m.configure(t, "filters: [{table: "+name+".items, where: 'id < 5'}]")
	m.target.run(t, "SET GLOBAL binlog_row_image = 'MINIMAL'")
	defer m.target.run(t, "SET GLOBAL binlog_row_image = 'FULL'")
	check = m.run(t, "check")
	require.Zero(t, check.Code)
	for _, reason := range []string{"there would be no way back", "has a row filter", "binlog_row_image"} {
		assert.Contains(t, check.Output(), reason)
	}
}

// TestBackStatus: status tells of both ways.
func TestBackStatus(t *testing.T) {
	m := newMove(t, "mysql-1", "mysql-2")
	m.createTables(t, 10)
	m.upToCutover(t)
	status := func() string {
		child := m.run(t, "status")
		require.Zero(t, child.Code)
		return child.Output()
	}
	m.must(t, "cutover", "--rehearse", "--confirm="+name)
	assert.Contains(t, status(), `"rehearsal":{"at":`)
	m.must(t, "cutover", "--confirm="+name)
	m.must(t, "start-replica", "--reverse", "--until-caught-up")
	for _, part := range []string{
		`"name":"reverse:start-replica","status":"done"`,
		`"reverse":{"positions":{"start":"gtid=`, "wherry start-replica --reverse",
	} {
		assert.Contains(t, status(), part)
	}
	m.must(t, "verify", "--reverse")
	m.must(t, "cutover", "--reverse", "--confirm="+name)
	assert.Contains(t, status(), "the source has taken over again")
}
