package main

import (
	"context"
	"fmt"

	"wherry/test/internal/lab"
)

const memoryDatabase = "bench_memory"

// memoryPart measures the peak of wherry's memory: for a copy and for one transaction, each at a quarter of the
// size and at the whole.
func (b *bench) memoryPart(ctx context.Context) error {
	full := int(float64(b.rows) * b.scale)
	r := b.results.section("memory: 4 tables copied, then every row of one changed in one transaction")
	for _, rows := range []int{full / 4, full} {
		if err := b.memoryCase(ctx, r, rows); err != nil {
			return err
		}
	}
	r.print()
	return nil
}

func (b *bench) memoryCase(ctx context.Context, r *section, rows int) error {
	const tables = 4
	if err := b.tidy(ctx, memoryDatabase); err != nil {
		return err
	}
	if err := fill(ctx, b.sourceDB, memoryDatabase, tables, rows, oneIndex); err != nil {
		return err
	}
	w, err := b.move(ctx, b.own(), memoryDatabase)
	if err != nil {
		return err
	}
	child, summary, err := w.Run(ctx, "init-copy")
	if err != nil {
		return err
	}
	if got := int(summary.Number("rows")); got != tables*rows {
		return fmt.Errorf("init-copy says that it copied %d rows of %d", got, tables*rows)
	}
	r.add(fmt.Sprintf("copy of %s rows", thousands(tables*rows)), "MB", megabytes(child.PeakRSS))
	r.figure(fmt.Sprintf("copy of %s rows", thousands(tables*rows))).Note = fmt.Sprintf("in %.0f s, goal < 200",
		child.Wall.Seconds())

	if err := lab.Exec(ctx, b.sourceDB, "UPDATE "+memoryDatabase+".t1 SET k = k + 1"); err != nil {
		return err
	}
	child, _, err = w.Run(ctx, "start-replica", "--until-caught-up")
	if err != nil {
		return err
	}
	r.add(fmt.Sprintf("transaction of %s rows", thousands(rows)), "MB", megabytes(child.PeakRSS))
	r.figure(fmt.Sprintf("transaction of %s rows", thousands(rows))).Note = fmt.Sprintf("in %.0f s, goal < 200",
		child.Wall.Seconds())
	if err := b.sameRows(ctx, memoryDatabase+".t1", memoryDatabase+".t1"); err != nil {
		return err
	}
	return b.tidy(ctx, memoryDatabase)
}
