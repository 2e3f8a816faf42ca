package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"wherry/test/internal/lab"
)

// copyPart measures init-copy against bare LOAD DATA of the same rows with the same indexes, built before or after
// the rows.
func (b *bench) copyPart(ctx context.Context) error {
	chunks := encodeRows(b.rows)
	for _, c := range []struct{ database, indexes, name string }{
		{"bench_plain", noIndexes, "no secondary index"},
		{"bench_indexes", twoIndexes, "two secondary indexes"},
	} {
		if err := fill(ctx, b.sourceDB, c.database, 1, b.rows, c.indexes); err != nil {
			return err
		}
		if err := b.copyCase(ctx, c.database, c.indexes, c.name, chunks); err != nil {
			return err
		}
		if err := withConn(ctx, b.sourceDB, []string{"SET sql_log_bin = 0", "DROP DATABASE " + c.database},
			none); err != nil {
			return err
		}
	}
	return nil
}

func none(*sql.Conn) error { return nil }

// encodeRows returns the rows in the form that LOAD DATA reads, by connection and statement. It is not measured.
func encodeRows(rows int) (chunks [connections][][]byte) {
	for c := range connections {
		first, last := share(rows, c)
		for ; first < last; first += perStatement {
			var out lab.TSV
			for i := first; i < min(first+perStatement, last); i++ {
				row(&out, i)
				out.End()
			}
			chunks[c] = append(chunks[c], out.Bytes())
		}
	}
	return chunks
}

// The rivals of the copy. Which is the stronger one depends on the indexes and on the server.
const (
	indexedBefore = "LOAD DATA LOCAL, indexes in place"
	indexedAfter  = "LOAD DATA LOCAL, indexes after"
)

func (b *bench) copyCase(ctx context.Context, database, indexes, name string, chunks [connections][][]byte) error {
	r := b.results.section("copy, %s: %s rows of 195 bytes, %d connections", name, thousands(b.rows), connections)
	rivals := []string{indexedBefore}
	if indexes != noIndexes {
		rivals = append(rivals, indexedAfter)
	}
	for round := range b.rounds {
		var runs []func() error
		for _, rival := range rivals {
			runs = append(runs, func() error { return b.bareLoad(ctx, r, database, indexes, rival, chunks) })
		}
		for _, p := range b.turns(round) {
			runs = append(runs, func() error { return b.copied(ctx, r, database, p) })
		}
		for i := range runs {
			if err := b.tidy(ctx, database); err != nil {
				return err
			}
			if err := runs[(i+round)%len(runs)](); err != nil { // another one goes first each time
				return err
			}
			if err := b.sameRows(ctx, database+".t1", database+".t1"); err != nil {
				return err
			}
		}
	}
	for _, rival := range rivals {
		r.ratio("wherry init-copy", rival, "")
	}
	r.figure("wherry init-copy / " + rivals[len(rivals)-1]).Note = "goal 0.85"
	r.print()
	return b.tidy(ctx, database)
}

// copied measures init-copy of one build.
func (b *bench) copied(ctx context.Context, r *section, database string, p program) error {
	w, err := b.move(ctx, p, database)
	if err != nil {
		return err
	}
	child, summary, err := w.Run(ctx, "init-copy")
	if err != nil {
		return err
	}
	if got := int(summary.Number("rows")); got != b.rows {
		return fmt.Errorf("init-copy says that it copied %d rows of %d", got, b.rows)
	}
	r.add(p.name+" init-copy", "rows/s", float64(b.rows)/child.Wall.Seconds())
	r.add(p.name+", rows only", "rows/s", summary.Number("rows_per_second"))
	r.add(p.name+", indexes", "s", summary.Number("index_seconds"))
	r.add(p.name+", CPU", "s per million rows", child.CPU.Seconds()/float64(b.rows)*1e6)
	r.add(p.name+", memory", "MB", megabytes(child.PeakRSS))
	return nil
}

// bareLoad loads rows that lie ready in memory into a new table, which has its indexes before or gets them at once
// afterwards.
func (b *bench) bareLoad(ctx context.Context, r *section, database, indexes, how string,
	chunks [connections][][]byte,
) error {
	first := indexes
	if how == indexedAfter {
		first = noIndexes
	}
	if err := recreate(ctx, b.targetDB, database, 1, first); err != nil {
		return err
	}
	began := time.Now()
	group, loading := errgroup.WithContext(ctx)
	for c := range connections {
		group.Go(func() error {
			return withConn(loading, b.targetDB, []string{"SET unique_checks = 0", "SET foreign_key_checks = 0"},
				func(conn *sql.Conn) error {
					for _, chunk := range chunks[c] {
						if _, err := lab.Load(loading, conn, database+".t1", columns,
							bytes.NewReader(chunk)); err != nil {
							return err
						}
					}
					return nil
				})
		})
	}
	err := group.Wait()
	if err == nil && how == indexedAfter {
		err = lab.Exec(ctx, b.targetDB, "ALTER TABLE "+database+".t1 "+addIndexes)
	}
	r.add(how, "rows/s", float64(b.rows)/time.Since(began).Seconds())
	return err
}

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }
