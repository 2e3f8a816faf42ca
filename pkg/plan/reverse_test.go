package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db/dbtest"
	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

func TestReverse(t *testing.T) {
	shape := func(name schema.Name, columns ...string) *schema.Table {
		s := &schema.Table{Name: name, Primary: &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: columns[0]}}}}
		for _, c := range columns {
			s.Columns = append(s.Columns, schema.Column{Name: c, Type: schema.Type{Kind: schema.Integer, Name: "int", Size: 4}})
		}
		return s
	}
	from, to := schema.Name{Database: "shop", Table: "orders"}, schema.Name{Database: "new", Table: "sales"}
	keyless := shape(to, "id", "n")
	keyless.Primary = nil
	for _, c := range []struct {
		name  string
		now   *schema.Table
		where string
		says  string // of the finding that fails
	}{
		{name: "alike", now: shape(to, "id", "n")},
		{name: "a column more", now: shape(to, "id", "note", "n"), says: "column note is not on the source"},
		{name: "gone", says: "is no more on both sides"},
		{name: "a column less", now: shape(to, "id"), says: "column n is not on the target"},
		{name: "another key", now: shape(to, "n", "id"), says: "has the key (n) on the target and (id) on the source"},
		{name: "no key", now: keyless, says: "has the key () on the target and (id) on the source"},
		{name: "filtered", now: shape(to, "id", "n"), where: "n = 1", says: "has a row filter"},
	} {
		t.Run(c.name, func(t *testing.T) {
			where := []route.Where{}
			if c.where != "" {
				where = append(where, route.Where{Table: "shop.*", Where: c.where})
			}
			rules, err := route.NewRules([]string{"shop.*"}, nil, []route.Rename{{From: "shop.orders", To: "new.sales"}}, where)
			require.NoError(t, err)
			r, err := route.New(shape(from, "id", "n"), shape(to, "id", "n"), c.where)
			require.NoError(t, err)
			forward := &plan.Plan{Routes: []*route.Route{r}}
			now, old := c.now, shape(from, "id", "n")
			if now == nil {
				now, old = shape(to, "id", "n"), nil
			}
			back := (&plan.Return{
				Dialect: dbtest.NewServer("source").Target("move").Dialect(), Rules: rules.Reverse(map[schema.Name]schema.Name{to: from}),
				Fixed: map[schema.Name][]*schema.Table{to: {old}},
			}).Of([]*schema.Table{now})
			if c.says != "" {
				require.Len(t, back.Refused(), 1)
				assert.Contains(t, back.Refused()[0].What, c.says)
				assert.Empty(t, back.Routes)
				return
			}
			require.Empty(t, back.Findings)
			require.Len(t, back.Routes, 1)
			assert.Equal(t, to, back.Routes[0].Source.Name())
			assert.Equal(t, from, back.Routes[0].Target.Name())
			assert.Equal(t, "PRIMARY", back.Routes[0].Target.Table.RowKey)
			assert.Len(t, plan.Turn(forward).Routes, 1, "known before the tables are there")
		})
	}
}
