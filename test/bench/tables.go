package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"wherry/test/internal/lab"
)

const (
	tablesDatabase = "bench_tables"
	dumpedDatabase = "dumped_tables"
	tableRows      = 50
	tablesAtOnce   = 20 // of one packet
)

// tablesPart measures how fast many small tables are moved, from nothing to a consistent target with all indexes,
// against a dump that is piped into the target.
func (b *bench) tablesPart(ctx context.Context) error {
	for _, n := range []int{b.tables, 5 * b.tables} {
		if err := b.manyTables(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) manyTables(ctx context.Context, n int) error {
	if err := b.fillTables(ctx, n); err != nil {
		return err
	}
	r := b.results.section("tables: %s tables of %d rows with two indexes", thousands(n), tableRows)
	for round := range b.rounds {
		runs := []func() error{func() error { return b.dumped(ctx, r) }}
		for _, p := range b.turns(round) {
			runs = append(runs, func() error { return b.moved(ctx, r, p, n) })
		}
		for i := range runs {
			if err := runs[(i+round)%len(runs)](); err != nil {
				return err
			}
		}
	}
	r.ratio("a dump, piped", "wherry", "goal: above 1")
	r.print()
	return b.tidy(ctx, tablesDatabase, dumpedDatabase)
}

func (b *bench) fillTables(ctx context.Context, n int) error {
	pool, err := b.source.Batch("")
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := lab.Exec(ctx, pool, "DROP DATABASE IF EXISTS "+tablesDatabase,
		"CREATE DATABASE "+tablesDatabase); err != nil {
		return err
	}
	var rows []string
	for i := range tableRows {
		rows = append(rows, fmt.Sprintf("(%d, %d, 'row %d')", i+1, i*7%100, i))
	}
	var packets []string
	var packet strings.Builder
	for i := range n {
		name := tablesDatabase + ".t" + strconv.Itoa(i)
		packet.WriteString("CREATE TABLE " + name + " (id INT PRIMARY KEY, k INT NOT NULL, c VARCHAR(100) NOT NULL, " +
			"KEY k (k), KEY c (c));" +
			"INSERT INTO " + name + " VALUES " + strings.Join(rows, ", ") + ";")
		if (i+1)%tablesAtOnce == 0 || i+1 == n {
			packets = append(packets, packet.String())
			packet.Reset()
		}
	}
	return lab.Exec(ctx, pool, append(packets, "DO 0")...) // the last one waits for the end of the packet before it
}

// moved measures init-schema and init-copy of one build.
func (b *bench) moved(ctx context.Context, r *section, p program, n int) error {
	if err := b.tidy(ctx, tablesDatabase); err != nil {
		return err
	}
	w, err := b.prepare(tablesDatabase)
	if err != nil {
		return err
	}
	w = w.With(p.path)
	schema, _, err := w.Run(ctx, "init-schema")
	if err != nil {
		return err
	}
	copied, summary, err := w.Run(ctx, "init-copy")
	if err != nil {
		return err
	}
	if got := int(summary.Number("rows")); got != n*tableRows {
		return fmt.Errorf("init-copy says that it copied %d rows of %d", got, n*tableRows)
	}
	r.add(p.name, "s", (schema.Wall + copied.Wall).Seconds())
	r.add(p.name+", init-schema", "s", schema.Wall.Seconds())
	r.add(p.name+", init-copy", "s", copied.Wall.Seconds())
	r.add(p.name+", CPU", "s", (schema.CPU + copied.CPU).Seconds())
	return nil
}

// dumped measures the clients that come with the servers.
func (b *bench) dumped(ctx context.Context, r *section) error {
	if err := b.tidy(ctx, dumpedDatabase); err != nil {
		return err
	}
	if err := lab.Exec(ctx, b.targetDB, "CREATE DATABASE "+dumpedDatabase); err != nil {
		return err
	}
	began := time.Now()
	if err := b.pipe(ctx, client("mariadb-dump", b.source, "--single-transaction", "--no-tablespaces", tablesDatabase),
		client("mariadb", b.target, dumpedDatabase)); err != nil {
		return err
	}
	r.add("a dump, piped", "s", time.Since(began).Seconds())
	return nil
}

// client is the command line of a MariaDB client, which talks to MySQL too.
func client(name string, s lab.Server, args ...string) []string {
	return append([]string{
		name, "--no-defaults", "--skip-ssl", "--protocol=tcp", "--host=" + s.Host, "--port=" + strconv.Itoa(s.Port),
		"--user=" + lab.User, "--password=" + lab.Password,
	}, args...)
}

// pipe runs two programs, the first's output going to the second.
func (b *bench) pipe(ctx context.Context, from, to []string) error {
	first, second := exec.CommandContext(ctx, from[0], from[1:]...), exec.CommandContext(ctx, to[0],
		to[1:]...) //nolint:gosec // our own words
	read, write := io.Pipe()
	first.Stdout, second.Stdin = write, read
	var said strings.Builder
	first.Stderr, second.Stderr = &said, b.log
	if err := errors.Join(first.Start(), second.Start()); err != nil {
		return fmt.Errorf("run %s into %s: %w", from[0], to[0], err)
	}
	err := first.Wait()
	_ = write.Close()
	if err = errors.Join(err, second.Wait()); err != nil {
		return fmt.Errorf("run %s into %s: %w: %.500s", from[0], to[0], err, said.String())
	}
	return nil
}
