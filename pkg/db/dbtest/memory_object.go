package dbtest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// The statements about objects: a verb and the object in JSON.
const (
	createObject = "create object "
	dropObject   = "drop object "
	enableEvent  = "enable event "
	disableEvent = "disable event "
	setSequence  = "set sequence "
)

// CreateObject returns the statement that makes an object. Objects do nothing here: they are listed.
func CreateObject(o *schema.Object) string { return writeObject(createObject, o) }

// DropObject returns the statement that removes an object, if it is there.
func DropObject(o *schema.Object) string { return writeObject(dropObject, o) }

func writeObject(verb string, o *schema.Object) string {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err) // an object is plain data
	}
	return verb + string(text)
}

// MapObject gives the object and its table their names on the target. One in another language than the server's is
// fatal.
func (dialect) MapObject(source *schema.Object, places schema.Places) (*schema.Object, []schema.Remark) {
	o := *source
	o.Definition = ""
	switch o.Kind {
	case schema.ViewObject, schema.SequenceObject:
		o.Name = places.Tables[o.Name]
	case schema.TriggerObject:
		o.Table = places.Tables[o.Table]
		o.Name.Database = o.Table.Database
	case schema.Procedure, schema.Function, schema.Package, schema.EventObject:
		o.Name.Database = places.Homes[o.Name.Database]
	}
	if !places.Definer.IsZero() || places.Current {
		o.Definer = places.Definer
	}
	if o.Language != "" {
		return &o, []schema.Remark{{Fatal: true, What: "is written in " + o.Language, Fix: "create it by hand"}}
	}
	return &o, nil
}

// CreateObject returns the statement that makes an object, an event disabled: it must not fire before the takeover.
func (dialect) CreateObject(o *schema.Object) string {
	created := *o
	created.Enabled = created.Enabled && created.Kind != schema.EventObject
	return CreateObject(&created)
}

// DropObject returns the statement that removes an object.
func (dialect) DropObject(o *schema.Object) string { return DropObject(o) }

// DisableEvent returns the statement that disables an event.
func (dialect) DisableEvent(o *schema.Object) string { return writeObject(disableEvent, o) }

// EnableEvent returns the statement that enables an event.
func (dialect) EnableEvent(o *schema.Object) string { return writeObject(enableEvent, o) }

// SetSequence returns the statement that sets the next value of a sequence.
func (dialect) SetSequence(o *schema.Object, next string) string {
	set := *o
	set.Next = next
	return writeObject(setSequence, &set)
}

// objectKey identifies an object. Views and sequences share one space of names; with tables it is not checked.
func objectKey(o *schema.Object) string {
	kind := o.Kind
	if kind == schema.SequenceObject { // of one space of names
		kind = schema.ViewObject
	}
	return string(kind) + " " + o.Name.String()
}

// executeObject runs a statement about an object; false when it is about something else. Objects do nothing, but the
// rules that phases meet are kept: an object must not be there twice, and a trigger needs its table. s.mu is held.
func (s *Server) executeObject(statement string) (bool, error) {
	at := strings.IndexByte(statement, '{')
	verbs := []string{createObject, dropObject, enableEvent, disableEvent, setSequence}
	if at < 0 || !slices.Contains(verbs, statement[:at]) {
		return false, nil
	}
	var o schema.Object
	if err := json.Unmarshal([]byte(statement[at:]), &o); err != nil {
		return true, fmt.Errorf("cannot understand %.60q: %w", statement, err)
	}
	key := objectKey(&o)
	have := s.objects[key]
	switch verb := statement[:at]; {
	case verb == dropObject:
		delete(s.objects, key)
		return true, nil
	case verb == createObject && have != nil:
		return true, fmt.Errorf("%s exists", key)
	case verb == createObject && o.Kind == schema.TriggerObject && s.tables[o.Table] == nil:
		return true, fmt.Errorf("create %s: no table %s", key, o.Table)
	case verb != createObject && have == nil:
		return true, fmt.Errorf("no %s", key)
	case verb == enableEvent, verb == disableEvent:
		o = *have
		o.Enabled = verb == enableEvent
	case verb == setSequence:
		next := o.Next
		o = *have
		o.Next = next
	}
	if s.objects == nil {
		s.objects = map[string]*schema.Object{}
	}
	s.objects[key] = &o
	return true, nil
}

// Objects returns what CreateObject made. The definition leaves out what changes by itself, an event's state and a
// sequence's next value: two readings of one object are the same.
func (r reader) Objects(ctx context.Context, match func(schema.Name) bool) ([]*schema.Object, error) {
	if err := r.s.enter(ctx, "objects"); err != nil {
		return nil, fmt.Errorf("list objects: %w", err)
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var found []*schema.Object
	for _, o := range r.s.objects {
		name := o.Name
		if o.Kind == schema.TriggerObject {
			name = o.Table
		}
		if !match(name) {
			continue
		}
		listed := *o
		listed.Definition = ""
		bare := listed
		bare.Next, bare.Enabled = "", false
		listed.Definition = CreateObject(&bare)
		found = append(found, &listed)
	}
	slices.SortFunc(found, func(a, b *schema.Object) int {
		return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Name.String(),
			b.Name.String()))
	})
	return found, nil
}

// ExecuteIn runs one statement; sessions make no difference here.
func (t *target) ExecuteIn(ctx context.Context, _ schema.Session, statement string) error {
	return t.Execute(ctx, statement)
}

// TryTrigger fails if the trigger's table is not there: that is all that can be wrong with one here.
func (t *target) TryTrigger(ctx context.Context, o *schema.Object) error {
	if err := t.s.enter(ctx, "try_trigger"); err != nil {
		return fmt.Errorf("try %s: %w", o, err)
	}
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if t.s.tables[o.Table] == nil {
		return fmt.Errorf("try %s: no table %s", o, o.Table)
	}
	return nil
}

var _ db.ObjectWriter = (*target)(nil)
