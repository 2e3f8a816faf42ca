package verify

import (
	"context"
	"crypto/sha256"
	"errors"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// maxDigests bounds the memory in which the rows of a table without a key are counted, to about 100 MB.
const maxDigests = 1 << 20

// keyless compares a table without a key as a whole: both ends must hold the same rows, each as often. Its rows cannot be
// named, so they are counted, and not mended.
func (r *run) keyless(ctx context.Context, rt *route.Route, f *found) error {
	var source, target db.Sum
	for range maxRounds {
		from, err := r.safe(ctx)
		if err != nil {
			return err
		}
		if source, err = r.sum(ctx, r.source, &rt.Source, db.Range{}); err != nil {
			return err
		}
		goal, err := r.head(ctx)
		if err != nil {
			return err
		}
		if err := r.await(ctx, goal); err != nil {
			return err
		}
		if target, err = r.sum(ctx, r.target, &rt.Target, db.Range{}); err != nil {
			return err
		}
		if source == target {
			f.table.Rows += source.Rows
			return nil
		}
		moved, err := r.movedSince(ctx, rt, from)
		if err != nil {
			return err
		}
		if len(moved) == 0 {
			f.table.Rows += source.Rows
			return r.count(ctx, rt, source, target, f)
		}
	}
	// Unlike with a row that has a key, this proves nothing.
	return errors.New("cannot compare a table without a key that is written to all the time: it has to rest for a moment")
}

// count counts how many rows are missing and extra, as exactly as bounded memory allows: at least one difference is known.
func (r *run) count(ctx context.Context, rt *route.Route, source, target db.Sum, f *found) error {
	surplus := map[[sha256.Size]byte]int64{} // times on the source minus times on the target
	whole := true
	for _, end := range []struct {
		reader db.Reader
		rel    *route.Relation
		step   int64
	}{{r.source, &rt.Source, 1}, {r.target, &rt.Target, -1}} {
		var buffer []byte
		err := each(func() (db.Rows, error) { return end.reader.Rows(ctx, end.rel, db.Range{}) }, func(row db.Row) error {
			buffer = appendValues(buffer[:0], row)
			digest := sha256.Sum256(buffer)
			if surplus[digest] += end.step; surplus[digest] == 0 {
				delete(surplus, digest)
			}
			whole = whole && len(surplus) <= maxDigests
			if !whole {
				clear(surplus)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	var missing, extra int64
	if whole {
		for _, n := range surplus {
			missing += max(n, 0)
			extra += max(-n, 0)
		}
	} else {
		missing, extra = max(source.Rows-target.Rows, 0), max(target.Rows-source.Rows, 0)
	}
	if missing+extra == 0 {
		f.table.Differing++ // both ends hold as many rows, or changed since
	}
	f.table.Missing += missing
	f.table.Extra += extra
	return nil
}
