package verify

import (
	"context"
	"errors"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// exactTries is how often a row is compared that foreign keys change without the log showing it, before it is called in
// flux.
const exactTries = 60

// witnesses returns the tables whose changes in the log may mean a change of a row of this table: itself, and those
// from which foreign keys reach it. Example: a DELETE of an order deletes its lines, and MariaDB logs only the order.
func (v *Verify) witnesses(rt *route.Route) []*route.Route {
	all := []*route.Route{rt}
	if !v.cascades.Reached(rt) {
		return all
	}
	for _, parent := range v.all {
		for _, ref := range v.cascades.Of(parent) {
			if parent != rt && v.cascades.Reach(ref)[rt] {
				all = append(all, parent)
				break
			}
		}
	}
	return all
}

// sources returns the tables that must not change while a snapshot is taken, if it is to be exact for this one.
func (v *Verify) sources(rt *route.Route) []*route.Relation {
	witnesses := v.witnesses(rt)
	rels := make([]*route.Relation, len(witnesses))
	for i, w := range witnesses {
		rels[i] = &w.Source
	}
	return rels
}

// unseen returns the tables that a change may have changed rows of which the log does not show; nil when there are
// none.
func (v *Verify) unseen(c *db.Change) (reached map[*route.Route]bool) {
	if !c.Cascades {
		return nil
	}
	for _, ref := range v.cascades.Of(c.Route) {
		if ref.Acts(c.Before, c.After) == route.NoAction {
			continue
		}
		if reached == nil {
			reached = map[*route.Route]bool{}
		}
		for r := range v.cascades.Reach(ref) {
			reached[r] = true
		}
	}
	return reached
}

// proveExactly is prove for rows that foreign keys may have changed meanwhile: of those the log proves nothing. The
// source at a position S and the target at a position T, which is S or later, are compared. If the log shows, between
// the two, neither a change of the row nor one that a foreign key could act upon, the result is certain.
func (r *run) proveExactly(ctx context.Context, rt *route.Route, left []suspect, v verdict) (verdict, error) {
	pause := firstPause
	for range exactTries {
		var moving []suspect
		err := r.retry(ctx, func() (err error) {
			var different []suspect
			if different, moving, err = r.compareExactly(ctx, rt, keysOf(left)); err == nil {
				v.different = append(v.different, different...)
			}
			return err
		})
		if left = moving; err != nil || len(left) == 0 {
			return v, err
		}
		if err := db.Pause(ctx, pause); err != nil {
			return v, err
		}
		pause = min(2*pause, lastPause)
	}
	v.inFlux = append(v.inFlux, left...)
	return v, nil
}

// compareExactly returns the keys of rows that are different, and of those that moved too much to tell.
func (r *run) compareExactly(ctx context.Context, rt *route.Route, keys []db.Row) (different, moving []suspect,
	err error,
) {
	p, err := r.open(ctx, rt, false)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	source, err := digests(rt, func() (db.Rows, error) { return p.source.Fetch(ctx, &rt.Source, keys) })
	if err != nil {
		return nil, nil, err
	}
	target, err := digests(rt, func() (db.Rows, error) { return p.target.Fetch(ctx, &rt.Target, keys) })
	if err != nil {
		return nil, nil, err
	}
	suspects := unequal(keys, target, source)
	changed := map[string]bool{}
	err = p.log.read(ctx, func(_ int, part *db.Part) error {
		for i := range part.Changes {
			for _, row := range []db.Row{part.Changes[i].Before, part.Changes[i].After} {
				if row != nil && part.Changes[i].Route == rt {
					changed[keyText(row.Pick(rt.Source.Key))] = true
				}
			}
		}
		return nil
	})
	if errors.Is(err, errUnseen) {
		return nil, suspects, nil
	}
	for _, s := range suspects {
		if changed[keyText(s.key)] {
			moving = append(moving, s)
		} else {
			different = append(different, s)
		}
	}
	return different, moving, err
}

func digests(rt *route.Route, open func() (db.Rows, error)) (image, error) {
	all := image{}
	err := each(open, func(row db.Row) error {
		all.add(row.Pick(rt.Source.Key), row, rt.Source.Computed)
		return nil
	})
	return all, err
}

// errUnseen is a stretch of the log in which foreign keys may have changed rows of the table.
var errUnseen = errors.New("foreign keys changed rows of the table, which the log does not show")

// apart tries to compare a table without a key at a moment when foreign keys do not act on it. unseen: there was no
// such moment in exactTries tries. The cutover compares such a table as a whole, when nothing is written any more.
func (r *run) apart(ctx context.Context, compare func() error) (unseen bool, err error) {
	for range exactTries {
		if err = r.retry(ctx, compare); !errors.Is(err, errUnseen) {
			return false, err
		}
		if err := db.Pause(ctx, firstPause); err != nil {
			return false, err
		}
	}
	return true, nil
}

// wholly compares a table as a whole, because the log does not show which of its rows have changed.
func (r *run) wholly(ctx context.Context, t *tally) error {
	f := &found{limit: r.opts.MaxListed}
	err := r.ranges(ctx, t, r.source, &t.route.Source, func(rng db.Range, _ bool) error {
		return r.compare(ctx, work{t, rng}, f)
	})
	if err == nil && r.isScattered(t) {
		rel := t.route.Target.KeyOnly()
		err = r.ranges(ctx, t, r.target, rel, func(rng db.Range, _ bool) error {
			return r.extras(ctx, t.route, rng, f)
		})
	}
	if err != nil {
		return fmt.Errorf("verify table %s: %w", t.route.Source.Name(), err)
	}
	r.merge(t, f, false)
	return nil
}
