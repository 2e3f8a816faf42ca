package postgres

import (
	"context"
	"fmt"
	"hash/maphash"

	"wherry/pkg/db"
)

// Bounds of one statement. Its parameters are held by both ends.
const (
	statementRows  = 5000
	statementBytes = 8 << 20
)

// split gives every key to one connection. Each part lists the same tables, so that counts can be added up by index.
// Rows that may wait for each other's locks go to one connection: connections commit together, so the wait would never
// end.
func (a *applier) split(b *db.Batch) []db.Batch {
	parts := make([]db.Batch, len(a.wires))
	for _, tb := range b.Tables {
		tables := make([]db.TableBatch, len(parts))
		for i := range tables {
			tables[i].Route = tb.Route
		}
		if len(tb.Route.Target.Key) == 0 || tb.Route.Target.Table.OtherUnique() || keyComparesOtherwise(tb.Route) {
			tables[0] = tb
		} else {
			for _, key := range tb.Deletes {
				t := &tables[a.worker(key)]
				t.Deletes = append(t.Deletes, key)
			}
			for _, row := range tb.Upserts {
				t := &tables[a.worker(row.Pick(tb.Route.Target.Key))]
				t.Upserts = append(t.Upserts, row)
			}
		}
		for i := range tables {
			parts[i].Tables = append(parts[i].Tables, tables[i])
		}
	}
	return parts
}

// worker hashes a key to a connection. Equal bytes go to the same one, so later changes of a row come after earlier
// ones.
func (a *applier) worker(key db.Row) int {
	var h maphash.Hash
	h.SetSeed(a.seed)
	for _, v := range key {
		_, _ = h.Write(v)
		_ = h.WriteByte(0)
	}
	return int(h.Sum64() % uint64(len(a.wires))) //nolint:gosec // below the number of connections
}

// part writes a batch on one connection and returns how many rows of each table it removed.
func (a *applier) part(ctx context.Context, i int, b *db.Batch) (deleted []int64, err error) {
	deleted = make([]int64, len(b.Tables))
	for j := range b.Tables {
		tb := &b.Tables[j]
		w := a.writers[i][tb.Route]
		if w == nil {
			if w, err = a.newWriter(i, tb.Route); err != nil {
				return deleted, err
			}
			a.writers[i][tb.Route] = w
		}
		if len(tb.Route.Target.Key) == 0 {
			deleted[j], err = w.bag(ctx, tb)
		} else {
			deleted[j], err = w.keyed(ctx, tb)
		}
		if err != nil {
			return deleted, fmt.Errorf("apply changes to %s: %w", tb.Route.Target.Name(), err)
		}
	}
	return deleted, nil
}
