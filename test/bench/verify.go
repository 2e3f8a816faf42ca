package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	verifyDatabase = "bench_verify"
	sumConnections = 2      // of the bare query, per server
	sumRows        = 10_000 // of a chunk
)

// verifyPart measures verify against a bare query that sums SHA-256 of every row, in chunks, on both servers.
func (b *bench) verifyPart(ctx context.Context) error {
	if _, err := b.follow(ctx, b.own(), verifyDatabase, b.rows); err != nil {
		return err
	}
	r := b.results.section("verify: %s rows of 195 bytes on both servers, against SHA2 of every row over %d "+
		"connections each", thousands(b.rows), sumConnections)
	for round := range b.rounds {
		runs := []func() error{func() error { return b.bareSums(ctx, r) }}
		for _, p := range b.turns(round) {
			runs = append(runs, func() error { return b.verified(ctx, r, p) })
		}
		for i := range runs {
			if err := runs[(i+round)%len(runs)](); err != nil {
				return err
			}
		}
	}
	for _, p := range b.turns(0) {
		r.ratio(p.name+" verify", "bare SHA2 sums", "goal: at most 1.1")
	}
	r.print()
	return b.tidy(ctx, verifyDatabase)
}

func (b *bench) verified(ctx context.Context, r *section, p program) error {
	w, err := b.follow(ctx, p, verifyDatabase, b.rows)
	if err != nil {
		return err
	}
	child, summary, err := w.Run(ctx, "verify")
	if err != nil {
		return err
	}
	if got := int(summary.Number("rows")); got != b.rows {
		return fmt.Errorf("verify says that it compared %d rows of %d", got, b.rows)
	}
	r.add(p.name+" verify", "s", child.Wall.Seconds())
	return nil
}

// bareSums is what a client does that knows the table: nothing but one expression per row, a chunk at a time.
func (b *bench) bareSums(ctx context.Context, r *section) error {
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for _, pool := range []*sql.DB{b.sourceDB, b.targetDB} {
		for c := range sumConnections {
			group.Go(func() error {
				for first := c * sumRows; first < b.rows; first += sumConnections * sumRows {
					var rows int
					var sum string
					err := pool.QueryRowContext(ctx,
						fmt.Sprintf("SELECT COUNT(*), SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS('#', id, k, c, pad), 256), "+
							"16), 16, 10) AS UNSIGNED)) "+
							"FROM %s.t1 WHERE id > %d AND id <= %d", verifyDatabase, first, first+sumRows)).Scan(&rows,
						&sum)
					if err != nil {
						return fmt.Errorf("sum rows: %w", err)
					}
					if want := min(sumRows, b.rows-first); rows != want {
						return fmt.Errorf("a chunk has %d rows instead of %d", rows, want)
					}
				}
				return nil
			})
		}
	}
	err := group.Wait()
	r.add("bare SHA2 sums", "s", time.Since(began).Seconds())
	return err
}
