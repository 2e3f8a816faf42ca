package copy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/copy"
	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/replicate"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// TestLocked has another wherry hold the move's lock: nothing is recorded. The copy gives the lock up when it ends.
func TestLocked(t *testing.T) {
	source, target := dbtest.NewServer("source"), dbtest.NewServer("target")
	from, to := source.Source(), target.Target("move")
	name := schema.Name{Database: "a", Table: "t"}
	definition := &schema.Table{
		Name: name, Columns: []schema.Column{{Name: "id", Type: schema.Type{
			Kind: schema.Integer, Name: "bigint",
			Size: 8,
		}}},
		Primary: &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "id"}}},
	}
	require.NoError(t, source.DDL(db.DDL{}, dbtest.CreateTable(definition)))
	planned, _, err := to.Dialect().Map(definition, name, nil)
	require.NoError(t, err)
	require.NoError(t, to.Ledger().Create(t.Context()))
	require.NoError(t, to.Execute(t.Context(), to.Dialect().CreateTable(planned, true)[0]))
	r, err := route.New(definition, planned, "")
	require.NoError(t, err)
	routes := []*route.Route{r}
	run := func() error {
		return copy.New(from, to, routes, replicate.New(from, to, routes, replicate.Options{}),
			copy.Options{}).Run(t.Context())
	}

	other, err := target.Target("move").NewApplier(t.Context(), db.ApplyOptions{})
	require.NoError(t, err)
	require.ErrorIs(t, run(), db.ErrLocked)
	start, err := to.Ledger().Get(t.Context(), db.FactStart)
	require.NoError(t, err)
	assert.Empty(t, start, "start position")
	chunks, err := to.Ledger().Chunks(t.Context(), name)
	require.NoError(t, err)
	assert.Empty(t, chunks)

	require.NoError(t, other.Close())
	require.NoError(t, run())
	other, err = target.Target("move").NewApplier(t.Context(), db.ApplyOptions{})
	require.NoError(t, err, "the lock is free again")
	require.NoError(t, other.Close())
}
