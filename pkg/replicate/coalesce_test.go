package replicate

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// newRoute makes a route of a table with the key columns k0, k1, ... of one kind, and the integer columns flag and n.
func newRoute(t *testing.T, name string, kind schema.Kind, keys int, where string) *route.Route {
	t.Helper()
	def := &schema.Table{Name: schema.Name{Database: "shop", Table: name}, Primary: &schema.Index{
		Name:   "PRIMARY",
		Unique: true,
	}}
	for i := range keys {
		column := "k" + strconv.Itoa(i)
		def.Columns = append(def.Columns, schema.Column{Name: column, Type: schema.Type{Kind: kind, Size: 8}})
		def.Primary.Parts = append(def.Primary.Parts, schema.Part{Column: column})
	}
	for _, column := range []string{"flag", "n"} {
		def.Columns = append(def.Columns, schema.Column{Name: column, Type: schema.Type{Kind: schema.Integer, Size: 8}})
	}
	r, err := route.New(def, def, where)
	require.NoError(t, err)
	return r
}

func row(values ...any) db.Row {
	out := make(db.Row, len(values))
	for i, v := range values {
		out[i] = fmt.Append([]byte{}, v)
	}
	return out
}

// show writes a row down so that no two rows look the same.
func show(row db.Row) string {
	text := []byte{'['}
	for _, v := range row {
		if len(text) > 1 {
			text = append(text, ' ')
		}
		text = strconv.AppendQuote(text, string(v))
	}
	return string(append(text, ']'))
}

// model is the rows of a table by key.
type model map[string]db.Row

func (m model) String() string {
	var all []string
	for _, r := range m {
		all = append(all, show(r))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// filtered is what of m a target holds.
func (m model) filtered(r *route.Route) model {
	out := model{}
	for k, v := range m {
		if r.Filter == nil || r.Filter.Match(v) {
			out[k] = v
		}
	}
	return out
}

// apply does to m what an applier does, and checks what a batch promises.
func (m model) apply(t *testing.T, tb *db.TableBatch) {
	t.Helper()
	seen, found := map[string]bool{}, int64(0)
	see := func(key db.Row) string {
		k := show(key)
		if seen[k] {
			require.Fail(t, "key is in the batch twice", k)
		}
		seen[k] = true
		return k
	}
	for _, key := range tb.Deletes {
		k := see(key)
		if m[k] != nil {
			found++
		}
		delete(m, k)
	}
	assert.Equal(t, tb.Expect, found, "keys that the target must hold")
	for _, row := range tb.Upserts {
		m[see(row.Pick(tb.Route.Source.Key))] = row.Clone()
	}
}

// history makes random changes of one table, whose state it keeps.
type history struct {
	route  *route.Route
	state  model
	values []string // that keys are made of
	random *rand.Rand
}

func (h *history) image() db.Row {
	out := db.Row{}
	for range h.route.Source.Key {
		out = append(out, []byte(h.values[h.random.IntN(len(h.values))]))
	}
	return append(out, row(h.random.IntN(2), h.random.IntN(1000))...)
}

// next returns a change that is possible now.
func (h *history) next() db.Change {
	after := h.image()
	to := show(after.Pick(h.route.Source.Key))
	if h.state[to] == nil && (len(h.state) == 0 || h.random.IntN(2) == 0) {
		h.state[to] = after
		return db.Change{Route: h.route, After: after.Clone()}
	}
	from := to
	if h.state[to] == nil { // another row moves here
		keys := make([]string, 0, len(h.state))
		for k := range h.state {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		from = keys[h.random.IntN(len(keys))]
	}
	before := h.state[from]
	delete(h.state, from)
	if h.random.IntN(3) == 0 {
		return db.Change{Route: h.route, Before: before.Clone()}
	}
	h.state[to] = after
	return db.Change{Route: h.route, Before: before.Clone(), After: after.Clone()}
}

// TestNetEffect applies random histories in batches that are cut anywhere, also within transactions.
func TestNetEffect(t *testing.T) {
	routes := []*route.Route{
		newRoute(t, "numbers", schema.Integer, 1, ""),
		newRoute(t, "texts", schema.Varchar, 1, ""),
		newRoute(t, "pairs", schema.Varchar, 2, ""),
		newRoute(t, "triples", schema.Integer, 3, ""),
		newRoute(t, "some", schema.Integer, 2, "flag = 1"),
		newRoute(t, "texts_some", schema.Varchar, 2, "flag = 1 AND n < 700"),
	}
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 7))
		c := newCoalescer()
		var histories []*history
		targets := map[*route.Route]model{}
		for _, r := range routes[random.IntN(len(routes)):] {
			values := []string{"1", "11", "111", "0", "-1", "2"}
			if r.Source.Column(0).Type.Kind == schema.Varchar {
				values = []string{"", "1", "11", "1:1", "1:", "2:11", "~", "a"}
			}
			histories = append(histories, &history{route: r, state: model{}, values: values, random: random})
			targets[r] = model{}
		}
		for range 1 + random.IntN(6) {
			for range random.IntN(40) {
				c.add(histories[random.IntN(len(histories))].next())
			}
			rows := c.rows
			b := c.batch()
			for i := range b.Tables {
				tb := &b.Tables[i]
				targets[tb.Route].apply(t, tb)
				rows -= len(tb.Deletes) + len(tb.Upserts)
			}
			assert.Zero(t, rows, "rows are counted")
			for _, h := range histories {
				want, got := h.state.filtered(h.route), targets[h.route]
				if !maps.EqualFunc(want, got, func(a, b db.Row) bool { return slices.EqualFunc(a, b, bytes.Equal) }) {
					require.Equal(t, want.String(), got.String(), "seed %d, table %s", seed, h.route.Source.Name())
				}
			}
			c.reset()
			assert.True(t, c.empty())
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestFilterTransitions(t *testing.T) {
	r := newRoute(t, "some", schema.Integer, 1, "flag = 1")
	in, out := row(1, 1, 5), row(1, 0, 5)
	moved := row(2, 1, 6)
	hidden := row(2, 0, 6)
	for _, c := range []struct {
		name          string
		changes       [][2]db.Row
		deletes       string
		expect        int64
		upserts       string
		nothingAtAll  bool
		countOfTables int
	}{
		{name: "insert in", changes: [][2]db.Row{{nil, in}}, upserts: `["1" "1" "5"]`},
		{name: "insert out", changes: [][2]db.Row{{nil, out}}, nothingAtAll: true},
		{name: "delete in", changes: [][2]db.Row{{in, nil}}, deletes: `["1"]`, expect: 1},
		{name: "delete out", changes: [][2]db.Row{{out, nil}}, nothingAtAll: true},
		{name: "out to in is an upsert", changes: [][2]db.Row{{out, in}}, upserts: `["1" "1" "5"]`},
		{name: "in to out is a delete", changes: [][2]db.Row{{in, out}}, deletes: `["1"]`, expect: 1},
		{name: "in to in", changes: [][2]db.Row{{in, in}}, upserts: `["1" "1" "5"]`},
		{name: "out to out", changes: [][2]db.Row{{out, out}}, nothingAtAll: true},
		{
			name: "key change in to in", changes: [][2]db.Row{{in, moved}}, deletes: `["1"]`, expect: 1,
			upserts: `["2" "1" "6"]`,
		},
		{name: "key change in to out", changes: [][2]db.Row{{in, hidden}}, deletes: `["1"]`, expect: 1},
		{name: "key change out to in", changes: [][2]db.Row{{out, moved}}, upserts: `["2" "1" "6"]`},
		{name: "in and out again", changes: [][2]db.Row{{out, in}, {in, out}}, deletes: `["1"]`},
		{name: "out and in again", changes: [][2]db.Row{{in, out}, {out, in}}, upserts: `["1" "1" "5"]`},
		{
			name: "hidden row gives way", changes: [][2]db.Row{{out, nil}, {nil, in}, {in, moved}}, deletes: `["1"]`,
			upserts: `["2" "1" "6"]`,
		},
		{
			name: "there and back", changes: [][2]db.Row{{in, moved}, {moved, in}}, deletes: `["2"]`,
			upserts: `["1" "1" "5"]`,
		},
	} {
		net := newCoalescer()
		for _, change := range c.changes {
			net.add(db.Change{Route: r, Before: change[0], After: change[1]})
		}
		b := net.batch()
		if c.nothingAtAll {
			assert.True(t, net.empty(), c.name)
			assert.Empty(t, b.Tables, c.name)
			continue
		}
		require.Len(t, b.Tables, 1, c.name)
		join := func(rows []db.Row) (text string) {
			for _, r := range rows {
				text += show(r)
			}
			return text
		}
		assert.Equal(t, c.deletes, join(b.Tables[0].Deletes), c.name)
		assert.Equal(t, c.upserts, join(b.Tables[0].Upserts), c.name)
		assert.Equal(t, c.expect, b.Tables[0].Expect, c.name)
	}
}

func TestBatchOrder(t *testing.T) {
	numbers, texts := newRoute(t, "numbers", schema.Integer, 2, ""), newRoute(t, "texts", schema.Varchar, 1, "")
	c := newCoalescer()
	for _, k := range []string{"b", "a", "10", "9", ""} {
		c.add(db.Change{Route: texts, After: row(k, 0, 0)})
		c.add(db.Change{Route: texts, Before: row(k+"z", 0, 0)})
	}
	for _, k := range [][2]int{{10, 2}, {9, 10}, {9, 9}, {-5, 0}, {100, 0}, {-40, 0}, {0, 0}} {
		c.add(db.Change{Route: numbers, After: row(k[0], k[1], 0, 0)})
	}
	b := c.batch()
	require.Len(t, b.Tables, 2)
	assert.Same(t, texts, b.Tables[0].Route, "tables stand in the order of their first change")
	var got []string
	for _, r := range b.Tables[0].Upserts {
		got = append(got, string(r[0]))
	}
	assert.Equal(t, []string{"", "10", "9", "a", "b"}, got)
	got = nil
	for _, r := range b.Tables[0].Deletes {
		got = append(got, string(r[0]))
	}
	assert.Equal(t, []string{"10z", "9z", "az", "bz", "z"}, got)
	got = nil
	for _, r := range b.Tables[1].Upserts {
		got = append(got, string(r[0])+"/"+string(r[1]))
	}
	assert.Equal(t, []string{"-40/0", "-5/0", "0/0", "9/9", "9/10", "10/2", "100/0"}, got)
}

// TestReuse keeps batches while their coalescer is used again, with keys that fill several blocks.
func TestReuse(t *testing.T) {
	r := newRoute(t, "texts", schema.Varchar, 2, "")
	random := rand.New(rand.NewPCG(3, 3))
	c := newCoalescer()
	var batches []*db.Batch
	var texts []string
	describe := func(b *db.Batch) string {
		var text strings.Builder
		for _, tb := range b.Tables {
			fmt.Fprintf(&text, "%d %q %q\n", tb.Expect, tb.Deletes, tb.Upserts)
		}
		return text.String()
	}
	for round := range 12 {
		want := map[string]bool{}
		for i := range 400 {
			long := bytes.Repeat([]byte{byte('a' + round)}, random.IntN(500))
			if i == 0 {
				long = bytes.Repeat([]byte{byte('a' + round)}, 2*keyBlock)
			}
			image := append(db.Row{long, strconv.AppendInt(nil, int64(i), 10)}, row(i, round)...)
			c.add(db.Change{Route: r, After: image})
			if i%3 == 0 {
				c.add(db.Change{Route: r, Before: image})
				continue
			}
			want[show(image)] = true
		}
		b := c.batch()
		require.Len(t, b.Tables, 1)
		require.Len(t, b.Tables[0].Upserts, len(want))
		for _, upsert := range b.Tables[0].Upserts {
			require.True(t, want[show(upsert)])
		}
		batches, texts = append(batches, b), append(texts, describe(b))
		c.reset()
		assert.True(t, c.empty())
		assert.Empty(t, c.batch().Tables)
	}
	for i, b := range batches {
		require.Equal(t, texts[i], describe(b), "batch %d changed afterwards", i)
	}
}
