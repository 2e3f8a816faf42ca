package evolve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
)

// goalKind is what a goal is about.
type goalKind string

const (
	created   goalKind = "create"
	altered   goalKind = "alter"
	dropped   goalKind = "drop"
	renamed   goalKind = "rename"
	truncated goalKind = "truncate"
)

// goal is one thing to be done on the target. Whether it is done can be seen there, or it may be done twice.
type goal struct {
	Kind    goalKind          `json:"kind"`
	Source  schema.Name       `json:"source,omitzero"` // created and altered: which table, as it is named in the end
	Table   schema.Name       `json:"table,omitzero"`  // others: on the target; of renames a name that is free afterwards
	Pairs   [][2]schema.Name  `json:"pairs,omitempty"` // of renames: from and to, in order
	Former  map[string]string `json:"former,omitempty"`
	Empties []string          `json:"empties,omitempty"`
	Copying bool              `json:"copying,omitempty"` // the table lacks indexes and foreign keys until its rows are there
}

// intent is what is being done for a schema change, as FactChange keeps it.
type intent struct {
	Statement string        `json:"statement"`
	Moment    db.Moment     `json:"moment"`
	Position  db.Position   `json:"position"` // to move to
	Put       []string      `json:"put"`      // records, encoded
	Gone      []schema.Name `json:"gone"`
	Goals     []goal        `json:"goals"`
	Done      int           `json:"done"` // of the goals
}

// begin records what is to be done.
func (c *change) begin(ctx context.Context) error {
	i := intent{Statement: c.ddl.Statement, Moment: c.ddl.Moment, Position: c.after, Gone: c.gone, Goals: ordered(c.goals)}
	if c.more {
		i.Position = c.before
	}
	for _, name := range c.put {
		text, err := db.EncodeRecord(*c.records[name])
		if err != nil {
			return err
		}
		i.Put = append(i.Put, text)
	}
	return c.keep(ctx, &i)
}

func (e *Evolver) keep(ctx context.Context, i *intent) error {
	text, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return e.target.Ledger().Put(ctx, db.FactChange, string(text))
}

// ordered puts drops, renames and truncations first: the shapes that follow are those of the tables' last names.
func ordered(goals []goal) (out []goal) {
	for _, g := range goals {
		if g.Kind != created && g.Kind != altered {
			out = append(out, g)
		}
	}
	for _, kind := range []goalKind{created, altered} {
		for _, g := range goals {
			if g.Kind == kind {
				out = append(out, g)
			}
		}
	}
	return out
}

// pending returns what was begun and not finished, or nil.
func (e *Evolver) pending(ctx context.Context) (*intent, error) {
	text, err := e.target.Ledger().Get(ctx, db.FactChange)
	if err != nil || text == "" {
		return nil, err
	}
	var i intent
	if err := json.Unmarshal([]byte(text), &i); err != nil {
		return nil, fmt.Errorf("read fact %s: %w", db.FactChange, err)
	}
	return &i, nil
}

// finish does what is left of a change that was begun, and moves the position. Without one it does nothing. What the target refuses is
// db.ErrUnsupported: then the change stays begun.
func (e *Evolver) finish(ctx context.Context, applier db.Applier) error {
	i, err := e.pending(ctx)
	if err != nil || i == nil {
		return err
	}
	p, put, err := e.outcome(ctx, i)
	if err == nil {
		err = e.reachAll(ctx, applier, i, p)
	}
	if errors.Is(err, db.ErrUnsupported) {
		tables := i.tables()
		if e.opts.Copying && slices.ContainsFunc(i.Goals, func(g goal) bool { return g.Copying }) { // rows are copied anyway
			return &db.SchemaChanged{Tables: tables, Why: err.Error()}
		}
		return fmt.Errorf("schema change on %s: %.500s: %w; it was begun on the target and is not finished there, and the position is kept before it: %s", texts(tables), i.Statement, err, e.advice(tables))
	}
	if err != nil {
		return fmt.Errorf("follow %.200q on the target: %w", i.Statement, err)
	}
	if err := applier.Amend(ctx, put, i.Gone); err != nil {
		return err
	}
	return applier.Commit(ctx, i.Position)
}

// reachAll does the goals that are left, and records each.
func (e *Evolver) reachAll(ctx context.Context, applier db.Applier, i *intent, p *plan.Plan) error {
	for ; i.Done < len(i.Goals); i.Done++ {
		if err := e.reach(ctx, applier, i, p); err != nil {
			return err
		}
		if i.Done+1 == len(i.Goals) {
			break
		}
		next := *i
		next.Done++
		if err := e.keep(ctx, &next); err != nil {
			return err
		}
	}
	return nil
}

// forget takes away what is to be done for a table.
func (i *intent) forget(source schema.Name) {
	goals, done := i.Goals, i.Done
	i.Goals = nil
	for n, g := range goals {
		switch {
		case g.Source != source:
			i.Goals = append(i.Goals, g)
		case n < done:
			i.Done--
		}
	}
}

// giveUp is for a change all of whose tables were recorded anew since: what is left is that others are gone.
func (i *intent) giveUp(records []db.Record) {
	i.Goals, i.Done = nil, 0
	for _, r := range records {
		if r.Shape != nil && slices.Contains(i.Gone, r.Source) && !slices.ContainsFunc(records, func(x db.Record) bool { return x.Target == r.Target && !slices.Contains(i.Gone, x.Source) }) {
			i.Goals = append(i.Goals, goal{Kind: dropped, Table: r.Target})
		}
	}
}

// tables are those that the change is about, by their names on the source.
func (i *intent) tables() []schema.Name {
	tables := slices.Clone(i.Gone)
	for _, text := range i.Put {
		if r, err := db.DecodeRecord(text); err == nil {
			tables = append(tables, r.Source)
		}
	}
	return tables
}

// outcome returns the plan of the tables as they will be, and the new records.
func (e *Evolver) outcome(ctx context.Context, i *intent) (*plan.Plan, []db.Record, error) {
	records, err := e.target.Ledger().Records(ctx)
	if err != nil {
		return nil, nil, err
	}
	var put []db.Record
	for _, text := range i.Put {
		r, err := db.DecodeRecord(text)
		if err != nil {
			return nil, nil, err
		}
		renewed, err := e.renewed(records, r)
		if err != nil {
			return nil, nil, err
		}
		if renewed {
			i.forget(r.Source)
			continue
		}
		put = append(put, r)
	}
	if len(put) == 0 && len(i.Put) > 0 {
		i.giveUp(records)
	}
	records = slices.DeleteFunc(records, func(r db.Record) bool {
		return slices.Contains(i.Gone, r.Source) || slices.ContainsFunc(put, func(p db.Record) bool { return p.Source == r.Source })
	})
	p := e.opts.Plan(Shapes(append(records, put...)))
	if err := refusal(p); err != nil {
		return nil, nil, fmt.Errorf("%w: a schema change that was begun cannot be finished: %w", db.ErrUnsupported, err)
	}
	return p, put, nil
}

// renewed tells whether a table was recorded anew since the change was begun, because it is copied again: then nothing is left to be done for it.
func (e *Evolver) renewed(records []db.Record, r db.Record) (bool, error) {
	at := slices.IndexFunc(records, func(x db.Record) bool { return x.Source == r.Source })
	if at < 0 || records[at].Since.IsZero() {
		return false, nil
	}
	return e.source.Reached(records[at].Since, r.Since)
}

// reach does the next goal, unless it is done.
func (e *Evolver) reach(ctx context.Context, applier db.Applier, i *intent, p *plan.Plan) error {
	g, dialect, moment := i.Goals[i.Done], e.target.Dialect(), i.Moment
	moment.TimeZone = ""
	execute := func(statements ...string) error { return e.execute(ctx, applier, moment, statements) }
	switch g.Kind {
	case dropped:
		return execute(dialect.DropTable(g.Table))
	case truncated:
		return execute(dialect.TruncateTable(g.Table))
	case renamed:
		there, err := e.table(ctx, g.Table)
		if err != nil || there == nil {
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
	}
	want := wanted(p, g.Source)
	if want == nil {
		return fmt.Errorf("no plan for %s", g.Source)
	}
	got, err := e.table(ctx, want.Name)
	switch {
	case err != nil:
		return err
	case got == nil && g.Kind == altered:
		return fmt.Errorf("%w: table %s is gone from the target", db.ErrUnsupported, want.Name)
	case got == nil:
		if err := execute(dialect.CreateDatabase(want.Name.Database, want.DatabaseCollation), dialect.CreateTable(want, false)); err != nil {
			return err
		}
		return e.complete(ctx, execute, want)
	case g.Kind == created:
		return e.complete(ctx, execute, want)
	}
	if g.Copying {
		want = deferred(want, got)
	}
	if len(dialect.Differences(want, got, true, true)) == 0 && len(g.Empties) == 0 {
		return nil
	}
	former := present(g.Former, got)
	written, moment, err := within(got, want, former, i.Moment)
	if err != nil {
		return err
	}
	statements, err := dialect.Alter(got, written, former, g.Empties)
	if err != nil {
		return fmt.Errorf("%w: %w", db.ErrUnsupported, err)
	}
	if err := execute(statements...); err != nil {
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
		case errors.Is(err, db.ErrConnection), errors.Is(err, db.ErrRetry), errors.Is(err, db.ErrSealed), errors.Is(err, db.ErrUnsupported), ctx.Err() != nil:
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
	if err := execute(e.target.Dialect().AddForeignKeys(want, got)); err != nil {
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
		return fmt.Errorf("%w: table %s on the target is not what it must be: %s", db.ErrUnsupported, want.Name, differences[0])
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

// byHand takes the change as made on the target already: its tables must be as they must be after it.
func (c *change) byHand(ctx context.Context) error {
	var shapes []*schema.Table
	for _, r := range c.records {
		shapes = append(shapes, r.Shape)
	}
	p := c.opts.Plan(shapes)
	var errs []error
	put := make([]db.Record, 0, len(c.put))
	for _, name := range c.put {
		put = append(put, *c.records[name])
		if err := c.prove(ctx, wanted(p, name)); err != nil {
			errs = append(errs, err)
		}
	}
	for _, g := range c.goals {
		if g.Kind != dropped && g.Kind != renamed || slices.ContainsFunc(put, func(r db.Record) bool { return r.Target == g.Table }) {
			continue
		}
		if there, err := c.table(ctx, g.Table); err != nil || there != nil {
			errs = append(errs, errors.Join(err, fmt.Errorf("%w: table %s is still on the target", db.ErrUnsupported, g.Table)))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	c.opts.Log.Warn().Str("statement", c.ddl.Statement).Msg("schema change taken as made by hand")
	c.opts.Skip = false
	if err := c.applier.Amend(ctx, put, c.gone); err != nil {
		return err
	}
	return c.applier.Commit(ctx, c.after)
}
