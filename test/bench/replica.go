package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"wherry/test/internal/lab"
)

const (
	oltpDatabase = "bench_oltp"
	// parallel is the number of workers of the server's own replica.
	parallel = 4
)

// oltpPart measures how fast wherry drains a backlog of small transactions, against the server's own replica on a
// third server.
func (b *bench) oltpPart(ctx context.Context) error {
	rows := b.rows / 2
	w, err := b.follow(ctx, b.own(), oltpDatabase, rows)
	if err != nil {
		return err
	}
	replica, err := b.openReplica(ctx, oltpDatabase, rows)
	if err != nil {
		return err
	}
	if replica != nil {
		defer replica.db.Close()
	}
	g := newGenerator(rows, 11)
	r := b.results.section("oltp: transactions of 4 changes as sysbench oltp_write_only makes them, %s changes of "+
		"%s rows", thousands(b.changes), thousands(rows))
	for range b.rounds {
		if err := b.oltpRound(ctx, r, w, replica, g.oltp(b.changes/4)); err != nil {
			return err
		}
	}
	if replica != nil {
		r.figure("the server's own replica").Note = fmt.Sprintf("%d workers", parallel)
		r.ratio("wherry start-replica", "the server's own replica", "")
	}
	r.print()
	return b.tidy(ctx, oltpDatabase)
}

// oltpRound measures wherry, and the server's own replica by turns with it.
func (b *bench) oltpRound(ctx context.Context, r *section, w *lab.Wherry, replica *nativeReplica,
	changes []change,
) error {
	from, err := binlogEnd(ctx, b.sourceDB)
	if err != nil {
		return err
	}
	if err := b.backlog(ctx, packets(changes, oltpDatabase+".t1", 4)); err != nil {
		return err
	}
	if err := b.drain(ctx, w, r, b.own(), len(changes)); err != nil {
		return err
	}
	if err := b.sameRows(ctx, oltpDatabase+".t1", oltpDatabase+".t1"); err != nil || replica == nil {
		return err
	}
	took, err := replica.drain(ctx, b, from)
	if err == nil {
		r.add("the server's own replica", "changes/s", float64(len(changes))/took.Seconds())
	}
	return err
}

// nativeReplica is the third server, of the target's flavor and with the same rows.
type nativeReplica struct {
	db     *sql.DB
	flavor string
}

// openReplica returns nil if the two flavors differ: then there is nothing to compare with.
func (b *bench) openReplica(ctx context.Context, database string, rows int) (*nativeReplica, error) {
	if b.from != b.to {
		return nil, nil //nolint:nilnil // nil means none
	}
	server, err := lab.Find(b.servers, b.to+"-3")
	if err != nil {
		return nil, err
	}
	db, err := server.Admin("")
	if err != nil {
		return nil, err
	}
	r := &nativeReplica{db: db, flavor: b.to}
	if err := fill(ctx, db, database, 1, rows, oneIndex); err != nil {
		db.Close()
		return nil, err
	}
	return r, nil
}

// place is an offset in a file of the binary log.
type place struct {
	file   string
	offset int64
}

// binlogEnd is the end of a server's binary log while nobody writes.
func binlogEnd(ctx context.Context, db *sql.DB) (place, error) {
	version, err := lab.Version(ctx, db)
	if err != nil {
		return place{}, err
	}
	statement := "SHOW BINARY LOG STATUS"
	if mariadb(version) {
		statement = "SHOW MASTER STATUS"
	}
	rows, err := db.QueryContext(ctx, statement)
	if err != nil {
		return place{}, fmt.Errorf("%s: %w", statement, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return place{}, fmt.Errorf("%s: %w", statement, err)
	}
	var p place
	into := []any{&p.file, &p.offset}
	for range len(columns) - len(into) {
		into = append(into, new(sql.RawBytes))
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return place{}, fmt.Errorf("%s: %w", statement, err)
		}
	}
	return p, rows.Err()
}

// drain measures from the start of replication until everything from a place on is applied.
func (r *nativeReplica) drain(ctx context.Context, b *bench, from place) (time.Duration, error) {
	goal, err := binlogEnd(ctx, b.sourceDB)
	if err != nil {
		return 0, err
	}
	if err := lab.Exec(ctx, r.db, r.prepare(b.source, from)...); err != nil {
		return 0, err
	}
	began := time.Now()
	start, wait, stop := "START REPLICA", "SELECT SOURCE_POS_WAIT(?, ?, 600)", "STOP REPLICA"
	if r.flavor == lab.MariaDB {
		wait = "SELECT MASTER_POS_WAIT(?, ?, 600)"
	}
	if err := lab.Exec(ctx, r.db, start); err != nil {
		return 0, err
	}
	var events sql.NullInt64
	if err := r.db.QueryRowContext(ctx, wait, goal.file, goal.offset).Scan(&events); err != nil {
		return 0, fmt.Errorf("wait for the server's own replica: %w", err)
	}
	took := time.Since(began)
	if !events.Valid || events.Int64 < 0 {
		return 0, fmt.Errorf("the server's own replica has stopped or takes more than 600 s")
	}
	if err := lab.Exec(ctx, r.db, stop); err != nil {
		return 0, err
	}
	want, err := checksum(ctx, b.sourceDB, oltpDatabase+".t1")
	if err != nil {
		return 0, err
	}
	got, err := checksum(ctx, r.db, oltpDatabase+".t1")
	if err == nil && got != want {
		err = fmt.Errorf("the server's own replica has other rows than the source")
	}
	return took, err
}

// prepare points the server at the source.
func (r *nativeReplica) prepare(source lab.Server, from place) []string {
	if r.flavor == lab.MariaDB {
		return []string{
			"STOP REPLICA", "RESET REPLICA ALL", fmt.Sprintf("SET GLOBAL slave_parallel_threads = %d", parallel),
			fmt.Sprintf("CHANGE MASTER TO MASTER_HOST = '%s', MASTER_PORT = %d, MASTER_USER = '%s', MASTER_PASSWORD "+
				"= '%s', "+
				"MASTER_LOG_FILE = '%s', MASTER_LOG_POS = %d, MASTER_USE_GTID = no", source.Host, source.Port, lab.User,
				lab.Password, from.file, from.offset),
		}
	}
	return []string{
		"STOP REPLICA", "RESET REPLICA ALL", fmt.Sprintf("SET GLOBAL replica_parallel_workers = %d", parallel),
		fmt.Sprintf("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '%s', SOURCE_PORT = %d, SOURCE_USER = '%s', "+
			"SOURCE_PASSWORD = '%s', "+
			"SOURCE_LOG_FILE = '%s', SOURCE_LOG_POS = %d, SOURCE_AUTO_POSITION = 0, GET_SOURCE_PUBLIC_KEY = 1",
			source.Host, source.Port, lab.User, lab.Password, from.file, from.offset),
	}
}
