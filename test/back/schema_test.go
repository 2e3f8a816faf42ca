package back

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// definitions are the tables of the database as the server defines them, without what follows from rows.
func definitions(t *testing.T, s *harness.Server) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, table := range strings.Split(s.Text(t, "SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM "+
		"information_schema.tables WHERE table_schema = '"+name+"'"), ",") {
		var shown, definition string
		require.NoError(t, s.DB.QueryRowContext(t.Context(), "SHOW CREATE TABLE "+name+"."+table).Scan(&shown,
			&definition))
		lines := strings.Split(definition, "\n")
		last := strings.Fields(lines[len(lines)-1])
		for i, word := range last {
			if strings.HasPrefix(word, "AUTO_INCREMENT=") {
				last[i] = ""
			}
		}
		lines[len(lines)-1] = strings.Join(strings.Fields(strings.Join(last, " ")), " ")
		// MySQL shows whether it was written
		all[table] = strings.ReplaceAll(strings.Join(lines, "\n"), " CHARACTER SET utf8mb4 COLLATE ", " COLLATE ")
	}
	return all
}

// same compares definitions and all rows of both servers.
func (m *move) same(t *testing.T) {
	t.Helper()
	source, target := definitions(t, m.Source), definitions(t, m.Target)
	require.NotEmpty(t, source)
	assert.Equal(t, target, source)
	require.Positive(t, m.Equal(t))
}

// TestBackSchemaChanges: changes of the new side's tables are made on the old source too, before the way back begins,
// while it runs and under load, killed at any moment; it goes back with both sides the same in every definition and
// row.
func TestBackSchemaChanges(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, from, to *harness.Server) {
		s := lab.Seed(t)
		r := rand.New(rand.NewPCG(s, 11))
		m := newMove(t, from, to)
		m.createTables(t, 500)
		m.Source.Exec(t,
			"CREATE TABLE "+name+".old_name (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL) ENGINE=InnoDB",
			"INSERT INTO "+name+".old_name VALUES (1, 'a'), (2, 'b')",
			"CREATE TABLE "+name+".emptied (id INT PRIMARY KEY) ENGINE=InnoDB",
			"INSERT INTO "+name+".emptied VALUES (1), (2), (3)",
			"CREATE TABLE "+name+".leaves (id INT PRIMARY KEY) ENGINE=InnoDB", "INSERT INTO "+name+".leaves VALUES (1)")
		app := m.startApp(t, s, 3)
		m.UpToCutover(t)
		m.CatchUp(t)
		m.Must(t, "cutover", m.Confirm())
		app.awaits(t, "forward", 100)
		q := "`" + name + "`."
		m.Target.Exec(t, // before the way back is begun
			"ALTER TABLE "+q+"items ADD COLUMN more INT NOT NULL DEFAULT 7 AFTER token",
			"CREATE TABLE "+q+"fresh (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(30) NULL, UNIQUE (v)) ENGINE=InnoDB",
			"INSERT INTO "+q+"fresh (v) VALUES ('x'), ('y')",
			"RENAME TABLE "+q+"old_name TO "+q+"new_name",
			"UPDATE "+q+"new_name SET v = 'c' WHERE id = 1")
		app.awaits(t, "forward", 100)
		m.Killed(t, r, 4, 900*time.Millisecond, "start-replica", "--reverse")
		replica := m.Start(t, "start-replica", "--reverse")
		for i, statement := range []string{
			"ALTER TABLE " + q + "items ADD INDEX by_more (more, n)",
			"ALTER TABLE " + q + "entries ADD COLUMN stamp DATETIME(6) NULL, ADD INDEX by_n (n)",
			"TRUNCATE TABLE " + q + "emptied",
			"INSERT INTO " + q + "emptied VALUES (9)",
			"ALTER TABLE " + q + "fresh CHANGE v w VARCHAR(60) NULL",
			"INSERT INTO " + q + "fresh (w) VALUES ('z')",
			"DROP TABLE " + q + "leaves",
			"ALTER TABLE " + q + "items DROP COLUMN more",
			"ALTER TABLE " + q + "items ADD COLUMN more2 VARCHAR(5) NULL DEFAULT 'ab'",
			"UPDATE " + q + "entries SET stamp = '2026-01-02 03:04:05.678901' LIMIT 20",
		} {
			m.Target.Exec(t, statement)
			app.awaits(t, "forward", 15)
			if i%2 == 0 {
				replica.Kill(t)
				m.Killed(t, r, 1, 900*time.Millisecond, "start-replica", "--reverse")
				replica = m.Start(t, "start-replica", "--reverse")
			}
		}
		app.awaits(t, "forward", 50)
		harness.Until(t, "the way back begins", func() bool { return m.FactOn(t, m.Source, "position") != "" }, replica)
		m.Must(t, "verify", "--reverse")
		replica.Kill(t)
		app.stop(t)
		m.Must(t, "start-replica", "--reverse", "--until-caught-up")
		m.same(t)
		app.complete(t, m.Source)
		m.Target.Exec(t, "ALTER TABLE "+q+"counters ADD COLUMN late INT NULL") // while only the cutover applies
		m.Must(t, "cutover", "--reverse", m.Confirm())
		m.same(t)
		assert.Contains(t, definitions(t, m.Source)["counters"], "late")
		assert.NotContains(t, definitions(t, m.Source), "leaves")
	})
}

// TestBackSchemaStops: what the old source does not have as it would be made there is not changed by a guess: the way
// back stops before the change, and goes on once that was made by hand. What can be followed is, also between two
// families.
func TestBackSchemaStops(t *testing.T) {
	harness.Each(t, harness.Every, func(t *testing.T, from, to *harness.Server) {
		m := newMove(t, from, to, "schema: {allow_losses: [collation]}")
		m.createTables(t, 20)
		m.Source.Exec(t, "CREATE TABLE "+name+".guarded (id INT PRIMARY KEY, n INT) ENGINE=InnoDB",
			"INSERT INTO "+name+".guarded VALUES (1, 1)",
			"CREATE TRIGGER "+name+".guard BEFORE INSERT ON "+name+".guarded FOR EACH ROW SET NEW.n = NEW.n + 1")
		m.UpToCutover(t)
		m.Must(t, "cutover", m.Confirm())
		m.Target.Exec(t, "INSERT INTO "+name+".guarded VALUES (2, 2)",
			"ALTER TABLE "+name+".counters ADD COLUMN more INT NULL",
			"UPDATE "+name+".counters SET more = 5")
		catchUp := []string{"start-replica", "--reverse", "--until-caught-up"}
		followed := m.Run(t, catchUp...)
		if followed.Code != 0 {
			require.Equal(t, harness.Refused, followed.Code, followed.Log())
			require.NotEqual(t, from.Flavor, to.Flavor, "like to like it is followed:\n%s", followed.Log())
			assert.Contains(t, followed.Log(), "its definition cannot be carried back")
			m.Source.Exec(t, "ALTER TABLE "+name+".counters ADD COLUMN more INT NULL")
			m.Must(t, append(catchUp, "--skip-ddl")...)
		}
		t.Logf("exit status of a change of a plain table: %d", followed.Code)
		assert.Equal(t, image(t, m.Target, "counters", "id, n, more"), image(t, m.Source, "counters", "id, n, more"))

		at := m.FactOn(t, m.Source, "position")
		m.Target.Exec(t, "ALTER TABLE "+name+".guarded ADD COLUMN more INT NULL",
			"INSERT INTO "+name+".guarded VALUES (3, 3, 3)")
		said := m.Fails(t, harness.Refused, catchUp...)
		for _, part := range []string{
			"guarded", "its definition cannot be carried back", "position is kept",
			"--reverse --skip-ddl",
		} {
			assert.Contains(t, said, part)
		}
		assert.NotContains(t, said, "init-copy --table")
		assert.NotContains(t, definitions(t, m.Source)["guarded"], "more", "nothing was changed")
		t.Logf("kept at %s after %s", m.FactOn(t, m.Source, "position"), at)
		m.Fails(t, harness.Refused, append(catchUp, "--skip-ddl")...) // not made yet
		m.Source.Exec(t, "ALTER TABLE "+name+".guarded ADD COLUMN more INT NULL")
		m.Must(t, append(catchUp, "--skip-ddl")...)
		columns := "id, n, COALESCE(more, 'NULL')"
		assert.Equal(t, []string{"1|1|NULL", "2|2|NULL", "3|3|3"}, image(t, m.Source, "guarded", columns),
			"triggers do not act")
		m.Must(t, "verify", "--reverse")
		m.Must(t, "cutover", "--reverse", m.Confirm())
		m.Source.Exec(t, "INSERT INTO "+name+".guarded VALUES (4, 4, 4)")
		assert.Equal(t, "5", m.Source.Text(t, "SELECT n FROM "+name+".guarded WHERE id = 4"), "the trigger acts again")
	})
}

// TestBackCrossing: a table that comes back from the other family as another than it was there is left as it is,
// however small a change of it was: a document of MySQL is a text on MariaDB, and shall be a document when it is
// back.
func TestBackCrossing(t *testing.T) {
	m := moveOf(t, harness.ToMariaDB, "schema: {allow_losses: [collation, json]}")
	m.createTables(t, 20)
	m.Source.Exec(t, "CREATE TABLE "+name+".docs (id INT PRIMARY KEY, d JSON NULL) ENGINE=InnoDB",
		`INSERT INTO `+name+`.docs VALUES (1, '{"a": 1}')`)
	m.UpToCutover(t)
	m.Must(t, "cutover", m.Confirm())
	before := definitions(t, m.Source)["docs"]
	m.Target.Exec(t, `INSERT INTO `+name+`.docs VALUES (2, '{"a": 2}')`,
		"ALTER TABLE "+name+".docs ADD INDEX by_id (id)")
	catchUp := []string{"start-replica", "--reverse", "--until-caught-up"}
	assert.Contains(t, m.Fails(t, harness.Refused, catchUp...), "the source has another table than would be made there")
	assert.Equal(t, "2", m.Source.Text(t, "SELECT COUNT(*) FROM "+name+".docs"), "what came before it is there")
	position := m.FactOn(t, m.Source, "position")
	m.Fails(t, harness.Refused, catchUp...)
	assert.Equal(t, position, m.FactOn(t, m.Source, "position"), "kept")
	assert.Equal(t, before, definitions(t, m.Source)["docs"])
	m.Must(t, append(catchUp, "--skip-ddl")...) // an index need not be the same
	m.Must(t, "verify", "--reverse")
	assert.Contains(t, definitions(t, m.Source)["docs"], "json")
}

// TestBackRoutes: a table that is new on the new side goes back to the one name that the routes lead there, or is not
// followed and told.
func TestBackRoutes(t *testing.T) {
	m := moveOf(t, harness.MySQL, "routes: [{from: "+name+".items, to: "+name+".things}]")
	m.createTables(t, 20)
	m.UpToCutover(t)
	m.Must(t, "cutover", m.Confirm())
	m.Target.Exec(t, "ALTER TABLE "+name+".things ADD COLUMN more INT NULL", "UPDATE "+name+".things SET more = id",
		// whose name is taken on the source
		"CREATE TABLE "+name+".items (id INT PRIMARY KEY)", "INSERT INTO "+name+".items VALUES (1)",
		"CREATE TABLE "+name+".fresh (id INT PRIMARY KEY)", "INSERT INTO "+name+".fresh VALUES (1)")
	followed := m.Run(t, "start-replica", "--reverse", "--until-caught-up")
	require.Zero(t, followed.Code, followed.Log())
	assert.Contains(t, followed.Log()+followed.Output(), "it is not followed")
	columns := "id, token, n, COALESCE(more, 'NULL')"
	assert.Equal(t, image(t, m.Target, "things", columns), image(t, m.Source, "items", columns))
	assert.Equal(t, []string{"1"}, image(t, m.Source, "fresh", "id"))
	assert.NotContains(t, definitions(t, m.Source), "things")
	m.Must(t, "verify", "--reverse")
}

// unlogged executes a statement that is in no log.
func unlogged(t *testing.T, s *harness.Server, statement string) {
	t.Helper()
	conn, err := s.DB.Conn(t.Context())
	require.NoError(t, err)
	for _, text := range []string{"SET sql_log_bin = 0", statement, "SET sql_log_bin = 1"} {
		_, err := conn.ExecContext(t.Context(), text)
		require.NoError(t, err, text)
	}
	require.NoError(t, conn.Close())
}
