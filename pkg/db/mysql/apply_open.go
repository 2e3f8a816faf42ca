package mysql

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	dialect "wherry/pkg/schema/mysql"
)

// workersLockWait limits, in seconds, how long one of several connections waits for a row lock. The lock may belong to
// another connection of the same applier. That one commits only together with this one, so the wait would never end,
// and the server sees no deadlock. A scan of a small table, or a large transaction in several pieces, can cause it.
const workersLockWait = "SET SESSION innodb_lock_wait_timeout = 10"

// NewApplier takes the lock and reads the position.
func (t *Target) NewApplier(ctx context.Context, opts db.ApplyOptions) (_ db.Applier, err error) {
	if err := t.awaitGone(ctx, t.lastApplier.Load()); err != nil {
		return nil, err
	}
	n := max(opts.Workers, 1)
	if t.alone.Load() {
		n = 1
	}
	a := &applier{t: t, seed: maphash.MakeSeed(), del: make([][]byte, n), displaced: opts.Displaced}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	for range n {
		w, err := t.dial(ctx)
		if err != nil {
			return nil, err
		}
		a.wires = append(a.wires, w)
		if n > 1 {
			if _, err := w.Exec(ctx, workersLockWait); err != nil {
				return nil, wire.Classify(err)
			}
		}
		a.cache = append(a.cache, map[*route.Route]*statement{})
	}
	if err := a.lock(ctx); err != nil {
		return nil, err
	}
	t.lastApplier.Store(a.wires[0].ID)
	return a, a.readPosition(ctx)
}

// awaitGone ends an earlier applier's connection and waits until the server has none of that number. A commit of it
// that is still under way would otherwise come after the position has been read: its changes would be applied a second
// time.
func (t *Target) awaitGone(ctx context.Context, id uint32) error {
	if id == 0 {
		return nil
	}
	// A query of PROCESSLIST would fail while anybody runs a statement whose bytes are no text (MySQL's error 3854).
	// KILL only asks. It is sent until the answer is that there is no such thread.
	for deadline := time.Now().Add(goneTimeout); ; {
		_, err := t.admin.ExecContext(ctx, fmt.Sprintf("KILL %d", id))
		if wire.Number(err) == wire.NoSuchThread {
			return nil
		}
		if err != nil {
			return fmt.Errorf("end connection %d on the target: %w", id, wire.Classify(err))
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("end connection %d on the target: still there after %s: %w", id, goneTimeout,
				db.ErrConnection)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// lock takes the move's lock on the connection that will write. It waits a little: a lock of our own process may
// belong to a connection that is still being torn down.
func (a *applier) lock(ctx context.Context) error {
	name := wire.Quoted(Bookkeeping(a.t.cfg.Move))
	// IS_USED_LOCK is evaluated after GET_LOCK, so it names who has it: on failure the other connection, for the
	// message.
	row, err := a.one(ctx, fmt.Sprintf("SELECT GET_LOCK(%s, %d), IS_USED_LOCK(%s)", name, int(lockWait.Seconds()),
		name))
	if err != nil {
		return fmt.Errorf("lock move %s on the target: %w", a.t.cfg.Move, err)
	}
	if string(row[0]) != "1" {
		return fmt.Errorf("lock move %s on the target: connection %s has it: %w", a.t.cfg.Move, row[1], db.ErrLocked)
	}
	return nil
}

// readPosition reads the position with a lock on its record: a transaction that is still ending is waited for. No
// record means a sealed move, or one that has not begun: then the position is zero and no error.
func (a *applier) readPosition(ctx context.Context) error {
	row, err := a.one(ctx, "SELECT value FROM "+dialect.Quote(Bookkeeping(a.t.cfg.Move))+".facts WHERE name = "+
		wire.Quoted(db.FactPosition)+" FOR UPDATE")
	if err != nil {
		return fmt.Errorf("read position on the target: %w", err)
	}
	if row != nil {
		a.pos = db.Position(row[0])
		return nil
	}
	sealed, err := a.t.Ledger().Get(ctx, db.FactCutover)
	if err == nil && sealed != "" {
		err = db.ErrSealed
	}
	return err
}

// one returns the only row of a query, or nil.
func (a *applier) one(ctx context.Context, query string) (db.Row, error) {
	rows, err := a.wires[0].Query(ctx, query)
	if err != nil {
		return nil, wire.Classify(err)
	}
	found, err := db.ReadAll(rows)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// watch asks whether the move is still on when there is nothing to write. The query also keeps the connection, and
// with it the lock, from ending by wait_timeout.
func (a *applier) watch(ctx context.Context) error {
	row, err := a.one(ctx, "SELECT name FROM "+dialect.Quote(Bookkeeping(a.t.cfg.Move))+".facts WHERE name = "+
		wire.Quoted(db.FactPosition))
	if err == nil && row == nil {
		err = db.ErrSealed
	}
	return err
}
