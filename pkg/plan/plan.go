// Package plan works out what a move will do: which tables go where, how the target will hold them, and what stands in
// the way.
//
// Its one invariant: every table that the configuration includes is either in a route or in a finding that fails. It reads
// both ends' tables and changes nothing.
package plan

import (
	"context"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Plan is the outcome.
type Plan struct {
	Routes   []*route.Route
	Steps    []schema.Step // the same tables as Routes
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

// Build plans the move of every source table that the rules include.
func Build(ctx context.Context, source db.Reader, dialect schema.Dialect, rules *route.Rules) (*Plan, error) {
	tables, err := source.Tables(ctx, rules.Includes)
	if err != nil {
		return nil, fmt.Errorf("read the source's tables: %w", err)
	}
	b := &builder{dialect: dialect, rules: rules, moved: map[schema.Name]bool{}}
	for _, t := range tables {
		b.moved[t.Name] = t.Kind == schema.BaseTable
	}
	names := make([]schema.Name, 0, len(tables))
	for _, t := range tables {
		if !b.table(t) {
			continue
		}
		names = append(names, t.Name)
	}
	if err := rules.Collisions(names); err != nil {
		b.fail("routes", "", err.Error(), "give each table a target of its own in routes")
	}
	if len(tables) == 0 {
		b.fail("tables", "", "no table of the source is included", "look at tables.include: names are case-sensitive, as db.table; tables without GRANT SELECT for the account are not seen")
	}
	return &b.Plan, nil
}

type builder struct {
	Plan
	dialect schema.Dialect
	rules   *route.Rules
	moved   map[schema.Name]bool
}

func (b *builder) fail(check, subject, what, fix string) { b.add(db.Fail, check, subject, what, fix) }

func (b *builder) add(level db.Level, check, subject, what, fix string) {
	b.Findings = append(b.Findings, db.Finding{Check: check, End: "move", Level: level, Subject: subject, What: what, Fix: fix})
}

// table plans one table. It returns false when the thing is no table that can be moved.
func (b *builder) table(t *schema.Table) bool {
	if !b.movable(t) {
		return false
	}
	target, losses, err := b.dialect.Map(t, b.rules.Target(t.Name), b.rules.Target)
	if err != nil {
		b.fail("schema", t.Name.String(), err.Error(), "change the table, or exclude it")
		return false
	}
	for _, l := range losses {
		level, fix := db.Warn, ""
		if l.Fatal {
			level, fix = db.Fail, "change the table, or exclude it"
		}
		subject := t.Name.String()
		if l.Column != "" {
			subject += "." + l.Column
		}
		b.add(level, "loss:"+l.Name, subject, l.What, fix)
	}
	r, err := route.New(t, target, b.rules.Where(t.Name))
	if err != nil {
		b.fail("route", t.Name.String(), err.Error(), "change the filter, or exclude the table")
		return false
	}
	b.Routes = append(b.Routes, r)
	b.Steps = append(b.Steps, schema.Step{Source: t, Target: target, Losses: losses})
	return true
}

// movable finds what this version cannot carry.
func (b *builder) movable(t *schema.Table) bool {
	name := t.Name.String()
	switch t.Kind {
	case schema.View:
		// A pattern may well match views, which hold no rows; a view named by itself is meant to be moved.
		level := db.Warn
		if b.rules.Named(t.Name) {
			level = db.Fail
		}
		b.add(level, "view", name, "is a view: this version does not move views", "exclude it, and create it on the target by hand")
		return false
	case schema.Sequence:
		b.fail("sequence", name, "is a sequence: this version does not move sequences", "exclude it, and create it on the target by hand")
		return false
	case schema.SystemVersioned:
		b.fail("system_versioning", name, "keeps its history (system versioning): this version does not move that", "exclude it")
		return false
	case schema.BaseTable:
	}
	good := true
	if t.Engine != "" && t.Engine != "InnoDB" {
		b.fail("engine", name, "has engine "+t.Engine+", which has no transactions", "ALTER TABLE "+t.Name.Quoted()+" ENGINE=InnoDB, or exclude it")
		good = false
	}
	for _, check := range []func(*schema.Table) bool{b.key, b.columns, b.foreignKeys} { // all of them: findings come at once
		good = check(t) && good
	}
	return good
}

// key refuses tables whose rows cannot be told apart, and key types whose order this version cannot follow.
func (b *builder) key(t *schema.Table) bool {
	key := t.Key()
	if key == nil {
		b.fail("key", t.Name.String(), "has no primary key and no unique key over NOT NULL columns", "add one, or exclude the table")
		return false
	}
	for _, at := range key {
		c := &t.Columns[at]
		switch c.Type.Kind {
		case schema.Integer, schema.Decimal, schema.Double, schema.Char, schema.Varchar, schema.Binary, schema.Varbinary,
			schema.Date, schema.Time, schema.Datetime, schema.Timestamp, schema.Year:
		default:
			b.fail("key", t.Name.String()+"."+c.Name, "a key of type "+c.Type.Text+" comes in a later version", "exclude the table")
			return false
		}
	}
	return true
}

// columns refuses types that this version cannot carry exactly.
func (b *builder) columns(t *schema.Table) bool {
	good := true
	for i := range t.Columns {
		c := &t.Columns[i]
		subject := t.Name.String() + "." + c.Name
		switch c.Type.Kind {
		case schema.Other, schema.Vector:
			b.fail("type", subject, "type "+c.Type.Text+" comes in a later version", "exclude the table")
			good = false
		case schema.Enum, schema.Set:
			switch c.Type.Charset {
			case "utf8mb4", "utf8mb3", "latin1", "ascii", "binary":
			default:
				b.fail("type", subject, c.Type.Name+" in character set "+c.Type.Charset+" comes in a later version", "exclude the table")
				good = false
			}
		default:
		}
	}
	return good
}

// foreignKeys refuses references to tables that stay behind: the target could not hold them.
func (b *builder) foreignKeys(t *schema.Table) bool {
	good := true
	for _, f := range t.ForeignKeys {
		if !b.moved[f.Parent] {
			b.fail("foreign_key", t.Name.String()+"."+f.Name, "references "+f.Parent.String()+", which is not moved",
				"include "+f.Parent.String()+", or drop the foreign key")
			good = false
		} else if b.rules.Where(f.Parent) != "" {
			b.add(db.Warn, "foreign_key", t.Name.String()+"."+f.Name, "references "+f.Parent.String()+", of which only some rows are moved",
				"make sure that the filter of "+t.Name.String()+" leaves out the rows that reference the others")
		}
	}
	return good
}
