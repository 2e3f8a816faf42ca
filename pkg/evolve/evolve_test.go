package evolve_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/copy"
	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/evolve"
	"wherry/pkg/initschema"
	"wherry/pkg/plan"
	"wherry/pkg/replicate"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// world is a source whose schema changes at random, and a target that follows it. Tables shop.t0 to shop.t5 move to
// new.*.
type world struct {
	t              *testing.T
	source, target *dbtest.Server
	rules          *route.Rules
	opts           evolve.Options
	random         *rand.Rand
	serial         int
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	rules, err := route.NewRules([]string{"shop.t*"}, nil, []route.Rename{{From: "shop.*", To: "new.*"}}, nil)
	require.NoError(t, err)
	w := &world{
		t: t, source: dbtest.NewServer("source"), target: dbtest.NewServer("target"), rules: rules,
		random: rand.New(rand.NewPCG(seed, 1)),
	}
	w.source.Follow(rules.Follows)
	w.opts.Plan = func(tables []*schema.Table) *plan.Plan { return plan.Of(tables, w.dialect(), rules, plan.Options{}) }
	w.opts.Log = zerolog.Nop()
	return w
}

func (w *world) dialect() schema.Dialect { return w.target.Target("move").Dialect() }

func name(i int) schema.Name { return schema.Name{Database: "shop", Table: "t" + strconv.Itoa(i)} }

// begin records the tables that there are, empty on the target, as of the source's head.
func (w *world) begin() {
	w.t.Helper()
	w.record(false)
	head, err := w.source.Source().Head(w.t.Context())
	require.NoError(w.t, err)
	_, err = w.target.Target("move").Ledger().Begin(w.t.Context(), head)
	require.NoError(w.t, err)
}

// record makes the tables that there are on the target.
func (w *world) record(toCopy bool) {
	w.t.Helper()
	ctx := w.t.Context()
	target := w.target.Target("move")
	tables, err := w.source.Source().Tables(ctx, w.rules.Includes)
	require.NoError(w.t, err)
	p := w.opts.Plan(tables)
	require.Empty(w.t, p.Refused())
	require.NoError(w.t, target.Ledger().Create(ctx))
	require.NoError(w.t, target.Ledger().Own(ctx, db.Owned{}, nil))
	var records []db.Record
	for _, r := range p.Routes {
		require.NoError(w.t, target.Execute(ctx, target.Dialect().CreateTable(r.Target.Table, toCopy)[0]))
		records = append(records, db.Record{
			Source: r.Source.Name(), Target: r.Target.Name(), Shape: r.Source.Table,
			Copy: toCopy,
		})
	}
	require.NoError(w.t, target.Ledger().Amend(ctx, records, nil))
}

// copy runs a copy from wherever an earlier one has left it.
func (w *world) copy(ctx context.Context, again ...schema.Name) error {
	target := w.target.Target("move")
	source := db.FromSnapshots(w.source.Source(), target.Ledger())
	w.opts.Copying = true
	e := evolve.New(source, target, w.rules, w.opts)
	w.opts.Copying = false
	records, err := target.Ledger().Records(ctx)
	if err != nil {
		return err
	}
	replay := replicate.New(source, target, nil, replicate.Options{Schema: e, BatchRows: 3, RetryFor: 1})
	create := func(ctx context.Context, steps []plan.Step, mine func(schema.Name) bool) error {
		return initschema.New(target, steps, initschema.Options{Defer: true, Mine: mine}).Run(ctx)
	}
	return copy.New(source, target, w.opts.Plan(evolve.Shapes(records)).Routes, replay, copy.Options{
		Shapes: evolve.NewCopier(e, source, target, create), Recopy: again, ChunkRows: 3, Workers: 2,
		RetryFor: time.Second,
	}).Run(ctx)
}

// follow applies what there is up to the source's head.
func (w *world) follow() error {
	ctx := context.WithoutCancel(w.t.Context())
	target := w.target.Target("move")
	source := db.FromSnapshots(w.source.Source(), target.Ledger())
	head, err := source.Head(ctx)
	if err != nil {
		return err
	}
	e := evolve.New(source, target, w.rules, w.opts)
	return replicate.New(source, target, nil, replicate.Options{Schema: e, BatchRows: 3, RetryFor: 1}).ReplayTo(ctx,
		head)
}

// equal compares all tables of both ends, and that the target has no others.
func (w *world) equal() {
	w.t.Helper()
	ctx := context.WithoutCancel(w.t.Context())
	tables, err := w.source.Source().Tables(ctx, w.rules.Includes)
	require.NoError(w.t, err)
	var want []string
	for _, t := range tables {
		to := schema.Name{Database: "new", Table: t.Name.Table}
		want = append(want, to.String())
		got := w.table(w.target, to)
		if assert.NotNil(w.t, got, "%s is not on the target", to) {
			moved := *t
			moved.Name = to
			assert.Empty(w.t, w.dialect().Differences(&moved, got, true, true), "%s", to)
			assert.ElementsMatch(w.t, w.source.All(t.Name), w.target.All(to), "rows of %s", to)
		}
	}
	all, err := w.target.Target("move").Tables(ctx, func(n schema.Name) bool { return n.Database == "new" })
	require.NoError(w.t, err)
	var have []string
	for _, t := range all {
		have = append(have, t.Name.String())
	}
	assert.ElementsMatch(w.t, want, have)
}

func (w *world) table(s *dbtest.Server, n schema.Name) *schema.Table {
	w.t.Helper()
	found, err := s.Target("move").Tables(context.WithoutCancel(w.t.Context()), n.Equal)
	require.NoError(w.t, err)
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

var (
	number = schema.Type{Kind: schema.Integer, Name: "bigint", Size: 8, Text: "bigint"}
	text   = schema.Type{Kind: schema.Varchar, Name: "varchar", Size: 50, Text: "varchar(50)"}
)

// definition is a new table, sometimes without a key.
func (w *world) definition(n schema.Name) *schema.Table {
	t := &schema.Table{Name: n, Engine: "InnoDB", Columns: []schema.Column{
		{Name: "id", Type: number},
		{Name: "a", Type: text, Nullable: true},
	}}
	if w.random.IntN(4) > 0 {
		t.Primary = &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "id"}}}
	}
	return t
}

func (w *world) ddl(statements ...string) {
	w.t.Helper()
	w.serial++
	require.NoError(w.t, w.source.DDL(db.DDL{Statement: fmt.Sprintf("%d: %s", w.serial, strings.Join(statements,
		"; "))}, statements...))
}

// change makes one random schema change.
func (w *world) change() {
	w.t.Helper()
	a, b := name(w.random.IntN(6)), name(w.random.IntN(6))
	there, other := w.table(w.source, a), w.table(w.source, b)
	switch {
	case there == nil:
		w.ddl(dbtest.CreateTable(w.definition(a)))
	case a != b && other != nil && w.random.IntN(4) == 0: // a swap in one statement
		aside := schema.Name{Database: "shop", Table: "aside"}
		w.ddl(w.dialect().RenameTables([][2]schema.Name{{a, aside}, {b, a}, {aside, b}}))
	case a != b && other == nil && w.random.IntN(3) == 0:
		w.ddl(w.dialect().RenameTables([][2]schema.Name{{a, b}}))
	default:
		w.changeOne(there)
	}
}

func (w *world) changeOne(t *schema.Table) {
	w.t.Helper()
	next := *t
	next.Columns = slices.Clone(t.Columns)
	former := map[string]string{}
	for _, c := range t.Columns {
		former[c.Name] = c.Name
	}
	last := len(t.Columns) - 1
	switch w.random.IntN(8) {
	case 0:
		w.ddl(dbtest.TruncateTable(t.Name))
		return
	case 1:
		w.ddl(dbtest.DropTable(t.Name))
		return
	case 2: // one table of the same name instead
		w.ddl(dbtest.DropTable(t.Name))
		w.ddl(dbtest.CreateTable(w.definition(t.Name)))
		return
	case 3, 4: // another column, somewhere behind the key
		w.serial++
		c := schema.Column{Name: "c" + strconv.Itoa(w.serial), Type: text, Nullable: true}
		if w.random.IntN(2) == 0 {
			c.Default = &schema.Default{Literal: true, Text: "d" + strconv.Itoa(w.serial)}
		}
		next.Columns = slices.Insert(next.Columns, 1+w.random.IntN(last+1), c)
	case 5:
		if last < 2 {
			return
		}
		delete(former, next.Columns[last].Name)
		next.Columns = next.Columns[:last]
	case 6:
		w.serial++
		old := next.Columns[last].Name
		next.Columns[last].Name = "r" + strconv.Itoa(w.serial)
		delete(former, old)
		former[next.Columns[last].Name] = old
	default:
		next.Indexes = append(slices.Clone(t.Indexes), schema.Index{
			Name:  "i" + strconv.Itoa(w.serial+1),
			Parts: []schema.Part{{Column: next.Columns[1].Name}},
		})
	}
	statements, err := w.dialect().Alter(t, &next, former, nil)
	require.NoError(w.t, err)
	w.ddl(statements...)
}

// write changes some rows of every table.
func (w *world) write() {
	w.t.Helper()
	for i := range 6 {
		t := w.table(w.source, name(i))
		if t == nil {
			continue
		}
		require.NoError(w.t, w.source.Exec(func(tx *dbtest.Tx) error {
			for range w.random.IntN(4) {
				w.serial++
				row := make(db.Row, len(t.Columns))
				for c := range row {
					row[c] = []byte(t.Columns[c].Name + strconv.Itoa(w.serial))
				}
				row[0] = []byte(strconv.Itoa(w.serial))
				if err := tx.Insert(t.Name, row); err != nil {
					return err
				}
			}
			rows := w.source.All(t.Name)
			if len(rows) > 0 && w.random.IntN(2) == 0 {
				gone := rows[w.random.IntN(len(rows))]
				if t.Primary != nil {
					gone = gone[:1]
				}
				return tx.Delete(t.Name, gone)
			}
			return nil
		}))
	}
}

// TestRandomChanges follows schemas that change at random, sometimes from far behind, and dies at random steps.
func TestRandomChanges(t *testing.T) {
	killed := errors.New("killed")
	deaths := 0
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed)
			for i := range 3 {
				w.ddl(dbtest.CreateTable(w.definition(name(i))))
			}
			w.begin()
			for range 12 {
				for range w.random.IntN(6) {
					w.change()
					w.write()
				}
				left := w.random.IntN(60)
				w.target.OnStep(func(step string) error {
					if left--; left == 0 {
						return fmt.Errorf("%w at %s", killed, step)
					}
					return nil
				})
				err := w.follow()
				w.target.OnStep(nil)
				if err != nil {
					require.ErrorIs(t, err, killed)
					deaths++
					w.target.Disconnect()
				}
			}
			require.NoError(t, w.follow())
			w.equal()
			fact, err := w.target.Target("move").Ledger().Get(t.Context(), db.FactChange)
			require.NoError(t, err)
			assert.Empty(t, fact, "nothing is left to be done")
		})
		require.False(t, t.Failed(), "seed %d", seed)
	}
	assert.Greater(t, deaths, 100)
}

// TestCopyOfChangingTables copies tables whose schema changes at random meanwhile, dying at random steps, and again
// later, when some are copied anew at will.
func TestCopyOfChangingTables(t *testing.T) {
	killed := errors.New("killed")
	deaths := 0
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 1000+seed)
			for i := range 3 {
				w.ddl(dbtest.CreateTable(w.definition(name(i))))
				w.write()
			}
			w.record(true)
			w.change() // between the phases
			w.slow()
			done := make(chan struct{})
			go func() {
				defer close(done)
				for range 10 {
					w.change()
					w.write()
					time.Sleep(time.Duration(w.random.IntN(40)) * time.Millisecond)
				}
			}()
			luck := rand.New(rand.NewPCG(seed, 2))
			try := func(f func() error) {
				for range 5 {
					left := 1 + luck.IntN(150)
					w.target.OnStep(func(step string) error {
						if left--; left == 0 {
							return fmt.Errorf("%w at %s", killed, step)
						}
						return nil
					})
					err := f()
					w.target.OnStep(nil)
					if err == nil {
						return
					}
					require.ErrorIs(t, err, killed)
					deaths++
					w.target.Disconnect()
				}
				require.NoError(t, f())
			}
			try(func() error { return w.copy(t.Context()) })
			<-done
			w.source.OnStep(nil)
			require.NoError(t, w.follow())
			w.equal()
			for range 4 {
				w.change()
				w.write()
			}
			try(func() error { return w.copy(t.Context(), name(0), name(1)) })
			require.NoError(t, w.follow())
			w.equal()
		})
		require.False(t, t.Failed(), "seed %d", seed)
	}
	assert.Greater(t, deaths, 60)
}

// slow lets reading take some time.
func (w *world) slow() {
	w.source.OnStep(func(step string) error {
		if step == "rows" || step == "stream.next" { // where no lock is held: time would stand still
			time.Sleep(3 * time.Millisecond)
		}
		return nil
	})
}
