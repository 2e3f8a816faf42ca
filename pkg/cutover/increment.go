package cutover

import (
	"context"
	"fmt"

	"wherry/pkg/schema"
)

// increments makes the target hand out automatic values from where the source stopped: also above those of rows
// that are gone.
func (c *Cutover) increments(ctx context.Context) error {
	targets := map[schema.Name]schema.Name{} // of tables with an automatic column
	sources := map[schema.Name]bool{}
	for _, r := range c.routes {
		for i := range r.Source.Table.Columns {
			if r.Source.Table.Columns[i].AutoIncrement {
				targets[r.Target.Name()], sources[r.Source.Name()] = r.Source.Name(), true
			}
		}
	}
	if len(targets) == 0 {
		return nil
	}
	next := map[schema.Name]uint64{}
	err := again(ctx, func() error {
		found, err := c.source.Tables(ctx, func(n schema.Name) bool { return sources[n] })
		for _, t := range found {
			next[t.Name] = t.AutoIncrement
		}
		return err
	})
	if err != nil {
		return timely(ctx, fmt.Errorf("read automatic values of the source: %w", err))
	}
	// All of it again after a lost answer: what was set is then found set.
	err = again(ctx, func() error {
		found, err := c.target.Tables(ctx, func(n schema.Name) bool { _, ok := targets[n]; return ok })
		if err != nil {
			return err
		}
		for _, t := range found {
			if err := c.increment(ctx, t, next[targets[t.Name]]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return timely(ctx, fmt.Errorf("set automatic values on the target: %w", err))
	}
	return nil
}

func (c *Cutover) increment(ctx context.Context, t *schema.Table, next uint64) error {
	if t.AutoIncrement >= next {
		return nil
	}
	statement := c.target.Dialect().SetAutoIncrement(t, next)
	if statement == "" {
		return nil
	}
	return c.target.Execute(ctx, statement)
}
