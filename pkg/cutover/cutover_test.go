package cutover_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
)

var errBroken = errors.New("broken on purpose")

func TestCutover(t *testing.T) {
	for _, fence := range []db.FenceKind{db.FenceReadOnly, db.FenceLockTables, db.FenceHook, db.FenceNone} {
		for _, mode := range []string{cutover.VerifyChanged, cutover.VerifyFull, cutover.VerifyNone} {
			t.Run(string(fence)+"/"+mode, func(t *testing.T) {
				w := newWorld(t)
				w.opts.Fence, w.opts.Verify = fence, mode
				// A row that is gone took the highest automatic value with it.
				require.NoError(t, w.source.Exec(func(tx *dbtest.Tx) error {
					if err := tx.Insert(w.from, dbtest.Values(500, "gone")); err != nil {
						return err
					}
					return tx.Delete(w.from, dbtest.Values(500))
				}))
				result, err := w.run()
				require.NoError(t, err)
				w.assertDone()
				assert.Equal(t, w.head(), result.Head)
				assert.Equal(t, result.Head, result.Final)
				assert.Positive(t, result.Blocked)
				assert.Zero(t, result.Stray)
				assert.Equal(t, mode != cutover.VerifyNone, result.Verified > 0)
				assert.Equal(t, []int{1, 1, 1}, []int{
					w.called(cutover.HookBefore), w.called(cutover.HookSwitch),
					w.called(cutover.HookAfter),
				})
				assert.Equal(t, fence == db.FenceHook, w.called(cutover.HookFence) == 1)
				assert.Equal(t, []cutover.Step{
					cutover.StepFence, cutover.StepSeal, cutover.StepSwitch,
					cutover.StepSwitched, cutover.StepFinish, cutover.StepFinish,
				}, w.journal.steps)
				if fence == db.FenceLockTables {
					w.write("the locks are released")
				}

				again, err := w.run()
				require.NoError(t, err)
				assert.True(t, again.Already)
				assert.Equal(t, result.Final, again.Final)
				assert.Equal(t, result.Blocked, again.Blocked)
				assert.Equal(t, 1, w.called(cutover.HookSwitch))
			})
		}
	}
}

// TestHeadIsReadBehindTheFence: whatever was committed before the fence is in the head, so the head comes after.
func TestHeadIsReadBehindTheFence(t *testing.T) {
	w := newWorld(t)
	var steps []string
	var once sync.Once
	w.source.OnStep(func(step string) error {
		switch step {
		case "head", "fence.raise", "fence.holds":
			steps = append(steps, step)
		}
		if step == "fence.raise" {
			once.Do(func() {
				w.write("at the last moment")
				higher := w.right.Dialect().SetAutoIncrement(w.routes[0].Source.Table, 900)
				assert.NoError(t, w.source.DDL(db.DDL{}, higher))
			})
		}
		return nil
	})
	_, err := w.run()
	require.NoError(t, err)
	assert.Equal(t, []string{"fence.raise", "fence.holds", "head", "fence.holds", "head"}, steps)
	w.assertDone()
	assert.Contains(t, fmt.Sprintf("%s", w.target.All(w.to)), "at the last moment")
}

func TestGatesAreAllReported(t *testing.T) {
	w := newWorld(t)
	w.opts.Lag = func(context.Context) (time.Duration, error) { return time.Minute, nil }
	w.opts.VerifiedAt = time.Now().Add(-48 * time.Hour)
	w.opts.Gates = []cutover.Gate{
		{Name: "schema", Check: func(context.Context) error { return errors.New("orders has another column") }},
		{Name: "hooks", Check: func(context.Context) error { return nil }},
		{Name: "disk", Check: func(context.Context) error { return errBroken }},
	}
	_, err := w.run()
	require.ErrorIs(t, err, cutover.ErrRefused)
	require.ErrorIs(t, err, errBroken)
	for _, text := range []string{
		"lag: the target is 1m0s behind", "verified: the last clean verify is 48h0m0s old",
		"schema: orders has another column",
	} {
		require.ErrorContains(t, err, text)
	}
	assert.Zero(t, w.called(cutover.HookBefore))
	assert.Empty(t, w.journal.steps)

	w.opts.VerifiedUpTo = ""
	_, err = w.run()
	require.ErrorContains(t, err, "no clean verify yet")
	w.assertUndone()
}

func TestPrePassRefuses(t *testing.T) {
	w := newWorld(t)
	w.opts.VerifyChanged = func(context.Context, db.Position, db.Position) (cutover.Verified, error) {
		return cutover.Verified{Differences: 3}, nil
	}
	_, err := w.run()
	require.ErrorIs(t, err, cutover.ErrDifferent)
	require.ErrorIs(t, err, cutover.ErrRefused)
	assert.Empty(t, w.journal.steps)
	w.assertUndone()
}

func TestPrePassesShrink(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	took := []time.Duration{time.Hour, time.Minute, time.Millisecond}
	w.opts.Now = func() time.Time { return now }
	var spans []db.Position
	w.opts.VerifyChanged = func(ctx context.Context, from, to db.Position) (cutover.Verified, error) {
		if len(spans) == 3 { // behind the fence
			return w.verifyChanged(ctx, from, to)
		}
		now = now.Add(took[len(spans)])
		spans = append(spans, from)
		w.write("meanwhile") // fails the test if writes are blocked
		return cutover.Verified{Rows: 1, Position: to}, nil
	}
	_, err := w.run()
	require.NoError(t, err)
	assert.Len(t, spans, 3)
	w.assertDone()
}

// TestUndone breaks one thing at a time before the point of no return: each time all must be as before.
func TestUndone(t *testing.T) {
	lagging := func(w *world) { w.opts.Timeout = 100 * time.Millisecond }
	once := func(w *world, end *dbtest.Server, at string, f func() error) {
		var first sync.Once
		end.OnStep(func(step string) (err error) {
			if step == at {
				first.Do(func() { err = f() })
			}
			return err
		})
	}
	broken := func() error { return errBroken }
	for name, c := range map[string]struct {
		prepare func(w *world)
		want    error
	}{
		"gate is not answered": {func(w *world) {
			w.opts.Gates = []cutover.Gate{{Name: "foreign_keys", Check: func(context.Context) error {
				return db.ErrConnection
			}}}
		}, db.ErrConnection},
		"hook vetoes":           {func(w *world) { w.opts.Hook = failing(cutover.HookBefore) }, cutover.ErrRefused},
		"raise fails":           {func(w *world) { once(w, w.source, "fence.raise", broken) }, errBroken},
		"raise fails after all": {func(w *world) { once(w, w.source, "fence.raise.after", broken) }, errBroken},
		"fence hook fails": {func(w *world) {
			w.opts.Fence = db.FenceHook
			w.opts.Hook = failing(cutover.HookFence)
		}, errBroken},
		"fence does not hold": {func(w *world) { w.source.Leak(true) }, cutover.ErrLeaks},
		"head cannot be read": {func(w *world) { once(w, w.source, "head", broken) }, errBroken},
		"target lags": {func(w *world) {
			lagging(w)
			once(w, w.source, "fence.raise", func() error { w.stop(true); return w.tryWrite("last") })
		}, cutover.ErrTimeout},
		"differences": {func(w *world) {
			w.opts.Verify = cutover.VerifyFull
			require.NoError(w.t, w.target.Exec(func(tx *dbtest.Tx) error {
				return tx.Update(w.to, dbtest.Values(7), dbtest.Values(7, "other"))
			}))
		}, cutover.ErrDifferent},
		"verify hangs": {func(w *world) {
			lagging(w)
			w.opts.Verify = cutover.VerifyFull
			w.opts.VerifyFull = func(ctx context.Context) (cutover.Verified, error) {
				<-ctx.Done()
				return cutover.Verified{}, ctx.Err()
			}
		}, cutover.ErrTimeout},
		"someone with privileges writes": {func(w *world) {
			w.opts.Verify = cutover.VerifyFull
			w.opts.VerifyFull = func(ctx context.Context) (cutover.Verified, error) {
				w.source.Leak(true)
				w.write("behind the fence")
				w.source.Leak(false)
				return cutover.Verified{}, nil
			}
		}, cutover.ErrLeaks},
		"the user's fence does not hold": {func(w *world) {
			w.opts.Fence = db.FenceHook
			w.opts.VerifyChanged = func(ctx context.Context, from, to db.Position) (cutover.Verified, error) {
				w.write("behind the fence")
				return w.verifyChanged(ctx, from, to)
			}
		}, cutover.ErrLeaks},
		"nobody stops writes": {func(w *world) {
			w.opts.Fence = db.FenceNone
			w.opts.VerifyChanged = func(ctx context.Context, from, to db.Position) (cutover.Verified, error) {
				w.write("and another")
				return w.verifyChanged(ctx, from, to)
			}
		}, cutover.ErrLeaks},
		"automatic values cannot be set": {func(w *world) { once(w, w.target, "sizes", broken) }, errBroken},
		"target refuses the record":      {func(w *world) { once(w, w.target, "ledger.seal", broken) }, errBroken},
		"journal is full before the fence": {func(w *world) {
			w.journal.fail = failingAt(cutover.StepFence)
		}, errBroken},
		"journal is full before the record": {func(w *world) {
			w.journal.fail = failingAt(cutover.StepSeal)
		}, errBroken},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.prepare(w)
			_, err := w.run()
			require.ErrorIs(t, err, c.want)
			assert.False(t, errors.Is(err, db.ErrConnection) && errors.Is(err, cutover.ErrRefused),
				"what was not answered is not refused")
			assert.Zero(t, w.called(cutover.HookSwitch))
			w.journal.fail = nil
			w.assertUndone()
			if w.opts.Fence == db.FenceHook {
				w.opts.Hook = w.hook
			}
		})
	}
}

func failing(at string) func(context.Context, string, map[string]string) error {
	return func(_ context.Context, name string, _ map[string]string) error {
		if name == at {
			return errBroken
		}
		return nil
	}
}

func failingAt(step cutover.Step) func(cutover.Record) error {
	return func(r cutover.Record) error {
		if r.Step == step {
			return errBroken
		}
		return nil
	}
}

// TestLateWriteIsDrained: where the user alone stops writes, what still comes in is carried over too.
func TestLateWriteIsDrained(t *testing.T) {
	w := newWorld(t)
	w.opts.Fence = db.FenceNone
	var once sync.Once
	w.opts.VerifyChanged = func(ctx context.Context, from, to db.Position) (cutover.Verified, error) {
		v, err := w.verifyChanged(ctx, from, to)
		if w.called("verify changed") > 1 {
			once.Do(func() { w.write("late") })
		}
		return v, err
	}
	result, err := w.run()
	require.NoError(t, err)
	w.assertDone()
	assert.Equal(t, w.head(), result.Head)
}

// TestOtherWritesDoNotMatter: the head may move by what is not the move's, or was rolled back.
func TestOtherWritesDoNotMatter(t *testing.T) {
	w := newWorld(t)
	w.opts.Fence = db.FenceHook
	other := w.from
	other.Table = "other"
	w.opts.VerifyChanged = func(ctx context.Context, from, to db.Position) (cutover.Verified, error) {
		v, err := w.verifyChanged(ctx, from, to)
		require.NoError(t, w.source.Exec(func(tx *dbtest.Tx) error {
			return tx.Insert(other, append(db.Row{nil}, dbtest.Values("x")...))
		}))
		require.NoError(t, w.source.Exec(func(tx *dbtest.Tx) error {
			tx.RollBackLogged()
			return tx.Insert(w.from, append(db.Row{nil}, dbtest.Values("rolled back")...))
		}))
		return v, err
	}
	result, err := w.run()
	require.NoError(t, err)
	assert.Zero(t, result.Stray)
	w.assertDone()
}

func TestCancelledBehindTheFence(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.source.OnStep(func(step string) error {
		if step == "head" {
			cancel()
		}
		return nil
	})
	_, err := cutover.New(w.left, w.right, w.routes, w.opts).Run(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "open again")
	w.assertUndone()
}

// TestNotLifted: when even that fails, the error says what to put back, and a later run or abort does it.
func TestNotLifted(t *testing.T) {
	for name, next := range map[string]func(w *world) error{
		"abort": func(w *world) error { return w.abort() },
		"run": func(w *world) error {
			w.journal.record.FencedAt = time.Now().Add(-time.Hour)
			result, err := w.run()
			assert.Greater(w.t, result.Blocked, time.Hour, "since the interrupted run")
			return err
		},
		"refused": func(w *world) error {
			w.opts.VerifiedAt = time.Time{}
			_, err := w.run()
			require.ErrorIs(w.t, err, cutover.ErrRefused)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.source.OnStep(func(step string) error {
				if step == "head" || step == "fence.lift" {
					return errBroken
				}
				return nil
			})
			_, err := w.run()
			require.ErrorIs(t, err, cutover.ErrNotLifted)
			require.ErrorContains(t, err, "put back by hand what fence read_only has changed: read_only=false")
			require.Error(t, w.tryWrite("still blocked"))
			w.source.OnStep(nil)
			require.NoError(t, next(w))
			if name == "run" {
				w.assertDone()
				require.ErrorIs(t, w.abort(), db.ErrSealed)
			} else {
				w.assertUndone()
				require.NoError(t, w.abort(), "there is nothing left to abort")
			}
		})
	}
}
