package route_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// TestReversed: a table goes back to the one name that leads to it; doubt is no answer.
func TestReversed(t *testing.T) {
	rules, err := route.NewRules([]string{"shop.*", "old.*", "lone.t"}, []string{"shop.secret"}, []route.Rename{
		{From: "shop.*", To: "new.*"},
		{From: "shop.log_*", To: "logs.old_*_x"},
		{From: "old.part_*", To: "new.parts"},
		{From: "old.a", To: "new.both"},
		{From: "old.?b", To: "odd.*"},
	}, []route.Where{{Table: "shop.few", Where: "id < 5"}})
	require.NoError(t, err)
	name := func(text string) schema.Name {
		n, ok := schema.ParseName(text)
		require.True(t, ok, text)
		return n
	}
	back := rules.Reverse(map[schema.Name]schema.Name{name("new.parts"): name("old.part_7")})
	for _, c := range []struct{ now, old string }{
		{"new.orders", "shop.orders"},
		{"logs.old_may_x", "shop.log_may"},
		{"new.parts", "old.part_7"},
		{"old.z", "old.z"},
		{"lone.t", "lone.t"},
		{"new._orders_gho", "shop._orders_gho"},
		{"logs._old_may_x_new", "shop._log_may_new"},
		{"new.both", ""},   // of shop.both or old.a
		{"new.log_x", ""},  // shop.log_x goes elsewhere
		{"new.secret", ""}, // excluded
		{"odd.xb", ""},     // a ? may be anything
		{"lone.u", ""},
		{"logs.other", ""},
		{"shop.orders", ""},
	} {
		t.Run(c.now, func(t *testing.T) {
			assert.Equal(t, c.old != "", back.Follows(name(c.now)))
			if c.old != "" {
				assert.Equal(t, name(c.old), back.Target(name(c.now)))
			}
		})
	}
	assert.Equal(t, "id < 5", back.Where(name("new.few")))
	assert.True(t, back.Named(name("new.parts")))
	assert.Error(t, back.Collisions([]schema.Name{name("new.parts"), name("old.part_7")}))
}
