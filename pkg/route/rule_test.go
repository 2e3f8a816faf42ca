package route

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

// TestCharsetRules: text is read as the target's character set has it, where that is another one.
func TestCharsetRules(t *testing.T) {
	text := func(kind schema.Kind, charset string) schema.Type {
		return schema.Type{Kind: kind, Charset: charset, Labels: []string{"a"}}
	}
	for _, c := range []struct {
		source, target schema.Type
		want           Rule
	}{
		{text(schema.Varchar, "latin1"), text(schema.Varchar, "latin1"), Rule{}},
		{text(schema.Varchar, "latin1"), text(schema.Text, "utf8mb4"), Rule{Charset: "latin1"}},
		{text(schema.Enum, "ucs2"), text(schema.Text, "utf8mb4"), Rule{Charset: "ucs2"}},
		{text(schema.Text, "utf8mb4"), text(schema.Text, "latin1"), Rule{Charset: "utf8mb4", Into: "latin1"}},
		{text(schema.Text, "utf8"), text(schema.Text, "utf8mb3"), Rule{}},
		{text(schema.Text, "utf8mb3"), text(schema.Text, "utf8mb4"), Rule{Charset: "utf8mb3"}},
		{text(schema.Text, "latin1"), text(schema.JSON, ""), Rule{Charset: "latin1", Form: schema.JSON}},
		{text(schema.Text, "utf8mb4"), text(schema.JSON, ""), Rule{Form: schema.JSON}},
		{text(schema.Text, ""), text(schema.Text, "utf8mb4"), Rule{}},
		{text(schema.Text, "latin1"), text(schema.Integer, ""), Rule{}},
		{schema.Type{Kind: schema.Blob}, text(schema.Text, "utf8mb4"), Rule{}},
	} {
		route := textRoute(t, c.source, c.target)
		assert.Equal(t, c.want, route.Source.Rule(1), "%+v to %+v", c.source, c.target)
		assert.Equal(t, Rule{}, route.Target.Rule(1))
		if c.want.Charset != "" {
			assert.NotEqual(t, c.source.Charset, route.Target.Value(1).Charset, "the bytes are not those of the source")
		}
	}
	key := textRoute(t, schema.Type{Kind: schema.Integer}, schema.Type{Kind: schema.Integer}, "latin1", "utf8mb4")
	assert.Equal(t, "latin1", key.Source.Rule(0).Charset, "keys are read too")
	assert.Equal(t, "latin1", key.Source.KeyOnly().Rule(0).Charset)
}

// TestComparedCharsets: what is computed of a text may be another value where the text has other bytes.
func TestComparedCharsets(t *testing.T) {
	for into, compared := range map[string]bool{"latin1": true, "utf8mb4": false} {
		r := textRoute(t, schema.Type{Kind: schema.Text, Charset: "latin1"},
			schema.Type{Kind: schema.Text, Charset: into})
		for _, end := range []*Relation{&r.Source, &r.Target} {
			end.Table.Columns = append(end.Table.Columns, schema.Column{
				Name: "n", Type: schema.Type{Kind: schema.Integer}, Generated: schema.Stored, Expr: "length(`v`)",
			})
		}
		assert.Equal(t, compared, r.Compared() != r, into)
	}
}

// textRoute leads a column v of one type to another; charsets are the key's on both ends.
func textRoute(t *testing.T, source, target schema.Type, charsets ...string) *Route {
	t.Helper()
	charsets = append(charsets, "utf8mb4", "utf8mb4")
	table := func(charset string, v schema.Type) *schema.Table {
		return &schema.Table{
			Name:    schema.Name{Database: "shop", Table: "t"},
			Primary: &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "k"}}},
			Columns: []schema.Column{
				{Name: "k", Type: schema.Type{Kind: schema.Varchar, Charset: charset}}, {Name: "v", Type: v},
			},
		}
	}
	r, err := New(table(charsets[0], source), table(charsets[1], target), "")
	require.NoError(t, err)
	return r
}
