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
	planned, remarks := d.MapObject(o, schema.Places{
		Tables:  map[schema.Name]schema.Name{spec.Name: b.plan(r.Source.Table).Name, view: there},
		Homes:   map[string]string{SourceDatabase: TargetDatabase},
		Current: true,
	})
	for _, remark := range remarks {
		assert.False(b, remark.Fatal, remark.What)
	}
	assert.Equal(b, there, planned.Name)
	b.execute(d.DropObject(planned)) // absent is fine
	require.NoError(b, b.target().ExecuteIn(b.ctx, planned.Session, d.CreateObject(planned)))
	require.Error(b, b.target().ExecuteIn(b.ctx, planned.Session, d.CreateObject(planned)), "there already")
	found = list(b.target(), there)
	require.Len(b, found, 1)
	assert.Equal(b, o.Columns, found[0].Columns)

	trigger := &schema.Object{
		Kind: schema.TriggerObject, Name: there, Table: b.plan(r.Source.Table).Name, Timing: "BEFORE INSERT",
		Body: "SET NEW.name = 'x'", Session: planned.Session,
	}
	require.NoError(b, b.target().TryTrigger(b.ctx, trigger))
	assert.Empty(b, list(b.target(), trigger.Table), "tried, and not made")
	trigger.Table.Table = "absent"
	require.Error(b, b.target().TryTrigger(b.ctx, trigger))

	b.execute(d.DropObject(planned))
	assert.Empty(b, list(b.target(), there))
}
