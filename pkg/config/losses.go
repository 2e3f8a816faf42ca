package config

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// checkSchema checks the names of losses and the form of their globs. Whether a glob matches any table is unknown here.
func (c *Config) checkSchema(p *problems) {
	oneOf(p, "schema.existing", c.Schema.Existing, "refuse", "accept")
	names := make([]string, len(schema.LossNames))
	for i, loss := range schema.LossNames {
		names[i] = loss.Name
	}
	for i, entry := range c.Schema.AllowLosses {
		key := fmt.Sprintf("schema.allow_losses[%d]", i)
		name, table, some := strings.Cut(entry, "@")
		if !slices.Contains(names, name) {
			p.addf("%s: unknown loss %q%s; known are %s", key, name, didYouMean(name, names), strings.Join(names, ", "))
		}
		if some {
			if _, _, err := splitName(table); err != nil {
				p.addf("%s: %w", key, err)
			}
		}
		if slices.Index(c.Schema.AllowLosses, entry) < i {
			p.addf("%s: %q given twice", key, entry)
		}
	}
}
