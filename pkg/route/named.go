package route

import (
	"strings"

	"wherry/pkg/schema"
)

// Named returns whether an include is the very name of the table, not a pattern that happens to match it. shop.v by
// name means that the view v should move, while shop.* may match it by chance.
func (r *Rules) Named(name schema.Name) bool {
	for _, g := range r.include {
		if !strings.ContainsAny(g.database+g.table, "*?") && g.match(name) {
			return true
		}
	}
	return false
}
