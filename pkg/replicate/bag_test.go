package replicate

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// bagRoute makes a route of a table without a key: a text and the integer columns flag and n, all nullable.
func bagRoute(t *testing.T, name, where string) *route.Route {
	t.Helper()
	def := &schema.Table{Name: schema.Name{Database: "shop", Table: name}, Columns: []schema.Column{
		{Name: "text", Nullable: true, Type: schema.Type{Kind: schema.Varchar, Size: 8}},
		{Name: "flag", Nullable: true, Type: schema.Type{Kind: schema.Integer, Size: 8}},
		{Name: "n", Nullable: true, Type: schema.Type{Kind: schema.Integer, Size: 8}},
	}}
	r, err := route.New(def, def, where)
	require.NoError(t, err)
	require.Empty(t, r.Source.Key)
	return r
}

// pile is the rows of a table without a key.
type pile []db.Row

// replay does one change after the other, as the source did.
func (p *pile) replay(t *testing.T, r *route.Route, change db.Change) {
	t.Helper()
	if change.Before != nil && (r.Filter == nil || r.Filter.Match(change.Before)) {
		p.take(t, change.Before)
	}
	if change.After != nil && (r.Filter == nil || r.Filter.Match(change.After)) {
		*p = append(*p, change.After)
	}
}

func (p *pile) take(t *testing.T, row db.Row) {
	t.Helper()
	at := slices.IndexFunc(*p, func(have db.Row) bool { return image(have) == image(row) })
	require.GreaterOrEqual(t, at, 0, "no row %s to remove", image(row))
	*p = slices.Delete(*p, at, at+1)
}

// image tells NULL from the empty text, as show does not.
func image(row db.Row) (text string) {
	for _, v := range row {
		if v == nil {
			text += "NULL "
		} else {
			text += show(db.Row{v})
		}
	}
	return text
}

func (p pile) images() []string {
	out := make([]string, len(p))
	for i, row := range p {
		out[i] = image(row)
	}
	slices.Sort(out)
	return out
}

// TestBagNetEffect compares batches, cut anywhere, with the changes replayed one by one.
func TestBagNetEffect(t *testing.T) {
	for _, where := range []string{"", "flag = 1", "flag = 1 AND n < 2"} {
		r := bagRoute(t, "bag", where)
		for seed := range uint64(700) {
			random := rand.New(rand.NewPCG(seed, 17))
			texts := [][]byte{nil, {}, []byte("~"), []byte("1:1"), []byte("1"), []byte("A"), []byte("a"), []byte("a ")}
			numbers := [][]byte{nil, []byte("0"), []byte("1"), []byte("2")}
			draw := func() db.Row {
				return db.Row{texts[random.IntN(len(texts))], numbers[random.IntN(4)], numbers[random.IntN(4)]}.Clone()
			}
			var source, one, target pile
			c := newCoalescer()
			for range 1 + random.IntN(6) {
				for range random.IntN(60) {
					change := db.Change{Route: r}
					if len(source) > 0 && random.IntN(3) > 0 {
						at := random.IntN(len(source))
						change.Before = source[at].Clone()
						source = slices.Delete(source, at, at+1)
					}
					if change.Before == nil || random.IntN(2) == 0 {
						change.After = draw()
						source = append(source, change.After)
					}
					c.add(change)
					one.replay(t, r, change)
				}
				b := c.batch()
				for _, tb := range b.Tables {
					assert.EqualValues(t, len(tb.Deletes), tb.Expect, "each must be there")
					gone := map[string]bool{}
					for _, row := range tb.Deletes {
						gone[image(row)] = true
						target.take(t, row)
					}
					for _, row := range tb.Upserts {
						assert.False(t, gone[image(row)], "a row does not come and go")
					}
					target = append(target, tb.Upserts...)
				}
				c.reset()
				require.True(t, c.empty())
				require.Equal(t, one.images(), target.images(), "seed %d", seed)
			}
		}
	}
}

// TestBagCounts has what a batch says of a row that comes and goes many times.
func TestBagCounts(t *testing.T) {
	r := bagRoute(t, "bag", "")
	a, b := row("a", 1, 1), db.Row{nil, nil, nil}
	c := newCoalescer()
	for range 10_000 {
		c.add(db.Change{Route: r, Before: a, After: b})
		c.add(db.Change{Route: r, Before: b, After: a})
		c.add(db.Change{Route: r, Before: a, After: a})
	}
	assert.Equal(t, 2, c.rows, "memory is for distinct rows")
	batch := c.batch()
	require.Len(t, batch.Tables, 1)
	assert.Empty(t, batch.Tables[0].Deletes)
	assert.Empty(t, batch.Tables[0].Upserts)
	for range 3 {
		c.add(db.Change{Route: r, After: b})
	}
	c.add(db.Change{Route: r, Before: a, After: b})
	batch = c.batch()
	assert.Equal(t, []db.Row{a}, batch.Tables[0].Deletes)
	assert.Equal(t, []db.Row{b, b, b, b}, batch.Tables[0].Upserts)
}
