package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"hash/maphash"
	"strconv"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/route"
)

const (
	// lockWait is for a lock whose holder's connection is being torn down.
	lockWait = "10s"
	// workersLockWait is how long one of several connections waits for a row: it may be one of the others that holds
	// it, until all commit together, which no server finds out.
	workersLockWait = "10s"
	goneTimeout     = 30 * time.Second // for a terminated process to end
)

// lockKey is the number of an advisory lock, as a literal. Advisory locks belong to a database.
func lockKey(name string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte("wherry/" + name))
	return strconv.FormatInt(int64(h.Sum64()), 10) //nolint:gosec // any number will do
}

// NewApplier takes the lock and reads the position.
func (t *Target) NewApplier(ctx context.Context, opts db.ApplyOptions) (_ db.Applier, err error) {
	if err := t.awaitGone(ctx, t.lastApplier.Load()); err != nil {
		return nil, err
	}
	n := max(opts.Workers, 1)
	if t.alone.Load() {
		n = 1
	}
	a := &applier{t: t, seed: maphash.MakeSeed(), displaced: opts.Displaced}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	for range n {
		w, err := t.dialer.Dial(ctx)
		if err != nil {
			return nil, err
		}
		a.wires, a.writers = append(a.wires, w), append(a.writers, map[*route.Route]*writer{})
	}
	if err := a.lock(ctx); err != nil {
		return nil, err
	}
	t.lastApplier.Store(a.wires[0].PID)
	if n > 1 {
		for _, w := range a.wires {
			if err := w.Exec(ctx, "SET lock_timeout = '"+workersLockWait+"'"); err != nil {
				return nil, err
			}
		}
	}
	return a, a.readPosition(ctx)
}

// awaitGone makes sure that an earlier applier's process is gone, so that a commit of its that is still under
// way cannot come after the position has been read.
func (t *Target) awaitGone(ctx context.Context, pid uint32) error {
	if pid == 0 {
		return nil
	}
	for deadline := time.Now().Add(goneTimeout); ; {
		gone := false
		err := t.pool.Do(ctx, func(c *wire.Conn) error {
			// Another process may have got the number since: it has not our name, or is not of our account.
			row, err := c.One(ctx, "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity "+
				"WHERE pid = $1::bigint AND application_name = 'wherry' AND usename = current_user "+
				"AND datname = pg_catalog.current_database()", wire.Number(int64(pid)))
			gone = row == nil
			return err
		})
		switch {
		case err != nil:
			return fmt.Errorf("end process %d on the target: %w", pid, err)
		case gone:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("end process %d on the target: still there after %s: %w", pid, goneTimeout,
				db.ErrConnection)
		}
		if err := db.Pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

func (a *applier) lock(ctx context.Context) error {
	key := lockKey(a.t.cfg.Move)
	w := a.wires[0]
	err := w.Exec(ctx, "SET lock_timeout = '"+lockWait+"'")
	if err == nil {
		err = w.Exec(ctx, "SELECT pg_catalog.pg_advisory_lock("+key+")")
	}
	if wire.Code(err) == wire.LockNotThere {
		holder, looked := w.One(ctx,
			"SELECT pid::text FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted "+
				"AND objsubid = 1 AND database = (SELECT oid FROM pg_catalog.pg_database WHERE "+
				"datname = pg_catalog.current_database()) AND (classid::bigint << 32 | objid::bigint) = "+key)
		if looked != nil || holder == nil {
			holder = db.Row{[]byte("another")}
		}
		return fmt.Errorf("lock move %s on the target: process %s has it: %w", a.t.cfg.Move, holder[0], db.ErrLocked)
	}
	if err == nil {
		err = w.Exec(ctx, "SET lock_timeout = 0")
	}
	if err != nil {
		return fmt.Errorf("lock move %s on the target: %w", a.t.cfg.Move, err)
	}
	return nil
}

// readPosition reads with a lock on the record: a transaction that is still ending is waited for.
func (a *applier) readPosition(ctx context.Context) error {
	row, err := a.wires[0].One(ctx, "SELECT value FROM "+a.t.ledger().table("facts")+" WHERE name = $1 FOR UPDATE",
		wire.Text(db.FactPosition))
	if err != nil && !absent(err) {
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

// watch looks whether the move is still on when there is nothing to write, and keeps the connection in use.
func (a *applier) watch(ctx context.Context) error {
	row, err := a.wires[0].One(ctx, "SELECT name FROM "+a.t.ledger().table("facts")+" WHERE name = $1",
		wire.Text(db.FactPosition))
	if err == nil && row == nil {
		err = db.ErrSealed
	}
	return err
}
