package cutover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// Views, routines, sequences and events (disabled) are made on the target before writes are stopped: nothing uses them
// there, so they do no harm if the cutover is undone, and the next run makes them anew.
//
// A trigger is different: while anybody may still apply changes, its effects would come twice, as rows of the log and
// by itself. Before the seal that cannot be ruled out, not even when all is drained: a fence may end with a killed
// process, writes go on, and a start-replica on another host applies them. After the seal nothing can be applied any
// more. So triggers are made, and events enabled, right after the seal and before the switch. At that point nothing can
// be undone, so that it will succeed is proved before, by making each trigger on a copy of its table. The statements
// are recorded on the target before the seal: the source may be lost after it.

// findObjects is the gate that plans the objects, and refuses when others are in their places.
func (c *Cutover) findObjects(ctx context.Context) (err error) {
	if c.opts.Objects == nil {
		return nil
	}
	if c.plans, err = c.opts.Objects(ctx); err != nil {
		return err
	}
	reasons, err := c.opts.Conflicts(ctx, c.plans)
	if err != nil {
		return err
	}
	var broken []error
	for _, r := range reasons {
		broken = append(broken, fmt.Errorf("%s: drop it, or exclude the source's", r))
	}
	return errors.Join(broken...)
}

// makeObjects makes what can be made before writes are stopped, and proves that the rest can be made later.
func (c *Cutover) makeObjects(ctx context.Context) error {
	if c.opts.Objects == nil {
		return nil
	}
	ledger := c.target.Ledger()
	before, err := db.ReadObjects(ctx, ledger)
	tables := c.lateTables()
	if err != nil || len(c.plans)+len(before.Made)+len(tables)+len(before.Tables) == 0 {
		return err
	}
	if len(c.plans) > 0 {
		c.observe(StepObjects, fmt.Sprintf("%d besides tables", len(c.plans)))
	}
	fact := c.late()
	fact.Tables = tables
	for _, p := range c.plans {
		// Not triggers: this move makes none before the takeover, so one that is found is somebody else's.
		if p.Target.Kind != schema.TriggerObject {
			fact.Made = append(fact.Made, name(p.Target))
		}
	}
	planned := len(fact.Made)
	for _, m := range before.Made {
		if !slices.Contains(fact.Made, m) {
			fact.Made = append(fact.Made, m)
		}
	}
	// Before the first is made: after a crash, what is found under these names is known to be this move's.
	if err := fact.Put(ctx, ledger); err != nil {
		return err
	}
	for _, gone := range fact.Made[planned:] { // made by an earlier run, and no longer on the source
		if err := c.target.Execute(ctx, c.target.Dialect().DropObject(&schema.Object{
			Kind: gone.Kind,
			Name: gone.Name,
		})); err != nil {
			return fmt.Errorf("drop %s %s: %w", gone.Kind, gone.Name, err)
		}
	}
	if err := c.makeAll(ctx, before); err != nil {
		return err
	}
	if err := c.proveObjects(ctx); err != nil {
		return err
	}
	if err := c.readViews(ctx); err != nil {
		return err
	}
	fact.Made = fact.Made[:planned]
	return fact.Put(ctx, ledger)
}

func name(o *schema.Object) db.ObjectName { return db.ObjectName{Kind: o.Kind, Name: o.Name} }

// late returns the statements for after the takeover: triggers to make, and events to enable that were enabled on the
// source.
func (c *Cutover) late() (fact db.Objects) {
	for _, p := range c.plans {
		o := p.Target
		later := db.LateObject{ObjectName: name(o), Session: o.Session, OneTime: o.OneTime}
		switch {
		case o.Kind == schema.TriggerObject:
			later.Statement = []byte(c.target.Dialect().CreateObject(o))
		case o.Kind == schema.EventObject && p.Source.Enabled:
			later.Statement = []byte(c.target.Dialect().EnableEvent(o))
		default:
			continue
		}
		fact.Late = append(fact.Late, later)
	}
	return fact
}

func (c *Cutover) makeAll(ctx context.Context, before db.Objects) error {
	left, failed, err := db.MakeInOrder(ctx, c.plans,
		func(p schema.ObjectPlan) error { return c.makeObject(ctx, p.Target, before.Has(name(p.Target))) })
	for i, p := range left {
		err = errors.Join(err, fmt.Errorf("%w: make %s on the target: %w", ErrRefused, p.Target, failed[i]))
	}
	return err
}

// makeObject makes one object, anew if an earlier run has made it (made). If an answer is lost, the object may exist or
// not, and the next try drops it first. The first try drops nothing that this move did not make: somebody else may have
// made one of that name since findObjects searched.
func (c *Cutover) makeObject(ctx context.Context, o *schema.Object, made bool) error {
	return retry(ctx, func() error {
		if o.Kind == schema.TriggerObject {
			return c.target.TryTrigger(ctx, o)
		}
		if made {
			if err := c.target.Execute(ctx, c.target.Dialect().DropObject(o)); err != nil {
				return err
			}
		}
		made = true
		return c.target.ExecuteIn(ctx, o.Session, c.target.Dialect().CreateObject(o))
	})
}

// made returns the target's objects that are planned or named, by kind and name.
func (c *Cutover) made(ctx context.Context, names []db.ObjectName) (map[db.ObjectName]*schema.Object, error) {
	found := map[db.ObjectName]*schema.Object{}
	databases := map[string]bool{}
	for _, n := range names {
		databases[n.Name.Database] = true
	}
	err := retry(ctx, func() error {
		clear(found)
		all, err := c.target.Objects(ctx, func(n schema.Name) bool { return databases[n.Database] })
		for _, o := range all {
			found[name(o)] = o
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read back the target's objects: %w", err)
	}
	return found, nil
}

// proveObjects reads back what was made: a view must have the source's columns.
func (c *Cutover) proveObjects(ctx context.Context) error {
	var names []db.ObjectName
	for _, p := range c.plans {
		names = append(names, name(p.Target))
	}
	found, err := c.made(ctx, names)
	if err != nil {
		return err
	}
	for _, p := range c.plans {
		got := found[name(p.Target)]
		switch {
		case p.Target.Kind == schema.TriggerObject:
		case got == nil:
			return fmt.Errorf("%w: read back %s: it is not on the target although it was made", ErrRefused, p.Target)
		case got.Hidden != "" && got.Kind == schema.ViewObject: // of others it is enough that they are there
			return fmt.Errorf("%w: read back %s: %s", ErrRefused, p.Target, got.Hidden)
		case charset(got.Session.DatabaseCollation) != charset(p.Target.Session.DatabaseCollation):
			return fmt.Errorf("%w: read back %s: its variables have the collation %s unless they say another, on "+
				"the source %s: ALTER DATABASE on the target",
				ErrRefused, p.Target, got.Session.DatabaseCollation, p.Target.Session.DatabaseCollation)
		case !slices.Equal(got.Columns, p.Source.Columns):
			return fmt.Errorf("%w: read back %s: it has the columns %q, on the source %q", ErrRefused, p.Target,
				got.Columns, p.Source.Columns)
		}
	}
	return nil
}

// readViews reads a row of every view as an application would, whose sessions have the server's own sql_mode. One that
// fails on the source too is as it was.
func (c *Cutover) readViews(ctx context.Context) error {
	var broken []error
	for _, p := range c.plans {
		if p.Target.Kind != schema.ViewObject {
			continue
		}
		failed, err := c.readView(ctx, p)
		if err != nil {
			return err
		}
		broken = append(broken, failed)
	}
	return errors.Join(broken...)
}

func (c *Cutover) readView(ctx context.Context, p schema.ObjectPlan) (failed, err error) {
	read := func(on tables, view schema.Name) error {
		return retry(ctx, func() error { return on.TryView(ctx, view, true) })
	}
	switch failed = read(c.target, p.Target.Name); {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case transient(failed):
		return nil, fmt.Errorf("read %s on the target: %w", p.Target, failed)
	case failed == nil:
		return nil, nil
	}
	switch same := read(c.source, p.Source.Name); {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case transient(same):
		return nil, fmt.Errorf("read %s on the source: %w", p.Source, same)
	case same != nil:
		c.opts.Log.Warn().Stringer("view", p.Source.Name).Err(failed).
			Msg("the view cannot be read, neither on the source nor on the target")
		return nil, nil
	}
	return fmt.Errorf("%w: %s cannot be read on the target with the server's own settings, by which applications "+
		"read it: %w: change it on the source, "+
		"give the target the source's sql_mode, or the view's definer there the rights that it needs, or exclude "+
		"the view", ErrRefused, p.Target, failed), nil
}

// charset is the character set that a collation's name begins with.
func charset(collation string) string {
	name, _, _ := strings.Cut(collation, "_")
	if name == "utf8" {
		return "utf8mb3"
	}
	return name
}

// confirmObjects makes sure, while writes are blocked, that the source's objects are still what was planned, and sets
// sequences to where the source's stopped. A fence stops writes of rows; CREATE VIEW by an administrator may come at
// any time.
func (c *Cutover) confirmObjects(ctx context.Context) error {
	if c.opts.Objects == nil {
		return nil
	}
	var now []schema.ObjectPlan
	err := retry(ctx, func() (err error) {
		now, err = c.opts.Objects(ctx)
		return err
	})
	if err != nil {
		return timely(ctx, fmt.Errorf("read the source's objects again: %w", err))
	}
	if len(now) != len(c.plans) {
		return errors.New("objects came or went on the source since the check: run the cutover again")
	}
	for i, p := range now {
		if !p.Source.Same(c.plans[i].Source) {
			return fmt.Errorf("%s was changed on the source since the check: run the cutover again", p.Source)
		}
		if p.Target.Kind != schema.SequenceObject {
			continue
		}
		set := c.target.Dialect().SetSequence(p.Target, p.Source.Next)
		if err := retry(ctx, func() error { return c.target.Execute(ctx, set) }); err != nil {
			return timely(ctx, fmt.Errorf("set %s on the target: %w", p.Target, err))
		}
	}
	return nil
}

// objects makes the triggers and enables the events. Nobody applies changes any more, and applications are not switched
// yet.
func (f *takeover) objects(ctx context.Context) error {
	if f.record.Step != StepSwitch {
		return nil
	}
	fact, err := db.ReadObjects(ctx, f.c.target.Ledger())
	if err != nil {
		return err
	}
	if err := f.completeTables(ctx, fact.Tables); err != nil || len(fact.Late) == 0 {
		return err
	}
	f.c.observe(StepObjects, "triggers and events")
	var names []db.ObjectName
	for _, l := range fact.Late {
		names = append(names, l.ObjectName)
	}
	return retry(ctx, func() error {
		found, err := f.c.made(ctx, names)
		if err != nil {
			return err
		}
		for _, l := range fact.Late { // those of an interrupted run are there
			if err := f.object(ctx, l, found[l.ObjectName]); err != nil {
				return fmt.Errorf("%s %s: %w", l.Kind, l.Name, err)
			}
		}
		return nil
	})
}

func (f *takeover) object(ctx context.Context, l db.LateObject, found *schema.Object) error {
	if l.Kind == schema.TriggerObject {
		if found != nil {
			return nil
		}
		return f.c.target.ExecuteIn(ctx, l.Session, string(l.Statement))
	}
	if found == nil {
		f.c.opts.Log.Warn().Stringer("event", l.Name).Msg("the event is not on the target any more")
		return nil
	}
	if found.Enabled {
		return nil
	}
	err := f.c.target.ExecuteIn(ctx, l.Session, string(l.Statement))
	if err != nil && l.OneTime && !errors.Is(err, db.ErrConnection) && !errors.Is(err, db.ErrRetry) {
		f.c.opts.Log.Error().Err(err).Stringer("event", l.Name).
			Msg("the event stays disabled: its time came while writes were blocked; look whether it has to be done " +
				"by hand")
		return nil
	}
	return err
}
