package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// The tables under load. Rows of items above still are left alone by it.
const (
	still = 4000
	items = "CREATE TABLE items (id INT NOT NULL PRIMARY KEY, name VARCHAR(60) NULL, code INT NULL, n INT NOT " +
		"NULL, UNIQUE KEY code (code))"
	words   = "CREATE TABLE words (w VARCHAR(20) COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY, n INT NOT NULL)"
	bags    = "CREATE TABLE bags (n INT NULL, name VARCHAR(60) NULL, KEY n (n))"
	marks   = "CREATE TABLE marks (id INT NOT NULL PRIMARY KEY)"
	ofItems = "id = n, name = IF(n % 3, CONCAT('Name ', n), NULL), code = 10 * n, n = 0"
	ofWords = "w = CONCAT('Word ', n), n = n"
	ofBags  = "n = n % 700, name = IF(n % 3, 'x', NULL)"
)

func loaded() []string {
	return []string{
		items, words, bags, marks, insert("items", ofItems, 8000), insert("words", ofWords, 400),
		insert("bags", ofBags, 3000),
	}
}

// load writes to the source until it is stopped: hot rows, changed keys, keys that change only their case, unique
// values that are swapped, rows without a key.
func (w *world) load(t *testing.T, seed uint64) *harness.Load {
	t.Helper()
	o := harness.Loaded{Seed: seed, Workers: 3, Pause: 2 * time.Millisecond, Bears: []uint16{1062}}
	return harness.StartLoad(t, o, func(ctx context.Context, _ int, r *rand.Rand) error {
		return harness.Within(ctx, w.source.DB, transaction(r)...)
	})
}

// transaction are the statements of one.
func transaction(r *rand.Rand) []string {
	id, other := 1+r.IntN(still-1), 1+r.IntN(still-1)
	parts := [][]string{
		{"UPDATE items SET n = n + 1 WHERE id = 100"},
		{
			fmt.Sprintf("UPDATE items SET n = n + 1 WHERE id BETWEEN %d AND %d", id, min(id+5, still)),
			"UPDATE items SET name = CONCAT('hot ', n) WHERE id = 101",
		},
		{fmt.Sprintf("DELETE FROM items WHERE id = %d", id)},
		{fmt.Sprintf("REPLACE INTO items VALUES (%d, 'new', %d, 1)", id, 10*id)},
		{fmt.Sprintf("UPDATE items SET id = %d WHERE id = %d", other, id)},
		{ // a flag set and cleared
			fmt.Sprintf("UPDATE items SET n = -1 - n WHERE id = %d", id),
			fmt.Sprintf("UPDATE items SET n = -1 - n WHERE id = %d", id),
		},
		{ // two unique values change places
			"SELECT @a := code FROM items WHERE id = 200 FOR UPDATE",
			"SELECT @b := code FROM items WHERE id = 201 FOR UPDATE", "UPDATE items SET code = NULL WHERE id = 200",
			"UPDATE items SET code = @a WHERE id = 201", "UPDATE items SET code = @b WHERE id = 200",
		},
		{fmt.Sprintf("UPDATE words SET w = IF(BINARY w = BINARY LOWER(w), UPPER(w), LOWER(w)), n = n + 1 WHERE w = "+
			"'word %d'", 1+r.IntN(200))},
		{
			fmt.Sprintf("INSERT INTO bags VALUES (%d, 'x')", r.IntN(300)),
			fmt.Sprintf("DELETE FROM bags WHERE n = %d LIMIT 1", r.IntN(300)),
		},
		{
			fmt.Sprintf("UPDATE bags SET name = IF(name IS NULL, 'x', NULL) WHERE n = %d LIMIT 2", r.IntN(300)),
			"INSERT INTO bags VALUES (1, NULL), (1, NULL)",
		},
		{fmt.Sprintf("UPDATE bags SET n = n + 1 WHERE n BETWEEN 300 AND %d", 300+r.IntN(3))},
	}
	return parts[r.IntN(len(parts))]
}

// replica starts start-replica and waits until it applies.
func (w *world) replica(t *testing.T) *harness.Child {
	t.Helper()
	c := w.Start(t, "start-replica")
	w.Followed(t, c)
	return c
}

// same compares all tables under load.
func (w *world) same(t *testing.T) {
	t.Helper()
	for _, name := range []string{"items", "words", "bags"} {
		require.Positive(t, w.equal(t, name, "*", ""))
	}
}

// TestUnderLoad verifies while the source is written to all the time: by itself, of single tables, and beside
// start-replica. Every report must be clean. Rows that are damaged then must be found, all of them and no others, and
// mended, also by a repair that is killed.
func TestUnderLoad(t *testing.T) {
	eachPair(t, func(t *testing.T, w *world) {
		w.move(t, loaded()...)
		l := w.load(t, lab.Seed(t))
		for _, args := range [][]string{nil, {"--table", w.Name + ".items"}, {"--table", w.Name + ".bags"}} {
			r := w.verify(t, args...)
			r.clean(t)
		}
		replica := w.replica(t)
		for _, args := range [][]string{nil, {"--table", w.Name + ".bags"}, nil} {
			w.verify(t, args...).clean(t)
		}
		w.target.Exec(t, fmt.Sprintf("UPDATE items SET name = 'damaged' WHERE id = %d", still+7),
			fmt.Sprintf("DELETE FROM items WHERE id = %d", still+8),
			"INSERT INTO items VALUES (9001, NULL, NULL, 0)", "UPDATE words SET w = 'WORD 300' WHERE w = 'word 300'",
			"DELETE FROM bags WHERE n = 650 LIMIT 2", "UPDATE bags SET name = 'y' WHERE n = 651 LIMIT 1")
		for range 2 {
			r := w.verify(t)
			assert.Equal(t, harness.Differs, r.code, r.log)
			assert.Equal(t, "differing 4007, extra 9001, missing 4008", r.tables["items"].listed())
			assert.Equal(t, "extra 'WORD 300', missing 'Word 300'", r.tables["words"].listed())
			assert.Equal(t, "differing=0 missing=3 extra=1 repaired=0", r.tables["bags"].counts())
		}
		w.ruin(t)
		for _, after := range []time.Duration{150, 300, 450} { // whatever it has come to by then
			c := w.Start(t, "verify", "--repair")
			select {
			case <-c.Done():
			case <-time.After(after * time.Millisecond):
				c.Kill(t)
			}
		}
		r := w.verify(t, "--repair")
		r.clean(t)
		w.verify(t).clean(t)
		l.Stop(t)
		w.Followed(t, replica)
		replica.Interrupt(t)
		w.same(t)
	})
}

// ruin damages many rows that the load leaves alone: in more than one batch, unique values in each other's place.
func (w *world) ruin(t *testing.T) {
	t.Helper()
	w.target.Exec(t, fmt.Sprintf("UPDATE items SET code = NULL WHERE id > %d", still),
		fmt.Sprintf("UPDATE items SET code = 10 * (id + 1) WHERE id > %d AND id < 6000 ORDER BY id", still),
		"DELETE FROM items WHERE id BETWEEN 6500 AND 7300",
		"INSERT INTO items SELECT id + 100000, name, NULL, n FROM items WHERE id BETWEEN 7400 AND 7900",
		"UPDATE words SET w = UPPER(w) WHERE n BETWEEN 210 AND 280 AND w LIKE 'Word 2%'",
		"DELETE FROM bags WHERE n BETWEEN 400 AND 500", "INSERT INTO bags SELECT n, 'twin' FROM bags WHERE n > 500")
}
