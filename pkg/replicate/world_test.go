package replicate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/charset"
	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/replicate"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// world is two servers with four tables each: items (id, name, code unique), pairs (a, b, n) of which rows with n
// below 700 move, accounts (id, balance), and notes (text, n) without a key, of which rows with n below 3 move. Time
// in it is synctest's.
type world struct {
	t              *testing.T
	source, target *dbtest.Server
	routes         []*route.Route
	opts           replicate.Options
	left           db.Source
	right          replicate.Opener

	mu      sync.Mutex
	reports []replicate.Progress
	looks   []look
}

// look is what the target held at a commit.
type look struct {
	pos   int
	state string
}

var (
	items    = schema.Name{Database: "shop", Table: "items"}
	pairs    = schema.Name{Database: "shop", Table: "pairs"}
	accounts = schema.Name{Database: "shop", Table: "accounts"}
	notes    = schema.Name{Database: "shop", Table: "notes"}
	unrouted = schema.Name{Database: "shop", Table: "unrouted"}
)

func definition(name schema.Name) *schema.Table {
	number := schema.Type{Kind: schema.Integer, Name: "bigint", Size: 8}
	text := schema.Type{Kind: schema.Varchar, Name: "varchar", Size: 2000, Charset: "latin1"}
	index := func(name string, columns ...string) schema.Index {
		i := schema.Index{Name: name, Unique: true}
		for _, c := range columns {
			i.Parts = append(i.Parts, schema.Part{Column: c})
		}
		return i
	}
	primary := index("PRIMARY", "id")
	t := &schema.Table{Name: name, Primary: &primary, Columns: []schema.Column{{Name: "id", Type: number}}}
	switch name.Table {
	case "pairs":
		*t.Primary = index("PRIMARY", "a", "b")
		t.Columns = []schema.Column{{Name: "a", Type: text}, {Name: "b", Type: text}, {Name: "n", Type: number}}
	case "notes":
		t.Primary = nil
		t.Columns = []schema.Column{{Name: "text", Type: text, Nullable: true}, {
			Name: "n", Type: number,
			Nullable: true,
		}}
	case "accounts":
		t.Columns = append(t.Columns, schema.Column{Name: "balance", Type: number})
	default:
		t.Columns = append(t.Columns, schema.Column{Name: "name", Type: text, Nullable: true},
			schema.Column{Name: "code", Type: number, Nullable: true})
		t.Indexes = []schema.Index{index("u_code", "code")}
	}
	return t
}

// newWorld makes the tables on both ends, with the move's position after that.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, source: dbtest.NewServer("source"), target: dbtest.NewTarget("target")}
	w.left, w.right = w.source.Source(), w.target.Target("move")
	for _, n := range []schema.Name{items, pairs, accounts, notes, unrouted} {
		require.NoError(t, w.source.DDL(db.DDL{}, dbtest.CreateTable(definition(n))))
		if n == unrouted {
			continue
		}
		to, err := w.target.MapTable(definition(n), schema.Name{Database: "new", Table: n.Table})
		require.NoError(t, err)
		where := ""
		switch n {
		case pairs:
			where = "n < 700"
		case notes:
			where = "n < 3"
		}
		r, err := route.New(definition(n), to, where)
		require.NoError(t, err)
		w.routes = append(w.routes, r)
	}
	ledger := w.target.Target("move").Ledger()
	require.NoError(t, ledger.Create(t.Context()))
	require.NoError(t, ledger.Put(t.Context(), db.FactPosition, string(w.head())))
	w.opts.Report = func(p replicate.Progress) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.reports = append(w.reports, p)
	}
	return w
}

func (w *world) replicator() *replicate.Replicator {
	return replicate.New(w.left, w.right, w.routes, w.opts)
}

func (w *world) head() db.Position {
	w.t.Helper()
	head, err := w.source.Source().Head(context.WithoutCancel(w.t.Context()))
	require.NoError(w.t, err)
	return head
}

// at is the target's durable position.
func (w *world) at() db.Position {
	w.t.Helper()
	at, err := w.target.Target("move").Ledger().Get(context.WithoutCancel(w.t.Context()), db.FactPosition)
	require.NoError(w.t, err)
	return db.Position(at)
}

func (w *world) exec(f func(tx *dbtest.Tx) error) {
	w.t.Helper()
	require.NoError(w.t, w.source.Exec(f))
}

// insert commits n items, one transaction each, with ids from first on.
func (w *world) insert(first, n int) {
	w.t.Helper()
	for id := first; id < first+n; id++ {
		w.exec(func(tx *dbtest.Tx) error { return tx.Insert(items, dbtest.Values(id, "item "+strconv.Itoa(id), nil)) })
	}
}

// write commits n random transactions: rows come, change, change keys and go, unique values move between rows.
func (w *world) write(random *rand.Rand, n int) {
	for range n {
		seed := random.Uint64()
		for tries := 0; ; tries++ { // what was read may be gone by the time of the write
			err := w.source.Exec(func(tx *dbtest.Tx) error { return transaction(tx, rand.New(rand.NewPCG(seed, 0))) })
			if err == nil || !assert.Less(w.t, tries, 1000, "%v", err) {
				break
			}
		}
		time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond)
	}
}

func transaction(tx *dbtest.Tx, r *rand.Rand) error {
	for range 1 + r.IntN(5) {
		if err := step(tx, r); err != nil {
			return err
		}
	}
	if r.IntN(20) == 0 {
		tx.RollBackLogged()
	}
	return nil
}

func step(tx *dbtest.Tx, r *rand.Rand) error {
	words := []string{"", "1", "é1", "1:é", "1é1"}
	switch r.IntN(6) {
	case 5:
		return scribble(tx, r)
	case 0, 1:
		key := dbtest.Values(words[r.IntN(5)], words[r.IntN(5)])
		to := append(dbtest.Values(words[r.IntN(5)], words[r.IntN(5)]), dbtest.Values(r.IntN(1000))...)
		return change(tx, pairs, key, to, to[:2], r.IntN(3) == 0)
	case 2:
		return swap(tx, 1+r.IntN(20), 1+r.IntN(20))
	default:
		id, to := 1+r.IntN(20), 1+r.IntN(20)
		return change(tx, items, dbtest.Values(id), dbtest.Values(to, "näme "+strconv.Itoa(r.IntN(100)), nil),
			dbtest.Values(to), r.IntN(3) == 0)
	}
}

// scribble adds, changes or removes one of several equal notes.
func scribble(tx *dbtest.Tx, r *rand.Rand) error {
	note := func() db.Row {
		row := dbtest.Values("nöte "+strconv.Itoa(r.IntN(3)), r.IntN(4))
		if i := r.IntN(6); i < 2 {
			row[i] = nil
		}
		return row
	}
	from := note()
	have, err := tx.Get(notes, from)
	switch {
	case err != nil:
		return err
	case have == nil, r.IntN(3) == 0:
		return tx.Insert(notes, note())
	case r.IntN(2) == 0:
		return tx.Delete(notes, from)
	default:
		return tx.Update(notes, from, note())
	}
}

// change makes whatever of an insert, update, key change or delete is possible.
func change(tx *dbtest.Tx, table schema.Name, from, row, to db.Row, remove bool) error {
	have, err := tx.Get(table, from)
	if err != nil {
		return err
	}
	taken, err := tx.Get(table, to)
	switch {
	case err != nil:
		return err
	case have == nil && taken == nil:
		return tx.Insert(table, row)
	case have == nil:
		return tx.Update(table, to, row)
	case remove:
		return tx.Delete(table, from)
	case taken == nil || fmt.Sprint(from) == fmt.Sprint(to):
		return tx.Update(table, from, row)
	}
	return nil
}

// swap gives two items each other's code, which is the id where there was none.
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
	if err := tx.Update(items, dbtest.Values(a), x); err != nil {
		return err
	}
	if y[2] = codes[0]; y[2] == nil {
		return nil
	}
	if err := tx.Update(items, dbtest.Values(b), y); err != nil {
		return err
	}
	x[2] = codes[1]
	return tx.Update(items, dbtest.Values(a), x)
}

// open gives accounts 1 to n a balance of 100 each, on both ends.
func (w *world) open(n int) {
	w.t.Helper()
	for server, name := range map[*dbtest.Server]schema.Name{w.source: accounts, w.target: {
		Database: "new",
		Table:    "accounts",
	}} {
		require.NoError(w.t, server.Exec(func(tx *dbtest.Tx) error {
			for id := 1; id <= n; id++ {
				if err := tx.Insert(name, dbtest.Values(id, 100)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	require.NoError(w.t, w.target.Target("move").Ledger().Put(w.t.Context(), db.FactPosition, string(w.head())))
}

// transfer moves 1 between each account and the next, for n accounts, in one transaction.
func transfer(tx *dbtest.Tx, n int) error {
	for id := 1; id <= n; id++ {
		amount := 1
		if id%2 == 0 {
			amount = -1
		}
		row, err := tx.Get(accounts, dbtest.Values(id))
		if err != nil {
			return err
		}
		balance, _ := strconv.Atoi(string(row[1]))
		if err := tx.Update(accounts, dbtest.Values(id), dbtest.Values(id, balance+amount)); err != nil {
			return err
		}
	}
	return nil
}

// sum is the balance of all accounts that somebody sees who reads the target now.
func (w *world) sum() (sum int) {
	for _, row := range w.target.All(schema.Name{Database: "new", Table: "accounts"}) {
		balance, _ := strconv.Atoi(string(row[1]))
		sum += balance
	}
	return sum
}

// state writes down what a target holds.
func (w *world) state() string {
	var b strings.Builder
	for _, r := range w.routes {
		rows := w.target.All(r.Target.Name())
		if len(r.Source.Key) == 0 {
			slices.SortFunc(rows, func(a, b db.Row) int { return compareKeys(r, a, b) })
		}
		fmt.Fprintf(&b, "%s %q\n", r.Source.Name().Table, rows)
	}
	return b.String()
}

// watch looks at the target at every step of an applier.
func (w *world) watch() {
	w.target.OnStep(func(step string) error {
		switch step {
		case "apply", "commit.before", "commit.after", "rollback":
			n := 0
			_, _ = fmt.Sscanf(string(w.at()), "mem:%d", &n)
			l := look{n, w.state()}
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(w.looks) == 0 || w.looks[len(w.looks)-1] != l {
				w.looks = append(w.looks, l)
			}
		}
		return nil
	})
}

// wanted returns the state of a target after each position, by the source's log.
func (w *world) wanted() map[int]string {
	w.t.Helper()
	tables := map[*route.Route]map[string]db.Row{}
	for _, r := range w.routes {
		tables[r] = map[string]db.Row{}
	}
	stream, err := w.source.Source().Stream(w.t.Context(), "mem:0", w.routes, nil)
	require.NoError(w.t, err)
	states := map[int]string{}
	var pending []db.Change
	for {
		part, err := stream.Next(w.t.Context(), 0)
		require.NoError(w.t, err)
		if part == nil {
			return states
		}
		if pending = append(pending, part.Changes...); !part.End {
			continue
		}
		for _, c := range pending {
			key := c.Route.Source.Key
			if len(key) == 0 {
				if !part.Rollback {
					count(tables[c.Route], c)
				}
				continue
			}
			if c.Before != nil && !part.Rollback {
				delete(tables[c.Route], fmt.Sprintf("%q", c.Before.Pick(key)))
			}
			if c.After != nil && !part.Rollback && (c.Route.Filter == nil || c.Route.Filter.Match(c.After)) {
				tables[c.Route][fmt.Sprintf("%q", c.After.Pick(key))] = c.After
			}
		}
		pending = nil
		var b strings.Builder
		for _, r := range w.routes {
			var rows []db.Row
			for _, row := range tables[r] {
				rows = append(rows, inUTF8(r, row))
			}
			slices.SortFunc(rows, func(a, b db.Row) int { return compareKeys(r, a, b) })
			fmt.Fprintf(&b, "%s %q\n", r.Source.Name().Table, rows)
		}
		n := 0
		_, err = fmt.Sscanf(string(stream.Position()), "mem:%d", &n)
		require.NoError(w.t, err)
		states[n] = b.String()
	}
}

// inUTF8 returns a row, whose text is as the target has it, with text in UTF-8.
func inUTF8(r *route.Route, row db.Row) db.Row {
	row = row.Clone()
	for i, v := range row {
		if set, ok := charset.Find(r.Target.Column(i).Type.Charset); ok && v != nil {
			row[i], _ = set.Decode([]byte{}, v)
		}
	}
	return row
}

// count changes the rows of a table without a key, each under a name of its own: equal ones are numbered.
func count(rows map[string]db.Row, c db.Change) {
	numbered := func(row db.Row) (free, last string) {
		for i := 0; ; i++ {
			if free = fmt.Sprintf("%q %d", row, i); rows[free] == nil {
				return free, last
			}
			last = free
		}
	}
	if c.Before != nil && (c.Route.Filter == nil || c.Route.Filter.Match(c.Before)) {
		_, last := numbered(c.Before)
		delete(rows, last)
	}
	if c.After != nil && (c.Route.Filter == nil || c.Route.Filter.Match(c.After)) {
		free, _ := numbered(c.After)
		rows[free] = c.After
	}
}

func compareKeys(r *route.Route, a, b db.Row) int {
	if len(r.Source.Key) == 0 {
		return strings.Compare(fmt.Sprintf("%q", a), fmt.Sprintf("%q", b))
	}
	for _, k := range r.Source.Key {
		if r.Source.Column(k).Type.Kind == schema.Integer {
			x, _ := strconv.Atoi(string(a[k]))
			y, _ := strconv.Atoi(string(b[k]))
			if x != y {
				return x - y
			}
		}
		if c := slices.Compare(a[k], b[k]); c != 0 {
			return c
		}
	}
	return 0
}

// onlyStates asserts that the target never showed anything but what the source was at its position.
func (w *world) onlyStates() {
	w.t.Helper()
	states := w.wanted()
	last := 0
	for _, l := range w.looks {
		assert.GreaterOrEqual(w.t, l.pos, last, "the position went back")
		last = l.pos
		for n := l.pos; n > 0; n-- {
			if want, ok := states[n]; ok {
				require.Equal(w.t, want, l.state, "at mem:%d", l.pos)
				break
			}
		}
	}
}

// equal asserts that the target holds what the source does.
func (w *world) equal() {
	w.t.Helper()
	for _, r := range w.routes {
		want := w.source.All(r.Source.Name())
		want = slices.DeleteFunc(want, func(row db.Row) bool { return r.Filter != nil && !r.Filter.Match(row) })
		got := w.target.All(r.Target.Name())
		if len(r.Source.Key) == 0 { // in any order
			assert.ElementsMatch(w.t, want, got, "table %s", r.Source.Name())
		} else {
			assert.Equal(w.t, want, got, "table %s", r.Source.Name())
		}
	}
}

func (w *world) last() replicate.Progress {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.reports) == 0 {
		return replicate.Progress{}
	}
	return w.reports[len(w.reports)-1]
}

// spy notes what goes to the target.
type spy struct {
	replicate.Opener
	batches []*db.Batch
	pieces  []int // batches of each commit
	opened  int
}

func (s *spy) NewApplier(ctx context.Context, opts db.ApplyOptions) (db.Applier, error) {
	a, err := s.Opener.NewApplier(ctx, opts)
	if err != nil {
		return nil, err
	}
	s.opened++
	return &spyApplier{Applier: a, s: s}, nil
}

type spyApplier struct {
	db.Applier
	s    *spy
	open int
}

func (a *spyApplier) Apply(ctx context.Context, b *db.Batch) (db.Applied, error) {
	a.s.batches, a.open = append(a.s.batches, b), a.open+1
	return a.Applier.Apply(ctx, b)
}

func (a *spyApplier) Commit(ctx context.Context, pos db.Position) error {
	if a.open > 0 {
		a.s.pieces = append(a.s.pieces, a.open)
	}
	a.open = 0
	return a.Applier.Commit(ctx, pos)
}

func rowsOf(b *db.Batch) (rows, bytes int) {
	for _, tb := range b.Tables {
		rows += len(tb.Deletes) + len(tb.Upserts)
		for _, row := range tb.Upserts {
			bytes += row.Size()
		}
	}
	return rows, bytes
}
