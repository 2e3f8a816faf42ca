package objects

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// kills is how often a cutover is killed, at moments spread over the time that it takes.
const kills = 6

// TestCutoverKilled: whenever it dies, no trigger is on the target and no event enabled before the target has taken
// over, and after the next run each object is there once.
func TestCutoverKilled(t *testing.T) {
	harness.Each(t, []harness.Ends{harness.ToMariaDB, harness.MariaDB, harness.ToMySQL},
		func(t *testing.T, source, target *harness.Server) {
			m := newMove(t, "wo_killed", source, target, allObjects, "schema: {allow_losses: [collation]}")
			m.fill(t)
			m.UpToCutover(t)
			state, err := os.ReadFile(m.State)
			require.NoError(t, err)
			began := time.Now()
			m.Must(t, "cutover", "--confirm=wo_killed")
			took := time.Since(began)
			m.assertOnce(t)
			ended := map[string]int{}
			for k := range kills {
				m.unseal(t, state)
				c := m.Start(t, "cutover", "--confirm=wo_killed")
				time.Sleep(took * time.Duration(k+2) / kills)
				c.Kill(t)
				ended[m.assertQuiet(t)]++
				m.Must(t, "cutover", "--confirm=wo_killed")
				m.assertOnce(t)
			}
			t.Logf("a cutover takes %s; killed at: %v", took.Round(time.Millisecond), ended)
		})
}

// TestKilledBetweenTriggers: a reader on the target holds up the third table's triggers, and the cutover dies there,
// sealed.
func TestKilledBetweenTriggers(t *testing.T) {
	harness.Each(t, harness.Every, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "wo_between", source, target, allObjects, "schema: {allow_losses: [collation]}")
		m.fill(t)
		m.UpToCutover(t)
		reader := conn(t, m.to, m.there)
		for _, s := range []string{"START TRANSACTION", "DO (SELECT COUNT(*) FROM rental)"} {
			_, err := reader.ExecContext(t.Context(), s)
			require.NoError(t, err)
		}
		c := m.Start(t, "cutover", "--confirm=wo_between")
		require.True(t, lab.Until(func() bool { return m.count(t, "triggers", "trigger_schema") == 4 }, c.Progress),
			"those of film and payment")
		c.Kill(t)
		assert.NotEmpty(t, m.Fact(t, "cutover"))
		_, err := reader.ExecContext(t.Context(), "ROLLBACK")
		require.NoError(t, err)
		m.Must(t, "cutover", "--confirm=wo_between")
		m.assertMoved(t)
	})
}

// unseal takes a finished cutover back, as far as rows and triggers go.
func (m *move) unseal(t *testing.T, state []byte) {
	t.Helper()
	facts := "wherry_" + m.Name + ".facts"
	statements := []string{
		"DELETE FROM " + facts + " WHERE name IN ('cutover', 'cutover_journal')",
		"UPDATE " + facts + " SET name = 'position' WHERE name = 'final_position'",
	}
	for i := range m.count(t, "triggers", "trigger_schema") {
		statements = append(statements, m.to.Text(t, fmt.Sprintf("SELECT CONCAT('DROP TRIGGER `', trigger_schema, "+
			"'`.`', trigger_name, '`') "+
			"FROM information_schema.triggers WHERE trigger_schema = '%s' ORDER BY trigger_name LIMIT %d, 1", m.there,
			i)))
	}
	for _, event := range []string{"tidy", "new_year", "asleep"} {
		statements = append(statements, fmt.Sprintf("ALTER DEFINER = `%s`@`%%` EVENT %s.%s DISABLE", owner, m.there,
			event))
	}
	m.to.Exec(t, statements...)
	m.Source.Writable(t)
	require.NoError(t, os.WriteFile(m.State, state, 0o600))
}

// assertQuiet looks at what a cutover that died has left, and tells how far it had come.
func (m *move) assertQuiet(t *testing.T) string {
	t.Helper()
	triggers := m.count(t, "triggers", "trigger_schema")
	if m.Fact(t, "cutover") == "" {
		assert.Zero(t, triggers, "triggers before the takeover")
		enabled := m.to.Text(t, "SELECT COUNT(*) FROM information_schema.events WHERE status = 'ENABLED' AND "+
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
	enabled := m.to.Text(t, "SELECT COUNT(*) FROM information_schema.events WHERE status = 'ENABLED' AND "+
		"event_schema = '"+m.there+"'")
	assert.Equal(t, "2", enabled)
}
