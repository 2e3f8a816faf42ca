package move

import (
	"context"
	"fmt"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// disarm drops the triggers of the move's tables on the source and disables its events. They fired where the rows
// were written, and their effects come back as rows: fired here too, they would count twice. Example: a trigger that
// adds a line to audit_log; the line is in the target's log already.
//
// How to make them again is recorded before the first is dropped. A crash in between leaves triggers that are recorded
// and still there; the next run drops them. The other order would lose a trigger for good.
func (b *back) disarm(ctx context.Context) error {
	ledger, dialect := b.m.target.Ledger(), b.m.target.Dialect()
	fact, err := db.ReadObjects(ctx, ledger)
	if err != nil {
		return err
	}
	armed, err := b.armed(ctx)
	if err != nil || len(armed) == 0 {
		return err
	}
	for _, o := range armed {
		name := db.ObjectName{Kind: o.Kind, Name: o.Name}
		if slices.ContainsFunc(fact.Late, func(l db.LateObject) bool { return l.ObjectName == name }) {
			continue // recorded by a run that was interrupted
		}
		late := db.LateObject{
			ObjectName: name, Session: o.Session, OneTime: o.OneTime, Statement: []byte(dialect.EnableEvent(o)),
		}
		if o.Kind == schema.TriggerObject {
			late.Statement = []byte(dialect.CreateObject(o))
			// Tried now: the trigger is made again after the cutover back has passed its point of no return, when
			// nothing can be refused any more.
			if err := b.m.target.TryTrigger(ctx, o); err != nil {
				return fmt.Errorf("%w: %s could not be made again when you go back: %w", ErrRefused, o, err)
			}
		}
		fact.Late = append(fact.Late, late)
	}
	if err := fact.Put(ctx, ledger); err != nil {
		return err
	}
	for _, o := range armed {
		statement := dialect.DisableEvent(o)
		if o.Kind == schema.TriggerObject {
			statement = dialect.DropObject(o)
		}
		b.m.log.Info().Stringer("object", o).Str("statement", statement).
			Msg("taken away from the source until you have gone back")
		if err := b.m.target.Execute(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// armed returns the source's triggers of the move's tables, and the enabled events of their databases. Which tables an
// event writes to cannot be told from its definition, so all of these databases count. ErrRefused: one of them cannot
// be read, so it could not be made again.
func (b *back) armed(ctx context.Context) (armed []*schema.Object, err error) {
	tables, databases := map[schema.Name]bool{}, map[string]bool{}
	for _, r := range b.m.plan.Routes {
		tables[r.Target.Name()], databases[r.Target.Name().Database] = true, true
	}
	found, err := b.m.target.Objects(ctx, func(n schema.Name) bool { return databases[n.Database] })
	if err != nil {
		return nil, fmt.Errorf("look for triggers and events on the source: %w", err)
	}
	for _, o := range found {
		switch {
		case o.Kind == schema.TriggerObject && tables[o.Table], o.Kind == schema.EventObject && o.Enabled:
		default:
			continue
		}
		if o.Hidden != "" {
			return nil, fmt.Errorf("%w: %s on the source cannot be read (%s), so it could not be made again when you "+
				"go back",
				ErrRefused, o, o.Hidden)
		}
		armed = append(armed, o)
	}
	return armed, nil
}
