package dbtest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// blocked is how long a write is given to get through a fence. Too short a time would call a slow server fenced; the
// suite pays it for each write that is stopped.
const blocked = time.Second

// fence prepares one and lifts it at the end of the test, also after a failure: a server left read-only would fail
// all later cases.
func (b *bench) fence(kind db.FenceKind, table schema.Name, saved string) db.Fence {
	b.Helper()
	f, err := b.src.NewFence(b.ctx, kind, []schema.Name{table}, saved)
	require.NoError(b, err)
	b.Cleanup(func() {
		_ = f.Lift(context.WithoutCancel(b.ctx))
		_ = f.Release()
	})
	return f
}

// stops asserts whether writes to the table are stopped.
func (b *bench) stops(table schema.Name, id int, stopped bool) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, blocked)
	defer cancel()
	err := b.try(ctx, Write{Table: table, After: Values(id, "fenced", nil)})
	if stopped {
		require.Error(b, err, "a write gets through the fence")
		return
	}
	require.NoError(b, err)
}

// testFence tries every kind of fence that the engine offers, each on a bench of its own.
func testFence(b *bench) {
	for _, kind := range b.h.Fences {
		b.Run(string(kind), func(t *testing.T) { testFenceKind(newBench(t, b.h), kind) })
	}
}

// testFenceKind raises and lifts a fence, twice each, since a cutover that is repeated does so. The hard case is a
// transaction that was open before: either it cannot commit any more, or the fence waits for it. If it could commit
// under the fence, the change would come after the head that the cutover has read, and be lost.
func testFenceKind(b *bench, kind db.FenceKind) {
	r := b.create(items())
	n := r.Source.Name()
	f := b.fence(kind, n, "")
	require.Error(b, f.Holds(b.ctx), "a fence that is down does not hold")
	require.NoError(b, f.Lift(b.ctx), "nothing to lift")
	b.stops(n, 1, false)

	// The transaction begins before the fence and writes before it. Both outcomes are right, see above; a commit is
	// not.
	open, err := b.w.Begin(b.ctx)
	require.NoError(b, err)
	require.NoError(b, open.Write(b.ctx, Write{Table: n, After: Values(2, "open before", nil)}))
	ctx, cancel := context.WithTimeout(b.ctx, 2*blocked)
	defer cancel()
	committed := []db.Row{Values(1, "fenced", nil)}
	if f.Raise(ctx) == nil {
		ctx, cancel := context.WithTimeout(b.ctx, blocked)
		defer cancel()
		require.Error(b, open.Commit(ctx), "a transaction open before commits under the fence")
	} // else the fence waits for the transaction, and has not come up
	_ = open.Rollback() // it may have ended already
	b.holds(b.src, &r.Source, committed...)

	require.NoError(b, f.Raise(b.ctx))
	require.NoError(b, f.Raise(b.ctx), "raised already")
	require.NoError(b, f.Holds(b.ctx))
	b.stops(n, 3, true)
	// With the fence up nothing is written, so the head that is read now must still be the head a moment later: the
	// cutover drains the log up to it.
	head := b.head()
	require.NoError(b, f.Holds(b.ctx))
	assert.True(b, b.reached(head, b.head()), "the log stands still")
	b.holds(b.src, &r.Source, committed...)

	require.NoError(b, f.Lift(b.ctx))
	require.NoError(b, f.Lift(b.ctx), "lifted already")
	require.Error(b, f.Holds(b.ctx))
	b.stops(n, 4, false)
	b.holds(b.src, &r.Source, append(committed, Values(4, "fenced", nil))...)

	require.NoError(b, f.Raise(b.ctx), "raised a second time after a lift")
	require.NoError(b, f.Holds(b.ctx))
	b.stops(n, 5, true)
	require.NoError(b, f.Lift(b.ctx))
	require.NoError(b, f.Release())
}

// testFenceRestart lifts what an earlier run has left. read_only stays when a process dies, table locks end with it.
// What is to be put back must come from the saved text: the server itself only shows that it is read-only now.
func testFenceRestart(b *bench) {
	for _, kind := range b.h.Fences {
		b.Run(string(kind), func(t *testing.T) {
			b := newBench(t, b.h)
			r := b.create(items())
			n := r.Source.Name()
			f := b.fence(kind, n, "")
			saved := f.Saved()
			require.NoError(b, f.Raise(b.ctx))
			require.NoError(b, f.Release(), "all that is left of a process that died")
			b.stops(n, 1, kind == db.FenceReadOnly)
			again := b.fence(kind, n, saved)
			assert.Equal(b, saved, again.Saved())
			require.NoError(b, again.Raise(b.ctx), "a fence that is up can be raised")
			require.NoError(b, again.Holds(b.ctx))
			b.stops(n, 2, true)
			require.NoError(b, again.Lift(b.ctx))
			b.stops(n, 3, false)
		})
	}
}
