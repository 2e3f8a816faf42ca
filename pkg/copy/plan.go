package copy

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

const (
	minChunkRows = 500
	maxChunkRows = 200_000
	aimedTime    = 4 * time.Second // of one chunk: what a crash costs at most
	// shares is how many chunks each worker gets of a table at least, if they are not too small by that: with fewer,
	// workers stand idle while the last ones are copied.
	shares     = 4
	shareFloor = 10_000 // rows
)

// table cuts one table into chunks as they are asked for. A chunk is recorded on the target before it is copied, so
// that a later run finds the same bounds; which of them are done the target knows, because that is recorded with the
// rows.
type table struct {
	c     *Copy
	route *route.Route

	mu      sync.Mutex // cutting is serial
	pending []db.Chunk // cut, not copied, by an earlier run
	next    int        // number of the next chunk
	after   db.Row     // where it begins
	cut     bool       // the last chunk has been cut
	aim     int        // rows of the next chunk

	// Guarded by the scheduler's lock.
	workers int
	ended   bool
}

// keyless tells a table without a key. It is one chunk, because its rows have no order to cut them by, and one that
// is read from a snapshot with an exact position: changes since then can be applied to rows that are only counted,
// others cannot.
func (t *table) keyless() bool { return len(t.route.Source.Key) == 0 }

// small is the most bytes of a table, with its indexes, that is copied as one chunk without searching for bounds. With
// many small tables, that search and recording each chunk by itself took a quarter of the time.
const small = 256 << 10

// whole tells whether the table is one chunk that can be planned before its turn comes.
func (t *table) whole() bool {
	source := t.route.Source.Table
	return t.next == 0 && !t.cut && !t.keyless() && t.c.opts.ChunkRows == 0 && source.Bytes > 0 &&
		source.Bytes <= small && source.Rows < minChunkRows
}

// planWhole plans the only chunks of small tables together.
func (c *Copy) planWhole(ctx context.Context, tables []*table) error {
	for part := range slices.Chunk(slices.DeleteFunc(slices.Clone(tables), func(t *table) bool { return !t.whole() }),
		plannedAtOnce) {
		names := make([]schema.Name, len(part))
		for i, t := range part {
			names[i] = t.route.Source.Name()
		}
		what := fmt.Sprintf("plan %d small tables, %s first", len(names), names[0])
		if err := c.retry(ctx, what, func() error { return c.ledger.Plan(ctx, db.Chunk{}, names...) }); err != nil {
			return err
		}
		for _, t := range part {
			t.pending, t.next, t.cut = []db.Chunk{{}}, 1, true
		}
	}
	return nil
}

// plannedAtOnce is how many chunks one statement records.
const plannedAtOnce = 500

// load reads what an earlier run cut, if one has begun.
func (t *table) load(ctx context.Context, begun bool) (done []db.Chunk, err error) {
	var chunks []db.Chunk
	if begun {
		if chunks, err = t.c.ledger.Chunks(ctx, t.route.Source.Name()); err != nil {
			return nil, err
		}
	}
	for _, chunk := range chunks {
		if chunk.Done {
			done = append(done, chunk)
		} else {
			t.pending = append(t.pending, chunk)
		}
		t.next, t.after, t.cut = chunk.Number+1, chunk.Range.Upto, chunk.Range.Upto == nil
	}
	t.aim = t.firstAim()
	return done, nil
}

// firstAim guesses the rows of a chunk from the server's estimates.
func (t *table) firstAim() int {
	if t.c.opts.ChunkRows > 0 {
		return t.c.opts.ChunkRows
	}
	source := t.route.Source.Table
	if source.Rows <= 0 || source.Bytes <= 0 {
		return 10 * minChunkRows
	}
	perRow := max(source.Bytes/source.Rows, 1)
	return clampRows(min(t.c.opts.ChunkBytes/perRow, t.share()))
}

// share is the most rows of a chunk that keep all workers busy to the end.
func (t *table) share() int64 {
	return max(t.route.Source.Table.Rows/int64(shares*t.c.opts.Workers), shareFloor)
}

// learn adjusts the rows of the next chunk to the bytes and the time of the last one. It at most doubles, so one chunk
// of small rows does not lead to a huge one.
func (t *table) learn(loaded db.Loaded, took time.Duration) {
	if t.c.opts.ChunkRows > 0 || loaded.Rows < minChunkRows || loaded.Bytes == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	byBytes := t.c.opts.ChunkBytes * loaded.Rows / loaded.Bytes
	byTime := int64(float64(loaded.Rows) * float64(aimedTime) / float64(max(took, time.Millisecond)))
	t.aim = clampRows(min(byBytes, byTime, t.share(), 2*int64(t.aim)))
}

func clampRows(n int64) int { return int(min(max(n, minChunkRows), maxChunkRows)) }

// nextChunk returns the next chunk to copy; ok is false when there is none left.
func (t *table) nextChunk(ctx context.Context) (chunk db.Chunk, ok bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.pending) > 0 {
		chunk, t.pending = t.pending[0], t.pending[1:]
		return chunk, true, nil
	}
	if t.cut {
		return chunk, false, nil
	}
	chunk = db.Chunk{Number: t.next, Range: db.Range{After: t.after}}
	what := fmt.Sprintf("cut chunk %s[%d]", t.route.Source.Name(), t.next)
	if !t.keyless() {
		err = t.c.retry(ctx, what, func() (err error) {
			chunk.Range.Upto, err = t.c.source.Bound(ctx, &t.route.Source, t.after, t.aim)
			return err
		})
	}
	// A retry of its own: the source may give another bound the next time, and after a lost answer the chunk may be
	// recorded already with the first one.
	if err == nil {
		err = t.c.retry(ctx, what, func() error { return t.c.ledger.Plan(ctx, chunk, t.route.Source.Name()) })
	}
	if err != nil {
		return chunk, false, err
	}
	t.next, t.after, t.cut = t.next+1, chunk.Range.Upto, chunk.Range.Upto == nil
	t.c.opts.Observe.Chunk(t.route.Source.Name(), db.Loaded{}, false)
	return chunk, true, nil
}
