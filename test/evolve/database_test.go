package evolve

import (
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// databaseChanges give databases other defaults between tables that are created, and change each table once more, so
// that the source's tables of now do not tell what they were created with.
var databaseChanges = []string{
	// A database that was there before: latin1 at first.
	"CREATE TABLE we_c_old.a (id INT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO we_c_old.a VALUES (1, 'é')",
	"ALTER DATABASE we_c_old CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
	"CREATE TABLE we_c_old.b (id INT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO we_c_old.b VALUES (1, '中'), (2, 'a')",
	"ALTER TABLE we_c_old.a ADD w VARCHAR(20)", "ALTER TABLE we_c_old.b ADD w VARCHAR(20)",
	"USE we_c_old", "ALTER SCHEMA COLLATE = latin1_general_ci",
	"CREATE TABLE c (id INT PRIMARY KEY, v VARCHAR(20))", "ALTER TABLE c ADD w VARCHAR(20)",
	"ALTER DATABASE we_c_old DEFAULT CHARACTER SET = latin1", // its default collation
	"CREATE TABLE d (id INT PRIMARY KEY, v VARCHAR(20))", "ALTER TABLE d ADD w VARCHAR(20)",
	"ALTER DATABASE we_c_old CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
	"CREATE TABLE e (id INT PRIMARY KEY, v VARCHAR(20)) CHARACTER SET latin1", "ALTER TABLE e ADD w VARCHAR(20)",
	"CREATE TABLE f LIKE d", "ALTER TABLE f ADD x VARCHAR(20)",
	// One that is made, made again in vain, gone, and made otherwise.
	"CREATE DATABASE we_c_new CHARACTER SET latin1 COLLATE latin1_bin",
	"CREATE TABLE we_c_new.a (id INT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO we_c_new.a VALUES (1, 'é')",
	"ALTER TABLE we_c_new.a ADD w VARCHAR(20)",
	"CREATE DATABASE IF NOT EXISTS we_c_new CHARACTER SET utf8mb4",
	"CREATE TABLE we_c_new.b (id INT PRIMARY KEY, v VARCHAR(20))", "ALTER TABLE we_c_new.b ADD w VARCHAR(20)",
	"DROP DATABASE we_c_new",
	"CREATE SCHEMA IF NOT EXISTS we_c_new COLLATE utf8mb4_bin",
	"CREATE TABLE we_c_new.a (id INT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO we_c_new.a VALUES (1, '中')",
	"ALTER TABLE we_c_new.a ADD w VARCHAR(20)",
	// Ones that are made without any, in sessions of different ones.
	"SET SESSION collation_server = latin1_german1_ci", "CREATE DATABASE we_c_bare",
	"CREATE TABLE we_c_bare.a (id INT PRIMARY KEY, v VARCHAR(20))", "ALTER TABLE we_c_bare.a ADD w VARCHAR(20)",
	"SET SESSION collation_server = utf8mb4_bin", "CREATE DATABASE we_c_bare2",
	"CREATE TABLE we_c_bare2.a (id INT PRIMARY KEY, v VARCHAR(20))", "ALTER TABLE we_c_bare2.a ADD w VARCHAR(20)",
	// Last: all of them get others, which no table was created with.
	"ALTER DATABASE we_c_old CHARACTER SET ascii", "ALTER DATABASE we_c_new CHARACTER SET ascii",
	"ALTER DATABASE we_c_bare CHARACTER SET ascii", "ALTER DATABASE we_c_bare2 CHARACTER SET ascii",
}

// TestDatabaseDefaults has databases get other default character sets between tables that are created without one,
// while nothing is followed. Each table has the columns that it has on the source, and nothing is refused.
func TestDatabaseDefaults(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "we_c", source, target, harness.Options{})
		m.Source.Exec(t, "CREATE DATABASE we_c_old CHARACTER SET latin1 COLLATE latin1_swedish_ci",
			"CREATE TABLE we_c_old.t (id INT PRIMARY KEY)")
		m.must(t, "init-schema", "init-copy")
		require.NoError(t, lab.ExecAll(t.Context(), m.one, append([]string{"SET NAMES utf8mb4"},
			databaseChanges...)...))
		replica := m.Start(t, "start-replica")
		m.Followed(t, replica)
		replica.Interrupt(t)
		m.columns(t)
		m.equal(t, "we_c_old", "we_c_new", "we_c_bare", "we_c_bare2")
	})
}

// columns compares the character sets of both ends' columns.
func (m *move) columns(t *testing.T) {
	t.Helper()
	const query = `SELECT CONCAT_WS(' ', TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, CHARACTER_SET_NAME, COLLATION_NAME)
		FROM information_schema.COLUMNS WHERE TABLE_SCHEMA LIKE ? AND DATA_TYPE = 'varchar' ORDER BY 1`
	want := m.Source.Strings(t, query, m.Name+"\\_%")
	require.NotEmpty(t, want)
	require.Equal(t, want, m.Target.Strings(t, query, m.Name+"\\_%"))
}
