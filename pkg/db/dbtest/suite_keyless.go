package dbtest

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// bags are tables without a key: without any index, with a plain one, and with a unique one that NULLs repeat.
// Engines may find rows by an index where there is one: all three ways must agree.
func bags() []Spec {
	plain := keyless()
	indexed := keyless()
	indexed.Name, indexed.Index = name("keyless_indexed"), []string{"b"}
	unique := keyless()
	unique.Name, unique.Unique = name("keyless_unique"), []string{"u"}
	unique.Columns = append(unique.Columns, ColumnSpec{Name: "u", Kind: schema.Integer, Null: true})
	return []Spec{plain, indexed, unique}
}

// wide makes rows of a bag's spec: columns beyond the given ones are NULL.
func wide(spec Spec, rows ...db.Row) []db.Row {
	out := make([]db.Row, len(rows))
	for i, row := range rows {
		out[i] = append(slices.Clone(row), make(db.Row, len(spec.Columns)-len(row))...)
	}
	return out
}

// bag moves a table and fills the target's. Its indexes are made before, as they are for tables that were there
// already.
func (b *bench) bag(spec Spec, a db.Applier, rows ...db.Row) *route.Route {
	b.Helper()
	r := b.move(spec)
	if lacking := b.tgt.Dialect().AddIndexes(r.Target.Table, b.describe(b.tgt, r.Target.Name())); len(lacking) > 0 {
		b.execute(lacking...)
		r = b.route(r.Source.Table)
	}
	b.apply(a, upserts(r, rows...))
	require.NoError(b, a.Commit(b.ctx, "filled"))
	b.holds(b.tgt, &r.Target, rows...)
	return r
}

// lead opens an applier before there are tables: it is the move's, and the cases make one table after the other.
func (b *bench) lead(workers int) db.Applier {
	b.Helper()
	require.NoError(b, b.target().Ledger().Create(b.ctx))
	b.put(db.FactPosition, "p0")
	a, err := b.tgt.NewApplier(b.ctx, db.ApplyOptions{Workers: workers})
	require.NoError(b, err)
	b.Cleanup(func() { _ = a.Close() })
	return a
}

// testKeylessBytes has rows that collations call equal ('a', 'A', 'a '), and texts that a careless encoding would
// confuse with NULL. Only the right one may go: on the source the others are still there.
func testKeylessBytes(b *bench) {
	a := b.lead(1)
	for _, spec := range bags() {
		rows := wide(spec, Values(1, "a"), Values(1, "A"), Values(1, "a "), Values(1, "ä"), Values(1, ""),
			Values(1, nil), Values(nil, nil),
			Values(nil, ""), Values(1, "NULL"), Values(1, "~"), Values(1, `\`), Values(1, "'"), Values(1, "x\x00"),
			Values(1, "x"), Values(11, ""))
		var unheld []db.Row
		if b.h.NoZero {
			unheld = slices.DeleteFunc(slices.Clone(rows), func(row db.Row) bool {
				return !bytes.Contains(row[1],
					[]byte{0})
			})
			rows = slices.DeleteFunc(rows, func(row db.Row) bool { return bytes.Contains(row[1], []byte{0}) })
		}
		r := b.bag(spec, a, rows...)
		for _, row := range unheld {
			_, err := a.Apply(b.ctx, upserts(r, row))
			require.ErrorIs(b, err, db.ErrUnsupported)
			require.ErrorContains(b, err, "column b")
			require.NoError(b, a.Rollback(b.ctx))
		}
		left := slices.Clone(rows)
		for len(left) > 0 { // one by one, from the middle outwards; then together
			at := len(left) / 2
			applied := b.apply(a, deletes(r, left[at]))
			assert.Equal(b, db.Applied{Deleted: 1}, applied)
			require.NoError(b, a.Commit(b.ctx, "one"))
			left = slices.Delete(left, at, at+1)
			b.holds(b.tgt, &r.Target, left...)
		}
		// Twice each, of which one copy of each goes in a single batch: what collations call equal is then looked for
		// together.
		b.apply(a, upserts(r, append(slices.Clone(rows), rows...)...))
		b.apply(a, deletes(r, rows...))
		require.NoError(b, a.Commit(b.ctx, "together"))
		b.holds(b.tgt, &r.Target, rows...)
	}
}

// testKeylessCopies removes some of many copies, of many rows in one batch. Engines may remove all copies and write
// the rest again, or remove one by one, depending on how many there are: the result must be the same.
func testKeylessCopies(b *bench) {
	a := b.lead(1)
	for _, spec := range bags() {
		var rows, gone, left []db.Row
		for i := range 40 {
			copies, remove := 1+i%5, i%4
			if i == 7 {
				copies, remove = 250, 3 // too many to write them again
			}
			for n := range copies {
				row := wide(spec, Values(i/2, fmt.Sprintf("row %d", i)))[0]
				rows = append(rows, row)
				if n < remove {
					gone = append(gone, row)
				} else {
					left = append(left, row)
				}
			}
		}
		r := b.bag(spec, a, rows...)
		applied := b.apply(a, deletes(r, gone...))
		assert.Equal(b, db.Applied{Deleted: int64(len(gone))}, applied)
		require.NoError(b, a.Commit(b.ctx, "removed"))
		b.holds(b.tgt, &r.Target, left...)
	}
}

// testKeylessLacking asks to remove what the target does not hold. With a key an absent row is only counted; without
// one it means that the ends differ, which must stop the move. Nothing may be removed then, and the error names table
// and row.
func testKeylessLacking(b *bench) {
	a := b.lead(1)
	for _, spec := range bags() {
		rows := wide(spec, Values(1, "a"), Values(1, "a"), Values(2, nil))
		r := b.bag(spec, a, rows...)
		for _, gone := range [][]db.Row{
			wide(spec, Values(1, "A")),
			wide(spec, Values(1, "a"), Values(1, "a"), Values(1, "a")),
			wide(spec, Values(2, nil), Values(1, "a"), Values(3, nil), Values(4, nil)),
		} {
			_, err := a.Apply(b.ctx, deletes(r, gone...))
			require.ErrorIs(b, err, db.ErrUnsupported)
			require.ErrorContains(b, err, r.Target.Name().Table, "the table is named")
			require.NoError(b, a.Rollback(b.ctx))
			b.holds(b.tgt, &r.Target, rows...)
		}
		// An operator has to find the row, so the message shows its values.
		_, err := a.Apply(b.ctx, deletes(r, wide(spec, Values(77, "who"))...))
		require.ErrorContains(b, err, "77")
		require.ErrorContains(b, err, "who", "the row is named")
		require.NoError(b, a.Rollback(b.ctx))
	}
}

// testKeylessPieces applies a transaction in several batches, also by several workers: the second removes what the
// first has added. Rows without a key must go through one connection, or that removal would not see them.
func testKeylessPieces(b *bench) {
	a := b.lead(3)
	for _, spec := range bags() {
		rows := wide(spec, Values(1, "a"), Values(1, "a"), Values(2, nil), Values(3, "c"))
		r := b.bag(spec, a, rows...)
		pieces := func() {
			b.apply(a, &db.Batch{Tables: []db.TableBatch{{
				Route: r, Deletes: rows[1:3], Expect: 2,
				Upserts: wide(spec, Values(4, "new"), Values(4, "new")),
			}}})
			b.apply(a, &db.Batch{Tables: []db.TableBatch{{
				Route: r, Deletes: wide(spec, Values(4, "new")), Expect: 1,
				Upserts: rows[1:2],
			}}})
		}
		pieces()
		require.NoError(b, a.Rollback(b.ctx))
		b.holds(b.tgt, &r.Target, rows...)
		pieces()
		require.NoError(b, a.Commit(b.ctx, "pieces"))
		b.holds(b.tgt, &r.Target, wide(spec, Values(1, "a"), Values(1, "a"), Values(3, "c"), Values(4, "new"))...)
	}
}

// testKeylessUnique hands a unique value from row to row within one batch. Without a key nothing gives way: a row
// that is in the way and not in the batch belongs there, so the write must fail.
func testKeylessUnique(b *bench) {
	a := b.lead(1)
	spec := bags()[2]
	r := b.bag(spec, a, Values(1, "a", 1), Values(2, "b", 2), Values(1, "a", nil), Values(1, "a", nil))
	b.apply(a, &db.Batch{Tables: []db.TableBatch{{
		Route: r, Deletes: []db.Row{Values(1, "a", 1), Values(2, "b", 2), Values(1, "a", nil)}, Expect: 3,
		Upserts: []db.Row{Values(1, "a", 2), Values(2, "b", 1)},
	}}})
	require.NoError(b, a.Commit(b.ctx, "swapped"))
	b.holds(b.tgt, &r.Target, Values(1, "a", 2), Values(2, "b", 1), Values(1, "a", nil))
	_, err := a.Apply(b.ctx, upserts(r, Values(9, nil, 1)))
	require.Error(b, err, "a row never gives way to another")
	require.NoError(b, a.Rollback(b.ctx))
}
