package copy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// rows copies what is not copied yet, the largest tables first: begun last, the largest one would keep a single worker
// busy while the others stand idle.
func (c *Copy) rows(ctx context.Context, start db.Position) error {
	c.opts.Observe.Step("copy")
	tables := make([]*table, 0, len(c.routes))
	begun, err := c.ledger.Begun(ctx)
	if err != nil {
		return err
	}
	for _, r := range c.routes {
		t := &table{c: c, route: r}
		done, err := t.load(ctx, begun(r.Source.Name()))
		if err != nil {
			return err
		}
		for _, chunk := range done {
			c.opts.Observe.Chunk(r.Source.Name(), db.Loaded{}, false)
			c.opts.Observe.Chunk(r.Source.Name(), db.Loaded{Rows: chunk.Rows}, true)
		}
		tables = append(tables, t)
	}
	if err := c.planWhole(ctx, tables); err != nil {
		return err
	}
	for _, t := range tables {
		for range t.pending {
			c.opts.Observe.Chunk(t.route.Source.Name(), db.Loaded{}, false)
		}
	}
	slices.SortStableFunc(tables, func(a, b *table) int {
		return cmp.Compare(b.route.Source.Table.Bytes, a.route.Source.Table.Bytes)
	})

	group, ctx := errgroup.WithContext(ctx)
	watching, stop := context.WithCancel(ctx)
	defer stop()
	group.Go(func() error { return c.watch(watching, start) })
	s := &scheduler{c: c, tables: tables}
	workers, working := errgroup.WithContext(ctx)
	for range c.opts.Workers {
		workers.Go(func() error { return s.work(working) })
	}
	group.Go(func() error {
		defer stop()
		return workers.Wait()
	})
	return group.Wait()
}

// watch warns before the source's log no longer reaches back to the start position, after 70 % of the time that the
// source keeps its log. If the log is gone, it stops the copy: the rest of the work would be for nothing.
func (c *Copy) watch(ctx context.Context, start db.Position) error {
	var retention time.Duration
	err := c.retry(ctx, "read how long the source keeps its log", func() (err error) {
		retention, err = c.source.Retention(ctx)
		return err
	})
	if err != nil && ctx.Err() == nil {
		return err
	}
	began, warned := time.Now(), false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(30 * time.Second):
		}
		if err := c.source.Retained(ctx, start); errors.Is(err, db.ErrPositionGone) {
			return fmt.Errorf("copy from %s: %w", start, err)
		}
		if !warned && retention > 0 && time.Since(began) > retention*7/10 {
			warned = true
			c.opts.Log.Warn().Stringer("kept_for", retention).Stringer("start", start).
				Msg("the source may purge its log before the copy ends: raise its retention now")
		}
	}
}

// tableError is an error of one table's rows.
type tableError struct {
	table schema.Name
	err   error
}

func (e *tableError) Error() string { return e.err.Error() }
func (e *tableError) Unwrap() error { return e.err }

// tableOf tells whether an error is of a table's rows and no server's fault, and which table that is.
func tableOf(err error) (table schema.Name, ok bool) {
	var of *tableError
	for _, other := range []error{
		db.ErrConnection, db.ErrRetry, db.ErrLocked, db.ErrPositionGone, db.ErrSealed,
		db.ErrOtherServer,
	} {
		if errors.Is(err, other) {
			return table, false
		}
	}
	if !errors.As(err, &of) {
		return table, false
	}
	return of.table, true
}

// scheduler gives each worker the table that has the fewest workers, so that tables are copied side by side and the
// last one by all workers.
type scheduler struct {
	c      *Copy
	mu     sync.Mutex
	tables []*table
}

func (s *scheduler) work(ctx context.Context) error {
	for {
		t := s.next()
		if t == nil {
			return nil
		}
		chunk, ok, err := t.nextChunk(ctx)
		if err == nil && ok {
			err = s.copy(ctx, t, chunk)
		}
		s.leave(t, !ok)
		if err != nil {
			return &tableError{t.route.Source.Name(), err}
		}
	}
}

// next gives the calling worker a table; nil: all are done.
func (s *scheduler) next() *table {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables = slices.DeleteFunc(s.tables, func(t *table) bool { return t.ended })
	var best *table
	for _, t := range s.tables {
		if best == nil || t.workers < best.workers {
			best = t
		}
		if best.workers == 0 {
			break // no table has fewer
		}
	}
	if best != nil {
		best.workers++
	}
	return best
}

// leave takes the calling worker off a table. ended: it has no chunk left. The last worker that leaves reports the
// table as copied, since others may still be copying its last chunks.
func (s *scheduler) leave(t *table, ended bool) {
	s.mu.Lock()
	t.workers--
	t.ended = t.ended || ended
	last := t.ended && t.workers == 0
	s.mu.Unlock()
	if last {
		s.c.opts.Observe.Table(t.route.Source.Name(), "copied")
	}
}

// load reads a chunk as the source is now, or from a snapshot whose position is recorded with the rows.
func (s *scheduler) load(ctx context.Context, t *table, chunk db.Chunk) (loaded db.Loaded, err error) {
	if !t.keyless() {
		return s.c.target.Load(ctx, s.c.source, t.route, chunk)
	}
	snapshot, err := s.c.source.Snapshot(ctx, &t.route.Source)
	if err != nil {
		return loaded, err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	chunk.Position = snapshot.Position()
	return s.c.target.Load(ctx, snapshot, t.route, chunk)
}

// copy loads one chunk. When the answer of its commit was lost, the next try finds it done.
func (s *scheduler) copy(ctx context.Context, t *table, chunk db.Chunk) error {
	name := t.route.Source.Name()
	return s.c.retry(ctx, fmt.Sprintf("copy chunk %s[%d]", name, chunk.Number), func() error {
		began := time.Now()
		loaded, err := s.load(ctx, t, chunk)
		if errors.Is(err, db.ErrChunkDone) {
			err = nil
		}
		if err == nil {
			t.learn(loaded, time.Since(began))
			s.c.opts.Observe.Chunk(name, loaded, true)
			if loaded.Displaced > 0 {
				s.c.opts.Log.Debug().Stringer("table", name).Int("chunk", chunk.Number).Int64("rows", loaded.Displaced).
					Msg("rows gave way by a unique value: the replay puts them right")
			}
		}
		return err
	})
}
