package mysql

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// TestFreeAlias looks for a name that nothing in the statement has.
func TestFreeAlias(t *testing.T) {
	table := &schema.Table{
		Name: schema.Name{Database: "NEW_ROW_", Table: "New_Row"},
		Columns: []schema.Column{
			{Name: "id", Type: schema.Type{Kind: schema.Integer}},
			{Name: "new_row__", Type: schema.Type{Kind: schema.Integer}},
		},
		Primary: &schema.Index{Parts: []schema.Part{{Column: "id"}}},
	}
	r, err := route.New(table, table, "")
	require.NoError(t, err)
	assert.Equal(t, "new_row___", freeAlias(&r.Target))
}
