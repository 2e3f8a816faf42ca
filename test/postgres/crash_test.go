package postgres

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestServerKilled kills PostgreSQL itself while rows are copied and while changes are followed. The copy goes on when
// it is back, or when it is run again; start-replica goes on by itself. In the end both sides are equal: a chunk that
// was confirmed is there after the crash.
func TestServerKilled(t *testing.T) {
	harness.Each(t, harness.Postgres, func(t *testing.T, source, target *harness.Server) {
		harness.Script(t)
		s := lab.Seed(t)
		m := newMove(t, source, target)
		app := source.In(t, m.Name)
		for _, x := range tables() {
			app.Exec(t, x.create())
		}
		for n := range 60 {
			require.NoError(t, write(t.Context(), app.DB, rand.New(rand.NewPCG(s, uint64(n))), 40))
		}
		writer := source.App(t, m.Name)
		l := harness.StartLoad(t, harness.Loaded{
			Seed: s, Workers: 3, Pause: 5 * time.Millisecond, Bears: []uint16{1062, 1452},
		}, func(ctx context.Context, _ int, r *rand.Rand) error { return write(ctx, writer, r, 4) })
		m.Phases(t, "init-schema")
		crash := func() {
			target.Control(t, "kill")
			target.Control(t, "start")
		}
		copying := m.Start(t, "init-copy")
		time.Sleep(150 * time.Millisecond)
		crash()
		if copying.Wait(t); copying.Code != harness.Done {
			// It was lost before the first chunk, while preconditions were looked at: the same command goes on.
			require.Equal(t, harness.Failed, copying.Code, copying.Log())
			m.Must(t, "init-copy")
		}
		m.Start(t, "start-replica")
		for range 3 {
			l.More(t, 30)
			crash()
		}
		l.More(t, 30)
		m.Must(t, "verify")
		m.Must(t, "cutover", m.Confirm())
		l.Stop(t)
		for _, x := range tables() {
			x.equal(t, source, target, m.Name)
		}
	})
}
