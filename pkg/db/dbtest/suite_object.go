package dbtest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// testObjects takes a view from the source to the target, and away again. Making one that is there must fail: it may
// be somebody else's. Trying a trigger must leave nothing behind.
func testObjects(b *bench) {
	spec := Spec{
		Name: schema.Name{Database: SourceDatabase, Table: "t"}, Key: []string{"id"},
		Columns: []ColumnSpec{{Name: "id", Kind: schema.Integer}, {Name: "name", Kind: schema.Varchar, Null: true}},
	}
	r := b.create(spec)
	view, there := schema.Name{Database: SourceDatabase, Table: "v"}, schema.Name{Database: TargetDatabase, Table: "v"}
	require.NoError(b, b.w.CreateView(b.ctx, view, spec.Name))
	list := func(on db.ObjectReader, name schema.Name) []*schema.Object {
		found, err := on.Objects(b.ctx, func(n schema.Name) bool { return n == name })
		require.NoError(b, err)
		return found
	}
	found := list(b.source(), view)
	require.Len(b, found, 1)
	o := found[0]
	assert.Equal(b, schema.ViewObject, o.Kind)
	assert.Equal(b, view, o.Name)
	assert.Equal(b, []string{"id", "name"}, o.Columns)
	// check and the cutover read objects at different times and compare: reading alone must change nothing.
	assert.True(b, o.Same(list(b.source(), view)[0]), "read twice")
	assert.Empty(b, list(b.source(), spec.Name), "a table is none")

	require.NoError(b, b.target().Ledger().Create(b.ctx))
	b.execute(b.tgt.Dialect().CreateDatabase(TargetDatabase, ""))
	b.execute(b.target().Dialect().CreateTable(b.plan(r.Source.Table), false)...)
	d := b.target().Dialect()
	planned := b.mapView(o, there, b.plan(r.Source.Table).Name)
	assert.Equal(b, there, planned.Name)
	b.execute(d.DropObject(planned)) // absent is fine
	require.NoError(b, b.target().ExecuteIn(b.ctx, planned.Session, d.CreateObject(planned)))
	require.Error(b, b.target().ExecuteIn(b.ctx, planned.Session, d.CreateObject(planned)), "there already")
	found = list(b.target(), there)
	require.Len(b, found, 1)
	assert.Equal(b, o.Columns, found[0].Columns)

	b.tryTrigger(planned, b.plan(r.Source.Table).Name)
	b.execute(d.DropObject(planned))
	assert.Empty(b, list(b.target(), there))
}

// mapView returns a view of a table of the source as it is to be on the target.
func (b *bench) mapView(o *schema.Object, there, table schema.Name) *schema.Object {
	b.Helper()
	of := schema.Name{Database: SourceDatabase, Table: "t"}
	planned, remarks := b.target().Dialect().MapObject(o, schema.Places{
		Tables:  map[schema.Name]schema.Name{of: table, o.Name: there},
		Homes:   map[string]string{SourceDatabase: there.Database},
		Current: true,
	})
	for _, remark := range remarks {
		require.False(b, remark.Fatal, remark.What)
	}
	return planned
}

// tryTrigger tries one on a table of the target, and on one that is not there.
func (b *bench) tryTrigger(view *schema.Object, table schema.Name) {
	b.Helper()
	trigger := &schema.Object{
		Kind: schema.TriggerObject, Name: view.Name, Table: table, Timing: "BEFORE INSERT",
		Body: "SET NEW.name = 'x'", Session: view.Session,
	}
	if b.h.NoTriggers {
		require.Error(b, b.target().TryTrigger(b.ctx, trigger), "in another language")
		return
	}
	require.NoError(b, b.target().TryTrigger(b.ctx, trigger))
	found, err := b.target().Objects(b.ctx, func(n schema.Name) bool { return n == trigger.Table })
	require.NoError(b, err)
	assert.Empty(b, found, "tried, and not made")
	trigger.Table.Table = "absent"
	require.Error(b, b.target().TryTrigger(b.ctx, trigger))
}
