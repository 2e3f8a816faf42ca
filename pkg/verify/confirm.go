package verify

import (
	"context"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

const (
	batchKeys = 500 // looked at together
	// maxRounds is how often a row that is rewritten each time is looked at before it is called in flux.
	maxRounds = 5
)

// suspect is a row that was unequal when it was looked at.
type suspect struct {
	key      db.Row
	kind     Kind
	computed bool // only values that the target computes are unequal
}

// anyKind and onlyExtra tell confirm what to make of suspects. A row that the source has is a matter of the source's
// range that it is in; seen in another range of a target that sorts otherwise, it would be counted twice.
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

// first tells whether a row is found for the first time. Where the target sorts otherwise, its ranges overlap; and a
// row may change more than once. Beyond Options.MaxCount rows a count may be too high.
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

// judge looks at rows ever more closely: at once, then with the target up to date, then with the log as a witness.
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

// compareNow compares rows as both ends show them now. It clears what only fell between two reads.
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

// prove tells rows that are different from rows that are being rewritten, and from rows that are right after all.
//
// That a row looks the same on the source before and after is no proof that it stood still: a flag may be set and
// cleared again in between. So the log is the witness. A row is different when it was unequal and the log has no
// change of it from a position that both looks contain, up to beyond all that either end has shown. A row that has
// such a change each time is in flux: every change carries the whole row, so whatever was wrong with it on the target
// when it was first seen has been overwritten since.
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
	// A change is in the log before the source shows it, and the target may be that quick.
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
