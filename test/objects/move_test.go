package objects

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestObjectsMove moves the shop with all that it has, under load, in every direction; between servers of one family
// to a database of another name.
func TestObjectsMove(t *testing.T) {
	harness.Each(t, harness.Every, func(t *testing.T, source, target *harness.Server) {
		extra := []string{allObjects, "schema: {allow_losses: [collation]}"}
		if source.Flavor == target.Flavor {
			extra = append(extra, `routes: [{from: "wo_shop.*", to: "wo_newshop.*"}, {from: wo_shop.city, to: `+
				`wo_newshop.towns}]`)
		}
		m := newMove(t, "wo_shop", source, target, extra...)
		m.fill(t)
		m.source.Exec(t, inDatabase(m.Name, []string{beat})...)
		for _, db := range []*harness.Server{m.source, m.to} {
			was := db.Text(t, "SELECT @@GLOBAL.event_scheduler")
			db.Exec(t, "SET GLOBAL event_scheduler = ON")
			t.Cleanup(func() { db.Exec(t, "SET GLOBAL event_scheduler = "+was) })
		}
		l := m.startLoad(t)
		m.Phases(t, "check", "init-schema", "init-copy")
		replica := m.Start(t, "start-replica")
		m.followed(t, replica)
		m.Must(t, "verify")
		assert.Zero(t, m.count(t, "triggers", "trigger_schema"), "no trigger while changes are applied")
		assert.Zero(t, m.count(t, "views", "table_schema"))
		summary := m.Must(t, "cutover", "--confirm=wo_shop")
		t.Logf("writes were blocked for %.3f s", summary["blocked_seconds"])
		l.Stop(t)
		assert.Positive(t, l.Refused.Load(), "it wrote until it was refused")
		replica.Ends(t, harness.Done) // with the move
		m.assertBeats(t)
		m.assertMoved(t)
	})
}

// assertBeats: the event fires on the target and no longer on the source, whose count came with its rows.
func (m *move) assertBeats(t *testing.T) {
	t.Helper()
	beats := func(s *harness.Server, database string) int {
		return s.Number(t, "SELECT times FROM "+database+".fired WHERE name = 'event'")
	}
	source, target := beats(m.source, m.Name), beats(m.to, m.there)
	assert.Positive(t, source)
	assert.GreaterOrEqual(t, target, source)
	require.True(t, lab.Until(func() bool { return beats(m.to, m.there) > target+1 }), "the event does not run")
	assert.Equal(t, source, beats(m.source, m.Name))
	m.source.Exec(t, "SET GLOBAL read_only = 0", "DROP EVENT beat", "UPDATE fired SET times = 0 WHERE name = 'event'",
		"SET GLOBAL read_only = 1")
	m.to.Exec(t, "DROP EVENT "+m.there+".beat", "UPDATE "+m.there+".fired SET times = 0 WHERE name = 'event'")
}

// followed waits until a row that is written now has come.
func (m *move) followed(t *testing.T, replica *harness.Child) {
	t.Helper()
	m.source.Exec(t, "INSERT INTO fired VALUES ('followed', 1, '')")
	harness.Until(t, "the row comes", func() bool {
		return m.to.Text(t, "SELECT times FROM "+m.there+".fired WHERE name = 'followed'") == "1"
	}, replica)
}

func (m *move) count(t *testing.T, list, column string) int {
	t.Helper()
	return m.to.Number(t,
		fmt.Sprintf("SELECT COUNT(*) FROM information_schema.%s WHERE %s = '%s'", list, column, m.there))
}

// conn returns a connection in the database.
func conn(t *testing.T, s *harness.Server, database string) *sql.Conn {
	t.Helper()
	c, err := s.DB.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	_, err = c.ExecContext(t.Context(), "USE "+database)
	require.NoError(t, err)
	return c
}

// assertMoved compares what the source, which writes are blocked on, and the target have, and then uses the target.
func (m *move) assertMoved(t *testing.T) {
	t.Helper()
	here, there := conn(t, m.source, m.Name), conn(t, m.to, m.there)
	for _, statement := range rentalViews {
		_, name, _ := strings.Cut(statement, "VIEW ")
		name, _, _ = strings.Cut(name, " ")
		rows := table(t, here, "SELECT * FROM "+name)
		assert.NotEmpty(t, rows, name)
		assert.Equal(t, rows, table(t, there, "SELECT * FROM "+name), name)
	}
	for _, query := range []string{
		"SELECT id, balance(id, '2024-06-01') FROM customer", "SELECT shout('zoë')",
		"CALL film_in_stock(3, 1, @n)", "SELECT @n", "SET @length = 3", "CALL longest_name(@name, @length)",
		"SELECT @name, @length", "CALL rewards(2, @rewarded)", "SELECT @rewarded",
		"SELECT table_name, security_type, check_option, definer FROM information_schema.views WHERE table_schema = " +
			"DATABASE()",
		"SELECT routine_name, routine_type, is_deterministic, sql_data_access, security_type, routine_comment, " +
			"definer FROM information_schema.routines WHERE routine_schema = DATABASE()",
		"SELECT trigger_name, event_manipulation, action_timing, action_order, event_object_table, definer FROM " +
			"information_schema.triggers WHERE trigger_schema = DATABASE()",
		"SELECT event_name, definer, event_type, execute_at, interval_value, interval_field, starts, status, " +
			"on_completion, event_comment, time_zone FROM information_schema.events WHERE event_schema = DATABASE()",
		"SELECT * FROM fired", "SELECT * FROM film_text", "SELECT * FROM film", "SELECT * FROM rental",
		"SELECT * FROM payment",
	} {
		source, target := table(t, here, query), table(t, there, query)
		if query != "SET @length = 3" && !strings.HasPrefix(query, "CALL longest") {
			assert.NotEmpty(t, source, query)
		}
		assert.Equal(t, source, target, query)
	}
	m.assertFires(t, there)
	m.assertCounts(t)
}

// assertFires uses the target: each trigger fires once, in its order, and views check what is written through them.
func (m *move) assertFires(t *testing.T, there *sql.Conn) {
	t.Helper()
	run := func(statement string) error {
		_, err := there.ExecContext(t.Context(), statement)
		return err
	}
	one := func(query string) (value string) {
		require.NoError(t, there.QueryRowContext(t.Context(), query).Scan(&value), query)
		return value
	}
	rentals := one("SELECT times FROM fired WHERE name = 'rental'")
	require.NoError(t, run(fmt.Sprintf(rent, rented(1)...)))
	assert.Equal(t, one("SELECT "+rentals+" + 1"), one("SELECT times FROM fired WHERE name = 'rental'"))
	assert.True(t, strings.HasSuffix(one("SELECT trace FROM fired WHERE name = 'rental'"), "abab"), "in their order")
	require.NoError(t, run("INSERT INTO payment (customer_id, staff_id, amount, paid) VALUES (1, 1, 10, NOW())"))
	assert.Equal(t, "11.00", one("SELECT amount FROM payment ORDER BY id DESC LIMIT 1"))
	require.NoError(t, run("INSERT INTO film (title, description) VALUES ('Late', 'a unicorn')"))
	assert.Equal(t, "1", one("SELECT COUNT(*) FROM film_text WHERE MATCH (title, description) AGAINST ('unicorn')"))
	require.NoError(t, run("UPDATE film SET title = 'Later' WHERE title = 'Late'"))
	assert.Equal(t, "1", one("SELECT COUNT(*) FROM film_text WHERE title = 'Later'"))
	require.NoError(t, run("DELETE FROM film WHERE title = 'Later'"))
	assert.Equal(t, "0", one("SELECT COUNT(*) FROM film_text WHERE title = 'Later'"))
	require.NoError(t, run("UPDATE cheap SET rate = 1 WHERE rate < 1"))
	require.ErrorContains(t, run("UPDATE cheap SET rate = 9"), "CHECK OPTION")
	assert.Contains(t, one("SELECT status FROM information_schema.events WHERE event_schema = DATABASE() AND "+
		"event_name = 'tidy'"), "ENABLED")
	assert.Equal(t, "DISABLED", one("SELECT status FROM information_schema.events WHERE event_schema = DATABASE() "+
		"AND event_name = 'asleep'"))
	if isMariaDB(m.Source) && isMariaDB(m.Target) {
		assert.Equal(t, "1000", one("SELECT NEXTVAL(tickets)"))
		assert.Equal(t, "-1", one("SELECT NEXTVAL(down)"))
	}
}

// assertCounts: nothing is there twice, and nothing of ours is left.
func (m *move) assertCounts(t *testing.T) {
	t.Helper()
	for list, want := range map[string]int{
		"triggers/trigger_schema": len(rentalTriggers),
		"routines/routine_schema": len(rentalRoutines), "events/event_schema": len(rentalEvents),
		"views/table_schema": len(rentalViews),
	} {
		name, column, _ := strings.Cut(list, "/")
		assert.Equal(t, want, m.count(t, name, column), name)
	}
	assert.Empty(t, table(t, m.to.DB, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'wherry_"+
		m.Name+"' AND table_name LIKE 'tried%'"))
}

// TestSequencesGoOn: what was handed out on the source is never handed out again, whatever was cached.
func TestSequencesGoOn(t *testing.T) {
	harness.Each(t, []harness.Ends{harness.MariaDB}, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "wo_numbers", source, target, "cutover: {objects: [sequences], max_lag: 1h}")
		m.source.Exec(t, append([]string{"CREATE TABLE marks (id INT PRIMARY KEY)", "INSERT INTO marks VALUES (1)"},
			rentalSequences...)...)
		m.UpToCutover(t)
		for range 33 {
			m.source.Exec(t, "DO NEXTVAL(tickets)", "DO NEXTVAL(down)")
		}
		m.Must(t, "cutover", "--confirm=wo_numbers")
		there := conn(t, m.to, m.there)
		var next, down int
		require.NoError(t, there.QueryRowContext(t.Context(), "SELECT NEXTVAL(tickets), NEXTVAL(down)").Scan(&next,
			&down))
		assert.Greater(t, next, 1000+32*5)
		assert.Zero(t, (next-1000)%5)
		assert.Equal(t, -34, down)
	})
}
