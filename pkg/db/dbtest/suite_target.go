package dbtest

import (
	"context"
	"errors"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

func (b *bench) fact(name string) string {
	b.Helper()
	value, err := b.tgt.Ledger().Get(b.ctx, name)
	require.NoError(b, err)
	return value
}

func (b *bench) put(name, value string) {
	b.Helper()
	require.NoError(b, b.tgt.Ledger().Put(b.ctx, name, value))
}

func (b *bench) chunks(table schema.Name) []db.Chunk {
	b.Helper()
	chunks, err := b.tgt.Ledger().Chunks(b.ctx, table)
	require.NoError(b, err)
	return chunks
}

// testFacts puts and reads facts: any text of any length, visible to another process, kept when the bookkeeping is
// created once more, gone when it is dropped. Reading one without bookkeeping is no error.
func testFacts(b *bench) {
	l := b.target().Ledger()
	// status asks for facts before a move has begun.
	assert.Empty(b, b.fact("absent"), "there is no bookkeeping yet")
	require.NoError(b, l.Create(b.ctx))
	require.NoError(b, l.Create(b.ctx), "creating twice")
	assert.Empty(b, b.fact("absent"))
	for _, value := range []string{"1", `it's "quoted" \ back`, "žluťoučký 🐎\n", strings.Repeat("long ", 40000), "2"} {
		b.put("name", value)
		assert.Equal(b, value, b.fact("name"))
	}
	require.NoError(b, l.Create(b.ctx))
	assert.Equal(b, "2", b.fact("name"), "creating it a second time keeps facts")
	got, err := b.h.Reopen(b.T).Ledger().Get(b.ctx, "name")
	require.NoError(b, err)
	assert.Equal(b, "2", got, "as another process sees it")
	require.NoError(b, l.Drop(b.ctx))
	assert.Empty(b, b.fact("name"))
	require.NoError(b, l.Create(b.ctx))
	assert.Empty(b, b.fact("name"))
}

// testChunks records chunks in any order, with bounds of any bytes, under an odd table name. A bound that is nil
// (open) must not come back as an empty key, and recording a chunk twice must not change it: rows may have been
// copied by it.
func testChunks(b *bench) {
	l := b.target().Ledger()
	require.NoError(b, l.Create(b.ctx))
	table, other := name(`odd "name" it's`), name("other")
	assert.Empty(b, b.chunks(table))
	begun := func() []bool {
		begun, err := l.Begun(b.ctx)
		require.NoError(b, err)
		return []bool{begun(table), begun(other), begun(name("none"))}
	}
	assert.Equal(b, []bool{false, false, false}, begun())
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	want := []db.Chunk{
		{Number: 0, Range: db.Range{Upto: Values(-5, "")}},
		{Number: 1, Range: db.Range{After: Values(-5, ""), Upto: Values(every, "žluť 🐎")}},
		{Number: 2, Range: db.Range{After: Values(every, "žluť 🐎"), Upto: Values("7:a", "~")}},
		{Number: 3, Range: db.Range{After: Values("7:a", "~")}},
	}
	// Workers record chunks as they cut them, and several at a time.
	for _, i := range []int{2, 0, 3, 1} {
		require.NoError(b, l.Plan(b.ctx, want[i], table))
	}
	assert.Equal(b, []bool{true, false, false}, begun())
	require.NoError(b, l.Plan(b.ctx, db.Chunk{}, other))
	assert.Equal(b, []bool{true, true, false}, begun())
	assert.Equal(b, want, b.chunks(table), "in order of number, nil bounds nil")
	assert.Equal(b, []db.Chunk{{}}, b.chunks(other))
	require.NoError(b, l.Plan(b.ctx, want[1], table), "a chunk that is planned already")
	assert.Equal(b, want, b.chunks(table))
}

// testBegin records the start twice: the first one stays. With the later one, changes between the two would be lost.
func testBegin(b *bench) {
	l := b.target().Ledger()
	require.NoError(b, l.Create(b.ctx))
	for _, start := range []db.Position{"first", "second"} {
		got, err := l.Begin(b.ctx, start)
		require.NoError(b, err)
		assert.Equal(b, db.Position("first"), got, "the first start stays")
		assert.Equal(b, "first", b.fact(db.FactStart))
		assert.Equal(b, "first", b.fact(db.FactPosition))
	}
	b.put(db.FactPosition, "later")
	got, err := b.h.Reopen(b.T).Ledger().Begin(b.ctx, "third")
	require.NoError(b, err)
	assert.Equal(b, db.Position("first"), got)
	assert.Equal(b, "later", b.fact(db.FactPosition), "the position stays where it is")
}

// testSeal seals twice, with the same answer: a cutover that lost the answer asks again. Nothing can be opened
// afterwards.
func testSeal(b *bench) {
	l := b.target().Ledger()
	require.NoError(b, l.Create(b.ctx))
	_, err := l.Seal(b.ctx, "too early")
	require.Error(b, err, "without a position nothing can be sealed")
	assert.Empty(b, b.fact(db.FactCutover))
	b.put(db.FactPosition, "here")
	var returns []string
	for _, record := range []string{"first", "second"} {
		pos, err := l.Seal(b.ctx, record)
		require.NoError(b, err)
		assert.Equal(b, db.Position("here"), pos)
		assert.Equal(b, "first", b.fact(db.FactCutover), "the first record stays")
		assert.Equal(b, "here", b.fact(db.FactFinal))
		assert.Empty(b, b.fact(db.FactPosition))
		returns = append(returns, b.fact(db.FactReturn))
	}
	// The way back begins at that place. A later end would leave out what applications have written in between.
	assert.Equal(b, returns[0], returns[1], "the first end of the log stays")
	_, err = b.tgt.NewApplier(b.ctx, db.ApplyOptions{})
	require.ErrorIs(b, err, db.ErrSealed)
	// Another process, which knows nothing of the seal, must find it.
	_, err = b.h.Reopen(b.T).NewApplier(b.ctx, db.ApplyOptions{})
	require.ErrorIs(b, err, db.ErrSealed)
}

// broken is a reader whose rows fail after some, as when the source is lost in the middle of a chunk.
type broken struct {
	db.Reader
	after int
}

var errBroken = errors.New("the reader is broken")

func (r broken) Rows(ctx context.Context, rel *route.Relation, rng db.Range) (db.Rows, error) {
	rows, err := r.Reader.Rows(ctx, rel, rng)
	return &brokenRows{rows, r.after}, err
}

type brokenRows struct {
	db.Rows
	left int
}

func (r *brokenRows) Next() (db.Row, error) {
	if r.left--; r.left < 0 {
		return nil, errBroken
	}
	return r.Rows.Next()
}

// testLoad loads chunks, with every kind of failure before: not planned, other bounds, rows that break off, a
// cancelled context. Each must leave the table and the chunk's record as they were. A chunk that is done is not
// loaded twice, by another process either.
func testLoad(b *bench) {
	spec, rows, _ := composite()
	r := b.move(spec)
	b.insert(spec.Name, rows...)
	bound, err := b.src.Bound(b.ctx, &r.Source, nil, 20)
	require.NoError(b, err)
	chunks := []db.Chunk{{Number: 0, Range: db.Range{Upto: bound}}, {Number: 1, Range: db.Range{After: bound}}}
	_, err = b.tgt.Load(b.ctx, b.src, r, chunks[0])
	require.Error(b, err, "a chunk that was not planned")
	b.holds(b.tgt, &r.Target)
	for _, c := range chunks {
		require.NoError(b, b.tgt.Ledger().Plan(b.ctx, c, spec.Name))
	}
	for _, elsewhere := range []db.Chunk{{Number: 0}, {Number: 1, Range: db.Range{After: Values(0, "")}}, {Number: 1}} {
		_, err = b.tgt.Load(b.ctx, b.src, r, elsewhere)
		require.ErrorIs(b, err, db.ErrLocked, "a chunk that is recorded with other bounds")
	}
	b.holds(b.tgt, &r.Target)
	// The reader fails at the first row, in the middle, before the last, and after the last but before the end: then
	// all rows have been sent, and still nothing may be committed.
	for _, after := range []int{0, 1, 19, 20} {
		_, err = b.tgt.Load(b.ctx, broken{b.src, after}, r, chunks[0])
		require.ErrorIs(b, err, errBroken)
		b.holds(b.tgt, &r.Target)
		assert.False(b, b.chunks(spec.Name)[0].Done)
	}
	ended, cancel := context.WithCancel(b.ctx)
	cancel()
	_, err = b.tgt.Load(ended, b.src, r, chunks[0])
	require.ErrorIs(b, err, context.Canceled)

	loaded, err := b.tgt.Load(b.ctx, b.src, r, chunks[0])
	require.NoError(b, err)
	assert.Equal(b, int64(20), loaded.Rows)
	assert.Positive(b, loaded.Bytes)
	b.holds(b.tgt, &r.Target, b.rows(b.src, &r.Source, chunks[0].Range)...)
	got := b.chunks(spec.Name)
	assert.True(b, got[0].Done)
	assert.Equal(b, int64(20), got[0].Rows)
	assert.Equal(b, chunks[0].Range, got[0].Range)
	assert.False(b, got[1].Done)
	require.NoError(b, b.tgt.Ledger().Plan(b.ctx, chunks[0], spec.Name))
	assert.True(b, b.chunks(spec.Name)[0].Done, "planning a chunk that is done changes nothing")

	for _, t := range []db.Target{b.tgt, b.h.Reopen(b.T)} {
		_, err = t.Load(b.ctx, b.src, r, chunks[0])
		require.ErrorIs(b, err, db.ErrChunkDone)
	}
	_, err = b.tgt.Load(b.ctx, b.src, r, chunks[1])
	require.NoError(b, err)
	b.holds(b.tgt, &r.Target, rows...)
}

// testLoadDuplicate has a row with the key of a new one on the target. It is not from this chunk, so it is somebody
// else's: the load must fail and not overwrite it.
func testLoadDuplicate(b *bench) {
	r := b.move(items())
	n := r.Source.Name()
	b.insert(n, Values(1, "a", 1), Values(2, "b", 2), Values(3, "c", 3))
	b.put(db.FactPosition, "start")
	a := b.applier(b.tgt)
	b.apply(a, upserts(r, Values(2, "already there", nil)))
	require.NoError(b, a.Commit(b.ctx, "start"))
	require.NoError(b, b.tgt.Ledger().Plan(b.ctx, db.Chunk{}, n))
	_, err := b.tgt.Load(b.ctx, b.src, r, db.Chunk{})
	require.Error(b, err, "a row in the way is never passed over")
	b.holds(b.tgt, &r.Target, Values(2, "already there", nil))
	assert.False(b, b.chunks(n)[0].Done)
}

// cutAt plans chunks of a table that end at the given keys, and the one above them. Together they are the whole
// table.
func (b *bench) cutAt(table schema.Name, keys ...int) (chunks []db.Chunk) {
	b.Helper()
	for i := range len(keys) + 1 {
		c := db.Chunk{Number: i}
		if i > 0 {
			c.Range.After = chunks[i-1].Range.Upto
		}
		if i < len(keys) {
			c.Range.Upto = Values(keys[i])
		}
		require.NoError(b, b.tgt.Ledger().Plan(b.ctx, c, table))
		chunks = append(chunks, c)
	}
	return chunks
}

// testLoadDisplaces moves a unique value from a row that is loaded to one that is not, and the other way round, while
// the copy runs. Both versions of the value were valid on the source, at different times. The older one must give
// way; the replay writes its row anew.
func testLoadDisplaces(b *bench) {
	r := b.move(items())
	n := r.Source.Name()
	b.insert(n, Values(1, "a", 1), Values(2, "b", 2), Values(3, "c", 3), Values(4, "d", nil), Values(5, "e", nil))
	chunks := b.cutAt(n, 2, 4)
	load := func(i int) db.Loaded {
		b.Helper()
		loaded, err := b.tgt.Load(b.ctx, b.src, r, chunks[i])
		require.NoError(b, err)
		return loaded
	}
	assert.Zero(b, load(0).Displaced)
	b.write(
		Write{n, Values(1, "a", 1), Values(1, "a", 9)}, Write{n, Values(3, "c", 3), Values(3, "c", 1)},
		Write{n, Values(2, "b", 2), Values(2, "b", nil)}, Write{n, Values(4, "d", nil), Values(4, "d", 2)},
	)
	loaded := load(1)
	assert.Equal(b, int64(2), loaded.Rows)
	assert.Equal(b, int64(2), loaded.Displaced)
	b.holds(b.tgt, &r.Target, Values(3, "c", 1), Values(4, "d", 2))
	loaded = load(2)
	assert.Equal(b, int64(1), loaded.Rows)
	assert.Zero(b, loaded.Displaced, "NULL displaces nothing")
	b.holds(b.tgt, &r.Target, Values(3, "c", 1), Values(4, "d", 2), Values(5, "e", nil))
	for i, c := range b.chunks(n) {
		assert.Equal(b, []int64{2, 2, 1}[i], c.Rows, "what was loaded, whatever gave way")
	}
}

// testLoadDisplacesTwice has one row displace two, by one unique index each, and one row displace another by both
// indexes: it must count as one.
func testLoadDisplacesTwice(b *bench) {
	spec := items()
	spec.Unique = append(spec.Unique, "other")
	spec.Columns = append(spec.Columns, ColumnSpec{Name: "other", Kind: schema.Integer})
	r := b.move(spec)
	n := r.Source.Name()
	var before []db.Row
	for i := range 5 {
		before = append(before, Values(i+1, "", i+1, i+1))
	}
	b.insert(n, before...)
	chunks := b.cutAt(n, 3)
	_, err := b.tgt.Load(b.ctx, b.src, r, chunks[0])
	require.NoError(b, err)
	b.write(
		Write{n, before[0], nil}, Write{n, before[1], nil}, Write{n, before[2], nil},
		Write{n, before[3], Values(4, "", 1, 2)}, Write{n, before[4], Values(5, "", 3, 3)},
	)
	loaded, err := b.tgt.Load(b.ctx, b.src, r, chunks[1])
	require.NoError(b, err)
	assert.Equal(b, int64(3), loaded.Displaced)
	b.holds(b.tgt, &r.Target, Values(4, "", 1, 2), Values(5, "", 3, 3))
}

// testLoadConcurrent has every chunk loaded by two of four goroutines. One of each pair must get ErrChunkDone, and
// every row must be there once.
func testLoadConcurrent(b *bench) {
	const chunks, size = 24, 50
	r := b.move(items())
	var rows []db.Row
	for i := range chunks * size {
		rows = append(rows, Values(i-100, "label", i))
	}
	b.insert(r.Source.Name(), rows...)
	var planned []db.Chunk
	for i := range chunks {
		c := db.Chunk{Number: i}
		if i > 0 {
			c.Range.After = planned[i-1].Range.Upto
		}
		if i < chunks-1 {
			bound, err := b.src.Bound(b.ctx, &r.Source, c.Range.After, size)
			require.NoError(b, err)
			c.Range.Upto = bound
		}
		require.NoError(b, b.tgt.Ledger().Plan(b.ctx, c, r.Source.Name()))
		planned = append(planned, c)
	}
	work := make(chan db.Chunk, 2*chunks)
	for _, c := range planned {
		work <- c
		work <- c
	}
	close(work)
	results := make([]int64, 4)
	var group errgroup.Group
	for g := range results {
		group.Go(func() error {
			for c := range work {
				loaded, err := b.tgt.Load(b.ctx, b.src, r, c)
				for errors.Is(err, db.ErrRetry) {
					loaded, err = b.tgt.Load(b.ctx, b.src, r, c)
				}
				switch {
				case err == nil:
					results[g] += loaded.Rows
				case !errors.Is(err, db.ErrChunkDone):
					return err
				}
			}
			return nil
		})
	}
	require.NoError(b, group.Wait())
	assert.Equal(b, int64(len(rows)), results[0]+results[1]+results[2]+results[3])
	b.holds(b.tgt, &r.Target, rows...)
	for _, c := range b.chunks(r.Source.Name()) {
		assert.True(b, c.Done)
		assert.Equal(b, int64(size), c.Rows)
	}
}

// testCreate makes tables by keys only, then their indexes, then their foreign keys, as the phases do, and compares
// each state with the plan. A table that is there must never be replaced, and what is complete must need no further
// statement.
func testCreate(b *bench) {
	parent := items()
	parent.Columns[0].Automatic = true
	child := Spec{
		Name: name("child"), Key: []string{"a", "b"}, Unique: []string{"u"}, Index: []string{"b"}, Parent: parent.Name,
		ParentKey: "id",
		Columns: []ColumnSpec{
			{Name: "b", Kind: schema.Varchar},
			{Name: "a", Kind: schema.Varbinary},
			{Name: "u", Kind: schema.Varchar, Null: true},
			{Name: "id", Kind: schema.Integer, Null: true},
		},
	}
	d := b.target().Dialect()
	require.NoError(b, b.tgt.Ledger().Create(b.ctx))
	b.execute(d.CreateDatabase(TargetDatabase, ""))
	b.execute(d.CreateDatabase(TargetDatabase, "")) // there already
	plans := []*schema.Table{b.plan(b.create(parent).Source.Table), b.plan(b.create(child).Source.Table)}
	for _, plan := range plans {
		b.execute(d.CreateTable(plan, true)...)
		require.Error(b, b.tgt.Execute(b.ctx, d.CreateTable(plan, true)[0]), "a table that is there is never replaced")
		got := b.describe(b.tgt, plan.Name)
		assert.Empty(b, d.Differences(plan, got, false, false), "keys only")
		// A comparison that finds nothing would be worthless: it must find what is known to be missing.
		assert.NotEmpty(b, d.Differences(plan, got, true, false), "the indexes are still to come")
	}
	for _, plan := range plans {
		b.execute(d.AddIndexes(plan, b.describe(b.tgt, plan.Name))...)
		got := b.describe(b.tgt, plan.Name)
		assert.Empty(b, d.Differences(plan, got, true, false))
		assert.Empty(b, d.AddIndexes(plan, got), "nothing is left to add")
	}
	assert.Empty(b, d.AddForeignKeys(plans[0], b.describe(b.tgt, plans[0].Name)))
	assert.NotEmpty(b, d.Differences(plans[1], b.describe(b.tgt, plans[1].Name), true, true))
	b.execute(d.AddForeignKeys(plans[1], b.describe(b.tgt, plans[1].Name))...)
	for _, plan := range plans {
		got := b.describe(b.tgt, plan.Name)
		assert.Empty(b, d.Differences(plan, got, true, true))
		assert.Empty(b, d.AddForeignKeys(plan, got))
	}
	assert.NotEmpty(b, d.Differences(plans[0], b.describe(b.tgt, plans[1].Name), false, false), "another table")
	// A server may show the next automatic value only once it was used, so 0 is right too.
	b.execute(d.SetAutoIncrement(plans[0], 1000))
	assert.Contains(b, []uint64{0, 1000}, b.describe(b.tgt, plans[0].Name).AutoIncrement)
	assert.Empty(b, d.SetAutoIncrement(plans[1], 1000))
}
