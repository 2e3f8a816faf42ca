package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"wherry/test/internal/lab"
)

// connections is how many connections load rows, on either side of a comparison: wherry's default.
const connections = 4

// perStatement is the number of rows of one LOAD DATA.
const perStatement = 20_000

// moveName is the name of every move that is measured; its bookkeeping on the target is dropped before each.
const moveName = "bench"

// bench is one run.
type bench struct {
	options
	servers  []lab.Server
	source   lab.Server
	target   lab.Server
	sourceDB *sql.DB
	targetDB *sql.DB
	log      *os.File
	results  results
}

// open makes the folder and the connections. Close it also when it fails: some of them are open then.
func (b *bench) open(ctx context.Context) (err error) {
	if b.servers, err = lab.ParseServers(os.Getenv("WHERRY_TEST_SERVERS")); err != nil {
		return err
	}
	if b.source, b.target, err = lab.Pair(b.servers, b.from, b.to); err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if b.log, err = os.Create(filepath.Join(b.dir, "wherry.log")); err != nil {
		return fmt.Errorf("make log: %w", err)
	}
	if b.sourceDB, err = b.source.Admin(""); err != nil {
		return err
	}
	if b.targetDB, err = b.target.Admin(""); err != nil {
		return err
	}
	source, err := lab.Version(ctx, b.sourceDB)
	if err != nil {
		return fmt.Errorf("%s: %w", b.source.Name, err)
	}
	target, err := lab.Version(ctx, b.targetDB)
	if err != nil {
		return fmt.Errorf("%s: %w", b.target.Name, err)
	}
	b.results = results{
		Source: flavored(b.from, source), Target: flavored(b.to, target), Rows: b.rows,
		Rounds: b.rounds, CPUs: runtime.NumCPU(), Load: load(), out: os.Stdout,
	}
	return nil
}

func (b *bench) close() {
	for _, pool := range []*sql.DB{b.sourceDB, b.targetDB} {
		if pool != nil {
			pool.Close()
		}
	}
	if b.log != nil {
		b.log.Close()
	}
}

// fill creates a database with tables t1, t2.. of the same rows on a server, past its binary log.
func fill(ctx context.Context, db *sql.DB, database string, tables, rows int, indexes string) error {
	if err := recreate(ctx, db, database, tables, indexes, "SET sql_log_bin = 0"); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for c := range connections {
		group.Go(func() error {
			return withConn(ctx, db, []string{"SET sql_log_bin = 0", "SET unique_checks = 0"},
				func(conn *sql.Conn) error {
					for t := range tables {
						first, last := share(rows, c)
						if err := lab.LoadRows(ctx, conn, fmt.Sprintf("%s.t%d", database, t+1), columns, first, last,
							perStatement, row); err != nil {
							return err
						}
					}
					return nil
				})
		})
	}
	return group.Wait()
}

// share is the part of rows that connection c loads.
func share(rows, c int) (first, last int) {
	return rows * c / connections, rows * (c + 1) / connections
}

// recreate makes an empty database with tables t1, t2... before are statements that come first.
func recreate(ctx context.Context, db *sql.DB, database string, tables int, indexes string, before ...string) error {
	statements := append(before, "DROP DATABASE IF EXISTS "+database, "CREATE DATABASE "+database)
	for t := range tables {
		statements = append(statements, createTable(fmt.Sprintf("%s.t%d", database, t+1), indexes))
	}
	return withConn(ctx, db, statements, func(*sql.Conn) error { return nil })
}

// withConn runs statements and then f on one connection, which is thrown away: its settings do not reach the pool.
func withConn(ctx context.Context, db *sql.DB, statements []string, f func(*sql.Conn) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	defer func() { _ = conn.Raw(func(any) error { return driver.ErrBadConn }) }() // the pool drops such a connection
	if err := lab.ExecAll(ctx, conn, statements...); err != nil {
		return err
	}
	return f(conn)
}

// tidy drops a database and the bookkeeping of the last move from the target, and old binary logs.
func (b *bench) tidy(ctx context.Context, databases ...string) error {
	statements := []string{"DROP DATABASE IF EXISTS wherry_" + moveName}
	for _, database := range databases {
		statements = append(statements, "DROP DATABASE IF EXISTS "+database)
	}
	return lab.Exec(ctx, b.targetDB, append(statements, "FLUSH BINARY LOGS", "PURGE BINARY LOGS BEFORE NOW()")...)
}

// prepare writes the configuration of a move of a database.
func (b *bench) prepare(database string, extra ...string) (*lab.Wherry, error) {
	m := lab.Move{
		Name: moveName, State: filepath.Join(b.dir, "state.json"), Source: b.source, Target: b.target,
		Include: database + ".*", Extra: extra,
	}
	w, err := m.Write(b.wherry, filepath.Join(b.dir, "wherry.yaml"))
	if err != nil {
		return nil, err
	}
	w.Stderr = io.Writer(b.log)
	return w, nil
}

// move has a build prepare a move of a database, up to init-copy. A move stays with one build: an older one refuses
// the state of a newer one.
func (b *bench) move(ctx context.Context, p program, database string, extra ...string) (*lab.Wherry, error) {
	w, err := b.prepare(database, extra...)
	if err != nil {
		return nil, err
	}
	w = w.With(p.path)
	_, _, err = w.Run(ctx, "init-schema")
	return w, err
}

// sameRows fails unless tables hold the same rows, by the server's own checksum; the two ends must be of one
// flavor for that.
func (b *bench) sameRows(ctx context.Context, sourceTable string, targetTables ...string) error {
	if b.from != b.to {
		return nil
	}
	want, err := checksum(ctx, b.sourceDB, sourceTable)
	if err != nil {
		return err
	}
	for _, table := range targetTables {
		got, err := checksum(ctx, b.targetDB, table)
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("table %s of the target has checksum %d, %s of the source %d", table, got, sourceTable,
				want)
		}
	}
	return nil
}

func checksum(ctx context.Context, db *sql.DB, table string) (sum int64, err error) {
	var name string
	if err := db.QueryRowContext(ctx, "CHECKSUM TABLE "+table).Scan(&name, &sum); err != nil {
		return 0, fmt.Errorf("checksum of %s: %w", table, err)
	}
	return sum, nil
}

// load is how many processes wanted a CPU during the last minute: more than a few tenths before a run means that
// other work disturbs it. It is 0 where the system does not tell.
func load() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	var minute float64
	if _, err := fmt.Sscan(string(text), &minute); err != nil {
		return 0
	}
	return minute
}
