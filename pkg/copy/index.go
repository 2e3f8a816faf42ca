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

// finish builds what was deferred, several tables at a time, then adds the foreign keys, unchecked: the rows are the
// source's, which checked them. Then every table must be as it was planned. Tables are read again only after
// something was added.
func (c *Copy) finish(ctx context.Context) error {
	existing, err := c.read(ctx, c.routes...)
	if err != nil {
		return err
	}
	if existing, err = c.indexes(ctx, existing); err != nil {
		return err
	}
	if existing, err = c.foreignKeys(ctx, existing); err != nil {
		return err
	}
	if err := c.analyze(ctx); err != nil {
		return err
	}
	for _, r := range c.routes {
		if diff := c.target.Dialect().Differences(r.Target.Table, existing[r.Target.Name()], true,
			true); len(diff) > 0 {
			return fmt.Errorf("table %s on the target is not as planned: %s: %w", r.Target.Name(),
				strings.Join(diff, "; "), db.ErrUnsupported)
		}
	}
	return nil
}

// indexes builds the indexes that tables lack, and returns the tables as they are then.
func (c *Copy) indexes(ctx context.Context, existing map[schema.Name]*schema.Table) (map[schema.Name]*schema.Table,
	error,
) {
	add := c.target.Dialect().AddIndexes
	group, building := errgroup.WithContext(ctx)
	group.SetLimit(c.opts.IndexWorkers)
	lacking := false
	for _, r := range c.routes {
		if len(add(r.Target.Table, existing[r.Target.Name()])) == 0 {
			c.opts.Observe.Table(r.Source.Name(), "indexed")
			continue
		}
		lacking = true
		group.Go(func() error {
			if err := c.complete(building, r, existing[r.Target.Name()], add); err != nil {
				return fmt.Errorf("build indexes of %s: %w", r.Target.Name(), err)
			}
			c.opts.Observe.Table(r.Source.Name(), "indexed")
			return nil
		})
	}
	if err := group.Wait(); err != nil || !lacking {
		return existing, err
	}
	return c.read(ctx, c.routes...)
}

// foreignKeys adds the foreign keys that tables lack, and returns the tables as they are then.
func (c *Copy) foreignKeys(ctx context.Context, existing map[schema.Name]*schema.Table) (map[schema.Name]*schema.Table,
	error,
) {
	add, lacking := c.target.Dialect().AddForeignKeys, false
	for _, r := range c.routes {
		if len(add(r.Target.Table, existing[r.Target.Name()])) == 0 {
			continue
		}
		lacking = true
		if err := c.complete(ctx, r, existing[r.Target.Name()], add); err != nil {
			return nil, fmt.Errorf("add foreign keys of %s: %w", r.Target.Name(), err)
		}
	}
	if !lacking {
		return existing, nil
	}
	return c.read(ctx, c.routes...)
}

// analyze has the target count what is in the tables. Without that its first plans may take a table of millions of rows
// for an empty one. It is tried once: rows are right without it, so an error only warns.
func (c *Copy) analyze(ctx context.Context) error {
	group, analyzing := errgroup.WithContext(ctx)
	group.SetLimit(c.opts.IndexWorkers)
	for _, r := range c.routes {
		name := r.Target.Name()
		statement := c.target.Dialect().Analyze(name)
		if statement == "" {
			continue
		}
		group.Go(func() error {
			if err := c.target.Execute(analyzing, statement); err != nil && ctx.Err() == nil {
				c.opts.Log.Warn().Err(err).Str("statement", statement).
					Msg("the target did not count the rows of a table: its first plans may be slow")
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

// complete executes the statements that a table still lacks, each with retries of its own. After an error the table
// is read again: the statement may have been carried out although its answer was lost, by this run or by one that was
// killed.
func (c *Copy) complete(ctx context.Context, r *route.Route, existing *schema.Table,
	missing func(plan, existing *schema.Table) []string,
) error {
	statements := missing(r.Target.Table, existing)
	next := func() error {
		failed := c.target.Execute(ctx, statements[0])
		if failed == nil {
			statements = statements[1:]
			return nil
		}
		if ctx.Err() != nil {
			return failed
		}
		now, err := c.read(ctx, r)
		if err != nil {
			return err
		}
		left := missing(r.Target.Table, now[r.Target.Name()])
		if len(left) == len(statements) {
			return failed
		}
		statements = left
		return nil
	}
	for len(statements) > 0 {
		if err := c.retry(ctx, "alter table "+r.Target.Name().String(), next); err != nil {
			return err
		}
	}
	return nil
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
