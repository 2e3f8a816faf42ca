package verify

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// work is one range of one table; a table without a key is one piece of work.
type work struct {
	tally *tally
	rng   db.Range
}

// chunks cuts the tables into ranges of the source's keys and has them compared by several workers. Rows that only the
// target has are found in these ranges too; in tables that are compared by keys, by scattered afterwards.
func (r *run) chunks(ctx context.Context) error {
	if err := r.workers(ctx, func(send func(work) error) error { return r.cut(ctx, send) }, r.compare); err != nil {
		return err
	}
	return r.scattered(ctx)
}

// workers has several workers do the pieces of work that cut sends. Each piece is counted (promise) before it is sent:
// counted by its worker, a table could look finished while its last piece is still in the channel. A table that failed
// is passed over, and the others go on.
func (r *run) workers(ctx context.Context, cut func(send func(work) error) error,
	do func(context.Context, work, *found) error,
) error {
	group, ctx := errgroup.WithContext(ctx)
	todo := make(chan work, r.opts.Workers) // so that a worker need not wait for a bound
	group.Go(func() error {
		defer close(todo)
		return cut(func(w work) error {
			select {
			case todo <- w:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	})
	for range r.opts.Workers {
		group.Go(func() error {
			for w := range todo {
				if r.hasFailed(w.tally) {
					continue
				}
				f := &found{limit: r.opts.MaxListed}
				if err := do(ctx, w, f); err != nil {
					if err := r.fail(ctx, w.tally, err); err != nil {
						return err
					}
					continue
				}
				r.merge(w.tally, f, true)
			}
			return nil
		})
	}
	return group.Wait()
}

// cut sends every table's ranges: together they hold every key there is or may come, in whatever order an end sorts.
func (r *run) cut(ctx context.Context, send func(work) error) error {
	for _, t := range r.tallies {
		err := r.ranges(ctx, t, r.source, &t.route.Source, func(rng db.Range, last bool) error {
			r.promise(t, last)
			return send(work{t, rng})
		})
		if err != nil {
			if err := r.fail(ctx, t, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// ranges cuts a table by the keys of one end, for as long as it can be compared.
func (r *run) ranges(ctx context.Context, t *tally, end db.Reader, rel *route.Relation,
	send func(rng db.Range, last bool) error,
) error {
	after := db.Row(nil)
	for len(rel.Key) > 0 && !r.hasFailed(t) {
		upto, err := r.bound(ctx, end, rel, after, r.opts.ChunkRows)
		if err != nil {
			return err
		}
		if upto == nil {
			break
		}
		if err := send(db.Range{After: after, Upto: upto}, false); err != nil {
			return err
		}
		after = upto
	}
	return send(db.Range{After: after}, true)
}

// compared refuses a comparison that proves nothing (ErrNothingCompared): no row was compared, although the source has
// some. A row filter with a typing error in it would otherwise prove everything equal. Rows of the filtered table are
// searched without the filter for that reason, see any.
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
