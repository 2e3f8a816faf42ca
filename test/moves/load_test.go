package moves

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"wherry/test/internal/harness"
)

// startLoad starts workers that write to the move's tables, whatever happens to them: keys are chosen below spread.
func (m *move) startLoad(t *testing.T, seed uint64, workers, spread int, pause time.Duration) *harness.Load {
	t.Helper()
	db := m.source.App(t, m.Name)
	db.SetMaxIdleConns(workers)
	o := harness.Loaded{
		Seed: seed, Workers: workers, Pause: pause, Loses: true,
		Bears: []uint16{1062, 1451, 1452}, // duplicates, a child without its parent
	}
	return harness.StartLoad(t, o, func(ctx context.Context, _ int, r *rand.Rand) error {
		return transaction(ctx, db, r, spread)
	})
}

// errRollback is a transaction that the application itself takes back.
var errRollback = errors.New("rollback")

// transaction makes one.
func transaction(ctx context.Context, db *sql.DB, r *rand.Rand, spread int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	w := &writer{Rand: r, spread: spread, do: func(statement string, args ...any) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	}}
	for range 1 + r.IntN(3)*r.IntN(2) { // one of two has one part, the others up to three
		if err = w.part(); err != nil {
			break
		}
	}
	if err == nil && r.IntN(12) == 0 {
		err = errRollback
	}
	if err == nil {
		return tx.Commit()
	}
	if undo := tx.Rollback(); undo != nil && errors.Is(err, errRollback) {
		return undo
	}
	if errors.Is(err, errRollback) {
		return nil
	}
	return err
}

// writer chooses and makes the parts of transactions.
type writer struct {
	*rand.Rand
	spread int
	do     func(statement string, args ...any) error
}

// all makes statements one after another.
func (w *writer) all(statements ...[]any) error {
	for _, s := range statements {
		if err := w.do(s[0].(string), s[1:]...); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) part() error {
	parts := []func() error{
		w.insertInts, w.insertInts, w.updateInts, w.updateInts, w.deleteInts, w.moveInts, w.deleteRange, w.sameAgain,
		w.composites, w.words, w.wordsCase, w.bins, w.codes, w.swapGuests, w.rotatePlaces, w.freeAndTake, w.family,
		w.savepoint, w.shortLived, w.manyChanges,
	}
	return parts[w.IntN(len(parts))]()
}

// id is an existing or an absent id of ints, negative ones among them.
func (w *writer) id() int { return w.IntN(3*w.spread+500) - 500 }

func (w *writer) insertInts() error {
	return w.do("INSERT INTO ints (worker, n, t, d, at) VALUES (?, ?, ?, ?, NOW(6)), (?, NULL, NULL, NULL, NULL)",
		w.IntN(5), w.Int64(), fmt.Sprint("new ", w.IntN(1e6)), w.IntN(1e6), w.IntN(5))
}

func (w *writer) updateInts() error {
	return w.do("UPDATE ints SET n = ?, t = CONCAT('changed ', ?), worker = (worker + 1) % 5 WHERE id >= ? ORDER BY "+
		"id LIMIT 3", w.Int64(), w.IntN(1e6), w.id())
}

func (w *writer) deleteInts() error {
	return w.do("DELETE FROM ints WHERE id >= ? ORDER BY id LIMIT 1", w.id())
}

// moveInts changes a primary key: a little, over the whole table, or to the other side of zero.
func (w *writer) moveInts() error {
	by := []string{"id + 1", "id - 1", "id + 100000", "-id", "id - 100000"}[w.IntN(5)]
	return w.do("UPDATE ints SET id = "+by+" WHERE id >= ? ORDER BY id LIMIT 1", w.id())
}

func (w *writer) deleteRange() error {
	low := w.id()
	return w.do("DELETE FROM ints WHERE id BETWEEN ? AND ?", low, low+20)
}

// sameAgain changes nothing, and then something back.
func (w *writer) sameAgain() error {
	id := w.id()
	return w.all([]any{"UPDATE ints SET t = t WHERE id = ?", id}, []any{"UPDATE ints SET n = n + 1 WHERE id = ?", id},
		[]any{"UPDATE ints SET n = n - 1 WHERE id = ?", id})
}

func (w *writer) composites() error {
	a, b := w.IntN(w.spread/20+2), w.IntN(20)-10
	switch w.IntN(4) {
	case 0:
		return w.do("REPLACE INTO composites (a, b, v) VALUES (?, ?, ?), (?, ?, 'second')", a, b,
			fmt.Sprint(w.IntN(1e6)), a+1, b)
	case 1:
		return w.do("DELETE FROM composites WHERE a = ? AND b > ?", a, b)
	case 2:
		return w.do("UPDATE composites SET a = a + 1, b = -b WHERE a = ? AND b = ?", a, b)
	default:
		return w.do("INSERT INTO composites (a, b, v) VALUES (?, ?, 'x') ON DUPLICATE KEY UPDATE v = CONCAT('y', ?)", a,
			b, w.IntN(1e6))
	}
}

func (w *writer) word() string { return fmt.Sprintf("wort-%06d", w.IntN(w.spread/2+100)) }

func (w *writer) words() error {
	word := w.word()
	switch w.IntN(3) {
	case 0:
		return w.do("INSERT INTO words (w, n, t) VALUES (?, ?, 'Straße 😀') ON DUPLICATE KEY UPDATE n = n + 1", word,
			w.IntN(1e6))
	case 1:
		return w.do("DELETE FROM words WHERE w = ?", word)
	default:
		return w.do("UPDATE words SET w = CONCAT(w, '-', ?) WHERE w = ?", w.IntN(100), word)
	}
}

// wordsCase changes a key to one that the collation takes for equal.
func (w *writer) wordsCase() error {
	word := w.word()
	if w.IntN(2) == 0 {
		return w.do("UPDATE words SET w = IF(w = BINARY UPPER(w), LOWER(w), UPPER(w)) WHERE w = ?", word)
	}
	return w.all([]any{"DELETE FROM words WHERE w = ?", word}, []any{
		"INSERT INTO words (w, n) VALUES (UPPER(?), ?)",
		word, w.IntN(1e6),
	})
}

func (w *writer) bins() error {
	key := make([]byte, 1+w.IntN(3))
	for i := range key {
		key[i] = byte(w.IntN(6)) // few, and zero at the end among them
	}
	switch w.IntN(4) {
	case 0:
		return w.do("INSERT INTO bins (k, v, n) VALUES (?, ?, 1) ON DUPLICATE KEY UPDATE n = n + 1", key,
			append(key, 0, '\'', '\\'))
	case 1:
		return w.do("DELETE FROM bins WHERE k = ?", key)
	case 2:
		return w.do("UPDATE bins SET v = CONCAT(v, k) WHERE k >= ? AND LENGTH(v) < 200 ORDER BY k LIMIT 2", key)
	default:
		return w.do("UPDATE bins SET k = CONCAT(k, ?) WHERE k >= ? AND LENGTH(k) < 14 ORDER BY k DESC LIMIT 1",
			[]byte{0}, key)
	}
}

func (w *writer) codes() error {
	code := fmt.Sprint("c", w.IntN(w.spread+50))
	switch w.IntN(4) {
	case 0:
		return w.do("INSERT INTO codes (code, n, t) VALUES (?, ?, NULL) ON DUPLICATE KEY "+
			"UPDATE t = CONCAT('again ', ?)", code, w.IntN(1e6), w.IntN(1e6))
	case 1:
		return w.do("DELETE FROM codes WHERE code = ?", code)
	case 2:
		return w.do("UPDATE codes SET code = ? WHERE code = ?", fmt.Sprint("c", w.IntN(w.spread+50)), code)
	default:
		return w.do("UPDATE codes SET n = ?, t = NULL WHERE code = ?", w.IntN(1e6), code)
	}
}

func (w *writer) seat() int { return 1 + w.IntN(w.spread/2+1) }

// swapGuests lets two rows exchange a unique value within one transaction.
func (w *writer) swapGuests() error {
	a, b := w.seat(), w.seat()
	if a == b {
		return nil
	}
	if a > b {
		a, b = b, a
	}
	return w.all(
		[]any{"SET @a = (SELECT guest FROM seats WHERE id = ? FOR UPDATE)", a},
		[]any{"SET @b = (SELECT guest FROM seats WHERE id = ? FOR UPDATE)", b},
		[]any{"UPDATE seats SET guest = NULL, touched = touched + 1 WHERE id = ?", a},
		[]any{"UPDATE seats SET guest = @a WHERE id = ? AND @b IS NOT NULL", b},
		[]any{"UPDATE seats SET guest = @b WHERE id = ?", a},
	)
}

// rotatePlaces lets three rows of a line rotate their unique places, over one that nobody else has.
func (w *writer) rotatePlaces() error {
	line, away := w.IntN(w.spread/60+1), -1-w.IntN(1e9)
	return w.all(
		[]any{"SELECT id FROM seats WHERE line = ? FOR UPDATE", line},
		[]any{"UPDATE seats SET seat = ? WHERE line = ? AND seat = 3", away, line},
		[]any{"UPDATE seats SET seat = 3 WHERE line = ? AND seat = 2", line},
		[]any{"UPDATE seats SET seat = 2 WHERE line = ? AND seat = 1", line},
		[]any{"UPDATE seats SET seat = 1 WHERE line = ? AND seat = ?", line, away},
	)
}

// freeAndTake deletes a row and gives its unique values to a new one.
func (w *writer) freeAndTake() error {
	id := w.seat()
	return w.all(
		[]any{"SET @l = NULL, @s = NULL, @g = NULL"},
		[]any{"SELECT line, seat, guest INTO @l, @s, @g FROM seats WHERE id = ? FOR UPDATE", id},
		[]any{"DELETE FROM seats WHERE id = ?", id},
		[]any{"INSERT INTO seats (line, seat, guest) VALUES (@l, @s, @g)"},
	)
}

// family inserts a parent with children, or deletes one with its children.
func (w *writer) family() error {
	if w.IntN(2) == 0 {
		return w.all(
			[]any{"INSERT INTO parents (name) VALUES (?)", fmt.Sprint("new parent ", w.IntN(1e6))},
			[]any{"INSERT INTO children (parent_id, no) VALUES (LAST_INSERT_ID(), 0), (LAST_INSERT_ID(), 1)"},
		)
	}
	parent := 1 + w.IntN(w.spread/10+50)
	return w.all([]any{"DELETE FROM children WHERE parent_id = ?", parent}, []any{
		"DELETE FROM parents WHERE id = ?",
		parent,
	})
}

// savepoint takes a part of the transaction back.
func (w *writer) savepoint() error {
	if err := w.do("SAVEPOINT here"); err != nil {
		return err
	}
	for _, f := range []func() error{w.updateInts, w.deleteInts, w.insertInts} {
		if err := f(); err != nil {
			return err
		}
	}
	if err := w.do("ROLLBACK TO SAVEPOINT here"); err != nil {
		return err
	}
	return w.updateInts()
}

// shortLived inserts a row, changes it, and deletes it, and deletes another and inserts it again.
func (w *writer) shortLived() error {
	id, word := 10_000_000+w.IntN(1e6), w.word()
	return w.all(
		[]any{"INSERT INTO ints (id, worker, t) VALUES (?, 1, 'short')", -id},
		[]any{"UPDATE ints SET t = 'life' WHERE id = ?", -id},
		[]any{"DELETE FROM ints WHERE id = ?", -id},
		[]any{"DELETE FROM words WHERE w = ?", word},
		[]any{"INSERT INTO words (w, n, t) VALUES (?, ?, 'back')", word, w.IntN(1e6)},
	)
}

// manyChanges changes few rows often.
func (w *writer) manyChanges() error {
	id := w.seat()
	for range 5 {
		if err := w.do("UPDATE seats SET touched = touched + 1 WHERE id = ?", id); err != nil {
			return err
		}
	}
	return nil
}
