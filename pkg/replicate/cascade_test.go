package replicate_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// family is a move of tables with foreign keys that act, each drawn by chance:
//
//	p (id, u unique)          references nothing
//	c (id, a -> p.id, b -> p.u, v)
//	g (id, c -> c.id)
//	d (p -> p.id, n) with the key (p, n); its row is what e (id, p, n) references
//	s (id, up -> s.id)        references itself
//	k (p -> p.id, text)       without a key
type family struct {
	*world
	random *rand.Rand
}

var familyTables = map[string][]string{
	"p": {"id", "u"}, "c": {"id", "a", "b", "v"}, "g": {"id", "c"}, "d": {"p", "n"}, "e": {"id", "p", "n"},
	"s": {"id", "up"}, "k": {"p", "t"},
}

var familyOrder = []string{"p", "c", "g", "d", "e", "s", "k"}

func familyName(table string) schema.Name { return schema.Name{Database: "shop", Table: table} }

func (f *family) key(child, name, parent string, columns, parents []string, onUpdate bool) schema.ForeignKey {
	actions := []string{"", "CASCADE", "SET NULL"}
	if child == "d" {
		actions = actions[:2] // its column is in the key
	}
	k := schema.ForeignKey{
		Name: name, Columns: columns, Parent: familyName(parent), ParentColumns: parents,
		OnDelete: actions[f.random.IntN(len(actions))],
	}
	if onUpdate {
		k.OnUpdate = actions[f.random.IntN(len(actions))]
	}
	return k
}

func (f *family) definition(table string) *schema.Table {
	number := schema.Type{Kind: schema.Integer, Name: "bigint", Size: 8}
	def := &schema.Table{Name: familyName(table)}
	for _, c := range familyTables[table] {
		def.Columns = append(def.Columns, schema.Column{Name: c, Type: number, Nullable: c != "id" && table != "d"})
	}
	switch table {
	case "d":
		def.Primary = &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "p"}, {Column: "n"}}}
	case "k":
	default:
		def.Primary = &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "id"}}}
	}
	switch table {
	case "p":
		def.Indexes = []schema.Index{{Name: "u", Unique: true, Parts: []schema.Part{{Column: "u"}}}}
	case "c":
		def.ForeignKeys = []schema.ForeignKey{
			f.key("c", "c_b", "p", []string{"b"}, []string{"u"}, true),
			f.key("c", "c_a", "p", []string{"a"}, []string{"id"}, true),
		}
	case "g":
		def.ForeignKeys = []schema.ForeignKey{f.key("g", "g_c", "c", []string{"c"}, []string{"id"}, true)}
	case "d":
		def.ForeignKeys = []schema.ForeignKey{f.key("d", "d_p", "p", []string{"p"}, []string{"id"}, true)}
	case "e":
		def.ForeignKeys = []schema.ForeignKey{f.key("e", "e_d", "d", []string{"p", "n"}, []string{"p", "n"}, true)}
	case "s":
		def.ForeignKeys = []schema.ForeignKey{f.key("s", "s_up", "s", []string{"up"}, []string{"id"}, false)}
	case "k":
		def.ForeignKeys = []schema.ForeignKey{f.key("k", "k_p", "p", []string{"p"}, []string{"id"}, true)}
	}
	return def
}

func newFamily(t *testing.T, seed uint64) *family {
	t.Helper()
	f := &family{
		world:  &world{t: t, source: dbtest.NewServer("source"), target: dbtest.NewServer("target")},
		random: rand.New(rand.NewPCG(seed, 1)),
	}
	f.left, f.right = f.source.Source(), f.target.Target("move")
	for _, table := range familyOrder {
		def := f.definition(table)
		require.NoError(t, f.source.DDL(db.DDL{}, dbtest.CreateTable(def)))
		if len(def.ForeignKeys) > 0 {
			require.NoError(t, f.source.DDL(db.DDL{}, dbtest.AddForeignKeys(def)))
		}
		to := *def
		to.Name, to.ForeignKeys = schema.Name{Database: "new", Table: table}, nil
		require.NoError(t, f.target.DDL(db.DDL{}, dbtest.CreateTable(&to)))
		where := ""
		if table == "p" && seed%3 == 0 {
			where = "id < 5"
		}
		if table == "g" && seed%4 == 0 {
			where = "id > 3"
		}
		r, err := route.New(def, &to, where)
		require.NoError(t, err)
		f.routes = append(f.routes, r)
	}
	for _, ref := range route.NewCascades(f.routes).All() {
		require.Empty(t, ref.Obstacle)
	}
	ledger := f.target.Target("move").Ledger()
	require.NoError(t, ledger.Create(t.Context()))
	require.NoError(t, ledger.Put(t.Context(), db.FactPosition, string(f.head())))
	return f
}

// write commits a random transaction. One that the source refuses leaves nothing.
func (f *family) write() {
	f.t.Helper()
	seed := f.random.Uint64()
	err := f.source.Exec(func(tx *dbtest.Tx) error {
		r := rand.New(rand.NewPCG(seed, 2))
		for range 1 + r.IntN(6) {
			if err := f.step(tx, r); err != nil {
				return err
			}
		}
		if r.IntN(15) == 0 {
			tx.RollBackLogged()
		}
		return nil
	})
	if err != nil && !errors.Is(err, db.ErrRetry) {
		assert.Regexp(f.t, "duplicate|cannot be NULL|levels deep", err.Error())
	}
}

func (f *family) step(tx *dbtest.Tx, r *rand.Rand) error {
	tx.Unchecked(r.IntN(8) == 0)
	table := familyOrder[r.IntN(len(familyOrder))]
	if r.IntN(3) == 0 {
		table = "p"
	}
	draw := func() db.Row {
		var row db.Row
		for i := range familyTables[table] {
			row = append(row, strconv.AppendInt(nil, int64(1+r.IntN(8)), 10))
			if i > 0 && table != "d" && r.IntN(6) == 0 {
				row[i] = nil
			}
		}
		return row
	}
	row, from := draw(), draw()
	width := map[string]int{"d": 2, "k": 2}[table]
	width = max(width, 1)
	have, err := tx.Get(familyName(table), from[:width])
	if err != nil {
		return err
	}
	taken, err := tx.Get(familyName(table), row[:width])
	switch {
	case err != nil:
		return err
	case taken == nil && (have == nil || r.IntN(2) == 0):
		return tx.Insert(familyName(table), row)
	case have == nil:
		return nil
	case r.IntN(3) == 0:
		return tx.Delete(familyName(table), from[:width])
	case taken != nil && fmt.Sprint(row[:width]) != fmt.Sprint(from[:width]) && table != "k":
		return nil
	default:
		return tx.Update(familyName(table), from[:width], row)
	}
}

// TestCascades follows a source whose foreign keys act unseen, in batches of any size, with lost connections and
// killed runs, and compares at quiet points.
func TestCascades(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFamily(t, seed)
				f.opts.BatchRows = []int{1, 3, 20, 5000}[seed%4]
				f.opts.Workers = []int{1, 4}[seed/4%2]
				if seed%5 == 1 {
					f.right = dbtest.Faulty(f.target.Target("move"), dbtest.Often(200, seed, db.ErrConnection,
						db.ErrRetry))
				}
				for range 6 {
					for range 40 {
						f.write()
					}
					if seed%2 == 0 { // killed somewhere
						ctx, cancel := context.WithTimeout(t.Context(),
							time.Duration(f.random.IntN(3))*time.Millisecond)
						_ = f.replicator().Run(ctx)
						cancel()
					}
					require.NoError(t, f.replicator().ReplayTo(t.Context(), f.head()))
					f.equal()
					if t.Failed() {
						return
					}
				}
			})
		})
	}
}

// TestCascadesUnseen has rows on the target that may be newer than the log: actions are told, once a run at least and
// before they are committed, and only tables without a key are acted upon.
func TestCascadesUnseen(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			f := newFamily(t, seed)
			told := 0
			f.opts.Unseen = func(context.Context) error { told++; return nil }
			for range 100 {
				f.write()
			}
			require.NoError(t, f.replicator().ReplayTo(t.Context(), f.head()))
			for _, r := range f.routes {
				if len(r.Source.Key) == 0 {
					assert.ElementsMatch(t, f.source.All(r.Source.Name()), f.target.All(r.Target.Name()), "seed %d",
						seed)
				}
			}
			if len(route.NewCascades(f.routes).Of(f.routes[0])) > 0 {
				assert.Equal(t, 1, told, "seed %d", seed)
			}
		})
	}
}

// TestReplayExactly stops before the first transaction after the goal, whatever its size, and whatever was passed
// over before it.
func TestReplayExactly(t *testing.T) {
	for _, rows := range []int{1, 5000} {
		for _, between := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.insert(1, 5)
				if between {
					w.exec(func(tx *dbtest.Tx) error { return tx.Insert(unrouted, dbtest.Values(1, "x", nil)) })
				}
				goal := w.head()
				w.exec(func(tx *dbtest.Tx) error {
					for id := 100; id < 100+rows; id++ {
						if err := tx.Insert(items, dbtest.Values(id, "later", nil)); err != nil {
							return err
						}
					}
					return nil
				})
				w.insert(50, 5)
				w.opts.BatchRows = 100
				require.NoError(t, w.replicator().ReplayExactly(t.Context(), goal))
				assert.Len(t, w.target.All(schema.Name{Database: "new", Table: "items"}), 5)
				require.NoError(t, w.replicator().ReplayTo(t.Context(), w.head()))
				w.equal()
			})
		}
	}
}
