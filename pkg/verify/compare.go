package verify

import (
	"context"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// leafRows is how many rows are compared one by one rather than by another checksum; a checksum costs a round trip.
const leafRows = 500

// compare compares a range by checksums, and halves what is unequal until it is small enough to be read.
//
// Bounds come from the source alone, so each half is smaller. Whatever the order of keys on the target, a bound cuts a
// range there into two that together hold all of it, so none of its rows is passed over. Where the ends sort
// differently, equal rows may fall into unequal ranges. That costs reading them, and if it costs too much the table is
// compared by its keys instead (see weigh).
func (r *run) compare(ctx context.Context, w work, f *found) error {
	rt := w.tally.route
	if len(rt.Source.Key) == 0 {
		return r.keyless(ctx, rt, f)
	}
	todo := []db.Range{w.rng}
	for len(todo) > 0 {
		rng := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if r.isScattered(w.tally) {
			if err := r.lookUp(ctx, rt, rng, f); err != nil {
				return err
			}
			continue
		}
		source, target, err := r.sums(ctx, rt, rng)
		if err != nil {
			return err
		}
		if source == target {
			f.table.Rows += source.Rows
			continue
		}
		if r.weigh(w.tally, source.Rows, target.Rows) {
			todo = append(todo, rng)
			continue
		}
		if source.Rows > leafRows {
			mid, err := r.bound(ctx, r.source, &rt.Source, rng.After, int(source.Rows/2))
			if err != nil {
				return err
			}
			if splits(rng, mid) {
				todo = append(todo, db.Range{After: mid, Upto: rng.Upto}, db.Range{After: rng.After, Upto: mid})
				continue
			}
		}
		if err := r.leaf(ctx, rt, rng, target.Rows, f); err != nil {
			return err
		}
	}
	return nil
}

// splits tells whether a key cuts a range in two.
func splits(rng db.Range, mid db.Row) bool {
	return mid != nil && (rng.Upto == nil || keyText(mid) != keyText(rng.Upto))
}

// sums computes both ends' checksums at the same time, so that little changes in between.
func (r *run) sums(ctx context.Context, rt *route.Route, rng db.Range) (source, target db.Sum, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		source, err = r.sum(ctx, r.source, &rt.Source, rng)
		return err
	})
	group.Go(func() (err error) {
		target, err = r.sum(ctx, r.target, &rt.Target, rng)
		return err
	})
	return source, target, group.Wait()
}

// leaf compares a small range of the source with the target's rows of that range, key by key. The range is small on the
// source only. The target may have millions of rows there, if the ends sort differently or somebody inserted rows: they
// are read in pieces, so memory stays bounded.
func (r *run) leaf(ctx context.Context, rt *route.Route, rng db.Range, targetRows int64, f *found) error {
	source, err := r.rows(ctx, r.source, &rt.Source, rng)
	if err != nil {
		return err
	}
	f.table.Rows += int64(len(source))
	var extras []db.Row // on the target only, as it seems
	for todo := []piece{{rng, targetRows}}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		halves, err := r.halve(ctx, &rt.Target, p)
		if err != nil {
			return err
		}
		if halves != nil {
			todo = append(todo, halves...)
			continue
		}
		target, err := r.rows(ctx, r.target, &rt.Target, p.rng)
		if err != nil {
			return err
		}
		for k, t := range target {
			if s, ok := source[k]; !ok {
				extras = append(extras, t.key)
			} else if s.digest == t.digest {
				delete(source, k)
			}
		}
		if len(extras) >= leafRows {
			if err := r.confirm(ctx, rt, extras, f, onlyExtra); err != nil {
				return err
			}
			extras = nil
		}
	}
	if err := r.confirm(ctx, rt, extras, f, onlyExtra); err != nil {
		return err
	}
	return r.confirm(ctx, rt, source.keys(), f, anyKind)
}

// piece is a range of the target with about how many rows it holds.
type piece struct {
	rng  db.Range
	rows int64
}

// halve cuts a piece that is too large to be read at once; nil: it is small enough, or cannot be cut. The half to do
// next is the last one.
func (r *run) halve(ctx context.Context, rel *route.Relation, p piece) ([]piece, error) {
	if p.rows <= 2*leafRows {
		return nil, nil
	}
	half := p.rows / 2
	mid, err := r.bound(ctx, r.target, rel, p.rng.After, int(half))
	if err != nil || !splits(p.rng, mid) {
		return nil, err
	}
	return []piece{
		{db.Range{After: mid, Upto: p.rng.Upto}, p.rows - half},
		{db.Range{After: p.rng.After, Upto: mid}, half},
	}, nil
}
