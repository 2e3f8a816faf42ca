package evolve

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// rowsBetween are schema changes of one database, with rows between any two of them: what a table was in between, the
// source tells no longer.
func rowsBetween(d string) []string {
	at := func(format string, args ...any) string { return fmt.Sprintf(format, append([]any{d}, args...)...) }
	s := []string{
		at("INSERT INTO %s.a (id, x, y) VALUES (1, 10, 'one'), (2, 20, 'two'), (3, NULL, 'three')"),
		at("ALTER TABLE %s.a ADD COLUMN z INT NOT NULL DEFAULT 5 AFTER id"),
		at("INSERT INTO %s.a (id, z, x, y) VALUES (4, 6, 40, 'four')"), at("UPDATE %s.a SET x = z + 1 WHERE id = 1"),
		at("ALTER TABLE %s.a CHANGE x ex BIGINT, DROP COLUMN z"),
		at("INSERT INTO %s.a (id, ex, y) VALUES (5, 5000000000, 'five')"), at("DELETE FROM %s.a WHERE id = 2"),
		at("ALTER TABLE %s.a ADD UNIQUE KEY uy (y), MODIFY y VARCHAR(60) NOT NULL FIRST"),
		at("UPDATE %s.a SET y = CONCAT(y, '!') ORDER BY id DESC"),
		"RENAME TABLE " + d + ".a TO " + d + ".b, " + d + ".twin TO " + d + ".a",
		at("INSERT INTO %s.b (id, ex, y) VALUES (6, 6, 'six')"), at("INSERT INTO %s.a (id, n) VALUES (1, 1), (2, 2)"),
		"RENAME TABLE " + d + ".a TO " + d + ".tmp, " + d + ".b TO " + d + ".a, " + d + ".tmp TO " + d + ".b",
		at("INSERT INTO %s.a (id, ex, y) VALUES (7, 7, 'seven')"), at("UPDATE %s.b SET n = n * 10"),
		at("TRUNCATE TABLE %s.b"), at("INSERT INTO %s.b (id, n) VALUES (9, 9)"),
		"CREATE TABLE " + d + ".c LIKE " + d + ".a", at("INSERT INTO %s.c SELECT * FROM " + d + ".a"),
		at("ALTER TABLE %s.c DROP KEY uy, ADD COLUMN late DATETIME(3) DEFAULT NULL"),
		at("UPDATE %s.c SET late = '2024-01-02 03:04:05.678' WHERE id > 3"),
		"CREATE TABLE " + d + ".q AS SELECT id, ex FROM " + d + ".a", at("ALTER TABLE %s.q ADD PRIMARY KEY (id)"),
		at("UPDATE %s.q SET ex = -1 WHERE id = 7"),
		at("DROP TABLE %s.keyless"), at("CREATE TABLE %s.keyless (p INT, q VARCHAR(5))"),
		at("INSERT INTO %s.keyless VALUES (1, 'a'), (1, 'a'), (NULL, NULL)"),
		at("ALTER TABLE %s.keyless ADD COLUMN r INT DEFAULT 3"), at("DELETE FROM %s.keyless WHERE p = 1 LIMIT 1"),
		at("INSERT INTO %s.keyless VALUES (2, 'b', 4)"),
		// the same shape
		"RENAME TABLE " + d + ".twin1 TO " + d + ".hold, " + d + ".twin2 TO " + d + ".twin1, " + d + ".hold TO " + d +
			".twin2",
		at("INSERT INTO %s.twin1 VALUES (100, 1)"), at("INSERT INTO %s.twin2 VALUES (200, 2)"),
		"RENAME TABLE " + d + ".twin1 TO " + d + ".hold, " + d + ".twin2 TO " + d + ".twin1, " + d + ".hold TO " + d +
			".twin2",
		at("INSERT INTO %s.twin1 VALUES (101, 1)"),
		"CREATE TABLE " + d + ".many AS WITH RECURSIVE s AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM s WHERE i < " +
			"99), p AS (SELECT x.i * 100 + y.i + 1 AS n FROM s x, s y) SELECT n, n * 3 AS m, CONCAT('row ', n) AS " +
			"t FROM p",
		"SET time_zone = '+05:30'", at("ALTER TABLE %s.spare ADD COLUMN t TIMESTAMP NOT NULL DEFAULT '2001-02-03 " +
			"04:05:06'"), at("INSERT INTO %s.spare (id, b) VALUES (3, 3)"),
		"SET time_zone = 'SYSTEM'", at("ALTER TABLE %s.spare ADD COLUMN u TIMESTAMP(2) NOT NULL DEFAULT '2001-07-03 " +
			"04:05:06.7'"), at("INSERT INTO %s.spare (id, b) VALUES (4, 4)"),
		// the key over a stays
		at("ALTER TABLE %s.spare ADD KEY ab (a, b)"), at("UPDATE %s.spare SET b = 0 WHERE a = 2"),
		// the key over p, which the foreign key made, goes
		at("ALTER TABLE %s.child ADD KEY pq (p, q)"), at("INSERT INTO %s.child VALUES (3, 1, 3)"),
		at("ALTER TABLE %s.spare DROP COLUMN t, ADD COLUMN v INT"), at("ALTER TABLE %s.child ADD COLUMN v INT"),
		at("UPDATE %s.child SET v = id"),
		at("ALTER TABLE %s.many MODIFY n INT NOT NULL PRIMARY KEY"), at("DELETE FROM %s.many WHERE n %% 2 = 0"),
	}
	for n := range 8 {
		s = append(s, fmt.Sprintf("ALTER TABLE %s.a ADD COLUMN c%d INT DEFAULT %d", d, n, n),
			fmt.Sprintf("INSERT INTO %s.a (id, y, c%d) VALUES (%d, 'c%d', 77)", d, n, 100+n, n))
		if n > 0 {
			s = append(s, fmt.Sprintf("ALTER TABLE %s.a DROP COLUMN c%d", d, n-1),
				fmt.Sprintf("UPDATE %s.a SET c%d = id WHERE id %% 2 = %d %% 2", d, n, n))
		}
	}
	return s
}

// prepare makes the tables that rowsBetween changes.
func (m *move) prepare(t *testing.T, d string) {
	t.Helper()
	m.Source.Exec(t, "CREATE DATABASE "+d+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
		"CREATE TABLE "+d+".a (id INT PRIMARY KEY, x INT, y VARCHAR(20) NOT NULL)",
		"CREATE TABLE "+d+".twin (id INT PRIMARY KEY, n INT)",
		"CREATE TABLE "+d+".keyless (a INT)", "INSERT INTO "+d+".keyless VALUES (1), (1)",
		"CREATE TABLE "+d+".twin1 (id INT PRIMARY KEY, n INT)", "CREATE TABLE "+d+".twin2 (id INT PRIMARY KEY, n INT)",
		"CREATE TABLE "+d+".spare (id INT PRIMARY KEY, a INT, b INT, KEY a (a))",
		"INSERT INTO "+d+".spare VALUES (1, 1, 1), (2, 2, 2)",
		"CREATE TABLE "+d+".parent (id INT PRIMARY KEY)", "INSERT INTO "+d+".parent VALUES (1)",
		"CREATE TABLE "+d+".child (id INT PRIMARY KEY, p INT, q INT, FOREIGN KEY (p) REFERENCES "+d+".parent (id))",
		"INSERT INTO "+d+".child VALUES (1, 1, 1), (2, NULL, 2)",
		"INSERT INTO "+d+".twin1 VALUES (1, 1)", "INSERT INTO "+d+".twin2 VALUES (2, 2)")
}

// TestBacklog runs schema changes with rows between them while nobody follows: what tables were in between is worked
// out afterwards.
func TestBacklog(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "we_b", source, target, harness.Options{Lines: extras(source, target)})
		m.prepare(t, "we_b_a")
		m.must(t, "init-schema", "init-copy")
		m.Source.Exec(t, rowsBetween("we_b_a")...)
		m.Mark(t)
		m.must(t, "start-replica --until-caught-up", "verify")
		m.equal(t, "we_b_a", "we_b_m")
	})
}

// TestKilledInBacklog kills start-replica at random moments while it follows the same, and runs it again: each change
// is made once.
func TestKilledInBacklog(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "we_k", source, target, harness.Options{Lines: extras(source, target)})
		m.prepare(t, "we_k_a")
		m.must(t, "init-schema", "init-copy")
		m.Source.Exec(t, rowsBetween("we_k_a")...)
		m.Mark(t)
		kills := 0
		for wait := 120 * time.Millisecond; ; wait += 17 * time.Millisecond {
			replica := m.Start(t, "start-replica")
			time.Sleep(wait)
			require.NoError(t, replica.Signal(os.Kill))
			<-replica.Done()
			require.NotEqual(t, refused, replica.Code, replica.Log())
			if m.Target.Text(t, "SELECT MAX(id) FROM we_k_m.marks") == "1" {
				break
			}
			kills++
			require.Less(t, kills, 100)
		}
		t.Logf("killed %d times before the end", kills)
		assert.Greater(t, kills, 2)
		m.must(t, "verify")
		m.equal(t, "we_k_a", "we_k_m")
	})
}
