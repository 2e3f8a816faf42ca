package verify

import (
	"context"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

const (
	batchKeys = 500 // keys whose rows are fetched by one statement
	// maxRounds is how often a row that changes between the reads each time is compared before it is called in flux.
	maxRounds = 5
)

// suspect is a row that was unequal when it was read.
type suspect struct {
	key      db.Row
	kind     Kind
	computed bool // only values that the target computes are unequal
}

// anyKind and onlyExtra select the suspects that confirm reports. A target that sorts differently may show a row in
// another range than the source does. Such a row is reported by the range that it has on the source; a search through
// the target's ranges reports only extra rows, so that none is counted twice.
func anyKind(suspect) bool     { return true }
func onlyExtra(s suspect) bool { return s.kind == Extra }

// confirm decides about rows that were unequal when they were compared, and mends those that are different if asked to.
func (r *run) confirm(ctx context.Context, rt *route.Route, keys []db.Row, f *found, matters func(suspect) bool) error {
	for len(keys) > 0 {
		batch := keys[:min(batchKeys, len(keys))]
		keys = keys[len(batch):]
		v, err := r.judge(ctx, rt, batch)
		if err != nil {
			return err
		}
		v.different, v.inFlux = keep(v.different, matters), keep(v.inFlux, matters)
		if r.repair && len(v.different) > 0 {
			if v, err = r.mend(ctx, rt, v); err != nil {
				return err
			}
		}
		r.list(rt, v, f)
	}
	return nil
}

// verdict is what became of suspects; those in none of the lists are equal.
type verdict struct {
	different []suspect
	inFlux    []suspect
	repaired  []suspect
}

func (r *run) list(rt *route.Route, v verdict, f *found) {
	for _, s := range v.different {
		if !r.first(rt, s.key) {
			continue
		}
		text := render(&rt.Source, s.key)
		listed := f.add(text, s.kind, false)
		if s.computed {
			f.computed(listed)
		}
		if !listed {
			continue // one line each of a million would help nobody
		}
		r.opts.Log.Warn().Stringer("table", rt.Source.Name()).Str("key", text).Str("kind",
			string(s.kind)).Msg("row is different")
	}
	for _, s := range v.inFlux {
		f.add(render(&rt.Source, s.key), InFlux, false)
	}
	for _, s := range v.repaired {
		f.add(render(&rt.Source, s.key), s.kind, true)
	}
}

// first tells whether a row is found for the first time. It may be found again: where the target sorts differently,
// ranges overlap; and a row may change more than once. Digests of at most Options.MaxCount rows per table are kept;
// beyond that a row may be counted twice.
func (r *run) first(rt *route.Route, key db.Row) bool {
	d, _ := key.Digest(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.seen[rt]
	if seen == nil {
		seen = map[digest]struct{}{}
		r.seen[rt] = seen
	}
	if _, again := seen[d]; again {
		return false
	}
	if len(seen) < r.opts.MaxCount {
		seen[d] = struct{}{}
	}
	return true
}

// judge compares rows in three steps, each more certain and more expensive than the one before: at once, then after the
// target has applied what the source showed, then with the log as proof. Most suspects of a busy table end at the
// first.
func (r *run) judge(ctx context.Context, rt *route.Route, keys []db.Row) (verdict, error) {
	left, err := r.compareNow(ctx, rt, keys)
	if err != nil || len(left) == 0 {
		return verdict{}, err
	}
	if left, err = r.compareApplied(ctx, rt, keysOf(left)); err != nil || len(left) == 0 {
		return verdict{}, err
	}
	return r.prove(ctx, rt, left)
}

// compareNow compares rows as both ends show them now. It clears rows that only changed between the first two reads.
func (r *run) compareNow(ctx context.Context, rt *route.Route, keys []db.Row) ([]suspect, error) {
	source, err := r.fetch(ctx, r.source, &rt.Source, keys)
	if err != nil {
		return nil, err
	}
	target, err := r.fetch(ctx, r.target, &rt.Target, keys)
	if err != nil {
		return nil, err
	}
	return unequal(keys, target, source), nil
}

// compareApplied compares the target's rows, after it has applied all that the source's rows showed, with the source's
// rows of before and after: a row that equals either of them is right.
func (r *run) compareApplied(ctx context.Context, rt *route.Route, keys []db.Row) ([]suspect, error) {
	before, err := r.fetch(ctx, r.source, &rt.Source, keys)
	if err != nil {
		return nil, err
	}
	goal, err := r.head(ctx) // read after the rows, so it contains whatever they show
	if err != nil {
		return nil, err
	}
	if err := r.await(ctx, goal); err != nil {
		return nil, err
	}
	target, err := r.fetch(ctx, r.target, &rt.Target, keys)
	if err != nil {
		return nil, err
	}
	after, err := r.fetch(ctx, r.source, &rt.Source, keys)
	if err != nil {
		return nil, err
	}
	return unequal(keys, target, before, after), nil
}

// prove separates rows that are different from rows that are being written, and from rows that are equal after all.
//
// That a row has the same values on the source before and after is no proof that it stood still: a flag may be set and
// cleared again in between. So the log is the proof. A row is different if it was unequal and the log has no change of
// it, from a position that both reads of the source contain up to beyond all that either end has shown. A row that has
// such a change each time is in flux: every change carries the whole row, so whatever was wrong with it on the target
// at first has been overwritten since.
func (r *run) prove(ctx context.Context, rt *route.Route, left []suspect) (verdict, error) {
	var v verdict
	for range maxRounds {
		from, err := r.safe(ctx)
		if err != nil {
			return v, err
		}
		if left, err = r.compareApplied(ctx, rt, keysOf(left)); err != nil || len(left) == 0 {
			return v, err
		}
		moved, unseen, err := r.movedSince(ctx, rt, from)
		if err != nil {
			return v, err
		}
		if unseen {
			return r.proveExactly(ctx, rt, left, v)
		}
		var moving []suspect
		for _, s := range left {
			if moved[keyText(s.key)] {
				moving = append(moving, s)
			} else {
				v.different = append(v.different, s)
			}
		}
		if left = moving; len(left) == 0 {
			return v, nil
		}
	}
	v.inFlux = left
	return v, nil
}

// movedSince returns the keys of a table's rows that the log shows to have changed since a position, up to beyond
// everything that a read of either end has shown so far; unseen tells that foreign keys may have changed others.
func (r *run) movedSince(ctx context.Context, rt *route.Route, from db.Position) (keys map[string]bool, unseen bool,
	err error,
) {
	head, err := r.head(ctx)
	if err != nil {
		return nil, false, err
	}
	// The target may be ahead of the head that was just read: a change is in the log, and can be applied, before the
	// source shows it.
	applied, err := r.applied(ctx)
	if err != nil {
		return nil, false, err
	}
	keys = map[string]bool{}
	err = r.scan(ctx, from, []db.Position{head, applied}, r.witnesses(rt), func(c *db.Change) error {
		unseen = unseen || r.unseen(c)[rt]
		if c.Route != rt {
			return nil
		}
		for _, row := range []db.Row{c.Before, c.After} {
			if row != nil {
				keys[keyText(row.Pick(rt.Source.Key))] = true
			}
		}
		return nil
	})
	return keys, unseen, err
}

// unequal returns the keys whose target row equals none of the source's.
func unequal(keys []db.Row, target image, sources ...image) []suspect {
	var out []suspect
	for _, key := range keys {
		k := keyText(key)
		t, onTarget := target[k]
		equal, computed := false, false
		kind := Extra
		for _, source := range sources {
			s, onSource := source[k]
			equal = equal || onSource == onTarget && s.digest == t.digest
			computed = onSource && onTarget && s.plain == t.plain
			kind = Extra
			if onSource {
				kind = Differing
			}
		}
		if !onTarget {
			kind = Missing
		}
		if !equal {
			out = append(out, suspect{key: key, kind: kind, computed: computed})
		}
	}
	return out
}

func keep(suspects []suspect, matters func(suspect) bool) []suspect {
	return slices.DeleteFunc(suspects, func(s suspect) bool { return !matters(s) })
}

func keysOf(suspects []suspect) []db.Row {
	keys := make([]db.Row, len(suspects))
	for i, s := range suspects {
		keys[i] = s.key
	}
	return keys
}
