package evolve

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

// effects tells what the change does, in shapes that the source bears out.
//
// A statement's text alone may mean different things on different servers. So what it was understood to do is compared with what the
// source has now. When they differ, either the table was changed again since, and then all those changes together must lead to what the
// source has; or it was not, and then the source's word counts.
//
// What a statement leaves open, or the log does not tell for certain, is assumed one way and then another: what the source has in the end tells which was so.
func (c *change) effects(ctx context.Context) (effects []schema.Effect, err error) {
	for _, c.patient = range []bool{false, true} {
		c.assumed = assumption{}
		if effects, err = c.borne(ctx); !errors.Is(err, db.ErrUnsupported) {
			return effects, err
		}
		for _, c.assumed = range assumptions(c.ddl.Context) {
			if again, err := c.borne(ctx); !errors.Is(err, db.ErrUnsupported) {
				return again, err
			}
		}
	}
	return effects, err
}

// assumption is what is taken for true of the statements' contexts.
type assumption struct {
	explicit bool // no TIMESTAMP gets a default by itself
	spare    schema.Spare
}

// assumptions are what may be so besides what the log says. A MariaDB replica does not always log that explicit_defaults_for_timestamp was on.
func assumptions(of schema.StatementContext) []assumption {
	all := []assumption{{false, schema.SpareStays}, {false, schema.SpareGoes}}
	if of.Flavor.MariaDB {
		all = append(all, assumption{true, schema.SpareUnknown}, assumption{true, schema.SpareStays}, assumption{true, schema.SpareGoes})
	}
	return all
}

// told is a schema change as it is read.
func (c *change) told(d *db.DDL) *db.DDL {
	if c.assumed == (assumption{}) {
		return d
	}
	other := *d
	other.Context.ImplicitTimestamps = other.Context.ImplicitTimestamps && !c.assumed.explicit
	other.Context.Spare = c.assumed.spare
	return &other
}

// borne works out the effects in shapes that the source bears out.
func (c *change) borne(ctx context.Context) ([]schema.Effect, error) {
	effects, err := c.source.Effects(ctx, c.told(c.ddl), c.known())
	if errors.Is(err, schema.ErrUnknownStatement) {
		effects, err = c.unread(err)
	}
	if err != nil {
		return nil, err
	}
	var open []*schema.Effect
	found, err := c.now(ctx, effects)
	if err != nil {
		return nil, err
	}
	for i := range effects {
		e := &effects[i]
		held, err := c.held(e.Name, c.after)
		if err != nil {
			return nil, err
		}
		if held || !c.shaped(e) {
			continue
		}
		if now := found[e.Name]; now != nil && e.After != nil && len(c.target.Dialect().Differences(shapeAs(e.After, now.Name, effects), now, true, true)) == 0 {
			e.After = now
			continue
		}
		open = append(open, e)
	}
	if len(open) == 0 {
		return effects, nil
	}
	for _, e := range open {
		if !slices.Contains(c.about, e.Name) {
			c.about = append(c.about, e.Name)
		}
	}
	return effects, c.settle(ctx, effects, open, found)
}

// shaped tells whether the effect leaves a table of the move in another shape.
func (c *change) shaped(e *schema.Effect) bool {
	return e.Kind == schema.Created && c.rules.Follows(e.Name) || e.Kind == schema.Altered && c.records[e.Name] != nil
}

// known are the tables of the move before the change.
func (c *change) known() []*schema.Table {
	tables := make([]*schema.Table, 0, len(c.records))
	for _, r := range c.records {
		tables = append(tables, r.Shape)
	}
	return tables
}

func (c *change) shape(name schema.Name) *schema.Table {
	if r := c.records[name]; r != nil {
		return r.Shape
	}
	return nil
}

// unread takes a statement that cannot be read as one that alters the tables that it names, if they are known.
func (c *change) unread(cause error) ([]schema.Effect, error) {
	var effects []schema.Effect
	for _, name := range c.ddl.Tables {
		if c.records[name] == nil {
			return nil, unsupported("%v", cause)
		}
		effects = append(effects, schema.Effect{Name: name, Kind: schema.Altered})
	}
	return effects, nil
}

// now reads the tables of the effects as they are on the source at this moment, by their names before.
func (c *change) now(ctx context.Context, effects []schema.Effect) (map[schema.Name]*schema.Table, error) {
	wanted := map[schema.Name]bool{}
	for i := range effects {
		if c.shaped(&effects[i]) {
			wanted[effects[i].Name] = true
		}
	}
	found := map[schema.Name]*schema.Table{}
	if len(wanted) == 0 {
		return found, nil
	}
	net := net(effects) // a table that gets another name in the same statement has that by now
	tables, err := c.source.Tables(ctx, func(n schema.Name) bool {
		for name := range wanted {
			if last(net, name) == n {
				return true
			}
		}
		return false
	})
	for name := range wanted {
		for _, t := range tables {
			if t.Name == last(net, name) {
				found[name] = t
			}
		}
	}
	return found, err
}

// last is the name that a table has after renames.
func last(net map[schema.Name]schema.Name, name schema.Name) schema.Name {
	if now, renamed := net[name]; renamed {
		return now
	}
	return name
}

// settle clears up effects whose shapes the source does not bear out as they are.
func (c *change) settle(ctx context.Context, all []schema.Effect, open []*schema.Effect, found map[schema.Name]*schema.Table) error {
	later, err := c.later(ctx, all, open, found)
	for try := 0; err == nil && len(later) == 0 && missing(open, found) && c.patient && try < logged; try++ {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
		later, err = c.later(ctx, all, open, found)
	}
	if err != nil {
		return fmt.Errorf("look for later schema changes: %w", err)
	}
	if len(later) > 0 {
		return c.replayed(ctx, all, open, later, found)
	}
	for _, e := range open {
		now := found[e.Name]
		if now == nil {
			return unsupported("the source has no table %s, and the log does not tell why", e.Name)
		}
		if e.Kind == schema.Altered && e.Former == nil {
			if e.Former = sameNames(c.shape(e.Name), now); e.Former == nil {
				return unsupported("columns of %s are new and others are gone: whether they were renamed cannot be told", e.Name)
			}
			for i := range now.Columns { // whose type may be another, so that values were converted
				e.Converts = append(e.Converts, now.Columns[i].Name)
			}
		}
		if e.After != nil {
			c.opts.Log.Debug().Stringer("table", e.Name).Strs("differences", c.target.Dialect().Differences(e.After, now, true, true)).
				Msg("the source's definition counts, not what the statement seemed to say")
		}
		e.After = now
	}
	return nil
}

// logged is how often the log is looked at again for why a table is gone: it is gone a moment before that is written there.
const logged = 50

// replayed is replay with changes that were made after the log was read: the source's tables may have those already.
func (c *change) replayed(ctx context.Context, all []schema.Effect, open []*schema.Effect, later []*db.DDL, found map[schema.Name]*schema.Table) error {
	for try := 0; ; try++ {
		err := c.replay(ctx, all, open, later, found)
		if !errors.Is(err, db.ErrUnsupported) || !c.patient || try == logged {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
		again, readErr := c.later(ctx, all, open, found)
		if readErr != nil {
			return fmt.Errorf("look for later schema changes: %w", readErr)
		}
		if len(again) == len(later) && try > 5 {
			return err
		}
		later = again
	}
}

// missing tells whether the source has not all tables of the effects.
func missing(open []*schema.Effect, found map[schema.Name]*schema.Table) bool {
	return slices.ContainsFunc(open, func(e *schema.Effect) bool { return found[e.Name] == nil })
}

// sameNames is the lineage of columns by their names, or nil when a column may have got another name.
func sameNames(before, after *schema.Table) map[string]string {
	former := map[string]string{}
	for i := range after.Columns {
		if at := before.Column(after.Columns[i].Name); at >= 0 {
			former[after.Columns[i].Name] = before.Columns[at].Name
		}
	}
	if len(former) < len(after.Columns) && len(former) < len(before.Columns) {
		return nil
	}
	return former
}

// later returns the schema changes of the tables that are in the log after this one.
func (c *change) later(ctx context.Context, all []schema.Effect, open []*schema.Effect, now map[schema.Name]*schema.Table) (found []*db.DDL, err error) {
	head, err := c.source.Head(ctx)
	if err != nil {
		return nil, err
	}
	var routes []*route.Route
	since := db.Since{}
	touched := map[schema.Name]bool{}
	for _, e := range open {
		touched[e.Name], touched[last(net(all), e.Name)] = true, true
		for _, t := range []*schema.Table{e.After, c.shape(e.Name), now[e.Name]} {
			if t == nil {
				continue
			}
			for i := range t.ForeignKeys { // a parent's new name is told of the child too
				touched[t.ForeignKeys[i].Parent] = true
			}
		}
	}
	for name := range touched {
		r := &route.Route{Source: route.Relation{Table: &schema.Table{Name: name}}}
		routes, since[r] = append(routes, r), head // no rows
	}
	stream, err := c.source.Stream(ctx, c.after, routes, since)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	for {
		reached, err := c.source.Reached(stream.Position(), head)
		if err != nil || reached {
			return found, err
		}
		part, err := stream.Next(ctx, 100*time.Millisecond)
		var beyond *db.SchemaChanged
		if errors.As(err, &beyond) {
			return found, nil // rows at or before the head are passed over, so these were written since
		}
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if part != nil && part.DDL != nil && slices.ContainsFunc(part.DDL.Tables, func(n schema.Name) bool { return touched[n] }) {
			for _, n := range part.DDL.Tables { // tables that one of ours is exchanged with count from here on
				touched[n] = true
			}
			found = append(found, part.DDL)
		}
	}
}

// replay goes on with later changes from the shapes that this one leaves, and compares the end with the source.
func (c *change) replay(ctx context.Context, all []schema.Effect, open []*schema.Effect, later []*db.DDL, found map[schema.Name]*schema.Table) error {
	shapes := map[schema.Name]*schema.Table{}
	for name, r := range c.records {
		shapes[name] = r.Shape
	}
	mine := map[schema.Name]bool{} // by the names that they have in the end
	apply := func(effects []schema.Effect) error {
		before := maps.Clone(shapes)
		renamed := map[schema.Name]bool{}
		for i := range effects {
			e := &effects[i]
			switch e.Kind {
			case schema.Dropped:
				delete(shapes, e.Name)
				delete(mine, e.Name)
			case schema.Renamed:
				shape := shapes[e.Name]
				if shape == nil {
					shape = before[e.Name]
				}
				delete(shapes, e.Name)
				if shape != nil {
					shapes[e.To] = shapeAs(shape, e.To, effects[i:i+1])
				}
				renamed[e.To] = mine[e.Name]
				delete(mine, e.Name)
				mine[e.To] = renamed[e.To]
			case schema.Created, schema.Altered:
				if e.After == nil && mine[e.Name] {
					return unsupported("what becomes of %s cannot be told from the statements that follow", e.Name)
				}
				shapes[e.Name] = e.After
			case schema.Truncated:
			}
		}
		return nil
	}
	for _, e := range open {
		if e.After == nil {
			return unsupported("what becomes of %s cannot be told from the statement, and later ones have changed the table again", e.Name)
		}
		mine[e.Name] = true
	}
	if err := apply(all); err != nil {
		return err
	}
	for _, d := range later {
		effects, err := c.source.Effects(ctx, c.told(d), there(shapes))
		if err != nil {
			return unsupported("a later change of the table is not understood, so its shape at this position cannot be told: %v", err)
		}
		if err := apply(effects); err != nil {
			return err
		}
	}
	wanted := map[schema.Name]bool{}
	for name, is := range mine {
		wanted[name] = is
	}
	tables, err := c.source.Tables(ctx, func(n schema.Name) bool { return wanted[n] })
	if err != nil {
		return err
	}
	clear(found)
	for _, t := range tables {
		found[t.Name] = t
	}
	for name, is := range mine {
		if !is {
			continue
		}
		if found[name] == nil || shapes[name] == nil {
			return unsupported("table %s is gone from the source, and the log does not tell why", name)
		}
		if differences := c.target.Dialect().Differences(shapes[name], found[name], true, true); len(differences) > 0 {
			return unsupported("this change and the %d after it should have led to another %s than the source has: %s", len(later), name, differences[0])
		}
	}
	return nil
}

// there are the tables that are not nil.
func there(shapes map[schema.Name]*schema.Table) (tables []*schema.Table) {
	for _, t := range shapes {
		if t != nil {
			tables = append(tables, t)
		}
	}
	return tables
}
