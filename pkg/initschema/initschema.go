// Package initschema is the phase that creates the tables of a move on its target: databases, then tables with their
// primary keys. Other indexes and foreign keys come after the rows. Each table is read back and compared with its
// plan.
//
// Its one invariant: nothing is changed before every objection to the plan is known, and no table is touched that the
// move did not make and was not allowed to take. For example, of 100 tables two cannot be held by the target: Run names
// both, and none of the other 98 has been created. It copies no rows.
package initschema

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"wherry/pkg/plan"
	"wherry/pkg/schema"
)

// ErrRefused is a schema that is not created because of what was found before anything was changed.
var ErrRefused = errors.New("refused")

// Target is what is needed of the end that tables are created on; see db.Target.
type Target interface {
	Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error)
	Dialect() schema.Dialect
	Execute(ctx context.Context, statement string) error
	Announce(ctx context.Context, tables []schema.Name) (made func(context.Context) error, err error)
	Obstacles(ctx context.Context, tables []schema.Name) (map[schema.Name][]string, error)
}

// Options adjust an Init.
type Options struct {
	// Defer creates only the indexes that the server demands, see Dialect.CreateTable, apart from small tables: there
	// another statement costs more than it saves. Without it unique indexes besides the row key's are left out all
	// the same: while rows are copied two of them may hold one value.
	Defer  bool
	DryRun bool // only tell Out what would run
	// Accept takes tables that are on the target already, if they are empty and as planned, see plan.Unfit.
	Accept bool
	// Mine tells which target tables this move may have made in an earlier run; nil means none.
	Mine func(schema.Name) bool
	// Claim is called once if there is no objection, before the first statement. It records durably that the move has
	// begun with these tables, and that those found, which exist already, are this move's from now on. It is not called
	// in a dry run.
	Claim func(ctx context.Context, tables, found []schema.Name) error
	// Out is called before each statement with the table's name, or the database's.
	Out func(table, statement string)
	Log zerolog.Logger
}

// Init is the init-schema phase: it creates the planned tables, without foreign keys, or finds that it did so before.
type Init struct {
	target Target
	steps  []plan.Step
	opts   Options

	out sync.Mutex // guards Options.Out: several tables are created at a time
}

// New prepares the phase. Databases are created first, then tables, several at a time in the order of their target
// names.
func New(target Target, steps []plan.Step, opts Options) *Init {
	if opts.Mine == nil {
		opts.Mine = func(schema.Name) bool { return false }
	}
	if opts.Claim == nil {
		opts.Claim = func(context.Context, []schema.Name, []schema.Name) error { return nil }
	}
	if opts.Out == nil {
		opts.Out = func(string, string) {}
	}
	steps = slices.Clone(steps)
	slices.SortStableFunc(steps, func(a, b plan.Step) int { return compareNames(a.Target.Name, b.Target.Name) })
	return &Init{target: target, steps: steps, opts: opts}
}

func compareNames(a, b schema.Name) int {
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
	unfit, err := i.unfit(ctx, existing)
	if err != nil {
		return err
	}
	if err := refused(i.objections(unfit)); err != nil {
		return err
	}
	if !i.opts.DryRun {
		if err := i.opts.Claim(ctx, i.names(), i.found(existing)); err != nil {
			return fmt.Errorf("claim tables: %w", err)
		}
	}
	if err := i.createDatabases(ctx, existing); err != nil {
		return err
	}
	var missing []plan.Step
	for _, step := range i.steps {
		if existing[step.Target.Name] != nil {
			i.opts.Log.Debug().Stringer("table", step.Target.Name).Msg("table is there already")
			continue
		}
		missing = append(missing, step)
	}
	for batch := readBack; len(missing) > 0; batch *= 2 {
		n := min(batch, len(missing))
		if err := i.createTables(ctx, missing[:n]); err != nil {
			return err
		}
		missing = missing[n:]
	}
	return nil
}

const (
	// readBack is how many tables are created before they are read back together; after that twice as many each time,
	// since reading some costs as much as reading all that the server has. If the run ends before, the next one
	// compares the tables that exist.
	readBack = 200
	// creators is how many tables are created at a time: each waits for the disk.
	creators = 4
	// announced is how many tables are noted in the ledger together before they are created. A crash leaves so many
	// notes to be checked at most.
	announced = 50
)

// created is a table that was created and is not proved yet.
type created struct {
	plan       *schema.Table
	statements []string
	deferred   bool
}

// createTables creates tables, several at a time, and proves them.
func (i *Init) createTables(ctx context.Context, steps []plan.Step) error {
	fresh := make([]created, 0, len(steps))
	for part := range slices.Chunk(steps, announced) {
		made, err := i.createPart(ctx, part)
		if err != nil {
			return err
		}
		fresh = append(fresh, made...)
	}
	return i.prove(ctx, fresh)
}

// createPart creates tables that are announced together.
func (i *Init) createPart(ctx context.Context, steps []plan.Step) ([]created, error) {
	fresh := make([]created, len(steps))
	made := func(context.Context) error { return nil }
	group, creating := errgroup.WithContext(ctx)
	group.SetLimit(creators)
	if i.opts.DryRun { // one at a time, so that the statements come in the order of the names
		group.SetLimit(1)
	} else {
		names := make([]schema.Name, len(steps))
		for at, step := range steps {
			names[at] = step.Target.Name
		}
		var err error
		if made, err = i.target.Announce(ctx, names); err != nil {
			return nil, fmt.Errorf("create table %s: %w", names[0], err)
		}
	}
	for at, step := range steps {
		group.Go(func() (err error) {
			fresh[at], err = i.createTable(creating, step)
			return err
		})
	}
	err := group.Wait()
	if ctx.Err() == nil { // what was made is recorded also when another was refused
		err = errors.Join(err, made(ctx))
	}
	return fresh, err
}

func (i *Init) names() []schema.Name {
	names := make([]schema.Name, len(i.steps))
	for at, step := range i.steps {
		names[at] = step.Target.Name
	}
	return names
}

// found are those of the planned tables that exist already and that this move did not make.
func (i *Init) found(existing map[schema.Name]*schema.Table) (names []schema.Name) {
	for _, name := range i.names() {
		if existing[name] != nil && !i.opts.Mine(name) {
			names = append(names, name)
		}
	}
	return names
}

// existing reads those of the planned tables that the target has.
func (i *Init) existing(ctx context.Context) (map[schema.Name]*schema.Table, error) {
	planned := map[schema.Name]bool{}
	for _, name := range i.names() {
		planned[name] = true
	}
	tables, err := i.target.Tables(ctx, func(n schema.Name) bool { return planned[n] })
	if err != nil {
		return nil, fmt.Errorf("read tables of target: %w", err)
	}
	existing := map[schema.Name]*schema.Table{}
	for _, table := range tables {
		existing[table.Name] = table
	}
	return existing, nil
}

func (i *Init) execute(ctx context.Context, subject, statement string) error {
	i.out.Lock()
	i.opts.Out(subject, statement)
	i.out.Unlock()
	if i.opts.DryRun {
		return nil
	}
	return i.target.Execute(ctx, statement)
}

// createDatabases makes the databases of the tables that are still to be created.
func (i *Init) createDatabases(ctx context.Context, existing map[schema.Name]*schema.Table) error {
	var last string
	for _, step := range i.steps {
		database := step.Target.Name.Database
		if existing[step.Target.Name] != nil || database == last {
			continue
		}
		last = database
		if err := i.execute(ctx, database, i.target.Dialect().CreateDatabase(database,
			step.Target.DatabaseCollation)); err != nil {
			return fmt.Errorf("create database %s: %w", database, err)
		}
	}
	return nil
}

func (i *Init) createTable(ctx context.Context, step plan.Step) (created, error) {
	deferred := plan.Deferred(step.Source, i.opts.Defer)
	plan, statements := plan.First(i.target.Dialect(), step.Target, deferred)
	for _, statement := range statements {
		if err := i.execute(ctx, plan.Name.String(), statement); err != nil {
			return created{}, fmt.Errorf("create table %s: %w", plan.Name, err)
		}
	}
	return created{plan, statements, deferred}, nil
}

// prove reads tables back and refuses those that the server did not understand as planned.
func (i *Init) prove(ctx context.Context, fresh []created) error {
	if i.opts.DryRun || len(fresh) == 0 {
		return nil
	}
	found := make(map[schema.Name]*schema.Table, len(fresh))
	for _, c := range fresh {
		found[c.plan.Name] = nil
	}
	tables, err := i.target.Tables(ctx, func(n schema.Name) bool {
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
		if differences := i.target.Dialect().Differences(c.plan, t, !c.deferred, false); len(differences) > 0 {
			return fmt.Errorf("create table %s: invalid result, %s; planned:\n%s\ncreated:\n%s", c.plan.Name,
				strings.Join(differences, "; "), strings.Join(c.statements, ";\n"), t.Definition)
		}
		i.opts.Log.Info().Stringer("table", c.plan.Name).Msg("table created")
	}
	return nil
}
