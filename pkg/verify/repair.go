package verify

import (
	"context"
	"fmt"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

const (
	repairBytes   = 4 << 20 // of rows in one transaction
	repairRounds  = 3       // writes of one row before it counts as different for good
	recheckPasses = 3       // over the log after repairs; the last one only reports
)

// mend rewrites rows that are proved different with the source's current ones, and proves them anew. Rows that differ
// in generated columns only are left: the target computes those, and a write cannot change them.
//
// That is safe while changes flow: a change that the target has not applied yet will rewrite the whole row. A change
// that it applied between the read of the source and this write is undone by the write. That is found by the proof
// here; where the write displaced another row by a unique value, by recheck.
func (r *run) mend(ctx context.Context, rt *route.Route, v verdict) (verdict, error) {
	if err := r.noteRepair(ctx); err != nil {
		return v, err
	}
	bad := keep(slices.Clone(v.different), func(s suspect) bool { return !s.computed })
	beyond := keep(slices.Clone(v.different), func(s suspect) bool { return s.computed })
	if len(bad) == 0 {
		return v, nil
	}
	left := bad
	for range repairRounds {
		if err := r.rewrite(ctx, rt, keysOf(left)); err != nil {
			return v, fmt.Errorf("repair: %w", err)
		}
		again, err := r.judge(ctx, rt, keysOf(left))
		if err != nil {
			return v, err
		}
		v.inFlux = append(v.inFlux, again.inFlux...)
		if left = again.different; len(left) == 0 {
			break
		}
	}
	v.different = append(beyond, left...)
	open := make(map[string]bool, len(left))
	for _, list := range [][]suspect{left, v.inFlux} {
		for _, s := range list {
			open[keyText(s.key)] = true
		}
	}
	for _, s := range bad {
		if !open[keyText(s.key)] {
			v.repaired = append(v.repaired, s)
		}
	}
	return v, nil
}

// rewrite makes the target's rows what the source's are now. Removals come first: a row to be written may need a unique
// value of a row to be removed, or its key if a collation calls both keys equal. For the same reason rows that fetch
// brings along by a collation are written too.
func (r *run) rewrite(ctx context.Context, rt *route.Route, keys []db.Row) error {
	present, err := r.fetch(ctx, r.source, &rt.Source, keys)
	if err != nil {
		return err
	}
	batch, size := db.TableBatch{Route: rt}, 0
	for _, key := range keys {
		if _, ok := present[keyText(key)]; !ok {
			batch.Deletes = append(batch.Deletes, key)
		}
	}
	write := func() error {
		if len(batch.Deletes)+len(batch.Upserts) == 0 {
			return nil
		}
		err := r.retry(ctx, func() error { return r.target.Repair(ctx, &db.Batch{Tables: []db.TableBatch{batch}}) })
		batch, size = db.TableBatch{Route: rt}, 0
		return err
	}
	err = r.retry(ctx, func() error {
		batch.Upserts, size = nil, 0
		return each(func() (db.Rows, error) { return r.source.Fetch(ctx, &rt.Source, keys) }, func(row db.Row) error {
			batch.Upserts = append(batch.Upserts, row.Clone())
			if size += row.Size(); size < repairBytes {
				return nil
			}
			return write()
		})
	})
	if err != nil {
		return err
	}
	return write()
}

// noteRepair remembers a position from before the first repair: recheck reads the log from there.
func (r *run) noteRepair(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.mended.IsZero() {
		return nil
	}
	pos, err := r.safe(ctx)
	r.mended = pos
	return err
}

// recheck compares every row that changed while rows were repaired: a repair may have undone such a change. Its own
// repairs need another pass; the last pass only reports.
func (r *run) recheck(ctx context.Context) error {
	for pass := range recheckPasses {
		from := r.mended
		if from.IsZero() {
			return nil
		}
		r.mended = ""
		r.repair = pass < recheckPasses-1
		to, err := r.safe(ctx)
		if err != nil {
			return err
		}
		if err := r.follow(ctx, from, to); err != nil {
			return err
		}
	}
	return nil
}
