package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// twoPhase makes a transaction that is prepared first and ends later, as a transaction manager does: half of them
// from another connection. One that is prepared is brought to its end whatever happens.
func (l *load) twoPhase(ctx context.Context, r *rand.Rand, tables []*table) error {
	l.paused.RLock()
	defer l.paused.RUnlock()
	long := context.WithoutCancel(ctx)
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	id := fmt.Sprintf("'soak-%d'", l.xids.Add(1))
	w := &writer{Rand: r, tables: tables}
	w.do = func(statement string) error {
		result, err := conn.ExecContext(ctx, statement)
		if err != nil {
			return fmt.Errorf("%.2000s: %w", statement, err)
		}
		n, err := result.RowsAffected()
		w.rows += n
		return err
	}
	end, apart := pick(r, "COMMIT", "COMMIT", "ROLLBACK"), r.IntN(2) == 0
	err = w.settings()
	for _, step := range []func() error{
		func() error { return w.do("XA START " + id) }, w.parts, func() error { return w.do("XA END " + id) },
	} {
		if err == nil {
			err = step()
		}
	}
	if err != nil {
		drop(conn) // its transaction goes with it
		return err
	}
	if err := w.do("XA PREPARE " + id); err != nil && !away(err) {
		drop(conn)
		return err
	} else if err == nil && !apart {
		time.Sleep(time.Duration(r.IntN(200)) * time.Millisecond)
		if w.do("XA "+end+" "+id) == nil {
			l.commits.Add(1)
			return nil
		}
	}
	drop(conn)
	time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
	return l.resolve(long, id, end)
}

// resolve ends a transaction that may be prepared. While its own connection is not quite gone the server says that it
// knows none.
func (l *load) resolve(ctx context.Context, id, end string) error {
	var err error
	unknown := 0
	for until := time.Now().Add(patience); time.Now().Before(until) &&
		unknown < 10; time.Sleep(100 * time.Millisecond) {
		_, err = l.db.ExecContext(ctx, "XA "+end+" "+id)
		switch {
		case err == nil:
			l.commits.Add(1)
			return nil
		case number(err) == 1397: // XAER_NOTA
			unknown++
		case !away(err) && !fenced(err) && !slices.Contains([]uint16{1399, 1402, 1205, 1213}, number(err)):
			return fmt.Errorf("XA %s %s: %w", end, id, err)
		}
	}
	if unknown > 0 {
		return nil // it was not prepared
	}
	return fmt.Errorf("XA %s %s: %w", end, id, err)
}

// drop ends a connection for good.
func drop(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // that is how the pool is told
}

// endTwoPhase waits until no transaction is prepared any more: the fence cannot stop one from being committed.
func (e *episode) endTwoPhase() {
	e.load.xa.Store(false)
	e.load.paused.Lock()
	defer e.load.paused.Unlock()
}

var errNotRefused = errors.New("check does not refuse a stored column that depends on the session")

// refuses has check refuse what depends on the session that wrote a row.
func (e *episode) refuses(ctx context.Context) error {
	if !e.plan.refuses {
		return nil
	}
	name := quote(e.plan.databases[0]) + ".`session dependent`"
	if err := e.source.try(ctx, "CREATE TABLE "+name+" (id INT PRIMARY KEY, t TIMESTAMP NULL, h "+
		pick(stream(e.plan.seed, streamKinds),
			"INT AS (HOUR(t)) STORED", "DECIMAL(20,10) AS (id / 7) STORED")+")"); err != nil {
		return err
	}
	child, err := e.once(ctx, &e.latest, "check")
	if err != nil {
		return err
	}
	if child.Code != refused {
		return fmt.Errorf("%w: exit code %d: %.2000s", errNotRefused, child.Code, child.Output())
	}
	return e.source.try(ctx, "DROP TABLE "+name)
}
