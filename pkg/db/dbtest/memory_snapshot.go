package dbtest

import (
	"context"
	"fmt"
	"maps"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// snapshot is the tables as they were at an instant. It holds nothing up: writers and schema changes go on.
type snapshot struct {
	s          *Server
	generation int
	tables     map[schema.Name]*table
	pos        db.Position
	closed     bool
}

// Snapshot returns a view of all tables at the end of the log, exact in any case: both are read with the lock held.
func (s *source) Snapshot(ctx context.Context, _ ...*route.Relation) (db.Snapshot, error) {
	return s.s.snapshot(ctx, func() db.Position { return position(s.s.head()) })
}

// Snapshot returns a view of all tables at the move's position.
func (t *target) Snapshot(ctx context.Context) (db.Snapshot, error) {
	return t.s.snapshot(ctx, func() db.Position {
		b := t.s.ledgers[t.move]
		switch {
		case b == nil:
			return ""
		case b.sealed():
			return db.Position(b.facts[db.FactFinal])
		default:
			return db.Position(b.facts[db.FactPosition])
		}
	})
}

// snapshot freezes all tables. Only the maps are copied: records never change, so both share them.
func (s *Server) snapshot(ctx context.Context, position func() db.Position) (db.Snapshot, error) {
	if err := s.enter(ctx, "snapshot"); err != nil {
		return nil, fmt.Errorf("open a snapshot: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	frozen := make(map[schema.Name]*table, len(s.tables))
	for name, t := range s.tables {
		frozen[name] = &table{family: t.family, def: t.def, key: t.key, rows: maps.Clone(t.rows)}
	}
	return &snapshot{s: s, generation: s.generation, tables: frozen, pos: position()}, nil
}

// Position returns the position of the instant.
func (v *snapshot) Position() db.Position { return v.pos }

// Rows streams the rows of a range as they were.
func (v *snapshot) Rows(ctx context.Context, rel *route.Relation, rng db.Range) (db.Rows, error) {
	return reader{v.s}.open(ctx, "rows", rel, func() ([]db.Row, error) { return v.rows(rel, rng) })
}

// Bound returns the key n rows after the given one, as it was.
func (v *snapshot) Bound(ctx context.Context, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	if err := v.s.enter(ctx, "bound"); err != nil {
		return nil, fmt.Errorf("find chunk bound of %s: %w", rel.Name(), err)
	}
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	if err := v.usable(rel); err != nil {
		return nil, err
	}
	return bound(v.tables, rel, after, n)
}

// Fetch streams the rows that had one of the keys.
func (v *snapshot) Fetch(ctx context.Context, rel *route.Relation, keys []db.Row) (db.Rows, error) {
	return reader{v.s}.open(ctx, "fetch", rel, func() ([]db.Row, error) {
		if err := v.usable(rel); err != nil {
			return nil, err
		}
		return selectKeys(v.tables, rel, keys)
	})
}

// Sum returns the checksum of a range as it was.
func (v *snapshot) Sum(ctx context.Context, rel *route.Relation, rng db.Range) (db.Sum, error) {
	rows, err := reader{v.s}.open(ctx, "sum", rel, func() ([]db.Row, error) { return v.rows(rel, rng) })
	if err != nil {
		return db.Sum{}, err
	}
	return db.SumRows(rows)
}

func (v *snapshot) rows(rel *route.Relation, rng db.Range) ([]db.Row, error) {
	if err := v.usable(rel); err != nil {
		return nil, err
	}
	return selectRange(v.tables, rel, rng)
}

// usable refuses a snapshot that is closed or whose connection is lost. s.mu is held.
func (v *snapshot) usable(rel *route.Relation) error {
	if err := v.s.alive(v.generation); err != nil {
		return err
	}
	if v.closed {
		return fmt.Errorf("read rows of %s: the snapshot is closed", rel.Name())
	}
	return nil
}

// Close ends the view.
func (v *snapshot) Close() error {
	v.closed = true
	return nil
}
