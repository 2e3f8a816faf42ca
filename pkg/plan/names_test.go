package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// TestConstraintNames leads two databases into one, where names of foreign keys and checks that were apart would be
// the same.
func TestConstraintNames(t *testing.T) {
	second := table("d", references("c"))
	second.Name.Database = "other"
	second.ForeignKeys[0].Name = "F_C" // names are compared without case
	second.Checks = []schema.Check{{Name: "own", Expr: "`id` > 0"}}
	tables := []*schema.Table{table("a", references("c")), table("c"), second}
	tables[0].Checks = []schema.Check{{Name: "Own", Expr: "`id` > 0"}, {Name: "other", Expr: "`id` < 9"}}
	for to, want := range map[string][]string{"new.*": {"other.d.F_C", "other.d.own"}, "apart.*": nil} {
		rules, err := route.NewRules([]string{"*.*"}, nil, []route.Rename{
			{From: "shop.*", To: "new.*"},
			{From: "other.*", To: to},
		}, nil)
		require.NoError(t, err)
		p, err := plan.Build(t.Context(), reader{tables: tables}, memory(), rules, plan.Options{})
		require.NoError(t, err)
		var subjects []string
		for _, f := range p.Refused() {
			assert.Contains(t, f.What, map[string]string{"foreign_key": "shop.a.f_c", "check": "shop.a.Own"}[f.Check])
			subjects = append(subjects, f.Subject)
		}
		assert.Equal(t, want, subjects, to)
	}
}
