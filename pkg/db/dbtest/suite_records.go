package dbtest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// testRecords records tables that are still to be copied. If such a table is recorded anew, its chunks are forgotten:
// their bounds are of other rows. If a schema change is recorded with the applier's transaction, they stay: what is
// copied was altered on the target. A rollback undoes the record too.
func testRecords(b *bench) {
	r := b.move(items())
	n, ledger := r.Source.Name(), b.tgt.Ledger()
	b.put(db.FactPosition, "file=x.000001:4")
	record := func(comment string) []db.Record {
		shape := *r.Source.Table
		shape.Comment = comment
		return []db.Record{{Source: n, Target: r.Target.Name(), Shape: &shape, Copy: true}}
	}
	holds := func(comment string, chunks int) {
		b.Helper()
		records, err := ledger.Records(b.ctx)
		require.NoError(b, err)
		require.Len(b, records, 1)
		assert.Equal(b, comment, records[0].Shape.Comment)
		assert.Len(b, b.chunks(n), chunks)
	}
	require.NoError(b, ledger.Amend(b.ctx, record("first"), nil))
	require.NoError(b, ledger.Plan(b.ctx, db.Chunk{}, n))
	require.NoError(b, ledger.Put(b.ctx, db.FactChange, "{}"))
	holds("first", 1)

	a := b.applier(b.tgt)
	// A record commits with the position or not at all: it says which shape the log's rows have from there on.
	require.NoError(b, a.Amend(b.ctx, record("dropped"), nil))
	require.NoError(b, a.Rollback(b.ctx))
	holds("first", 1)
	require.NoError(b, a.Amend(b.ctx, record("changed"), nil))
	require.NoError(b, a.Commit(b.ctx, "file=x.000001:5"))
	holds("changed", 1)
	change, err := ledger.Get(b.ctx, db.FactChange)
	require.NoError(b, err)
	// FactChange says that a schema change is under way. It goes with the transaction that records the result.
	assert.Empty(b, change, "the change is made")

	require.NoError(b, ledger.Amend(b.ctx, record("anew"), nil))
	holds("anew", 0)
	require.NoError(b, ledger.Plan(b.ctx, db.Chunk{}, n))
	require.NoError(b, a.Amend(b.ctx, nil, []schema.Name{n}))
	require.NoError(b, a.Commit(b.ctx, "file=x.000001:6"))
	records, err := ledger.Records(b.ctx)
	require.NoError(b, err)
	assert.Empty(b, records)
	assert.Empty(b, b.chunks(n), "of a table that is gone")
}
