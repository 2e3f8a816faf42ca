package evolve

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// How often the source is asked, and how long to wait in between, when it may show more in a moment. A server writes
// its log soon after a table has changed, so a few tries are enough. The limits are for a source that changes faster
// than it can be read.
const (
	maxTries     = 50
	maxIdleTries = 5 // when the log has nothing new in the meantime
	unloggedWait = 10 * time.Millisecond
	vanishedWait = 100 * time.Millisecond
)

// effects returns what the change did, in shapes that the source confirms. See resolve.go for how that is decided; here
// the source is asked. db.ErrUnsupported: it cannot be known.
//
// Each try begins with new evidence. Tables and log of an earlier try may be from two states of the source.
func (c *change) effects(ctx context.Context) ([]schema.Effect, error) {
	q := c.question(ctx)
	before := 0 // how many later changes the log had at the last try
	for try := 0; ; try++ {
		s := &evidence{}
		v, err := c.gather(ctx, q, s)
		if err != nil {
			return nil, err
		}
		for _, name := range v.unmatched {
			if !slices.Contains(c.about, name) {
				c.about = append(c.about, name)
			}
		}
		wait := unloggedWait
		switch {
		case v.why == nil:
			return v.effects, nil
		case v.wait == certain, try == maxTries, v.wait == unlogged && try > maxIdleTries && len(s.log) == before:
			return nil, v.why
		case v.wait == vanished:
			wait = vanishedWait
		}
		before = len(s.log)
		if err := db.Pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// question returns the change with what the move's bookkeeping has of its tables.
func (c *change) question(ctx context.Context) *question {
	q := &question{
		change: c.DDL, before: make(shapes, len(c.records)), follows: c.rules.Follows,
		recorded: func(n schema.Name) (bool, error) { return c.recorded(n, c.After) },
		read: func(d *db.DDL, known []*schema.Table) ([]schema.Effect, error) {
			return c.source.Effects(ctx, d, known)
		},
		collations: c.collations,
		differ: func(want, got *schema.Table) []string {
			return c.source.Dialect().Differences(want, got, true, true)
		},
	}
	for name, r := range c.records {
		q.before[name] = r.Shape
	}
	return q
}

// gather asks the source for the evidence that resolve wants, until there is a verdict. Most changes need the tables
// only; the log, which costs a second stream, is read only if a table differs.
func (c *change) gather(ctx context.Context, q *question, s *evidence) (verdict, error) {
	for {
		v, err := q.resolve(s)
		switch {
		case err != nil:
			return v, err
		case len(v.tables) > 0:
			s.tables, err = c.observe(ctx, v.tables, s.tables)
		case len(v.log) > 0:
			if s.searched == nil {
				s.searched = map[schema.Name]bool{}
			}
			for _, name := range v.log {
				s.searched[name] = true
			}
			// Tables that were read before the log may lack a change that the log has. They are read after it.
			s.final = nil
			if s.log, err = c.later(ctx, c.After, s.searched); err != nil {
				err = fmt.Errorf("look for later schema changes: %w", err)
			}
		case len(v.final) > 0:
			s.final, err = c.observe(ctx, v.final, s.final)
		default:
			return v, nil
		}
		if err != nil {
			return v, err
		}
	}
}

// observe adds tables as the source has them now; a table that does not exist is added as nil.
func (e *Evolver) observe(ctx context.Context, names []schema.Name, to shapes) (shapes, error) {
	if to == nil {
		to = shapes{}
	}
	for _, n := range names {
		to[n] = nil
	}
	tables, err := e.source.Tables(ctx, func(n schema.Name) bool { return slices.Contains(names, n) })
	for _, t := range tables {
		to[t.Name] = t
	}
	return to, err
}

// later returns the schema changes that the log has between a position and its present end: all of the given tables,
// perhaps others too. The end is read first, so that a busy source cannot keep the search going.
func (e *Evolver) later(ctx context.Context, after db.Position, tables map[schema.Name]bool) ([]*db.DDL, error) {
	head, err := e.source.Head(ctx)
	if err != nil {
		return nil, err
	}
	return e.source.SchemaChanges(ctx, after, head, slices.Collect(maps.Keys(tables)))
}
