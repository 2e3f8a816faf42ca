// Package evolve carries schema changes of the source over to the target, between two transactions of the log.
//
// Its one invariant: what is to be done on the target is recorded there before it is begun, and the position moves past the change in
// one transaction with the record of the new shapes. So a run that ends anywhere is continued by looking at the target's tables,
// and each change is made exactly once. What cannot be told exactly is refused, with the position kept before it.
package evolve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Source is what is needed of the end that changes.
type Source interface {
	Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error)
	Effects(ctx context.Context, change *db.DDL, known []*schema.Table) ([]schema.Effect, error)
	Head(ctx context.Context) (db.Position, error)
	Reached(at, goal db.Position) (bool, error)
	Stream(ctx context.Context, pos db.Position, routes []*route.Route, since db.Since) (db.Stream, error)
}

// Target is what is needed of the end that follows.
type Target interface {
	Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error)
	Dialect() schema.Dialect
	Ledger() db.Ledger
}

// Mode is what becomes of a schema change.
type Mode string

// The modes.
const (
	Apply  Mode = "apply"
	Stop   Mode = "stop"   // refuse every change
	Ignore Mode = "ignore" // pass over every change, with a warning
)

// Options configure an Evolver.
type Options struct {
	Mode Mode // Apply
	// Skip takes the first change as made by hand on the target already, and goes on if the target's tables are as they must be then.
	Skip bool
	// Copying allows tables whose copy has not ended. Without it they are refused.
	Copying bool
	// Plan works out where tables go. It is called with the shapes of all tables of the move.
	Plan func(tables []*schema.Table) *plan.Plan
	// Fixed tells of a source table why its definition cannot be carried over, only that it is emptied; "": it can. nil: all can.
	Fixed func(table schema.Name) string
	// Advice says how to go on when a change of the tables cannot be followed; nil: copy them again, or make it by hand.
	Advice func(tables []schema.Name) string
	Log    zerolog.Logger
}

// Evolver follows the schema of a move. It is used by one goroutine.
type Evolver struct {
	source Source
	target Target
	rules  route.Mapping
	opts   Options
}

// New returns an Evolver.
func New(source Source, target Target, rules route.Mapping, opts Options) *Evolver {
	if opts.Mode == "" {
		opts.Mode = Apply
	}
	return &Evolver{source: source, target: target, rules: rules, opts: opts}
}

// Shapes returns the shapes of recorded tables.
func Shapes(records []db.Record) (shapes []*schema.Table) {
	for i := range records {
		if records[i].Shape != nil {
			shapes = append(shapes, records[i].Shape)
		}
	}
	return shapes
}

// Routes finishes what an earlier run began and returns the routes as of the target's position.
func (e *Evolver) Routes(ctx context.Context, applier db.Applier) ([]*route.Route, error) {
	if !e.opts.Skip { // what was begun is taken as made by hand, see byHand
		if err := e.finish(ctx, applier); err != nil {
			return nil, err
		}
	}
	records, err := e.target.Ledger().Records(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if r.Copy && !e.opts.Copying {
			return nil, unsupported("the rows of %s are still to be copied: run wherry init-copy", r.Source)
		}
	}
	p := e.opts.Plan(Shapes(records))
	if err := refusal(p); err != nil {
		return nil, fmt.Errorf("plan the tables that the target's bookkeeping tells of: %w", err)
	}
	return p.Routes, nil
}

// refusal returns what forbids a plan. That no table is left is none.
func refusal(p *plan.Plan) error {
	var errs []error
	for _, f := range p.Refused() {
		if f.Check != "tables" {
			errs = append(errs, fmt.Errorf("%s: %s %s: %s", f.Check, f.Subject, f.What, f.Fix))
		}
	}
	return errors.Join(errs...)
}

// Passed tells whether a schema change is in the shapes of all tables that it is about: those are of a later position, or the
// change was made already and its rows follow.
func (e *Evolver) Passed(ctx context.Context, d *db.DDL, before, after db.Position, more bool) (bool, error) {
	c := &change{Evolver: e, ddl: d, before: before, after: after, more: more}
	if err := c.read(ctx); err != nil {
		return false, err
	}
	return c.passed()
}

// Change carries one schema change over and moves the position from before to after it. more tells that the rows of a created table
// follow in the same transaction: then the position stays, and the change is passed when the transaction is read again.
//
// Errors: db.SchemaChanged for tables whose rows are still to be copied, which are to be copied anew then; db.ErrUnsupported for what cannot be
// followed, with nothing changed and the position kept.
func (e *Evolver) Change(ctx context.Context, applier db.Applier, d *db.DDL, before, after db.Position, more bool) error {
	c := &change{Evolver: e, applier: applier, ddl: d, about: slices.Clone(d.Tables), before: before, after: after, more: more}
	err := c.run(ctx)
	if err == nil && c.begun {
		if err = e.finish(ctx, applier); err == nil {
			c.log().Info().Msg("schema change followed")
		}
		return err
	}
	var again *db.SchemaChanged
	if errors.Is(err, db.ErrUnsupported) && !errors.As(err, &again) {
		if e.opts.Copying && e.opts.Mode == Apply { // rows are copied anyway: these too, as they are by now
			return &db.SchemaChanged{Tables: c.about, Why: err.Error()}
		}
		return fmt.Errorf("schema change on %s at %s: %.500s: %w; nothing was changed and the position is kept before it: %s", texts(d.Tables), after, d.Statement, err, e.advice(c.about))
	}
	return err
}

func (e *Evolver) advice(tables []schema.Name) string {
	if e.opts.Advice != nil {
		return e.opts.Advice(tables)
	}
	flags := make([]string, len(tables))
	for i, t := range tables {
		flags[i] = "--table " + t.String()
	}
	return "copy again with wherry init-copy " + strings.Join(flags, " ") + ", or make the change on the target by hand and run wherry start-replica --skip-ddl"
}

func texts(tables []schema.Name) string {
	all := make([]string, len(tables))
	for i, t := range tables {
		all[i] = t.String()
	}
	return strings.Join(all, ", ")
}

// change is the work of one Change.
type change struct {
	*Evolver
	applier       db.Applier
	ddl           *db.DDL
	before, after db.Position
	more          bool

	found   map[schema.Name]db.Position // since when the tables have their shapes, before the change
	records map[schema.Name]*db.Record  // as they are, and become
	put     []schema.Name               // records that are new or changed
	gone    []schema.Name               // records that are no more
	goals   []goal
	about   []schema.Name // all tables that have to be copied again if the change cannot be followed
	begun   bool          // what is to be done on the target is recorded

	assumed assumption // of the statements' contexts
	patient bool       // waits for what the source does at this moment to be in its log
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", db.ErrUnsupported, fmt.Sprintf(format, args...))
}

// run works out what is to be done on the target, and records it. Nothing is changed there.
func (c *change) run(ctx context.Context) error {
	if err := c.read(ctx); err != nil {
		return err
	}
	copying, err := c.copying()
	if err != nil {
		return err
	}
	again := &db.SchemaChanged{Tables: c.ddl.Tables, Why: fmt.Sprintf("%s changed while it was copied: %.200s", texts(copying), c.ddl.Statement)}
	if len(copying) > 0 && (c.opts.Mode != Apply || c.opts.Skip) {
		return again
	}
	switch {
	case c.opts.Skip:
	case c.opts.Mode == Ignore:
		c.log().Warn().Msg("schema change passed over")
		return c.applier.Commit(ctx, c.after)
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
		if err := c.take(&effects[i]); err != nil {
			return err
		}
	}
	if err := c.planned(); err != nil {
		return err
	}
	if unready := c.unready(); len(unready) > 0 {
		return &db.SchemaChanged{Tables: append(slices.Clone(c.ddl.Tables), unready...), Why: fmt.Sprintf("%s changed with tables that are copied: %.200s", texts(unready), c.ddl.Statement)}
	}
	if c.opts.Skip {
		return c.byHand(ctx)
	}
	c.begun = true
	return c.begin(ctx)
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

// unready returns the tables that the change would alter or make while they are being copied, or tables that they reference: those lack
// indexes and foreign keys until their rows are there.
func (c *change) unready() (names []schema.Name) {
	copying := func(n schema.Name) bool { return c.records[n] != nil && c.records[n].Copy }
	for _, g := range c.goals {
		if g.Kind != created && g.Kind != altered {
			continue
		}
		parents := slices.ContainsFunc(c.records[g.Source].Shape.ForeignKeys, func(k schema.ForeignKey) bool { return copying(k.Parent) })
		if copying(g.Source) && !g.Copying || parents {
			names = append(names, g.Source)
		}
	}
	return names
}

// log tells of the change.
func (c *change) log() *zerolog.Logger {
	log := c.opts.Log.With().Str("tables", texts(c.ddl.Tables)).Str("statement", c.ddl.Statement).Logger()
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
	for _, name := range c.ddl.Tables {
		if r := c.records[name]; r == nil || !r.Copy {
			continue
		}
		held, err := c.held(name, c.after)
		if err != nil {
			return nil, err
		}
		if !held {
			names = append(names, name)
		}
	}
	return names, nil
}

// passed tells whether all tables that the change is about are recorded as of a later position, so that it is in their shapes.
func (c *change) passed() (bool, error) {
	goal := c.after
	if c.more {
		goal = c.before
	}
	for _, name := range c.ddl.Tables {
		held, err := c.held(name, goal)
		if err != nil || !held {
			return false, err
		}
	}
	return true, nil
}

func (c *change) held(name schema.Name, goal db.Position) (bool, error) {
	since := c.found[name]
	if since.IsZero() {
		return false, nil
	}
	return c.source.Reached(since, goal)
}
