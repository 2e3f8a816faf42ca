package dbtest

import (
	"fmt"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// snapshot opens one on the source, waiting for whoever is in the way: ErrRetry is the one error that is allowed.
func (b *bench) snapshot(rel *route.Relation) db.Snapshot {
	b.Helper()
	var s db.Snapshot
	require.Eventually(b, func() bool {
		var err error
		if s, err = b.src.Snapshot(b.ctx, rel); err != nil {
			require.ErrorIs(b, err, db.ErrRetry)
		}
		return err == nil
	}, patience, time.Millisecond)
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// testSourceSnapshot takes a view and changes the table afterwards. The view must not change, however often it is
// read, and must fail once it is closed. The stream then passes over exactly what the view has.
func testSourceSnapshot(b *bench) {
	r := b.create(keyless())
	other := b.create(items())
	rows := []db.Row{Values(1, nil), Values(1, nil), Values(2, "b")}
	b.insert(r.Source.Name(), rows...)
	s := b.snapshot(&r.Source)
	assert.False(b, s.Position().IsZero())
	b.insert(r.Source.Name(), Values(3, "after"))
	b.insert(other.Source.Name(), Values(1, "other", nil))
	b.write(Write{Table: r.Source.Name(), Before: Values(2, "b")}) // the last before the next snapshot
	for range 2 {                                                  // a second reading shows the same rows
		b.snapshotHolds(s, &r.Source, rows...)
	}
	require.NoError(b, s.Close())
	require.NoError(b, s.Close(), "twice")
	_, err := s.Rows(b.ctx, &r.Source, db.Range{})
	require.Error(b, err, "closed")

	// Since is exact: of two tables in one log, each has its own.
	later := b.snapshot(&r.Source)
	b.insert(r.Source.Name(), Values(4, "last"))
	assert.Equal(b, []string{`+("3", "after")`, `-("2", "b")`, `+("4", "last")`}, b.changesSince(s.Position(), r, other,
		db.Since{r: s.Position()}))
	assert.Equal(b, []string{`+("4", "last")`}, b.changesSince(s.Position(), r, other, db.Since{r: later.Position()}))
	assert.Equal(b, []string{`+("4", "last")`}, b.changesSince(later.Position(), r, other, db.Since{r: s.Position()}),
		"older than the stream")
}

// snapshotHolds asserts that a snapshot has exactly the rows, in whatever order, by reading them and by its sum.
func (b *bench) snapshotHolds(s db.Snapshot, rel *route.Relation, want ...db.Row) {
	b.Helper()
	rows, err := s.Rows(b.ctx, rel, db.Range{})
	require.NoError(b, err)
	got, err := db.ReadAll(rows)
	require.NoError(b, err)
	assert.ElementsMatch(b, texts(want), texts(got))
	sum, err := s.Sum(b.ctx, rel, db.Range{})
	require.NoError(b, err)
	wanted, err := db.SumRows(&result{ctx: b.ctx, s: NewServer("sums"), rows: want})
	require.NoError(b, err)
	assert.Equal(b, wanted, sum)
}

// changesSince reads the changes of one of two routes after a position, up to the log's end. The other's must all be
// there.
func (b *bench) changesSince(from db.Position, r, other *route.Route, since db.Since) []string {
	b.Helper()
	end, err := b.src.Head(b.ctx)
	require.NoError(b, err)
	stream, err := b.src.Stream(b.ctx, from, []*route.Route{r, other}, since)
	require.NoError(b, err)
	defer func() { require.NoError(b, stream.Close()) }()
	var changes []string
	for {
		if done, err := b.src.Reached(stream.Position(), end); err != nil || done {
			require.NoError(b, err)
			return changes
		}
		part, err := stream.Next(b.ctx, time.Second)
		require.NoError(b, err)
		if part == nil {
			continue
		}
		for _, c := range part.Changes {
			if c.Route != r {
				continue
			}
			if c.Before != nil {
				changes = append(changes, "-"+show(c.Before))
			}
			if c.After != nil {
				changes = append(changes, "+"+show(c.After))
			}
		}
	}
}

// testSourceSnapshotExact has several clients commit while snapshots are taken. The rows of each snapshot, and the
// changes after its position, are together all changes, each once. Tables without a key are copied that way: a row
// too many or too few could not be found by a key later.
func testSourceSnapshotExact(b *bench) {
	const clients, each = 6, 12
	r := b.create(keyless())
	other := b.create(items())
	begin, err := b.src.SafePosition(b.ctx)
	require.NoError(b, err)
	stop := make(chan struct{})
	var writing sync.WaitGroup
	for c := range clients {
		writing.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				// Many short transactions: a snapshot that takes its rows and its position at two instants has one in
				// between sooner or later.
				writes := []Write{{Table: r.Source.Name(), After: Values(c, fmt.Sprint(i))}}
				if i%3 == 0 { // both tables in one transaction
					writes = append(writes, Write{Table: other.Source.Name(), After: Values(c*1_000_000+i, "x", nil)})
				}
				if !assert.NoError(b, b.try(b.ctx, writes...)) {
					return
				}
			}
		})
	}
	var snapshots []db.Snapshot
	for range each {
		snapshots = append(snapshots, b.snapshot(&r.Source))
	}
	close(stop)
	writing.Wait()
	all := texts(b.rows(b.src, &r.Source, db.Range{}))
	for i, s := range snapshots {
		rows, err := s.Rows(b.ctx, &r.Source, db.Range{})
		require.NoError(b, err)
		shown, err := db.ReadAll(rows)
		require.NoError(b, err)
		got := texts(shown)
		for _, change := range b.changesSince(begin, r, other, db.Since{r: s.Position()}) {
			got = append(got, change[1:])
		}
		require.ElementsMatch(b, all, got, "snapshot %d at %s of %d rows", i, s.Position(), len(shown))
		require.NoError(b, s.Close())
	}
}

// testTargetSnapshot takes a view of the target, whose position must be the one that was committed with its rows:
// verify compares it with the source as of that position.
func testTargetSnapshot(b *bench) {
	r := b.move(keyless())
	// Before the move has a position there is none to return, and rows can be read all the same.
	none, err := b.tgt.Snapshot(b.ctx)
	require.NoError(b, err)
	assert.True(b, none.Position().IsZero())
	require.NoError(b, none.Close())
	b.put(db.FactPosition, "p0")
	a := b.applier(b.tgt)
	b.apply(a, upserts(r, Values(1, "a"), Values(1, "a")))
	require.NoError(b, a.Commit(b.ctx, "p1"))
	s, err := b.tgt.Snapshot(b.ctx)
	require.NoError(b, err)
	b.Cleanup(func() { _ = s.Close() })
	b.apply(a, upserts(r, Values(2, nil)))
	require.NoError(b, a.Commit(b.ctx, "p2"))
	assert.Equal(b, db.Position("p1"), s.Position())
	b.snapshotHolds(s, &r.Target, Values(1, "a"), Values(1, "a"))
	require.NoError(b, s.Close())
	s, err = b.tgt.Snapshot(b.ctx)
	require.NoError(b, err)
	b.Cleanup(func() { _ = s.Close() })
	assert.Equal(b, db.Position("p2"), s.Position())
	b.snapshotHolds(s, &r.Target, Values(1, "a"), Values(1, "a"), Values(2, nil))
}

// testLoadSnapshot loads a table without a key from a snapshot and streams from there: the ledger keeps the
// snapshot's position with the chunk, so a later process passes over the same changes.
func testLoadSnapshot(b *bench) {
	r := b.move(keyless())
	b.insert(r.Source.Name(), Values(1, nil), Values(1, nil))
	require.NoError(b, b.tgt.Ledger().Create(b.ctx), "again")
	require.NoError(b, b.tgt.Ledger().Plan(b.ctx, db.Chunk{}, r.Source.Name()))
	s := b.snapshot(&r.Source)
	b.insert(r.Source.Name(), Values(2, "after"))
	loaded, err := b.tgt.Load(b.ctx, s, r, db.Chunk{Position: s.Position()})
	require.NoError(b, err)
	assert.EqualValues(b, 2, loaded.Rows)
	b.holds(b.tgt, &r.Target, Values(1, nil), Values(1, nil))
	chunks, err := b.tgt.Ledger().Chunks(b.ctx, r.Source.Name())
	require.NoError(b, err)
	assert.Equal(b, []db.Chunk{{Done: true, Rows: 2, Position: s.Position(), Seen: s.Position()}}, chunks)
	// A second snapshot has other rows and another position. The chunk must keep those of the first.
	again := b.snapshot(&r.Source)
	_, err = b.tgt.Load(b.ctx, again, r, db.Chunk{Position: again.Position()})
	require.ErrorIs(b, err, db.ErrChunkDone)
	// A later process knows the snapshot's position only from the ledger.
	wrapped := db.FromSnapshots(b.src, b.tgt.Ledger())
	stream, err := wrapped.Stream(b.ctx, s.Position(), []*route.Route{r}, nil)
	require.NoError(b, err)
	defer func() { require.NoError(b, stream.Close()) }()
	part, err := stream.Next(b.ctx, time.Minute)
	require.NoError(b, err)
	require.NotNil(b, part)
	require.Len(b, part.Changes, 1)
	assert.Equal(b, show(Values(2, "after")), show(part.Changes[0].After))
}
