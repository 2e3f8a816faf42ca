package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/verify"
)

// While rows are copied the target may have some that are newer than what is replayed. What the log does not tell of them, or tells too late,
// is noted in the target's bookkeeping, and those tables are compared once at the end of init-copy.

// unseenCascades records that foreign keys changed rows while they were copied, which the log does not show.
func (s *session) unseenCascades(ctx context.Context) error {
	at, err := s.applied(ctx)
	if err != nil {
		return err
	}
	return s.target.Ledger().Put(ctx, db.FactCascades, at.String())
}

// displaced records that rows of a table give way. They may while they are being copied, and newer than the log: of another table they are
// the source's.
func (s *session) displaced(ctx context.Context, r *route.Route) (bool, error) {
	s.noting.Lock()
	defer s.noting.Unlock()
	records, err := s.target.Ledger().Records(ctx)
	if err != nil {
		return false, err
	}
	if !slices.ContainsFunc(records, func(x db.Record) bool { return x.Source == r.Source.Name() && x.Copy }) {
		return false, nil
	}
	names, err := s.displacedTables(ctx)
	if err != nil || slices.Contains(names, r.Source.Name().String()) {
		return err == nil, err
	}
	list, err := json.Marshal(append(names, r.Source.Name().String()))
	if err != nil {
		return false, err
	}
	return true, s.target.Ledger().Put(ctx, db.FactDisplaced, string(list))
}

func (s *session) displacedTables(ctx context.Context) (names []string, err error) {
	list, err := s.target.Ledger().Get(ctx, db.FactDisplaced)
	if err != nil || list == "" {
		return nil, err
	}
	if err := json.Unmarshal([]byte(list), &names); err != nil {
		return nil, fmt.Errorf("read fact %s on the target: %w", db.FactDisplaced, err)
	}
	return names, nil
}

// settle compares the tables that the log does not tell all of, see copy.Options.
func (s *session) settle(ctx context.Context, routes []*route.Route, replay func(context.Context, db.Position) error) (db.Position, error) {
	names, err := s.displacedTables(ctx)
	if err != nil {
		return "", err
	}
	displaced := func(r *route.Route) bool { return slices.Contains(names, r.Source.Name().String()) }
	return verify.Settle(ctx, s.source, s.target, route.NewCascades(routes), routes, displaced, replay, s.log)
}

// settled refuses to follow a target on which a copy has not compared what the log does not tell.
func (s *session) settled(ctx context.Context) error {
	for _, name := range []string{db.FactCascades, db.FactDisplaced} {
		value, err := s.target.Ledger().Get(ctx, name)
		if err != nil {
			return err
		}
		if value != "" {
			return fmt.Errorf("rows changed while they were copied in a way that the log does not tell, which is not followed up yet: run init-copy again: %w", db.ErrUnsupported)
		}
	}
	return nil
}
