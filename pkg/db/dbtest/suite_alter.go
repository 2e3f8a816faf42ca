package dbtest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// testAlter takes a table that holds rows through changes, and checks rows and shape afterwards. A column takes over
// the name of another one that moves away (code becomes label, label becomes text): matched by name, values would end
// up in the wrong column.
func testAlter(b *bench) {
	r := b.move(items())
	d, at := b.target().Dialect(), targetName(r.Source.Table.Name)
	b.put(db.FactPosition, "p0")
	applier := b.applier(b.tgt)
	b.apply(applier, upserts(r, Values(1, "one", 10), Values(2, nil, 20)))
	require.NoError(b, applier.Commit(b.ctx, "p1"))

	alter := func(to *schema.Table, former map[string]string) {
		b.Helper()
		statements, err := d.Alter(b.describe(b.tgt, at), to, former, nil)
		require.NoError(b, err)
		require.NotEmpty(b, statements)
		for _, statement := range statements {
			b.execute(statement)
		}
		at = to.Name
		got := b.describe(b.tgt, at)
		assert.Empty(b, d.Differences(to, got, true, true))
		statements, err = d.Alter(got, to, identity(to), nil)
		require.NoError(b, err)
		// A change that was interrupted is begun anew: what is done already must need no statement.
		assert.Empty(b, statements, "nothing is left to do")
	}
	// Rows are read in the order of the columns that were asked for: not every server can put a column elsewhere.
	holds := func(as *schema.Table, want ...db.Row) {
		b.Helper()
		now, err := route.New(as, b.describe(b.tgt, at), "")
		require.NoError(b, err)
		b.holds(b.tgt, &now.Target, want...)
	}

	to := *b.describe(b.tgt, at)
	id, label, code := to.Columns[0].Name, to.Columns[1].Name, to.Columns[2].Name
	to.Columns = []schema.Column{to.Columns[0], to.Columns[2], to.Columns[1], to.Columns[2]}
	to.Columns[1].Name, to.Columns[3].Name = label, "extra" // code -> label, label -> text, extra is new
	to.Columns[2].Name = "text"
	to.Indexes = nil
	alter(&to, map[string]string{id: id, label: code, "text": label})
	holds(&to, Values(1, 10, "one", nil), Values(2, 20, nil, nil))

	less := to
	less.Columns = []schema.Column{to.Columns[0], to.Columns[1]}
	less.Name.Table = "altered"
	less.Indexes = []schema.Index{{Name: "u", Unique: true, Parts: []schema.Part{{Column: label}}}}
	alter(&less, identity(&less))
	holds(&less, Values(1, 10), Values(2, 20))

	renamed := less
	renamed.Name.Table = "renamed"
	alter(&renamed, identity(&renamed))
	holds(&renamed, Values(1, 10), Values(2, 20))

	// Of a lineage that is impossible nothing must be made: a column that there was not, and two of one.
	_, err := d.Alter(&less, &renamed, map[string]string{label: "absent"}, nil)
	require.Error(b, err)
	_, err = d.Alter(&less, &renamed, map[string]string{label: id, id: id}, nil)
	require.Error(b, err)
}

// identity is the lineage of a table whose columns keep their names.
func identity(t *schema.Table) map[string]string {
	former := map[string]string{}
	for i := range t.Columns {
		former[t.Columns[i].Name] = t.Columns[i].Name
	}
	return former
}
