package verify_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
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

// write has writers change rows at random until the returned function is called: insert, update, delete, flags set and
// cleared again, and one row that is rewritten all the time. Rows up to spared are left alone.
func (w *world) write(spared, upto int) (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var group sync.WaitGroup
	for seed := range 4 {
		random := rand.New(rand.NewPCG(1, uint64(seed)))
		group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := spared + 1 + random.IntN(upto-spared)
				err := w.source.Exec(func(tx *dbtest.Tx) error { return w.step(tx, random.IntN(4), id, n) })
				if err != nil && !strings.Contains(err.Error(), "duplicate key") &&
					!strings.Contains(err.Error(), "no row") {
					w.t.Errorf("write: %v", err) // those two: another writer was between our read and our write
				}
				time.Sleep(time.Duration(random.IntN(1000)) * time.Microsecond)
			}
		})
	}
	return func() { cancel(); group.Wait() }
}

func (w *world) step(tx *dbtest.Tx, what, id, n int) error {
	if what == 0 {
		id = w.hot()
	}
	row, err := tx.Get(w.from, key(id))
	switch {
	case err != nil:
		return err
	case row == nil:
		return tx.Insert(w.from, rowOf(id))
	case what == 1 && id != w.hot():
		return tx.Delete(w.from, key(id))
	case what == 2: // there and back again
		row[3] = strconv.AppendInt(nil, int64(1-int(row[3][0]-'0')), 10)
	default:
		row[1] = []byte("written " + strconv.Itoa(n))
	}
	return tx.Update(w.from, key(id), row)
}

func (w *world) hot() int { return 600 }

func TestNoFalseAlarmUnderLoad(t *testing.T) {
	w := newWorld(t, 800)
	w.follow()
	w.opts.ChunkRows = 250
	stop := w.write(0, 900)
	for range 3 {
		report := w.run()
		assert.True(t, report.Clean(), listed(report))
	}
	from := w.head()
	time.Sleep(20 * time.Millisecond)
	report, err := w.verify().Changed(t.Context(), from, "")
	require.NoError(t, err)
	assert.True(t, report.Clean(), listed(report))
	assert.Positive(t, report.Rows())
	stop()
	w.caughtUp()
	w.assertEqual()
}

func TestFindsUnderLoad(t *testing.T) {
	w := newWorld(t, 800)
	w.follow()
	w.opts.ChunkRows = 250
	stop := w.write(300, 900)
	w.damage(17, func(row db.Row) { row[3] = []byte("7") })
	w.remove(w.target, w.to, 18)
	w.insert(w.target, w.to, rowOf(-1))
	for range 3 {
		assert.Equal(t, "extra -1, differing 17, missing 18", wrong(w.run()))
	}
	w.opts.Repair = true
	report := w.run()
	assert.True(t, report.Clean(), listed(report))
	assert.Equal(t, int64(3), report.Repaired())
	stop()
	w.caughtUp()
	w.assertEqual()
}

// TestFlagSetAndCleared shows verify a row that is the same on the source before and after every look, while the target
// holds what it was in between.
func TestFlagSetAndCleared(t *testing.T) {
	w := newWorld(t, 20)
	w.follow()
	set := func(name string) {
		w.change(w.source, w.from, 4, func(row db.Row) { row[1] = []byte(name) })
		w.caughtUp()
	}
	w.damage(4, func(row db.Row) { row[1] = []byte("B") })
	w.source.OnStep(func(step string) error {
		if step == "fetch" {
			set("A")
		}
		return nil
	})
	w.target.OnStep(func(step string) error {
		if step == "fetch" {
			set("B")
		}
		return nil
	})
	report := w.run()
	assert.Equal(t, "in flux 4", listed(report))
	assert.True(t, report.Clean())
	assert.Equal(t, int64(1), report.InFlux())
}

// TestRewrittenMeanwhile has a wrong row rewritten, and applied, after its range was found unequal.
func TestRewrittenMeanwhile(t *testing.T) {
	w := newWorld(t, 20)
	w.follow()
	w.damage(4, func(row db.Row) { row[1] = []byte("wrong") })
	var once sync.Once
	w.target.OnStep(func(step string) error {
		if step == "sum" {
			once.Do(func() {
				w.change(w.source, w.from, 4, func(row db.Row) { row[1] = []byte("right") })
				w.caughtUp()
			})
		}
		return nil
	})
	assert.Empty(t, listed(w.run()), "the row was rewritten as a whole")
	w.assertEqual()
}

func TestRepair(t *testing.T) {
	w := newWorld(t, rows)
	w.opts.Repair = true
	for i := 100; i < 1400; i++ {
		w.damage(i, func(row db.Row) { row[1] = []byte("damaged") })
	}
	w.remove(w.target, w.to, 50)
	w.insert(w.target, w.to, rowOf(7777))
	report := w.run()
	assert.Equal(t, "differing=0 missing=0 extra=0 flux=0 repaired=1302", counts(report))
	assert.True(t, report.Clean())
	w.assertEqual()
	assert.Zero(t, w.run().Repaired())
}

// TestRepairUnique mends rows that hold one another's unique values.
func TestRepairUnique(t *testing.T) {
	w := newWorld(t, 600)
	w.opts.Repair = true
	require.NoError(t, w.target.Exec(func(tx *dbtest.Tx) error {
		for _, id := range []int{1, 2, 590} {
			if err := tx.Delete(w.to, key(id)); err != nil {
				return err
			}
		}
		for id, code := range map[int]int{1: 20, 2: 5900, 590: 10, 4000: 17} {
			row := rowOf(id)
			row[4] = strconv.AppendInt(nil, int64(code), 10)
			if err := tx.Insert(w.to, row); err != nil {
				return err
			}
		}
		return nil
	}))
	assert.True(t, w.run().Clean())
	w.assertEqual()
}

// TestRepairRace has a row changed, and the change applied, between the read and the write of a repair, which thereby
// undoes it and displaces the row that has taken over its unique value. The report must not come back before both are
// right.
func TestRepairRace(t *testing.T) {
	w := newWorld(t, 450) // one range, which is compared before it is mended
	w.follow()
	w.opts.Repair = true
	w.damage(5, func(row db.Row) { row[1] = []byte("damaged") })
	var once sync.Once
	w.target.OnStep(func(step string) error {
		if step == "repair" {
			once.Do(func() {
				require.NoError(t, w.source.Exec(func(tx *dbtest.Tx) error {
					for _, c := range []struct{ id, code int }{{5, 99999}, {400, 50}} {
						row := rowOf(c.id)
						row[4] = strconv.AppendInt(nil, int64(c.code), 10)
						if err := tx.Update(w.from, key(c.id), row); err != nil {
							return err
						}
					}
					return nil
				}))
				w.caughtUp()
			})
		}
		return nil
	})
	report := w.run()
	assert.True(t, report.Clean(), listed(report))
	w.caughtUp()
	w.assertEqual()
}

func TestRepairThatDoesNotHelp(t *testing.T) {
	w := newWorld(t, 600)
	w.opts.Repair = true
	w.damage(5, func(row db.Row) { row[1] = []byte("damaged") })
	w.right = stubborn{w.right}
	report := w.run()
	assert.Equal(t, "differing 5", listed(report))
	assert.False(t, report.Clean())
}

type stubborn struct{ db.Target }

func (stubborn) Repair(context.Context, *db.Batch) error { return nil }

func TestChanged(t *testing.T) {
	w := newWorld(t, 5000)
	w.follow()
	from := w.head()
	w.damage(4000, func(row db.Row) { row[1] = []byte("not changed since, so not looked at") })
	require.NoError(t, w.source.Exec(func(tx *dbtest.Tx) error {
		for i := 1; i <= 2600; i++ {
			row := rowOf(i)
			row[1] = []byte("changed")
			if err := tx.Update(w.from, key(i), row); err != nil {
				return err
			}
		}
		if err := tx.Update(w.from, key(3000), append(key(6000), rowOf(3000)[1:]...)); err != nil {
			return err
		}
		return tx.Delete(w.from, key(3001))
	}))
	w.caughtUp()
	to := w.head()
	report, err := w.verify().Changed(t.Context(), from, to)
	require.NoError(t, err)
	assert.True(t, report.Clean(), listed(report))
	assert.Equal(t, to, report.Position)
	assert.Equal(t, 2603, int(report.Rows()))

	w.damage(2600, func(row db.Row) { row[1] = []byte("x") })
	for _, id := range []int{3000, 3001} { // the key that a row had, and a row that is gone
		row := rowOf(id)
		row[4] = nil
		w.insert(w.target, w.to, row)
	}
	w.remove(w.target, w.to, 1)
	report, err = w.verify().Changed(t.Context(), from, to)
	require.NoError(t, err)
	assert.Equal(t, "missing 1, differing 2600, extra 3000, extra 3001", listed(report))

	w.opts.Repair = true
	report, err = w.verify().Changed(t.Context(), from, to)
	require.NoError(t, err)
	assert.True(t, report.Clean())
	w.damage(4000, func(row db.Row) { copy(row, rowOf(4000)) })
	w.assertEqual()
}

// TestWaitsForTarget: a row is looked at only when the target has reached what the report is about; else it might be
// equal by chance, before changes that are applied wrongly.
func TestWaitsForTarget(t *testing.T) {
	w := newWorld(t, 10)
	from := w.head()
	w.change(w.source, w.from, 5, func(row db.Row) { row[1] = []byte("new") })
	to := w.head()
	var behind atomic.Bool
	w.opts.Applied = func(context.Context) (db.Position, error) {
		if behind.CompareAndSwap(true, false) {
			return from, nil
		}
		return to, nil
	}
	w.target.OnStep(func(step string) error {
		assert.False(t, behind.Load(), step)
		return nil
	})
	behind.Store(true)
	report, err := w.verify().Changed(t.Context(), from, to)
	require.NoError(t, err)
	assert.Equal(t, "differing 5", listed(report))
	behind.Store(true)
	assert.Equal(t, "differing 5", listed(w.run()))
}

func TestChangedSurvivesDisconnects(t *testing.T) {
	w := newWorld(t, 3000)
	from := w.head()
	for i := 1; i <= 3000; i++ {
		row := rowOf(i)
		row[1] = []byte("changed")
		for server, name := range map[*dbtest.Server]schema.Name{w.source: w.from, w.target: w.to} {
			require.NoError(t, server.Exec(func(tx *dbtest.Tx) error { return tx.Update(name, key(i), row) }))
		}
	}
	var calls atomic.Int64
	w.source.OnStep(func(step string) error {
		if step == "stream.next" && calls.Add(1)%100 == 0 {
			w.source.Disconnect()
		}
		return nil
	})
	report, err := w.verify().Changed(t.Context(), from, "")
	require.NoError(t, err)
	assert.True(t, report.Clean())
	assert.Equal(t, 3000, int(report.Rows()))
}

func TestChangedStopsAtSchemaChange(t *testing.T) {
	w := newWorld(t, 10)
	from := w.head()
	require.NoError(t, w.source.DDL(db.DDL{Statement: "TRUNCATE items"}, dbtest.TruncateTable(w.from)))
	_, err := w.verify().Changed(t.Context(), from, "")
	require.ErrorIs(t, err, verify.ErrSchemaChange)
	require.ErrorContains(t, err, "TRUNCATE items")

	require.NoError(t, w.source.Truncate(w.head()))
	_, err = w.verify().Changed(t.Context(), from, "")
	require.ErrorIs(t, err, db.ErrPositionGone)
}
