package replicate_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/route"
)

// TestExactlyOnce breaks connections, loses answers and cuts everybody off while several writers write, and looks at
// every step whether the target shows a state that the source had.
func TestExactlyOnce(t *testing.T) {
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.watch()
			random := rand.New(rand.NewPCG(seed, 1))
			w.opts.BatchRows, w.opts.BatchAge = 1+random.IntN(30), 20*time.Millisecond
			n := 5 + random.IntN(40)
			w.left = dbtest.FaultySource(w.source.Source(), dbtest.Often(n, seed, db.ErrConnection))
			w.right = dbtest.Faulty(w.target.Target("move"), dbtest.Often(n, seed+1, db.ErrConnection, db.ErrRetry))

			ctx, cancel := context.WithCancelCause(t.Context())
			done := errors.New("done")
			var writers, group sync.WaitGroup
			for i := range 3 {
				writers.Go(func() { w.write(rand.New(rand.NewPCG(seed, uint64(100+i))), 120) })
			}
			r := w.replicator()
			group.Go(func() { assert.ErrorIs(t, r.Run(ctx), done) })
			group.Go(func() {
				for ctx.Err() == nil {
					time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
					[]*dbtest.Server{w.source, w.target}[random.IntN(2)].Disconnect()
				}
			})
			writers.Wait()
			cancel(done)
			group.Wait()
			w.left, w.right = w.source.Source(), w.target.Target("move")
			require.NoError(t, w.replicator().ReplayTo(t.Context(), w.head()), "seed %d", seed)
			w.equal()
			w.onlyStates()
			assert.Equal(t, w.head(), w.at())
			assert.Greater(t, len(w.looks), 5, "seed %d looked too rarely", seed)
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestLostCommit loses the answer of every third commit, and the commit itself of others.
func TestLostCommit(t *testing.T) {
	for _, step := range []string{"commit.before", "commit.after"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			commits, lost := 0, map[db.Position]int{}
			w.target.OnStep(func(asked string) error {
				if asked != step {
					return nil
				}
				if commits++; commits%3 != 0 {
					return nil
				}
				lost[w.at()]++
				return db.ErrConnection
			})
			w.opts.BatchRows = 3
			w.insert(1, 60)
			require.NoError(t, w.replicator().ReplayTo(t.Context(), w.head()))
			w.equal()
			assert.GreaterOrEqual(t, len(lost), 5, step)
			if step == "commit.after" {
				var total int64
				for _, p := range w.reports {
					total = p.Changes
				}
				assert.Equal(t, int64(60), total, "nothing that was committed is read again")
			}
		})
	}
}

// TestLargeTransaction moves money within transactions that come in several parts and go in several pieces.
func TestLargeTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.open(500)
		s := &spy{Opener: w.right}
		w.right = s
		w.opts.BatchRows = 120
		sums := map[int]int{}
		w.target.OnStep(func(string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			sums[w.sum()]++
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		r := w.replicator()
		group.Go(func() { assert.ErrorIs(t, r.Run(ctx), context.Canceled) })
		group.Go(func() {
			for ctx.Err() == nil {
				assert.Equal(t, 50_000, w.sum())
				time.Sleep(time.Millisecond)
			}
		})
		for i := range 5 {
			w.insert(10*i+1, 3)
			w.exec(func(tx *dbtest.Tx) error { return transfer(tx, 500) })
			w.exec(func(tx *dbtest.Tx) error { return transfer(tx, 20) })
			time.Sleep(20 * time.Millisecond)
		}
		require.NoError(t, replay(t, w, cancel, &group))
		assert.Equal(t, []int{50_000}, keys(sums))
		w.equal()
		assert.Contains(t, s.pieces, 3, "a large transaction goes in several pieces and one commit: %v", s.pieces)
		for _, b := range s.batches {
			rows, _ := rowsOf(b)
			assert.Less(t, rows, 120+100, "a batch ends with the part that fills it")
		}
	})
}

// replay ends a Run and applies the rest.
func replay(t *testing.T, w *world, cancel func(), group *sync.WaitGroup) error {
	t.Helper()
	cancel()
	group.Wait()
	return w.replicator().ReplayTo(t.Context(), w.head())
}

func keys(m map[int]int) (out []int) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

// TestRolledBack streams transactions that are rolled back in the end, small and large, between others that are not.
func TestRolledBack(t *testing.T) {
	for _, large := range []bool{false, true} {
		for _, age := range []time.Duration{time.Millisecond, time.Hour} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.open(500)
				n := 30
				if large {
					n = 450
				}
				w.opts.BatchRows, w.opts.BatchAge = 120, age
				for i := range 4 {
					w.insert(100*i+1, 7)
					w.exec(func(tx *dbtest.Tx) error {
						tx.RollBackLogged()
						if err := tx.Delete(items, dbtest.Values(100*i+2)); err != nil {
							return err
						}
						return transfer(tx, n)
					})
					w.insert(100*i+50, 2)
				}
				w.watch()
				goal := w.head()
				require.NoError(t, w.replicator().ReplayTo(t.Context(), goal))
				w.equal()
				assert.Equal(t, goal, w.at())
				for _, l := range w.looks {
					assert.Zero(t, strings.Count(l.state, `"99"]`), "a part of what was rolled back shows")
				}
			})
		}
	}
}

func TestRolledBackAtTheEnd(t *testing.T) {
	for _, n := range []int{10, 450} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.open(500)
			w.opts.BatchRows = 120
			w.insert(1, 3)
			w.exec(func(tx *dbtest.Tx) error { tx.RollBackLogged(); return transfer(tx, n) })
			goal := w.head()
			w.insert(10, 3)
			require.NoError(t, w.replicator().ReplayTo(t.Context(), goal))
			assert.Equal(t, goal, w.at(), "the goal is the rolled back transaction's end")
			assert.Len(t, w.target.All(w.routes[0].Target.Name()), 3)
		})
	}
}

func TestSchemaChangeStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.insert(1, 10)
		before := w.head()
		require.NoError(t, w.source.DDL(db.DDL{Statement: "ALTER TABLE items ADD x INT"},
			dbtest.ReplaceTable(definition(items))))
		w.insert(20, 10)
		for range 2 {
			err := w.replicator().Run(t.Context())
			require.ErrorIs(t, err, db.ErrUnsupported)
			require.ErrorContains(t, err, "shop.items")
			require.ErrorContains(t, err, "ALTER TABLE items ADD x INT")
			assert.Equal(t, before, w.at(), "the position stays before the schema change")
			assert.Len(t, w.target.All(w.routes[0].Target.Name()), 10)
		}
		require.NoError(t, w.replicator().ReplayTo(t.Context(), before), "a goal before it is reached")

		w.opts.Schema = &passing{w: w}
		require.NoError(t, w.replicator().ReplayTo(t.Context(), w.head()))
		w.equal()
	})
}

// passing carries schema changes over that make no difference.
type passing struct {
	w       *world
	passed  bool // the routes have every change already
	carried int
}

func (p *passing) Routes(context.Context, db.Applier) ([]*route.Route, error) { return p.w.routes, nil }

func (p *passing) Passed(context.Context, *db.SchemaChange) (bool, error) {
	return p.passed, nil
}

func (p *passing) Change(ctx context.Context, a db.Applier, c *db.SchemaChange) error {
	assert.Equal(p.w.t, c.Before, a.Position(), "what came before is committed")
	p.carried++
	return a.Commit(ctx, c.After)
}

func TestSchemaChangesAreCarriedOver(t *testing.T) {
	for _, passed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			p := &passing{w: w, passed: passed}
			w.opts.Schema = p
			for i := range 5 {
				w.insert(10*i+1, 3)
				require.NoError(t, w.source.DDL(db.DDL{Statement: "ALTER"}, dbtest.ReplaceTable(definition(items))))
			}
			goal := w.head()
			w.insert(100, 3)
			require.NoError(t, w.replicator().ReplayTo(t.Context(), goal))
			assert.Equal(t, goal, w.at(), "the goal is the last schema change")
			assert.Len(t, w.target.All(w.routes[0].Target.Name()), 15)
			if !passed {
				assert.Equal(t, 5, p.carried)
			}
		})
	}
}

func TestReplayToStopsAtTheGoal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.insert(1, 25)
		goal := w.head()
		w.insert(101, 25)
		for range 2 {
			require.NoError(t, w.replicator().ReplayTo(t.Context(), goal))
			assert.Equal(t, goal, w.at())
			assert.Len(t, w.target.All(w.routes[0].Target.Name()), 25,
				"nothing after the goal is applied, nor by a second call")
		}
		w.exec(func(tx *dbtest.Tx) error { return tx.Insert(unrouted, dbtest.Values(1, "x", nil)) })
		goal = w.head()
		require.NoError(t, w.replicator().ReplayTo(t.Context(), goal))
		assert.Equal(t, goal, w.at(), "the goal is a transaction that is passed over")
		w.equal()
	})
}

func TestCatchUpEndsUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.opts.BatchRows = 20
		w.insert(1000, 300)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			random := rand.New(rand.NewPCG(4, 4))
			for ctx.Err() == nil {
				w.write(random, 1)
				time.Sleep(time.Millisecond)
			}
		})
		w.target.OnStep(func(step string) error {
			if step == "apply" {
				time.Sleep(10 * time.Millisecond)
			}
			return nil
		})
		began, head := time.Now(), w.head()
		require.NoError(t, w.replicator().CatchUp(t.Context()))
		assert.Less(t, time.Since(began), time.Minute)
		reached, err := w.left.Reached(w.at(), head)
		require.NoError(t, err)
		assert.True(t, reached)
		cancel()
		group.Wait()
	})
}

func TestCatchUpOutlivesALostHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.insert(1, 10)
		w.left = dbtest.FaultySource(w.left, dbtest.Any(dbtest.Nth("head", 1, db.ErrConnection),
			dbtest.Nth("head.after", 1, db.ErrConnection)))
		require.NoError(t, w.replicator().CatchUp(t.Context()))
		w.equal()
	})
}

func TestRunEndsWithTheCause(t *testing.T) {
	boom := errors.New("the operator has left")
	for _, busy := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(3*time.Second, func() { cancel(boom) })
			if busy {
				w.insert(1, 500)
				w.opts.BatchRows = 3
				w.target.OnStep(func(step string) error {
					if step == "apply" {
						time.Sleep(100 * time.Millisecond)
					}
					return nil
				})
			}
			require.ErrorIs(t, w.replicator().Run(ctx), boom)
			w.target.OnStep(nil)
			require.NoError(t, w.replicator().ReplayTo(t.Context(), w.head()), "the lock is free, the rest is there")
			w.equal()
		})
	}
}

// TestInterruptedWhileWaiting ends the context between two tries.
func TestInterruptedWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		boom := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		w.target.OnStep(func(step string) error {
			if step == "applier" {
				return db.ErrConnection
			}
			return nil
		})
		time.AfterFunc(5*time.Second+time.Millisecond, func() { cancel(boom) })
		began := time.Now()
		require.ErrorIs(t, w.replicator().Run(ctx), boom)
		assert.Equal(t, 5*time.Second+time.Millisecond, time.Since(began), "it leaves at once")
	})
}

func TestSealed(t *testing.T) {
	for _, busy := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			result := make(chan error, 1)
			r := w.replicator()
			go func() { result <- r.Run(t.Context()) }()
			time.Sleep(5 * time.Second)
			final, err := w.target.Target("move").Ledger().Seal(t.Context(), "over")
			require.NoError(t, err)
			state, began := w.state(), time.Now()
			if busy {
				w.insert(1, 10)
			}
			require.ErrorIs(t, <-result, db.ErrSealed)
			assert.LessOrEqual(t, time.Since(began), 2*time.Second, "an idle one notices too")
			assert.Equal(t, state, w.state(), "nothing is applied after the seal")
			assert.Equal(t, w.last().Position, final)
			require.ErrorIs(t, w.replicator().Run(t.Context()), db.ErrSealed)
		})
	}
}

func TestRetryFor(t *testing.T) {
	for _, step := range []string{"stream", "stream.next", "applier", "apply", "commit.before"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.insert(1, 3)
			w.opts.RetryFor = 2 * time.Minute
			fail := func(asked string) error {
				if asked == step {
					return db.ErrConnection
				}
				return nil
			}
			w.source.OnStep(fail)
			w.target.OnStep(fail)
			began := time.Now()
			err := w.replicator().Run(t.Context())
			require.ErrorIs(t, err, db.ErrConnection, step)
			require.ErrorContains(t, err, "no progress for 2m0s", step)
			assert.InDelta(t, 135, time.Since(began).Seconds(), 20, step)
		})
	}
}

// TestProgressKeepsItGoing breaks every connection after one commit: that is progress, however long it lasts.
func TestProgressKeepsItGoing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.opts.RetryFor, w.opts.BatchRows = time.Second, 1
		w.insert(1, 60)
		w.target.OnStep(func(step string) error {
			if step == "commit.after" {
				w.target.Disconnect()
			}
			return nil
		})
		began := time.Now()
		require.NoError(t, w.replicator().ReplayTo(t.Context(), w.head()))
		assert.Greater(t, time.Since(began), 5*time.Second)
		w.equal()
	})
}

func TestFatalErrorsAreNotRetried(t *testing.T) {
	for name, c := range map[string]struct {
		step string
		err  error
	}{
		"locked":      {"applier", db.ErrLocked},
		"gone":        {"stream.next", db.ErrPositionGone},
		"unsupported": {"stream.next", db.ErrUnsupported},
		"disk full":   {"apply", errors.New("disk full")},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.insert(1, 3)
			s := &spy{Opener: w.right}
			w.right = s
			w.source.OnStep(dbtest.Nth(c.step, 1, c.err))
			w.target.OnStep(dbtest.Nth(c.step, 1, c.err))
			require.ErrorIs(t, w.replicator().Run(t.Context()), c.err, name)
			assert.LessOrEqual(t, s.opened, 1, name)
			require.NoError(t, w.replicator().ReplayTo(t.Context(), w.head()), "the next run continues")
			w.equal()
		})
	}
}

func TestNoPosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		require.NoError(t, w.target.Target("other").Ledger().Create(t.Context()))
		w.right = w.target.Target("other")
		require.ErrorContains(t, w.replicator().Run(t.Context()), "run init-copy first")
	})
}

// TestDeadlock meets deadlocks that a batch survives without another session, and one that it does not.
func TestDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &spy{Opener: w.right}
		w.right = s
		w.insert(1, 5)
		tries := 0
		w.target.OnStep(func(step string) error {
			if step == "apply" {
				if tries++; tries < 5 {
					return db.ErrRetry
				}
			}
			return nil
		})
		require.NoError(t, w.replicator().ReplayTo(t.Context(), w.head()))
		assert.Equal(t, 1, s.opened)
		w.equal()

		w.open(500)
		w.opts.BatchRows = 120
		w.exec(func(tx *dbtest.Tx) error { return transfer(tx, 500) })
		w.target.OnStep(dbtest.Nth("apply", 2, db.ErrRetry)) // in the middle of a transaction: from its start again
		require.NoError(t, w.replicator().ReplayTo(t.Context(), w.head()))
		assert.Equal(t, 3, s.opened)
		assert.Equal(t, 50_000, w.sum())
		w.equal()
	})
}

// TestBatchLimits has the first batch wait until everything is written, so that the later ones grow to their limits.
func TestBatchLimits(t *testing.T) {
	for _, c := range []struct {
		name        string
		rows, bytes int
		want        []int
	}{
		{"rows", 100, 1 << 30, []int{100, 100, 50}},
		{"bytes", 1 << 30, 100 * 1005, []int{100, 100, 50}},
		{"none", 1 << 30, 1 << 30, []int{250}},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			s := &spy{Opener: w.right}
			w.right, w.opts.BatchRows, w.opts.BatchBytes, w.opts.BatchAge, w.opts.Backlog =
				s, c.rows, c.bytes, time.Hour, allBacklog
			first, held := true, make(chan struct{})
			w.target.OnStep(func(step string) error {
				if step == "apply" && first {
					first = false
					<-held
				}
				return nil
			})
			ctx, cancel := context.WithCancel(t.Context())
			var group sync.WaitGroup
			r := w.replicator()
			group.Go(func() { assert.ErrorIs(t, r.Run(ctx), context.Canceled) })
			w.insert(1, 1)
			synctest.Wait()
			time.Sleep(time.Second)
			for id := 1000; id < 1250; id++ {
				w.exec(func(tx *dbtest.Tx) error {
					return tx.Insert(items, dbtest.Values(id, strings.Repeat("x", 1001), nil))
				})
			}
			close(held)
			time.Sleep(5 * time.Second)
			cancel()
			group.Wait()
			w.equal()
			var got []int
			for _, b := range s.batches {
				rows, _ := rowsOf(b)
				got = append(got, rows)
			}
			assert.Equal(t, append([]int{1}, c.want...), got, c.name)
		})
	}
}

// allBacklog makes every change one of a backlog.
const allBacklog = -24 * time.Hour

// TestTrickle writes without a pause, so that the log always has more: no change waits for others.
func TestTrickle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.opts.BatchAge = time.Hour
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		r := w.replicator()
		group.Go(func() { assert.ErrorIs(t, r.Run(ctx), context.Canceled) })
		time.Sleep(5 * time.Second) // standing still
		for id := range 500 {
			w.insert(1000+id, 1)
			time.Sleep(time.Millisecond)
			assert.Equal(t, w.head(), w.at(), "one millisecond after write %d", id)
		}
		cancel()
		group.Wait()
		w.equal()
	})
}

// TestBusyApplier has each batch take 50 ms at 1,000 writes a second: the next one grows meanwhile, and begins at once.
func TestBusyApplier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &spy{Opener: w.right}
		w.right, w.opts.BatchAge = s, time.Hour
		w.target.OnStep(func(step string) error {
			if step == "apply" {
				time.Sleep(50 * time.Millisecond)
			}
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		r := w.replicator()
		group.Go(func() { assert.ErrorIs(t, r.Run(ctx), context.Canceled) })
		w.insert(1, 1)
		time.Sleep(time.Second)
		for id := range 1000 {
			w.insert(1000+id, 1)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(102 * time.Millisecond)
		assert.Equal(t, w.head(), w.at(), "after the batch that was under way and the one that grew meanwhile")
		cancel()
		group.Wait()
		w.equal()
		assert.InDelta(t, 1000/50, len(s.batches), 3)
	})
}

// TestCatchUpEndsAtTheFirstHead writes all the time: what is written after the look at the log's end is not waited for.
func TestCatchUpEndsAtTheFirstHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.insert(1, 10)
		heads, next := 0, 1000
		w.source.OnStep(func(step string) error {
			if step == "head" {
				heads++
			}
			return nil
		})
		w.target.OnStep(func(step string) error {
			if step == "apply" { // longer than any patience, and the source goes on
				for range 5 {
					w.insert(next, 1)
					next++
					time.Sleep(time.Second)
				}
			}
			return nil
		})
		began := time.Now()
		require.NoError(t, w.replicator().CatchUp(t.Context()))
		assert.Equal(t, 1, heads, "looks at the log's end")
		assert.Less(t, time.Since(began), 20*time.Second)
		assert.NotEqual(t, w.head(), w.at(), "the source went on")
	})
}

// TestBatchAge reads a log that always has more: age alone ends the batches.
func TestBatchAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &spy{Opener: w.right}
		w.right, w.opts.BatchAge, w.opts.Backlog = s, 200*time.Millisecond, allBacklog
		w.insert(1, 300)
		w.source.OnStep(func(step string) error {
			if step == "stream.next" {
				time.Sleep(10 * time.Millisecond)
			}
			return nil
		})
		require.NoError(t, w.replicator().ReplayTo(t.Context(), w.head()))
		w.equal()
		assert.InDelta(t, 300/21, len(s.batches), 2)
		for _, b := range s.batches {
			rows, _ := rowsOf(b)
			assert.LessOrEqual(t, rows, 22)
		}
	})
}

func TestLag(t *testing.T) {
	for _, clock := range []time.Duration{0, -3 * time.Second, 2 * time.Second, -time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.opts.BatchRows, w.opts.Clock, w.opts.Backlog = 10, clock, allBacklog
			w.insert(1, 50)
			time.Sleep(10 * time.Second)
			ctx, cancel := context.WithCancel(t.Context())
			var group sync.WaitGroup
			r := w.replicator()
			group.Go(func() { assert.ErrorIs(t, r.Run(ctx), context.Canceled) })
			time.Sleep(10 * time.Second)
			cancel()
			group.Wait()
			first, last := w.reports[0], w.last()
			assert.Equal(t, max(10*time.Second+clock, 0), first.Lag, "clock %s", clock)
			assert.False(t, first.CaughtUp)
			assert.Equal(t, int64(10), first.Changes)
			assert.Zero(t, last.Lag)
			assert.True(t, last.CaughtUp)
			assert.Equal(t, int64(50), last.Changes)
			assert.Equal(t, int64(50), last.Transactions)
			assert.Equal(t, int64(50), last.Rows)
			assert.Equal(t, w.head(), last.Position)
			assert.InDelta(t, 15, len(w.reports), 2, "standing still is reported once a second")
		})
	}
}

func TestAbsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.insert(1, 20)
		require.NoError(t, w.replicator().ReplayTo(t.Context(), w.head()))
		require.NoError(t, w.target.Exec(func(tx *dbtest.Tx) error {
			for _, id := range []int{3, 4} {
				if err := tx.Delete(w.routes[0].Target.Name(), dbtest.Values(id)); err != nil {
					return err
				}
			}
			return nil
		}))
		for _, id := range []int{2, 3, 5} {
			w.exec(func(tx *dbtest.Tx) error { return tx.Delete(items, dbtest.Values(id)) })
		}
		w.exec(func(tx *dbtest.Tx) error { // a row that came and went within a batch was never expected
			if err := tx.Insert(items, dbtest.Values(77, "x", nil)); err != nil {
				return err
			}
			return tx.Delete(items, dbtest.Values(77))
		})
		require.NoError(t, w.replicator().ReplayTo(t.Context(), w.head()))
		assert.Equal(t, int64(1), w.last().Absent)
	})
}

// TestUniqueValueMoves commits swaps of unique values one by one and in batches of any size.
func TestUniqueValueMoves(t *testing.T) {
	for _, rows := range []int{1, 2, 3, 50} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.opts.BatchRows = rows
			w.watch()
			w.exec(func(tx *dbtest.Tx) error {
				for id := 1; id <= 10; id++ {
					if err := tx.Insert(items, dbtest.Values(id, strconv.Itoa(id), id)); err != nil {
						return err
					}
				}
				return nil
			})
			random := rand.New(rand.NewPCG(5, uint64(rows)))
			for range 60 {
				a, b := 1+random.IntN(10), 1+random.IntN(10)
				w.exec(func(tx *dbtest.Tx) error { return swap(tx, a, b) })
			}
			require.NoError(t, w.replicator().ReplayTo(t.Context(), w.head()))
			w.equal()
			w.onlyStates()
		})
	}
}
