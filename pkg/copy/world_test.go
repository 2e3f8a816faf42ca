package copy_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/copy"
	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/replicate"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// world is two servers with the tables items (id, name, code unique, parent), pairs (a, b, n) of which rows with n
// below 700 move, nothing (empty at first), and notes (text, n) of which rows with n below 3 move, without a key and
// full of copies. The target's are made as init-schema makes them, with what is deferred still to come. Time in it is
// synctest's.
type world struct {
	t              *testing.T
	source, target *dbtest.Server
	routes         []*route.Route
	opts           copy.Options
	replay         replicate.Options
	left           db.Source
	right          db.Target
	seen           *observer
}

var (
	items   = schema.Name{Database: "shop", Table: "items"}
	pairs   = schema.Name{Database: "shop", Table: "pairs"}
	nothing = schema.Name{Database: "shop", Table: "nothing"}
	notes   = schema.Name{Database: "shop", Table: "notes"}
)

func definition(name schema.Name) *schema.Table {
	number := schema.Type{Kind: schema.Integer, Name: "bigint", Size: 8}
	text := schema.Type{Kind: schema.Varchar, Name: "varchar", Size: 2000, Charset: "latin1"}
	index := func(name string, unique bool, columns ...string) schema.Index {
		i := schema.Index{Name: name, Unique: unique}
		for _, c := range columns {
			i.Parts = append(i.Parts, schema.Part{Column: c})
		}
		return i
	}
	primary := index("PRIMARY", true, "id")
	t := &schema.Table{Name: name, Primary: &primary, Columns: []schema.Column{
		{Name: "id", Type: number}, {Name: "name", Type: text, Nullable: true}, {
			Name: "code", Type: number,
			Nullable: true,
		},
	}}
	switch name.Table {
	case "pairs":
		*t.Primary = index("PRIMARY", true, "a", "b")
		t.Columns = []schema.Column{{Name: "a", Type: text}, {Name: "b", Type: text}, {Name: "n", Type: number}}
	case "notes":
		t.Primary = nil
		t.Columns = []schema.Column{{Name: "text", Type: text, Nullable: true}, {
			Name: "n", Type: number,
			Nullable: true,
		}}
	case "items":
		t.Indexes = []schema.Index{index("u_code", true, "code"), index("i_name", false, "name")}
		t.ForeignKeys = []schema.ForeignKey{{
			Name: "f_code", Columns: []string{"code"}, Parent: schema.Name{Database: name.Database, Table: "nothing"},
			ParentColumns: []string{"id"},
		}}
	}
	return t
}

// newWorld makes n items, and as many pairs.
func newWorld(t *testing.T, n int) *world { return newWorldWith(t, n, false) }

// newWorldWith is newWorld that may have every index on the target from the start, as a table has that was there
// before.
func newWorldWith(t *testing.T, n int, present bool) *world {
	t.Helper()
	w := &world{t: t, source: dbtest.NewServer("source"), target: dbtest.NewTarget("target"), seen: &observer{}}
	w.left, w.right = w.source.Source(), w.target.Target("move")
	w.opts = copy.Options{ChunkRows: 10, Workers: 3, Observe: w.seen}
	require.NoError(t, w.right.Ledger().Create(t.Context()))
	for _, name := range []schema.Name{items, pairs, nothing, notes} {
		def := definition(name)
		def.ForeignKeys = nil // rows of items need no parents, so that their codes may move freely
		require.NoError(t, w.source.DDL(db.DDL{}, dbtest.CreateTable(def)))
		to, _, err := w.right.Dialect().Map(def, schema.Name{Database: "new", Table: name.Table}, nil)
		require.NoError(t, err)
		for _, statement := range w.right.Dialect().CreateTable(to, !present) {
			require.NoError(t, w.right.Execute(t.Context(), statement))
		}
		where := ""
		switch name {
		case pairs:
			where = "n < 700"
		case notes:
			where = "n < 3"
		}
		r, err := route.New(def, to, where)
		require.NoError(t, err)
		w.routes = append(w.routes, r)
	}
	require.NoError(t, w.source.Exec(func(tx *dbtest.Tx) error {
		for i := range n {
			if err := tx.Insert(items, dbtest.Values(i, "ïtem "+strconv.Itoa(i), 1000+i)); err != nil {
				return err
			}
			if err := tx.Insert(pairs, dbtest.Values(strconv.Itoa(i%10), strconv.Itoa(i/10), 7*i%1000)); err != nil {
				return err
			}
			if err := tx.Insert(notes, note(i)); err != nil {
				return err
			}
		}
		return nil
	}))
	return w
}

func (w *world) run(ctx context.Context) error {
	replayer := replicate.New(db.FromSnapshots(w.left, w.right.Ledger()), w.right, w.routes, w.replay)
	return copy.New(w.left, w.right, w.routes, replayer, w.opts).Run(ctx)
}

// write has n writers change rows at random until the returned function is called, a few hundred times at most. Unique
// codes move between items all the time.
func (w *world) write(n, upto int) (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var group sync.WaitGroup
	for seed := range n {
		random := rand.New(rand.NewPCG(11, uint64(seed)))
		group.Go(func() {
			for n := 0; n < 300 && ctx.Err() == nil; n++ {
				seed := random.Uint64()
				for tries := 0; ; tries++ { // what was read may be gone by the time of the write
					err := w.source.Exec(func(tx *dbtest.Tx) error {
						return step(tx, rand.New(rand.NewPCG(seed, 0)), upto)
					})
					if err == nil || !assert.Less(w.t, tries, 1000, "%v", err) {
						break
					}
				}
				time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond)
			}
		})
	}
	return func() { cancel(); group.Wait() }
}

func step(tx *dbtest.Tx, r *rand.Rand, upto int) error {
	id := r.IntN(upto)
	switch r.IntN(8) {
	case 6, 7:
		return scribble(tx, r)
	case 0, 1:
		return swap(tx, id, r.IntN(upto))
	case 2:
		return put(tx, nothing, dbtest.Values(id), dbtest.Values(id, "n", nil), r.IntN(2) == 0)
	case 3:
		key := dbtest.Values(strconv.Itoa(id%10), strconv.Itoa(id/10))
		return put(tx, pairs, key, append(key.Clone(), dbtest.Values(r.IntN(1000))...), r.IntN(3) == 0)
	default:
		return put(tx, items, dbtest.Values(id), dbtest.Values(id, "néw "+strconv.Itoa(r.IntN(100)), nil),
			r.IntN(3) == 0)
	}
}

// note returns the i-th of a few rows, some of them NULL in part.
func note(i int) db.Row {
	row := dbtest.Values("nöte "+strconv.Itoa(i%3), i%5)
	if i%4 == 0 {
		row[i/4%2] = nil
	}
	return row
}

// scribble adds, changes or removes one of several equal rows, or a few of them.
func scribble(tx *dbtest.Tx, r *rand.Rand) error {
	for range 1 + r.IntN(3) {
		from, to := note(r.IntN(60)), note(r.IntN(60))
		have, err := tx.Get(notes, from)
		switch {
		case err != nil:
		case have == nil, r.IntN(3) == 0:
			err = tx.Insert(notes, to)
		case r.IntN(2) == 0:
			err = tx.Delete(notes, from)
		default:
			err = tx.Update(notes, from, to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// put inserts, updates or removes a row.
func put(tx *dbtest.Tx, table schema.Name, key, row db.Row, remove bool) error {
	have, err := tx.Get(table, key)
	switch {
	case err != nil:
		return err
	case have == nil:
		return tx.Insert(table, row)
	case remove:
		return tx.Delete(table, key)
	default:
		return tx.Update(table, key, row)
	}
}

// swap gives two items each other's code.
func swap(tx *dbtest.Tx, a, b int) error {
	x, err := tx.Get(items, dbtest.Values(a))
	if err != nil || x == nil || a == b {
		return err
	}
	y, err := tx.Get(items, dbtest.Values(b))
	if err != nil || y == nil {
		return err
	}
	codes := [2][]byte{x[2], y[2]}
	x[2], y[2] = nil, nil
	for _, u := range []struct {
		id   int
		row  db.Row
		code []byte
	}{{a, x, nil}, {b, y, codes[0]}, {a, x, codes[1]}} {
		u.row[2] = u.code
		if err := tx.Update(items, dbtest.Values(u.id), u.row); err != nil {
			return err
		}
	}
	return nil
}

// follow applies what was written since, so that both ends can be compared.
func (w *world) follow() {
	w.t.Helper()
	head, err := w.source.Source().Head(w.t.Context())
	require.NoError(w.t, err)
	source := db.FromSnapshots(w.source.Source(), w.target.Target("move").Ledger())
	require.NoError(w.t, replicate.New(source, w.target.Target("move"), w.routes, w.replay).ReplayTo(w.t.Context(),
		head))
}

// equal asserts that the target holds what the source does, in tables as they were planned.
func (w *world) equal() {
	w.t.Helper()
	for _, r := range w.routes {
		want := slices.DeleteFunc(w.source.All(r.Source.Name()), func(row db.Row) bool {
			return r.Filter != nil && !r.Filter.Match(row)
		})
		got := w.target.All(r.Target.Name())
		if r.Source.Name() == notes { // in any order
			assert.ElementsMatch(w.t, want, got, "table %s", r.Source.Name())
		} else {
			assert.Equal(w.t, want, got, "table %s", r.Source.Name())
		}
		assert.Empty(w.t, w.right.Dialect().Differences(r.Target.Table, w.table(r.Target.Name()), true, true))
	}
}

// table reads a target table's definition, or returns nil.
func (w *world) table(name schema.Name) *schema.Table {
	w.t.Helper()
	found, err := w.target.Target("move").Tables(context.WithoutCancel(w.t.Context()), name.Equal)
	require.NoError(w.t, err)
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

func (w *world) fact(name string) string {
	w.t.Helper()
	value, err := w.target.Target("move").Ledger().Get(context.WithoutCancel(w.t.Context()), name)
	require.NoError(w.t, err)
	return value
}

// chunks returns a table's chunks and how many of them are done, and asserts that they follow one another.
func (w *world) chunks(table schema.Name) (chunks []db.Chunk, done int) {
	w.t.Helper()
	chunks, err := w.target.Target("move").Ledger().Chunks(w.t.Context(), table)
	require.NoError(w.t, err)
	after := db.Row(nil)
	for i, c := range chunks {
		assert.Equal(w.t, i, c.Number)
		assert.Equal(w.t, after, c.Range.After, "chunk %s[%d] begins where the one before ends", table, i)
		if after = c.Range.Upto; c.Done {
			done++
		}
	}
	return chunks, done
}

// whole asserts that the chunks of a table cover it and are done.
func (w *world) whole(table schema.Name) {
	w.t.Helper()
	chunks, done := w.chunks(table)
	require.NotEmpty(w.t, chunks)
	assert.Nil(w.t, chunks[len(chunks)-1].Range.Upto, "the last chunk is open above")
	assert.Len(w.t, chunks, done)
}

// observer notes what it is told.
type observer struct {
	mu     sync.Mutex
	steps  []string
	tables []string
	chunks map[schema.Name]int // done
	rows   map[schema.Name]int64

	displaced int64
	start     db.Position
	upto      db.Position
}

func (o *observer) Step(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.steps = append(o.steps, name)
}

func (o *observer) Positions(start, consistent db.Position) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.start, o.upto = start, consistent
}

func (o *observer) Chunk(table schema.Name, loaded db.Loaded, done bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.chunks == nil {
		o.chunks, o.rows = map[schema.Name]int{}, map[schema.Name]int64{}
	}
	if done {
		o.chunks[table]++
		o.rows[table] += loaded.Rows
		o.displaced += loaded.Displaced
	}
}

func (o *observer) Table(table schema.Name, step string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tables = append(o.tables, table.Table+" "+step)
}

// death lets the k-th step of a name be fatal.
type death struct {
	mu    sync.Mutex
	name  string
	k     int
	fatal error
}

func (d *death) step(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if name != d.name {
		return nil
	}
	if d.k--; d.k != 0 {
		return nil
	}
	return d.fatal
}
