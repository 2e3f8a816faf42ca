package verify

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/test/internal/harness"
)

// TestAlike moves values that the two families print, sort or store in ways of their own. They are equal and must be
// called so, also where the target's collation, and with it the order of keys, has been changed, and where tables of
// either end are built anew meanwhile.
func TestAlike(t *testing.T) {
	eachPair(t, func(t *testing.T, w *world) {
		collation, doc := "utf8mb4_unicode_ci", "JSON"
		if w.Source.Flavor == "mysql" {
			collation = "utf8mb4_0900_ai_ci"
		}
		w.Configure(t, "schema: {allow_losses: [json, collation]}", "replicate: {ddl: ignore}")
		if w.Source.Flavor == "mysql" && w.Target.Flavor == "mysql" {
			collation = "utf8mb4_0900_as_cs"
		}
		letters := "ELT(1 + n % 9, 'a', 'B', 'ä', 'ß', 'Z', '_', 'é', '中', '🙂')"
		w.move(t, "CREATE TABLE words (w VARCHAR(30) COLLATE "+collation+" NOT NULL PRIMARY KEY, n INT)",
			insert("words", "w = CONCAT("+letters+", n, "+letters+"), n = n", 4000),
			"CREATE TABLE docs (id INT NOT NULL PRIMARY KEY, j "+doc+", f FLOAT, d DOUBLE, l VARCHAR(30) CHARACTER "+
				"SET latin1, u VARCHAR(30) CHARACTER SET utf8mb3, ts TIMESTAMP(3) NULL)",
			insert("docs", `id = n, j = CONCAT('{"b": ', n, '.0, "a": [', n / 7e0, ', -0.0, 1e30, "ä\\u0001"], `+
				`"long": 12345678901234567890}'), f = n / 7, d = n / 7e30, l = CONCAT('ä', n), u = CONCAT('é ', n, ' `+
				`'), ts = '2024-01-01' + INTERVAL n HOUR`, 2000),
			"CREATE TABLE copies LIKE docs", "ALTER TABLE copies DROP PRIMARY KEY",
			"INSERT INTO copies SELECT * FROM docs")
		w.verify(t).clean(t)
		// sorts otherwise
		w.target.Exec(t, "ALTER TABLE words MODIFY w VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL")
		w.source.Exec(t, "ALTER TABLE docs ENGINE=InnoDB")
		w.target.Exec(t, "ALTER TABLE docs ENGINE=InnoDB, ADD COLUMN extra INT NULL", "ALTER TABLE copies ADD KEY (id)")
		r := w.verify(t)
		r.clean(t)
		assert.EqualValues(t, 4000, r.tables["words"].Rows)
		w.target.Exec(t, "UPDATE words SET w = 'first' WHERE n = 17", "DELETE FROM words WHERE n = 4000",
			"UPDATE words SET n = 0 WHERE n IN (1, 2000)")
		r = w.verify(t)
		assert.Equal(t, harness.Differs, r.code)
		assert.Equal(t, "differing=2 missing=2 extra=1 repaired=0", r.tables["words"].counts())
		w.verify(t, "--repair").clean(t)
		w.equal(t, "words", "CAST(w AS BINARY), n", "")
	})
}

// TestOneByteInMillions changes one byte in two million rows that both servers make by the same statement, with a key
// and without.
func TestOneByteInMillions(t *testing.T) {
	const rows = 2_000_000
	w := worldOf(t, harness.ToMariaDB)
	w.move(t, "CREATE TABLE many (id INT NOT NULL PRIMARY KEY, v VARCHAR(20) NOT NULL)",
		"CREATE TABLE bag (id INT NOT NULL, v VARCHAR(20) NOT NULL)")
	fill := func(name string, count int) string {
		return fmt.Sprintf("INSERT INTO %s SELECT n, CONCAT('v', n) FROM %s", name, numbers(count))
	}
	var group sync.WaitGroup
	for _, statements := range [][]string{
		{"SET SESSION sql_log_bin = 0", fill("many", rows)},
		{"SET SESSION sql_log_bin = 0", fill("bag", 600_000)},
	} {
		group.Go(func() { w.source.Exec(t, statements...) })
		group.Go(func() { w.target.Exec(t, statements...) })
	}
	group.Wait()
	w.verify(t).clean(t)
	for _, name := range []string{"many", "bag"} {
		w.target.Exec(t, "UPDATE "+name+" SET v = CONCAT('w', id) WHERE id = 543210")
	}
	r := w.verify(t)
	assert.Equal(t, harness.Differs, r.code)
	assert.EqualValues(t, rows, r.tables["many"].Rows)
	assert.Equal(t, "differing 543210", r.tables["many"].listed())
	assert.Equal(t, "extra (543210, 'w543210'), missing (543210, 'v543210')", r.tables["bag"].listed())
}
