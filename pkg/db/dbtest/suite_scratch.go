package dbtest

import (
	"context"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// testScratch tries a table and a view in scratch databases. They exist as long as the Scratch is open and are gone
// afterwards, with all that is in them; a second Close does no harm.
func testScratch(b *bench) {
	spec := Spec{
		Name: schema.Name{Database: SourceDatabase, Table: "t"}, Key: []string{"id"},
		Columns: []ColumnSpec{{Name: "id", Kind: schema.Integer}},
	}
	r := b.create(spec)
	there := b.plan(r.Source.Table)
	left := func() []string {
		found, err := b.target().Leftovers(b.ctx)
		require.NoError(b, err)
		return found
	}
	require.Empty(b, left())
	s, err := b.target().Scratch(b.ctx, db.ScratchPlan{
		Databases: []db.ScratchDatabase{{Name: TargetDatabase, Collation: there.DatabaseCollation}, {Name: "another"}},
		Kinds:     []schema.ObjectKind{schema.ViewObject},
	})
	require.NoError(b, err)
	defer func() { assert.NoError(b, s.Close()) }()
	first, second := s.Database(TargetDatabase), s.Database("another")
	assert.NotEqual(b, first, second)
	assert.Empty(b, s.Database("unknown"))
	for _, database := range []string{first, second} {
		plan := *there
		plan.Name.Database = database
		for _, statement := range b.target().Dialect().CreateTable(&plan, false) {
			require.NoError(b, s.Execute(b.ctx, statement))
			require.Error(b, s.Execute(b.ctx, statement), "there already")
		}
		tables, err := b.target().Tables(b.ctx, func(n schema.Name) bool { return n == plan.Name })
		require.NoError(b, err)
		assert.Len(b, tables, 1)
	}
	assert.Equal(b, []string{first, second}, left())

	name := schema.Name{Database: SourceDatabase, Table: "v"}
	require.NoError(b, b.w.CreateView(b.ctx, name, spec.Name))
	require.NoError(b, b.source().TryView(b.ctx, name, true))
	objects, err := b.source().Objects(b.ctx, func(n schema.Name) bool { return n == name })
	require.NoError(b, err)
	require.Len(b, objects, 1)
	// The view is in one scratch database and its table in another: their names must be translated each by itself.
	view := b.mapView(objects[0], schema.Name{Database: second, Table: "v"},
		schema.Name{Database: first, Table: there.Name.Table})
	for _, read := range []bool{false, true} {
		require.Error(b, b.target().TryView(b.ctx, view.Name, read), "not there yet")
	}
	require.NoError(b, s.ExecuteIn(b.ctx, view.Session, b.target().Dialect().CreateObject(view)))
	for _, read := range []bool{false, true} {
		require.NoError(b, b.target().TryView(b.ctx, view.Name, read))
	}

	// A user who interrupts check must not wait for statements that are still to come.
	ended, cancel := context.WithCancel(b.ctx)
	cancel()
	require.ErrorIs(b, s.Execute(ended, "anything"), context.Canceled)
	require.NoError(b, s.Close())
	assert.Empty(b, left())
	require.NoError(b, s.Close(), "twice")
}
