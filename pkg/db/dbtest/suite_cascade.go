package dbtest

import (
	"fmt"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// testReferencing looks for rows by one column and by two, as the open transaction has them. The applier uses it to
// carry out what foreign keys did unseen, right after the change that caused it, so it must see what is applied and
// not committed. Values with quotes and backslashes must not end up as SQL.
func testReferencing(b *bench) {
	r := b.move(items())
	b.put(db.FactPosition, "p0")
	a := b.applier(b.tgt)
	b.apply(a, upserts(r, Values(1, "a", 10), Values(2, "b", 20), Values(3, "b", 30), Values(4, nil, 40),
		Values(5, "'\\", nil), Values(6, "x", 60)))
	require.NoError(b, a.Commit(b.ctx, "p1"))
	b.apply(a, upserts(r, Values(6, "b", 60)))
	b.apply(a, deletes(r, Values(2)))
	find := func(l db.Lookup) []string {
		l.Route = r
		rows, err := a.Referencing(b.ctx, &l)
		require.NoError(b, err)
		return texts(rows)
	}
	assert.ElementsMatch(b, texts([]db.Row{Values(3, "b", 30), Values(6, "b", 60)}),
		find(db.Lookup{Columns: []int{1}, Values: []db.Row{Values("b")}}), "applied but not committed")
	assert.ElementsMatch(b, texts([]db.Row{Values(1, "a", 10), Values(5, "'\\", nil)}),
		find(db.Lookup{Columns: []int{1}, Values: []db.Row{Values("a"), Values("'\\"), Values("a"), Values("none")}}))
	assert.Equal(b, texts([]db.Row{Values(3, "b", 30)}),
		find(db.Lookup{Columns: []int{2, 1}, Values: []db.Row{Values(30, "b"), Values(40, "b"), Values(10, "b")}}))
	assert.Empty(b, find(db.Lookup{Columns: []int{1}, Values: []db.Row{Values("b")}, Except: Values("b")}))
	assert.Empty(b, find(db.Lookup{
		Columns: []int{2, 1}, Values: []db.Row{Values(30, "b")},
		Except: db.Row{nil, []byte("b")},
	}))
	assert.Len(b, find(db.Lookup{Columns: []int{2, 1}, Values: []db.Row{Values(30, "b")}, Except: Values(31, "b")}), 1)
	require.NoError(b, a.Rollback(b.ctx))
	assert.ElementsMatch(b, texts([]db.Row{Values(2, "b", 20), Values(3, "b", 30)}),
		find(db.Lookup{Columns: []int{1}, Values: []db.Row{Values("b")}}))
}

// testReferencingMany has more rows than a lookup brings at a time: the caller handles some and asks once more, until
// nothing is found. Memory stays bounded that way, however many rows reference one.
func testReferencingMany(b *bench) {
	r := b.move(items())
	b.put(db.FactPosition, "p0")
	a := b.applier(b.tgt)
	var rows []db.Row
	for id := range db.LookupRows + 100 {
		rows = append(rows, Values(id, "b", nil))
	}
	b.apply(a, upserts(r, rows...))
	for _, want := range []int{db.LookupRows, 100, 0} {
		found, err := a.Referencing(b.ctx, &db.Lookup{Route: r, Columns: []int{1}, Values: []db.Row{Values("b")}})
		require.NoError(b, err)
		require.Len(b, found, want)
		for i := range found {
			found[i] = found[i].Pick(r.Target.Key)
		}
		b.apply(a, deletes(r, found...))
	}
}

// testOrphans counts rows that reference nothing, with and without filters: a row whose parent is filtered out has no
// parent on the target, and its foreign key could not be made there.
func testOrphans(b *bench) {
	parent := b.create(items())
	spec := Spec{
		Name: name("orphans"), Key: []string{"n"},
		Columns: []ColumnSpec{{Name: "n", Kind: schema.Integer}, {Name: "id", Kind: schema.Integer, Null: true}},
	}
	child := b.create(spec)
	b.insert(items().Name, Values(1, "x", 1), Values(2, "y", 2))
	b.insert(spec.Name, Values(1, 1), Values(2, 2), Values(3, 3), Values(4, nil), Values(5, 3))
	key := schema.ForeignKey{Name: "f", Columns: []string{"id"}, Parent: items().Name, ParentColumns: []string{"id"}}
	for _, c := range []struct {
		child, parent string
		limit         int
		want          int64
	}{{"", "", 10, 2}, {"", "", 1, 1}, {"n < 5", "", 10, 1}, {"n < 3", "", 10, 0}, {"n < 3", "code = 1", 10, 1}} {
		from, to := child.Source, parent.Source
		from.Where, to.Where = c.child, c.parent
		n, err := b.src.Orphans(b.ctx, &from, &to, key, c.limit)
		require.NoError(b, err)
		assert.Equal(b, c.want, n, fmt.Sprint(c))
	}
}
