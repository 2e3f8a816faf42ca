// Package evolve carries schema changes of the source over to the target, between two transactions of the log.
//
// Its one invariant: what is to be done on the target is recorded there before it is begun, and the position moves past
// the change in one transaction with the record of the new shapes. So a run that ends anywhere is continued by looking
// at the target's tables, and each change is made exactly once. What cannot be told exactly is refused, with the
// position kept before it.
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
	Dialect() schema.Dialect
	Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error)
	Databases(ctx context.Context) (map[string]string, error)
	Effects(ctx context.Context, change *db.DDL, known []*schema.Table) ([]schema.Effect, error)
	Head(ctx context.Context) (db.Position, error)
	Reached(at, goal db.Position) (bool, error)
	SchemaChanges(ctx context.Context, after, until db.Position, tables []schema.Name) ([]*db.DDL, error)
}

// Target is what is needed of the end that follows.
type Target interface {
	Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error)
	plan.Judge
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
	// Skip takes the first change as made by hand on the target already, and goes on if the target's tables are as they
	// must be then.
	Skip bool
	// Copying allows tables whose copy has not ended. Without it they are refused.
	Copying bool
	// Plan works out where tables go. It is called with the shapes of all tables of the move.
	Plan func(tables []*schema.Table) *plan.Plan
	// Fixed tells of a source table why its definition cannot be carried over, only that it is emptied; "": it can.
	// nil: all can.
	Fixed func(table schema.Name) string
	// Advice says how to go on when a change of the tables cannot be followed; nil: copy them again, or make it by
	// hand.
	Advice func(tables []schema.Name) string
	// Accept takes tables that are on the target already in the place of new ones, if they are empty and as planned.
	Accept bool
	// Recorded is called when other tables are recorded than before; nil: nobody wants to know.
	Recorded func(ctx context.Context)
	Log      zerolog.Logger
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
	if opts.Recorded == nil {
		opts.Recorded = func(context.Context) {}
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
	if _, err := e.databases(ctx); err != nil { // recorded from here on
		return nil, err
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
	return p.Routes, owns(ctx, e.target.Ledger(), p.Routes)
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

// Passed tells whether a schema change is in the shapes of all tables that it is about: those are of a later position,
// or the change was made already and its rows follow.
func (e *Evolver) Passed(ctx context.Context, s *db.SchemaChange) (bool, error) {
	if s.Database != "" {
		return false, nil // no table's record tells
	}
	c := &change{Evolver: e, SchemaChange: s}
	if err := c.read(ctx); err != nil {
		return false, err
	}
	return c.passed()
}

// Change carries one schema change over and moves the position from before to after it. When the rows of a created
// table follow in the same transaction the position stays, and the change is passed when the transaction is read again.
//
// Errors: db.CopyAgain for tables whose rows are still to be copied, which are to be copied anew then;
// db.ErrUnsupported for what cannot be followed, with nothing changed and the position kept.
func (e *Evolver) Change(ctx context.Context, applier db.Applier, s *db.SchemaChange) error {
	c := &change{Evolver: e, SchemaChange: s, applier: applier, about: slices.Clone(s.Tables)}
	err := c.run(ctx)
	if err == nil && c.begun {
		if err = e.finish(ctx, applier); err == nil {
			c.log().Info().Msg("schema change followed")
		}
		return err
	}
	var again *db.CopyAgain
	if errors.Is(err, db.ErrUnsupported) && !errors.As(err, &again) {
		if e.opts.Copying && e.opts.Mode == Apply { // rows are copied anyway: these too, as they are by now
			return &db.CopyAgain{Tables: c.about, Why: err.Error()}
		}
		err = fmt.Errorf("schema change on %s at %s: %.500s: %w; nothing was changed and the position is kept "+
			"before it: %s",
			texts(s.Tables), s.After, s.Statement, err, e.advice(err, c.about))
		if taken := new(nameTakenError); errors.As(err, &taken) { // to copy the table again is refused too
			return err
		}
		return &db.NotFollowed{Tables: c.about, Err: err}
	}
	return err
}

func (e *Evolver) advice(err error, tables []schema.Name) string {
	if taken := new(nameTakenError); errors.As(err, &taken) {
		return taken.advice()
	}
	if e.opts.Advice != nil {
		return e.opts.Advice(tables)
	}
	flags := make([]string, len(tables))
	for i, t := range tables {
		flags[i] = "--table " + t.String()
	}
	return "copy again with wherry init-copy " + strings.Join(flags, " ") +
		", or make the change on the target by hand and run wherry start-replica --skip-ddl"
}

func texts(tables []schema.Name) string {
	all := make([]string, len(tables))
	for i, t := range tables {
		all[i] = t.String()
	}
	return strings.Join(all, ", ")
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", db.ErrUnsupported, fmt.Sprintf(format, args...))
}
