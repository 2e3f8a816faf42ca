package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/sync/errgroup"

	"wherry/test/internal/lab"
)

const (
	writeRate  = 1000 // single-row transactions per second, of all lanes together
	lanes      = 8    // connections of the writer
	laneIDs    = 200_000_000
	retryWrite = 500 * time.Microsecond // after the source has refused a write

	appUser     = "bench_app" // an account that read_only stops
	appPassword = "bench"
)

// writer is an application that inserts rows at a steady rate, and keeps when each was acknowledged.
type writer struct {
	pool  *sql.DB
	table string

	mu    sync.Mutex
	began time.Time
	acked [lanes][]time.Duration // since began, of the rows of a lane in order
}

// openWriter makes the writer's account on the source and connects with it.
func (b *bench) openWriter(ctx context.Context, database string) (*writer, error) {
	err := lab.Exec(ctx, b.sourceDB, fmt.Sprintf("CREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY '%s'", appUser,
		appPassword),
		fmt.Sprintf("GRANT SELECT, INSERT ON %s.* TO '%s'@'%%'", database, appUser))
	if err != nil {
		return nil, err
	}
	pool, err := b.source.Open(appUser, appPassword, database)
	if err != nil {
		return nil, err
	}
	pool.SetMaxIdleConns(lanes)
	return &writer{pool: pool, table: database + ".t1", began: time.Now()}, nil
}

// run writes until ctx ends. A refused write is tried again until it is taken.
func (w *writer) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for lane := range lanes {
		group.Go(func() error {
			err := w.lane(ctx, lane)
			if ctx.Err() != nil {
				return nil
			}
			return err
		})
	}
	return group.Wait()
}

func (w *writer) lane(ctx context.Context, lane int) error {
	const every = time.Second * lanes / writeRate
	due := w.began.Add(time.Duration(lane) * every / lanes) // so that writes come one by one, at even distances
	text := strings.Repeat("0123456789-", 11)[:lenC]
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(due)):
		}
		// What could not be written in time is not made up for: the rate is steady.
		for due = due.Add(every); time.Until(due) < -every; {
			due = due.Add(every)
		}
		w.mu.Lock()
		id := laneStart(lane) + len(w.acked[lane])
		w.mu.Unlock()
		statement := fmt.Sprintf("INSERT INTO %s (id, k, c, pad) VALUES (%d, %d, '%s', '%s')", w.table, id,
			id%1_000_003, text, text[:lenPad])
		for {
			_, err := w.pool.ExecContext(context.WithoutCancel(ctx), statement)
			if err == nil {
				break
			}
			var refused *mysql.MySQLError
			if !errors.As(err, &refused) || refused.Number != 1290 && refused.Number != 1836 {
				return fmt.Errorf("write to the source: %w", err)
			}
			time.Sleep(retryWrite)
		}
		w.mu.Lock()
		w.acked[lane] = append(w.acked[lane], time.Since(w.began))
		w.mu.Unlock()
	}
}

// laneStart is the first id of a lane, far above those of the rows that are there before.
func laneStart(lane int) int { return (lane + 1) * laneIDs }

// at is when row n of a lane was acknowledged.
func (w *writer) at(lane, n int) (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n >= len(w.acked[lane]) {
		return 0, false // it is committed, and the answer is on its way
	}
	return w.acked[lane][n], true
}

// longestGap is the longest time between two acknowledged writes, whatever the lane, from one moment to another.
func (w *writer) longestGap(from, to time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	first, last := from.Sub(w.began), to.Sub(w.began)
	var all []time.Duration
	for _, lane := range w.acked {
		for _, at := range lane {
			if at >= first && at <= last {
				all = append(all, at)
			}
		}
	}
	return longestStep(all)
}

func (w *writer) close() { _ = w.pool.Close() }
