package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"wherry/test/internal/lab"
)

// perTransaction is the number of changes of one transaction in the part apply.
const perTransaction = 1000

// The databases of the parts apply and oltp. The client's is a copy of the same rows on the target that wherry
// does not know.
const (
	applyDatabase  = "bench_apply"
	clientDatabase = "client_apply"
)

// applyPart measures how fast wherry drains a backlog of random changes, against a client that sends each as a
// statement of its own.
func (b *bench) applyPart(ctx context.Context) error {
	rows := b.rows / 2
	r := b.results.section("apply: %s random changes (6 updates, 2 inserts, 2 deletes) of %s rows, in "+
		"transactions of %s",
		thousands(b.changes), thousands(rows), thousands(perTransaction))
	for round := range b.rounds {
		changes := newGenerator(rows, uint64(7+round)).random(b.changes)
		if err := fill(ctx, b.targetDB, clientDatabase, 1, rows, oneIndex); err != nil {
			return err
		}
		took, err := b.oneByOne(ctx, changes)
		if err != nil {
			return err
		}
		r.add("one statement per row", "changes/s", float64(len(changes))/took.Seconds())
		for _, p := range b.turns(round) {
			if err := b.applied(ctx, r, p, rows, changes); err != nil {
				return err
			}
		}
	}
	r.ratio("wherry start-replica", "one statement per row", "goal 5")
	r.print()
	return b.tidy(ctx, applyDatabase, clientDatabase)
}

// applied measures how fast one build drains these changes of a database that is filled anew.
func (b *bench) applied(ctx context.Context, r *section, p program, rows int, changes []change) error {
	w, err := b.follow(ctx, p, applyDatabase, rows)
	if err != nil {
		return err
	}
	if err := b.backlog(ctx, packets(changes, applyDatabase+".t1", perTransaction)); err != nil {
		return err
	}
	if err := b.drain(ctx, w, r, p, len(changes)); err != nil {
		return err
	}
	return b.sameRows(ctx, applyDatabase+".t1", applyDatabase+".t1", clientDatabase+".t1")
}

// follow fills a database on the source, and a build moves it up to the point where start-replica takes over.
func (b *bench) follow(ctx context.Context, p program, database string, rows int) (*lab.Wherry, error) {
	if err := b.tidy(ctx, database); err != nil {
		return nil, err
	}
	if err := fill(ctx, b.sourceDB, database, 1, rows, oneIndex); err != nil {
		return nil, err
	}
	w, err := b.move(ctx, p, database)
	if err != nil {
		return nil, err
	}
	_, _, err = w.Run(ctx, "init-copy")
	return w, err
}

// backlog makes changes on the source as fast as it can. It is not measured, so the source need not be durable
// meanwhile.
func (b *bench) backlog(ctx context.Context, packets []string) error {
	if err := lab.Exec(ctx, b.sourceDB, "SET GLOBAL sync_binlog = 0",
		"SET GLOBAL innodb_flush_log_at_trx_commit = 2"); err != nil {
		return err
	}
	pool, err := b.source.Batch("")
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := lab.Exec(ctx, pool, packets...); err != nil {
		return err
	}
	return lab.Exec(ctx, b.sourceDB, "SET GLOBAL sync_binlog = 1", "SET GLOBAL innodb_flush_log_at_trx_commit = 1")
}

// drain measures start-replica until it has caught up with n changes.
func (b *bench) drain(ctx context.Context, w *lab.Wherry, r *section, p program, n int) error {
	child, summary, err := w.Run(ctx, "start-replica", "--until-caught-up")
	if err != nil {
		return err
	}
	if got := int(summary.Number("changes")); got != n {
		return fmt.Errorf("start-replica says that it applied %d changes of %d", got, n)
	}
	r.add(p.name+" start-replica", "changes/s", float64(n)/child.Wall.Seconds())
	r.add(p.name+", CPU", "s per million changes", child.CPU.Seconds()/float64(n)*1e6)
	r.add(p.name+", memory", "MB", megabytes(child.PeakRSS))
	return nil
}

// oneByOne sends every change by itself, in the same transactions.
func (b *bench) oneByOne(ctx context.Context, changes []change) (took time.Duration, err error) {
	err = withConn(ctx, b.targetDB, nil, func(conn *sql.Conn) error {
		began := time.Now()
		var buf []byte
		for i, c := range changes {
			if i%perTransaction == 0 {
				if err := lab.ExecAll(ctx, conn, "BEGIN"); err != nil {
					return err
				}
			}
			buf = c.statement(buf[:0], clientDatabase+".t1")
			if err := lab.ExecAll(ctx, conn, string(buf)); err != nil {
				return err
			}
			if (i+1)%perTransaction == 0 || i+1 == len(changes) {
				if err := lab.ExecAll(ctx, conn, "COMMIT"); err != nil {
					return err
				}
			}
		}
		took = time.Since(began)
		return nil
	})
	return took, err
}
