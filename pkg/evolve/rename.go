package evolve

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// renames works all renames of a statement into the records, by what they lead to in the end: names that tables have
// only in between, such as when two are swapped, need not be of the move. A table that leaves the move stays on the
// target, see leave.
func (c *change) renames(ctx context.Context, effects []schema.Effect) error {
	net := net(effects)
	targets := map[schema.Name]schema.Name{}
	next, leaving := map[schema.Name]db.Record{}, map[schema.Name]schema.Name{}
	for old, now := range net {
		later, err := c.recorded(old, c.After) // then what the target has under that name is another table's
		if err != nil {
			return err
		}
		r := c.records[old]
		if r == nil || later {
			recorded, err := c.recorded(now, c.After)
			if err != nil {
				return err
			}
			if !recorded && c.rules.Follows(now) {
				if there, err := c.exists(ctx, now); err != nil || there {
					return cmp.Or(err, c.unknown(old, now))
				}
			}
			delete(net, old)
			continue
		}
		switch recorded, err := c.recorded(now, c.After); {
		case err != nil:
			return err
		case recorded:
			c.goals = append(c.goals, goal{Kind: dropped, Table: r.Target})
		case c.rules.Follows(now):
			moved, shape := *r, r.Shape
			also := alteration(effects, old) // in the same statement
			if also != nil {
				if err := c.repeatable(also); err != nil {
					return err
				}
				shape = also.After
			}
			moved.Source, moved.Target, moved.Shape = now, c.rules.Target(now), shapeAs(shape, now, effects)
			switch {
			case also != nil:
				c.alter(now, also, r)
			case len(shape.ForeignKeys)+len(shape.Checks) > 0: // whose names may follow the table's on one end only
				c.goals = append(c.goals, goal{Kind: altered, Source: now, Former: sameNames(moved.Shape, moved.Shape)})
			}
			next[now], targets[r.Target] = moved, moved.Target
		default:
			leaving[r.Target] = now
		}
	}
	if err := c.leave(ctx, leaving, targets); err != nil {
		return err
	}
	for old := range net {
		c.drop(old)
	}
	for now, r := range next {
		c.change(now, r)
	}
	aside, err := c.aside(ctx)
	if err != nil {
		return err
	}
	c.goals = append(c.goals, steps(targets, aside)...)
	return nil
}

// leave finds names for the tables of the target whose source has got a name that is not of the move: that name, or one
// that tells of it and that nothing has yet. Their old names stand for other tables from now on.
func (c *change) leave(ctx context.Context, leaving, targets map[schema.Name]schema.Name) error {
	taken := map[schema.Name]bool{}
	for _, to := range targets {
		taken[to] = true
	}
	byName := func(a, b schema.Name) int { return strings.Compare(a.String(), b.String()) }
	for _, at := range slices.SortedFunc(maps.Keys(leaving), byName) {
		now := leaving[at]
		to := schema.Name{Database: at.Database, Table: now.Table}
		for n := 1; ; n++ {
			there, err := c.table(ctx, to)
			if err != nil {
				return err
			}
			if there == nil && !taken[to] && to != at {
				break
			}
			to.Table = leftName(now, n)
		}
		taken[to], targets[at] = true, to
		c.opts.Log.Warn().Stringer("table", at).Stringer("now", now).Stringer("as", to).
			Msg("table leaves the move: it stays on the target under another name and is followed no longer")
	}
	return nil
}

// leftName is the n-th name for a table whose own is taken on the target: with that of its database.
func leftName(now schema.Name, n int) string {
	const most = 64 // characters of a name
	suffix := ""
	if n > 1 {
		suffix = fmt.Sprintf("_%d", n)
	}
	whole := []rune(now.Database + "_" + now.Table)
	return string(whole[:min(len(whole), most-len(suffix))]) + suffix
}

// aside returns a name, in whatever database, for a table that makes room while others get their names: no table of the
// target has it, nor will one that the move makes.
func (c *change) aside(ctx context.Context) (string, error) {
	const stem = "_wherry_aside"
	found, err := c.target.Tables(ctx, func(n schema.Name) bool {
		return strings.HasPrefix(strings.ToLower(n.Table), stem)
	})
	if err != nil {
		return "", fmt.Errorf("look for a name that is free on the target: %w", err)
	}
	taken := map[string]bool{}
	for _, t := range found {
		taken[strings.ToLower(t.Name.Table)] = true
	}
	for _, r := range c.records {
		taken[strings.ToLower(r.Target.Table)] = true
	}
	name := stem
	for n := 2; taken[name]; n++ {
		name = fmt.Sprint(stem, n)
	}
	return name, nil
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

// exists tells whether the source has a table of that name. If it has not, it was a view, which RENAME TABLE takes too,
// or what became of it is further on in the log: a later name is looked at there.
func (c *change) exists(ctx context.Context, name schema.Name) (bool, error) {
	found, err := c.source.Tables(ctx, name.Equal)
	return len(found) > 0 && found[0].Kind != schema.View, err
}

// unknown is a table that comes into the move under a name, with rows that were not followed.
func (c *change) unknown(old, now schema.Name) error {
	if c.opts.Copying {
		return &db.CopyAgain{Tables: []schema.Name{now}, Why: fmt.Sprintf("table %s came in under the name %s", old,
			now)}
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

// steps orders renames so that each new name is free when its turn comes. They are one goal, made at once, if it can be
// seen whether it is done: a name that is free afterwards tells. When the same names exist afterwards as before, such
// as when two tables are swapped, a table is put aside first, and each rename is a goal of its own.
func steps(net map[schema.Name]schema.Name, aside string) (goals []goal) {
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
			room := schema.Name{Database: names[0].Database, Table: aside}
			pairs = append(pairs, [2]schema.Name{names[0], room})
			pending[room] = pending[names[0]]
			delete(pending, names[0])
			continue
		}
		pairs = append(pairs, [2]schema.Name{names[at], pending[names[at]]})
		delete(pending, names[at])
	}
	gone := schema.Name{}
	for old := range net {
		taken := slices.ContainsFunc(pairs, func(p [2]schema.Name) bool { return p[1] == old })
		if !taken && net[old] != old && (gone.IsZero() || old.String() < gone.String()) {
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
