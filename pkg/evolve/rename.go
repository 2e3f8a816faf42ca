package evolve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// renames works all renames of a statement into the records, by what they lead to in the end: names that tables have only in between, such
// as when two are swapped, need not be of the move. A table that leaves the move gets its new name on the target too.
func (c *change) renames(ctx context.Context, effects []schema.Effect) error {
	net := net(effects)
	targets := map[schema.Name]schema.Name{}
	next := map[schema.Name]db.Record{}
	for old, now := range net {
		later, err := c.held(old, c.after) // then what the target has under that name is another table's
		if err != nil {
			return err
		}
		r := c.records[old]
		if r == nil || later {
			held, err := c.held(now, c.after)
			if err != nil {
				return err
			}
			if !held && c.rules.Follows(now) {
				if there, err := c.exists(ctx, now); err != nil || there {
					return cmp.Or(err, c.unknown(old, now))
				}
			}
			delete(net, old)
			continue
		}
		switch held, err := c.held(now, c.after); {
		case err != nil:
			return err
		case held:
			c.goals = append(c.goals, goal{Kind: dropped, Table: r.Target})
		case c.rules.Follows(now):
			moved, shape := *r, r.Shape
			also := alteration(effects, old) // in the same statement
			if also != nil {
				if err := c.tellable(also); err != nil {
					return err
				}
				shape = also.After
			}
			moved.Source, moved.Target, moved.Shape = now, c.rules.Target(now), shapeAs(shape, now, effects)
			switch {
			case also != nil:
				c.goals = append(c.goals, goal{Kind: altered, Source: now, Former: also.Former, Empties: also.Empties})
			case len(shape.ForeignKeys)+len(shape.Checks) > 0: // whose names may follow the table's on one end only
				c.goals = append(c.goals, goal{Kind: altered, Source: now, Former: sameNames(moved.Shape, moved.Shape)})
			}
			next[now], targets[r.Target] = moved, moved.Target
		default:
			targets[r.Target] = schema.Name{Database: r.Target.Database, Table: now.Table}
			c.opts.Log.Warn().Stringer("table", old).Stringer("now", now).Msg("table leaves the move: it stays on the target under its new name and is followed no longer")
		}
	}
	for old := range net {
		c.drop(old)
	}
	for now, r := range next {
		c.change(now, r)
	}
	c.goals = append(c.goals, steps(targets)...)
	return nil
}

// alteration is what a statement makes of a table besides its name, or nil.
func alteration(effects []schema.Effect, name schema.Name) *schema.Effect {
	for i := range effects {
		if effects[i].Kind == schema.Altered && effects[i].Name == name {
			return &effects[i]
		}
	}
	return nil
}

// shapeAs is a table under its new name.
func shapeAs(table *schema.Table, now schema.Name, effects []schema.Effect) *schema.Table {
	shape := *table
	for i := range effects {
		if e := &effects[i]; e.Kind == schema.Renamed && e.To == now && e.After != nil {
			shape = *e.After
		}
	}
	shape.Name = now
	return &shape
}

// exists tells whether the source has a table of that name. If it has not, it was a view, which RENAME TABLE takes too, or what became of it
// is further on in the log: a later name is looked at there.
func (c *change) exists(ctx context.Context, name schema.Name) (bool, error) {
	found, err := c.source.Tables(ctx, name.Equal)
	return len(found) > 0 && found[0].Kind != schema.View, err
}

// unknown is a table that comes into the move under a name, with rows that were not followed.
func (c *change) unknown(old, now schema.Name) error {
	if c.opts.Copying {
		return &db.SchemaChanged{Tables: []schema.Name{now}, Why: fmt.Sprintf("table %s came in under the name %s", old, now)}
	}
	return unsupported("table %s comes in under the name %s, and its rows were not followed", old, now)
}

// net returns what the renames do together: by a table's name before, its name afterwards.
func net(effects []schema.Effect) map[schema.Name]schema.Name {
	was := map[schema.Name]schema.Name{} // by the name now
	for i := range effects {
		e := &effects[i]
		if e.Kind != schema.Renamed {
			continue
		}
		old, moved := was[e.Name]
		if !moved {
			old = e.Name
		}
		delete(was, e.Name)
		was[e.To] = old
	}
	net := map[schema.Name]schema.Name{}
	for now, old := range was {
		if now != old {
			net[old] = now
		}
	}
	return net
}

// steps orders renames so that each new name is free when its turn comes. They are one goal, made at once, if it can be seen
// whether it is done: a name that is free afterwards tells. When the same names exist afterwards as before, such as when two tables are
// swapped, a table is put aside first, and each rename is a goal of its own.
func steps(net map[schema.Name]schema.Name) (goals []goal) {
	pending := map[schema.Name]schema.Name{}
	for old, now := range net {
		if old != now {
			pending[old] = now
		}
	}
	var pairs [][2]schema.Name
	ring := true
	free := func(old schema.Name) bool {
		_, taken := pending[pending[old]]
		return !taken
	}
	for len(pending) > 0 {
		names := make([]schema.Name, 0, len(pending))
		for old := range pending {
			names = append(names, old)
		}
		slices.SortFunc(names, func(a, b schema.Name) int { return strings.Compare(a.String(), b.String()) })
		at := slices.IndexFunc(names, free)
		if at < 0 {
			aside := schema.Name{Database: names[0].Database, Table: "_wherry_aside"}
			pairs = append(pairs, [2]schema.Name{names[0], aside})
			pending[aside] = pending[names[0]]
			delete(pending, names[0])
			continue
		}
		pairs = append(pairs, [2]schema.Name{names[at], pending[names[at]]})
		delete(pending, names[at])
	}
	gone := schema.Name{}
	for old := range net {
		if !slices.ContainsFunc(pairs, func(p [2]schema.Name) bool { return p[1] == old }) && net[old] != old && (gone.IsZero() || old.String() < gone.String()) {
			gone, ring = old, false
		}
	}
	if len(pairs) > 0 && !ring {
		return []goal{{Kind: renamed, Table: gone, Pairs: pairs}}
	}
	for _, pair := range pairs {
		goals = append(goals, goal{Kind: renamed, Table: pair[0], Pairs: [][2]schema.Name{pair}})
	}
	return goals
}
