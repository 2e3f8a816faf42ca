package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
)

// builder is a connection whose session is set up for schema statements. Connecting and setting it up takes longer
// than creating a small table, so it is kept for the next statement.
type builder struct {
	conn *sql.Conn
	used time.Time
}

const (
	// builderFresh is how long a connection counts as good after its last statement. Later it is pinged first. The
	// server may have closed it unnoticed, and then the outcome of the next statement would be unknown.
	builderFresh = 50 * time.Millisecond
	// builderKept is how long an unused connection is kept: from one CREATE TABLE to the next, and not for the whole
	// move, as it counts against the server's max_connections.
	builderKept = 5 * time.Second
	// builders bounds how many are kept. Statements may run on more, which are closed afterwards.
	builders = 8
)

// builder returns a connection for schema statements, to be given to release afterwards.
func (t *Target) builder(ctx context.Context) (*sql.Conn, error) {
	t.building.Lock()
	for n := len(t.builders); n > 0; n = len(t.builders) {
		b := t.builders[n-1]
		t.builders = t.builders[:n-1]
		idle := time.Since(b.used)
		if idle < builderFresh || idle < builderKept && b.conn.PingContext(ctx) == nil {
			t.building.Unlock()
			return b.conn, nil
		}
		_ = closeConn(b.conn)
	}
	t.building.Unlock()
	conn, err := t.admin.Conn(ctx)
	if err != nil {
		return nil, wire.Classify(err)
	}
	settings, _, err := t.moment(ctx, db.Moment{StatementSession: schema.StatementSession{Strict: true}})
	if err != nil {
		return nil, errors.Join(err, closeConn(conn))
	}
	if t.flavor.Family == schema.MariaDB {
		settings = append(settings, fmt.Sprintf("SET SESSION innodb_lock_wait_timeout = %d",
			int(childrenWait.Seconds())))
	}
	for _, s := range settings {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return nil, errors.Join(fmt.Errorf("execute %.200s: %w", s, t.blocked(ctx, wire.Classify(err))),
				closeConn(conn))
		}
	}
	return conn, nil
}

// release keeps the connection for the next statement, unless its last one failed: then nobody knows what state it is
// in.
func (t *Target) release(conn *sql.Conn, failed error) error {
	if failed != nil {
		return closeConn(conn)
	}
	t.building.Lock()
	defer t.building.Unlock()
	if len(t.builders) >= builders {
		return closeConn(conn)
	}
	t.builders = append(t.builders, builder{conn, time.Now()})
	return nil
}

// Close releases every connection.
func (t *Target) Close() error {
	t.building.Lock()
	for _, b := range t.builders {
		_ = closeConn(b.conn)
	}
	t.builders = nil
	t.building.Unlock()
	return t.server.Close()
}
