package replicate

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"unsafe"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// keyBlock is how many bytes of keys are kept together, so that a key costs no allocation of its own.
const keyBlock = 64 << 10

// coalescer turns a run of changes into their net effect: per key the last image. Example: INSERT 1, UPDATE 1 to b,
// UPDATE 1 to c, DELETE 2 becomes "1 is c, 2 is absent". That is exact because every change carries full images; a
// changed key is the end of one row and the beginning of another. It is right after any number of changes, also within
// a transaction: in no state of the source do two rows hold one unique value, so a row that the net effect displaces
// has changed too and is itself part of the net effect.
//
// A table without a key is a bag: there the net effect is how many copies of each row come or go (see bag.go).
type coalescer struct {
	tables map[*route.Route]*net
	order  []*net
	rows   int
	bytes  int
	keys   []byte // block that new keys go to
	probe  []byte
}

// net is the net effect on one table.
type net struct {
	route   *route.Route
	index   map[string]int
	entries []entry
	copies  []copies // in place of entries, of a table without a key
}

type entry struct {
	key     string  // bytes that identify the row
	values  db.Row  // an image that holds the key's values
	row     db.Row  // what the row is in the end; nil when it is gone
	existed bool    // the source had it before
	order   sortKey // position in key order
}

func newCoalescer() *coalescer { return &coalescer{tables: map[*route.Route]*net{}} }

func (c *coalescer) empty() bool { return c.rows == 0 }

// add takes in a change. Images that the row filter leaves out are as if they were not there.
func (c *coalescer) add(change db.Change) {
	before, after := change.Before, change.After
	if f := change.Route.Filter; f != nil {
		if before != nil && !f.Match(before) {
			before = nil
		}
		if after != nil && !f.Match(after) {
			after = nil
		}
	}
	if before == nil && after == nil {
		return
	}
	t := c.tables[change.Route]
	if t == nil {
		t = &net{route: change.Route, index: map[string]int{}}
		c.tables[change.Route] = t
	}
	if len(t.index) == 0 {
		c.order = append(c.order, t)
	}
	switch {
	case len(t.route.Source.Key) == 0:
		c.tally(t, before, -1)
		c.tally(t, after, 1)
	case before == nil:
		c.entry(t, after, false).row = after
	case after == nil:
		c.entry(t, before, true).row = nil
	default:
		e := c.entry(t, before, true)
		if sameKey(t.route, before, after) {
			e.row = after
			break
		}
		e.row = nil
		c.entry(t, after, false).row = after
	}
}

// entry returns the entry of the row's key, made when new; the pointer is good until the next call.
func (c *coalescer) entry(t *net, row db.Row, existed bool) *entry {
	c.probe = c.probe[:0]
	for _, p := range t.route.Source.Key {
		c.probe = strconv.AppendInt(c.probe, int64(len(row[p])), 10)
		c.probe = append(append(c.probe, ':'), row[p]...)
	}
	if at, ok := t.index[string(c.probe)]; ok {
		return &t.entries[at]
	}
	key := c.keep(c.probe)
	t.index[key] = len(t.entries)
	t.entries = append(t.entries, entry{key: key, values: row, existed: existed, order: newSortKey(t.route, row)})
	c.rows++
	return &t.entries[len(t.entries)-1]
}

// keep copies a key to the current block and returns it as a string that shares the block's memory. That is safe
// because blocks are only appended to: the bytes of a key never change again.
func (c *coalescer) keep(key []byte) string {
	if cap(c.keys)-len(c.keys) < len(key) {
		c.keys = make([]byte, 0, max(keyBlock, len(key)))
	}
	at := len(c.keys)
	c.keys = append(c.keys, key...)
	if len(key) == 0 {
		return ""
	}
	return unsafe.String(&c.keys[at], len(key))
}

// batch returns the net effect, in key order per table. The coalescer must be reset before it is used again.
func (c *coalescer) batch() *db.Batch {
	b := &db.Batch{Tables: make([]db.TableBatch, 0, len(c.order))}
	for _, t := range c.order {
		if len(t.route.Source.Key) == 0 {
			b.Tables = append(b.Tables, t.bag())
			continue
		}
		slices.SortFunc(t.entries, func(x, y entry) int { return x.order.compare(y.order) })
		tb := db.TableBatch{Route: t.route}
		gone := 0
		for i := range t.entries {
			if t.entries[i].row == nil {
				gone++
			}
		}
		tb.Deletes, tb.Upserts = make([]db.Row, 0, gone), make([]db.Row, 0, len(t.entries)-gone)
		width := len(t.route.Source.Key)
		slab := make(db.Row, 0, gone*width)
		for i := range t.entries {
			e := &t.entries[i]
			if e.row != nil {
				tb.Upserts = append(tb.Upserts, e.row)
				continue
			}
			at := len(slab)
			for _, p := range t.route.Source.Key {
				slab = append(slab, e.values[p])
			}
			tb.Deletes = append(tb.Deletes, slab[at:len(slab):len(slab)])
			if e.existed {
				tb.Expect++
			}
		}
		b.Tables = append(b.Tables, tb)
	}
	return b
}

// reset empties the coalescer and keeps its maps and slices for the next batch. The block of keys is let go, since
// strings of the last batch may still point into it.
func (c *coalescer) reset() {
	for _, t := range c.order {
		clear(t.index)
		clear(t.entries)
		t.entries = t.entries[:0]
		clear(t.copies)
		t.copies = t.copies[:0]
	}
	c.order, c.rows, c.bytes, c.keys = c.order[:0], 0, 0, nil
}

func sameKey(r *route.Route, x, y db.Row) bool {
	for _, p := range r.Source.Key {
		if !bytes.Equal(x[p], y[p]) {
			return false
		}
	}
	return true
}

// sortKey orders entries roughly as the target's index does. It is for locality only, so that neighbours in a batch are
// neighbours on disk; a wrong order costs time and nothing else.
type sortKey struct {
	number int64
	text   []byte
}

func newSortKey(r *route.Route, row db.Row) sortKey {
	first := r.Source.Key[0]
	v := row[first]
	if r.Source.Column(first).Type.Kind == schema.Integer {
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err == nil {
			k := sortKey{number: n}
			if len(r.Source.Key) > 1 {
				k.text = row[r.Source.Key[1]]
			}
			return k
		}
	}
	return sortKey{text: v}
}

func (k sortKey) compare(other sortKey) int {
	if c := cmp.Compare(k.number, other.number); c != 0 {
		return c
	}
	if c := cmp.Compare(len(k.text), len(other.text)); c != 0 && k.number != 0 {
		return c
	}
	return bytes.Compare(k.text, other.text)
}
