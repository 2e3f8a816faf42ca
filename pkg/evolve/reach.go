package evolve

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
)

// reach does the next goal, unless the target's tables show that it is done. A run may have been killed before its
// statement, during it, or after it; the three look alike in the ledger.
//
//	drop       done if the table is not the move's (a DROP takes it off that list)
//	truncate   done twice: nothing is written to the table in between
//	rename     done if nothing of the move has the name that it frees
//	create     done if the table exists; what it lacks is added
//	alter      done if the table is as wanted
func (e *Evolver) reach(ctx context.Context, applier db.Applier, i *intent, p *plan.Plan) error {
	g, dialect, moment := i.Goals[i.Done], e.target.Dialect(), i.Moment
	// Only an ALTER that computes values needs the session's time zone, see within. Everywhere else literals of
	// TIMESTAMP are in UTC.
	moment.TimeZone = ""
	execute := func(statements ...string) error { return e.execute(ctx, applier, moment, statements) }
	owned, err := db.ReadOwned(ctx, e.target.Ledger())
	if err != nil {
		return err
	}
	_, ours := owned[g.Table]
	switch g.Kind {
	case dropped:
		if !ours { // done: a table that has the name now is somebody else's
			return nil
		}
		return execute(dialect.DropTable(g.Table))
	case truncated:
		return execute(dialect.TruncateTable(g.Table))
	case renamed:
		there, err := e.table(ctx, g.Table)
		if err != nil || there == nil || !ours {
			return err // done, unless the target could not be read
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

// makeTable makes a table with its indexes and foreign keys. One that exists was made by an earlier try, or was
// accepted by admit; it is completed.
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
	// An accepted table may lack indexes, as may one whose making was interrupted between two statements.
	if err := execute(dialect.AddIndexes(want, got)...); err != nil {
		return err
	}
	return e.complete(ctx, execute, want)
}

// alterTable alters a table to what it must be, unless it is that already. The table is read, altered and read back:
// the statements are worked out from what the target has, not from what the source's statement said, so a table that an
// interrupted run has changed in part is only changed in the rest.
func (e *Evolver) alterTable(ctx context.Context, applier db.Applier, i *intent, want, got *schema.Table) error {
	g, dialect := i.Goals[i.Done], e.target.Dialect()
	if c := renamedColumn(want); c != nil && len(dialect.Differences(want, got, true, true)) > 0 {
		return unsupported("a change of %s, whose column %s is for the source's %s: which column was which is told "+
			"in the source's names, and columns that are taken for new ones would lose their values", want.Name,
			c.Name, c.From)
	}
	former := present(g.Former, got)
	if g.Copying {
		want = deferred(want, got)
	}
	if g.Marked {
		want, former = marked(want, got, former)
	}
	// That partitions were emptied does not show in a definition. So it is done once more, which is harmless, unless
	// the mark shows it.
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

// execute runs statements on the target, on the applier's own connection and under the session of the source's
// statement. A lost connection and the like are returned as they are, to be tried again. Every other error means that
// the target refuses the statement: db.ErrUnsupported.
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

// present fits a lineage to the columns that the target has: after an interrupted RENAME COLUMN a TO b the target may
// have b already, and then b comes from b.
//
// The names are those of the source. So no table is altered whose columns have other names here, see renamedColumn: its
// columns would all be missing, and be made anew. No dialect of a server gives columns other names today.
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

// renamedColumn returns a column of a planned table that has another name on the source, or nil.
func renamedColumn(want *schema.Table) *schema.Column {
	for i := range want.Columns {
		if c := &want.Columns[i]; !strings.EqualFold(c.Origin(), c.Name) {
			return c
		}
	}
	return nil
}

// complete adds the foreign keys of a table that was created, and proves it. They come last because a foreign key may
// reference the table itself.
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

// prove reads a table back and compares it with what it must be. A server may quietly make something else of a
// statement, for instance shorten a prefix or add an index.
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

// table reads a table of the target, nil when there is none.
func (e *Evolver) table(ctx context.Context, name schema.Name) (*schema.Table, error) {
	found, err := e.target.Tables(ctx, name.Equal)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// collation returns the default collation of a database on the target, "" when the plan has no table in it.
func collation(p *plan.Plan, database string) string {
	for _, r := range p.Routes {
		if r.Target.Table.Name.Database == database {
			return r.Target.Table.DatabaseCollation
		}
	}
	return ""
}

// wanted returns the target's table in the plan, by the source's name; nil when the plan has none.
func wanted(p *plan.Plan, source schema.Name) *schema.Table {
	for _, r := range p.Routes {
		if r.Source.Name() == source {
			return r.Target.Table
		}
	}
	return nil
}
