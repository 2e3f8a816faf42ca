package evolve_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/schema"
)

// TestRenamedColumnsAreNotAltered: a table whose columns have other names on the target is made, filled and followed
// there. A change of its definition is refused before anything is done: its columns would be taken for new ones.
func TestRenamedColumnsAreNotAltered(t *testing.T) {
	w := newWorld(t, 1)
	w.target = dbtest.NewOther("target")
	table := w.definition(name(0))
	w.ddl(dbtest.CreateTable(table))
	w.begin()
	require.NoError(t, w.source.Exec(func(tx *dbtest.Tx) error {
		return tx.Insert(table.Name, dbtest.Values(1, "kept"))
	}))
	require.NoError(t, w.follow())
	to := schema.Name{Database: "new", Table: table.Name.Table}
	require.Equal(t, w.source.All(table.Name), w.target.All(to))
	before := w.table(w.target, to)

	changed := *w.table(w.source, table.Name)
	changed.Columns = append(slices.Clone(changed.Columns), schema.Column{Name: "b", Type: text, Nullable: true})
	w.ddl(dbtest.ReplaceTable(&changed))
	err := w.follow()
	require.ErrorIs(t, err, db.ErrUnsupported)
	require.ErrorContains(t, err, "new.t0")
	require.ErrorContains(t, err, "the_id")
	assert.Equal(t, []db.Row{dbtest.Values(1, "kept")}, w.target.All(to))
	assert.Equal(t, before.Columns, w.table(w.target, to).Columns)
}
