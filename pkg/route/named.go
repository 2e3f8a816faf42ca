package route

import (
	"strings"

	"wherry/pkg/schema"
)

// Named tells whether an include gives the very name of the table, not a pattern that happens to match it.
func (r *Rules) Named(name schema.Name) bool {
	for _, g := range r.include {
		if !strings.ContainsAny(g.database+g.table, "*?") && g.match(name) {
			return true
		}
	}
	return false
}
