package schema

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rs/zerolog"
)

// ErrRefused is a schema that is not created because of what was found before anything was changed.
var ErrRefused = errors.New("refused")

// Catalog lists the tables of a server.
type Catalog interface {
	// Tables returns every table, view and sequence whose name matches, in name order.
	Tables(ctx context.Context, match func(Name) bool) ([]*Table, error)
}

// Builder is a server that tables can be created on.
type Builder interface {
	Catalog
	Dialect() Dialect
	// Execute runs one statement of the dialect's.
	Execute(ctx context.Context, statement string) error
	// Obstacles tells what in existing tables would be in the way of a copy, in words: rows, and triggers, which would fire.
	// A table without any is not in the map.
	Obstacles(ctx context.Context, tables []Name) (map[Name][]string, error)
}

// Step is one table to create: what Dialect.Map made of its source.
type Step struct {
	Source *Table
	Target *Table
	Losses []Loss
}

// Options adjust an Init.
type Options struct {
	// Defer creates only the indexes that the server demands, see Dialect.CreateTable. Without it unique indexes besides
	// the row key's are left out all the same: while rows are copied two of them may hold one value.
	Defer  bool
	DryRun bool // only tell Out what would run
	// Accept takes tables that are on the target already, if they are empty and as planned, see Unwelcome.
	Accept bool
	// Mine tells which target tables this move may have made in an earlier run; nil means none.
	Mine func(Name) bool
	// Claim is called once when nothing speaks against the plan, before the first statement. It records durably that the
	// tables are this move's, so that Mine is true for them after a crash. It is not called in a dry run.
	Claim func(ctx context.Context, tables []Name) error
	// Out is called before each statement with the table's name, or the database's.
	Out func(table, statement string)
	Log zerolog.Logger
}

// Init is the init-schema phase: it creates the planned tables, without foreign keys, or finds that it did so before.
type Init struct {
	target Builder
	steps  []Step
	opts   Options
}

// NewInit prepares the phase. Tables are created in the order of their target names.
func NewInit(target Builder, steps []Step, opts Options) *Init {
	if opts.Mine == nil {
		opts.Mine = func(Name) bool { return false }
	}
	if opts.Claim == nil {
		opts.Claim = func(context.Context, []Name) error { return nil }
	}
	if opts.Out == nil {
		opts.Out = func(string, string) {}
	}
	steps = slices.Clone(steps)
	slices.SortStableFunc(steps, func(a, b Step) int { return compareNames(a.Target.Name, b.Target.Name) })
	return &Init{target: target, steps: steps, opts: opts}
}

func compareNames(a, b Name) int {
	if c := strings.Compare(a.Database, b.Database); c != 0 {
		return c
	}
	return strings.Compare(a.Table, b.Table)
}

// Run creates what is missing. Errors that are ErrRefused changed nothing and list everything found; after any other
// error, or a kill between two statements, Run may be called again once Claim has been.
func (i *Init) Run(ctx context.Context) error {
	existing, err := i.existing(ctx)
	if err != nil {
		return err
	}
	unwelcome, err := i.unwelcome(ctx, existing)
	if err != nil {
		return err
	}
	if err := refused(i.objections(unwelcome)); err != nil {
		return err
	}
	if !i.opts.DryRun {
		if err := i.opts.Claim(ctx, i.names()); err != nil {
			return fmt.Errorf("claim tables: %w", err)
		}
	}
	if err := i.createDatabases(ctx, existing); err != nil {
		return err
	}
	var fresh []created
	for _, step := range i.steps {
		if existing[step.Target.Name] != nil {
			i.opts.Log.Debug().Stringer("table", step.Target.Name).Msg("table is there already")
			continue
		}
		c, err := i.createTable(ctx, step.Target)
		if err != nil {
			return err
		}
		if fresh = append(fresh, c); len(fresh) < readBack {
			continue
		}
		if err := i.prove(ctx, fresh); err != nil {
			return err
		}
		fresh = fresh[:0]
	}
	return i.prove(ctx, fresh)
}

// readBack is how many tables are created before they are read back together: to list some costs as much as to list all that
// the server has. Should the run end before, the next one compares those that are there.
const readBack = 200

// created is a table that was created and is not proved yet.
type created struct {
	plan      *Table
	statement string
}

func (i *Init) names() []Name {
	names := make([]Name, len(i.steps))
	for at, step := range i.steps {
		names[at] = step.Target.Name
	}
	return names
}

// existing reads those of the planned tables that the target has.
func (i *Init) existing(ctx context.Context) (map[Name]*Table, error) {
	planned := map[Name]bool{}
	for _, name := range i.names() {
		planned[name] = true
	}
	tables, err := i.target.Tables(ctx, func(n Name) bool { return planned[n] })
	if err != nil {
		return nil, fmt.Errorf("read tables of target: %w", err)
	}
	existing := map[Name]*Table{}
	for _, table := range tables {
		existing[table.Name] = table
	}
	return existing, nil
}

func (i *Init) execute(ctx context.Context, subject, statement string) error {
	i.opts.Out(subject, statement)
	if i.opts.DryRun {
		return nil
	}
	return i.target.Execute(ctx, statement)
}

// createDatabases makes the databases of the tables that are still to be created.
func (i *Init) createDatabases(ctx context.Context, existing map[Name]*Table) error {
	var last string
	for _, step := range i.steps {
		database := step.Target.Name.Database
		if existing[step.Target.Name] != nil || database == last {
			continue
		}
		last = database
		if err := i.execute(ctx, database, i.target.Dialect().CreateDatabase(database, step.Target.DatabaseCollation)); err != nil {
			return fmt.Errorf("create database %s: %w", database, err)
		}
	}
	return nil
}

// withoutUnique returns the table without its unique indexes, apart from the one that identifies rows and one that the
// automatic column needs.
func withoutUnique(t *Table) *Table {
	reduced, key := *t, t.KeyIndex()
	reduced.Indexes = nil
	for at := range t.Indexes {
		index := &t.Indexes[at]
		first := t.Column(index.Parts[0].Column)
		automatic := first >= 0 && t.Columns[first].AutoIncrement
		if !index.Unique || index == key || automatic {
			reduced.Indexes = append(reduced.Indexes, *index)
		}
	}
	return &reduced
}

func (i *Init) createTable(ctx context.Context, plan *Table) (created, error) {
	if !i.opts.Defer {
		plan = withoutUnique(plan)
	}
	statement := i.target.Dialect().CreateTable(plan, i.opts.Defer)
	if err := i.execute(ctx, plan.Name.String(), statement); err != nil {
		return created{}, fmt.Errorf("create table %s: %w", plan.Name, err)
	}
	return created{plan, statement}, nil
}

// prove reads tables back and refuses those that the server did not understand as planned.
func (i *Init) prove(ctx context.Context, fresh []created) error {
	if i.opts.DryRun || len(fresh) == 0 {
		return nil
	}
	found := make(map[Name]*Table, len(fresh))
	for _, c := range fresh {
		found[c.plan.Name] = nil
	}
	tables, err := i.target.Tables(ctx, func(n Name) bool {
		_, ok := found[n]
		return ok
	})
	if err != nil {
		return fmt.Errorf("read back table %s: %w", fresh[0].plan.Name, err)
	}
	for _, t := range tables {
		found[t.Name] = t
	}
	for _, c := range fresh {
		t := found[c.plan.Name]
		if t == nil {
			return fmt.Errorf("read back table %s: no such table after it was created", c.plan.Name)
		}
		if differences := i.target.Dialect().Differences(c.plan, t, !i.opts.Defer, false); len(differences) > 0 {
			return fmt.Errorf("create table %s: invalid result, %s; planned:\n%s\ncreated:\n%s", c.plan.Name,
				strings.Join(differences, "; "), c.statement, t.Definition)
		}
		i.opts.Log.Info().Stringer("table", c.plan.Name).Msg("table created")
	}
	return nil
}
