package cutover_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// world is a move that is ready for its cutover: two servers, one table, a follower that replicates, and a journal.
type world struct {
	t              *testing.T
	source, target *dbtest.Server
	from, to       schema.Name
	routes         []*route.Route
	opts           cutover.Options
	left           cutover.Source
	right          cutover.Target
	journal        *journal

	mu    sync.Mutex
	calls []string // of hooks and of steps on the source that matter

	turn  sync.Mutex
	stuck bool // the follower stands still
}

// journal keeps the record in memory, and every step that was ever journalled.
type journal struct {
	mu     sync.Mutex
	record cutover.Record
	steps  []cutover.Step
	fail   func(cutover.Record) error // before a record is kept
}

func (j *journal) Load(context.Context) (cutover.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.record, nil
}

func (j *journal) Save(_ context.Context, r cutover.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fail != nil {
		if err := j.fail(r); err != nil {
			return err
		}
	}
	j.record, j.steps = r, append(j.steps, r.Step)
	return nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, source: dbtest.NewServer("source"), target: dbtest.NewTarget("target"), journal: &journal{},
		from: schema.Name{Database: "shop", Table: "items"}, to: schema.Name{Database: "new", Table: "goods"},
	}
	def := func(name schema.Name) *schema.Table {
		return &schema.Table{
			Name: name, Primary: &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "id"}}},
			Columns: []schema.Column{
				{Name: "id", AutoIncrement: true, Type: schema.Type{Kind: schema.Integer, Name: "bigint", Size: 8}},
				{Name: "name", Nullable: true, Type: schema.Type{
					Kind: schema.Varchar, Name: "varchar", Size: 200, Charset: "latin1",
				}},
			},
		}
	}
	require.NoError(t, w.source.DDL(db.DDL{}, dbtest.CreateTable(def(w.from)),
		dbtest.CreateTable(def(schema.Name{Database: "shop", Table: "other"}))))
	to, err := w.target.MapTable(def(w.from), w.to)
	require.NoError(t, err)
	r, err := route.New(def(w.from), to, "")
	require.NoError(t, err)
	w.routes = []*route.Route{r}
	w.left, w.right = w.source.Source(), w.target.Target("move")
	w.follow()
	for i := range 20 {
		w.write("row " + strconv.Itoa(i))
	}
	require.Eventually(t, func() bool { return len(w.target.All(w.to)) == 20 }, time.Minute, time.Millisecond)
	w.opts = cutover.Options{
		Move: "move", Fence: db.FenceReadOnly, Timeout: 5 * time.Second, LookFor: 300 * time.Millisecond,
		Applied: w.applied, VerifyChanged: w.verifyChanged, VerifyFull: w.verifyFull,
		VerifiedUpTo: w.head(), VerifiedAt: time.Now(), Hook: w.hook, Journal: w.journal,
	}
	return w
}

func (w *world) run() (*cutover.Result, error) {
	return cutover.New(w.left, w.right, w.routes, w.opts).Run(w.t.Context())
}

func (w *world) abort() error {
	_, err := cutover.New(w.left, w.right, w.routes, w.opts).Abort(w.t.Context())
	return err
}

func (w *world) call(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, name)
}

func (w *world) called(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, c := range w.calls {
		if c == name {
			n++
		}
	}
	return n
}

func (w *world) hook(_ context.Context, name string, facts map[string]string) error {
	assert.Equal(w.t, "move", facts["move"])
	w.call(name)
	return nil
}

// write adds a row on the source, as an application does.
func (w *world) write(name string) {
	w.t.Helper()
	require.NoError(w.t, w.tryWrite(name))
}

func (w *world) tryWrite(name string) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), 50*time.Millisecond)
	defer cancel()
	return w.source.ExecContext(ctx, func(tx *dbtest.Tx) error {
		return tx.Insert(w.from, append(db.Row{nil}, dbtest.Values(name)...))
	})
}

func (w *world) head() db.Position {
	w.t.Helper()
	head, err := w.source.Source().Head(w.t.Context())
	require.NoError(w.t, err)
	return head
}

func (w *world) applied(ctx context.Context) (db.Position, error) {
	at, err := w.target.Target("move").Ledger().Get(ctx, db.FactPosition)
	return db.Position(at), err
}

// verifyChanged compares everything and checks that it is asked for the right part.
func (w *world) verifyChanged(ctx context.Context, from, to db.Position) (cutover.Verified, error) {
	w.call("verify changed")
	assert.NotEmpty(w.t, from)
	reached, err := w.source.Source().Reached(to, from)
	assert.True(w.t, reached)
	for err == nil { // as the phase does
		at, aerr := w.applied(ctx)
		if aerr != nil || ctx.Err() != nil {
			return cutover.Verified{}, errors.Join(aerr, ctx.Err())
		}
		if reached, err = w.source.Source().Reached(at, to); reached {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return w.compare(to), err
}

func (w *world) verifyFull(context.Context) (cutover.Verified, error) {
	w.call("verify full")
	return w.compare(w.head()), nil
}

func (w *world) compare(at db.Position) cutover.Verified {
	v := cutover.Verified{Position: at}
	source, target := w.source.All(w.from), w.target.All(w.to)
	v.Rows = int64(len(source))
	for i := range min(len(source), len(target)) {
		if string(source[i][1]) != string(target[i][1]) {
			v.Differences++
		}
	}
	return v
}

// follow replicates until the test ends or the move is sealed.
func (w *world) follow() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	target := w.target.Target("move")
	require.NoError(w.t, target.Ledger().Create(ctx))
	found := db.Owned{}
	for _, r := range w.routes {
		found[r.Target.Name()] = db.Found
	}
	require.NoError(w.t, target.Ledger().Own(ctx, found, nil))
	require.NoError(w.t, target.Ledger().Put(ctx, db.FactPosition, w.head().String()))
	applier, err := target.NewApplier(ctx, db.ApplyOptions{})
	require.NoError(w.t, err)
	stream, err := w.source.Source().Stream(ctx, applier.Position(), w.routes, nil)
	require.NoError(w.t, err)
	next := func() error {
		w.turn.Lock()
		defer w.turn.Unlock()
		if w.stuck {
			return nil
		}
		part, err := stream.Next(ctx, time.Millisecond)
		if err != nil {
			return err
		}
		if part != nil && !part.Rollback { // a transaction is one part here
			for i := range part.Changes {
				b := db.TableBatch{Route: w.routes[0]}
				if c := part.Changes[i]; c.After == nil {
					b.Deletes = []db.Row{c.Before[:1]}
				} else {
					b.Upserts = []db.Row{c.After}
				}
				if _, err := applier.Apply(ctx, &db.Batch{Tables: []db.TableBatch{b}}); err != nil {
					return err
				}
			}
		}
		if stream.Position() == applier.Position() {
			return nil
		}
		return applier.Commit(ctx, stream.Position())
	}
	var group sync.WaitGroup
	group.Go(func() {
		for ctx.Err() == nil {
			err := next()
			if errors.Is(err, db.ErrConnection) || errors.Is(err, db.ErrRetry) {
				if err = applier.Rollback(ctx); err == nil {
					stream, err = w.source.Source().Stream(ctx, applier.Position(), w.routes, nil)
				}
			}
			if err != nil {
				if ctx.Err() == nil && !errors.Is(err, db.ErrSealed) {
					w.t.Errorf("follow the source: %v", err)
				}
				return
			}
			time.Sleep(100 * time.Microsecond) // others want a turn
		}
	})
	w.t.Cleanup(func() { cancel(); group.Wait() })
}

// stop has the follower stand still, or go on.
func (w *world) stop(stuck bool) {
	w.turn.Lock()
	defer w.turn.Unlock()
	w.stuck = stuck
}

func (w *world) sealed() bool {
	w.t.Helper()
	w.target.OnStep(nil)
	fact, err := w.target.Target("move").Ledger().Get(w.t.Context(), db.FactCutover)
	require.NoError(w.t, err)
	return fact != ""
}

// assertUndone: writes are open, nothing is recorded, and the move runs as before.
func (w *world) assertUndone() {
	w.t.Helper()
	w.source.OnStep(nil)
	w.source.Leak(false)
	w.stop(false)
	assert.False(w.t, w.sealed())
	assert.Equal(w.t, cutover.Record{}, w.journal.record)
	w.write("after it was undone")
	assert.Eventually(w.t, func() bool { return len(w.source.All(w.from)) == len(w.target.All(w.to)) }, time.Minute,
		time.Millisecond)
}

// assertDone: the target has taken over, holds every row, and hands out higher automatic values; the source is closed.
func (w *world) assertDone() {
	w.t.Helper()
	w.source.OnStep(nil)
	assert.True(w.t, w.sealed())
	assert.True(w.t, w.journal.record.Done)
	assert.Equal(w.t, w.source.All(w.from), w.target.All(w.to))
	next := func(s *dbtest.Server, name schema.Name) uint64 {
		tables, err := s.Source().Tables(w.t.Context(), func(n schema.Name) bool { return n == name })
		require.NoError(w.t, err)
		return tables[0].AutoIncrement
	}
	assert.GreaterOrEqual(w.t, next(w.target, w.to), next(w.source, w.from))
	if w.opts.Fence == db.FenceReadOnly {
		require.Error(w.t, w.tryWrite("too late"))
	}
}
