package evolve

import (
	"context"
	"fmt"
	"slices"

	"github.com/rs/zerolog"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
)

// change is the work of one Change.
type change struct {
	*Evolver
	*db.SchemaChange
	applier db.Applier

	found   map[schema.Name]db.Position // since when the tables have their shapes, before the change
	records map[schema.Name]*db.Record  // as they are, and become
	put     []schema.Name               // records that are new or changed
	gone    []schema.Name               // records that are no more
	goals   []goal
	about   []schema.Name // all tables that have to be copied again if the change cannot be followed
	begun   bool          // what is to be done on the target is recorded

	collations collations // of the databases before the change
	next       *plan.Plan // of all tables after the change
}

// shape is a table as it is recorded, or nil.
func (c *change) shape(name schema.Name) *schema.Table {
	if r := c.records[name]; r != nil {
		return r.Shape
	}
	return nil
}

// run works out what is to be done on the target, and records it. Nothing is changed there.
func (c *change) run(ctx context.Context) error {
	if err := c.read(ctx); err != nil {
		return err
	}
	var err error
	if c.collations, err = c.databases(ctx); err != nil {
		return err
	}
	if c.Database != "" {
		if err := c.keepDefaults(ctx); err != nil {
			return err
		}
	}
	if len(c.Tables) == 0 {
		return c.applier.Commit(ctx, c.After)
	}
	copying, err := c.copying()
	if err != nil {
		return err
	}
	again := &db.CopyAgain{
		Tables: c.Tables, Why: fmt.Sprintf("%s changed while it was copied: %.200s", texts(copying), c.Statement),
	}
	if len(copying) > 0 && (c.opts.Mode != Apply || c.opts.Skip) {
		return again
	}
	switch {
	case c.opts.Skip:
	case c.opts.Mode == Ignore:
		return c.passOver(ctx)
	case c.opts.Mode == Stop:
		return unsupported("replicate.ddl is stop")
	}
	effects, err := c.effects(ctx)
	if err != nil {
		return err
	}
	if !c.inPlace(copying, effects) {
		return again
	}
	if err := c.fixed(effects); err != nil {
		return err
	}
	if err := c.renames(ctx, effects); err != nil {
		return err
	}
	for i := range effects {
		if err := c.record(&effects[i]); err != nil {
			return err
		}
	}
	if err := c.planned(); err != nil {
		return err
	}
	if unready := c.unready(); len(unready) > 0 {
		return &db.CopyAgain{
			Tables: append(slices.Clone(c.Tables), unready...),
			Why:    fmt.Sprintf("%s changed with tables that are copied: %.200s", texts(unready), c.Statement),
		}
	}
	if c.opts.Skip {
		return c.byHand(ctx)
	}
	if err := c.admit(ctx); err != nil {
		return err
	}
	c.begun = true
	return c.begin(ctx)
}

// passOver does nothing on the target. What the change made of rows is not known, so its tables are recorded as if they
// were others from here on: then verify and cutover compare them as a whole.
func (c *change) passOver(ctx context.Context) error {
	var put []db.Record
	for _, name := range c.Tables {
		if r := c.records[name]; r != nil {
			c.change(name, *r)
			put = append(put, *c.records[name])
		}
	}
	c.log().Warn().Msg("schema change passed over: what it made of rows is not followed; " +
		"verify and cutover compare the tables as a whole")
	if len(put) > 0 {
		if err := c.applier.Amend(ctx, put, nil); err != nil {
			return err
		}
	}
	return c.applier.Commit(ctx, c.After)
}

// fixed refuses what changes the definition of a table that is to stay as it is.
func (c *change) fixed(effects []schema.Effect) error {
	if c.opts.Fixed == nil || c.opts.Skip {
		return nil
	}
	for i := range effects {
		e := &effects[i]
		if e.Kind == schema.Truncated {
			continue
		}
		for _, name := range []schema.Name{e.Name, e.To} {
			if why := c.opts.Fixed(name); why != "" {
				return unsupported("%s: %s", name, why)
			}
		}
	}
	return nil
}

// unready returns the tables that the change would alter or make while they are being copied, or tables that they
// reference: those lack indexes and foreign keys until their rows are there.
func (c *change) unready() (names []schema.Name) {
	copying := func(n schema.Name) bool { return c.records[n] != nil && c.records[n].Copy }
	for _, g := range c.goals {
		if g.Kind != created && g.Kind != altered {
			continue
		}
		keys := c.records[g.Source].Shape.ForeignKeys
		parents := slices.ContainsFunc(keys, func(k schema.ForeignKey) bool { return copying(k.Parent) })
		if copying(g.Source) && !g.Copying || parents {
			names = append(names, g.Source)
		}
	}
	return names
}

// log tells of the change.
func (c *change) log() *zerolog.Logger {
	log := c.opts.Log.With().Str("tables", texts(c.Tables)).Str("statement", c.Statement).Logger()
	return &log
}

// read reads the records as they are.
func (c *change) read(ctx context.Context) error {
	records, err := c.target.Ledger().Records(ctx)
	c.records, c.found = make(map[schema.Name]*db.Record, len(records)), make(map[schema.Name]db.Position, len(records))
	for i := range records {
		c.found[records[i].Source] = records[i].Since
		if records[i].Shape != nil {
			c.records[records[i].Source] = &records[i]
		}
	}
	return err
}

// copying returns the tables of the change whose rows are being copied in the shape before it.
func (c *change) copying() (names []schema.Name, err error) {
	for _, name := range c.Tables {
		if r := c.records[name]; r == nil || !r.Copy {
			continue
		}
		recorded, err := c.recorded(name, c.After)
		if err != nil {
			return nil, err
		}
		if !recorded {
			names = append(names, name)
		}
	}
	return names, nil
}

// passed tells whether all tables that the change is about are recorded as of a later position, so that it is in their
// shapes.
func (c *change) passed() (bool, error) {
	for _, name := range c.Tables {
		recorded, err := c.recorded(name, c.Since())
		if err != nil || !recorded {
			return false, err
		}
	}
	return true, nil
}

func (c *change) recorded(name schema.Name, goal db.Position) (bool, error) {
	since := c.found[name]
	if since.IsZero() {
		return false, nil
	}
	return c.source.Reached(since, goal)
}
