package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// NewFence prepares a fence and reads what it will have to put back. It changes nothing.
func (s *Source) NewFence(ctx context.Context, kind db.FenceKind, tables []schema.Name, saved string) (db.Fence,
	error,
) {
	if kind == db.FenceReadOnly || kind == db.FenceLockTables {
		// With saved settings an interrupted run has raised the fence: it must be possible to lift it, whatever else
		// is wrong.
		if err := s.unreplicated(ctx); err != nil && saved == "" {
			return nil, err
		}
	}
	switch kind {
	case db.FenceReadOnly:
		f := &readOnlyFence{s: s.server, saved: saved}
		if saved == "" {
			if err := f.read(ctx); err != nil {
				return nil, err
			}
		}
		return f, nil
	case db.FenceLockTables:
		return &lockFence{s: s.server, tables: tables}, nil
	default:
		return nil, fmt.Errorf("invalid fence %q for %s", kind, s.flavor)
	}
}

// readOnlyFence sets read_only (and super_read_only where there is one). The server lets commits under way finish and
// fails those of transactions that are still open (manual, "read_only").
type readOnlyFence struct {
	s     *server
	saved string // "name=value name=value", in the order in which Lift sets them
}

func (f *readOnlyFence) names() []string {
	if f.s.flavor.HasSuperReadOnly() {
		return []string{"super_read_only", "read_only"}
	}
	return []string{"read_only"}
}

// read notes the settings that Lift will restore: a server that was read-only before the cutover stays so.
func (f *readOnlyFence) read(ctx context.Context) error {
	var parts []string
	for _, name := range f.names() {
		value, err := f.s.variable(ctx, name)
		if err != nil {
			return err
		}
		parts = append(parts, name+"="+value)
	}
	f.saved = strings.Join(parts, " ")
	return nil
}

// Saved returns the settings to put back.
func (f *readOnlyFence) Saved() string { return f.saved }

// stepBack is the pause between two tries to raise the fence. Statements that queued up behind it go on at once.
const stepBack = 100 * time.Millisecond

// preparedEnd limits how long writes are blocked only to wait for prepared transactions.
const preparedEnd = 100 * time.Millisecond

// Raise makes the server read-only, at a moment at which no transaction is prepared by XA. SET GLOBAL waits for
// explicit table locks of other sessions: when ctx ends first, the waiting statement is killed, so that it cannot take
// effect later.
//
// It also waits for running statements, and every new statement waits for it. That can be a deadlock that no server
// detects: statement A waits for a row lock of transaction B; B's next statement waits for the fence; the fence waits
// for A. It would end with innodb_lock_wait_timeout, 50 s by default. So each try waits for one second (the least that
// lock_wait_timeout can be), and then steps back.
func (f *readOnlyFence) Raise(ctx context.Context) (err error) {
	conn, err := f.s.admin.Conn(ctx)
	if err != nil {
		return wire.Classify(err)
	}
	defer func() { err = errors.Join(err, closeConn(conn)) }()
	if _, err := conn.ExecContext(ctx, "SET SESSION lock_wait_timeout = 1"); err != nil {
		return wire.Classify(err)
	}
	for {
		err := f.s.orKill(ctx, conn, "SET GLOBAL "+f.names()[0]+" = 1")
		if err == nil {
			if err = f.s.unprepared(ctx, preparedEnd); err == nil {
				return nil
			}
			if !errors.Is(err, db.ErrRetry) {
				return err
			}
			if lifted := f.Lift(ctx); lifted != nil { // MariaDB's read_only keeps them from ending
				return errors.Join(err, lifted)
			}
		} else if wire.Number(err) != wire.LockWait {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(stepBack):
		}
	}
}

// orKill executes a statement that may wait for other sessions. When ctx ends first the session is killed, so that the
// statement cannot take effect later.
func (s *server) orKill(ctx context.Context, conn *sql.Conn, statement string) error {
	var id int64
	if err := conn.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&id); err != nil {
		return wire.Classify(err)
	}
	_, err := conn.ExecContext(ctx, statement)
	if err == nil {
		return nil
	}
	if ctx.Err() == nil {
		return fmt.Errorf("%.100s: %w", statement, wire.Classify(err))
	}
	killing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, _ = s.admin.ExecContext(killing, fmt.Sprintf("KILL %d", id)) // gone already is as good
	return fmt.Errorf("%.100s: no answer in time, another session is in the way: %w", statement, context.Cause(ctx))
}

// Holds reads the settings back.
func (f *readOnlyFence) Holds(ctx context.Context) error {
	for _, name := range f.names() {
		value, err := f.s.global(ctx, name)
		if err != nil {
			return err
		}
		// An operator, or a failover tool that finds a primary read-only, may have opened it again.
		if value == "OFF" || value == "0" || value == "" {
			return fmt.Errorf("read back %s: it is %q, somebody has turned it off", name, value)
		}
	}
	if err := f.s.unprepared(ctx, 0); err != nil {
		return err
	}
	return f.s.unreplicated(ctx)
}

// Lift puts the settings back.
func (f *readOnlyFence) Lift(ctx context.Context) error {
	for _, part := range strings.Fields(f.saved) {
		name, value, _ := strings.Cut(part, "=")
		// saved comes from a file or from the ledger, and its text ends up in a statement.
		if name != "read_only" && name != "super_read_only" {
			return fmt.Errorf("put back %q: not a setting of this fence", part)
		}
		if _, err := f.s.admin.ExecContext(ctx, "SET GLOBAL "+name+" = "+wire.Quoted(value)); err != nil {
			return fmt.Errorf("put back %s = %s: %w", name, value, wire.Classify(err))
		}
	}
	return nil
}

// Release leaves the server read-only.
func (f *readOnlyFence) Release() error { return nil }

// lockFence holds LOCK TABLES .. READ on one connection. The statement waits for transactions that have changed the
// tables (metadata locks), so when it returns none is open. It ends with the connection.
type lockFence struct {
	s      *server
	tables []schema.Name
	conn   *sql.Conn
}

// Saved is empty: the server itself lifts the fence when the connection ends.
func (f *lockFence) Saved() string { return "" }

// Raise locks the tables against writes.
func (f *lockFence) Raise(ctx context.Context) error {
	if f.conn != nil {
		return f.Holds(ctx)
	}
	conn, err := f.s.admin.Conn(ctx)
	if err != nil {
		return wire.Classify(err)
	}
	locks := make([]string, len(f.tables))
	for i, t := range f.tables {
		locks[i] = dialect.Quoted(t) + " READ"
	}
	// The connection is idle while the cutover goes on. If the server ended it, the tables would be open. Here
	// waiting is safe: LOCK TABLES waits for transactions, and their next statements on rows that they have locked do
	// not wait for it.
	if _, err = conn.ExecContext(ctx, "SET SESSION wait_timeout = 28800, lock_wait_timeout = 31536000"); err == nil {
		err = f.s.orKill(ctx, conn, "LOCK TABLES "+strings.Join(locks, ", "))
	}
	if err == nil {
		err = f.s.unprepared(ctx, preparedEnd)
	}
	if err != nil {
		return errors.Join(wire.Classify(err), closeConn(conn))
	}
	f.conn = conn
	return nil
}

// Holds proves that the connection, and with it the locks, are still there.
func (f *lockFence) Holds(ctx context.Context) error {
	if f.conn == nil {
		return errors.New("the tables are not locked")
	}
	var one int
	if err := f.conn.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("the connection that locked the tables is lost: %w", wire.Classify(err))
	}
	if err := f.s.unprepared(ctx, 0); err != nil {
		return err
	}
	return f.s.unreplicated(ctx)
}

// Lift unlocks the tables.
func (f *lockFence) Lift(context.Context) error { return f.Release() }

// Release ends the connection.
func (f *lockFence) Release() error {
	if f.conn == nil {
		return nil
	}
	err := closeConn(f.conn)
	f.conn = nil
	return err
}

// closeConn closes the connection for good instead of giving it back to the pool: its session has settings, locks or a
// statement of its own.
func closeConn(conn *sql.Conn) error {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	if err := conn.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) {
		return err
	}
	return nil
}
