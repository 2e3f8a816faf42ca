package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// TestForeignKeyNames leads two databases into one, where names of foreign keys that were apart would be the same.
func TestForeignKeyNames(t *testing.T) {
	second := table("d", references("c"))
	second.Name.Database = "other"
	second.ForeignKeys[0].Name = "F_C" // names are compared without case
	tables := []*schema.Table{table("a", references("c")), table("c"), second}
	for to, want := range map[string][]string{"new.*": {"other.d.F_C"}, "apart.*": nil} {
		rules, err := route.NewRules([]string{"*.*"}, nil, []route.Rename{{From: "shop.*", To: "new.*"}, {From: "other.*", To: to}}, nil)
		require.NoError(t, err)
		p, err := plan.Build(t.Context(), reader{tables: tables}, memory(), rules, plan.Options{})
		require.NoError(t, err)
		var subjects []string
		for _, f := range p.Refused() {
			assert.Equal(t, "foreign_key", f.Check)
			assert.Contains(t, f.What, "shop.a.f_c")
			subjects = append(subjects, f.Subject)
		}
		assert.Equal(t, want, subjects, to)
	}
}
