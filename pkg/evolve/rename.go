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

// renames works all renames of a statement into the records, by what they lead to in the end. In the swap
// `RENAME TABLE t TO x, u TO t, x TO u` nobody needs to know x: in the end t and u have changed names.
//
// What becomes of a table depends on whether its names belong to the move:
//
//	before   after   becomes
//	moves    moves   renamed on the target; altered too if the same statement alters it
//	moves    -       it leaves the move: it stays on the target under a name of its own, see leave
//	-        moves   refused or copied: its rows were never followed, see unknown
//	-        -       nothing
//
// A new name whose record is of a later position was copied anew after this change. Then the old table is dropped.
func (c *change) renames(ctx context.Context, effects []schema.Effect) error {
	net := net(effects)
	targets := map[schema.Name]schema.Name{}
	next, leaving := map[schema.Name]db.Record{}, map[schema.Name]schema.Name{}
	for old, now := range net {
		// If the old name's record is of a later position, the target's table is that of another table, which got the
		// name afterwards.
		later, err := c.recorded(old, c.After)
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
			also := alteration(effects, old) // ALTER TABLE old ADD c INT, RENAME TO now
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
			case len(shape.ForeignKeys)+len(shape.Checks) > 0:
				// A server renames t_ibfk_1 and t_chk_1 along with t, but which of them depends on the server. The
				// ALTER gives the target's constraints the names that the plan has for them.
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

// leave finds names for tables of the target that leave the move. Their rows may be wanted, so they are not dropped;
// but their names must become free, since another table may get the old name on the source next. The new name is the
// source's, in the target's database: after `RENAME TABLE shop.t TO archive.t` newshop.t becomes newshop.archive_t,
// since newshop.t is its own old name.
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

// leftName returns the n-th name to try for a table whose own is in use on the target: archive_t, archive_t_2, ..
func leftName(now schema.Name, n int) string {
	const most = 64 // characters of a name
	suffix := ""
	if n > 1 {
		suffix = fmt.Sprintf("_%d", n)
	}
	whole := []rune(now.Database + "_" + now.Table)
	return string(whole[:min(len(whole), most-len(suffix))]) + suffix
}

// aside returns a name for a table that makes room while others change names. No table of the target has it in any
// database, nor will one that the move makes.
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

// alteration returns what a statement makes of a table besides its name, or nil.
func alteration(effects []schema.Effect, name schema.Name) *schema.Effect {
	for i := range effects {
		if effects[i].Kind == schema.Altered && effects[i].Name == name {
			return &effects[i]
		}
	}
	return nil
}

// shapeAs returns a table under its new name. If the statement's own effect knows the renamed shape, in which the names
// of constraints follow the table's, that one is used.
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

// exists returns whether the source has a table of that name now. If not, it was a view, which RENAME TABLE renames
// too, or a later statement in the log has renamed or dropped it: that statement comes in its turn.
func (c *change) exists(ctx context.Context, name schema.Name) (bool, error) {
	found, err := c.source.Tables(ctx, name.Equal)
	return len(found) > 0 && found[0].Kind != schema.View, err
}

// unknown is the error for a table that gets a name of the move, and whose rows were never copied or followed.
func (c *change) unknown(old, now schema.Name) error {
	if c.opts.Copying {
		return &db.CopyAgain{Tables: []schema.Name{now}, Why: fmt.Sprintf("table %s came in under the name %s", old,
			now)}
	}
	return unsupported("table %s comes in under the name %s, and its rows were not followed", old, now)
}

// net returns what the renames do together: by a table's name before, its name afterwards. Of a TO b, b TO c it is
// a: c. A table that gets its own name back is left out.
func net(effects []schema.Effect) map[schema.Name]schema.Name {
	was := map[schema.Name]schema.Name{} // the name before, by the name at this point
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

// steps orders renames so that each new name is free when its turn comes. The goals must show whether they are done:
//
//	t TO u           one goal; done when t no longer exists
//	t TO u, u TO v   one goal, u TO v first; done when t no longer exists
//	t TO u, u TO t   both names exist before and after, so the names show nothing. One table is put aside, and each
//	                 rename is a goal of its own: t TO aside, u TO t, aside TO u. Each frees a name.
func steps(net map[schema.Name]schema.Name, aside string) (goals []goal) {
	pending := map[schema.Name]schema.Name{}
	for old, now := range net {
		if old != now {
			pending[old] = now
		}
	}
	var pairs [][2]schema.Name
	ring := true // the same names exist before and after
	// free returns whether the new name of a table is not another's that is still to be renamed.
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
		if at < 0 { // only rings are left: put one table aside
			room := schema.Name{Database: names[0].Database, Table: aside}
			pairs = append(pairs, [2]schema.Name{names[0], room})
			pending[room] = pending[names[0]]
			delete(pending, names[0])
			continue
		}
		pairs = append(pairs, [2]schema.Name{names[at], pending[names[at]]})
		delete(pending, names[at])
	}
	// The first name that no table has afterwards. Which one does not matter, but it must be the same in every run.
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
