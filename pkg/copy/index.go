package copy

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// indexes builds what was deferred, several tables at a time.
func (c *Copy) indexes(ctx context.Context) error {
	existing, err := c.read(ctx, c.routes...)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.opts.IndexWorkers)
	for _, r := range c.routes {
		group.Go(func() error {
			if err := c.complete(ctx, r, existing[r.Target.Name()], c.target.Dialect().AddIndexes); err != nil {
				return fmt.Errorf("build indexes of %s: %w", r.Target.Name(), err)
			}
			c.opts.Observe.Table(r.Source.Name(), "indexed")
			return nil
		})
	}
	return group.Wait()
}

// foreignKeys adds the foreign keys, unchecked: the rows are the source's, which checked them. Then every table must be
// as it was planned.
func (c *Copy) foreignKeys(ctx context.Context) error {
	existing, err := c.read(ctx, c.routes...)
	if err != nil {
		return err
	}
	for _, r := range c.routes {
		if err := c.complete(ctx, r, existing[r.Target.Name()], c.target.Dialect().AddForeignKeys); err != nil {
			return fmt.Errorf("add foreign keys of %s: %w", r.Target.Name(), err)
		}
	}
	if existing, err = c.read(ctx, c.routes...); err != nil {
		return err
	}
	for _, r := range c.routes {
		if diff := c.target.Dialect().Differences(r.Target.Table, existing[r.Target.Name()], true, true); len(diff) > 0 {
			return fmt.Errorf("table %s on the target is not as planned: %s: %w", r.Target.Name(), strings.Join(diff, "; "), db.ErrUnsupported)
		}
	}
	return nil
}

// complete executes the statement that a table still lacks. After an error the table is read again: the statement may have
// been carried out although its answer was lost, by this run or by one that was killed.
func (c *Copy) complete(ctx context.Context, r *route.Route, existing *schema.Table, missing func(plan, existing *schema.Table) string) error {
	return c.retry(ctx, "alter table "+r.Target.Name().String(), func() error {
		statement := missing(r.Target.Table, existing)
		if statement == "" {
			return nil
		}
		failed := c.target.Execute(ctx, statement)
		if failed == nil || ctx.Err() != nil {
			return failed
		}
		now, err := c.read(ctx, r)
		if err != nil {
			return err
		}
		if existing = now[r.Target.Name()]; missing(r.Target.Table, existing) == "" {
			return nil
		}
		return failed
	})
}

// read reads the target tables of routes.
func (c *Copy) read(ctx context.Context, routes ...*route.Route) (map[schema.Name]*schema.Table, error) {
	tables := make(map[schema.Name]*schema.Table, len(routes))
	for _, r := range routes {
		tables[r.Target.Name()] = nil
	}
	found, err := c.target.Tables(ctx, func(n schema.Name) bool {
		_, ok := tables[n]
		return ok
	})
	if err != nil {
		return nil, err
	}
	for _, t := range found {
		tables[t.Name] = t
	}
	for name, t := range tables {
		if t == nil {
			return nil, fmt.Errorf("read table %s: it is not on the target; run init-schema", name)
		}
	}
	return tables, nil
}
