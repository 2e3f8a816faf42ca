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

// copyPart measures init-copy against bare LOAD DATA of the same rows with the same indexes.
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
		if err := withConn(ctx, b.sourceDB, []string{"SET sql_log_bin = 0", "DROP DATABASE " + c.database}, none); err != nil {
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

func (b *bench) copyCase(ctx context.Context, database, indexes, name string, chunks [connections][][]byte) error {
	r := b.results.section("copy, %s: %s rows of 195 bytes, %d connections", name, thousands(b.rows), connections)
	for range b.rounds {
		if err := b.tidy(ctx, database); err != nil {
			return err
		}
		took, err := b.bareLoad(ctx, database, indexes, chunks)
		if err != nil {
			return err
		}
		r.add("bare LOAD DATA LOCAL", "rows/s", float64(b.rows)/took.Seconds())

		if err := b.tidy(ctx, database); err != nil {
			return err
		}
		w, err := b.move(ctx, database)
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
		r.add("wherry init-copy", "rows/s", float64(b.rows)/child.Wall.Seconds())
		r.add("wherry, rows only", "rows/s", summary.Number("rows_per_second"))
		r.add("wherry, indexes", "s", summary.Number("index_seconds"))
		r.add("wherry, CPU", "s per million rows", child.CPU.Seconds()/float64(b.rows)*1e6)
		r.add("wherry, memory", "MB", megabytes(child.PeakRSS))
		if err := b.sameRows(ctx, database+".t1", database+".t1"); err != nil {
			return err
		}
	}
	r.ratio("wherry init-copy", "bare LOAD DATA LOCAL", "goal 0.85")
	r.print()
	return b.tidy(ctx, database)
}

// bareLoad loads rows that lie ready in memory into a new table that has its indexes.
func (b *bench) bareLoad(ctx context.Context, database, indexes string, chunks [connections][][]byte) (time.Duration, error) {
	if err := recreate(ctx, b.targetDB, database, 1, indexes); err != nil {
		return 0, err
	}
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for c := range connections {
		group.Go(func() error {
			return withConn(ctx, b.targetDB, []string{"SET unique_checks = 0", "SET foreign_key_checks = 0"}, func(conn *sql.Conn) error {
				for _, chunk := range chunks[c] {
					if _, err := lab.Load(ctx, conn, database+".t1", columns, bytes.NewReader(chunk)); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	err := group.Wait()
	return time.Since(began), err
}

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }
