package replicate

import (
	"crypto/sha256"
	"strconv"

	"wherry/pkg/db"
)

// copies is the net effect on one distinct row of a table without a key.
type copies struct {
	row db.Row
	n   int // how many come; negative: go
}

// tally counts copies of a row that come (n > 0) or go (n < 0); a nil row counts nothing. Rows are told apart by a
// digest of their bytes, so that memory does not hold large ones twice. Each value goes in with its length: otherwise
// ("ab", "c") and ("a", "bc") would be one row.
func (c *coalescer) tally(t *net, row db.Row, n int) {
	if row == nil {
		return
	}
	c.probe = c.probe[:0]
	for _, v := range row {
		if v == nil {
			c.probe = append(c.probe, '~')
			continue
		}
		c.probe = append(strconv.AppendInt(c.probe, int64(len(v)), 10), ':')
		c.probe = append(c.probe, v...)
	}
	digest := sha256.Sum256(c.probe)
	at, known := t.index[string(digest[:])]
	if !known {
		at = len(t.copies)
		t.index[c.keep(digest[:])] = at
		t.copies = append(t.copies, copies{row: row})
		c.rows++
	}
	t.copies[at].n += n
}

// bag returns the net effect: each row as often as it is to be removed or added.
func (t *net) bag() db.TableBatch {
	tb := db.TableBatch{Route: t.route}
	for _, c := range t.copies {
		for range -c.n {
			tb.Deletes = append(tb.Deletes, c.row)
		}
		for range c.n {
			tb.Upserts = append(tb.Upserts, c.row)
		}
	}
	tb.Expect = int64(len(tb.Deletes))
	return tb
}
