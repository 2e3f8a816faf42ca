package verify

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
)

// work is one range of one table; a table without a key is one piece of work.
type work struct {
	tally *tally
	rng   db.Range
}

// chunks cuts the tables into ranges and has them compared by several workers.
func (r *run) chunks(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	todo := make(chan work, r.opts.Workers) // so that a worker need not wait for a bound
	group.Go(func() error {
		defer close(todo)
		return r.cut(ctx, todo)
	})
	for range r.opts.Workers {
		group.Go(func() error {
			for w := range todo {
				f := &found{limit: r.opts.MaxListed}
				if err := r.compare(ctx, w, f); err != nil {
					return fmt.Errorf("verify table %s: %w", w.tally.route.Source.Name(), err)
				}
				r.merge(w.tally, f, true)
			}
			return nil
		})
	}
	return group.Wait()
}

// cut sends every table's ranges: together they hold every key there is or may come, in whatever order an end sorts.
func (r *run) cut(ctx context.Context, todo chan<- work) error {
	send := func(w work, last bool) error {
		r.promise(w.tally, last)
		select {
		case todo <- w:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for _, t := range r.tallies {
		rel, after := &t.route.Source, db.Row(nil)
		for len(rel.Key) > 0 {
			upto, err := r.bound(ctx, r.source, rel, after, r.opts.ChunkRows)
			if err != nil {
				return fmt.Errorf("verify table %s: %w", rel.Name(), err)
			}
			if upto == nil {
				break
			}
			if err := send(work{t, db.Range{After: after, Upto: upto}}, false); err != nil {
				return err
			}
			after = upto
		}
		if err := send(work{t, db.Range{After: after}}, true); err != nil {
			return err
		}
	}
	return nil
}

// compared refuses a comparison that proves nothing.
func (r *run) compared(ctx context.Context) error {
	if r.report.Rows() > 0 {
		return nil
	}
	if len(r.routes) == 0 {
		return fmt.Errorf("verify: %w: no table is meant", ErrNothingCompared)
	}
	for _, rt := range r.routes {
		some, err := r.any(ctx, &rt.Source)
		if err != nil {
			return err
		}
		if some {
			return fmt.Errorf("verify: %w, yet %s has rows", ErrNothingCompared, rt.Source.Name())
		}
	}
	return nil
}
