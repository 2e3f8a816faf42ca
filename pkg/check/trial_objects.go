package check

import (
	"context"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// tryObjects makes views, routines, events, sequences and triggers in the scratch databases, and reads each view as an
// application would. An event is made disabled, and nothing that is made is run.
func (t *Trial) tryObjects(ctx context.Context) error {
	places := t.places()
	calls := t.callers()
	left, failed, err := db.MakeInOrder(ctx, t.objects, func(p schema.ObjectPlan) error {
		return t.makeObject(ctx, p, places, calls)
	})
	if err != nil {
		return err
	}
	for i, p := range left {
		t.broken[p.Target.Name] = true
		if !t.blameless(p) {
			t.add(db.Fail, p.Source.String(), "the target refuses it: "+t.said(failed[i]),
				"change it on the source, or exclude it")
		}
	}
	return nil
}

// places maps the target's names to those in the scratch databases, for texts that name tables, views and sequences.
func (t *Trial) places() schema.Places {
	places := schema.Places{Tables: map[schema.Name]schema.Name{}, Homes: map[string]string{}}
	for _, d := range t.plan().Databases {
		places.Homes[d.Name] = t.scratch.Database(d.Name)
	}
	moved := func(n schema.Name) {
		places.Tables[n] = schema.Name{Database: places.Homes[n.Database], Table: n.Table}
	}
	for _, s := range t.steps {
		moved(s.Target.Name)
	}
	for _, p := range t.objects {
		if p.Target.Kind == schema.ViewObject || p.Target.Kind == schema.SequenceObject {
			moved(p.Target.Name)
		}
	}
	return places
}

// callers are the views that call functions of the move, directly or through other views. They are made and not read:
// the texts of functions name the target's own tables, which may not be there yet, and reading the view would run them.
func (t *Trial) callers() map[schema.Name]bool {
	callers := map[schema.Name]bool{}
	mentions := func(text string, kind schema.ObjectKind) bool {
		for _, p := range t.objects {
			if p.Target.Kind == kind && (kind == schema.Function || callers[p.Target.Name]) &&
				schema.Mentions(text, p.Target.Name.Table) {
				return true
			}
		}
		return false
	}
	// Until nothing is added: a view may call a function through a view that comes later in the list.
	for before := -1; before < len(callers); {
		before = len(callers)
		for _, p := range t.objects {
			if p.Target.Kind == schema.ViewObject && (mentions(p.Target.Body, schema.Function) ||
				mentions(p.Target.Body, schema.ViewObject)) {
				callers[p.Target.Name] = true
			}
		}
	}
	return callers
}

// blameless tells that an object was refused because it names something that was refused itself. Only the first cause
// is reported.
func (t *Trial) blameless(p schema.ObjectPlan) bool {
	for name := range t.broken {
		if name == p.Target.Table || name != p.Target.Name && p.Target.Kind == schema.ViewObject &&
			schema.Mentions(p.Target.Body, name.Table) {
			return true
		}
	}
	return false
}

// makeObject makes one object. A server resolves the names in a view when it is made, so they are mapped to the scratch
// databases there. The texts of routines, triggers and events are only parsed.
func (t *Trial) makeObject(ctx context.Context, p schema.ObjectPlan, places schema.Places,
	calls map[schema.Name]bool,
) error {
	o, dialect := *p.Target, t.target.Dialect()
	// Without a definer: that account may have no rights in a scratch database. Whether it exists is another check.
	o.Definer = schema.Account{}
	if o.Kind == schema.ViewObject {
		mapped, remarks := dialect.MapObject(p.Target, places)
		for _, r := range remarks {
			if r.Fatal {
				t.add(db.OK, p.Source.String(), "is not tried before the cutover: "+r.What, "")
				return nil
			}
		}
		o = *mapped.Invoker()
	} else {
		o.Name.Database = places.Homes[o.Name.Database]
		o.Table.Database = places.Homes[o.Table.Database]
		if home := places.Homes[o.Session.Database]; home != "" {
			o.Session.Database = home
		}
	}
	if err := t.scratch.ExecuteIn(ctx, o.Session, dialect.CreateObject(&o)); err != nil {
		return err
	}
	if o.Kind != schema.ViewObject || calls[p.Target.Name] {
		return nil
	}
	return t.ask(ctx, p, &o)
}

// ask reads a view that was made, with the server's own sql_mode, as an application would. One that cannot be read on
// the source either is a warning only.
func (t *Trial) ask(ctx context.Context, p schema.ObjectPlan, o *schema.Object) error {
	said, err := t.judge(ctx, t.target.TryView(ctx, o.Name, false))
	if err != nil || said == "" {
		return err
	}
	t.broken[p.Target.Name] = true
	same, err := t.judge(ctx, t.source.TryView(ctx, p.Source.Name, false))
	switch {
	case err != nil:
		return err
	case same != "":
		t.add(db.Warn, p.Source.String(), "cannot be read, neither on the source nor on the target: "+said,
			"change it on the source, or exclude it")
	default:
		t.add(db.Fail, p.Source.String(), "cannot be read on the target with the server's own sql_mode, by which "+
			"applications read it: "+said,
			"change it on the source, give the target the source's sql_mode (SET GLOBAL and in its configuration), "+
				"or exclude it")
	}
	return nil
}
