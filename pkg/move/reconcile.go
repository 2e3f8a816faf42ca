package move

import (
	"context"
	"fmt"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/verify"
)

// While rows are copied, the target may have rows that are newer than the part of the log that is replayed. Some of
// what happens to them the log does not tell, or tells too late. Then the table is noted in the ledger, and
// init-copy compares it once at its end. Example: a foreign key deletes children on MariaDB, which does not log
// that; a chunk that was read before still has them.

// unseenCascades notes that foreign keys changed rows while rows were copied. The log does not show such changes.
func (m *Move) unseenCascades(ctx context.Context) error {
	at, err := m.applied(ctx)
	if err != nil {
		return err
	}
	return m.target.Ledger().Put(ctx, db.FactCascades, at.String())
}

// displaced notes that a row of a table gave way to another one with the same unique value, and tells whether it was
// allowed to. It is while the table is copied: then the row may be newer than the log. In any other table it is a
// row of the source, and must stay.
func (m *Move) displaced(ctx context.Context, r *route.Route) (bool, error) {
	m.noting.Lock()
	defer m.noting.Unlock()
	records, err := m.target.Ledger().Records(ctx)
	if err != nil {
		return false, err
	}
	if !slices.ContainsFunc(records, func(x db.Record) bool { return x.Source == r.Source.Name() && x.Copy }) {
		return false, nil
	}
	names, err := db.ReadNames(ctx, m.target.Ledger(), db.FactDisplaced)
	if err != nil || slices.Contains(names, r.Source.Name().String()) {
		return err == nil, err
	}
	names = append(names, r.Source.Name().String())
	return true, db.PutNames(ctx, m.target.Ledger(), db.FactDisplaced, names)
}

// reconcile compares the tables that were noted, see copy.Options.
func (m *Move) reconcile(
	ctx context.Context, routes []*route.Route, replay func(context.Context, db.Position) error,
) (db.Position, error) {
	names, err := db.ReadNames(ctx, m.target.Ledger(), db.FactDisplaced)
	if err != nil {
		return "", err
	}
	displaced := func(r *route.Route) bool { return slices.Contains(names, r.Source.Name().String()) }
	return verify.Reconcile(ctx, m.source, m.target, route.NewCascades(routes), routes, displaced, replay, m.log)
}

// reconciled refuses to follow a target whose noted tables were not compared yet.
func (m *Move) reconciled(ctx context.Context) error {
	for _, name := range []string{db.FactCascades, db.FactDisplaced} {
		value, err := m.target.Ledger().Get(ctx, name)
		if err != nil {
			return err
		}
		if value != "" {
			return fmt.Errorf("rows changed while they were copied in a way that the log does not tell, which is not "+
				"followed "+
				"up yet: run init-copy again: %w", db.ErrUnsupported)
		}
	}
	return nil
}
