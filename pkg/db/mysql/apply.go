package mysql

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	dialect "wherry/pkg/schema/mysql"
)

const (
	deleteKeys  = 1000             // keys of one DELETE: the round trip costs little per key then
	lockWait    = 10 * time.Second // for a lock whose holder's connection is being torn down
	goneTimeout = 30 * time.Second // for a killed connection to end
)

// applier writes batches. The first connection holds the move's lock and writes the position; when it is lost, the
// lock and the open transaction are lost with it.
type applier struct {
	t     *Target
	wires []*wire.Conn
	began bool
	pos   db.Position
	seed  maphash.Seed
	cache []map[*route.Route]*statement // upserts, per wire
	del   [][]byte                      // buffers of deletes, per wire

	displaced func(context.Context, *route.Route) (bool, error) // see db.ApplyOptions
}

// Position returns the durable position.
func (a *applier) Position() db.Position { return a.pos }

// Apply writes a batch within the open transaction.
func (a *applier) Apply(ctx context.Context, b *db.Batch) (applied db.Applied, err error) {
	if err := a.begin(ctx); err != nil {
		return applied, err
	}
	// One connection is the rule. With several, rows of one source transaction are committed on several connections,
	// so that a reader of the target may see half of it.
	parts := []db.Batch{*b}
	if len(a.wires) > 1 && !a.t.alone.Load() {
		parts = a.split(b)
	}
	deleted := make([][]int64, len(parts))
	outer := ctx
	group, ctx := errgroup.WithContext(ctx)
	for i := range parts {
		group.Go(func() (err error) {
			deleted[i], err = a.part(ctx, i, &parts[i])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		// Two connections of one applier may wait for each other's rows, for example because the target's collation
		// calls equal what the source tells apart. Trying in the same way would end there every time.
		if len(a.wires) > 1 && errors.Is(err, db.ErrRetry) {
			a.t.alone.Store(true)
		}
		return applied, a.blocked(outer, err)
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

// blocked is Target.blocked, without our own connections among those that are in the way.
func (a *applier) blocked(ctx context.Context, err error) error {
	var mine []uint32
	for _, w := range a.wires {
		mine = append(mine, w.ID)
	}
	return a.t.blocked(ctx, err, mine...)
}

func (a *applier) begin(ctx context.Context) error {
	if a.began {
		return nil
	}
	for _, w := range a.wires {
		if _, err := w.Exec(ctx, "BEGIN"); err != nil {
			return wire.Classify(err)
		}
	}
	a.began = true
	return nil
}

// Commit makes the applied changes and the position durable in one transaction.
func (a *applier) Commit(ctx context.Context, pos db.Position) error {
	if !a.began {
		// Nothing to commit. The server is asked all the same: a sealed move must be noticed by an applier that has
		// nothing to write, and an idle connection would end by wait_timeout and take the lock with it.
		if pos == a.pos {
			return a.watch(ctx)
		}
		if _, err := a.wires[0].Exec(ctx, "BEGIN"); err != nil {
			return wire.Classify(err)
		}
	}
	// updated_at changes in any case, so a position that is the same as before counts as one affected row too; and
	// SYSDATE does not depend on the session's timestamp, which schema statements set to the source's time.
	res, err := a.wires[0].Exec(ctx, "UPDATE "+dialect.Quote(Bookkeeping(a.t.cfg.Move))+".facts SET updated_at = "+
		"SYSDATE(6), value = "+
		wire.Quoted(string(pos))+" WHERE name = "+wire.Quoted(db.FactPosition))
	if err != nil {
		return fmt.Errorf("commit: %w", wire.Classify(err))
	}
	if res.Affected != 1 {
		a.began = true // a transaction is open, if only for the position
		return errors.Join(fmt.Errorf("commit: %w", db.ErrSealed), a.Rollback(ctx))
	}
	// From here on the position's record is locked: nobody can seal the move before the first connection has committed.
	// The others commit before it. If wherry dies in between, their rows are there and the position is not: the same
	// changes come once more, which leaves the same rows. The other order would lose changes.
	if a.began {
		for _, w := range a.wires[1:] {
			if _, err := w.Exec(ctx, "COMMIT"); err != nil {
				return fmt.Errorf("commit: %w", wire.Classify(err))
			}
		}
	}
	a.began = true
	// An error here leaves the outcome open when the connection was lost: a.began stays, so that nobody goes on with
	// this applier, and the next one reads the position.
	if _, err := a.wires[0].Exec(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", wire.Classify(err))
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
		if _, err := w.Exec(ctx, "ROLLBACK"); err != nil {
			return wire.Classify(err)
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

// Repair writes a batch in a transaction of its own. The position's record is read last and with a lock: the move
// cannot be sealed between that and the commit. Read first, the lock would keep the running applier from committing for
// as long as the repair takes.
func (t *Target) Repair(ctx context.Context, b *db.Batch) (err error) {
	w, err := t.dial(ctx)
	if err != nil {
		return err
	}
	a := &applier{t: t, wires: []*wire.Conn{w}, cache: []map[*route.Route]*statement{{}}, del: make([][]byte, 1)}
	defer func() { err = errors.Join(err, a.Close()) }()
	if b.Keyless() {
		if err := a.useTicket(ctx, b.Ticket); err != nil {
			return fmt.Errorf("repair: %w", err)
		}
	}
	if _, err := a.Apply(ctx, b); err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	row, err := a.one(ctx, "SELECT name FROM "+dialect.Quote(Bookkeeping(t.cfg.Move))+".facts WHERE name = "+
		wire.Quoted(db.FactPosition)+" LOCK IN SHARE MODE")
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	if row == nil {
		return fmt.Errorf("repair: %w", db.ErrSealed)
	}
	if _, err := w.Exec(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("repair: %w", wire.Classify(err))
	}
	return nil
}

// useTicket begins the transaction of a repair that must not be made twice. Repairs wait for one another at its record.
func (a *applier) useTicket(ctx context.Context, ticket string) error {
	if err := a.begin(ctx); err != nil {
		return err
	}
	facts, name := dialect.Quote(Bookkeeping(a.t.cfg.Move))+".facts", wire.Quoted(db.FactRepairs)
	if ticket == "" {
		ticket = "0"
	}
	// The record is made when it is absent. name = name changes nothing, but locks the row either way.
	if _, err := a.wires[0].Exec(ctx, "INSERT INTO "+facts+" (name, value) VALUES ("+name+", '0') ON DUPLICATE KEY "+
		"UPDATE name = name"); err != nil {
		return wire.Classify(err)
	}
	res, err := a.wires[0].Exec(ctx, "UPDATE "+facts+" SET value = CAST(value AS UNSIGNED) + 1 WHERE name = "+name+
		" AND value = "+wire.Quoted(ticket))
	if err != nil {
		return wire.Classify(err)
	}
	if res.Affected != 1 {
		return fmt.Errorf("another repair was made since repair %s: %w", ticket, db.ErrRetry)
	}
	return nil
}
