package db

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"wherry/pkg/schema"
)

// ObjectReader lists what a server has besides tables.
type ObjectReader interface {
	// Objects returns every view, trigger, routine, event and sequence whose name matches, without those of system
	// databases; of a trigger the table's name is asked for. Objects of a kind are in name order, triggers of one
	// table, time and event in the order in which they fire. What is not shown for want of a privilege is Hidden, or
	// missing: see Check.
	Objects(ctx context.Context, match func(schema.Name) bool) ([]*schema.Object, error)
	// TryView asks for a view in a session that has the server's own settings, as an application would. With read it
	// also reads one row, unless that takes more than some seconds; without, no function that the view calls is run.
	// Nothing is written.
	TryView(ctx context.Context, view schema.Name, read bool) error
}

// ObjectWriter makes objects.
type ObjectWriter interface {
	// ExecuteIn is Execute in a session of the given settings; empty ones are as for Execute.
	ExecuteIn(ctx context.Context, in schema.Session, statement string) error
	// TryTrigger makes the trigger on an empty copy of its table, in the bookkeeping's database, and drops both: its
	// own table is not touched. The error says why it could not be made.
	TryTrigger(ctx context.Context, o *schema.Object) error
}

// Objects is the fact FactObjects: what the cutover makes besides tables.
type Objects struct {
	// Made are the objects that this move made before the takeover, or was about to make: no triggers. No others of
	// their names were there before.
	Made []ObjectName
	// Late is what is done once the target has taken over.
	Late []LateObject
	// Tables get something then.
	Tables []LateTable `json:",omitempty"`
}

// LateTable is what a table of the target gets once it has taken over.
type LateTable struct {
	Table    schema.Name
	Keys     []schema.ForeignKey // see schema.Dialect.LateForeignKeys
	Triggers []string            // see schema.Dialect.Triggers
}

// ObjectName is which object is meant.
type ObjectName struct {
	Kind schema.ObjectKind
	Name schema.Name
}

// LateObject is a trigger to make, or an event to enable.
type LateObject struct {
	ObjectName
	Session   schema.Session
	Statement []byte // in the session's character set
	OneTime   bool   // an event that fires once: its time may have come
}

// ReadObjects returns the fact, zero when there is none.
func ReadObjects(ctx context.Context, l Ledger) (o Objects, err error) {
	text, err := l.Get(ctx, FactObjects)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &o)
	}
	if err != nil {
		return o, fmt.Errorf("read fact %s: %w", FactObjects, err)
	}
	return o, nil
}

// Put records the fact.
func (o Objects) Put(ctx context.Context, l Ledger) error {
	text, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("record fact %s: %w", FactObjects, err)
	}
	return l.Put(ctx, FactObjects, string(text))
}

// Has tells whether the move made the object.
func (o Objects) Has(name ObjectName) bool { return slices.Contains(o.Made, name) }

// makingOrder puts those kinds first that others need: a view may read sequences and call functions. Routines and
// events may come in any order, because servers do not check the names in their texts until they run.
var makingOrder = []schema.ObjectKind{
	schema.SequenceObject, schema.Function, schema.Procedure, schema.ViewObject,
	schema.EventObject, schema.TriggerObject,
}

// MakeInOrder calls build for every object, those first that others may need. Views may read each other: those that
// cannot be made yet are tried again while others succeed. It returns the plans that could not be made, with their
// last errors; err is one after which it went no further: the context's, or one that is transient.
func MakeInOrder(ctx context.Context, plans []schema.ObjectPlan,
	build func(schema.ObjectPlan) error,
) (left []schema.ObjectPlan, failed []error, err error) {
	for _, kind := range makingOrder {
		var waiting []schema.ObjectPlan
		for _, p := range plans {
			if p.Target.Kind == kind {
				waiting = append(waiting, p)
			}
		}
		for len(waiting) > 0 {
			var again []schema.ObjectPlan
			var why []error
			for _, p := range waiting {
				if err := build(p); ctx.Err() != nil {
					return nil, nil, context.Cause(ctx)
				} else if transient(err) {
					return nil, nil, fmt.Errorf("make %s on the target: %w", p.Target, err)
				} else if err != nil {
					again, why = append(again, p), append(why, err)
				}
			}
			if len(again) == len(waiting) {
				left, failed = append(left, again...), append(failed, why...)
				break
			}
			waiting = again
		}
	}
	return left, failed, nil
}

// ObjectConflicts says in words what on the target is in the way of objects to be made: objects and tables of their
// names, and triggers on tables that are to get some (they would fire twice). What this move made itself is no
// conflict.
func ObjectConflicts(ctx context.Context, target Target, plans []schema.ObjectPlan) ([]string, error) {
	if len(plans) == 0 {
		return nil, nil
	}
	made, err := ReadObjects(ctx, target.Ledger())
	if err != nil {
		return nil, err
	}
	planned, named := map[ObjectName]bool{}, map[schema.Name]bool{}
	for _, p := range plans {
		planned[ObjectName{p.Target.Kind, p.Target.Name}], named[p.Target.Name], named[p.Target.Table] =
			true, true, true
	}
	found, err := target.Objects(ctx, func(n schema.Name) bool { return named[n] })
	if err != nil {
		return nil, err
	}
	var reasons []string
	for _, o := range found {
		name := ObjectName{o.Kind, o.Name}
		switch {
		case made.Has(name):
		case o.Kind == schema.TriggerObject:
			reasons = append(reasons, fmt.Sprintf("%s of %s is on the target, and this move did not make it", o,
				o.Table))
		case planned[name]:
			reasons = append(reasons, fmt.Sprintf("%s is on the target, and this move did not make it", o))
		}
	}
	tables, err := target.Tables(ctx, func(n schema.Name) bool {
		return planned[ObjectName{schema.ViewObject, n}] || planned[ObjectName{schema.SequenceObject, n}]
	})
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		if t.Kind.HoldsRows() {
			reasons = append(reasons, fmt.Sprintf("%s is a table on the target", t.Name))
		}
	}
	return reasons, nil
}
