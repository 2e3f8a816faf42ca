package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"wherry/test/internal/lab"
)

const (
	lagDatabase = "bench_lag"
	lagRows     = 100_000
	lagWarmUp   = 2 * time.Second
	probeEvery  = time.Millisecond
)

// lagPart measures how long after its acknowledgement on the source a write can be read on the target, at a steady
// rate of writes, against the server's own replica.
func (b *bench) lagPart(ctx context.Context) error {
	r := b.results.section("lag: %s writes/s, from the acknowledgement on the source until the row can be read; read "+
		"every %s", thousands(writeRate), probeEvery)
	for round := range b.rounds {
		for _, p := range b.turns(round) {
			if err := b.lagOfWherry(ctx, r, p); err != nil {
				return err
			}
		}
		if b.from == b.to {
			if err := b.lagOfReplica(ctx, r); err != nil {
				return err
			}
		}
	}
	r.print()
	return b.tidy(ctx, lagDatabase)
}

func (b *bench) lagOfWherry(ctx context.Context, r *section, p program) error {
	w, err := b.follow(ctx, p, lagDatabase, lagRows)
	if err != nil {
		return err
	}
	child, err := w.Start(ctx, "start-replica")
	if err != nil {
		return err
	}
	err = b.lag(ctx, r, p.name, b.targetDB)
	_ = child.Signal(stopSignal)
	<-child.Done()
	if err != nil {
		return fmt.Errorf("%w; start-replica logged: %s", err, child.Log())
	}
	r.add(p.name+", CPU", "ms per s", float64(child.CPU.Milliseconds())/child.Wall.Seconds())
	return nil
}

func (b *bench) lagOfReplica(ctx context.Context, r *section) error {
	if err := fill(ctx, b.sourceDB, lagDatabase, 1, lagRows, oneIndex); err != nil {
		return err
	}
	replica, err := b.openReplica(ctx, lagDatabase, lagRows)
	if err != nil {
		return err
	}
	defer replica.db.Close()
	from, err := binlogEnd(ctx, b.sourceDB)
	if err != nil {
		return err
	}
	if err := lab.Exec(ctx, replica.db, append(replica.prepare(b.source, from), "START REPLICA")...); err != nil {
		return err
	}
	if err := b.lag(ctx, r, "the server's own replica", replica.db); err != nil {
		return err
	}
	return lab.Exec(ctx, replica.db, "STOP REPLICA")
}

// lag writes to the source and reads from the other end.
func (b *bench) lag(ctx context.Context, r *section, name string, end *sql.DB) error {
	w, err := b.openWriter(ctx, lagDatabase)
	if err != nil {
		return err
	}
	defer w.close()
	writing, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- w.run(writing) }()
	lags, err := probe(ctx, end, w, time.Duration(b.seconds)*time.Second)
	stop()
	if werr := <-done; err == nil {
		err = werr
	}
	if err != nil {
		return err
	}
	r.add(name+", p50", "ms", milliseconds(quantile(lags, 0.5)))
	r.add(name+", p99", "ms", milliseconds(quantile(lags, 0.99)))
	r.add(name+", longest", "ms", milliseconds(quantile(lags, 1)))
	r.add(name+", writes", "per s", float64(len(lags))/float64(b.seconds))
	return nil
}

// probe reads the last row of every lane again and again, and returns the lags of all rows that appear after the
// warm-up.
func probe(ctx context.Context, end *sql.DB, w *writer, length time.Duration) (lags []time.Duration, err error) {
	var queries []string
	for lane := range lanes {
		queries = append(queries, fmt.Sprintf("(SELECT COALESCE(MAX(id), %d) FROM %s WHERE id BETWEEN %d AND %d)",
			laneStart(lane)-1, w.table,
			laneStart(lane), laneStart(lane+1)-1))
	}
	query := "SELECT " + strings.Join(queries, ", ")
	var seen [lanes]int // rows of each lane
	var ids [lanes]int
	into := make([]any, lanes)
	for lane := range ids {
		into[lane] = &ids[lane]
	}
	begin := time.Now().Add(lagWarmUp)
	first := time.Now().Add(time.Minute)
	for time.Now().Before(begin.Add(length)) {
		if err := end.QueryRowContext(ctx, query).Scan(into...); err != nil {
			return nil, fmt.Errorf("read rows that arrive: %w", err)
		}
		now := time.Now()
		any := false
		for lane, id := range ids {
			for ; seen[lane] <= id-laneStart(lane); seen[lane]++ {
				any = true
				if at, ok := w.at(lane, seen[lane]); now.After(begin) {
					if !ok {
						at = now.Sub(w.began)
					}
					lags = append(lags, max(now.Sub(w.began)-at, 0))
				}
			}
		}
		if !any && len(lags) == 0 && now.Before(first) && seen == [lanes]int{} {
			begin = now.Add(lagWarmUp) // nothing has arrived yet
		}
		time.Sleep(probeEvery)
	}
	if len(lags) == 0 {
		return nil, fmt.Errorf("no row arrived")
	}
	return lags, nil
}

// longestStep is the longest time between neighbours.
func longestStep(times []time.Duration) (longest time.Duration) {
	slices.Sort(times)
	for i := 1; i < len(times); i++ {
		longest = max(longest, times[i]-times[i-1])
	}
	return longest
}

// quantile is the value that a share of the values does not exceed.
func quantile(values []time.Duration, share float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
