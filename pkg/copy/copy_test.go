package copy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/copy"
	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

func TestCopy(t *testing.T) {
	for i, workers := range []int{1, 2, 16, 1, 2, 16} {
		for _, rows := range []int{1, 7, 1000} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorldWith(t, 60, i >= 3)
				w.opts.Workers, w.opts.ChunkRows = workers, rows
				w.source.OnStep(writeFirst)
				stop := w.write(2, 80)
				require.NoError(t, w.run(t.Context()))
				stop()
				w.follow()
				w.equal()
				for _, r := range w.routes {
					w.whole(r.Source.Name())
				}
				assert.Equal(t, []string{"copy", "replay", "index"}, w.seen.steps)
				assert.ElementsMatch(t, []string{
					"items copied", "pairs copied", "nothing copied", "notes copied", "items indexed", "pairs indexed",
					"nothing indexed", "notes indexed",
				}, w.seen.tables)
				assert.Equal(t, w.fact(db.FactStart), w.seen.start.String())
				assert.Equal(t, w.fact(db.FactConsistent), w.seen.upto.String())
			})
		}
	}
}

func TestEmptyTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		require.NoError(t, w.run(t.Context()))
		w.equal()
		for _, r := range w.routes {
			w.whole(r.Source.Name())
			chunks, _ := w.chunks(r.Source.Name())
			assert.Len(t, chunks, 1)
		}
		assert.Equal(t, map[schema.Name]int{items: 1, pairs: 1, nothing: 1, notes: 1}, w.seen.chunks)
	})
}

// TestEmptyTableFills fills a table between the cutting of its only chunk and its copy.
func TestEmptyTableFills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		var one sync.Mutex // several tables are loaded at a time
		w.target.OnStep(func(step string) error {
			if step == "load" {
				one.Lock()
				defer one.Unlock()
				return w.source.Exec(func(tx *dbtest.Tx) error {
					return put(tx, items, dbtest.Values(1), dbtest.Values(1, "late", 1), false)
				})
			}
			return nil
		})
		require.NoError(t, w.run(t.Context()))
		w.target.OnStep(nil)
		w.equal()
		assert.Len(t, w.target.All(w.routes[0].Target.Name()), 1)
	})
}

// loads notes which chunks are loaded, and how often.
type loads struct {
	db.Target
	mu   sync.Mutex
	done map[string]int
}

func (l *loads) Load(ctx context.Context, from db.RowReader, r *route.Route, c db.Chunk) (db.Loaded, error) {
	loaded, err := l.Target.Load(ctx, from, r, c)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.done[fmt.Sprintf("%s[%d]", r.Source.Name(), c.Number)]++
	}
	return loaded, err
}

// writeFirst lets some changes come between the start of the copy and a snapshot, and others after it.
func writeFirst(step string) error {
	if step == "snapshot" || step == "rows" {
		time.Sleep(3 * time.Millisecond)
	}
	return nil
}

// TestKilledAtEveryStep lets a run die at the k-th step of every name, for every k until a run has fewer of them, and
// the next one finish. Sometimes the second run dies too.
func TestKilledAtEveryStep(t *testing.T) {
	for _, step := range []string{
		"safe_position", "head", "bound", "snapshot", "rows", "rows.next", "stream", "stream.next", "ledger.get",
		"ledger.put", "ledger.put.after", "ledger.begin", "ledger.begin.after",
		"ledger.chunks", "ledger.plan", "ledger.plan.after", "load", "load.rows", "load.commit", "load.commit.after",
		"applier", "apply",
		"commit.before", "commit.after", "tables", "execute", "execute.after",
	} {
		k := 1
		for died := true; died; k++ {
			synctest.Test(t, func(t *testing.T) { died = killedAt(t, step, k, false) })
			require.False(t, t.Failed(), "killed at %s, time %d", step, k)
		}
		if step != "execute.after" { // which a run gets over: what is there is there
			assert.Greater(t, k, 2, "no run died at %s", step)
		}
	}
}

// TestSmallTables plans small tables together, without a look for bounds, and is killed on the way like any other copy.
func TestSmallTables(t *testing.T) {
	for _, step := range []string{
		"ledger.plan", "ledger.plan.after", "load", "load.rows", "load.commit",
		"load.commit.after", "ledger.chunks",
	} {
		for k := range 5 {
			synctest.Test(t, func(t *testing.T) { killedAt(t, step, k+1, true) })
			require.False(t, t.Failed(), "killed at %s, time %d", step, k+1)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 25)
		w.small()
		w.source.OnStep(func(step string) error {
			assert.NotEqual(t, "bound", step)
			return nil
		})
		plans := 0
		w.target.OnStep(func(step string) error {
			if step == "ledger.plan" {
				plans++
			}
			return nil
		})
		require.NoError(t, w.run(t.Context()))
		assert.Equal(t, 2, plans, "one for all small tables, one for the table without a key")
		w.follow()
		w.equal()
	})
}

// small has the tables be known as small.
func (w *world) small() {
	w.opts.ChunkRows = 0
	for _, r := range w.routes {
		r.Source.Table.Bytes, r.Source.Table.Rows = 16<<10, 25
	}
}

func killedAt(t *testing.T, step string, k int, small bool) (died bool) {
	w := newWorldWith(t, 25, k%2 == 0)
	if small {
		w.small()
	}
	l := &loads{Target: w.right, done: map[string]int{}}
	w.right = l
	stop := w.write(2, 30)
	w.noUniqueBeforeConsistent()
	killed, start := errors.New("killed"), ""
	var read atomic.Bool
	run := func(k int) error {
		d := &death{name: step, k: k, fatal: killed}
		w.source.OnStep(func(step string) error {
			if step == "rows" {
				read.Store(true)
			}
			return errors.Join(writeFirst(step), d.step(step))
		})
		w.target.OnStep(func(step string) error {
			if step == "load" {
				time.Sleep(3 * time.Millisecond) // for something to be written meanwhile
			}
			return d.step(step)
		})
		err := w.run(t.Context())
		w.source.OnStep(nil)
		w.target.OnStep(nil)
		w.source.Disconnect()
		w.target.Disconnect()
		if read.Load() && start != "" {
			assert.Equal(t, start, w.fact(db.FactStart), "the start moved although rows were read")
		}
		start = w.fact(db.FactStart)
		return err
	}
	if err := run(k); err != nil {
		require.ErrorIs(t, err, killed)
		died = true
	}
	if k%5 == 0 {
		_ = run(k/2 + 1) // it may get through
	}
	require.NoError(t, run(0))
	stop()
	w.follow()
	w.equal()
	for chunk, times := range l.done {
		assert.Equal(t, 1, times, "chunk %s was loaded again", chunk)
	}
	for _, r := range w.routes {
		w.whole(r.Source.Name())
	}
	return died
}

// noUniqueBeforeConsistent asserts at every statement that indexes come after the replay.
func (w *world) noUniqueBeforeConsistent() {
	w.right = &statements{Target: w.right, before: func(statement string) {
		if strings.HasPrefix(statement, "add indexes") {
			w.seen.mu.Lock()
			defer w.seen.mu.Unlock()
			assert.NotEmpty(w.t, w.seen.upto, "indexes before the target is consistent")
		}
	}}
}

// statements tells of every statement before it is executed.
type statements struct {
	db.Target
	before func(statement string)
}

func (s *statements) Execute(ctx context.Context, statement string) error {
	s.before(statement)
	return s.Target.Execute(ctx, statement)
}

// TestUniqueValueMoves copies a row, moves its unique value to one that is copied later, and the other way round:
// without the unique index the target holds two rows with one value for a while, with it one of them gives way.
func TestUniqueValueMoves(t *testing.T) {
	for _, present := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorldWith(t, 20, present)
			w.opts.Workers, w.opts.ChunkRows = 1, 5
			twice, loaded := false, 0
			w.target.OnStep(func(step string) error {
				codes := map[string]bool{}
				for _, row := range w.target.All(w.routes[0].Target.Name()) {
					twice = twice || codes[string(row[2])]
					codes[string(row[2])] = true
				}
				if step != "load.commit.after" {
					return nil
				}
				loaded++
				return w.source.Exec(func(tx *dbtest.Tx) error { return swap(tx, loaded%20, 19-loaded%20) })
			})
			require.NoError(t, w.run(t.Context()))
			w.target.OnStep(nil)
			w.follow()
			w.equal()
			assert.Equal(t, !present, twice, "two rows with one value")
			assert.Equal(t, present, w.seen.displaced > 0, "rows that gave way: %d", w.seen.displaced)
		})
	}
}

// TestRowsInTheWay refuses to begin with a table that holds rows.
func TestRowsInTheWay(t *testing.T) {
	w := newWorld(t, 5)
	for _, table := range []schema.Name{items, nothing} {
		require.NoError(t, w.target.Exec(func(tx *dbtest.Tx) error {
			return tx.Insert(schema.Name{Database: "new", Table: table.Table}, dbtest.Values(99, "foreign", nil))
		}))
	}
	err := w.run(t.Context())
	require.ErrorIs(t, err, db.ErrUnsupported)
	require.ErrorContains(t, err, "table new.items on the target has rows that this move did not bring")
	require.ErrorContains(t, err, "table new.nothing on the target has rows")
	assert.Empty(t, w.fact(db.FactStart))
	assert.Len(t, w.target.All(schema.Name{Database: "new", Table: "items"}), 1)
}

// TestResume leaves chunks that are planned only, done out of order, and not yet cut.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 100)
		boom := errors.New("boom")
		var n atomic.Int32
		w.target.OnStep(func(step string) error {
			if step == "load.commit" {
				if n.Add(1)%3 == 0 {
					time.Sleep(time.Second)
					return boom
				}
			}
			return nil
		})
		require.ErrorIs(t, w.run(t.Context()), boom)
		w.target.OnStep(nil)
		chunks, done := w.chunks(items)
		more, doneMore := w.chunks(pairs)
		assert.Less(t, done+doneMore, len(chunks)+len(more), "some are planned only")
		w.opts.ChunkRows = 3 // what was recorded keeps its bounds
		l := &loads{Target: w.right, done: map[string]int{}}
		w.right, w.seen = l, &observer{}
		w.opts.Observe = w.seen
		require.NoError(t, w.run(t.Context()))
		again, _ := w.chunks(items)
		for i := range chunks {
			assert.Equal(t, chunks[i].Range, again[i].Range)
			if chunks[i].Done {
				assert.Zero(t, l.done[fmt.Sprintf("%s[%d]", items, i)])
			}
		}
		w.equal()
		assert.Len(t, again, w.seen.chunks[items], "the observer is told of those of the run before")
		assert.Equal(t, int64(100), w.seen.rows[items])
	})
}

// TestLostPlan loses the answer of recording a chunk while rows come and go: the bounds that count are those recorded.
func TestLostPlan(t *testing.T) {
	for seed := range 4 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 60)
			w.opts.Workers, w.opts.ChunkRows = 1, 5
			boom, n := errors.New("boom"), 0
			w.target.OnStep(func(step string) error {
				switch step {
				case "ledger.plan.after":
					if n++; n%2 == 0 { // rows before the bound go, so that five rows reach further
						id := 5*n + seed
						return errors.Join(db.ErrConnection, w.source.Exec(func(tx *dbtest.Tx) error {
							return errors.Join(tx.Delete(items, dbtest.Values((id-8)%60)),
								tx.Insert(items, dbtest.Values(1000+n, "x", nil)))
						}))
					}
				case "load.commit.after":
					if n > 6 {
						return boom
					}
				}
				return nil
			})
			err := w.run(t.Context())
			for range 60 {
				if err == nil {
					break
				}
				require.ErrorIs(t, err, boom)
				err = w.run(t.Context())
			}
			require.NoError(t, err)
			w.follow()
			w.equal()
			w.whole(items)
		})
	}
}

// TestLostCommit loses the answer of every second commit of a chunk: the next try finds it done.
func TestLostCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 100)
		var n atomic.Int32
		w.target.OnStep(func(step string) error {
			if step == "load.commit.after" {
				if n.Add(1)%2 == 0 {
					return db.ErrConnection
				}
			}
			return nil
		})
		require.NoError(t, w.run(t.Context()))
		w.equal()
		w.whole(items)
	})
}

// TestFaults has every call fail now and then. One worker: whoever waits for a lock stops synctest's clock.
func TestFaults(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 40)
			stop := w.write(2, 50)
			w.opts.Workers, w.replay.BatchRows = 1, 3
			w.left = dbtest.FaultySource(w.left, dbtest.Often(25, seed, db.ErrConnection))
			w.right = dbtest.Faulty(w.right, dbtest.Often(25, seed, db.ErrConnection, db.ErrRetry))
			w.persist()
			stop()
			w.follow()
			w.right = w.target.Target("move")
			w.equal()
			w.whole(items)
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestFaultsOfMany has several workers of one table meet a few faults, in real time.
func TestFaultsOfMany(t *testing.T) {
	w := newWorld(t, 150)
	stop := w.write(2, 200)
	w.opts.Workers, w.opts.ChunkRows = 6, 4
	w.right = dbtest.Faulty(w.right, dbtest.Any(
		dbtest.Nth("ledger.plan.after", 5, db.ErrConnection), dbtest.Nth("load", 7, db.ErrRetry),
		dbtest.Nth("load.after", 20, db.ErrConnection), dbtest.Nth("ledger.plan", 30, db.ErrConnection),
	))
	w.left = dbtest.FaultySource(w.left, dbtest.Any(dbtest.Nth("bound", 11, db.ErrConnection), dbtest.Nth("rows.next",
		60, db.ErrConnection)))
	w.persist()
	stop()
	w.follow()
	w.equal()
	w.whole(items)
	w.whole(pairs)
}

// persist runs until it is through.
func (w *world) persist() {
	w.t.Helper()
	for tries := 0; ; tries++ {
		err := w.run(w.t.Context())
		if err == nil {
			return
		}
		require.True(w.t, errors.Is(err, db.ErrConnection) || errors.Is(err, db.ErrRetry), "%v", err)
		require.Less(w.t, tries, 100)
	}
}

func TestRetryFor(t *testing.T) {
	for _, step := range []string{"load", "bound", "ledger.plan", "head", "execute"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 20)
			w.opts.RetryFor = time.Minute
			fail := func(asked string) error {
				if asked == step {
					return db.ErrConnection
				}
				return nil
			}
			w.source.OnStep(fail)
			w.target.OnStep(fail)
			began := time.Now()
			err := w.run(t.Context())
			require.ErrorIs(t, err, db.ErrConnection, step)
			require.ErrorContains(t, err, "no progress for 1m0s", step)
			assert.InDelta(t, 67, time.Since(began).Seconds(), 10, step)
		})
	}
}

// TestLongStatement loses the connection of a statement that took longer than RetryFor: that alone is no reason to
// give up.
func TestLongStatement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		w.opts.RetryFor, w.opts.Workers = time.Minute, 1
		var n atomic.Int32
		w.target.OnStep(func(step string) error {
			if step == "execute" || step == "load.commit" {
				if n.Add(1)%2 == 1 {
					time.Sleep(2 * time.Minute)
					return db.ErrConnection
				}
			}
			return nil
		})
		require.NoError(t, w.run(t.Context()))
		w.equal()
	})
}

func TestIndexAnswerLost(t *testing.T) {
	for _, lost := range []error{db.ErrConnection, errors.New("query was killed")} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 20)
			w.target.OnStep(func(step string) error {
				if step == "execute.after" {
					return lost
				}
				return nil
			})
			require.NoError(t, w.run(t.Context()), "what is there is there")
			w.equal()
		})
	}
}

func TestIndexThatCannotBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		boom := errors.New("disk full")
		w.target.OnStep(func(step string) error {
			if step == "execute" {
				return boom
			}
			return nil
		})
		err := w.run(t.Context())
		require.ErrorIs(t, err, boom)
		require.ErrorContains(t, err, "build indexes of new.items")
	})
}

func TestTableIsNotAsPlanned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		done := false
		w.target.OnStep(func(step string) error {
			if step == "execute.after" && !done {
				done = true
				changed := *w.table(w.routes[2].Target.Name())
				changed.Indexes = append(changed.Indexes, schema.Index{
					Name:  "i_other",
					Parts: []schema.Part{{Column: "name"}},
				})
				return w.target.DDL(db.DDL{}, dbtest.ReplaceTable(&changed))
			}
			return nil
		})
		err := w.run(t.Context())
		require.ErrorIs(t, err, db.ErrUnsupported)
		require.ErrorContains(t, err, "new.nothing")
		require.ErrorContains(t, err, "i_other")
	})
}

func TestTableIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.target.OnStep(func(step string) error {
			if step == "tables" && w.seen.upto != "" {
				w.target.OnStep(nil)
				return w.target.DDL(db.DDL{}, dbtest.DropTable(w.routes[2].Target.Name()))
			}
			return nil
		})
		require.ErrorContains(t, w.run(t.Context()), "table new.nothing: it is not on the target; run init-schema")
	})
}

func TestPositionGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 50)
		boom := errors.New("boom")
		w.target.OnStep(dbtest.Nth("load.commit", 4, boom))
		require.ErrorIs(t, w.run(t.Context()), boom)
		require.NoError(t, w.source.Exec(func(tx *dbtest.Tx) error { return tx.Delete(items, dbtest.Values(3)) }))
		head, err := w.left.Head(t.Context())
		require.NoError(t, err)
		require.NoError(t, w.source.Truncate(head))
		_, done := w.chunks(items)
		err = w.run(t.Context())
		require.ErrorIs(t, err, db.ErrPositionGone)
		require.ErrorContains(t, err, w.fact(db.FactStart))
		_, after := w.chunks(items)
		assert.Equal(t, done, after, "nothing is copied in vain")
	})
}

// TestPositionGoneMeanwhile purges the log while a chunk takes its time.
func TestPositionGoneMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 50)
		w.target.OnStep(func(step string) error {
			if step != "load" {
				return nil
			}
			if err := w.source.Exec(func(tx *dbtest.Tx) error {
				return put(tx, nothing, dbtest.Values(1), dbtest.Values(1, "x", nil), true)
			}); err != nil {
				return err
			}
			head, err := w.source.Source().Head(context.WithoutCancel(t.Context()))
			time.Sleep(time.Minute)
			return errors.Join(err, w.source.Truncate(head))
		})
		began := time.Now()
		require.ErrorIs(t, w.run(t.Context()), db.ErrPositionGone)
		assert.Less(t, time.Since(began), 5*time.Minute, "it does not copy to the end first")
	})
}

func TestRetentionWarning(t *testing.T) {
	for _, c := range []struct {
		retention, each time.Duration
		warnings        int
	}{
		{time.Hour, 10 * time.Minute, 1},
		{time.Hour, time.Second, 0},
		{0, time.Hour, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 50)
			var log bytes.Buffer
			w.opts.Log, w.opts.Workers = zerolog.New(&log), 1
			w.source.Retain(c.retention)
			w.target.OnStep(func(step string) error {
				if step == "load" {
					time.Sleep(c.each)
				}
				return nil
			})
			require.NoError(t, w.run(t.Context()))
			assert.Equal(t, c.warnings, strings.Count(log.String(), "may purge its log"), log.String())
		})
	}
}

func TestSealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		require.NoError(t, w.run(t.Context()))
		_, err := w.right.Ledger().Seal(t.Context(), "over")
		require.NoError(t, err)
		require.ErrorIs(t, w.run(t.Context()), db.ErrSealed)
	})
}

// TestConsistentAlready finds the rows copied and replayed: only what is built in the end is done again.
func TestConsistentAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		boom := errors.New("boom")
		w.target.OnStep(dbtest.Nth("execute", 1, boom))
		require.ErrorIs(t, w.run(t.Context()), boom)
		consistent := w.fact(db.FactConsistent)
		require.NotEmpty(t, consistent)
		require.NoError(t, w.source.Exec(func(tx *dbtest.Tx) error { return tx.Delete(items, dbtest.Values(3)) }))
		w.seen = &observer{}
		w.opts.Observe = w.seen
		var calls []string
		note := func(step string) error {
			calls = append(calls, step)
			return nil
		}
		w.source.OnStep(note)
		w.target.OnStep(note)
		require.NoError(t, w.run(t.Context()))
		w.source.OnStep(nil)
		w.target.OnStep(nil)
		assert.Equal(t, []string{"index"}, w.seen.steps)
		for _, step := range []string{"load", "rows", "bound", "applier", "stream", "head"} {
			assert.NotContains(t, calls, step)
		}
		assert.Equal(t, consistent, w.fact(db.FactConsistent))
		assert.Len(t, w.target.All(w.routes[0].Target.Name()), 20, "no change is applied by the index step")
		w.follow()
		w.equal()
	})
}

func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 50)
		cause := errors.New("the operator has left")
		ctx, cancel := context.WithCancelCause(t.Context())
		var n atomic.Int32
		w.target.OnStep(func(step string) error {
			if step == "load.rows" {
				if n.Add(1) == 25 {
					cancel(cause)
				}
			}
			return nil
		})
		require.ErrorIs(t, w.run(ctx), cause)
		w.target.OnStep(nil)
		require.NoError(t, w.run(t.Context()))
		w.equal()
	})
}

// TestForeignKeys come last, when every parent is there.
func TestForeignKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		require.NoError(t, w.source.Exec(func(tx *dbtest.Tx) error {
			for id := range 30 {
				if err := tx.Insert(nothing, dbtest.Values(id, "parent", nil)); err != nil {
					return err
				}
				if err := tx.Insert(items, dbtest.Values(id, "child", 29-id)); err != nil {
					return err
				}
			}
			return nil
		}))
		rename := func(n schema.Name) schema.Name { return schema.Name{Database: "new", Table: n.Table} }
		mapped, _, err := w.right.Dialect().Map(definition(items), rename(items), rename)
		require.NoError(t, err)
		w.routes[0].Target.Table.ForeignKeys = mapped.ForeignKeys
		var order []string
		w.right = &statements{Target: w.right, before: func(s string) {
			order = append(order, s[:strings.IndexByte(s, '{')])
		}}
		require.NoError(t, w.run(t.Context()))
		want := []string{"add indexes ", "add foreign keys "}
		if w.right.Dialect().Analyze(items) != "" {
			want = append(want, "analyze ") // a server that counts what it has when it is asked, with all rows there
		}
		assert.Equal(t, want, slices.Compact(order))
		w.equal()
	})
}

// TestLearning has chunks take their time by their rows: sizes follow, within bounds.
func TestLearning(t *testing.T) {
	for name, c := range map[string]struct {
		perRow    time.Duration
		bytes     int64
		low, high int // rows of the later chunks
	}{
		"slow rows":   {100 * time.Millisecond, 1 << 30, 500, 500},
		"by time":     {4 * time.Millisecond, 1 << 30, 900, 1100},
		"by bytes":    {0, 100_000, 500, 2200},
		"no limit":    {0, 1 << 40, 5000, 200_000},
		"tiny chunks": {0, 1, 500, 500},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 0)
			require.NoError(t, w.source.Exec(func(tx *dbtest.Tx) error {
				for id := range 12_000 {
					if err := tx.Insert(nothing, dbtest.Values(id, strings.Repeat("x", 40)+strconv.Itoa(id),
						nil)); err != nil {
						return err
					}
				}
				return nil
			}))
			w.opts.ChunkRows, w.opts.ChunkBytes, w.opts.Workers = 0, c.bytes, 1
			w.source.OnStep(func(step string) error {
				if step == "rows.next" && c.perRow > 0 {
					time.Sleep(c.perRow)
				}
				return nil
			})
			require.NoError(t, w.run(t.Context()))
			w.equal()
			chunks, _ := w.chunks(nothing)
			var sizes []int
			for _, chunk := range chunks[:len(chunks)-1] {
				sizes = append(sizes, int(chunk.Rows))
				assert.GreaterOrEqual(t, chunk.Rows, int64(500), name)
			}
			for i := 2; i < len(sizes); i++ {
				assert.True(t, sizes[i] >= c.low && sizes[i] <= c.high, "%s: %v", name, sizes)
				assert.LessOrEqual(t, sizes[i], 2*max(sizes[i-1], sizes[i-2]), "%s: it grows step by step: %v", name,
					sizes)
			}
		})
	}
}

func TestReplayerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		boom := errors.New("boom")
		err := copy.New(w.left, w.right, w.routes, failing{boom}, copy.Options{}).Run(t.Context())
		require.ErrorIs(t, err, boom)
		assert.Empty(t, w.fact(db.FactConsistent))
	})
}

type failing struct{ err error }

func (f failing) ReplayTo(context.Context, db.Position) error { return f.err }
