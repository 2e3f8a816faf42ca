package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
)

// trialWorkers is how many statements are tried at a time: a server makes tables one after the other for the most part.
const trialWorkers = 4

// TrialOptions adjust a Trial.
type TrialOptions struct {
	Defer bool // indexes come after the rows, see plan.Deferred
}

// Trial runs every statement of a plan on the target, in databases of its own that are empty and removed again:
// tables, indexes, foreign keys, and what the cutover makes besides tables. What the target says is found before the
// first row is copied.
//
// A function is made and not called: its text may depend on rows and on other objects, and calling it could do harm.
type Trial struct {
	source  db.ObjectReader
	target  db.Target
	steps   []plan.Step
	objects []schema.ObjectPlan
	opts    TrialOptions

	scratch  db.Scratch
	findings []db.Finding
	broken   map[schema.Name]bool // tables and views that the target refused; what names them is not blamed
}

// NewTrial returns the trial of tables and objects.
func NewTrial(source db.ObjectReader, target db.Target, steps []plan.Step, objects []schema.ObjectPlan,
	opts TrialOptions,
) *Trial {
	return &Trial{
		source: source, target: target, steps: steps, objects: objects, opts: opts,
		broken: map[schema.Name]bool{},
	}
}

// Run tries everything and returns everything that was found. If nothing can be tried, such as for want of a privilege,
// that is one warning. An error is a lost connection, or a scratch database that could not be removed.
func (t *Trial) Run(ctx context.Context) (_ []db.Finding, err error) {
	plan := t.plan()
	if len(plan.Databases) == 0 {
		return nil, nil
	}
	t.scratch, err = t.target.Scratch(ctx, plan)
	var none *db.NoScratchError
	if errors.As(err, &none) {
		t.add(db.Warn, "", none.What, none.Fix)
		return t.findings, nil
	}
	if err != nil {
		return nil, fmt.Errorf("try the plan on the target: %w", err)
	}
	defer func() { err = errors.Join(err, t.scratch.Close()) }()
	tried, err := t.tables(ctx)
	if err == nil {
		err = t.tryObjects(ctx)
	}
	if err != nil {
		return t.findings, fmt.Errorf("try the plan on the target: %w", err)
	}
	if len(t.findings) == 0 {
		what := "the target takes what the move will make: tried " + count.Of(tried, "table")
		if n := len(t.steps); n != tried {
			what += fmt.Sprintf(" for %d, of which the others are the same", n)
		}
		if len(t.objects) > 0 {
			what += ", and " + count.Of(len(t.objects), "object") + " besides"
		}
		t.add(db.OK, "", what, "")
	}
	return t.findings, nil
}

// plan lists the databases and the kinds of objects, from which the engine derives the privileges that it needs. Each
// scratch database has the collation of the one that it stands for, since tables and routines inherit it.
func (t *Trial) plan() (plan db.ScratchPlan) {
	add := func(name, collation string) {
		if name != "" && !slices.ContainsFunc(plan.Databases, func(d db.ScratchDatabase) bool {
			return d.Name == name
		}) {
			plan.Databases = append(plan.Databases, db.ScratchDatabase{Name: name, Collation: collation})
		}
	}
	for _, s := range t.steps {
		add(s.Target.Name.Database, s.Target.DatabaseCollation)
	}
	for _, p := range t.objects {
		add(p.Target.Name.Database, p.Target.Session.DatabaseCollation)
		if !slices.Contains(plan.Kinds, p.Target.Kind) {
			plan.Kinds = append(plan.Kinds, p.Target.Kind)
		}
	}
	return plan
}

// add notes a finding of the trial. Of a table, the subject is the source's name: that is what the user can change.
func (t *Trial) add(level db.Level, subject, what, fix string) {
	t.findings = append(t.findings, db.Finding{
		Check: "trial", End: "target", Level: level, Subject: subject,
		What: what, Fix: fix,
	})
}

// said is what the server said, with the scratch databases' names replaced by the target's: the reader knows only
// those.
func (t *Trial) said(err error) string {
	text := err.Error()
	for _, d := range t.plan().Databases {
		text = strings.ReplaceAll(text, t.scratch.Database(d.Name), d.Name)
	}
	return text
}

// attempt is one table to try.
type attempt struct {
	step  plan.Step
	plan  *schema.Table // the planned table, named in the scratch database
	found []db.Finding
	made  bool // CREATE TABLE succeeded
}

// fail notes that the target refused the table, or did not understand it. Findings are gathered per table, because
// several are tried at a time and the report is to be in order.
func (a *attempt) fail(what string) {
	a.found = append(a.found, db.Finding{
		Check: "trial", End: "target", Level: db.Fail, Subject: a.step.Source.Name.String(), What: what,
		Fix: "change the table, or exclude it",
	})
}

// tables does what init-schema and the end of init-copy do, in the same order, and returns for how many tables. A table
// that was refused is left out of the later steps, so one reason is reported once.
func (t *Trial) tables(ctx context.Context) (tried int, err error) {
	attempts := t.attempts()
	dialect := t.target.Dialect()
	deferred := func(a *attempt) bool { return plan.Deferred(a.step.Source, t.opts.Defer) }
	first := func(a *attempt) []string {
		_, statements := plan.First(dialect, a.plan, deferred(a))
		return statements
	}
	err = t.each(ctx, attempts, trialWorkers, func(a *attempt) error {
		said, err := t.execute(ctx, first(a))
		a.made = said == "" && err == nil
		if said != "" {
			a.fail("the target refuses the table: " + said)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	got, err := t.readBack(ctx, attempts, func(a *attempt, got *schema.Table) []string {
		reduced, _ := plan.First(dialect, a.plan, deferred(a))
		return dialect.Differences(reduced, got, !deferred(a), false)
	})
	if err != nil {
		return 0, err
	}
	complete := func(what string, missing func(plan, existing *schema.Table) []string) func(*attempt) error {
		return func(a *attempt) error {
			if got[a] == nil || len(a.found) > 0 {
				return nil
			}
			said, err := t.execute(ctx, missing(a.plan, got[a]))
			if said != "" {
				a.fail("the target refuses its " + what + ": " + said)
			}
			return err
		}
	}
	if err := t.each(ctx, attempts, trialWorkers, complete("indexes", dialect.AddIndexes)); err != nil {
		return 0, err
	}
	whole := t.withParents(attempts)
	// One at a time: each locks the parent table too, and two of them could wait for each other.
	if err := t.each(ctx, whole, 1, complete("foreign keys", dialect.AddForeignKeys)); err != nil {
		return 0, err
	}
	if _, err := t.readBack(ctx, attempts, func(a *attempt, got *schema.Table) []string {
		if len(a.plan.ForeignKeys) > 0 && !slices.Contains(whole, a) {
			return nil
		}
		return dialect.Differences(a.plan, got, true, true)
	}); err != nil {
		return 0, err
	}
	for _, a := range attempts {
		t.findings = append(t.findings, a.found...)
		if len(a.found) > 0 {
			t.broken[a.step.Target.Name] = true
		}
	}
	return len(attempts), nil
}

// attempts returns the tables to try. Of tables that differ only in their names one is enough: with thousands of equal
// tables the trial would take minutes. A table that foreign keys, triggers or views name is always tried.
func (t *Trial) attempts() (all []*attempt) {
	needed := t.needed()
	seen := map[string]bool{}
	for _, s := range t.steps {
		plan := *s.Whole()
		plan.Name.Database = t.scratch.Database(plan.Name.Database)
		plan.ForeignKeys = slices.Clone(plan.ForeignKeys)
		for i := range plan.ForeignKeys {
			if home := t.scratch.Database(plan.ForeignKeys[i].Parent.Database); home != "" {
				plan.ForeignKeys[i].Parent.Database = home
			}
		}
		shape := plan
		shape.Name = schema.Name{Database: "d", Table: "t"}
		text := strings.Join(t.target.Dialect().CreateTable(&shape, false),
			"\n") + plan.RowKey + "\n" + plan.DatabaseCollation
		if seen[text] && !needed[s.Target.Name] {
			continue
		}
		seen[text] = true
		all = append(all, &attempt{step: s, plan: &plan})
	}
	return all
}

// needed are the tables that foreign keys, triggers or views name.
func (t *Trial) needed() map[schema.Name]bool {
	needed := map[schema.Name]bool{}
	for _, s := range t.steps {
		for _, k := range s.Whole().ForeignKeys {
			needed[s.Target.Name], needed[k.Parent] = true, true
		}
	}
	for _, p := range t.objects {
		needed[p.Target.Table] = true
		if p.Target.Kind != schema.ViewObject {
			continue
		}
		for _, s := range t.steps {
			if schema.Mentions(p.Target.Body, s.Target.Name.Table) {
				needed[s.Target.Name] = true
			}
		}
	}
	return needed
}

// withParents are the tables whose parents were made. The others' foreign keys would be refused for that reason alone.
func (t *Trial) withParents(attempts []*attempt) (good []*attempt) {
	made := map[schema.Name]bool{}
	for _, a := range attempts {
		made[a.plan.Name] = a.made
	}
	for _, a := range attempts {
		if !slices.ContainsFunc(a.plan.ForeignKeys, func(k schema.ForeignKey) bool { return !made[k.Parent] }) {
			good = append(good, a)
		}
	}
	return good
}

// each does something for every table, several at a time, until one of them has an error.
func (t *Trial) each(ctx context.Context, attempts []*attempt, workers int, do func(*attempt) error) error {
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, a := range attempts {
		if working.Err() != nil {
			break
		}
		group.Go(func() error { return do(a) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// execute runs statements up to the first that the server refuses, and returns what it says; "" if it takes all. An
// error is a statement that was not answered.
func (t *Trial) execute(ctx context.Context, statements []string) (said string, err error) {
	for _, statement := range statements {
		if said, err = t.judge(ctx, t.scratch.Execute(ctx, statement)); said != "" || err != nil {
			return said, err
		}
	}
	return "", nil
}

// judge separates what the server answered (said) from a call without an answer: a lost connection, a deadlock or a
// full disk says nothing about the statement.
func (t *Trial) judge(ctx context.Context, err error) (said string, unanswered error) {
	switch {
	case err == nil:
		return "", nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, db.ErrConnection), errors.Is(err, db.ErrRetry), errors.Is(err, db.ErrSpace):
		return "", err
	default:
		return t.said(err), nil
	}
}

// readBack reads the tables that were made and refuses those that are not as planned: a server may accept a statement
// and understand something else, such as a column without the CHECK that it ignores. differences compares one of them.
func (t *Trial) readBack(ctx context.Context, attempts []*attempt,
	differences func(a *attempt, got *schema.Table) []string,
) (map[*attempt]*schema.Table, error) {
	by := map[schema.Name]*attempt{}
	for _, a := range attempts {
		if a.made {
			by[a.plan.Name] = a
		}
	}
	if len(by) == 0 {
		return nil, nil
	}
	tables, err := t.target.Tables(ctx, func(n schema.Name) bool { return by[n] != nil })
	if err != nil {
		return nil, err
	}
	got := make(map[*attempt]*schema.Table, len(tables))
	for _, table := range tables {
		a := by[table.Name]
		got[a] = table
		if found := differences(a, table); len(found) > 0 && len(a.found) == 0 {
			a.fail("the target does not understand the table as planned: " + strings.Join(found, "; "))
		}
	}
	return got, nil
}
