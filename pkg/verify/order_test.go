package verify_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

func TestEndsThatSortDifferently(t *testing.T) {
	for _, n := range []int{1500, 6000} { // by ranges, and from some range on by keys
		w := newTextWorld(t, n)
		w.opts.ChunkRows = 100
		assert.True(t, w.run().Clean())

		w.damage(77, func(row db.Row) { row[3] = []byte("9") })
		w.remove(w.target, w.to, n)
		w.insert(w.target, w.to, rowOf(-3))
		w.insert(w.target, w.to, rowOf(20000))
		report := w.run()
		want := []string{"extra '-3'", fmt.Sprintf("missing '%d'", n), "extra '20000'", "differing '77'"}
		assert.ElementsMatch(t, want, strings.Split(listed(report), ", "))
		assert.Equal(t, n, int(report.Rows()))

		w.opts.Repair = true
		assert.True(t, w.run().Clean())
		assert.True(t, slices.Equal(w.texts(w.source, w.from), w.texts(w.target, w.to)))
	}
}

// texts writes a server's rows in no server's order.
func (w *world) texts(s *dbtest.Server, name schema.Name) []string {
	var all []string
	for _, row := range s.All(name) {
		all = append(all, fmt.Sprintf("%q", row))
	}
	slices.Sort(all)
	return all
}

// TestOrderAndLoad has rows written while ends that sort differently are compared: none is called different.
func TestOrderAndLoad(t *testing.T) {
	w := newTextWorld(t, 800)
	w.follow()
	w.opts.ChunkRows = 20
	stop := w.write(0, 900)
	for range 3 {
		report := w.run()
		assert.True(t, report.Clean(), listed(report))
	}
	stop()
	w.caughtUp()
	w.damage(5, func(row db.Row) { row[3] = []byte("9") })
	w.insert(w.target, w.to, rowOf(5000))
	assert.ElementsMatch(t, []string{"differing '5'", "extra '5000'"}, strings.Split(listed(w.run()), ", "))
}

// TestOrderAndLostConnections has connections lost while ends that sort differently are compared.
func TestOrderAndLostConnections(t *testing.T) {
	w := newTextWorld(t, 3000)
	w.opts.ChunkRows = 50
	w.insert(w.target, w.to, rowOf(20000))
	var steps atomic.Int64
	w.target.OnStep(func(step string) error {
		if step != "rows.next" {
			return nil
		}
		if n := steps.Add(1); n%1500 == 0 && n <= 15000 {
			return db.ErrConnection
		}
		return nil
	})
	report := w.run()
	assert.Equal(t, "extra '20000'", listed(report))
	assert.Equal(t, 3000, int(report.Rows()))
}

// TestOrderAndWork shows that the work per row does not grow with the table when the ends sort differently.
func TestOrderAndWork(t *testing.T) {
	rows := func(n int) float64 {
		w := newTextWorld(t, n)
		w.opts.ChunkRows = 500
		w.insert(w.target, w.to, rowOf(-3))
		var read atomic.Int64
		w.left, w.right = countedSource{w.left, &read}, countedTarget{w.right, &read}
		assert.Equal(t, "extra '-3'", listed(w.run()))
		return float64(read.Load())
	}
	small, large := rows(10_000), rows(100_000)
	assert.Less(t, large/small, 12.0, "10,000 rows cost %.0f, 100,000 cost %.0f", small, large)
	assert.Less(t, large, 20*100_000.0)
}

// countedSource and countedTarget count the rows that their servers read.
type countedSource struct {
	db.Source
	read *atomic.Int64
}

func (c countedSource) Sum(ctx context.Context, rel *route.Relation, rng db.Range) (db.Sum, error) {
	return countSum(c.Source, c.read)(ctx, rel, rng)
}

func (c countedSource) Rows(ctx context.Context, rel *route.Relation, rng db.Range) (db.Rows, error) {
	rows, err := c.Source.Rows(ctx, rel, rng)
	return countedRows{rows, c.read}, err
}

func (c countedSource) Fetch(ctx context.Context, rel *route.Relation, keys []db.Row) (db.Rows, error) {
	rows, err := c.Source.Fetch(ctx, rel, keys)
	return countedRows{rows, c.read}, err
}

type countedTarget struct {
	db.Target
	read *atomic.Int64
}

func (c countedTarget) Sum(ctx context.Context, rel *route.Relation, rng db.Range) (db.Sum, error) {
	return countSum(c.Target, c.read)(ctx, rel, rng)
}

func (c countedTarget) Rows(ctx context.Context, rel *route.Relation, rng db.Range) (db.Rows, error) {
	rows, err := c.Target.Rows(ctx, rel, rng)
	return countedRows{rows, c.read}, err
}

func (c countedTarget) Fetch(ctx context.Context, rel *route.Relation, keys []db.Row) (db.Rows, error) {
	rows, err := c.Target.Fetch(ctx, rel, keys)
	return countedRows{rows, c.read}, err
}

func countSum(end db.Reader, read *atomic.Int64) func(context.Context, *route.Relation, db.Range) (db.Sum, error) {
	return func(ctx context.Context, rel *route.Relation, rng db.Range) (db.Sum, error) {
		sum, err := end.Sum(ctx, rel, rng)
		read.Add(sum.Rows)
		return sum, err
	}
}

type countedRows struct {
	db.Rows
	read *atomic.Int64
}

func (c countedRows) Next() (db.Row, error) {
	row, err := c.Rows.Next()
	if err == nil {
		c.read.Add(1)
	}
	return row, err
}
