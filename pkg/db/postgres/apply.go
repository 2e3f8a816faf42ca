package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/route"
)

// applier writes batches. The first connection holds the move's lock and writes the position; when it is lost, the
// lock and the open transaction are lost with it.
type applier struct {
	t       *Target
	wires   []*wire.Conn
	began   bool
	pos     db.Position
	seed    maphash.Seed
	writers []map[*route.Route]*writer // per wire

	displaced func(context.Context, *route.Route) (bool, error) // see db.ApplyOptions
}

// Position returns the durable position.
func (a *applier) Position() db.Position { return a.pos }

// Apply writes a batch within the open transaction.
func (a *applier) Apply(ctx context.Context, b *db.Batch) (applied db.Applied, err error) {
	if err := a.begin(ctx); err != nil {
		return applied, err
	}
	parts := []db.Batch{*b}
	if len(a.wires) > 1 && !a.t.alone.Load() {
		parts = a.split(b)
	}
	deleted := make([][]int64, len(parts))
	group, ctx := errgroup.WithContext(ctx)
	for i := range parts {
		group.Go(func() (err error) {
			deleted[i], err = a.part(ctx, i, &parts[i])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		if len(a.wires) > 1 && errors.Is(err, db.ErrRetry) {
			a.t.alone.Store(true)
		}
		return applied, err
	}
	for j, tb := range b.Tables {
		var n int64
		for i := range parts {
			n += deleted[i][j]
		}
		applied.Upserted += int64(len(tb.Upserts))
		applied.Deleted += n
		applied.Absent += max(tb.Expect-n, 0) // which of the keys lack is not known, so parts cannot tell
	}
	return applied, nil
}

func (a *applier) begin(ctx context.Context) error {
	if a.began {
		return nil
	}
	for _, w := range a.wires {
		if err := w.Exec(ctx, "BEGIN"); err != nil {
			return err
		}
	}
	a.began = true
	return nil
}

// putPosition is the statement that every commit runs, and that the seal leaves nothing to update for.
func (a *applier) putPosition() string {
	return "UPDATE " + a.t.ledger().table("facts") + " SET value = $2, updated_at = pg_catalog.clock_timestamp() " +
		"WHERE name = $1"
}

// Commit makes the applied changes and the position durable in one transaction.
func (a *applier) Commit(ctx context.Context, pos db.Position) error {
	if !a.began {
		if pos == a.pos {
			return a.watch(ctx)
		}
		if err := a.wires[0].Exec(ctx, "BEGIN"); err != nil {
			return err
		}
	}
	n, err := a.wires[0].Run(ctx, a.putPosition(), wire.Text(db.FactPosition), wire.Text(pos.String()))
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if n != 1 {
		a.began = true // a transaction is open, if only for the position
		return errors.Join(fmt.Errorf("commit: %w", db.ErrSealed), a.Rollback(ctx))
	}
	// From here on the position's record is locked: nobody can seal the move before the first connection has committed.
	if a.began {
		for _, w := range a.wires[1:] {
			if err := w.Commit(ctx); err != nil {
				return fmt.Errorf("commit: %w", err)
			}
		}
	}
	a.began = true
	if err := a.wires[0].Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	a.began, a.pos = false, pos
	return nil
}

// Rollback drops what was applied since the last commit.
func (a *applier) Rollback(ctx context.Context) error {
	if !a.began {
		return nil
	}
	for _, w := range a.wires {
		if w.Broken {
			return fmt.Errorf("roll back: %w", db.ErrConnection)
		}
		if err := w.Rollback(ctx); err != nil {
			return err
		}
	}
	a.began = false
	return nil
}

// Close gives up the lock and the connections.
func (a *applier) Close() error {
	var errs []error
	for _, w := range a.wires {
		errs = append(errs, w.Close())
	}
	a.wires = nil
	return errors.Join(errs...)
}

// Repair writes a batch in a transaction of its own. The position's record is looked at last and with a lock, so that
// the move cannot be sealed between the look and the commit.
func (t *Target) Repair(ctx context.Context, b *db.Batch) (err error) {
	w, err := t.dialer.Dial(ctx)
	if err != nil {
		return err
	}
	a := &applier{t: t, wires: []*wire.Conn{w}, writers: []map[*route.Route]*writer{{}}}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := a.repair(ctx, b); err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	return nil
}

func (a *applier) repair(ctx context.Context, b *db.Batch) error {
	if err := a.begin(ctx); err != nil {
		return err
	}
	if b.Keyless() {
		if err := a.useTicket(ctx, b.Ticket); err != nil {
			return err
		}
	}
	if _, err := a.Apply(ctx, b); err != nil {
		return err
	}
	row, err := a.wires[0].One(ctx, "SELECT name FROM "+a.t.ledger().table("facts")+" WHERE name = $1 FOR SHARE",
		wire.Text(db.FactPosition))
	if err != nil {
		return err
	}
	if row == nil {
		return db.ErrSealed
	}
	return a.wires[0].Commit(ctx)
}

// useTicket counts up in the transaction of a repair that must not be made twice. Repairs wait for one another at its
// record.
func (a *applier) useTicket(ctx context.Context, ticket string) error {
	facts := a.t.ledger().table("facts")
	if ticket == "" {
		ticket = "0"
	}
	if _, err := a.wires[0].Run(ctx, "INSERT INTO "+facts+" (name, value) VALUES ($1, '0') ON CONFLICT DO NOTHING",
		wire.Text(db.FactRepairs)); err != nil {
		return err
	}
	n, err := a.wires[0].Run(ctx,
		"UPDATE "+facts+" SET value = (value::bigint + 1)::text WHERE name = $1 AND value = $2",
		wire.Text(db.FactRepairs), wire.Text(ticket))
	if err == nil && n != 1 {
		err = fmt.Errorf("another repair was made since repair %s: %w", ticket, db.ErrRetry)
	}
	return err
}
