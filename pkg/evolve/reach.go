package evolve

import (
	"context"
	"errors"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
)

// reach does the next goal, unless it is done.
func (e *Evolver) reach(ctx context.Context, applier db.Applier, i *intent, p *plan.Plan) error {
	g, dialect, moment := i.Goals[i.Done], e.target.Dialect(), i.Moment
	moment.TimeZone = ""
	execute := func(statements ...string) error { return e.execute(ctx, applier, moment, statements) }
	owned, err := db.ReadOwned(ctx, e.target.Ledger())
	if err != nil {
		return err
	}
	_, ours := owned[g.Table]
	switch g.Kind {
	case dropped:
		if !ours { // done: what has the name now is another's
			return nil
		}
		return execute(dialect.DropTable(g.Table))
	case truncated:
		return execute(dialect.TruncateTable(g.Table))
	case renamed:
		there, err := e.table(ctx, g.Table)
		if err != nil || there == nil || !ours {
			return err // done
		}
		for _, pair := range g.Pairs {
			if to := pair[1].Database; to != pair[0].Database {
				if err := execute(dialect.CreateDatabase(to, collation(p, to))); err != nil {
					return err
				}
			}
		}
		return execute(dialect.RenameTables(g.Pairs))
	default: // created, altered
		want := wanted(p, g.Source)
		if want == nil {
			return fmt.Errorf("no plan for %s", g.Source)
		}
		got, err := e.table(ctx, want.Name)
		switch {
		case err != nil:
			return err
		case got != nil && g.Kind == altered:
			return e.alterTable(ctx, applier, i, want, got)
		case got == nil && g.Kind == altered:
			return fmt.Errorf("%w: table %s is gone from the target", db.ErrUnsupported, want.Name)
		default:
			return e.makeTable(ctx, execute, owned, want, got)
		}
	}
}

// makeTable makes a table. One that is there already was made by an earlier try, or taken.
func (e *Evolver) makeTable(
	ctx context.Context, execute func(...string) error, owned db.Owned, want, got *schema.Table,
) error {
	dialect := e.target.Dialect()
	if got == nil {
		database := dialect.CreateDatabase(want.Name.Database, want.DatabaseCollation)
		if err := execute(append([]string{database}, dialect.CreateTable(want, false)...)...); err != nil {
			return err
		}
		return e.complete(ctx, execute, want)
	}
	if _, ours := owned[want.Name]; !ours {
		reason := fmt.Sprintf("table %s is on the target, and this move did not make it", want.Name)
		return &nameTakenError{reasons: []string{reason}, accept: e.opts.Accept}
	}
	if err := execute(dialect.AddIndexes(want, got)...); err != nil { // of a table that was there before
		return err
	}
	return e.complete(ctx, execute, want)
}

// alterTable makes a table what it must be, unless it is.
func (e *Evolver) alterTable(ctx context.Context, applier db.Applier, i *intent, want, got *schema.Table) error {
	g, dialect := i.Goals[i.Done], e.target.Dialect()
	former := present(g.Former, got)
	if g.Copying {
		want = deferred(want, got)
	}
	if g.Marked {
		want, former = marked(want, got, former)
	}
	if len(dialect.Differences(want, got, true, true)) == 0 && (len(g.Empties) == 0 || g.Marked) {
		return nil
	}
	written, moment, err := within(got, want, former, i.Moment)
	if err != nil {
		return err
	}
	statements, err := dialect.Alter(got, written, former, g.Empties)
	if err != nil {
		return fmt.Errorf("%w: %w", db.ErrUnsupported, err)
	}
	if err := e.execute(ctx, applier, moment, statements); err != nil {
		return err
	}
	return e.prove(ctx, want)
}

// execute runs statements on the target. What the server refuses is refused.
func (e *Evolver) execute(ctx context.Context, applier db.Applier, at db.Moment, statements []string) error {
	for _, s := range statements {
		if s == "" {
			continue
		}
		e.opts.Log.Debug().Str("statement", s).Msg("schema statement on the target")
		err := applier.Execute(ctx, s, at)
		switch {
		case err == nil:
		case errors.Is(err, db.ErrConnection), errors.Is(err, db.ErrRetry), errors.Is(err, db.ErrSealed),
			errors.Is(err, db.ErrUnsupported), ctx.Err() != nil:
			return err
		default:
			return fmt.Errorf("%w: %w", db.ErrUnsupported, err)
		}
	}
	return nil
}

// present leaves out of a lineage what the target does not have, such as when an alteration is continued.
func present(former map[string]string, got *schema.Table) map[string]string {
	out := map[string]string{}
	for now, was := range former {
		switch {
		case got.Column(was) >= 0:
			out[now] = was
		case got.Column(now) >= 0:
			out[now] = now
		}
	}
	return out
}

// complete adds the foreign keys of a table that was created.
func (e *Evolver) complete(ctx context.Context, execute func(...string) error, want *schema.Table) error {
	got, err := e.table(ctx, want.Name)
	if err != nil {
		return err
	}
	if got == nil {
		return fmt.Errorf("table %s is not there after it was created", want.Name)
	}
	if err := execute(e.target.Dialect().AddForeignKeys(want, got)...); err != nil {
		return err
	}
	return e.prove(ctx, want)
}

// prove reads a table back.
func (e *Evolver) prove(ctx context.Context, want *schema.Table) error {
	got, err := e.table(ctx, want.Name)
	if err != nil {
		return err
	}
	if got == nil {
		return fmt.Errorf("%w: table %s is gone from the target", db.ErrUnsupported, want.Name)
	}
	if differences := e.target.Dialect().Differences(want, got, true, true); len(differences) > 0 {
		return fmt.Errorf("%w: table %s on the target is not what it must be: %s",
			db.ErrUnsupported, want.Name, differences[0])
	}
	return nil
}

func (e *Evolver) table(ctx context.Context, name schema.Name) (*schema.Table, error) {
	found, err := e.target.Tables(ctx, name.Equal)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// collation is the default of a database on the target, "" when no table of the plan tells.
func collation(p *plan.Plan, database string) string {
	for _, r := range p.Routes {
		if r.Target.Table.Name.Database == database {
			return r.Target.Table.DatabaseCollation
		}
	}
	return ""
}

func wanted(p *plan.Plan, source schema.Name) *schema.Table {
	for _, r := range p.Routes {
		if r.Source.Name() == source {
			return r.Target.Table
		}
	}
	return nil
}
