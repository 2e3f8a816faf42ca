package route

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

// cascadeRoute makes a route of a table with an integer key id, and the columns a and b.
func cascadeRoute(t *testing.T, name, where string, keys ...schema.ForeignKey) *Route {
	t.Helper()
	number := schema.Type{Kind: schema.Integer, Size: 4}
	def := &schema.Table{
		Name: schema.Name{Database: "shop", Table: name}, ForeignKeys: keys, Primary: &schema.Index{
			Name:   "PRIMARY",
			Unique: true, Parts: []schema.Part{{Column: "id"}},
		},
		Flavor: schema.Flavor{Family: schema.MySQL}, Columns: []schema.Column{
			{Name: "id", Type: number},
			{Name: "a", Type: number, Nullable: true},
			{Name: "b", Type: number, Nullable: true},
		},
	}
	r, err := New(def, def, where)
	require.NoError(t, err)
	return r
}

func cascadeKey(name, parent, onDelete, onUpdate string) schema.ForeignKey {
	return schema.ForeignKey{
		Name: name, Columns: []string{"a"}, Parent: schema.Name{Database: "shop", Table: parent},
		ParentColumns: []string{"id"}, OnDelete: onDelete, OnUpdate: onUpdate,
	}
}

func TestCascades(t *testing.T) {
	p := cascadeRoute(t, "p", "id < 5")
	c := cascadeRoute(t, "c", "", cascadeKey("z", "p", "CASCADE", "SET NULL"))
	d := cascadeRoute(t, "d", "", cascadeKey("y", "p", "SET NULL", "CASCADE"), cascadeKey("x", "c", "CASCADE",
		"RESTRICT"))
	e := cascadeRoute(t, "e", "", cascadeKey("w", "d", "", "NO ACTION"), cascadeKey("v", "elsewhere", "CASCADE", ""))
	all := NewCascades([]*Route{e, d, c, p})
	require.Len(t, all.Of(p), 2)
	assert.Equal(t, "y", all.Of(p)[0].Name, "in the order of their names")
	assert.Equal(t, map[*Route]bool{d: true}, all.Reach(all.Of(p)[0]))
	assert.Equal(t, map[*Route]bool{c: true, d: true}, all.Reach(all.Of(p)[1]))
	assert.Empty(t, all.Of(d), "what acts on nobody")
	assert.True(t, all.Reached(d) && !all.Reached(p) && !all.Reached(e))
	assert.True(t, all.Involved(p) && !all.Involved(e))
	assert.Len(t, all.All(), 3)
	assert.True(t, NewCascades([]*Route{p, e}).Empty())

	row := func(id string) [][]byte { return [][]byte{[]byte(id), nil, nil} }
	y, z := all.Of(p)[0], all.Of(p)[1]
	assert.Equal(t, [2]Action{Empty, Remove}, [2]Action{y.Acts(row("1"), nil), z.Acts(row("1"), nil)})
	assert.Equal(t, [2]Action{Follow, Empty}, [2]Action{y.Acts(row("1"), row("2")), z.Acts(row("1"), row("2"))})
	assert.Equal(t, [2]Action{}, [2]Action{y.Acts(row("1"), row("1")), y.Acts(nil, row("1"))})
	assert.Equal(t, NoAction, y.Acts([][]byte{nil, nil, nil}, nil), "nothing references NULL")
}

// TestCascadesOverText: between the families text is compared alike under the collations that were measured, and under
// no other.
func TestCascadesOverText(t *testing.T) {
	for collation, alike := range map[string]bool{
		"latin1_swedish_ci": true, "latin1_bin": true, "utf8mb4_general_ci": true, "utf8mb4_bin": true,
		"utf8_general_ci": true, "utf8mb4_0900_ai_ci": false, "utf8mb4_uca1400_ai_ci": false,
	} {
		obstacle := func(target schema.Family, to string) string {
			p, child := cascadeRoute(t, "p", ""), cascadeRoute(t, "c", "", cascadeKey("f", "p", "CASCADE", "CASCADE"))
			text := schema.Type{Kind: schema.Varchar, Size: 9, Charset: "latin1", Collation: collation}
			there := *child.Source.Table
			there.Columns, there.Flavor.Family = slices.Clone(there.Columns), target
			child.Source.Table.Columns[1].Type, p.Source.Table.Columns[0].Type = text, text
			text.Collation = to
			there.Columns[1].Type = text
			child, err := New(child.Source.Table, &there, "")
			require.NoError(t, err)
			return NewCascades([]*Route{p, child}).All()[0].Obstacle
		}
		assert.Equal(t, alike, obstacle(schema.MariaDB, collation) == "", collation)
		assert.Empty(t, obstacle(schema.MySQL, collation), "%s within a family", collation)
		assert.NotEmpty(t, obstacle(schema.MySQL, "latin1_danish_ci"), "%s becomes another one", collation)
		assert.NotEmpty(t, obstacle("other", collation), "%s in a family that nobody knows", collation)
		assert.NotEmpty(t, obstacle("", collation), "%s in no family", collation)
	}
}

func TestCascadeObstacles(t *testing.T) {
	for _, c := range []struct {
		name, where, onDelete, onUpdate, want string
		change                                func(child *schema.Table)
	}{
		{name: "none", where: "b < 5", onDelete: "CASCADE", onUpdate: "CASCADE"},
		{name: "rows only go", where: "a < 5", onDelete: "CASCADE"},
		{
			name: "rows begin to match", where: "NOT (b = 1 OR a IN (1, 2))", onDelete: "SET NULL",
			want: "looks at columns that it changes",
		},
		{
			name: "NULL matters", where: "b > 1 AND a IS NULL", onUpdate: "SET NULL",
			want: "looks at columns that it changes",
		},
		{name: "default", onDelete: "SET DEFAULT", want: "SET DEFAULT"},
		{name: "another type", onUpdate: "CASCADE", want: "of another type", change: func(t *schema.Table) {
			t.Columns[1].Type.Kind = schema.Decimal
		}},
		{name: "another type is only removed", onDelete: "CASCADE", change: func(t *schema.Table) {
			t.Columns[1].Type.Kind = schema.Decimal
		}},
		{name: "computed", onDelete: "CASCADE", want: "generated column", change: func(t *schema.Table) {
			t.Columns[1].Generated = schema.Stored
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, child := cascadeRoute(t, "p", ""), cascadeRoute(t, "c", c.where, cascadeKey("f", "p", c.onDelete,
				c.onUpdate))
			if c.change != nil {
				c.change(child.Source.Table)
				var err error
				child, err = New(child.Source.Table, child.Source.Table, c.where)
				require.NoError(t, err)
			}
			got := NewCascades([]*Route{p, child}).All()
			require.Len(t, got, 1)
			if c.want == "" {
				assert.Empty(t, got[0].Obstacle)
			} else {
				assert.Contains(t, got[0].Obstacle, c.want)
			}
		})
	}
}
