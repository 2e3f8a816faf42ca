package cascades

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

func followed(t *testing.T, from, to string) *move {
	t.Helper()
	m := newMove(t, from, to)
	run(t, m.app, parentAndChild...)
	m.must(t, "init-schema")
	m.must(t, "init-copy")
	m.must(t, "start-replica", "--until-caught-up")
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
			m := followed(t, "mariadb-1", "mariadb-2")
			m.must(t, "verify")
			run(t, m.app, "DELETE FROM p WHERE id = 2")
			m.must(t, "start-replica", "--until-caught-up")
			m.equal(t, nil)
			run(t, m.moved, damage)
			_, err := m.try(t, "cutover", "--confirm="+moveName)
			require.ErrorContains(t, err, "exit status 3")
			m.must(t, "verify", "--repair")
			m.must(t, "cutover", "--confirm="+moveName)
			m.equal(t, nil)
		})
	}
}

// TestOrphans hands over with rows that reference nothing, as on the source, and not with such that only the target
// has.
func TestOrphans(t *testing.T) {
	for _, p := range [][2]string{{"mariadb-1", "mysql-2"}, {"mysql-1", "mariadb-2"}} {
		t.Run(p[0]+"_to_"+p[1], func(t *testing.T) {
			m := followed(t, p[0], p[1])
			c, err := m.app.Conn(t.Context())
			require.NoError(t, err)
			for _, statement := range []string{"SET foreign_key_checks = 0", "DELETE FROM p WHERE id = 1"} {
				_, err := c.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
			require.NoError(t, c.Close())
			m.must(t, "start-replica", "--until-caught-up")
			m.must(t, "verify")
			there, err := m.moved.Conn(t.Context())
			require.NoError(t, err)
			for _, statement := range []string{"SET foreign_key_checks = 0", "DELETE FROM p WHERE id = 3"} {
				_, err := there.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
			_, err = m.try(t, "cutover", "--confirm="+moveName)
			require.ErrorContains(t, err, "rows on the target reference rows that are not there: 2 rows of "+
				"cascades.c by foreign key c_p (1 on the source)")
			for _, statement := range []string{"INSERT INTO p VALUES (3)", "SET foreign_key_checks = 1"} {
				_, err = there.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
			require.NoError(t, there.Close())
			m.must(t, "cutover", "--confirm="+moveName)
			m.equal(t, nil)
			_, err = m.moved.ExecContext(t.Context(), "INSERT INTO c VALUES (9, 9, 9)")
			assert.Error(t, err, "the foreign key holds on the target")
		})
	}
}

// TestTargetRefuses has foreign keys that the target would not take, which is said before anything is made.
func TestTargetRefuses(t *testing.T) {
	m := newMove(t, "mariadb-1", "mysql-2")
	run(t, m.app, "CREATE TABLE p (id INT PRIMARY KEY, n INT, KEY (n))",
		"CREATE TABLE c (id INT PRIMARY KEY, n INT, CONSTRAINT c_n FOREIGN KEY (n) REFERENCES p (n))")
	out, err := m.try(t, "check")
	require.ErrorContains(t, err, "exit status 12")
	assert.Contains(t, out, "is no whole unique key, and the target takes no such foreign key")
	admin := pool(t, m.target, "")
	run(t, admin, "SET GLOBAL restrict_fk_on_non_standard_key = OFF")
	t.Cleanup(func() { run(t, admin, "SET GLOBAL restrict_fk_on_non_standard_key = ON") })
	run(t, m.app, "INSERT INTO p VALUES (1,1),(2,1),(3,2)", "INSERT INTO c VALUES (1,1),(2,2)")
	for _, command := range []string{"check", "init-schema", "init-copy"} {
		m.must(t, command)
	}
	m.equal(t, nil)
}

// TestBesideATableCopiedAgain copies a table again while the log has, not applied yet, what foreign keys do between
// others: those are not copied, and have to come out right all the same.
func TestBesideATableCopiedAgain(t *testing.T) {
	m := followed(t, "mariadb-1", "mariadb-2")
	run(t, m.app, "CREATE TABLE other (id INT PRIMARY KEY)", "INSERT INTO other VALUES (1)")
	m.must(t, "start-replica", "--until-caught-up")
	run(t, m.app, "DELETE FROM p WHERE id = 2")
	m.must(t, "init-copy", "--table", moveName+".other")
	m.must(t, "start-replica", "--until-caught-up")
	m.equal(t, nil)
}
