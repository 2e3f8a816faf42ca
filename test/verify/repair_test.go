package verify

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// TestRepair mends rows of every kind at once and looks again: what it says to have repaired is all, and both sides
// are equal.
func TestRepair(t *testing.T) {
	eachPair(t, func(t *testing.T, w *world) {
		w.move(t, loaded()...)
		w.ruin(t)
		w.target.Exec(t, "UPDATE words SET w = 'tmp' WHERE w = 'Word 1'",
			"UPDATE words SET w = 'Word 1' WHERE w = 'Word 2'", "UPDATE words SET w = 'Word 2' WHERE w = 'tmp'")
		before := w.verify(t)
		assert.Equal(t, harness.Differs, before.code)
		r := w.verify(t, "--repair")
		r.clean(t)
		for name, x := range before.tables {
			if x.Differing+x.Missing+x.Extra > 0 {
				assert.Positive(t, r.tables[name].Repaired, name)
			}
		}
		w.same(t)
		again := w.verify(t)
		again.clean(t)
		assert.Zero(t, again.summary.Number("repaired"))
	})
}

// TestRoutedAndFiltered: only rows that the filter takes count, under the names of the target, with a key and without.
func TestRoutedAndFiltered(t *testing.T) {
	for _, e := range harness.Across {
		t.Run(e.String(), func(t *testing.T) {
			w := worldOf(t, e)
			w.Configure(t, fmt.Sprintf("routes: [{from: %[1]q, to: %[2]q}]", w.Name+".items", w.Name+".things"),
				fmt.Sprintf("filters: [{table: %q, where: %q}, {table: %q, where: %q}]", w.Name+".items", "n = 0",
					w.Name+".bags", "n >= 100"))
			w.move(t, append(loaded(), "UPDATE items SET n = 1 WHERE id % 2 = 0")...)
			w.verify(t).clean(t)
			w.source.Exec(t, "UPDATE items SET n = 1 WHERE id = 11", "UPDATE items SET n = 0 WHERE id = 12",
				"UPDATE bags SET n = 5 WHERE n = 100", "UPDATE bags SET n = 105 WHERE n = 6")
			r := w.verify(t)
			r.clean(t)
			assert.EqualValues(t, 4000, r.tables["items"].Rows)
			w.target.Exec(t, "INSERT INTO things SELECT 4444, name, NULL, 1 FROM things WHERE id = 1",
				"UPDATE things SET n = 1 WHERE id = 21", "DELETE FROM things WHERE id = 23",
				"INSERT INTO bags VALUES (99, 'x')", "DELETE FROM bags WHERE n = 200 LIMIT 1")
			r = w.verify(t)
			assert.Equal(t, "differing 21, extra 4444, missing 23", r.tables["items"].listed())
			assert.Equal(t, "differing=0 missing=1 extra=1 repaired=0", r.tables["bags"].counts())
			w.verify(t, "--repair").clean(t)
			assert.Equal(t, w.source.Lines(t, "SELECT * FROM items WHERE n = 0"),
				w.target.Lines(t, "SELECT * FROM things"))
			require.Positive(t, w.equal(t, "bags", "*", "n >= 100"))
		})
	}
}

// TestNothingToCompare: a verification that compared no row, while there are some, proves nothing and must not pass.
// Nor must one of a table that is gone, or of a move that is over.
func TestNothingToCompare(t *testing.T) {
	w := worldOf(t, harness.ToMariaDB)
	w.Configure(t, fmt.Sprintf("filters: [{table: %q, where: %q}]", w.Name+".t", "id > 1000"))
	w.move(t, "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, n INT)", insert("t", "id = n, n = n", 50))
	r := w.verify(t)
	assert.Equal(t, harness.Failed, r.code)
	assert.Contains(t, r.log, "no row was compared")

	w = worldOf(t, harness.ToMySQL)
	w.move(t, loaded()...)
	w.target.Exec(t, "RENAME TABLE words TO away")
	r = w.verify(t)
	assert.Equal(t, harness.Failed, r.code, r.log)
	assert.Contains(t, r.log, "words")
	w.target.Exec(t, "RENAME TABLE away TO words")
	w.verify(t).clean(t)
	w.source.Exec(t, "ALTER TABLE words ADD COLUMN more INT NULL")
	w.target.Exec(t, "ALTER TABLE words ADD COLUMN more INT NULL")
	w.verify(t).clean(t) // the target is as the change makes it
	w.source.Exec(t, "ALTER TABLE words DROP COLUMN more")
	w.verify(t).clean(t)
	assert.Equal(t, "0", w.target.Text(t, "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = "+
		"DATABASE() AND COLUMN_NAME = 'more'"))
}

// TestOver: when the target has taken over there is nothing to be compared with.
func TestOver(t *testing.T) {
	w := worldOf(t, harness.MySQL)
	w.Configure(t, "cutover: {fence: none}")
	w.move(t, "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, n INT)", insert("t", "id = n, n = n", 50))
	w.verify(t).clean(t)
	w.Must(t, "cutover", w.Confirm())
	w.target.Exec(t, "DELETE FROM t WHERE id = 1")
	r := w.verify(t)
	assert.Equal(t, 0, r.code, "%s %v", r.log, r.summary)
	assert.Equal(t, true, r.summary["over"])
	assert.Contains(t, r.summary["detail"], "nothing was compared")
	assert.Equal(t, "49", w.target.Text(t, "SELECT COUNT(*) FROM t"))
}
