package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/test/internal/lab"
)

const (
	cutoverDatabase = "bench_cutover"
	cutoverRows     = 100_000
	rehearsals      = 10
	largeLog        = 900 << 20 // bytes of the source's log file
)

// cutoverPart measures for how long a cutover blocks writes, by the writer: the longest time without an acknowledged
// write while it is rehearsed. First with a large file of the source's log, then with a new one.
func (b *bench) cutoverPart(ctx context.Context) error {
	if err := b.inflateLog(ctx); err != nil {
		return err
	}
	for _, c := range []struct{ name, before string }{
		{fmt.Sprintf("a log file of %d MB", largeLog>>20), "DO 0"},
		{"a new log file", "FLUSH BINARY LOGS"},
	} {
		r := b.results.section("cutover, %s: %s writes/s, %d rehearsals a round, the writer's longest wait", c.name,
			thousands(writeRate), rehearsals)
		for round := range min(b.rounds, 2) {
			for _, p := range b.turns(round) {
				if err := b.rehearse(ctx, r, p, c.before); err != nil {
					return err
				}
			}
		}
		r.print()
	}
	return b.tidy(ctx, cutoverDatabase)
}

// inflateLog makes the source's log file large with rows of a table that does not move.
func (b *bench) inflateLog(ctx context.Context) error {
	const rows, width = 2000, 4000 // of a transaction; the server cuts them into events of 8 KB
	err := lab.Exec(ctx, b.sourceDB, "SET GLOBAL max_binlog_size = 1073741824", "FLUSH BINARY LOGS",
		"DROP DATABASE IF EXISTS bench_log",
		"CREATE DATABASE bench_log", "CREATE TABLE bench_log.u (id INT PRIMARY KEY, v TEXT)",
		"CREATE TABLE bench_log.n (n INT PRIMARY KEY)", "INSERT INTO bench_log.n VALUES (0)")
	for n := 1; n < rows && err == nil; n *= 2 {
		err = lab.Exec(ctx, b.sourceDB, fmt.Sprintf("INSERT INTO bench_log.n SELECT n + %d FROM bench_log.n WHERE n "+
			"+ %d < %d", n, n, rows))
	}
	for i := 0; i < largeLog/(rows*width) && err == nil; i++ {
		err = lab.Exec(ctx, b.sourceDB,
			fmt.Sprintf("INSERT INTO bench_log.u SELECT n, REPEAT('x', %d) FROM bench_log.n", width),
			"TRUNCATE TABLE bench_log.u")
	}
	return err
}

func (b *bench) rehearse(ctx context.Context, r *section, p program, before string) (err error) {
	w, err := b.follow(ctx, p, cutoverDatabase, cutoverRows)
	if err != nil {
		return err
	}
	app, err := b.openWriter(ctx, cutoverDatabase)
	if err != nil {
		return err
	}
	defer app.close()
	if err := lab.Exec(ctx, b.sourceDB, before); err != nil {
		return err
	}
	working, stop := context.WithCancel(ctx)
	wrote := make(chan error, 1)
	go func() { wrote <- app.run(working) }()
	defer func() {
		stop()
		err = errors.Join(err, <-wrote)
	}()
	child, err := w.Start(ctx, "start-replica")
	if err != nil {
		return err
	}
	defer func() {
		_ = child.Signal(stopSignal)
		<-child.Done()
	}()
	if _, _, err := w.Run(ctx, "verify"); err != nil {
		return err
	}
	calm := time.Now()
	time.Sleep(time.Second)
	quiet := app.longestGap(calm, time.Now())
	var waits, told []time.Duration
	for range rehearsals {
		began := time.Now()
		_, summary, err := w.Run(ctx, "cutover", "--rehearse", "--confirm="+moveName)
		if err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
		waits = append(waits, app.longestGap(began, time.Now()))
		told = append(told, summary.Duration("blocked_seconds"))
		for _, part := range []string{"fence", "drain", "verify"} {
			r.add(p.name+", "+part, "ms", milliseconds(summary.Duration(part+"_seconds")))
		}
	}
	r.add(p.name+", median", "ms", milliseconds(quantile(waits, 0.5)))
	r.add(p.name+", longest", "ms", milliseconds(quantile(waits, 1)))
	r.add(p.name+", as it says, median", "ms", milliseconds(quantile(told, 0.5)))
	r.add(p.name+", longest wait before", "ms", milliseconds(quiet))
	return nil
}
