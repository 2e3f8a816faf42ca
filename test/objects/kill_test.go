package objects

import (
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// kills is how often a cutover is killed, at moments spread over the time that it takes.
const kills = 6

var statePath = regexp.MustCompile(`(?m)^state: (.*)$`)

func (m *move) statePath(t *testing.T) string {
	t.Helper()
	config, err := os.ReadFile(m.Config)
	require.NoError(t, err)
	return statePath.FindStringSubmatch(string(config))[1]
}

// TestCutoverKilled: whenever it dies, no trigger is on the target and no event enabled before the target has taken
// over, and after the next run each object is there once.
func TestCutoverKilled(t *testing.T) {
	onPairs(t, []string{"mysql to mariadb", "mariadb to mariadb", "mariadb to mysql"},
		func(t *testing.T, source, target lab.Server) {
			m := newMove(t, "wo_killed", source, target, allObjects, "schema: {allow_losses: [collation]}")
			m.fill(t)
			m.ready(t)
			state, err := os.ReadFile(m.statePath(t))
			require.NoError(t, err)
			began := time.Now()
			m.must(t, "cutover", "--confirm=wo_killed")
			took := time.Since(began)
			m.assertOnce(t)
			ended := map[string]int{}
			for k := range kills {
				m.unseal(t, state)
				c, err := m.Start(t.Context(), "cutover", "--confirm=wo_killed")
				require.NoError(t, err)
				time.Sleep(took * time.Duration(k+2) / kills)
				_ = c.Signal(os.Kill) // it may have ended by itself
				<-c.Done()
				ended[m.assertQuiet(t)]++
				m.must(t, "cutover", "--confirm=wo_killed")
				m.assertOnce(t)
			}
			t.Logf("a cutover takes %s; killed at: %v", took.Round(time.Millisecond), ended)
		})
}

// TestKilledBetweenTriggers: a reader on the target holds up the third table's triggers, and the cutover dies there,
// sealed.
func TestKilledBetweenTriggers(t *testing.T) {
	onPairs(t, everyPair, func(t *testing.T, source, target lab.Server) {
		m := newMove(t, "wo_between", source, target, allObjects, "schema: {allow_losses: [collation]}")
		m.fill(t)
		m.ready(t)
		reader := conn(t, m.to, m.there)
		for _, s := range []string{"START TRANSACTION", "DO (SELECT COUNT(*) FROM rental)"} {
			_, err := reader.ExecContext(t.Context(), s)
			require.NoError(t, err)
		}
		c, err := m.Start(t.Context(), "cutover", "--confirm=wo_between")
		require.NoError(t, err)
		require.True(t, lab.Until(func() bool { return m.count(t, "triggers", "trigger_schema") == 4 }, c.Progress),
			"those of film and payment")
		require.NoError(t, c.Signal(os.Kill))
		<-c.Done()
		assert.NotEmpty(t, m.fact(t, "cutover"))
		_, err = reader.ExecContext(t.Context(), "ROLLBACK")
		require.NoError(t, err)
		m.must(t, "cutover", "--confirm=wo_between")
		m.assertMoved(t)
	})
}

func (m *move) fact(t *testing.T, name string) string {
	t.Helper()
	return text(t, m.to, fmt.Sprintf("SELECT value FROM wherry_%s.facts WHERE name = '%s'", m.name, name))
}

// unseal takes a finished cutover back, as far as rows and triggers go.
func (m *move) unseal(t *testing.T, state []byte) {
	t.Helper()
	facts := "wherry_" + m.name + ".facts"
	statements := []string{
		"DELETE FROM " + facts + " WHERE name IN ('cutover', 'cutover_journal')",
		"UPDATE " + facts + " SET name = 'position' WHERE name = 'final_position'",
	}
	for i := range m.count(t, "triggers", "trigger_schema") {
		statements = append(statements, text(t, m.to, fmt.Sprintf("SELECT CONCAT('DROP TRIGGER `', trigger_schema, "+
			"'`.`', trigger_name, '`') "+
			"FROM information_schema.triggers WHERE trigger_schema = '%s' ORDER BY trigger_name LIMIT %d, 1", m.there,
			i)))
	}
	for _, event := range []string{"tidy", "new_year", "asleep"} {
		statements = append(statements, fmt.Sprintf("ALTER DEFINER = `%s`@`%%` EVENT %s.%s DISABLE", owner, m.there,
			event))
	}
	exec(t, m.to, statements...)
	exec(t, m.source, "SET GLOBAL read_only = 0")
	require.NoError(t, os.WriteFile(m.statePath(t), state, 0o600))
}

// assertQuiet looks at what a cutover that died has left, and tells how far it had come.
func (m *move) assertQuiet(t *testing.T) string {
	t.Helper()
	triggers := m.count(t, "triggers", "trigger_schema")
	if m.fact(t, "cutover") == "" {
		assert.Zero(t, triggers, "triggers before the takeover")
		enabled := text(t, m.to, "SELECT COUNT(*) FROM information_schema.events WHERE status = 'ENABLED' AND "+
			"event_schema = '"+m.there+"'")
		assert.Equal(t, "0", enabled, "events enabled before the takeover")
		return "before the takeover"
	}
	if triggers < len(rentalTriggers) {
		return "before all triggers"
	}
	return "after"
}

// assertOnce: everything is there once, and a trigger fires once.
func (m *move) assertOnce(t *testing.T) {
	t.Helper()
	m.assertCounts(t)
	there := conn(t, m.to, m.there)
	var before, after int
	require.NoError(t, there.QueryRowContext(t.Context(),
		"SELECT times FROM fired WHERE name = 'rental'").Scan(&before))
	for _, s := range []string{"START TRANSACTION", fmt.Sprintf(rent, rented(1)...)} {
		_, err := there.ExecContext(t.Context(), s)
		require.NoError(t, err)
	}
	require.NoError(t, there.QueryRowContext(t.Context(), "SELECT times FROM fired WHERE name = 'rental'").Scan(&after))
	_, err := there.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	assert.Equal(t, before+1, after)
	enabled := text(t, m.to, "SELECT COUNT(*) FROM information_schema.events WHERE status = 'ENABLED' AND "+
		"event_schema = '"+m.there+"'")
	assert.Equal(t, "2", enabled)
}
