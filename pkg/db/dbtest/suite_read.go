package dbtest

import (
	"slices"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// testTables describes tables: order of names, columns, keys in the order of the key, foreign keys, and a shape that
// changes with the definition and not with the rows.
func testTables(b *bench) {
	b.source()
	parent := items()
	child := Spec{
		Name: name("child"), Key: []string{"b", "a"}, Parent: parent.Name, ParentKey: "id",
		Columns: []ColumnSpec{
			{Name: "a", Kind: schema.Integer},
			{Name: "b", Kind: schema.Varchar},
			{Name: "id", Kind: schema.Integer, Null: true},
			{Name: "raw", Kind: schema.Varbinary, Null: true},
		},
	}
	require.NoError(b, b.w.Create(b.ctx, parent))
	require.NoError(b, b.w.Create(b.ctx, child))
	tables, err := b.src.Tables(b.ctx, func(n schema.Name) bool { return n.Database == SourceDatabase })
	require.NoError(b, err)
	require.Len(b, tables, 2)
	assert.True(b, slices.IsSortedFunc(tables, func(x, y *schema.Table) int {
		return strings.Compare(x.Name.String(), y.Name.String())
	}), "in name order")
	got := tables[0]
	require.Equal(b, child.Name, got.Name)
	require.Len(b, got.Columns, len(child.Columns))
	for i, want := range child.Columns {
		assert.Equal(b, want.Name, got.Columns[i].Name)
		assert.Equal(b, want.Kind, got.Columns[i].Type.Kind, want.Name)
		assert.Equal(b, want.Null, got.Columns[i].Nullable, want.Name)
	}
	assert.Equal(b, []int{1, 0}, got.Key(), "columns of the key, in its order")
	require.Len(b, got.ForeignKeys, 1)
	assert.Equal(b, parent.Name, got.ForeignKeys[0].Parent)
	assert.Equal(b, []string{"id"}, got.ForeignKeys[0].Columns)
	assert.True(b, tables[1].OtherUnique())
	assert.False(b, got.OtherUnique())
	// The copy compares shapes to find out whether a table was altered meanwhile.
	shape := got.Shape()
	b.insert(parent.Name, Values(1, "x", 1))
	assert.Equal(b, shape, b.describe(b.src, child.Name).Shape(), "rows do not change a shape")
	require.NoError(b, b.w.AddColumn(b.ctx, child.Name, "added"))
	assert.NotEqual(b, shape, b.describe(b.src, child.Name).Shape())

	sizes, err := b.src.Sizes(b.ctx, []schema.Name{tables[0].Name, {Database: SourceDatabase, Table: "no_such_table"}})
	require.NoError(b, err)
	require.Len(b, sizes, 1, "only of tables that are there")
	none, err := b.src.Tables(b.ctx, func(schema.Name) bool { return false })
	require.NoError(b, err)
	assert.Empty(b, none)
}

// composite is a table whose key has two columns of different kinds, in another order than the columns. It returns
// rows, and a key that none of them has. The values are those that break encodings: every byte, quotes, backslashes,
// tabs, text beyond ASCII, the limits of 64 bits.
func composite() (Spec, []db.Row, db.Row) {
	spec := Spec{
		Name: name("composite"), Key: []string{"s", "n"},
		Columns: []ColumnSpec{
			{Name: "n", Kind: schema.Integer},
			{Name: "raw", Kind: schema.Varbinary, Null: true},
			{Name: "s", Kind: schema.Varchar},
			{Name: "note", Kind: schema.Varchar, Null: true},
		},
	}
	var every []byte
	for i := range 256 {
		every = append(every, byte(i))
	}
	raws := []any{nil, "", every, []byte{0}, []byte{0xff, 0}}
	notes := []any{nil, "", "NULL", `\N`, "tab\tnew\nline", `it's "quoted" \ back`, "žluťoučký 🐎", "'); --", "00"}
	var rows []db.Row
	for _, s := range []string{"", "a", "b b", `c'\`, "đ", "🐎", strings.Repeat("long ", 39) + "x"} {
		for _, n := range []any{"-9223372036854775808", -1, 0, 1, 42, "9223372036854775807"} {
			rows = append(rows, Values(n, raws[len(rows)%len(raws)], s, notes[len(rows)%len(notes)]))
		}
	}
	return spec, rows, Values("nowhere", 7)
}

// testReads reads tables with keys of several kinds on both ends, after a load: the same checks must pass on the
// copy. The values include every byte, empty strings, quotes, text that looks like NULL or SQL, and the limits of
// integers.
func testReads(b *bench) {
	binary := Spec{
		Name: name("binary_key"), Key: []string{"id"},
		Columns: []ColumnSpec{{Name: "id", Kind: schema.Varbinary}, {Name: "v", Kind: schema.Varchar, Null: true}},
	}
	negative := Spec{
		Name: name("negative"), Key: []string{"id"},
		Columns: []ColumnSpec{{Name: "id", Kind: schema.Integer}, {Name: "v", Kind: schema.Integer, Null: true}},
	}
	var binaries, negatives []db.Row
	for i := range 40 {
		binaries = append(binaries, Values([]byte{byte(i * 6), 0, byte(255 - i)}, "v"))
		negatives = append(negatives, Values(i*7-140, nil))
	}
	spec, rows, absent := composite()
	for _, c := range []struct {
		spec   Spec
		rows   []db.Row
		absent db.Row
	}{
		{spec, rows, absent},
		{binary, append(binaries, Values([]byte{}, "empty key")), Values([]byte{1, 2, 3})},
		{negative, negatives, Values(-139)},
	} {
		r := b.move(c.spec)
		b.insert(c.spec.Name, c.rows...)
		b.reads(b.src, &r.Source, c.rows, c.absent)
		b.filtered(b.src, &r.Source, c.rows)
		chunk := db.Chunk{}
		require.NoError(b, b.tgt.Ledger().Plan(b.ctx, chunk, c.spec.Name))
		_, err := b.tgt.Load(b.ctx, b.src, r, chunk)
		require.NoError(b, err)
		b.reads(b.tgt, &r.Target, c.rows, c.absent)
	}
}

// reads checks every way of reading a table against the rows that it must hold: all at once, in chunks of several
// sizes, by keys, ranges that are empty or upside down, and sums of each.
func (b *bench) reads(r db.Reader, rel *route.Relation, want []db.Row, absent db.Row) {
	b.Helper()
	b.holds(r, rel, want...)
	all := b.rows(r, rel, db.Range{})
	for _, n := range []int{1, 2, 7, len(all), len(all) + 1} {
		b.walk(r, rel, all, n)
	}
	last := all[len(all)-1].Pick(rel.Key)
	bound, err := r.Bound(b.ctx, rel, nil, len(all))
	require.NoError(b, err)
	assert.Equal(b, show(last), show(bound), "the key of the last row")
	for _, rng := range []db.Range{
		{After: last},
		{After: last, Upto: last},
		{After: last, Upto: all[0].Pick(rel.Key)},
	} {
		assert.Empty(b, b.rows(r, rel, rng))
		b.sums(r, rel, rng, nil)
	}
	var keys, some []db.Row
	for i, row := range all {
		if i%2 == 0 {
			keys, some = append(keys, row.Pick(rel.Key)), append(some, row)
		}
	}
	rows, err := r.Fetch(b.ctx, rel, append(keys, absent))
	require.NoError(b, err)
	fetched, err := db.ReadAll(rows)
	require.NoError(b, err)
	assert.ElementsMatch(b, texts(some), texts(fetched), "fetched rows of %s", rel.Name())
}

// filtered checks reads under a condition: keys above zero. Bounds are of all rows all the same, so that a filter
// does not move the chunks.
func (b *bench) filtered(r db.Reader, rel *route.Relation, all []db.Row) {
	b.Helper()
	column := rel.Column(rel.Key[0])
	if column.Type.Kind != schema.Integer {
		return // how to write other literals is the server's affair
	}
	some := *rel
	some.Where = column.Name + " > 0"
	var want, keys []db.Row
	for _, row := range all {
		keys = append(keys, row.Pick(rel.Key))
		if v := row[rel.Key[0]]; v[0] != '-' && v[0] != '0' {
			want = append(want, row)
		}
	}
	b.holds(r, &some, want...)
	b.sums(r, &some, db.Range{}, want)
	rows, err := r.Fetch(b.ctx, &some, keys)
	require.NoError(b, err)
	fetched, err := db.ReadAll(rows)
	require.NoError(b, err)
	assert.ElementsMatch(b, texts(want), texts(fetched))
	bound, err := r.Bound(b.ctx, &some, nil, len(all))
	require.NoError(b, err)
	assert.NotNil(b, bound, "a bound is of all rows")
}

// walk reads a table in chunks of n rows, as the copy does. The chunks must be the table: a row that falls between
// two chunks would be lost, one in both would be a duplicate.
func (b *bench) walk(r db.Reader, rel *route.Relation, all []db.Row, n int) {
	b.Helper()
	var after db.Row
	var walked []db.Row
	for {
		upto, err := r.Bound(b.ctx, rel, after, n)
		require.NoError(b, err)
		rng := db.Range{After: after, Upto: upto}
		rows := b.rows(r, rel, rng)
		b.sums(r, rel, rng, rows)
		walked = append(walked, rows...)
		require.LessOrEqual(b, len(walked), len(all), "chunks of %d rows overlap", n)
		if upto == nil {
			assert.Less(b, len(rows), n)
			break
		}
		require.Len(b, rows, n)
		assert.Equal(b, show(upto), show(rows[n-1].Pick(rel.Key)), "a bound is the key of the last row")
		after = upto
	}
	assert.Equal(b, texts(all), texts(walked), "chunks of %d rows are the table", n)
}

// sums compares the engine's checksum of a range with the one that is computed here from the rows: both ends of a
// move must follow one rule, whatever the engines are.
func (b *bench) sums(r db.Reader, rel *route.Relation, rng db.Range, rows []db.Row) {
	b.Helper()
	got, err := r.Sum(b.ctx, rel, rng)
	require.NoError(b, err)
	want, err := db.SumRows(&result{ctx: b.ctx, s: NewServer("sums"), rows: rows})
	require.NoError(b, err)
	assert.Equal(b, want, got, "sum of %s %s", rel.Name(), show(rng.After))
}

// testEmptyTable reads a table without rows, and with one: bounds and sums at the edges. A bound is nil where fewer
// rows follow: with exactly one row it is that row's key, and nil behind it.
func testEmptyTable(b *bench) {
	r := b.create(items())
	rel := &r.Source
	b.holds(b.src, rel)
	b.sums(b.src, rel, db.Range{}, nil)
	b.sums(b.src, rel, db.Range{After: Values(0), Upto: Values(9)}, nil)
	bound, err := b.src.Bound(b.ctx, rel, nil, 1)
	require.NoError(b, err)
	assert.Nil(b, bound)
	b.insert(rel.Name(), Values(1, "a", nil))
	bound, err = b.src.Bound(b.ctx, rel, nil, 1)
	require.NoError(b, err)
	assert.Equal(b, show(Values(1)), show(bound))
	bound, err = b.src.Bound(b.ctx, rel, bound, 1)
	require.NoError(b, err)
	assert.Nil(b, bound)
}

// testKeyless reads a table without a key, in which equal rows count: its sum must be that of a multiset, in which
// two equal rows do not cancel.
func testKeyless(b *bench) {
	spec := keyless()
	r := b.create(spec)
	assert.Empty(b, r.Source.Key)
	// NULL and the empty string are two values, and equal rows are as many as they are.
	rows := []db.Row{Values(1, nil), Values(1, nil), Values(nil, ""), Values(nil, nil), Values(nil, nil)}
	b.insert(spec.Name, rows...)
	b.holds(b.src, &r.Source, rows...)
	b.sums(b.src, &r.Source, db.Range{}, rows)
}

// keyless is a table without a key, whose columns may be NULL.
func keyless() Spec {
	return Spec{Name: name("keyless"), Columns: []ColumnSpec{
		{Name: "a", Kind: schema.Integer, Null: true}, {Name: "b", Kind: schema.Varchar, Null: true},
	}}
}
