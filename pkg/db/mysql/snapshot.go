package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/binlog"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// snapshotWait limits, in seconds, how long LOCK TABLES waits for transactions that have changed a table. Meanwhile
// every new writer of the table waits behind it. So it gives up soon, with ErrRetry, and lets them go on.
const snapshotWait = 2

// snapshot is a transaction that reads a consistent view.
type snapshot struct {
	w   *wire.Conn
	pos db.Position
}

// Position returns the view's position.
func (v *snapshot) Position() db.Position { return v.pos }

// Rows streams the rows of a range.
func (v *snapshot) Rows(ctx context.Context, rel *route.Relation, r db.Range) (db.Rows, error) {
	return query(v.query).read(ctx, rel, r)
}

// Bound returns the key n rows after the given one.
func (v *snapshot) Bound(ctx context.Context, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	return query(v.query).bound(ctx, rel, after, n)
}

// Fetch streams the rows that have one of the keys.
func (v *snapshot) Fetch(ctx context.Context, rel *route.Relation, keys []db.Row) (db.Rows, error) {
	return query(v.query).fetch(ctx, rel, keys)
}

// Sum returns the checksum of a range.
func (v *snapshot) Sum(ctx context.Context, rel *route.Relation, r db.Range) (db.Sum, error) {
	return query(v.query).sum(ctx, rel, r)
}

func (v *snapshot) query(ctx context.Context, statement string) (db.Rows, error) {
	if v.w.Broken { // another connection would not see the same
		return nil, fmt.Errorf("read from a snapshot: %w", db.ErrConnection)
	}
	rows, err := v.w.Query(ctx, statement)
	if err != nil {
		return nil, wire.Classify(err)
	}
	return rows, nil
}

// Close ends the transaction with its connection. It is not returned to the pool: the isolation level of its session
// is another one.
func (v *snapshot) Close() error {
	if v.w.Broken {
		return nil
	}
	return v.w.Close()
}

// openSnapshot begins a transaction whose view is of this instant. WITH CONSISTENT SNAPSHOT: otherwise the view would
// begin with the first read, and READ COMMITTED would have a new one for each statement.
func (s *server) openSnapshot(ctx context.Context) (*snapshot, error) {
	w, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	for _, statement := range []string{
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT",
	} {
		if _, err := w.Exec(ctx, statement); err != nil {
			return nil, errors.Join(wire.Classify(err), w.Close())
		}
	}
	return &snapshot{w: w}, nil
}

// Snapshot returns a view that is exact for the tables.
func (s *Source) Snapshot(ctx context.Context, rels ...*route.Relation) (db.Snapshot, error) {
	open := s.lockedSnapshot
	if s.flavor.HasSnapshotPosition() {
		open = s.placedSnapshot
	}
	tables := make([]schema.Name, len(rels))
	for i, rel := range rels {
		tables[i] = rel.Name()
	}
	v, err := open(ctx, tables)
	if err != nil {
		return nil, fmt.Errorf("open a snapshot of %v: %w", tables, err)
	}
	return v, nil
}

// placedSnapshot uses MariaDB's snapshot, which knows the place in the log that it shows, for all tables (MDEV-136).
func (s *Source) placedSnapshot(ctx context.Context, tables []schema.Name) (_ *snapshot, err error) {
	v, err := s.openSnapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, v.Close())
		}
	}()
	file, offset, err := snapshotPlace(ctx, v.w)
	if err != nil {
		return nil, wire.Classify(err)
	}
	if err := v.touch(ctx, tables); err != nil {
		return nil, err
	}
	set, err := s.placeGTIDs(ctx, file, offset)
	if err != nil {
		return nil, err
	}
	v.pos = binlog.FormatPosition(set, file, offset, s.tag)
	return v, nil
}

// lockedSnapshot locks the tables for as long as it takes to open a view and to read the log's end. LOCK TABLES ..
// READ is granted when no transaction that changed them is open (metadata locks are held until after the commit, so
// whatever it wrote is visible, in the log and in gtid_executed; manual, "Metadata Locking") and keeps later ones
// out. The view has a connection of its own, because START TRANSACTION gives up the locks of its session.
func (s *Source) lockedSnapshot(ctx context.Context, tables []schema.Name) (_ *snapshot, err error) {
	lock, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	locks := make([]string, len(tables))
	for i, table := range tables {
		locks[i] = dialect.Quoted(table) + " READ"
	}
	for _, statement := range []string{
		fmt.Sprintf("SET SESSION lock_wait_timeout = %d", snapshotWait),
		"LOCK TABLES " + strings.Join(locks, ", "),
	} {
		if _, err := lock.Exec(ctx, statement); err != nil {
			return nil, wire.Classify(err)
		}
	}
	v, err := s.openSnapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, v.Close())
		}
	}()
	// A FLUSH TABLES of somebody else may be waiting for our lock by now. Opening a table waits for the flush, so our
	// own second connection would wait for our first: without this limit for ever.
	if _, err := v.w.Exec(ctx, fmt.Sprintf("SET SESSION lock_wait_timeout = %d", snapshotWait)); err != nil {
		return nil, wire.Classify(err)
	}
	if err := v.touch(ctx, tables); err != nil {
		return nil, err
	}
	if v.pos, err = s.lockedPosition(ctx); err != nil {
		return nil, err
	}
	if _, err := lock.Exec(ctx, "UNLOCK TABLES"); err != nil {
		return nil, wire.Classify(err)
	}
	return v, nil
}

// touch opens the tables within the view's transaction, so that nobody changes their definitions from now on: the
// metadata lock lasts until the transaction ends. After an ALTER the view could not be read any more (error 1412).
func (v *snapshot) touch(ctx context.Context, tables []schema.Name) error {
	for _, table := range tables {
		rows, err := v.query(ctx, "SELECT 1 FROM "+dialect.Quoted(table)+" LIMIT 0")
		if err != nil {
			return err
		}
		if _, err := db.ReadAll(rows); err != nil {
			return err
		}
	}
	return nil
}

// lockedPosition returns the end of the log, exact for tables that are locked against writes: everything that was
// committed there is before it. GTIDs that are only owned do not count, unlike in Head: a transaction that was given
// its GTID in advance may still be waiting for the lock.
func (s *Source) lockedPosition(ctx context.Context) (db.Position, error) {
	status, err := s.logStatus(ctx)
	if err != nil {
		return "", err
	}
	gtid, err := s.hasGTID(ctx)
	if err != nil {
		return "", err
	}
	var executed string
	if gtid {
		if err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_executed").Scan(&executed); err != nil {
			return "", wire.Classify(err)
		}
	}
	return binlog.FormatPosition(executed, status.file, status.offset, s.tag), nil
}

// Snapshot returns a view of the target and the position as it was committed with it.
func (t *Target) Snapshot(ctx context.Context) (_ db.Snapshot, err error) {
	v, err := t.openSnapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a snapshot: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open a snapshot: %w", err), v.Close())
		}
	}()
	rows, err := v.query(ctx, "SELECT value FROM "+dialect.Quote(Bookkeeping(t.cfg.Move))+".facts WHERE name IN ("+
		wire.Quoted(db.FactPosition)+", "+wire.Quoted(db.FactFinal)+")") // the seal renames the one to the other
	if wire.Number(err) == wire.NoTable || wire.Number(err) == wire.NoDatabase {
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		v.pos = db.Position(found[0][0])
	}
	return v, nil
}
