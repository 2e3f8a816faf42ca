package cutover_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
)

// rehearse runs the cutover up to where it would take over.
func (w *world) rehearse() (*cutover.Result, error) {
	opts := w.opts
	opts.Rehearse = true
	return cutover.New(w.left, w.right, w.routes, opts).Run(w.t.Context())
}

// TestRehearse: all is done but the switch, what was measured adds up, and afterwards the move is as it was, so that
// the cutover itself comes through.
func TestRehearse(t *testing.T) {
	for _, fence := range []db.FenceKind{db.FenceReadOnly, db.FenceLockTables, db.FenceHook, db.FenceNone} {
		for _, mode := range []string{cutover.VerifyChanged, cutover.VerifyFull, cutover.VerifyNone} {
			t.Run(string(fence)+"/"+mode, func(t *testing.T) {
				w := newWorld(t)
				w.opts.Fence, w.opts.Verify = fence, mode
				w.opts.VerifyFull = func(ctx context.Context) (cutover.Verified, error) {
					time.Sleep(10 * time.Millisecond)
					return w.verifyFull(ctx)
				}
				w.opts.VerifyChanged = func(ctx context.Context, from, to db.Position) (cutover.Verified, error) {
					time.Sleep(10 * time.Millisecond)
					return w.verifyChanged(ctx, from, to)
				}
				blocked := false
				w.target.OnStep(func(step string) error {
					if step == "sizes" && len(w.journal.steps) > 0 { // counters, behind the fence
						blocked = w.tryWrite("while it is up") != nil
						time.Sleep(5 * time.Millisecond)
					}
					return nil
				})
				if fence == db.FenceHook || fence == db.FenceNone {
					w.target.OnStep(nil) // nobody stops writes here
				}
				result, err := w.rehearse()
				require.NoError(t, err)
				assert.Equal(t, fence == db.FenceReadOnly || fence == db.FenceLockTables, blocked)
				assert.Equal(t, mode != cutover.VerifyNone, result.Verified > 0)
				assert.Equal(t, mode != cutover.VerifyNone, result.Spent.Verify >= 10*time.Millisecond)
				assert.Positive(t, result.Spent.Fence)
				assert.Positive(t, result.Spent.Drain)
				assert.GreaterOrEqual(t, result.Blocked, result.Spent.Fence+result.Spent.Drain+result.Spent.Verify)
				assert.Equal(t, []int{1, 0, 0}, []int{
					w.called(cutover.HookBefore), w.called(cutover.HookSwitch),
					w.called(cutover.HookAfter),
				})
				assert.Equal(t, fence == db.FenceHook, w.called(cutover.HookUnfence) == 1)
				assert.Equal(t, []cutover.Step{cutover.StepFence, ""}, w.journal.steps, "no takeover was on its way")
				w.assertUndone()

				again, err := w.rehearse()
				require.NoError(t, err)
				assert.NotEqual(t, result.Head, again.Head, "writes went on")
				w.assertUndone()
				_, err = w.run()
				require.NoError(t, err)
				w.assertDone()
				_, err = w.rehearse()
				require.ErrorIs(t, err, db.ErrSealed)
			})
		}
	}
}

// TestRehearseTellsTheHooks: a hook can tell a rehearsal from the cutover.
func TestRehearseTellsTheHooks(t *testing.T) {
	w := newWorld(t)
	told := map[string]string{}
	w.opts.Hook = func(_ context.Context, name string, facts map[string]string) error {
		told[name] += facts["rehearsal"] + ";"
		return nil
	}
	_, err := w.rehearse()
	require.NoError(t, err)
	_, err = w.run()
	require.NoError(t, err)
	assert.Equal(t, map[string]string{cutover.HookBefore: "1;;", cutover.HookSwitch: ";", cutover.HookAfter: ";"}, told)
}

// TestRehearseRefuses: what would undo a cutover undoes a rehearsal.
func TestRehearseRefuses(t *testing.T) {
	w := newWorld(t)
	w.opts.Lag = func(context.Context) (time.Duration, error) { return time.Hour, nil }
	_, err := w.rehearse()
	require.ErrorIs(t, err, cutover.ErrRefused)
	assert.Empty(t, w.journal.steps)
	w.opts.Lag = nil
	w.source.Leak(true)
	_, err = w.rehearse()
	require.ErrorIs(t, err, cutover.ErrLeaks)
	w.assertUndone()
}

// TestRehearsalKilled dies before and after everything that a rehearsal does. Whatever comes next puts it right: an
// abort, another rehearsal, or the cutover.
func TestRehearsalKilled(t *testing.T) {
	for _, fence := range []db.FenceKind{db.FenceReadOnly, db.FenceLockTables, db.FenceHook} {
		for at := 1; ; at++ {
			w := newWorld(t)
			w.opts.Fence, w.opts.Rehearse = fence, true
			step, dead := w.dieAt(at)
			w.opts.Rehearse = false
			if !dead {
				assert.Greater(t, at, 8)
				break
			}
			t.Run(fmt.Sprintf("%s/%02d %s", fence, at, strings.TrimSpace(step)), func(t *testing.T) {
				assert.False(t, w.sealed())
				switch at % 3 {
				case 0:
					require.NoError(t, w.abort())
					w.assertUndone()
				case 1:
					_, err := w.rehearse()
					require.NoError(t, err)
					w.assertUndone()
				}
				_, err := w.run()
				require.NoError(t, err)
				w.assertDone()
				assert.Equal(t, 1, w.called(cutover.HookSwitch))
			})
		}
	}
}

// TestRehearseAfterTheSeal: a run that died at its takeover leaves what nobody but the target can tell, and the target
// is asked in a way that waits for a commit under way.
func TestRehearseAfterTheSeal(t *testing.T) {
	w := newWorld(t)
	_, err := w.rehearse()
	require.NoError(t, err)
	w.journal.record = cutover.Record{Step: cutover.StepSeal, FenceKind: db.FenceReadOnly, Saved: "read_only=false"}
	w.target.OnStep(func(step string) error {
		if step == "repair" { // the commit of the dead one's takeover comes through now
			w.target.OnStep(nil)
			_, err := w.target.Target("move").Ledger().Seal(t.Context(), "by the one that died")
			return err
		}
		return nil
	})
	require.ErrorIs(t, w.abort(), db.ErrSealed)
	_, err = w.rehearse()
	require.ErrorIs(t, err, db.ErrSealed)
	_, err = w.run()
	require.NoError(t, err)
	assert.Equal(t, 1, w.called(cutover.HookSwitch))
}
