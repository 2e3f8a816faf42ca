package route

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

func parsed(t *testing.T, s string) schema.Name {
	t.Helper()
	name, ok := schema.ParseName(s)
	require.True(t, ok, s)
	return name
}

func TestRulesInclude(t *testing.T) {
	r, err := NewRules([]string{"shop.*", "crm.cust?mer*"}, []string{"shop.tmp_*", "*.secret"}, nil, nil)
	require.NoError(t, err)
	for name, want := range map[string]bool{
		"shop.orders": true, "shop.tmp_x": false, "shop.tmp": true, "Shop.orders": false, "shop2.orders": false,
		"shop.secret":   false,
		"crm.customers": true, "crm.custümer": true, "crm.custmer": false, "shop.a.b": true, "shop.TMP_x": true,
	} {
		assert.Equal(t, want, r.Includes(parsed(t, name)), name)
	}
	assert.True(t, (&Rules{}).Includes(parsed(t, "any.thing")))
}

func TestRulesTarget(t *testing.T) {
	r, err := NewRules(nil, nil, []Rename{
		{"*.*", "all.*"},
		{"*.orders_archive_of_long_ago", "old.*"},
		{"shop.*", "newshop.*"},
		{"shop.orders", "newshop.sales_orders"},
		{"shop.tmp_*", "scratch.*_x"},
		{"app_?.users", "users.users"},
		{"t*.x", "tenant_*.x_*"},
		{"shop.tmp_l*", "scratch.lost"},
	}, nil)
	require.NoError(t, err)
	for from, want := range map[string]string{
		"shop.orders": "newshop.sales_orders", "shop.items": "newshop.items", "shop.tmp_ü": "scratch.ü_x",
		"shop.tmp_log": "scratch.lost",
		"other.x":      "all.x", "app_1.users": "users.users", "tabc.x": "tenant_abc.x_x",
		"shop.orders_archive_of_long_ago": "newshop.orders_archive_of_long_ago",
		"crm.orders_archive_of_long_ago":  "old.orders_archive_of_long_ago", "a.b.c": "all.b.c",
	} {
		assert.Equal(t, want, r.Target(parsed(t, from)).String(), from)
	}
	assert.Equal(t, "a.b", (&Rules{}).Target(parsed(t, "a.b")).String())
}

func TestRulesWhere(t *testing.T) {
	r, err := NewRules(nil, nil, nil, []Where{
		{"shop.*", "tenant = 1"},
		{"shop.orders", "tenant = 2"},
		{"*.*", "tenant = 3"},
	})
	require.NoError(t, err)
	assert.Equal(t, "tenant = 2", r.Where(parsed(t, "shop.orders")))
	assert.Equal(t, "tenant = 1", r.Where(parsed(t, "shop.items")))
	assert.Equal(t, "tenant = 3", r.Where(parsed(t, "x.y")))
	assert.Empty(t, (&Rules{}).Where(parsed(t, "x.y")))
}

func TestRulesCollisions(t *testing.T) {
	r, err := NewRules(nil, nil, []Rename{{"a.*", "c.*"}, {"b.*", "c.*"}}, nil)
	require.NoError(t, err)
	require.NoError(t, r.Collisions([]schema.Name{{Database: "a", Table: "x"}, {Database: "b", Table: "y"}}))
	err = r.Collisions([]schema.Name{{Database: "b", Table: "x"}, {Database: "a", Table: "x"}})
	require.EqualError(t, err, "invalid routes: a.x, b.x all go to c.x")
}

func TestRulesRefuse(t *testing.T) {
	for name, make := range map[string]func() (*Rules, error){
		"no dot":        func() (*Rules, error) { return NewRules([]string{"shop"}, nil, nil, nil) },
		"no table":      func() (*Rules, error) { return NewRules(nil, []string{"shop."}, nil, nil) },
		"two stars":     func() (*Rules, error) { return NewRules(nil, nil, []Rename{{"a.*", "b.**"}}, nil) },
		"question mark": func() (*Rules, error) { return NewRules(nil, nil, []Rename{{"a.?", "b.?"}}, nil) },
		"ambiguous":     func() (*Rules, error) { return NewRules(nil, nil, []Rename{{"a.*x*", "b.*"}}, nil) },
		"empty filter":  func() (*Rules, error) { return NewRules(nil, nil, nil, []Where{{"a.b", " "}}) },
	} {
		_, err := make()
		assert.Error(t, err, name)
	}
}
