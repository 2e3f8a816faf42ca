package mysql

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"time"

	protocol "github.com/go-mysql-org/go-mysql/mysql"
	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

const (
	deleteKeys    = 1000             // keys of one DELETE
	lockWait      = 10 * time.Second // for a lock whose holder's connection is being torn down
	vanishTimeout = 30 * time.Second // for a killed connection to end
)

// applier writes batches. The first connection holds the move's lock and writes the position; when it is lost, the lock and
// the open transaction are lost with it.
type applier struct {
	t     *Target
	wires []*wire
	began bool
	pos   db.Position
	seed  maphash.Seed
	cache []map[*route.Route]*statement // upserts, per wire
	del   [][]byte                      // buffers of deletes, per wire
}

// NewApplier takes the lock and reads the position.
func (t *Target) NewApplier(ctx context.Context, opts db.ApplyOptions) (_ db.Applier, err error) {
	if err := t.vanish(ctx, t.lastApplier.Load()); err != nil {
		return nil, err
	}
	n := max(opts.Workers, 1)
	a := &applier{t: t, seed: maphash.MakeSeed(), del: make([][]byte, n)}
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
		a.cache = append(a.cache, map[*route.Route]*statement{})
	}
	if err := a.lock(ctx); err != nil {
		return nil, err
	}
	t.lastApplier.Store(a.wires[0].id)
	return a, a.readPosition(ctx)
}

// vanish makes sure that an earlier applier's connection is gone, so that a commit of its that is still under way cannot
// come after the position has been read.
func (t *Target) vanish(ctx context.Context, id uint32) error {
	if id == 0 {
		return nil
	}
	_, err := t.admin.ExecContext(ctx, fmt.Sprintf("KILL %d", id))
	if err != nil && number(err) != errNoSuchThread {
		return fmt.Errorf("end connection %d on the target: %w", id, classify(err))
	}
	for deadline := time.Now().Add(vanishTimeout); ; {
		var n int
		if err := t.admin.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = ?", id).Scan(&n); err != nil {
			return fmt.Errorf("look for connection %d on the target: %w", id, classify(err))
		}
		if n == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("end connection %d on the target: still there after %s: %w", id, vanishTimeout, db.ErrConnection)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (a *applier) lock(ctx context.Context) error {
	name := quoted(Bookkeeping(a.t.cfg.Move))
	row, err := a.one(ctx, fmt.Sprintf("SELECT GET_LOCK(%s, %d), IS_USED_LOCK(%s)", name, int(lockWait.Seconds()), name))
	if err != nil {
		return fmt.Errorf("lock move %s on the target: %w", a.t.cfg.Move, err)
	}
	if string(row[0]) != "1" {
		return fmt.Errorf("lock move %s on the target: connection %s has it: %w", a.t.cfg.Move, row[1], db.ErrLocked)
	}
	return nil
}

// readPosition reads with a lock on the record: a transaction that is still ending is waited for.
func (a *applier) readPosition(ctx context.Context) error {
	row, err := a.one(ctx, "SELECT value FROM "+schema.Quote(Bookkeeping(a.t.cfg.Move))+".facts WHERE name = "+
		quoted(db.FactPosition)+" FOR UPDATE")
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
	rows, err := a.wires[0].query(ctx, query)
	if err != nil {
		return nil, classify(err)
	}
	found, err := db.ReadAll(rows)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Position returns the durable position.
func (a *applier) Position() db.Position { return a.pos }

// Apply writes a batch within the open transaction.
func (a *applier) Apply(ctx context.Context, b *db.Batch) (applied db.Applied, err error) {
	if err := a.begin(ctx); err != nil {
		return applied, err
	}
	parts := []db.Batch{*b}
	if len(a.wires) > 1 {
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
		if _, err := w.exec(ctx, "BEGIN"); err != nil {
			return classify(err)
		}
	}
	a.began = true
	return nil
}

// split gives every key to one connection; each part lists the same tables. Rows that may wait for one another stay
// together: their connections commit at the same time, so the wait would never end.
func (a *applier) split(b *db.Batch) []db.Batch {
	parts := make([]db.Batch, len(a.wires))
	for _, tb := range b.Tables {
		tables := make([]db.TableBatch, len(parts))
		for i := range tables {
			tables[i].Route = tb.Route
		}
		if competes(tb) {
			tables[0] = tb
		} else {
			for _, key := range tb.Deletes {
				t := &tables[a.worker(key)]
				t.Deletes = append(t.Deletes, key)
			}
			for _, row := range tb.Upserts {
				t := &tables[a.worker(row.Pick(tb.Route.Target.Key))]
				t.Upserts = append(t.Upserts, row)
			}
		}
		for i := range tables {
			parts[i].Tables = append(parts[i].Tables, tables[i])
		}
	}
	return parts
}

// competes tells whether rows of different keys may be in each other's way: by the values of another unique key, or because
// bytes that differ are one key to the server ('a' that becomes 'A' is a removal and a write).
func competes(tb db.TableBatch) bool {
	if tb.Route.Target.Table.OtherUnique() {
		return true
	}
	if len(tb.Deletes) == 0 || len(tb.Upserts) == 0 {
		return false
	}
	return slices.ContainsFunc(tb.Route.Target.Key, func(at int) bool {
		switch tb.Route.Target.Column(at).Type.Kind {
		case schema.Char, schema.Varchar, schema.Text, schema.Enum, schema.Set, schema.Float, schema.Double:
			return true
		default:
			return false
		}
	})
}

func (a *applier) worker(key db.Row) int {
	var h maphash.Hash
	h.SetSeed(a.seed)
	for _, v := range key {
		_, _ = h.Write(v)
		_ = h.WriteByte(0)
	}
	return int(h.Sum64() % uint64(len(a.wires)))
}

// part writes a batch on one connection and returns how many rows of each table it removed.
func (a *applier) part(ctx context.Context, i int, b *db.Batch) (deleted []int64, err error) {
	deleted = make([]int64, len(b.Tables))
	for j := range b.Tables {
		tb := &b.Tables[j]
		if deleted[j], err = a.delete(ctx, i, &tb.Route.Target, tb.Deletes); err != nil {
			return deleted, fmt.Errorf("delete rows of %s: %w", tb.Route.Target.Name(), err)
		}
		if err := a.upsert(ctx, i, tb); err != nil {
			return deleted, fmt.Errorf("write rows of %s: %w", tb.Route.Target.Name(), err)
		}
	}
	return deleted, nil
}

func (a *applier) delete(ctx context.Context, i int, rel *route.Relation, keys []db.Row) (deleted int64, err error) {
	for len(keys) > 0 {
		n := min(len(keys), deleteKeys)
		b := append(append(a.del[i][:0], 0, 0, 0, 0, protocol.COM_QUERY), "DELETE FROM "+rel.Name().Quoted()+" WHERE "...)
		b = appendKeys(b, rel, keys[:n])
		a.del[i] = b
		keys = keys[n:]
		res, err := a.wires[i].execPacket(ctx, b)
		if err != nil {
			return deleted, classify(err)
		}
		deleted += int64(res.affected)
	}
	return deleted, nil
}

func (a *applier) upsert(ctx context.Context, i int, tb *db.TableBatch) error {
	if len(tb.Upserts) == 0 {
		return nil
	}
	st := a.cache[i][tb.Route]
	if st == nil {
		st = newUpsert(a.t, &tb.Route.Target)
		a.cache[i][tb.Route] = st
	}
	for _, row := range tb.Upserts {
		if !st.fits(row) {
			if err := a.runUpsert(ctx, i, st); err != nil {
				return err
			}
		}
		if err := st.add(row); err != nil {
			return err
		}
	}
	return a.runUpsert(ctx, i, st)
}

func (a *applier) runUpsert(ctx context.Context, i int, st *statement) error {
	res, err := st.run(ctx, a.wires[i])
	if err == nil && res.warnings != 0 {
		err = fmt.Errorf("%d warnings: %s: %w", res.warnings, a.wires[i].warnings(ctx), db.ErrUnsupported)
	}
	return err
}

// newUpsert makes rows equal to their after-images. With another unique key REPLACE is used: all rows of a batch are final
// images of one state of the source, so a row that it displaces has been changed too and is itself in the batch.
func newUpsert(t *Target, rel *route.Relation) *statement {
	if rel.Table.OtherUnique() {
		return newStatement(t, rel, "REPLACE INTO ", "")
	}
	alias, tail := "", ""
	if t.flavor.HasRowAlias() {
		alias = " AS w"
	}
	for i := range rel.Columns {
		name := schema.Quote(rel.Column(i).Name)
		value := "w." + name
		if alias == "" {
			value = "VALUES(" + name + ")"
		}
		if i > 0 {
			tail += ", "
		}
		tail += name + " = " + value
	}
	return newStatement(t, rel, "INSERT INTO ", alias+" ON DUPLICATE KEY UPDATE "+tail)
}

// Commit makes the applied changes and the position durable in one transaction.
func (a *applier) Commit(ctx context.Context, pos db.Position) error {
	if !a.began {
		if pos == a.pos {
			return a.watch(ctx)
		}
		if _, err := a.wires[0].exec(ctx, "BEGIN"); err != nil {
			return classify(err)
		}
	}
	res, err := a.wires[0].exec(ctx, "UPDATE "+schema.Quote(Bookkeeping(a.t.cfg.Move))+".facts SET updated_at = SYSDATE(6), value = "+
		quoted(string(pos))+" WHERE name = "+quoted(db.FactPosition))
	if err != nil {
		return fmt.Errorf("commit: %w", classify(err))
	}
	if res.affected != 1 {
		a.began = true // a transaction is open, if only for the position
		return errors.Join(fmt.Errorf("commit: %w", db.ErrSealed), a.Rollback(ctx))
	}
	// From here on the position's record is locked: nobody can seal the move before the first connection has committed.
	if a.began {
		for _, w := range a.wires[1:] {
			if _, err := w.exec(ctx, "COMMIT"); err != nil {
				return fmt.Errorf("commit: %w", classify(err))
			}
		}
	}
	a.began = true
	if _, err := a.wires[0].exec(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", classify(err))
	}
	a.began, a.pos = false, pos
	return nil
}

// watch looks whether the move is still on when there is nothing to write, and keeps the connection in use.
func (a *applier) watch(ctx context.Context) error {
	row, err := a.one(ctx, "SELECT name FROM "+schema.Quote(Bookkeeping(a.t.cfg.Move))+".facts WHERE name = "+quoted(db.FactPosition))
	if err == nil && row == nil {
		err = db.ErrSealed
	}
	return err
}

// Rollback drops what was applied since the last commit.
func (a *applier) Rollback(ctx context.Context) error {
	if !a.began {
		return nil
	}
	for _, w := range a.wires {
		if _, err := w.exec(ctx, "ROLLBACK"); err != nil {
			return classify(err)
		}
	}
	a.began = false
	return nil
}

// Close gives up the lock and the connections.
func (a *applier) Close() error {
	var errs []error
	for _, w := range a.wires {
		errs = append(errs, w.close())
	}
	a.wires = nil
	return errors.Join(errs...)
}

// Repair writes a batch in a transaction of its own. The position's record is looked at last and with a lock, so that
// the move cannot be sealed between the look and the commit.
func (t *Target) Repair(ctx context.Context, b *db.Batch) (err error) {
	w, err := t.dial(ctx)
	if err != nil {
		return err
	}
	a := &applier{t: t, wires: []*wire{w}, cache: []map[*route.Route]*statement{{}}, del: make([][]byte, 1)}
	defer func() { err = errors.Join(err, a.Close()) }()
	if _, err := a.Apply(ctx, b); err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	row, err := a.one(ctx, "SELECT name FROM "+schema.Quote(Bookkeeping(t.cfg.Move))+".facts WHERE name = "+
		quoted(db.FactPosition)+" LOCK IN SHARE MODE")
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	if row == nil {
		return fmt.Errorf("repair: %w", db.ErrSealed)
	}
	if _, err := w.exec(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("repair: %w", classify(err))
	}
	return nil
}
