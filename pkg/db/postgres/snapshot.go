package postgres

import (
	"context"
	"errors"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/route"
)

// snapshot is a transaction that reads a consistent view.
type snapshot struct {
	reading
	conn *wire.Conn
	pos  db.Position
}

// Snapshot returns a view that has the position as of its instant: the first statement of the transaction makes the
// view, and reads the position in it.
func (t *Target) Snapshot(ctx context.Context) (_ db.Snapshot, err error) {
	conn, err := t.dialer.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a snapshot of the target: %w", err)
	}
	s := &snapshot{conn: conn, reading: reading{t: t}}
	s.get = func(context.Context) (*wire.Conn, func(), error) {
		if conn.Broken { // another connection would not see the same
			return nil, nil, fmt.Errorf("read from a snapshot: %w", db.ErrConnection)
		}
		return conn, func() {}, nil
	}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open a snapshot of the target: %w", err), s.Close())
	}
	return s, nil
}

func (s *snapshot) begin(ctx context.Context) error {
	if err := s.conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"); err != nil {
		return err
	}
	for _, fact := range []string{db.FactPosition, db.FactFinal} {
		row, err := s.conn.One(ctx, "SELECT value FROM "+s.t.ledger().table("facts")+" WHERE name = $1",
			wire.Text(fact))
		if err != nil {
			return err
		}
		if row != nil {
			s.pos = db.Position(row[0])
			return nil
		}
	}
	return nil
}

// Position returns the view's position.
func (s *snapshot) Position() db.Position { return s.pos }

// Rows streams the rows of a range.
func (s *snapshot) Rows(ctx context.Context, rel *route.Relation, r db.Range) (db.Rows, error) {
	return s.rows(ctx, rel, r, true)
}

// Bound returns the key n rows after the given one.
func (s *snapshot) Bound(ctx context.Context, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	return s.bound(ctx, rel, after, n)
}

// Fetch streams the rows that have one of the keys.
func (s *snapshot) Fetch(ctx context.Context, rel *route.Relation, keys []db.Row) (db.Rows, error) {
	return s.fetch(ctx, rel, keys)
}

// Sum returns the checksum of a range.
func (s *snapshot) Sum(ctx context.Context, rel *route.Relation, r db.Range) (db.Sum, error) {
	return s.sum(ctx, rel, r)
}

// Close ends the transaction with its connection.
func (s *snapshot) Close() error {
	s.conn.Broken = true
	return s.conn.Close()
}
