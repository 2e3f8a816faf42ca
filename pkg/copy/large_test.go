package copy_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/copy"
	"wherry/pkg/db"
	"wherry/pkg/replicate"
	"wherry/pkg/route"
)

// together is a target whose loads begin only when want of them are under way, the first ones and the last ones alike.
type together struct {
	db.Target
	want    int
	mu      sync.Mutex
	waiting chan struct{}
	now     int
	rounds  int
}

func (g *together) Load(ctx context.Context, from db.RowReader, r *route.Route, c db.Chunk) (db.Loaded, error) {
	g.mu.Lock()
	if g.waiting == nil {
		g.waiting = make(chan struct{})
	}
	gate := g.waiting
	if g.now++; g.now == g.want {
		close(gate)
		g.waiting, g.now = nil, 0
		g.rounds++
	}
	g.mu.Unlock()
	select {
	case <-gate:
		return g.Target.Load(ctx, from, r, c)
	case <-ctx.Done():
		return db.Loaded{}, context.Cause(ctx)
	}
}

// TestOneLargeTable: all workers load the one table that is left, to its end. Were one idle, the others would wait
// for ever.
func TestOneLargeTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 119) // 12 chunks of 10 rows
		w.routes = w.routes[:1]
		target := &together{Target: w.right, want: 3}
		replayer := replicate.New(db.FromSnapshots(w.left, w.right.Ledger()), w.right, w.routes, w.replay)
		require.NoError(t, copy.New(w.left, target, w.routes, replayer, w.opts).Run(t.Context()))
		assert.Equal(t, 4, target.rounds)
	})
}
