package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

const (
	flushKeys = 2000                   // changed keys of a table that are gathered before they are compared
	logWait   = 200 * time.Millisecond // for the log to bring something
)

// follow compares every row that changed after from, up to to. First it waits until both ends hold to: then whatever is
// read shows all of these changes. A row that changed a thousand times is compared once per flush, not per change.
func (r *run) follow(ctx context.Context, from, to db.Position) error {
	if err := r.visible(ctx, to); err != nil {
		return err
	}
	if err := r.await(ctx, to); err != nil {
		return err
	}
	all := make(map[schema.Name]*gathered, len(r.tallies))
	for _, t := range r.tallies {
		all[t.route.Source.Name()] = &gathered{tally: t, keys: map[string]db.Row{}}
	}
	unseen, err := r.reshaped(from) // tables whose changes the log does not show completely: compared as a whole
	if err != nil {
		return err
	}
	err = r.scan(ctx, from, []db.Position{to}, r.watched(), func(c *db.Change) error {
		maps.Copy(unseen, r.unseen(c))
		g := all[c.Route.Source.Name()]
		if g == nil {
			return nil
		}
		for _, row := range []db.Row{c.Before, c.After} {
			if row != nil {
				key := row.Pick(g.tally.route.Source.Key)
				g.keys[keyText(key)] = key.Clone()
			}
		}
		if len(g.keys) < flushKeys {
			return nil
		}
		return r.flush(ctx, g)
	})
	if err != nil {
		return fmt.Errorf("verify changes after %s: %w", from, err)
	}
	for _, t := range r.tallies {
		compare := func(ctx context.Context) error { return r.flush(ctx, all[t.route.Source.Name()]) }
		if unseen[t.route] {
			compare = func(ctx context.Context) error { return r.wholly(ctx, t) }
		}
		if err := compare(ctx); err != nil {
			return err
		}
	}
	return nil
}

// reshaped returns the tables whose schema changed after a position, and those that foreign keys of such a table reach:
// the log from before the change cannot be read, so what it did to either is unknown.
func (r *run) reshaped(from db.Position) (map[*route.Route]bool, error) {
	reshaped := map[*route.Route]bool{}
	for _, rt := range r.routes {
		for _, w := range r.witnesses(rt) {
			since := r.opts.Since[w.Source.Name()]
			if since.IsZero() {
				continue
			}
			reached, err := r.source.Reached(from, since)
			if err != nil {
				return nil, fmt.Errorf("compare positions: %w", err)
			}
			if !reached {
				reshaped[rt] = true
			}
		}
	}
	return reshaped, nil
}

// follows makes sure that the routes include a schema change of the log, which ends at a position. If they do not, it
// is ErrSchemaChange: rows after the change have other columns than the routes know. Changes of other tables do not
// matter.
func (v *Verify) follows(d *db.DDL, at db.Position, routes []*route.Route) error {
	for _, name := range d.Tables {
		if !slices.ContainsFunc(routes, func(r *route.Route) bool { return r.Source.Name() == name }) {
			continue // dropped or renamed since, or not compared
		}
		since := v.opts.Since[name]
		reached := false
		if !since.IsZero() {
			var err error
			if reached, err = v.source.Reached(since, at); err != nil {
				return fmt.Errorf("compare positions: %w", err)
			}
		}
		if !reached {
			return fmt.Errorf("%w on %v: %.200s", ErrSchemaChange, d.Tables, d.Statement)
		}
	}
	return nil
}

// watched returns the tables whose changes tell which rows of the compared ones have changed.
func (r *run) watched() []*route.Route {
	watched := slices.Clone(r.routes)
	for _, rt := range r.routes {
		for _, w := range r.witnesses(rt) {
			if !slices.Contains(watched, w) {
				watched = append(watched, w)
			}
		}
	}
	return watched
}

// gathered is the changed keys of one table that are still to be looked at.
type gathered struct {
	tally *tally
	keys  map[string]db.Row
}

// flush compares the rows of gathered keys and empties the list. A table without a key is compared as a whole.
func (r *run) flush(ctx context.Context, g *gathered) (err error) {
	if len(g.keys) == 0 {
		return nil
	}
	t, f := g.tally, &found{limit: r.opts.MaxListed}
	list := slices.Collect(maps.Values(g.keys))
	clear(g.keys)
	if len(t.route.Source.Key) == 0 {
		err = r.keyless(ctx, t.route, f)
	} else {
		f.table.Rows = int64(len(list))
		err = r.confirm(ctx, t.route, list, f, anyKind)
	}
	if err != nil {
		return fmt.Errorf("verify table %s: %w", t.route.Source.Name(), err)
	}
	r.merge(t, f, false)
	return nil
}

// scan visits every change of the routes after a position, until the log has been read up to all of the goals.
// After a lost connection it begins again at the last whole transaction, so a change may be visited twice: visitors
// gather keys, and a key that comes twice does no harm.
func (v *Verify) scan(ctx context.Context, from db.Position, goals []db.Position, routes []*route.Route,
	visit func(*db.Change) error,
) error {
	at := from
	var stop error // the visitor's: not to be tried again
	careful := func(part *db.Part) error {
		stop = visitPart(part, visit)
		return stop
	}
	for {
		began, done := at, false
		err := v.retry(ctx, func() (err error) {
			done, err = v.read(ctx, &at, goals, routes, careful)
			if stop != nil || at != began && errors.Is(err, db.ErrConnection) {
				return nil // it broke off, but further on than before: that is progress, and RetryFor begins anew
			}
			return err
		})
		if stop != nil || err != nil || done {
			return errors.Join(stop, err)
		}
	}
}

// read visits the log from a position, which it moves along, until the goals are reached.
func (v *Verify) read(ctx context.Context, pos *db.Position, goals []db.Position, routes []*route.Route,
	visit func(*db.Part) error,
) (done bool, err error) {
	stream, err := v.source.Stream(ctx, *pos, routes, nil)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	for moved := v.opts.Now(); ; {
		if at := stream.Position(); at != *pos {
			*pos, moved = at, v.opts.Now()
		}
		done, err := v.reachedAll(*pos, goals)
		if err != nil || done {
			return done, err
		}
		if v.opts.Now().Sub(moved) > v.opts.WaitTimeout {
			return false, fmt.Errorf("read the source's log up to %s: it stays at %s", goals, *pos)
		}
		part, err := stream.Next(ctx, logWait)
		if err != nil {
			return false, err
		}
		if part != nil { // pieces of a large transaction are progress, though the position stays before it
			moved = v.opts.Now()
		}
		if part != nil && part.DDL != nil {
			if err := v.follows(part.DDL, stream.Position(), routes); err != nil {
				return false, err
			}
		}
		if err := visit(part); err != nil {
			return false, err
		}
	}
}

func visitPart(part *db.Part, visit func(*db.Change) error) error {
	if part == nil {
		return nil
	}
	for i := range part.Changes {
		if err := visit(&part.Changes[i]); err != nil {
			return err
		}
	}
	return nil
}

func (v *Verify) reachedAll(at db.Position, goals []db.Position) (bool, error) {
	for _, goal := range goals {
		if goal.IsZero() {
			continue
		}
		reached, err := v.source.Reached(at, goal)
		if err != nil {
			return false, fmt.Errorf("compare positions: %w", err)
		}
		if !reached {
			return false, nil
		}
	}
	return true, nil
}
