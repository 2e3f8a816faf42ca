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
)

// killed is the panic of a process that dies.
type killed struct{}

// TestKilledBetweenEveryTwoSteps counts everything that a cutover does to the outside, and dies before each of it in
// turn, and after. A new process must then finish, or abort.
func TestKilledBetweenEveryTwoSteps(t *testing.T) {
	for _, fence := range []db.FenceKind{db.FenceReadOnly, db.FenceLockTables, db.FenceHook} {
		for at := 1; ; at++ {
			w := newWorld(t)
			w.opts.Fence = fence
			step, dead := w.dieAt(at)
			if !dead {
				assert.Greater(t, at, 15)
				break
			}
			t.Run(fmt.Sprintf("%s/%02d %s", fence, at, step), func(t *testing.T) {
				if at%2 == 0 && !w.sealed() {
					require.NoError(t, w.abort())
					w.assertUndone()
				}
				_, err := w.run()
				require.NoError(t, err)
				w.assertDone()
				assert.Positive(t, w.called(cutover.HookSwitch))
				assert.Positive(t, w.called(cutover.HookAfter))
			})
		}
	}
}

// dieAt runs a cutover that dies at the nth thing it does. It tells which that was, if it came so far.
func (w *world) dieAt(n int) (at string, dead bool) {
	count := 0
	die := func(step string) {
		if count++; count == n {
			at = step
			panic(killed{})
		}
	}
	onStep := func(step string) error {
		switch step {
		case "ledger.get", "ledger.get.after", "commit.before", "commit.after", "apply", "stream.next", "head", "sizes",
			"stream", "safe_position":
		default:
			die(step)
		}
		return nil
	}
	w.source.OnStep(onStep)
	w.target.OnStep(onStep)
	w.journal.fail = func(r cutover.Record) error { die("save " + string(r.Step)); return nil }
	w.opts.Hook = func(ctx context.Context, name string, facts map[string]string) error {
		die("hook " + name)
		defer die("hook " + name + " done")
		return w.hook(ctx, name, facts)
	}
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
			dead = true
			w.source.Disconnect()
		}
		w.source.OnStep(nil)
		w.target.OnStep(nil)
		w.journal = &journal{record: w.journal.record} // its lock died with the process
		w.opts.Hook, w.opts.Journal = w.hook, w.journal
	}()
	_, err := w.run()
	require.NoError(w.t, err)
	return "", false
}

// TestLostAnswerOfTheRecord loses the answer of the point of no return in every way.
func TestLostAnswerOfTheRecord(t *testing.T) {
	lost := fmt.Errorf("lost: %w", db.ErrConnection)
	for name, c := range map[string]struct {
		fail func(step string, n int) error // n: the how manieth of this step
		err  error
		done bool
	}{
		"it was recorded": {func(step string, n int) error {
			if step == "ledger.seal.after" && n == 1 {
				return lost
			}
			return nil
		}, nil, true},
		"it was not recorded": {func(step string, n int) error {
			if step == "ledger.seal" && n == 1 {
				return lost
			}
			return nil
		}, nil, true},
		"deadlock": {func(step string, n int) error {
			if step == "ledger.seal" && n == 1 {
				return db.ErrRetry
			}
			return nil
		}, nil, true},
		"lost, then refused": {func(step string, n int) error {
			switch {
			case step == "ledger.seal" && n == 1:
				return lost
			case step == "ledger.seal":
				return errBroken
			}
			return nil
		}, errBroken, false},
		"recorded, and nobody can look": {func(step string, n int) error {
			if step == "ledger.seal.after" || step == "ledger.get" && n > 1 {
				return lost
			}
			return nil
		}, cutover.ErrOutcomeUnknown, true},
		"not recorded, and nobody can look": {func(step string, n int) error {
			if step == "ledger.seal" || step == "ledger.get" && n > 1 {
				return lost
			}
			return nil
		}, cutover.ErrOutcomeUnknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.opts.Applied = w.appliedQuietly
			w.opts.Verify = cutover.VerifyNone
			var mu sync.Mutex
			times := map[string]int{}
			w.target.OnStep(func(step string) error {
				mu.Lock()
				defer mu.Unlock()
				times[step]++
				return c.fail(step, times[step])
			})
			_, err := w.run()
			if c.err == nil {
				require.NoError(t, err)
				w.assertDone()
				return
			}
			require.ErrorIs(t, err, c.err)
			if !errors.Is(err, cutover.ErrOutcomeUnknown) {
				w.assertUndone()
				return
			}
			assert.Equal(t, c.done, w.sealed())
			require.Error(t, w.tryWrite("the fence stays up"))
			assert.Zero(t, w.called(cutover.HookSwitch))
			_, err = w.run() // the target answers again
			require.NoError(t, err)
			w.assertDone()
			assert.Equal(t, 1, w.called(cutover.HookSwitch))
		})
	}
}

// appliedQuietly tells how far the target is without a step that a test breaks.
func (w *world) appliedQuietly(context.Context) (db.Position, error) {
	if len(w.source.All(w.from)) == len(w.target.All(w.to)) {
		return w.head(), nil
	}
	return "mem:0", nil
}

func TestTimeOverAtTheRecord(t *testing.T) {
	w := newWorld(t)
	w.opts.Timeout = 200 * time.Millisecond
	var once sync.Once
	w.target.OnStep(func(step string) (err error) {
		if step == "ledger.seal.after" {
			once.Do(func() { time.Sleep(250 * time.Millisecond); err = context.DeadlineExceeded })
		}
		return err
	})
	_, err := w.run()
	require.NoError(t, err, "it was recorded, so there is no way back")
	w.assertDone()
}

// TestOnlyForward: after the point of no return a failure undoes nothing, and a rerun does what is left.
func TestOnlyForward(t *testing.T) {
	for _, hook := range []string{cutover.HookSwitch, cutover.HookAfter} {
		t.Run(hook, func(t *testing.T) {
			w := newWorld(t)
			w.opts.Hook = func(ctx context.Context, name string, facts map[string]string) error {
				if name == hook {
					return errBroken
				}
				return w.hook(ctx, name, facts)
			}
			_, err := w.run()
			require.ErrorIs(t, err, errBroken)
			require.ErrorContains(t, err, "nothing is undone")
			assert.True(t, w.sealed())
			require.Error(t, w.tryWrite("the fence stays up"))
			require.ErrorIs(t, w.abort(), db.ErrSealed)

			w.opts.Hook = w.hook
			w.opts.VerifiedUpTo, w.opts.Lag = "", func(context.Context) (time.Duration, error) { return time.Hour, nil }
			result, err := w.run()
			require.NoError(t, err, "no gate stands in the way forward")
			assert.Positive(t, result.Blocked)
			assert.Equal(t, []int{1, 1}, []int{w.called(cutover.HookSwitch), w.called(cutover.HookAfter)})
			w.assertDone()
		})
	}
}

func TestJournalFailsAfterTheRecord(t *testing.T) {
	w := newWorld(t)
	w.journal.fail = func(r cutover.Record) error {
		if r.Sealed {
			return errBroken
		}
		return nil
	}
	_, err := w.run()
	require.ErrorIs(t, err, errBroken)
	assert.Equal(t, 1, w.called(cutover.HookSwitch), "the application does not wait for a disk")
	w.journal.fail = nil
	_, err = w.run()
	require.NoError(t, err)
	w.assertDone()
}

func TestJournalLost(t *testing.T) {
	w := newWorld(t)
	_, err := w.run()
	require.NoError(t, err)
	w.journal.record = cutover.Record{}
	result, err := w.run()
	require.NoError(t, err)
	assert.Equal(t, w.head(), result.Final)
	w.assertDone()
}

func TestJournalOfAnotherTarget(t *testing.T) {
	w := newWorld(t)
	w.journal.record = cutover.Record{Step: cutover.StepSwitch, Sealed: true}
	_, err := w.run()
	require.ErrorIs(t, err, cutover.ErrOutcomeUnknown)
	assert.Empty(t, w.journal.steps)
}

// TestStray: locks end with the process that took them, so after a crash writes may have come in; they are told.
func TestStray(t *testing.T) {
	w := newWorld(t)
	w.opts.Fence = db.FenceLockTables
	w.opts.Hook = failing(cutover.HookSwitch)
	_, err := w.run()
	require.ErrorContains(t, err, "the locks on the source end with this process")
	w.source.Disconnect()
	w.write("lost")
	w.opts.Hook = w.hook
	result, err := w.run()
	require.NoError(t, err)
	assert.Equal(t, int64(1), result.Stray)
}

// TestAnotherFence: what an interrupted run raised is taken down before another kind of fence goes up.
func TestAnotherFence(t *testing.T) {
	w := newWorld(t)
	w.source.OnStep(func(step string) error {
		if step == "head" || step == "fence.lift" {
			return errBroken
		}
		return nil
	})
	_, err := w.run()
	require.ErrorIs(t, err, cutover.ErrNotLifted)
	w.source.OnStep(nil)
	w.opts.Fence = db.FenceLockTables
	_, err = w.run()
	require.NoError(t, err)
	w.write("the source is not read only: its locks are released")
}
