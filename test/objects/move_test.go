package objects

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// TestObjectsMove moves the shop with all that it has, under load, in every direction; between servers of one family
// to a database of another name.
func TestObjectsMove(t *testing.T) {
	onPairs(t, everyPair, func(t *testing.T, source, target lab.Server) {
		extra := []string{allObjects, "schema: {allow_losses: [collation]}"}
		if source.Flavor == target.Flavor {
			extra = append(extra, `routes: [{from: "wo_shop.*", to: "wo_newshop.*"}, {from: wo_shop.city, to: `+
				`wo_newshop.towns}]`)
		}
		m := newMove(t, "wo_shop", source, target, extra...)
		m.fill(t)
		exec(t, m.source, inDatabase(m.name, []string{beat})...)
		for _, db := range []*sql.DB{m.source, m.to} {
			was := text(t, db, "SELECT @@GLOBAL.event_scheduler")
			exec(t, db, "SET GLOBAL event_scheduler = ON")
			t.Cleanup(func() { exec(t, db, "SET GLOBAL event_scheduler = "+was) })
		}
		l := m.startLoad(t)
		m.must(t, "check")
		m.must(t, "init-schema")
		m.must(t, "init-copy")
		replica, err := m.Start(t.Context(), "start-replica")
		require.NoError(t, err)
		m.followed(t, replica)
		m.must(t, "verify")
		assert.Zero(t, m.count(t, "triggers", "trigger_schema"), "no trigger while changes are applied")
		assert.Zero(t, m.count(t, "views", "table_schema"))
		summary := m.must(t, "cutover", "--confirm=wo_shop")
		t.Logf("%d rentals under load; writes were blocked for %.3f s", l.rentals, summary["blocked_seconds"])
		l.end()
		require.ErrorContains(t, l.err, "read-only", "it wrote until it was refused")
		require.NoError(t, replica.Wait(), "start-replica ends with the move")
		assert.Positive(t, l.rentals)
		m.assertBeats(t)
		m.assertMoved(t)
	})
}

// assertBeats: the event fires on the target and no longer on the source, whose count came with its rows.
func (m *move) assertBeats(t *testing.T) {
	t.Helper()
	beats := func(db *sql.DB, database string) int {
		n, err := strconv.Atoi(text(t, db, "SELECT times FROM "+database+".fired WHERE name = 'event'"))
		require.NoError(t, err)
		return n
	}
	source, target := beats(m.source, m.name), beats(m.to, m.there)
	assert.Positive(t, source)
	assert.GreaterOrEqual(t, target, source)
	require.True(t, lab.Until(func() bool { return beats(m.to, m.there) > target+1 }), "the event does not run")
	assert.Equal(t, source, beats(m.source, m.name))
	exec(t, m.source, "SET GLOBAL read_only = 0", "DROP EVENT beat", "UPDATE fired SET times = 0 WHERE name = 'event'",
		"SET GLOBAL read_only = 1")
	exec(t, m.to, "DROP EVENT "+m.there+".beat", "UPDATE "+m.there+".fired SET times = 0 WHERE name = 'event'")
}

// followed waits until a row that is written now has come.
func (m *move) followed(t *testing.T, replica *lab.Child) {
	t.Helper()
	exec(t, m.source, "INSERT INTO fired VALUES ('followed', 1, '')")
	require.True(t, lab.Until(func() bool {
		select {
		case <-replica.Done():
			require.NoError(t, replica.Wait(), "start-replica ended")
			t.FailNow()
		default:
		}
		return text(t, m.to, "SELECT times FROM "+m.there+".fired WHERE name = 'followed'") == "1"
	}, replica.Progress), "the row has not come")
}

func (m *move) count(t *testing.T, list, column string) (n int) {
	t.Helper()
	query := fmt.Sprintf("SELECT COUNT(*) FROM information_schema.%s WHERE %s = '%s'", list, column, m.there)
	require.NoError(t, m.to.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

// conn returns a connection in the database.
func conn(t *testing.T, db *sql.DB, database string) *sql.Conn {
	t.Helper()
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	_, err = c.ExecContext(t.Context(), "USE "+database)
	require.NoError(t, err)
	return c
}

// assertMoved compares what the source, which writes are blocked on, and the target have, and then uses the target.
func (m *move) assertMoved(t *testing.T) {
	t.Helper()
	here, there := conn(t, m.source, m.name), conn(t, m.to, m.there)
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
	if m.mariadb[0] && m.mariadb[1] {
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
	assert.Empty(t, table(t, m.to, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'wherry_"+
		m.name+"' AND table_name LIKE 'tried%'"))
}

// TestSequencesGoOn: what was handed out on the source is never handed out again, whatever was cached.
func TestSequencesGoOn(t *testing.T) {
	onPairs(t, []string{"mariadb to mariadb"}, func(t *testing.T, source, target lab.Server) {
		m := newMove(t, "wo_numbers", source, target, "cutover: {objects: [sequences], max_lag: 1h}")
		exec(t, m.source, append([]string{"CREATE TABLE marks (id INT PRIMARY KEY)", "INSERT INTO marks VALUES (1)"},
			rentalSequences...)...)
		m.ready(t)
		for range 33 {
			exec(t, m.source, "DO NEXTVAL(tickets)", "DO NEXTVAL(down)")
		}
		m.must(t, "cutover", "--confirm=wo_numbers")
		there := conn(t, m.to, m.there)
		var next, down int
		require.NoError(t, there.QueryRowContext(t.Context(), "SELECT NEXTVAL(tickets), NEXTVAL(down)").Scan(&next,
			&down))
		assert.Greater(t, next, 1000+32*5)
		assert.Zero(t, (next-1000)%5)
		assert.Equal(t, -34, down)
	})
}
