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

// change is the work of one Evolver.Change: it reads the records, works the effects into them, and gathers the goals on
// the target. All of that is in memory. Only begin writes, and from then on finish goes by what is written.
type change struct {
	*Evolver
	*db.SchemaChange
	applier db.Applier

	found   map[schema.Name]db.Position // the position of each record before the change, by the source's name
	records map[schema.Name]*db.Record  // the records of the move's tables; effects are worked into them
	put     []schema.Name               // records that are new or changed
	gone    []schema.Name               // records that go
	goals   []goal                      // what is to be done on the target
	about   []schema.Name               // tables to copy again if the change cannot be followed
	begun   bool                        // the goals are in the ledger

	collations collations // of the databases before the change
	next       *plan.Plan // of all tables after the change
}

// shape returns the recorded shape of a table, nil when it is not the move's.
func (c *change) shape(name schema.Name) *schema.Table {
	if r := c.records[name]; r != nil {
		return r.Shape
	}
	return nil
}

// run works out what is to be done on the target, and records it in the ledger. No table is changed.
//
// The order matters. Defaults of databases come first, since every mode needs them for later statements. What can be
// decided without asking for effects (copy again, ignore, stop) comes before effects, which may wait for the source's
// log. Renames come before the other effects, since those go by the tables' last names. The plan comes last, as it
// needs all tables of the move in their new shapes.
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
	copyAgain := &db.CopyAgain{
		Tables: c.Tables, Why: fmt.Sprintf("%s changed while it was copied: %.200s", texts(copying), c.Statement),
	}
	if len(copying) > 0 && (c.opts.Mode != Apply || c.opts.Skip) {
		return copyAgain
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
		return copyAgain
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

// passOver does nothing on the target (replicate.ddl: ignore). What the change did to rows is not known, so the records
// of its tables get a new position, as if they were new tables: then verify and cutover compare them as a whole, and
// not only the rows that changed since the last verification.
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

// fixed refuses changes of tables whose definition cannot be carried over. On the way back that is a table of the old
// source that is not what would be made there: an ALTER would carry over more than was changed. TRUNCATE is allowed,
// since it changes no definition.
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

// unready returns the tables that the change would make or alter while they, or tables that they reference, are being
// copied. Such tables lack indexes and foreign keys until all rows are there, so the result could not be proved: a
// foreign key cannot be added to a child whose parent has no index over the referenced columns yet.
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

// log returns a logger with the facts of the change.
func (c *change) log() *zerolog.Logger {
	log := c.opts.Log.With().Str("tables", texts(c.Tables)).Str("statement", c.Statement).Logger()
	return &log
}

// read reads the records from the ledger. A record without a shape stands for a table that has left the move: only its
// position counts: changes up to there are done with.
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

// copying returns the tables of the change whose rows are being copied in the shape before it. A table that was
// recorded anew at a later position has the change in its shape already, and is none of them.
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

// passed returns whether all tables of the change have records of a later position: then it is in their shapes, and
// must not be made again.
func (c *change) passed() (bool, error) {
	for _, name := range c.Tables {
		recorded, err := c.recorded(name, c.Since())
		if err != nil || !recorded {
			return false, err
		}
	}
	return true, nil
}

// recorded returns whether the table's record, as it was before the change, is of the goal's position or later. A table
// without a record is of no position.
func (c *change) recorded(name schema.Name, goal db.Position) (bool, error) {
	since := c.found[name]
	if since.IsZero() {
		return false, nil
	}
	return c.source.Reached(since, goal)
}
