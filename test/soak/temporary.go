package main

import (
	"context"
	"errors"
	"math/rand/v2"

	"wherry/test/internal/lab"
)

// temporary has a session that does to a temporary table what would be a loss if it were done to the table of that
// name. It writes in a format in which a server logs that.
func (e *episode) temporary(ctx context.Context, r *rand.Rand) error {
	e.load.paused.RLock()
	defer e.load.paused.RUnlock()
	// MariaDB does not log CREATE TEMPORARY TABLE while it is read-only
	if ctx.Err() != nil || e.load.over() || e.fencing.Load() {
		return ctx.Err()
	}
	tables, _ := e.catalog.now()
	t := tables[r.IntN(len(tables))]
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	conn, err := e.source.db.Conn(ctx)
	if err != nil {
		return nil // the server is away
	}
	defer drop(conn)
	format := "STATEMENT"
	if e.plan.from == lab.MariaDB {
		format = pick(r, "MIXED", "STATEMENT")
	}
	statements := []string{
		"SET SESSION binlog_format = " + format, "CREATE TEMPORARY TABLE " + t.quoted() + " (x INT PRIMARY KEY)",
		"TRUNCATE TABLE " + t.quoted(),
		"ALTER TABLE " + t.quoted() + " ADD COLUMN y INT", "CREATE INDEX i ON " + t.quoted() + " (y)",
		"TRUNCATE TABLE " + t.quoted(),
	}
	if r.IntN(2) == 0 { // else the end of the session drops it
		statements = append(statements, "DROP TEMPORARY TABLE "+t.quoted())
	}
	for _, s := range statements {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			e.note("temporary: %.200s: %v", s, err)
			if mistaken(err) {
				return errors.Join(errNeither, err)
			}
			return nil
		}
	}
	e.note("temporary: %s", t.quoted())
	return nil
}
