package cascades

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// parentAndChild is a table that InnoDB changes by the other's rows.
var parentAndChild = []string{
	"CREATE TABLE p (id INT PRIMARY KEY)",
	"CREATE TABLE c (id INT PRIMARY KEY, p INT, v INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE " +
		"SET NULL ON UPDATE CASCADE)",
	"CREATE TABLE bag (p INT, v INT, CONSTRAINT bag_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL)",
	"INSERT INTO p VALUES (1),(2),(3)", "INSERT INTO c VALUES (1,1,1),(2,2,2),(3,3,3)",
	"INSERT INTO bag VALUES (1,1),(2,2)",
}

func followed(t *testing.T, e harness.Ends) *move {
	t.Helper()
	source, target := e.Open(t)
	m := newMove(t, source, target)
	m.app.Exec(t, parentAndChild...)
	m.Phases(t, "init-schema", "init-copy")
	m.CatchUp(t)
	return m
}

// TestCutoverCompares damages rows that foreign keys have changed since the last verification, of which the log has
// nothing: the cutover finds them.
func TestCutoverCompares(t *testing.T) {
	for _, damage := range []string{
		"UPDATE c SET v = 9 WHERE id = 2", "UPDATE c SET p = 3 WHERE id = 2",
		"UPDATE bag SET v = 9 WHERE v = 2",
	} {
		t.Run(damage, func(t *testing.T) {
			m := followed(t, harness.MariaDB)
			m.Must(t, "verify")
			m.app.Exec(t, "DELETE FROM p WHERE id = 2")
			m.CatchUp(t)
			m.Equal(t)
			m.moved.Exec(t, damage)
			m.Ends(t, harness.Differs, "cutover", m.Confirm())
			m.Must(t, "verify", "--repair")
			m.Must(t, "cutover", m.Confirm())
			m.Equal(t)
		})
	}
}

// TestOrphans hands over with rows that reference nothing, as on the source, and not with such that only the target
// has.
func TestOrphans(t *testing.T) {
	for _, e := range harness.Across {
		t.Run(e.String(), func(t *testing.T) {
			m := followed(t, e)
			c, err := m.app.DB.Conn(t.Context())
			require.NoError(t, err)
			for _, statement := range []string{"SET foreign_key_checks = 0", "DELETE FROM p WHERE id = 1"} {
				_, err := c.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
			require.NoError(t, c.Close())
			m.CatchUp(t)
			m.Must(t, "verify")
			there, err := m.moved.DB.Conn(t.Context())
			require.NoError(t, err)
			for _, statement := range []string{"SET foreign_key_checks = 0", "DELETE FROM p WHERE id = 3"} {
				_, err := there.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
			failed := m.Run(t, "cutover", m.Confirm())
			require.NotEqual(t, harness.Done, failed.Code)
			require.Contains(t, failed.Said(), "rows on the target reference rows that are not there: 2 rows of "+
				"cascades.c by foreign key c_p (1 on the source)")
			for _, statement := range []string{"INSERT INTO p VALUES (3)", "SET foreign_key_checks = 1"} {
				_, err = there.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
			require.NoError(t, there.Close())
			m.Must(t, "cutover", m.Confirm())
			m.Equal(t)
			_, err = m.moved.DB.ExecContext(t.Context(), "INSERT INTO c VALUES (9, 9, 9)")
			assert.Error(t, err, "the foreign key holds on the target")
		})
	}
}

// TestTargetRefuses has foreign keys that the target would not take, which is said before anything is made.
func TestTargetRefuses(t *testing.T) {
	source, target := harness.ToMySQL.Open(t)
	m := newMove(t, source, target)
	m.app.Exec(t, "CREATE TABLE p (id INT PRIMARY KEY, n INT, KEY (n))",
		"CREATE TABLE c (id INT PRIMARY KEY, n INT, CONSTRAINT c_n FOREIGN KEY (n) REFERENCES p (n))")
	assert.Contains(t, m.Fails(t, harness.Refused, "check"),
		"is no whole unique key, and the target takes no such foreign key")
	target.Set(t, "restrict_fk_on_non_standard_key", "OFF")
	m.app.Exec(t, "INSERT INTO p VALUES (1,1),(2,1),(3,2)", "INSERT INTO c VALUES (1,1),(2,2)")
	m.Phases(t, "check", "init-schema", "init-copy")
	m.Equal(t)
}

// TestBesideATableCopiedAgain copies a table again while the log has, not applied yet, what foreign keys do between
// others: those are not copied, and have to come out right all the same.
func TestBesideATableCopiedAgain(t *testing.T) {
	m := followed(t, harness.MariaDB)
	m.app.Exec(t, "CREATE TABLE other (id INT PRIMARY KEY)", "INSERT INTO other VALUES (1)")
	m.CatchUp(t)
	m.app.Exec(t, "DELETE FROM p WHERE id = 2")
	m.Must(t, "init-copy", "--table", moveName+".other")
	m.CatchUp(t)
	m.Equal(t)
}
