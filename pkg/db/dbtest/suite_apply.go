package dbtest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// applier opens one with a single connection: with several, transaction boundaries are not promised.
func (b *bench) applier(t db.Target) db.Applier {
	b.Helper()
	a, err := t.NewApplier(b.ctx, db.ApplyOptions{})
	require.NoError(b, err)
	b.Cleanup(func() { _ = a.Close() })
	return a
}

func (b *bench) apply(a db.Applier, batch *db.Batch) db.Applied {
	b.Helper()
	applied, err := a.Apply(b.ctx, batch)
	require.NoError(b, err)
	return applied
}

func upserts(r *route.Route, rows ...db.Row) *db.Batch {
	return &db.Batch{Tables: []db.TableBatch{{Route: r, Upserts: rows}}}
}

// deletes is a batch that removes keys, all of which the target must hold.
func deletes(r *route.Route, keys ...db.Row) *db.Batch {
	return &db.Batch{Tables: []db.TableBatch{{Route: r, Deletes: keys, Expect: int64(len(keys))}}}
}

// testApply writes and removes rows and moves the position, in several transactions. Rows and position must become
// visible together: if a position went ahead of its rows, a crash between would lose changes. After-images are
// applied to rows that are there and to rows that are not, because a restart applies changes that were applied
// already.
func testApply(b *bench) {
	r := b.move(items())
	spec, rows, absent := composite()
	other := b.move(spec)
	b.put(db.FactPosition, "p0")
	a := b.applier(b.tgt)
	require.Equal(b, db.Position("p0"), a.Position())
	both := upserts(r, Values(-1, "a", 1), Values(2, "b", 2), Values(3, nil, nil))
	both.Tables = append(both.Tables, db.TableBatch{Route: other, Upserts: rows})
	applied := b.apply(a, both)
	assert.Equal(b, db.Applied{Upserted: int64(3 + len(rows))}, applied)
	// Another connection must see neither rows nor position before the commit.
	assert.Equal(b, "p0", b.fact(db.FactPosition), "not before the commit")
	b.holds(b.tgt, &r.Target)
	require.NoError(b, a.Commit(b.ctx, "p1"))
	assert.Equal(b, db.Position("p1"), a.Position())
	assert.Equal(b, "p1", b.fact(db.FactPosition))
	b.holds(b.tgt, &r.Target, Values(-1, "a", 1), Values(2, "b", 2), Values(3, nil, nil))
	b.holds(b.tgt, &other.Target, rows...)

	// The same changes once more, and after-images of rows that are there and that are not.
	b.apply(a, upserts(r, Values(-1, "a", 1), Values(2, nil, 22), Values(4, "", nil)))
	// Key 9 was never there. While rows are newer than the log that is usual: the row was deleted before it could be
	// copied.
	applied = b.apply(a, deletes(r, Values(3), Values(9)))
	assert.Equal(b, db.Applied{Deleted: 1, Absent: 1}, applied, "a key that is absent is counted, and no error")
	applied = b.apply(a,
		&db.Batch{Tables: []db.TableBatch{{
			Route: other, Deletes: []db.Row{absent, rows[0].Pick(other.Target.Key)},
			Expect: 1,
		}}})
	assert.Equal(b, db.Applied{Deleted: 1}, applied, "only what was expected counts as absent")
	require.NoError(b, a.Commit(b.ctx, "p2"))
	now := []db.Row{Values(-1, "a", 1), Values(2, nil, 22), Values(4, "", nil)}
	b.holds(b.tgt, &r.Target, now...)
	b.holds(b.tgt, &other.Target, rows[1:]...)

	b.apply(a, upserts(r, Values(5, "gone", nil)))
	b.apply(a, deletes(r, Values(-1)))
	require.NoError(b, a.Rollback(b.ctx))
	require.NoError(b, a.Rollback(b.ctx), "with nothing to roll back")
	b.holds(b.tgt, &r.Target, now...)
	// Most commits of an idle move are of this kind: the log moved on, and nothing of it was for the move.
	require.NoError(b, a.Commit(b.ctx, "p3"), "only the position")
	b.holds(b.tgt, &r.Target, now...)
	b.apply(a, upserts(r, Values(6, "gone", nil)))
	require.NoError(b, a.Close())
	b.holds(b.tgt, &r.Target, now...)
	assert.Equal(b, db.Position("p3"), b.applier(b.tgt).Position())
}

// testApplyKeyless removes one of several equal rows. An engine that removes by value alone would remove all of them.
func testApplyKeyless(b *bench) {
	r := b.move(keyless())
	b.put(db.FactPosition, "p0")
	a := b.applier(b.tgt)
	b.apply(a, upserts(r, Values(1, nil), Values(1, nil), Values(1, nil), Values(nil, nil), Values(1, "")))
	require.NoError(b, a.Commit(b.ctx, "p1"))
	applied := b.apply(a, deletes(r, Values(1, nil), Values(nil, nil)))
	assert.Equal(b, int64(2), applied.Deleted, "one row of each")
	require.NoError(b, a.Commit(b.ctx, "p2"))
	b.holds(b.tgt, &r.Target, Values(1, nil), Values(1, nil), Values(1, ""))
}

// testApplyUnique moves unique values between rows within one batch: a swap, a rotation, a value freed by a delete, a
// chain. Row by row each of them meets a duplicate on the way, though the end state has none.
func testApplyUnique(b *bench) {
	r := b.move(items())
	b.put(db.FactPosition, "p0")
	a := b.applier(b.tgt)
	for _, step := range []struct {
		what    string
		upserts []db.Row
		deletes []db.Row
		want    []db.Row
	}{
		{what: "begin", upserts: []db.Row{Values(1, "a", 10), Values(2, "b", 20), Values(3, "c", 30)}},
		{what: "swap", upserts: []db.Row{Values(1, "a", 20), Values(2, "b", 10)}, want: []db.Row{
			Values(1, "a", 20),
			Values(2, "b", 10), Values(3, "c", 30),
		}},
		{what: "rotate", upserts: []db.Row{Values(1, "a", 10), Values(2, "b", 30), Values(3, "c", 20)}},
		{
			what: "freed by a delete", deletes: []db.Row{Values(1)}, upserts: []db.Row{Values(4, "d", 10)},
			want: []db.Row{Values(2, "b", 30), Values(3, "c", 20), Values(4, "d", 10)},
		},
		{
			what: "handed down", upserts: []db.Row{
				Values(5, "e", 10), Values(4, "d", 20), Values(3, "c", nil),
				Values(2, "b", nil),
			},
			want: []db.Row{Values(5, "e", 10), Values(4, "d", 20), Values(3, "c", nil), Values(2, "b", nil)},
		},
	} {
		batch := upserts(r, step.upserts...)
		batch.Tables[0].Deletes, batch.Tables[0].Expect = step.deletes, int64(len(step.deletes))
		applied, err := a.Apply(b.ctx, batch)
		require.NoError(b, err, step.what)
		assert.Zero(b, applied.Absent, step.what)
		require.NoError(b, a.Commit(b.ctx, db.Position(step.what)), step.what)
		if step.want == nil {
			step.want = step.upserts
		}
		b.holds(b.tgt, &r.Target, step.want...)
	}
}

// testApplierLock has two appliers of one move. Two that apply the same log would apply changes in a wrong order; the
// second must be refused, and the first must not notice. After Close the next one continues at the last committed
// position.
func testApplierLock(b *bench) {
	r := b.move(items())
	b.put(db.FactPosition, "p0")
	reopened := b.h.Reopen(b.T)
	a := b.applier(b.tgt)
	_, err := reopened.NewApplier(b.ctx, db.ApplyOptions{})
	require.ErrorIs(b, err, db.ErrLocked)
	b.apply(a, upserts(r, Values(1, "a", nil)))
	require.NoError(b, a.Commit(b.ctx, "p1"), "who is refused does no harm")
	require.NoError(b, a.Close())
	second := b.applier(reopened)
	assert.Equal(b, db.Position("p1"), second.Position())
	b.apply(second, upserts(r, Values(2, "b", nil)))
	require.NoError(b, second.Commit(b.ctx, "p2"))
	require.NoError(b, second.Close())
	assert.Equal(b, db.Position("p2"), b.applier(b.tgt).Position())
}

// testApplySealed seals the move while a transaction is open. Nothing may come after the takeover: the application
// writes to the target from then on, and an old change would overwrite its rows.
func testApplySealed(b *bench) {
	r := b.move(items())
	b.put(db.FactPosition, "p0")
	a := b.applier(b.tgt)
	b.apply(a, upserts(r, Values(1, "a", nil)))
	require.NoError(b, a.Commit(b.ctx, "p1"))
	b.apply(a, upserts(r, Values(2, "too late", nil)))
	pos, err := b.h.Reopen(b.T).Ledger().Seal(b.ctx, "taken over")
	require.NoError(b, err)
	assert.Equal(b, db.Position("p1"), pos)
	require.ErrorIs(b, a.Commit(b.ctx, "p2"), db.ErrSealed)
	b.holds(b.tgt, &r.Target, Values(1, "a", nil))
	// An idle applier commits positions too; that alone would be a sign of life after the takeover.
	require.ErrorIs(b, a.Commit(b.ctx, "p3"), db.ErrSealed, "nor the position alone")
	assert.Empty(b, b.fact(db.FactPosition))
	assert.Equal(b, "p1", b.fact(db.FactFinal))
	require.NoError(b, a.Close())
	_, err = b.tgt.NewApplier(b.ctx, db.ApplyOptions{})
	require.ErrorIs(b, err, db.ErrSealed)
	// A repair of a verify that is still running somewhere is as late as an applier.
	require.ErrorIs(b, b.tgt.Repair(b.ctx, upserts(r, Values(3, "too late", nil))), db.ErrSealed)
	b.holds(b.tgt, &r.Target, Values(1, "a", nil))
}

// testApplySealedWorkers is the same with several connections: none of them may have committed before the position's
// fails.
func testApplySealedWorkers(b *bench) {
	spec, rows, _ := composite()
	r := b.move(spec)
	b.put(db.FactPosition, "p0")
	a, err := b.tgt.NewApplier(b.ctx, db.ApplyOptions{Workers: 4})
	require.NoError(b, err)
	b.apply(a, upserts(r, rows...))
	_, err = b.h.Reopen(b.T).Ledger().Seal(b.ctx, "taken over")
	require.NoError(b, err)
	require.ErrorIs(b, a.Commit(b.ctx, "p1"), db.ErrSealed)
	require.NoError(b, a.Close())
	b.holds(b.tgt, &r.Target)
}

// testRepair writes rows beside an applier with an open transaction, twice. verify --repair runs while the move
// follows, so it must take no lock, move no position, and may be repeated after a lost answer.
func testRepair(b *bench) {
	r := b.move(items())
	b.put(db.FactPosition, "p0")
	a := b.applier(b.tgt)
	b.apply(a, upserts(r, Values(1, "a", 1), Values(2, "b", 2), Values(3, "c", 3)))
	require.NoError(b, a.Commit(b.ctx, "p1"))
	b.apply(a, upserts(r, Values(9, "open", nil)))
	// Rows 1 and 2 exchange their codes, row 3 goes, row 7 was never there.
	batch := upserts(r, Values(1, "mended", 2), Values(2, "mended", 1), Values(4, "new", 4))
	batch.Tables[0].Deletes = []db.Row{Values(3), Values(7)}
	for range 2 {
		require.NoError(b, b.h.Reopen(b.T).Repair(b.ctx, batch), "beside an applier, and a second time")
		b.holds(b.tgt, &r.Target, Values(1, "mended", 2), Values(2, "mended", 1), Values(4, "new", 4))
	}
	assert.Equal(b, "p1", b.fact(db.FactPosition))
	require.NoError(b, a.Commit(b.ctx, "p2"))
	b.holds(b.tgt, &r.Target, Values(1, "mended", 2), Values(2, "mended", 1), Values(4, "new", 4),
		Values(9, "open", nil))
}
