package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
)

// ddlLockWait limits, in seconds, how long one try of a schema statement waits for a table that others use. The
// server's own limit is a year (MySQL) or a day (MariaDB): meanwhile nobody would learn why nothing moves, and every
// new query of the table would queue up behind the waiting statement.
const ddlLockWait = "SET SESSION lock_wait_timeout = CAST(GREATEST(LEAST(@@GLOBAL.lock_wait_timeout, 60), 2) AS " +
	"UNSIGNED)"

// blocked adds to an error of waiting for a lock, or of a server without room, what to do about it. mine are our own
// connections.
func (t *Target) blocked(ctx context.Context, err error, mine ...uint32) error {
	switch {
	case wire.Number(err) == wire.LockWait:
		if who := t.transactions(ctx, mine); who != "" {
			return fmt.Errorf("%w (transactions open on the target: %s)", err, who)
		}
	case errors.Is(wire.Classify(err), db.ErrSpace):
		return fmt.Errorf("%w (on the target: make some)", err)
	}
	return err
}

// transactions lists the oldest transactions that others have open on the server, three at most; "" when the server
// does not show them. It helps in a message and decides nothing, so it has 5 seconds and swallows its errors.
func (t *Target) transactions(ctx context.Context, mine []uint32) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	rows, err := t.admin.QueryContext(ctx,
		`SELECT x.trx_mysql_thread_id, COALESCE(p.USER, ''), COALESCE(p.HOST, ''), CAST(x.trx_started AS CHAR)
		FROM information_schema.INNODB_TRX x LEFT JOIN information_schema.PROCESSLIST p ON p.ID = x.trx_mysql_thread_id
		WHERE x.trx_mysql_thread_id > 0 ORDER BY x.trx_started LIMIT 10`)
	if err != nil {
		return "" // the account lacks PROCESS
	}
	defer rows.Close()
	var who []string
	for rows.Next() {
		var id uint32
		var user, host, since string
		if err := rows.Scan(&id, &user, &host, &since); err != nil {
			return ""
		}
		if !slices.Contains(mine, id) {
			who = append(who, fmt.Sprintf("connection %d of %s@%s since %s", id, user, host, since))
		}
	}
	if rows.Err() != nil {
		return ""
	}
	return strings.Join(who[:min(len(who), 3)], ", ")
}
