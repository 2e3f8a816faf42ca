package dbtest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// testNotOwned has tables on the target that are not the move's. No statement may touch them, whatever it is: create,
// drop, truncate, alter, or a rename from, to or through their names. A rename hands the ownership on to the new
// name.
func testNotOwned(b *bench) {
	l := b.target().Ledger()
	owned, err := l.Owned(b.ctx)
	require.NoError(b, err)
	assert.Nil(b, owned, "there is no bookkeeping yet")
	require.NoError(b, l.Create(b.ctx))
	require.NoError(b, l.Own(b.ctx, nil, nil))
	owned, err = l.Owned(b.ctx)
	require.NoError(b, err)
	assert.Nil(b, owned, "no list was begun")
	require.NoError(b, l.Own(b.ctx, db.Owned{}, nil))
	is := func(want db.Owned) {
		b.Helper()
		for _, t := range []db.Target{b.tgt, b.h.Reopen(b.T)} {
			owned, err := t.Ledger().Owned(b.ctx)
			require.NoError(b, err)
			assert.Equal(b, want, owned)
		}
	}
	is(db.Owned{})
	r := b.move(items())
	d, ours := b.tgt.Dialect(), r.Target.Name()
	// Quotes in the name: a statement is read to find out whose table it is about, and must not be misread.
	theirs, third := schema.Name{
		Database: TargetDatabase,
		Table:    `it's "theirs"`,
	}, schema.Name{Database: TargetDatabase, Table: "third"}
	plan := *r.Target.Table
	plan.Name = theirs
	b.execute(d.CreateTable(&plan, true)...)
	is(db.Owned{ours: db.Made, theirs: db.Made})
	require.NoError(b, l.Own(b.ctx, db.Owned{ours: db.Found}, []schema.Name{theirs}))
	is(db.Owned{ours: db.Found})

	their := b.describe(b.tgt, theirs)
	for _, statement := range []string{
		d.CreateTable(&plan, true)[0], d.DropTable(theirs), d.TruncateTable(theirs), d.AddIndexes(&plan, their)[0],
		d.RenameTables([][2]schema.Name{{theirs, third}}),
		d.RenameTables([][2]schema.Name{{ours, theirs}}), d.RenameTables([][2]schema.Name{
			{theirs, third},
			{ours, theirs},
		}),
		d.RenameTables([][2]schema.Name{{ours, third}, {theirs, ours}}),
	} {
		require.ErrorIs(b, b.tgt.Execute(b.ctx, statement), db.ErrNotOwned, statement)
		assert.Empty(b, d.Differences(their, b.describe(b.tgt, theirs), true, true), statement)
		b.describe(b.tgt, ours)
		is(db.Owned{ours: db.Found})
	}

	// From here on only the move's own tables: the list must follow their names, so that a found table does not
	// become one that the move made. cleanup drops only the latter.
	b.execute(d.RenameTables([][2]schema.Name{{ours, third}}))
	is(db.Owned{third: db.Found})
	b.execute(d.TruncateTable(third))
	plan.Name = ours
	b.execute(d.CreateTable(&plan, true)...)
	is(db.Owned{third: db.Found, ours: db.Made})
	aside := schema.Name{Database: TargetDatabase, Table: "aside"}
	b.execute(d.RenameTables([][2]schema.Name{{ours, aside}, {third, ours}, {aside, third}}))
	is(db.Owned{third: db.Made, ours: db.Found})
	b.execute(d.DropTable(ours))
	b.execute(d.DropTable(ours)) // gone already
	is(db.Owned{third: db.Made})
	b.execute(d.DropTable(third))
	is(db.Owned{})
	b.describe(b.tgt, theirs)
}
