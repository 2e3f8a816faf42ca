package replicate_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"wherry/pkg/copy"
	"wherry/pkg/db"
	"wherry/pkg/replicate"
	"wherry/pkg/route"
	"wherry/pkg/verify"
)

// TestCascadesWhileCopied has the source write between any two reads of a copy, which foreign keys act upon unseen: a
// chunk shows rows of before and of after, and parents that are gone of rows that are not yet. The copy dies now and
// then. In the end both sides are equal, and stay so.
func TestCascadesWhileCopied(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFamily(t, seed)
				for range 60 {
					f.write()
				}
				f.disturb(rand.New(rand.NewPCG(seed, 9)))
				for try := 0; ; try++ {
					require.Less(t, try, 50)
					ctx, kill := context.WithCancel(t.Context())
					if steps := 30 + f.random.IntN(300); try < 4 {
						f.target.OnStep(func(string) error {
							if steps--; steps == 0 {
								kill()
							}
							return nil
						})
					} else {
						f.target.OnStep(nil)
					}
					err := f.copy().Run(ctx)
					killed := ctx.Err() != nil
					kill()
					if err == nil {
						break
					}
					require.True(t, killed, "%v", err)
				}
				f.source.OnStep(nil)
				f.target.OnStep(nil)
				unreconciled, err := f.target.Target("move").Ledger().Get(t.Context(), db.FactCascades)
				require.NoError(t, err)
				require.Empty(t, unreconciled)
				for range 20 {
					f.write()
				}
				require.NoError(t, f.replicator().ReplayTo(t.Context(), f.head()))
				f.equal()
			})
		})
	}
}

// disturb writes at any step of the source's, for a while.
func (f *family) disturb(r *rand.Rand) {
	var mu sync.Mutex
	left := 200
	f.source.OnStep(func(step string) error {
		mu.Lock()
		defer mu.Unlock()
		if left > 0 && step != "stream.next" && r.IntN(3) == 0 {
			left--
			f.write()
		}
		return nil
	})
}

// copy returns the phase as pkg/move puts it together.
func (f *family) copy() *copy.Copy {
	target := f.target.Target("move")
	ledger := target.Ledger()
	source := db.FromSnapshots(f.source.Source(), ledger)
	opts := f.opts
	opts.Unseen = func(ctx context.Context) error { return ledger.Put(ctx, db.FactCascades, "unseen") }
	replay := replicate.New(source, target, f.routes, opts)
	return copy.New(source, target, f.routes, replay, copy.Options{
		Workers: 1, ChunkRows: 1 + f.random.IntN(4),
		Reconcile: func(ctx context.Context, routes []*route.Route) (db.Position, error) {
			return verify.Reconcile(ctx, source, target, route.NewCascades(routes), routes, func(*route.Route) bool {
				return false
			}, replay.ReplayExactly, zerolog.Nop())
		},
	})
}
