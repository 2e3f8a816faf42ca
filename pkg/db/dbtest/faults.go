package dbtest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Fault decides about the calls of a wrapped end. It is asked with the call's name before the call is made: an error
// is returned instead of making it. It is asked a second time with the name and ".after" when the call has succeeded:
// an error is then returned although all is done, as when an answer is lost. It may wait; goroutines ask it at the
// same time.
//
// The calls of both ends are tables, bound, rows, rows.next, sum, fetch, identity, snapshot and check; of a source
// safe_position, head, retained, stream, stream.next, fence.raise, fence.holds and fence.lift; of a target execute,
// load, applier, apply, commit, rollback, repair, and create, get, put, chunks, plan, seal and drop of "ledger.".
// There is no ".after" of rows, rows.next, fetch, snapshot, stream, stream.next and applier: whoever lost such an
// answer has nothing in hand and opens it once more.
//
// It works over any engine, real servers too, where Server.OnStep is for the engine in memory alone.
type Fault func(call string) error

// Nth returns a fault that lets the n-th asking (from 1) with the given name fail, once. For example,
// Nth("commit.after", 3, db.ErrConnection) loses the answer of the third commit.
func Nth(call string, n int, err error) Fault {
	var mu sync.Mutex
	return func(asked string) error {
		mu.Lock()
		defer mu.Unlock()
		if asked != call {
			return nil
		}
		if n--; n != 0 {
			return nil
		}
		return err
	}
}

// Often returns a fault that lets one in n askings, whatever their names, fail with one of the errors. The seed
// decides which: with the same seed and the same order of calls the same calls fail. Goroutines may change that
// order.
func Often(n int, seed uint64, errs ...error) Fault {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	return func(string) error {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(n) != 0 {
			return nil
		}
		return errs[random.IntN(len(errs))]
	}
}

// Any joins faults. All are asked, also after one has objected, because some count what they are asked. The first
// error counts.
func Any(faults ...Fault) Fault {
	return func(call string) (first error) {
		for _, f := range faults {
			if err := f(call); first == nil {
				first = err
			}
		}
		return first
	}
}

// run makes a call under the fault.
func (f Fault) run(name string, call func() error) error {
	_, err := get(f, name, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// get makes a call that returns something under the fault. When the answer is lost the value is returned beside the
// error, and nobody may use it.
func get[T any](f Fault, name string, call func() (T, error)) (T, error) {
	got, err := begin(f, name, call)
	if err == nil {
		err = f(name + ".after")
	}
	return got, err
}

// begin makes a call whose answer cannot be lost: it opens something, and who did not get it has nothing.
func begin[T any](f Fault, name string, call func() (T, error)) (got T, err error) {
	if err = f(name); err != nil {
		return got, err
	}
	return call()
}

// faultyReader is what both ends have in common. The methods below do nothing but ask under the name of their call.
type faultyReader struct {
	db.Reader
	f Fault
}

func (r faultyReader) Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error) {
	return get(r.f, "tables", func() ([]*schema.Table, error) { return r.Reader.Tables(ctx, match) })
}

func (r faultyReader) Sizes(ctx context.Context, tables []schema.Name) (map[schema.Name]db.Size, error) {
	return get(r.f, "sizes", func() (map[schema.Name]db.Size, error) { return r.Reader.Sizes(ctx, tables) })
}

func (r faultyReader) Bound(ctx context.Context, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	return get(r.f, "bound", func() (db.Row, error) { return r.Reader.Bound(ctx, rel, after, n) })
}

func (r faultyReader) Rows(ctx context.Context, rel *route.Relation, rng db.Range) (db.Rows, error) {
	return r.rows("rows", func() (db.Rows, error) { return r.Reader.Rows(ctx, rel, rng) })
}

func (r faultyReader) Fetch(ctx context.Context, rel *route.Relation, keys []db.Row) (db.Rows, error) {
	return r.rows("fetch", func() (db.Rows, error) { return r.Reader.Fetch(ctx, rel, keys) })
}

func (r faultyReader) rows(name string, open func() (db.Rows, error)) (db.Rows, error) {
	return openRows(r.f, name, open)
}

// openRows wraps the rows of a call, so that each of them may fail on its way.
func openRows(f Fault, name string, open func() (db.Rows, error)) (db.Rows, error) {
	rows, err := begin(f, name, open)
	if err != nil {
		return nil, err
	}
	return &faultyRows{rows, f}, nil
}

// faultySnapshot has the calls of a reader.
type faultySnapshot struct {
	db.Snapshot
	f Fault
}

// faultSnapshot opens a snapshot under the fault, and wraps it.
func faultSnapshot(f Fault, open func() (db.Snapshot, error)) (db.Snapshot, error) {
	s, err := begin(f, "snapshot", open)
	if err != nil {
		return nil, err
	}
	return &faultySnapshot{s, f}, nil
}

func (s *faultySnapshot) Rows(ctx context.Context, rel *route.Relation, rng db.Range) (db.Rows, error) {
	return openRows(s.f, "rows", func() (db.Rows, error) { return s.Snapshot.Rows(ctx, rel, rng) })
}

func (s *faultySnapshot) Bound(ctx context.Context, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	return get(s.f, "bound", func() (db.Row, error) { return s.Snapshot.Bound(ctx, rel, after, n) })
}

func (s *faultySnapshot) Fetch(ctx context.Context, rel *route.Relation, keys []db.Row) (db.Rows, error) {
	return openRows(s.f, "fetch", func() (db.Rows, error) { return s.Snapshot.Fetch(ctx, rel, keys) })
}

func (s *faultySnapshot) Sum(ctx context.Context, rel *route.Relation, rng db.Range) (db.Sum, error) {
	return get(s.f, "sum", func() (db.Sum, error) { return s.Snapshot.Sum(ctx, rel, rng) })
}

func (r faultyReader) Sum(ctx context.Context, rel *route.Relation, rng db.Range) (db.Sum, error) {
	return get(r.f, "sum", func() (db.Sum, error) { return r.Reader.Sum(ctx, rel, rng) })
}

func (r faultyReader) Identity(ctx context.Context) (db.Identity, error) {
	return get(r.f, "identity", func() (db.Identity, error) { return r.Reader.Identity(ctx) })
}

// faultyRows may fail at each row, also after the last: a connection can be lost before the end is known.
type faultyRows struct {
	db.Rows
	f Fault
}

func (r *faultyRows) Next() (db.Row, error) { return begin(r.f, "rows.next", r.Rows.Next) }

// FaultySource wraps a source.
func FaultySource(s db.Source, f Fault) db.Source {
	return &faultySource{faultyReader: faultyReader{s, f}, source: s}
}

// faultySource asks before calls that reach a server. What only compares positions does not ask.
type faultySource struct {
	faultyReader
	source db.Source
}

func (s *faultySource) Check(ctx context.Context, plan db.Plan) ([]db.Finding, error) {
	return get(s.f, "check", func() ([]db.Finding, error) { return s.source.Check(ctx, plan) })
}

func (s *faultySource) SafePosition(ctx context.Context) (db.Position, error) {
	return get(s.f, "safe_position", func() (db.Position, error) { return s.source.SafePosition(ctx) })
}

func (s *faultySource) Head(ctx context.Context) (db.Position, error) {
	return get(s.f, "head", func() (db.Position, error) { return s.source.Head(ctx) })
}

func (s *faultySource) Seen(ctx context.Context) (db.Position, error) {
	return s.source.Seen(ctx)
}

func (s *faultySource) Continues(ctx context.Context, from db.Position, seen []db.Position) error {
	return s.f.run("continues", func() error { return s.source.Continues(ctx, from, seen) })
}

func (s *faultySource) AwaitPending(ctx context.Context) error {
	return s.f.run("await_pending", func() error { return s.source.AwaitPending(ctx) })
}

func (s *faultySource) SchemaChanges(
	ctx context.Context, after, until db.Position, tables []schema.Name,
) (found []*db.DDL, err error) {
	err = s.f.run("schema_changes", func() (err error) {
		found, err = s.source.SchemaChanges(ctx, after, until, tables)
		return err
	})
	return found, err
}

func (s *faultySource) Databases(ctx context.Context) (map[string]string, error) {
	return s.source.Databases(ctx)
}

func (s *faultySource) Effects(ctx context.Context, change *db.DDL, known []*schema.Table) ([]schema.Effect, error) {
	return s.source.Effects(ctx, change, known)
}

func (s *faultySource) Reached(at, goal db.Position) (bool, error) { return s.source.Reached(at, goal) }

func (s *faultySource) Retained(ctx context.Context, pos db.Position) error {
	return s.f.run("retained", func() error { return s.source.Retained(ctx, pos) })
}

func (s *faultySource) Retention(ctx context.Context) (time.Duration, error) {
	return s.source.Retention(ctx)
}

func (s *faultySource) Stream(ctx context.Context, pos db.Position, routes []*route.Route, since db.Since) (db.Stream,
	error,
) {
	st, err := begin(s.f, "stream", func() (db.Stream, error) { return s.source.Stream(ctx, pos, routes, since) })
	if err != nil {
		return nil, err
	}
	return &faultyStream{st, s.f}, nil
}

func (s *faultySource) Snapshot(ctx context.Context, rels ...*route.Relation) (db.Snapshot, error) {
	return faultSnapshot(s.f, func() (db.Snapshot, error) { return s.source.Snapshot(ctx, rels...) })
}

func (s *faultySource) NewFence(ctx context.Context, kind db.FenceKind, tables []schema.Name, saved string) (db.Fence,
	error,
) {
	fence, err := s.source.NewFence(ctx, kind, tables, saved)
	if err != nil {
		return nil, err
	}
	return &faultyFence{fence, s.f}, nil
}

// faultyStream may fail at each part. The position stays where the stream below has it.
type faultyStream struct {
	db.Stream
	f Fault
}

func (s *faultyStream) Next(ctx context.Context, wait time.Duration) (*db.Part, error) {
	return begin(s.f, "stream.next", func() (*db.Part, error) { return s.Stream.Next(ctx, wait) })
}

// faultyFence asks about raising, proving and lifting. Release is not asked: it happens when the process is about to
// end, and nobody could do anything about an error.
type faultyFence struct {
	db.Fence
	f Fault
}

func (x *faultyFence) Raise(ctx context.Context) error {
	return x.f.run("fence.raise", func() error { return x.Fence.Raise(ctx) })
}

func (x *faultyFence) Holds(ctx context.Context) error {
	return x.f.run("fence.holds", func() error { return x.Fence.Holds(ctx) })
}

func (x *faultyFence) Lift(ctx context.Context) error {
	return x.f.run("fence.lift", func() error { return x.Fence.Lift(ctx) })
}
