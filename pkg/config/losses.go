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
	if s := &c.Schema; c.Target.Engine != "postgres" && (len(s.Types) > 0 || s.Fulltext || len(s.Materialize) > 0) {
		p.addf("schema: types, fulltext and materialize are for a target of engine postgres")
	}
	for i, rule := range c.Schema.Types {
		if rule.Of == "" || rule.As == "" {
			p.addf("schema.types[%d]: of and as are both required", i)
		}
	}
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
