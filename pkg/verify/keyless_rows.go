package verify

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"wherry/pkg/db"
)

// buckets is the number of parts that a table is cut into, by the first two bytes of the rows' digests, to find the
// parts that differ. A table of a billion rows has some 15,000 rows in each, which fit into memory.
const buckets = 1 << 16

type digest = [sha256.Size]byte

func bucketOf(d digest) uint16 { return binary.BigEndian.Uint16(d[:]) }

// differences visits every distinct row of which one bag holds more than the other. more is the left count less the
// right one: above 0, so many are missing on the target; below 0, the target holds so many too many. The latter come
// first, so that their removal makes room for unique values.
//
// Rows are counted by their digests. Of a table that is too large for that, the rows are first summed in buckets, and
// then only the buckets that are not equal are counted, as many at a time as memory allows.
func (p *bagPair) differences(ctx context.Context, rows int64,
	visit func(ctx context.Context, row db.Row, more int64) error,
) error {
	groups := []map[uint16]bool{nil}
	if rows > int64(p.r.opts.MaxCount) {
		var err error
		if groups, err = p.unequalBuckets(ctx); err != nil {
			return err
		}
	}
	for _, group := range groups {
		surplus, err := p.count(ctx, group)
		if err != nil {
			return err
		}
		var buffer []byte
		err = p.each(ctx, func(row db.Row, sign int64) error {
			if len(surplus) == 0 {
				return nil
			}
			var d digest
			d, buffer = row.Digest(buffer)
			more := surplus[d]
			if more*sign <= 0 {
				return nil
			}
			delete(surplus, d)
			return visit(ctx, row, more)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// count counts the rows of some buckets (nil: of all), those on the left less those on the right.
func (p *bagPair) count(ctx context.Context, group map[uint16]bool) (map[digest]int64, error) {
	surplus := map[digest]int64{}
	var buffer []byte
	err := p.each(ctx, func(row db.Row, sign int64) error {
		var d digest
		d, buffer = row.Digest(buffer)
		if group != nil && !group[bucketOf(d)] {
			return nil
		}
		if surplus[d] += sign; surplus[d] == 0 {
			delete(surplus, d)
		}
		return nil
	})
	return surplus, err
}

// unequalBuckets returns the buckets whose rows are not equal on both sides, in groups of at most Options.MaxCount
// rows, or of one.
func (p *bagPair) unequalBuckets(ctx context.Context) ([]map[uint16]bool, error) {
	type bucket struct{ rows, surplus, hash int64 }
	all := make([]bucket, buckets)
	var buffer []byte
	err := p.each(ctx, func(row db.Row, sign int64) error {
		var d digest
		d, buffer = row.Digest(buffer)
		b := &all[bucketOf(d)]
		b.rows++
		b.surplus += sign
		b.hash += sign * int64(binary.BigEndian.Uint64(d[8:])) //nolint:gosec // bits, added modulo 2^64
		return nil
	})
	var groups []map[uint16]bool
	room := int64(0)
	for i, b := range all {
		if b.surplus == 0 && b.hash == 0 {
			continue
		}
		if room -= b.rows; room < 0 || len(groups) == 0 {
			groups = append(groups, map[uint16]bool{})
			room = int64(p.r.opts.MaxCount) - b.rows
		}
		groups[len(groups)-1][uint16(i)] = true //nolint:gosec // below buckets
	}
	return groups, err
}

// repairRows is how many rows without a key one repair writes.
const repairRows = 1000

// writer takes in differences, and repairs them if asked to.
//
// A repair of rows without a key must not be made twice: adding a missing row again would make two. So each repair
// shows a ticket, the number of repairs before the target was read, and raises that number in its transaction. Any
// repair since then, by whomever, makes the ticket invalid; so does the same repair if its answer was lost. Then the
// whole table is compared again.
type writer struct {
	p        *bagPair
	f        *found
	mend     bool
	computed bool // only values differ that the target computes
	batch    db.TableBatch
	size     int
	wrote    int64
}

func (w *writer) add(ctx context.Context, row db.Row, more int64) error {
	rel := &w.p.rt.Source
	if more > 0 {
		w.f.addRows(renderRow(rel, row), Missing, more)
	} else {
		w.f.addRows(renderRow(rel, row), Extra, -more)
	}
	if w.computed {
		w.f.table.Computed += max(more, -more)
		for i := range w.f.table.Listed {
			w.f.table.Listed[i].Computed = true
		}
	}
	if !w.mend {
		return nil
	}
	row = row.Clone()
	for n := more; n != 0; {
		if n > 0 {
			w.batch.Upserts, n = append(w.batch.Upserts, row), n-1
		} else {
			w.batch.Deletes, n = append(w.batch.Deletes, row), n+1
		}
		if w.size += row.Size(); w.size >= repairBytes || len(w.batch.Deletes)+len(w.batch.Upserts) >= repairRows {
			if err := w.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) flush(ctx context.Context) error {
	n := len(w.batch.Deletes) + len(w.batch.Upserts)
	if n == 0 {
		return nil
	}
	w.batch.Route = w.p.rt
	if err := w.p.r.target.Repair(ctx, &db.Batch{Tables: []db.TableBatch{w.batch}, Ticket: w.p.ticket}); err != nil {
		return err
	}
	made, err := strconv.ParseInt("0"+w.p.ticket, 10, 64)
	if err != nil {
		return err
	}
	w.p.ticket = strconv.FormatInt(made+1, 10)
	w.batch, w.size = db.TableBatch{}, 0
	w.wrote += int64(n)
	return nil
}
