package verify

import (
	"context"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// Both ends may sort keys differently, text above all. Then a range of the source's keys may hold most of the target's
// rows, and comparing range by range would read the target once per range: a table of n rows in c ranges costs c*n.
// For example, where one end sorts "a" < "B" and the other "B" < "a", the range from "B" to "z" is two thirds of one
// table and next to nothing of the other.
//
// Whether they do is found out on the way: ranges in which the target shows far more rows than the source are the sign.
// The rest of such a table, called scattered, is compared by its keys, at the same cost per row whatever the order:
//   - rows of the source are read in its order, and looked up on the target (lookUp): differing and missing rows;
//   - keys of the target are read in its order, and looked up on the source (extras): rows only the target has.

// fewRanges is how many chunks' worth of surplus rows the target may show before a table counts as scattered. Rows that
// somebody inserted there show up as surplus too, and a few thousand of them are no reason to change the method.
const fewRanges = 10

// weigh adds the rows that a range has on either end, and tells whether the table is scattered by now. If it has just
// become so, the search for extra rows is one more piece of work of that table.
func (r *run) weigh(t *tally, source, target int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.sourceRows += source
	t.targetRows += target
	if !t.scattered && t.targetRows > 2*t.sourceRows+fewRanges*int64(r.opts.ChunkRows) {
		t.scattered = true
		t.pending++
	}
	return t.scattered
}

func (r *run) isScattered(t *tally) bool { return r.weigh(t, 0, 0) }

// lookUp compares the source's rows of a range with the target's rows of the same keys.
func (r *run) lookUp(ctx context.Context, rt *route.Route, rng db.Range, f *found) error {
	return r.walk(ctx, r.source, &rt.Source, rng, func(piece db.Range) error {
		source, err := r.rows(ctx, r.source, &rt.Source, piece)
		if err != nil {
			return err
		}
		f.table.Rows += int64(len(source))
		for keys := source.keys(); len(keys) > 0; {
			batch := keys[:min(batchKeys, len(keys))]
			keys = keys[len(batch):]
			target, err := r.fetch(ctx, r.target, &rt.Target, batch)
			if err != nil {
				return err
			}
			if err := r.confirm(ctx, rt, keysOf(unequal(batch, target, source)), f, anyKind); err != nil {
				return err
			}
		}
		return nil
	})
}

// extras finds the rows of a range of the target that the source does not have.
func (r *run) extras(ctx context.Context, rt *route.Route, rng db.Range, f *found) error {
	sourceKeys, targetKeys := rt.Source.KeyOnly(), rt.Target.KeyOnly()
	return r.walk(ctx, r.target, targetKeys, rng, func(piece db.Range) error {
		target, err := r.rows(ctx, r.target, targetKeys, piece)
		if err != nil {
			return err
		}
		for keys := target.keys(); len(keys) > 0; {
			batch := keys[:min(batchKeys, len(keys))]
			keys = keys[len(batch):]
			source, err := r.fetch(ctx, r.source, sourceKeys, batch)
			if err != nil {
				return err
			}
			if err := r.confirm(ctx, rt, keysOf(unequal(batch, target, source)), f, onlyExtra); err != nil {
				return err
			}
		}
		return nil
	})
}

// walk visits a range of one end in pieces of a few hundred rows, in that end's own order. Together they hold every key
// of the range.
func (r *run) walk(ctx context.Context, end db.Reader, rel *route.Relation, rng db.Range,
	visit func(db.Range) error,
) error {
	sum, err := r.sum(ctx, end, rel.KeyOnly(), rng)
	if err != nil {
		return err
	}
	// Counting down ends the walk: only the server knows whether a bound is beyond the range.
	for left := sum.Rows; left > leafRows; left -= leafRows {
		mid, err := r.bound(ctx, end, rel, rng.After, leafRows)
		if err != nil {
			return err
		}
		if !splits(rng, mid) {
			break
		}
		if err := visit(db.Range{After: rng.After, Upto: mid}); err != nil {
			return err
		}
		rng.After = mid
	}
	return visit(rng)
}

// scattered finds what only the target has, in the tables that were not compared by ranges.
func (r *run) scattered(ctx context.Context) error {
	return r.workers(ctx, func(send func(work) error) error {
		for _, t := range r.tallies {
			if !r.isScattered(t) || r.hasFailed(t) {
				continue
			}
			err := r.ranges(ctx, t, r.target, t.route.Target.KeyOnly(), func(rng db.Range, last bool) error {
				if !last { // weigh has promised one piece
					r.promise(t, true)
				}
				return send(work{t, rng})
			})
			if err != nil {
				if err := r.fail(ctx, t, err); err != nil {
					return err
				}
			}
		}
		return nil
	}, func(ctx context.Context, w work, f *found) error { return r.extras(ctx, w.tally.route, w.rng, f) })
}
