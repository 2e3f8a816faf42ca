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
	from, to := schema.Name{Database: "shop", Table: "orders"}, schema.Name{Database: "new", Table: "sales"}
	keyless := simple(to, "id", "n")
	keyless.Primary = nil
	for _, c := range []struct {
		name  string
		now   *schema.Table
		where string
		says  string // of the finding that fails
	}{
		{name: "alike", now: simple(to, "id", "n")},
		{name: "a column more", now: simple(to, "id", "note", "n"), says: "column note is not on the source"},
		{name: "gone", says: "is no more on both sides"},
		{name: "a column less", now: simple(to, "id"), says: "column n is not on the target"},
		{name: "another key", now: simple(to, "n", "id"), says: "has the key (n) on the target and (id) on the source"},
		{name: "no key", now: keyless, says: "has the key () on the target and (id) on the source"},
		{name: "filtered", now: simple(to, "id", "n"), where: "n = 1", says: "has a row filter"},
	} {
		t.Run(c.name, func(t *testing.T) {
			where := []route.Where{}
			if c.where != "" {
				where = append(where, route.Where{Table: "shop.*", Where: c.where})
			}
			rules, err := route.NewRules([]string{"shop.*"}, nil,
				[]route.Rename{{From: "shop.orders", To: "new.sales"}}, where)
			require.NoError(t, err)
			r, err := route.New(simple(from, "id", "n"), simple(to, "id", "n"), c.where)
			require.NoError(t, err)
			forward := &plan.Plan{Routes: []*route.Route{r}}
			now, old := c.now, simple(from, "id", "n")
			if now == nil {
				now, old = simple(to, "id", "n"), nil
			}
			back := (&plan.Return{
				Dialect: dbtest.NewServer("source").Target("move").Dialect(),
				Rules:   rules.Reverse(map[schema.Name]schema.Name{to: from}),
				Fixed:   map[schema.Name][]*schema.Table{to: {old}},
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

// home plans the way back from new.* to shop.*.
func home(t *testing.T) *plan.Return {
	t.Helper()
	rules, err := route.NewRules([]string{"shop.*"}, nil, []route.Rename{{From: "shop.*", To: "new.*"}}, nil)
	require.NoError(t, err)
	return &plan.Return{Dialect: dbtest.NewServer("source").Target("move").Dialect(), Rules: rules.Reverse(nil)}
}

func simple(name schema.Name, columns ...string) *schema.Table {
	s := &schema.Table{Name: name, Primary: &schema.Index{
		Name: "PRIMARY", Unique: true,
		Parts: []schema.Part{{Column: columns[0]}},
	}}
	for _, c := range columns {
		s.Columns = append(s.Columns, schema.Column{Name: c, Type: schema.Type{
			Kind: schema.Integer, Name: "int",
			Size: 4,
		}})
	}
	return s
}

// TestReturnUnlike: only a table that the source has as it would be made there can have its changes carried over.
func TestReturnUnlike(t *testing.T) {
	now := func(table string) schema.Name { return schema.Name{Database: "new", Table: table} }
	old := func(table string) schema.Name { return schema.Name{Database: "shop", Table: table} }
	unlike := home(t).Unlike(
		[]*schema.Table{simple(now("same"), "id", "n"), simple(now("other"), "id", "n"), simple(now("lacking"), "id")},
		[]*schema.Table{simple(old("same"), "id", "n"), simple(old("other"), "id", "m")})
	require.Len(t, unlike, 2)
	assert.Contains(t, unlike[now("other")], "the source has another table than would be made there")
	assert.Contains(t, unlike, now("lacking"))
}

// TestReturnFixed: a table that stays as it is is taken as it is, or as it was before a change was made there by hand.
func TestReturnFixed(t *testing.T) {
	now, old := schema.Name{Database: "new", Table: "t"}, schema.Name{Database: "shop", Table: "t"}
	is, was := simple(old, "id", "n", "more"), simple(old, "id", "n")
	for _, c := range []struct {
		table *schema.Table
		into  *schema.Table
	}{{simple(now, "id", "n"), was}, {simple(now, "id", "n", "more"), is}, {simple(now, "id", "less"), nil}} {
		r := home(t)
		r.Fixed = map[schema.Name][]*schema.Table{now: {is, was}}
		p := r.Of([]*schema.Table{c.table})
		if c.into == nil {
			assert.NotEmpty(t, p.Refused())
			assert.Empty(t, p.Routes)
			continue
		}
		require.Empty(t, p.Refused())
		require.Len(t, p.Routes, 1)
		assert.Same(t, c.into, p.Steps[0].Target)
	}
}
