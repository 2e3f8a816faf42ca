package evolve

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// TestInPlace distinguishes changes that leave the rows of a table as they are, while it is copied, from those that
// only seem to.
func TestInPlace(t *testing.T) {
	number := schema.Type{Kind: schema.Integer, Size: 4}
	name := schema.Name{Database: "d", Table: "t"}
	before := &schema.Table{
		Name: name, Columns: []schema.Column{
			{Name: "id", Type: number},
			{Name: "a", Type: number},
			{Name: "b", Type: number},
		},
		Primary: &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "id"}}},
	}
	c := &change{records: map[schema.Name]*db.Record{name: {Source: name, Shape: before}}}
	for what, lineage := range map[string]struct {
		former map[string]string
		want   bool
	}{
		"the same":        {map[string]string{"id": "id", "a": "a", "b": "b"}, true},
		"changed places":  {map[string]string{"id": "id", "a": "b", "b": "a"}, false},
		"dropped and new": {map[string]string{"id": "id", "a": "a"}, false},
	} {
		e := schema.Effect{Kind: schema.Altered, Name: name, After: before, Former: lineage.former}
		assert.Equal(t, lineage.want, c.inPlace([]schema.Name{name}, []schema.Effect{e}), what)
	}
}
