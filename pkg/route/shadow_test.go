package route_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/route"
	"wherry/pkg/schema"
)

func TestShadows(t *testing.T) {
	rules, err := route.NewRules([]string{"shop.orders", "crm.*"}, []string{"crm._*", "shop._orders_old"},
		[]route.Rename{{From: "shop.orders", To: "new.sales"}, {From: "crm.*", To: "new.*"}},
		[]route.Where{{Table: "shop.orders", Where: "id < 5"}})
	require.NoError(t, err)
	for _, c := range []struct {
		table, to, where string
		follows          bool
	}{
		{"shop.orders", "new.sales", "id < 5", true},
		{"shop._orders_gho", "new._sales_gho", "id < 5", true},
		{"shop._orders_20261121102030_del", "new._sales_20261121102030_del", "id < 5", true},
		{"shop.__orders_new", "new.__sales_new", "id < 5", true},
		{"shop._orders_old", "shop._orders_old", "", false}, // excluded
		{"shop._orders_ghc", "shop._orders_ghc", "", false}, // gh-ost's notes
		{"shop._items_gho", "shop._items_gho", "", false},
		{"crm.people", "new.people", "", true},
		{"crm._people_gho", "new._people_gho", "", false}, // excluded
	} {
		name, ok := schema.ParseName(c.table)
		require.True(t, ok)
		assert.Equal(t, c.follows, rules.Follows(name), c.table)
		assert.Equal(t, c.to, rules.Target(name).String(), c.table)
		assert.Equal(t, c.where, rules.Where(name), c.table)
	}
}
