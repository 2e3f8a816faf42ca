package evolve

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// struckKind is a schema change of tables of a database d, with rows before it and after. Statements are separated by
// semicolons.
type struckKind struct {
	name, setup, change string
	left, rows          string // a table of the target that is not followed any more, and the ids of its rows
}

// What most kinds have before: two tables with rows.
const (
	table = "CREATE TABLE d.t (id INT PRIMARY KEY, n INT, note VARCHAR(20) NOT NULL); INSERT INTO d.t VALUES (1, 1, " +
		"'a'), (2, 2, 'b'), (3, NULL, 'c')"
	beside = "; CREATE TABLE d.beside (k INT PRIMARY KEY, z INT, KEY (z)); INSERT INTO d.beside VALUES (1, 10), (2, 20)"
	bag    = "CREATE TABLE d.bag (a INT, b VARCHAR(9)); INSERT INTO d.bag VALUES (1, 'x'), (1, 'x'), (2, NULL)"
	family = "CREATE TABLE d.parent (id INT PRIMARY KEY, n INT); INSERT INTO d.parent VALUES (1, 1), (2, 2), (3, 3); " +
		"CREATE TABLE d.child (id INT PRIMARY KEY, p INT, KEY (p)); INSERT INTO d.child VALUES (1, 1), (2, 2), " +
		"(3, NULL)"
	bound = family + "; ALTER TABLE d.child ADD CONSTRAINT held FOREIGN KEY (p) REFERENCES d.parent (id) ON DELETE " +
		"CASCADE"
)

// struckKinds have every goal that a schema change can come to on the target, and several of one statement.
var struckKinds = []struckKind{
	{name: "add_column", setup: table, change: "INSERT INTO d.t VALUES (4, 4, 'd'); ALTER TABLE d.t ADD COLUMN added " +
		"INT NOT NULL DEFAULT 7 AFTER id; UPDATE d.t SET added = id WHERE id < 3; INSERT INTO d.t VALUES (5, 50, " +
		"5, 'e')"},
	{name: "change_column", setup: table, change: "UPDATE d.t SET n = -n; ALTER TABLE d.t CHANGE n m BIGINT NULL, " +
		"MODIFY note VARCHAR(300) NOT NULL; UPDATE d.t SET m = 5000000000 WHERE id = 1; INSERT INTO d.t VALUES (4, " +
		"NULL, REPEAT('d', 200))"},
	{name: "index", setup: table, change: "DELETE FROM d.t WHERE id = 2; CREATE UNIQUE INDEX un ON d.t (note); " +
		"INSERT INTO d.t VALUES (4, 1, 'd'); ALTER TABLE d.t ADD INDEX (n), DROP INDEX un; INSERT INTO d.t VALUES " +
		"(5, 1, 'd')"},
	{name: "add_foreign_key", setup: family, change: "INSERT INTO d.child VALUES (4, 3); ALTER TABLE d.child ADD " +
		"CONSTRAINT held FOREIGN KEY (p) REFERENCES d.parent (id) ON DELETE CASCADE; DELETE FROM d.parent WHERE id = " +
		"1; INSERT INTO d.child VALUES (5, 2)"},
	{name: "drop_foreign_key", setup: bound, change: "DELETE FROM d.parent WHERE id = 1; ALTER TABLE d.child DROP " +
		"FOREIGN KEY held; DELETE FROM d.parent WHERE id = 2; INSERT INTO d.child VALUES (6, 99)"},
	{name: "create", setup: bound, change: "INSERT INTO d.parent VALUES (4, 4); CREATE TABLE d.fresh (id INT PRIMARY " +
		"KEY, p INT, u VARCHAR(9), UNIQUE KEY (u), CONSTRAINT made FOREIGN KEY (p) REFERENCES d.parent (id) ON " +
		"DELETE SET NULL); INSERT INTO d.fresh VALUES (1, 4, 'x'), (2, 1, 'y'); DELETE FROM d.parent WHERE id = 4"},
	{name: "create_like", setup: table, change: "UPDATE d.t SET n = 9; CREATE TABLE d.alike LIKE d.t; INSERT INTO " +
		"d.alike SELECT * FROM d.t; DELETE FROM d.t WHERE id = 1"},
	{name: "create_select", setup: table, change: "INSERT INTO d.t VALUES (4, 4, 'd'); CREATE TABLE d.chosen " +
		"(PRIMARY KEY (id)) AS SELECT id, n FROM d.t; UPDATE d.chosen SET n = 100 WHERE id = 4; CREATE TABLE " +
		"d.copied AS SELECT n, note FROM d.t WHERE id < 3; INSERT INTO d.copied SELECT * FROM d.copied"},
	{name: "swap", setup: table + beside, change: "INSERT INTO d.t VALUES (4, 4, 'd'); RENAME TABLE d.t TO d.tmp, " +
		"d.beside TO d.t, d.tmp TO d.beside; INSERT INTO d.t VALUES (3, 30); INSERT INTO d.beside VALUES (5, 5, 'e')"},
	{
		name: "twins", setup: "CREATE TABLE d.t (id INT PRIMARY KEY); CREATE TABLE d.beside (id INT PRIMARY KEY); " +
			"INSERT INTO d.t VALUES (1); INSERT INTO d.beside VALUES (2)",
		change: "INSERT INTO d.t VALUES (11); RENAME TABLE d.t TO d.tmp, d.beside TO d.t, d.tmp TO d.beside; INSERT " +
			"INTO d.t VALUES (22); INSERT INTO d.beside VALUES (111)",
	},
	{
		name: "ring", setup: table + beside + "; CREATE TABLE d.third (q INT PRIMARY KEY); INSERT INTO d.third " +
			"VALUES (1)",
		change: "INSERT INTO d.third VALUES (2); RENAME TABLE d.third TO d.tmp, d.t TO d.third, d.beside TO d.t, " +
			"d.tmp TO d.beside; INSERT INTO d.t VALUES (3, 30); INSERT INTO d.beside VALUES (3); INSERT INTO d.third " +
			"VALUES (4, 4, 'd')",
	},
	{name: "chain", setup: table + beside, change: "INSERT INTO d.t VALUES (4, 4, 'd'); RENAME TABLE d.t TO d.u, " +
		"d.beside TO d.t; INSERT INTO d.u VALUES (5, 5, 'e'); INSERT INTO d.t VALUES (3, 30)"},
	{name: "drop", setup: table + beside, change: "INSERT INTO d.t VALUES (4, 4, 'd'); DROP TABLE d.t, d.beside; " +
		"CREATE TABLE d.t (other INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"},
	{name: "truncate", setup: table, change: "INSERT INTO d.t VALUES (4, 4, 'd'); TRUNCATE TABLE d.t; INSERT INTO " +
		"d.t VALUES (1, 100, 'new'), (9, 9, 'i')"},
	{name: "truncate_bag", setup: bag, change: "INSERT INTO d.bag VALUES (1, 'x'); TRUNCATE TABLE d.bag; INSERT INTO " +
		"d.bag VALUES (1, 'x'), (1, 'x'); ALTER TABLE d.bag ADD COLUMN c INT DEFAULT 3; DELETE FROM d.bag LIMIT 1; " +
		"INSERT INTO d.bag VALUES (1, 'x', 3)"},
	{
		name: "partition", setup: "CREATE TABLE d.t (id INT PRIMARY KEY, n INT) PARTITION BY RANGE (id) (PARTITION " +
			"low VALUES LESS THAN (10), PARTITION mid VALUES LESS THAN (20), PARTITION high VALUES LESS THAN " +
			"MAXVALUE); INSERT INTO d.t VALUES (1, 1), (11, 11), (21, 21)",
		change: "INSERT INTO d.t VALUES (2, 2), (12, 12); ALTER TABLE d.t TRUNCATE PARTITION low; INSERT INTO d.t " +
			"VALUES (1, 100); ALTER TABLE d.t DROP PARTITION mid; INSERT INTO d.t VALUES (12, 120), (3, 3)",
	},
	{name: "ghost", setup: table, change: "INSERT INTO d.t VALUES (4, 4, 'd'); CREATE TABLE d._t_gho LIKE d.t; ALTER " +
		"TABLE d._t_gho ADD COLUMN added INT NOT NULL DEFAULT 7; INSERT INTO d._t_gho (id, n, note) SELECT id, n, " +
		"note FROM d.t; " +
		"CREATE TABLE d._t_del (id INT AUTO_INCREMENT PRIMARY KEY); DROP TABLE d._t_del; RENAME TABLE d.t TO " +
		"d._t_del, d._t_gho TO d.t; INSERT INTO d.t VALUES (5, 5, 'e', 8); DROP TABLE d._t_del; INSERT INTO d.t " +
		"VALUES (6, 6, 'f', 8)"},
	{name: "several", setup: table, change: "INSERT INTO d.t VALUES (4, 4, 'd'); ALTER TABLE d.t ADD COLUMN added " +
		"VARCHAR(9) NOT NULL DEFAULT 'x' FIRST, DROP COLUMN n, CHANGE note words VARCHAR(60) NOT NULL DEFAULT 'w', " +
		"ADD UNIQUE KEY uw (words), ADD INDEX (added), RENAME TO d.u; INSERT INTO d.u VALUES ('y', 5, 'e'); UPDATE " +
		"d.u SET added = 'z' WHERE id < 3"},
	// columns, of one type
	{
		name: "exchange",
		setup: "CREATE TABLE d.t (id INT PRIMARY KEY, a INT, b INT); INSERT INTO d.t VALUES (1, 10, " +
			"100), (2, 20, 200)",
		change: "INSERT INTO d.t VALUES (3, 30, 300); ALTER TABLE d.t CHANGE a b INT, CHANGE b a INT; INSERT INTO " +
			"d.t VALUES (4, 400, 40)",
	},
	// Tables that are created without a character set, between other defaults of their database.
	{
		name: "defaults", setup: table + "; ALTER DATABASE d CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
		change: "CREATE TABLE d.made (id INT PRIMARY KEY, v VARCHAR(9)); INSERT INTO d.made VALUES (1, 'a'); " +
			"ALTER DATABASE d CHARACTER SET latin1; CREATE TABLE d.later (id INT PRIMARY KEY, v VARCHAR(9)); " +
			"INSERT INTO d.later VALUES (1, 'b'); ALTER TABLE d.made ADD w VARCHAR(9); ALTER TABLE d.later ADD w " +
			"VARCHAR(9); " +
			"ALTER DATABASE d CHARACTER SET ascii; INSERT INTO d.made VALUES (2, 'c', 'd')",
	},
	// A table leaves the move, and another of its shape takes its name.
	{
		name: "rotate", setup: table + "; CREATE DATABASE IF NOT EXISTS away; DROP TABLE IF EXISTS away.t",
		left: "away_t", rows: "1,2,3,4",
		change: "INSERT INTO d.t VALUES (4, 4, 'd'); RENAME TABLE d.t TO away.t; CREATE TABLE d.t LIKE away.t; " +
			"INSERT INTO d.t VALUES (1, 100, 'new'); DELETE FROM away.t; UPDATE d.t SET n = 101",
	},
	// Afterwards the tables look as they did before.
	{
		name: "exchange_alike", setup: "CREATE TABLE d.t (id INT PRIMARY KEY, a INT, b INT) COMMENT 'own'; INSERT " +
			"INTO d.t VALUES (1, 10, 100), (2, 20, 200)",
		change: "INSERT INTO d.t VALUES (3, 30, 300); ALTER TABLE d.t CHANGE a b INT AFTER id, CHANGE b a INT AFTER " +
			"id; INSERT INTO d.t VALUES (4, 400, 40)",
	},
	{name: "anew", setup: "CREATE TABLE d.t (id INT PRIMARY KEY, a INT DEFAULT 5); INSERT INTO d.t VALUES (1, 10), " +
		"(2, 20)", change: "INSERT INTO d.t VALUES (3, 30); ALTER TABLE d.t DROP COLUMN a, ADD COLUMN a INT DEFAULT " +
		"5; INSERT INTO d.t VALUES (4, 40)"},
	{name: "generations", setup: bound, change: "INSERT INTO d.child VALUES (4, 3); ALTER TABLE d.child DROP FOREIGN " +
		"KEY held; ALTER TABLE d.parent MODIFY id BIGINT NOT NULL; ALTER TABLE d.child MODIFY p BIGINT, ADD " +
		"CONSTRAINT held FOREIGN KEY (p) REFERENCES d.parent (id) ON DELETE CASCADE; " +
		"DELETE FROM d.parent WHERE id = 1; INSERT INTO d.parent VALUES (5000000000, 0); INSERT INTO d.child VALUES " +
		"(7, 5000000000); DELETE FROM d.parent WHERE id = 2; RENAME TABLE d.parent TO d.elder; INSERT INTO d.elder " +
		"VALUES (6, 6)"},
	// The source has the foreign key to another name by now, and that of the index leaves open whether it stays.
	{name: "adopted", setup: family, change: "ALTER TABLE d.child ADD CONSTRAINT held FOREIGN KEY (p) REFERENCES " +
		"d.parent (id) ON DELETE CASCADE; DELETE FROM d.parent WHERE id = 1; RENAME TABLE d.parent TO d.elder; " +
		"DELETE FROM d.elder WHERE id = 2"},
	{name: "elder", setup: bound, change: "INSERT INTO d.child VALUES (4, 3); RENAME TABLE d.parent TO d.elder; " +
		"INSERT INTO d.elder VALUES (4, 4); INSERT INTO d.child VALUES (7, 4); DELETE FROM d.elder WHERE id = 2"},
}

func (m *move) database(k struckKind) string { return m.Name + "_" + k.name }

// renew makes the tables of a kind anew on the source.
func (m *move) renew(t *testing.T, k struckKind) {
	t.Helper()
	d := m.database(k)
	statements := []string{"SET foreign_key_checks = 0"}
	if old := m.Source.Strings(t, "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.TABLES "+
		"WHERE TABLE_SCHEMA = ?", d); len(old) > 0 {
		statements = append(statements, "DROP TABLE "+strings.Join(old, ", "))
	}
	statements = append(statements, "SET foreign_key_checks = 1", "CREATE DATABASE IF NOT EXISTS "+d+
		" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
	m.Source.Exec(t, append(statements, split(k.setup, d)...)...)
}

// alter makes the change of a kind, and a mark behind it.
func (m *move) alter(t *testing.T, k struckKind) {
	t.Helper()
	m.Source.Exec(t, split(k.change, m.database(k))...)
	m.Mark(t)
}

// carried looks whether all of a kind has come, once, and nothing is left to be done.
func (m *move) carried(t *testing.T, k struckKind) {
	t.Helper()
	d := m.database(k)
	require.NotEmpty(t, m.Source.Strings(t,
		"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?", d))
	require.Equal(t, "0", m.Target.Text(t, "SELECT COUNT(*) FROM wherry_"+m.Name+".facts WHERE name = 'schema_change'"),
		"something is left to be done")
	if k.left != "" {
		require.Equal(t, k.rows, m.Target.Text(t, "SELECT GROUP_CONCAT(id ORDER BY id) FROM "+d+"."+k.left))
		m.Target.Exec(t, "DROP TABLE "+d+"."+k.left)
	}
	m.equal(t, d, m.Name+"_m")
}
