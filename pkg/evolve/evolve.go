// Package evolve carries schema changes of the source over to the target, between two transactions of the log.
//
// Its one invariant: what is to be done on the target is recorded there before it is begun, and the position moves past
// the change in one transaction with the records of the new shapes. So a run that was killed anywhere is continued by
// looking at the target's tables, and each change is made exactly once. What is not known exactly is refused, with the
// position kept before the change.
//
// For example `ALTER TABLE shop.orders ADD note TEXT`, step by step:
//
//	resolve.go, observe.go   what did it do? The text says: a new last column. The source's table agrees.
//	record.go, rename.go     the record of shop.orders gets the new shape; the goal is to alter newshop.orders
//	owned.go                 no other table stands in the way of a new name
//	intent.go                statement, records and goals go into the ledger
//	reach.go                 the target's table is altered, unless it has the column, and is read back
//	intent.go                records and position commit together
//
// Tables that are still being copied are in copier.go, copying.go and renew.go.
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

// Source is what an Evolver needs of the end that changes. See db.Source for what the methods promise.
type Source interface {
	Dialect() schema.Dialect
	Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error)
	Databases(ctx context.Context) (map[string]string, error)
	Effects(ctx context.Context, change *db.DDL, known []*schema.Table) ([]schema.Effect, error)
	Head(ctx context.Context) (db.Position, error)
	Reached(at, goal db.Position) (bool, error)
	SchemaChanges(ctx context.Context, after, until db.Position, tables []schema.Name) ([]*db.DDL, error)
}

// Target is what an Evolver needs of the end that follows.
type Target interface {
	Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error)
	plan.Judge
	Ledger() db.Ledger
}

// Mode is what becomes of a schema change (replicate.ddl).
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
	// Skip means that the first change has been made on the target by hand. It is not executed; the target's tables
	// must be what the change leads to.
	Skip bool
	// Copying allows tables whose copy has not ended. Without it they are refused.
	Copying bool
	// Plan works out where tables go. It is called with the shapes of all tables of the move, never with some of them:
	// a foreign key needs its parent in the plan.
	Plan func(tables []*schema.Table) *plan.Plan
	// Fixed returns why the definition of a source table cannot be carried over; "": it can. A table that is fixed may
	// still be emptied by TRUNCATE. nil: none is fixed.
	Fixed func(table schema.Name) string
	// Advice returns how to go on when a change of these tables cannot be followed. nil: copy them again, or make the
	// change by hand.
	Advice func(tables []schema.Name) string
	// Accept lets a new table be one that exists on the target already, if it is empty and as planned
	// (schema.existing: accept).
	Accept bool
	// Recorded is called after the records have changed, so that others read them anew; nil: nobody does.
	Recorded func(ctx context.Context)
	Log      zerolog.Logger
}

// Evolver carries over the schema changes of a move. It is used by one goroutine.
type Evolver struct {
	source Source
	target Target
	rules  route.Mapping
	opts   Options
}

// New returns an Evolver. rules say which source tables belong to the move.
func New(source Source, target Target, rules route.Mapping, opts Options) *Evolver {
	if opts.Mode == "" {
		opts.Mode = Apply
	}
	if opts.Recorded == nil {
		opts.Recorded = func(context.Context) {}
	}
	return &Evolver{source: source, target: target, rules: rules, opts: opts}
}

// Shapes returns the shapes of recorded tables, without those that have left the move.
func Shapes(records []db.Record) (shapes []*schema.Table) {
	for i := range records {
		if records[i].Shape != nil {
			shapes = append(shapes, records[i].Shape)
		}
	}
	return shapes
}

// Routes finishes what an earlier run began, and returns the routes as of the target's position. Every session of the
// applier begins with it. It is an error if the rows of a table are still to be copied, unless Options.Copying.
func (e *Evolver) Routes(ctx context.Context, applier db.Applier) ([]*route.Route, error) {
	// With Skip the user has finished by hand what was begun: to finish it here would do it twice. See byHand.
	if !e.opts.Skip {
		if err := e.finish(ctx, applier); err != nil {
			return nil, err
		}
	}
	// The defaults must be in the ledger before the first change of the log is read, since that may change them.
	if _, err := e.databases(ctx); err != nil {
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
		return nil, fmt.Errorf("plan the tables that the target's bookkeeping lists: %w", err)
	}
	return p.Routes, owns(ctx, e.target.Ledger(), p.Routes)
}

// refusal returns what forbids a plan, nil when nothing does. A plan without tables is not forbidden here: the last
// table of a move may be dropped.
func refusal(p *plan.Plan) error {
	var errs []error
	for _, f := range p.Refused() {
		if f.Check != "tables" {
			errs = append(errs, fmt.Errorf("%s: %s %s: %s", f.Check, f.Subject, f.What, f.Fix))
		}
	}
	return errors.Join(errs...)
}

// Passed returns whether a schema change need not be made, since all of its tables are recorded as of a later position.
// That is so for tables that were copied anew after it, and for `CREATE TABLE .. SELECT`, whose rows follow in the same
// transaction: the table is made first, the position stays before the transaction, and the statement comes once more.
func (e *Evolver) Passed(ctx context.Context, s *db.SchemaChange) (bool, error) {
	if s.Database != "" {
		return false, nil // a statement on a database is in no table's record
	}
	c := &change{Evolver: e, SchemaChange: s}
	if err := c.read(ctx); err != nil {
		return false, err
	}
	return c.passed()
}

// Change carries one schema change over to the target, and moves the position from before to after it. Only for
// `CREATE TABLE .. SELECT` the position stays, see Passed. The transaction before it must have been committed, and the
// routes are invalid afterwards: call Routes.
//
// Errors: db.CopyAgain names tables that are being copied and must be copied anew. db.NotFollowed, which is a
// db.ErrUnsupported, is a change that cannot be followed: nothing was changed, and the position is kept before it.
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
		// While rows are copied anyway, a table that cannot be followed is copied too, as it is on the source by now.
		if e.opts.Copying && e.opts.Mode == Apply {
			return &db.CopyAgain{Tables: c.about, Why: err.Error()}
		}
		err = fmt.Errorf("schema change on %s at %s: %.500s: %w; nothing was changed and the position is kept "+
			"before it: %s",
			texts(s.Tables), s.After, s.Statement, err, e.advice(err, c.about))
		// A copy would need the same name, and be refused too. So this error must not invite one.
		if taken := new(nameTakenError); errors.As(err, &taken) {
			return err
		}
		return &db.NotFollowed{Tables: c.about, Err: err}
	}
	return err
}

// advice returns how to go on after an error, for the user.
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

// texts joins names for messages: "shop.a, shop.b".
func texts(tables []schema.Name) string {
	all := make([]string, len(tables))
	for i, t := range tables {
		all[i] = t.String()
	}
	return strings.Join(all, ", ")
}

// unsupported makes a db.ErrUnsupported, which the callers complete with the statement and the position.
func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", db.ErrUnsupported, fmt.Sprintf(format, args...))
}
