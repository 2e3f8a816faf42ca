package races

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// moments are named points in the work of a copy, told by wrapped ends in the order in which they come:
//
//	start       the start position has been read, no row yet
//	cut N       where chunk N ends has been read, it is not recorded
//	reading N   chunk N is recorded, none of its rows is read
//	read N      all rows of chunk N are read, they are not committed on the target
//	loaded N    chunk N is committed
//	drain       all chunks are committed, the goal of the replay is not read
//	goal        the goal is read, nothing is replayed
//	applied N   the N-th batch of changes is applied, not committed
//	committed N the N-th commit of changes is durable
//
// N counts from 0. The copy must have one worker, so that there is one order.
type moments struct {
	t *testing.T

	mu      sync.Mutex
	at      map[string]func()
	each    func(name string) // at every moment
	met     []string
	chunk   int
	gaveWay int64 // rows, while chunks were loaded
	loads   int   // under way
	applied int
	commits int
	linger  time.Duration // how long a stream at least waits for more, so that batches take in everything there is
}

// tell runs what the test wants at a moment, once.
func (m *moments) tell(format string, args ...any) {
	name := fmt.Sprintf(format, args...)
	m.mu.Lock()
	m.met = append(m.met, name)
	act := m.at[name]
	delete(m.at, name)
	each := m.each
	m.mu.Unlock()
	if each != nil {
		each(name)
	}
	if act != nil {
		act()
	}
}

// tellingSource tells the moments of a source.
type tellingSource struct {
	db.Source
	m *moments
}

func (s *tellingSource) SafePosition(ctx context.Context) (db.Position, error) {
	pos, err := s.Source.SafePosition(ctx)
	s.m.tell("start")
	return pos, err
}

func (s *tellingSource) Bound(ctx context.Context, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	row, err := s.Source.Bound(ctx, rel, after, n)
	s.m.tell("cut %d", s.m.chunk)
	return row, err
}

func (s *tellingSource) Rows(ctx context.Context, rel *route.Relation, r db.Range) (db.Rows, error) {
	s.m.tell("reading %d", s.m.chunk)
	rows, err := s.Source.Rows(ctx, rel, r)
	if err != nil {
		return nil, err
	}
	return &tellingRows{rows, s.m}, nil
}

func (s *tellingSource) Head(ctx context.Context) (db.Position, error) {
	s.m.tell("drain")
	pos, err := s.Source.Head(ctx)
	s.m.tell("goal")
	return pos, err
}

func (s *tellingSource) Stream(ctx context.Context, pos db.Position, routes []*route.Route, since db.Since) (db.Stream,
	error,
) {
	stream, err := s.Source.Stream(ctx, pos, routes, since)
	if err != nil {
		return nil, err
	}
	return &lingeringStream{stream, s.m.linger}, nil
}

// lingeringStream waits for more longer than it is asked to.
type lingeringStream struct {
	db.Stream
	linger time.Duration
}

func (s *lingeringStream) Next(ctx context.Context, wait time.Duration) (*db.Part, error) {
	return s.Stream.Next(ctx, max(wait, s.linger))
}

type tellingRows struct {
	db.Rows
	m *moments
}

func (r *tellingRows) Next() (db.Row, error) {
	row, err := r.Rows.Next()
	if errors.Is(err, io.EOF) {
		r.m.tell("read %d", r.m.chunk)
	}
	return row, err
}

// tellingTarget tells the moments of a target.
type tellingTarget struct {
	db.Target
	m *moments
}

func (t *tellingTarget) Load(ctx context.Context, from db.RowReader, r *route.Route, c db.Chunk) (db.Loaded, error) {
	t.m.loads++
	loaded, err := t.Target.Load(ctx, from, r, c)
	t.m.loads--
	t.m.gaveWay += loaded.Displaced
	if err == nil {
		t.m.tell("loaded %d", t.m.chunk)
		t.m.chunk++
	}
	return loaded, err
}

// NewApplier also proves that no change is replayed while a chunk is on its way: that is what makes the order
// read-change-replay-write, which would put an old row in place of a new one, impossible.
func (t *tellingTarget) NewApplier(ctx context.Context, opts db.ApplyOptions) (db.Applier, error) {
	if t.m.loads > 0 {
		return nil, errors.New("changes are replayed while a chunk is being loaded")
	}
	applier, err := t.Target.NewApplier(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &tellingApplier{applier, t.m}, nil
}

type tellingApplier struct {
	db.Applier
	m *moments
}

func (a *tellingApplier) Apply(ctx context.Context, b *db.Batch) (db.Applied, error) {
	applied, err := a.Applier.Apply(ctx, b)
	a.m.tell("applied %d", a.m.applied)
	a.m.applied++
	return applied, err
}

func (a *tellingApplier) Commit(ctx context.Context, pos db.Position) error {
	err := a.Applier.Commit(ctx, pos)
	a.m.tell("committed %d", a.m.commits)
	a.m.commits++
	return err
}
