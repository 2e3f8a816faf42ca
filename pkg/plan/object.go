package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Objects is what becomes of views, triggers, routines, events and sequences.
type Objects struct {
	Plans []schema.ObjectPlan // the objects that move
	// Findings has at least one for each object, except for views and sequences that stay behind: servers list these
	// among the tables, so Build reports them.
	Findings []db.Finding
}

// ObjectOptions say which objects move, and whose they become.
type ObjectOptions struct {
	Groups  []string       // of schema.ObjectGroups
	Definer schema.Account // takes the place of every definer, unless zero
	Current bool           // no definer is written: the account that creates the object becomes it
}

// BuildObjects plans the move of the objects that the rules include: views, routines, events and sequences by their
// own names, triggers with the tables of the routes.
//
// All places are known before the first object is mapped: a view may select from another view that comes later in the
// list, under the name that this one will have.
func BuildObjects(ctx context.Context, source db.ObjectReader, dialect schema.Dialect, rules *route.Rules,
	routes []*route.Route, opts ObjectOptions,
) (*Objects, error) {
	found, err := source.Objects(ctx, rules.Includes)
	if err != nil {
		return nil, fmt.Errorf("read the source's objects: %w", err)
	}
	b := &objectBuilder{dialect: dialect, opts: opts, places: schema.Places{
		Tables: map[schema.Name]schema.Name{}, Homes: map[string]string{}, Definer: opts.Definer, Current: opts.Current,
	}, taken: map[string]string{}}
	tables := make([]*schema.Table, len(routes))
	for i, r := range routes {
		tables[i] = r.Source.Table
		b.places.Tables[r.Source.Name()] = r.Target.Name()
		b.places.Homes[r.Source.Name().Database] = rules.Home(r.Source.Name().Database)
	}
	b.dialect = schema.Surveyed(dialect, tables, rules.Target)
	for _, o := range found {
		b.places.Homes[o.Name.Database] = rules.Home(o.Name.Database)
		if b.asked(o) && (o.Kind == schema.ViewObject || o.Kind == schema.SequenceObject) {
			b.places.Tables[o.Name] = rules.Target(o.Name)
		}
	}
	for _, o := range found {
		if _, moved := b.places.Tables[o.Table]; moved || o.Kind != schema.TriggerObject {
			b.object(o)
		}
	}
	return &b.Objects, nil
}

type objectBuilder struct {
	Objects
	dialect schema.Dialect
	opts    ObjectOptions
	places  schema.Places
	taken   map[string]string // target kind and name -> source
}

// asked returns whether objects of that kind are to move.
func (b *objectBuilder) asked(o *schema.Object) bool {
	return slices.Contains(b.opts.Groups, o.Kind.Group())
}

func (b *objectBuilder) add(level db.Level, o *schema.Object, what, fix string) {
	b.Findings = append(b.Findings, db.Finding{
		Check: string(o.Kind), End: "move", Level: level,
		Subject: o.Name.String(), What: what, Fix: fix,
	})
}

// object plans one object, or finds why it cannot be moved. All remarks are collected, so that the user sees every
// reason at once.
func (b *objectBuilder) object(o *schema.Object) {
	if !b.asked(o) {
		if o.Kind != schema.ViewObject && o.Kind != schema.SequenceObject {
			b.add(db.Warn, o, "stays behind", "add "+o.Kind.Group()+" to cutover.objects, or create it on the target "+
				"by hand")
		}
		return
	}
	target, remarks := b.dialect.MapObject(o, b.places)
	level, fatal, notes, fixes := db.OK, []string(nil), []string(nil), []string(nil)
	for _, r := range remarks {
		if r.Fix != "" && !slices.Contains(fixes, r.Fix) {
			fixes = append(fixes, r.Fix)
		}
		if r.Fatal {
			fatal = append(fatal, r.What)
		} else if !slices.Contains(notes, r.What) {
			level, notes = db.Warn, append(notes, r.What)
		}
	}
	if fatal != nil {
		b.add(db.Fail, o, "cannot be moved: "+strings.Join(fatal, "; "), strings.Join(fixes, "; "))
		return
	}
	name := string(target.Kind) + " " + target.Name.String()
	// A sequence shares its namespace with tables and views, unlike a routine or an event.
	if target.Kind == schema.SequenceObject {
		name = string(schema.ViewObject) + " " + target.Name.String()
	}
	if other := b.taken[name]; other != "" {
		b.add(db.Fail, o, "cannot be moved: "+other+" goes to "+target.Name.String()+" too",
			"give each a name of its own in routes")
		return
	}
	b.taken[name] = o.String()
	b.Plans = append(b.Plans, schema.ObjectPlan{Source: o, Target: target})
	b.add(level, o, strings.Join(append([]string{"will be " + target.Name.String() + owned(target)}, notes...), "; "),
		strings.Join(fixes, "; "))
}

// owned ends a finding: whose the object will be. A view of another definer reads with that account's rights.
func owned(o *schema.Object) string {
	switch {
	case o.Kind == schema.SequenceObject:
		return " on the target"
	case o.Definer.IsZero():
		return " on the target, owned by the account of this move"
	default:
		return " on the target, owned by " + o.Definer.String()
	}
}
