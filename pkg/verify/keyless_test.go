package verify_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
)

// keylessWorld is a table without a key and without unique indexes, with an applier at work.
func keylessWorld(t *testing.T, n int) *world {
	t.Helper()
	w := buildWorld(t, n, false, "")
	w.follow()
	return w
}

// bag returns row i of a table without a key; the unique column stays empty, so that there may be several.
func bag(i int) db.Row {
	row := rowOf(i)
	row[4] = nil
	return row
}

// shake inserts, rewrites and removes rows without a key until the returned function is called. Rows above the ids
// that it uses are left alone.
func (w *world) shake() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var group sync.WaitGroup
	for seed := range 3 {
		random := rand.New(rand.NewPCG(7, uint64(seed)))
		group.Go(func() {
			for ctx.Err() == nil {
				row := bag(1 + random.IntN(30))
				err := w.source.Exec(func(tx *dbtest.Tx) error {
					if random.IntN(2) == 0 {
						return tx.Insert(w.from, row)
					}
					if err := tx.Insert(w.from, bag(31+random.IntN(5))); err != nil {
						return err
					}
					if err := tx.Delete(w.from, row); err != nil && !strings.Contains(err.Error(), "no row") {
						return err
					}
					return nil
				})
				assert.NoError(w.t, err)          //nolint:testifylint // not the test's own goroutine
				time.Sleep(10 * time.Millisecond) // the table in memory is slow to find a row of
			}
		})
	}
	return func() { cancel(); group.Wait() }
}

func (w *world) assertSameBag() {
	w.t.Helper()
	sorted := func(rows []db.Row) []string {
		var out []string
		for _, row := range rows {
			out = append(out, fmt.Sprintf("%q", row))
		}
		slices.Sort(out)
		return out
	}
	assert.Equal(w.t, sorted(w.source.All(w.from)), sorted(w.target.All(w.to)))
}

// TestKeylessUnderLoad: the table never rests, and is compared exactly all the same.
func TestKeylessUnderLoad(t *testing.T) {
	w := keylessWorld(t, 200)
	stop := w.shake()
	for range 5 {
		report := w.run()
		assert.True(t, report.Clean(), listed(report))
	}
	lost := bag(1001)
	w.insert(w.target, w.to, lost)
	w.insert(w.target, w.to, lost)
	require.NoError(t, w.target.Exec(func(tx *dbtest.Tx) error { return tx.Delete(w.to, rowOf(150)) }))
	want := "extra (1001, 'Name 1001', '2024-03-22 10:00:00', 1, NULL), missing (150, NULL, '2024-03-11 10:00:00', " +
		"0, 1500)"
	wrong := func() string {
		report := w.run()
		assert.Equal(t, "differing=0 missing=1 extra=2 flux=0 repaired=0", counts(report))
		list := strings.Split(strings.ReplaceAll(listed(report), "), ", ")\n"), "\n")
		slices.Sort(list)
		return strings.Join(list, ", ")
	}
	for _, most := range []int{0, 1, 100} { // counted at once, or in buckets
		w.opts.MaxCount = most
		assert.Equal(t, want, wrong())
	}
	w.opts.Repair = true
	report := w.run()
	assert.Equal(t, "differing=0 missing=0 extra=0 flux=0 repaired=3", counts(report))
	stop()
	w.caughtUp()
	w.assertSameBag()
}

// TestKeylessRepairOnce loses the answers of repairs that were made, and lets another repair come in between: what is
// repaired must be repaired once.
func TestKeylessRepairOnce(t *testing.T) {
	w := keylessWorld(t, 50)
	stop := w.shake()
	for i := range 1500 {
		w.insert(w.target, w.to, bag(2000+i/3))
	}
	require.NoError(t, w.target.Exec(func(tx *dbtest.Tx) error { return tx.Delete(w.to, rowOf(40)) }))
	var lost, between atomic.Int64
	w.target.OnStep(func(step string) error {
		if step == "repair.after" && lost.Add(1)%2 == 1 {
			return fmt.Errorf("the answer is lost: %w", db.ErrConnection)
		}
		if step == "repair" && between.Add(1) == 3 { // somebody else mends the same
			ticket, err := w.right.Ledger().Get(t.Context(), db.FactRepairs)
			require.NoError(t, err)
			extra := &db.Batch{
				Tables: []db.TableBatch{{Route: w.routes[0], Upserts: []db.Row{rowOf(40)}}},
				Ticket: ticket,
			}
			_ = w.right.Repair(t.Context(), extra)
		}
		return nil
	})
	w.opts.Repair = true
	report := w.run()
	assert.True(t, report.Clean(), counts(report))
	w.target.OnStep(nil)
	stop()
	w.caughtUp()
	w.assertSameBag()
}
