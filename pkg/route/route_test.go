package route

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

// TestGeneratedColumnsOfTheSource: their values are carried where the target does not compute them.
func TestGeneratedColumnsOfTheSource(t *testing.T) {
	number := schema.Type{Kind: schema.Integer, Size: 4}
	table := func(generated schema.Generation) *schema.Table {
		return &schema.Table{Columns: []schema.Column{
			{Name: "id", Type: number},
			{Name: "g", Type: number, Generated: generated, Expr: "id + 1"},
		}, Primary: &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "id"}}}}
	}
	for target, columns := range map[schema.Generation][]int{
		schema.Stored: {0}, schema.Virtual: {0}, schema.NotGenerated: {0, 1},
	} {
		r, err := New(table(schema.Virtual), table(target), "")
		require.NoError(t, err)
		assert.Equal(t, columns, r.Source.Columns)
		assert.Equal(t, columns, r.Target.Columns)
		assert.True(t, r.Target.Written(len(columns)-1))
	}
}
