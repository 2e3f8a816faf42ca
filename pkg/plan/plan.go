// Package plan works out what a move will do: which tables go where, how the target will hold them, and what stands in
// the way.
//
// Its one invariant: every table that the configuration includes is either in a route or in a finding that fails. It
// reads both ends' tables and changes nothing.
//
// For example, shop.orders with a JSON column, on its way from MySQL to MariaDB, has a route to newshop.orders, a step
// with the CREATE TABLE's shape (the column is LONGTEXT with a CHECK), and the finding loss:json, which fails unless
// the configuration allows that loss.
package plan

import (
	"context"
	"fmt"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/db/canon"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Plan is what a move will do. If findings fail, routes and steps are those of the other tables.
type Plan struct {
	Routes   []*route.Route
	Steps    []Step // the same tables as Routes
	Findings []db.Finding
}

// Refused returns the findings that forbid the move.
func (p *Plan) Refused() []db.Finding { return Failed(p.Findings) }

// Failed returns those of the findings that fail.
func Failed(findings []db.Finding) (failed []db.Finding) {
	for _, f := range findings {
		if f.Level == db.Fail {
			failed = append(failed, f)
		}
	}
	return failed
}

// Options adjust a plan.
type Options struct {
	Allowed route.Allowances // losses that do not refuse the move
	Objects []string         // kinds of objects that move with the tables, see BuildObjects
	// Dangling lets foreign keys reference tables of the move that do not exist. With foreign_key_checks off a source
	// has such between two schema changes: `CREATE TABLE child .. REFERENCES parent`, then `CREATE TABLE parent`.
	Dangling bool
	// Proved skips the proof that the tables are understood: it was made when their shapes were recorded, and a shape
	// that was worked out from a statement has no CREATE TABLE to prove it by.
	Proved bool
}

// Build plans the move of every source table that the rules include.
func Build(ctx context.Context, source db.Reader, dialect schema.Dialect, rules *route.Rules, opts Options) (*Plan,
	error,
) {
	tables, err := source.Tables(ctx, rules.Includes)
	if err != nil {
		return nil, fmt.Errorf("read the source's tables: %w", err)
	}
	return Of(tables, dialect, rules, opts), nil
}

// Of plans the move of the given source tables. They must be all tables of the move: a foreign key to a table that is
// not among them is refused.
func Of(tables []*schema.Table, dialect schema.Dialect, rules route.Mapping, opts Options) *Plan {
	dialect = schema.Surveyed(dialect, tables, rules.Target)
	b := &builder{dialect: dialect, rules: rules, opts: opts}
	return b.all(tables, b.table)
}

// all plans the move of all tables, each with the function given. What concerns several tables comes after them: names
// of constraints, and two tables that go to one name.
func (b *builder) all(tables []*schema.Table, table func(*schema.Table) bool) *Plan {
	b.moved = map[schema.Name]bool{}
	for _, t := range tables { // before the first is planned: its foreign keys may reference the last
		b.moved[t.Name] = t.Kind == schema.BaseTable
	}
	names := make([]schema.Name, 0, len(tables))
	for _, t := range tables {
		if !table(t) {
			continue
		}
		names = append(names, t.Name)
	}
	b.constraintNames()
	if err := b.rules.Collisions(names); err != nil {
		b.fail("routes", "", err.Error(), "give each table a target of its own in routes")
	}
	if len(tables) == 0 {
		b.fail("tables", "", "no table of the source is included",
			"look at tables.include: names are case-sensitive, as db.table; tables without GRANT SELECT for the "+
				"account are not seen")
	}
	return &b.Plan
}

type builder struct {
	Plan
	dialect schema.Dialect
	rules   route.Mapping
	opts    Options
	moved   map[schema.Name]bool
}

func (b *builder) fail(check, subject, what, fix string) { b.add(db.Fail, check, subject, what, fix) }

func (b *builder) add(level db.Level, check, subject, what, fix string) {
	b.Findings = append(b.Findings, db.Finding{
		Check: check, End: "move", Level: level, Subject: subject, What: what,
		Fix: fix,
	})
}

// table plans one table. It returns false when that is a view or sequence, or cannot be moved.
func (b *builder) table(t *schema.Table) bool {
	if !b.movable(t) {
		return false
	}
	target, losses, err := b.dialect.Map(t, b.rules.Target(t.Name), b.rules.Target)
	if err != nil {
		b.fail("schema", t.Name.String(), err.Error(), "change the table, or exclude it")
		return false
	}
	allowed := map[string][]string{}
	apart := b.dialect.SessionColumns(t)
	for i := range losses {
		losses[i].Allowed = b.opts.Allowed.Allows(losses[i].Name, t.Name)
		b.loss(&losses[i])
		switch {
		case !losses[i].Allowed || losses[i].Column == "":
		case losses[i].Name == schema.SessionExpression:
			apart = append(apart, losses[i].Column)
		default:
			allowed[losses[i].Name] = append(allowed[losses[i].Name], losses[i].Column)
		}
	}
	// The source's key identifies rows on the target too. By the target's own definition it might be another index, for
	// instance where the source's is a hash.
	// A dialect that gives indexes other names has said which one it is.
	if index := t.KeyIndex(); index != nil && target.RowKey == "" {
		target.RowKey = index.Name
	}
	var late []schema.ForeignKey
	if b.dialect.LateForeignKeys() {
		late, target.ForeignKeys = target.ForeignKeys, nil
	}
	r, err := route.New(t, target, b.rules.Where(t.Name))
	if err != nil {
		b.fail("route", t.Name.String(), err.Error(), "change the filter, or exclude the table")
		return false
	}
	if _, err := canon.NewReading(&r.Source); err != nil {
		b.fail("type", t.Name.String(), err.Error(), "convert the column on the source, or exclude the table")
		return false
	}
	r.Apart = apart
	r.Allow(allowed)
	b.Routes = append(b.Routes, r)
	b.Steps = append(b.Steps, Step{Source: t, Target: target, Losses: losses, Late: late})
	return true
}

// movable returns whether this version can carry the table, and adds a finding for everything that it cannot.
func (b *builder) movable(t *schema.Table) bool {
	name := t.Name.String()
	switch t.Kind {
	case schema.View:
		b.leave(t, schema.ViewObject)
		return false
	case schema.Sequence:
		b.leave(t, schema.SequenceObject)
		return false
	case schema.SystemVersioned:
		b.fail("system_versioning", name, "keeps its history (system versioning): this version does not move that",
			"exclude it")
		return false
	case schema.BaseTable:
	}
	good := true
	if t.Engine != "" && t.Engine != "InnoDB" {
		b.fail("engine", name, "has engine "+t.Engine+", which has no transactions",
			"ALTER TABLE "+t.Name.String()+" ENGINE=InnoDB, or exclude it")
		good = false
	}
	// Each check runs, whatever the one before found: the user gets all findings at once.
	for _, check := range []func(*schema.Table) bool{b.understood, b.key, b.columns, b.foreignKeys} {
		good = check(t) && good
	}
	return good
}

// leave adds the finding for a view or sequence that stays behind, unless its kind moves at the cutover. A pattern may
// match some by chance, and they hold no rows, so that is a warning. One that is included by its own name is meant to
// move, so that fails.
func (b *builder) leave(t *schema.Table, kind schema.ObjectKind) {
	if slices.Contains(b.opts.Objects, kind.Group()) {
		return
	}
	level := db.Warn
	if b.rules.Named(t.Name) {
		level = db.Fail
	}
	b.add(level, string(kind), t.Name.String(), "is a "+string(kind)+" and stays behind",
		"add "+kind.Group()+" to cutover.objects, or exclude it and create it on the target by hand")
}

// understood refuses a table whose CREATE TABLE does not come out the same when it is written from what was read. A
// word that the parser passes over, such as an option of a newer server, would be lost on the target without notice.
func (b *builder) understood(t *schema.Table) bool {
	if b.opts.Proved {
		return true
	}
	differences := b.dialect.Regenerates(t)
	for _, difference := range differences {
		b.fail("definition", t.Name.String(), "is not understood as the source means it: "+difference,
			"report this with the output of SHOW CREATE TABLE "+t.Name.String()+", and exclude the table")
	}
	return len(differences) == 0
}

// key warns about tables without a key, whose equal rows can only be counted, and refuses WITHOUT OVERLAPS: there a new
// row displaces rows that overlap with it, not only one with equal values.
func (b *builder) key(t *schema.Table) bool {
	for _, index := range t.UniqueIndexes() {
		if index.WithoutOverlaps() {
			b.fail("key", t.Name.String()+"."+index.Name, "keeps periods apart (WITHOUT OVERLAPS), which this "+
				"version does not follow",
				"drop the index, or exclude the table")
			return false
		}
	}
	if t.Key() == nil {
		what := "has no primary key and no unique key over NOT NULL columns that tells its rows apart: it is copied " +
			"in one transaction"
		if !slices.ContainsFunc(t.Indexes, func(x schema.Index) bool {
			return x.Kind == schema.BTree && !x.Invisible
		}) {
			what += ", and without any index a change of a row costs a scan of the target's table"
		}
		b.add(db.Warn, "key", t.Name.String(), what, "add a key, or exclude the table, if it is large and its rows "+
			"are often updated or deleted")
	}
	return true
}

// columns refuses types that this version cannot carry exactly. An enum is written as its number in the log, so every
// label must be known to turn it into text.
func (b *builder) columns(t *schema.Table) bool {
	good := true
	for i := range t.Columns {
		c := &t.Columns[i]
		subject := t.Name.String() + "." + c.Name
		switch {
		case c.Type.Kind == schema.Other:
			b.fail("type", subject, "type "+c.Type.Text+" is not known to be carried exactly", "exclude the table")
			good = false
		case c.Type.Unclear:
			b.fail("type", subject, "the server cannot show every label of "+c.Type.Text+" as it is, so its values "+
				"cannot be read from the log",
				"rename the labels that show a question mark or another character than the one meant, or exclude "+
					"the table")
			good = false
		}
	}
	return good
}

// foreignKeys refuses references to tables that stay behind, which the target cannot hold. A parent of which only some
// rows move is a warning: whether the filters of parent and child fit, only the user knows.
func (b *builder) foreignKeys(t *schema.Table) bool {
	good := true
	for _, f := range t.ForeignKeys {
		if !b.moved[f.Parent] && (!b.opts.Dangling || !b.rules.Follows(f.Parent)) {
			b.fail("foreign_key", t.Name.String()+"."+f.Name, "references "+f.Parent.String()+", which is not moved",
				"include "+f.Parent.String()+", or drop the foreign key")
			good = false
		} else if b.rules.Where(f.Parent) != "" {
			b.add(db.Warn, "foreign_key", t.Name.String()+"."+f.Name, "references "+f.Parent.String()+
				", of which only some rows are moved",
				"make sure that the filter of "+t.Name.String()+" leaves out the rows that reference the others")
		}
	}
	return good
}
