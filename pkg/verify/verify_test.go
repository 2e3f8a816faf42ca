package verify_test

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/schema"
	"wherry/pkg/verify"
)

const rows = 2500

// TestFinds damages the target in every way that has fooled a comparison somewhere.
func TestFinds(t *testing.T) {
	set := func(column int, text string) func(db.Row) {
		return func(row db.Row) { row[column] = []byte(text) }
	}
	for name, c := range map[string]struct {
		damage func(w *world)
		counts string
		listed string
	}{
		"nothing": {func(*world) {}, "differing=0 missing=0 extra=0 flux=0 repaired=0", ""},
		"all datetimes shifted by an hour": {func(w *world) {
			for i := 1; i <= rows; i++ {
				w.damage(i, func(row db.Row) { row[2] = bytes.Replace(row[2], []byte(" 10:"), []byte(" 11:"), 1) })
			}
		}, "differing=2500 missing=0 extra=0 flux=0 repaired=0", "-"},
		"a flag flipped on two rows": {func(w *world) {
			w.damage(1, set(3, "0"))
			w.damage(3, set(3, "0"))
		}, "differing=2 missing=0 extra=0 flux=0 repaired=0", "differing 1, differing 3"},
		"NULL turned into '' on two rows": {func(w *world) {
			w.damage(3, set(1, ""))
			w.damage(9, set(1, ""))
		}, "differing=2 missing=0 extra=0 flux=0 repaired=0", "differing 3, differing 9"},
		"'' turned into NULL": {func(w *world) {
			w.damage(5, func(row db.Row) { row[1] = nil })
		}, "differing=1 missing=0 extra=0 flux=0 repaired=0", "differing 5"},
		"one byte": {func(w *world) {
			w.damage(1234, set(1, "Name 1235"))
		}, "differing=1 missing=0 extra=0 flux=0 repaired=0", "differing 1234"},
		"case only": {func(w *world) {
			w.damage(7, set(1, "name 7"))
		}, "differing=1 missing=0 extra=0 flux=0 repaired=0", "differing 7"},
		"trailing space only": {func(w *world) {
			w.damage(7, set(1, "Name 7 "))
		}, "differing=1 missing=0 extra=0 flux=0 repaired=0", "differing 7"},
		"values swapped": {func(w *world) {
			w.damage(1, func(row db.Row) { row[3], row[4] = []byte("10"), []byte("1") })
		}, "differing=1 missing=0 extra=0 flux=0 repaired=0", "differing 1"},
		"names of rows swapped": {func(w *world) {
			w.damage(1, set(1, "Name 2"))
			w.damage(2, set(1, "Name 1"))
		}, "differing=2 missing=0 extra=0 flux=0 repaired=0", "differing 1, differing 2"},
		"the last row missing": {func(w *world) {
			w.remove(w.target, w.to, rows)
		}, "differing=0 missing=1 extra=0 flux=0 repaired=0", "missing 2500"},
		"one row missing": {func(w *world) {
			w.remove(w.target, w.to, 700)
		}, "differing=0 missing=1 extra=0 flux=0 repaired=0", "missing 700"},
		"extra rows around": {func(w *world) {
			w.insert(w.target, w.to, rowOf(-5))
			w.insert(w.target, w.to, rowOf(9999))
		}, "differing=0 missing=0 extra=2 flux=0 repaired=0", "extra -5, extra 9999"},
		"an extra row within": {func(w *world) {
			w.remove(w.source, w.from, 1400)
		}, "differing=0 missing=0 extra=1 flux=0 repaired=0", "extra 1400"},
		"many extra rows at the end": {func(w *world) {
			for i := 10001; i <= 13500; i++ {
				w.insert(w.target, w.to, rowOf(i))
			}
		}, "differing=0 missing=0 extra=3500 flux=0 repaired=0", "-"},
		"one of each": {func(w *world) {
			w.damage(1, set(3, "7"))
			w.remove(w.target, w.to, 2)
			w.remove(w.source, w.from, 3)
		}, "differing=1 missing=1 extra=1 flux=0 repaired=0", "differing 1, missing 2, extra 3"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, rows)
			c.damage(w)
			report := w.run()
			assert.Equal(t, c.counts, counts(report))
			if c.listed == "-" {
				assert.Len(t, report.Tables[0].Listed, 100)
			} else {
				assert.Equal(t, c.listed, listed(report))
			}
			assert.Equal(t, len(w.source.All(w.from)), int(report.Rows()))
			assert.Equal(t, c.listed == "", report.Clean())
			assert.NotEmpty(t, report.Position)
		})
	}
}

func TestNothingCompared(t *testing.T) {
	w := newWorld(t, 10)
	w.opts.Tables = func(schema.Name) bool { return false }
	_, err := w.verify().Run(t.Context())
	require.ErrorIs(t, err, verify.ErrNothingCompared)

	w = buildWorld(t, 10, true, "id > 1000")
	require.NoError(t, w.target.DDL(db.DDL{}, dbtest.TruncateTable(w.to)))
	report, err := w.verify().Run(t.Context())
	require.ErrorIs(t, err, verify.ErrNothingCompared)
	assert.NotNil(t, report)

	w = newWorld(t, 0)
	report = w.run()
	assert.True(t, report.Clean(), "an empty table is equal to an empty table")

	w.insert(w.target, w.to, rowOf(1))
	report = w.run()
	assert.Equal(t, "extra 1", listed(report))
}

func TestRowFilter(t *testing.T) {
	w := buildWorld(t, 1000, true, "flag = 1")
	for i := 2; i <= 1000; i += 2 {
		if i != 500 {
			w.remove(w.target, w.to, i)
		}
	}
	w.damage(11, func(row db.Row) { row[1] = []byte("x") })
	report := w.run()
	assert.Equal(t, "differing 11, extra 500", listed(report))
	assert.Equal(t, 500, int(report.Rows()))

	w.opts.Repair = true
	report = w.run()
	assert.True(t, report.Clean())
	assert.Equal(t, 2, int(report.Repaired()))
	assert.Len(t, w.target.All(w.to), 500)
}

func TestKeylessTable(t *testing.T) {
	w := buildWorld(t, 50, false, "")
	assert.True(t, w.run().Clean())
	require.NoError(t, w.target.Exec(func(tx *dbtest.Tx) error { return tx.Delete(w.to, rowOf(7)) }))
	twin := rowOf(9)
	twin[4] = nil
	for _, end := range []struct {
		server *dbtest.Server
		name   schema.Name
		times  int
	}{{w.source, w.from, 1}, {w.target, w.to, 3}} {
		for range end.times {
			w.insert(end.server, end.name, twin)
		}
	}
	report := w.run()
	assert.Equal(t, "differing=0 missing=1 extra=2 flux=0 repaired=0", counts(report))
	assert.Equal(t, 51, int(report.Rows()))
}

func TestTargetThatDoesNotKeepUp(t *testing.T) {
	w := newWorld(t, 100)
	stuck := w.head()
	w.change(w.source, w.from, 5, func(row db.Row) { row[1] = []byte("new") })
	w.opts.WaitTimeout = 50 * time.Millisecond
	w.opts.Applied = func(context.Context) (db.Position, error) { return stuck, nil }
	_, err := w.verify().Run(t.Context())
	require.ErrorIs(t, err, verify.ErrBehind)
	assert.ErrorContains(t, err, "mem:")
}

// TestLostConnections loses every kind of connection on both ends, more than once.
func TestLostConnections(t *testing.T) {
	w := newWorld(t, rows)
	w.follow()
	w.damage(1500, func(row db.Row) { row[1] = []byte("x") })
	var calls, next atomic.Int64
	lose := func(step string) error {
		lost := false
		switch step {
		case "rows.next":
			lost = next.Add(1)%3000 == 0
		case "bound", "sum", "rows", "fetch", "head", "safe_position", "stream", "repair", "repair.after":
			lost = calls.Add(1)%5 == 0
		}
		if lost {
			return fmt.Errorf("step %s: %w", step, db.ErrConnection)
		}
		return nil
	}
	w.source.OnStep(lose)
	w.target.OnStep(lose)
	w.opts.Repair = true
	report := w.run()
	assert.Equal(t, "differing 1500 repaired", listed(report))
	assert.Equal(t, rows, int(report.Rows()))
	w.assertEqual()
}

func TestCancelled(t *testing.T) {
	w := newWorld(t, rows)
	ctx, cancel := context.WithCancel(t.Context())
	w.source.OnStep(func(step string) error {
		if step == "sum" {
			cancel()
		}
		return nil
	})
	_, err := w.verify().Run(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestProgress(t *testing.T) {
	w := newWorld(t, rows)
	w.damage(9, func(row db.Row) { row[3] = []byte("5") })
	var last verify.Progress
	w.opts.Observe = func(p verify.Progress) { last = p }
	w.run()
	assert.Equal(t, verify.Progress{Table: w.from, Finished: true, Tables: 1, TablesDone: 1, Rows: rows, Differing: 1},
		last)
}
