package verify_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	"wherry/pkg/verify"
)

// world is two servers and a table on both, with n rows (id, name, at, flag, code) each.
type world struct {
	t              *testing.T
	source, target *dbtest.Server
	from, to       schema.Name
	routes         []*route.Route
	opts           verify.Options
	left           db.Source // what verify is given, to be wrapped
	right          db.Target
}

func table(name schema.Name, keyed, unique bool) *schema.Table {
	t := &schema.Table{Name: name, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.Integer, Name: "bigint", Size: 8}},
		{Name: "name", Nullable: true, Type: schema.Type{
			Kind: schema.Varchar, Name: "varchar", Size: 200,
			Charset: "latin1",
		}},
		{Name: "at", Nullable: true, Type: schema.Type{Kind: schema.Datetime, Name: "datetime"}},
		{Name: "flag", Type: schema.Type{Kind: schema.Integer, Name: "tinyint", Size: 1}},
		{Name: "code", Nullable: true, Type: schema.Type{Kind: schema.Integer, Name: "bigint", Size: 8}},
	}}
	if keyed {
		t.Primary = &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "id"}}}
	}
	if unique {
		t.Indexes = []schema.Index{{Name: "u_code", Unique: true, Parts: []schema.Part{{Column: "code"}}}}
	}
	return t
}

func newWorld(t *testing.T, n int) *world { return buildWorld(t, n, true, "") }

func buildWorld(t *testing.T, n int, keyed bool, where string) *world {
	t.Helper()
	from, to := schema.Name{Database: "shop", Table: "items"}, schema.Name{Database: "new", Table: "goods"}
	return fillWorld(t, n, dbtest.NewTarget("target"), table(from, keyed, true), to, where)
}

// newTextWorld is a world whose keys are text, which the target sorts otherwise.
func newTextWorld(t *testing.T, n int) *world {
	t.Helper()
	source := table(schema.Name{Database: "shop", Table: "items"}, true, true)
	source.Columns[0].Type = schema.Type{Kind: schema.Varchar, Name: "varchar", Size: 20, Charset: "latin1"}
	return fillWorld(t, n, dbtest.NewOther("target"), source, schema.Name{Database: "new", Table: "goods"}, "")
}

func fillWorld(t *testing.T, n int, on *dbtest.Server, source *schema.Table, to schema.Name, where string) *world {
	t.Helper()
	w := &world{
		t: t, source: dbtest.NewServer("source"), target: on, from: source.Name, to: to,
		opts: verify.Options{ChunkRows: 700, WaitTimeout: 10 * time.Second},
	}
	require.NoError(t, w.source.DDL(db.DDL{Statement: "create"}, dbtest.CreateTable(source)))
	target, err := w.target.MapTable(source, to)
	require.NoError(t, err)
	r, err := route.New(source, target, where)
	require.NoError(t, err)
	w.routes = []*route.Route{r}
	w.left, w.right = w.source.Source(), w.target.Target("move")
	for server, name := range map[*dbtest.Server]schema.Name{w.source: w.from, w.target: w.to} {
		require.NoError(t, server.Exec(func(tx *dbtest.Tx) error {
			for i := 1; i <= n; i++ {
				if err := tx.Insert(name, rowOf(i)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return w
}

// rowOf is row i as both ends hold it at first. Every third name is NULL and every fifth empty.
func rowOf(i int) db.Row {
	name := "Name"
	if i%2 == 0 { // another text on a target with another character set
		name = "Näme"
	}
	row := dbtest.Values(i, fmt.Sprintf("%s %d", name, i), fmt.Sprintf("2024-03-%02d 10:00:00", 1+i%28), i%2, 10*i)
	switch {
	case i%3 == 0:
		row[1] = nil
	case i%5 == 0:
		row[1] = []byte{}
	}
	return row
}

func key(i int) db.Row { return dbtest.Values(i) }

func (w *world) verify() *verify.Verify { return verify.New(w.left, w.right, w.routes, w.opts) }

func (w *world) run() *verify.Report {
	w.t.Helper()
	report, err := w.verify().Run(w.t.Context())
	require.NoError(w.t, err)
	return report
}

// change rewrites a row of a server's table, outside of the move.
func (w *world) change(s *dbtest.Server, name schema.Name, id int, f func(row db.Row)) {
	w.t.Helper()
	require.NoError(w.t, s.Exec(func(tx *dbtest.Tx) error {
		row, err := tx.Get(name, key(id))
		if err != nil {
			return err
		}
		f(row)
		return tx.Update(name, key(id), row)
	}))
}

// damage rewrites a row of the target only.
func (w *world) damage(id int, f func(row db.Row)) {
	w.t.Helper()
	w.change(w.target, w.to, id, f)
}

func (w *world) remove(s *dbtest.Server, name schema.Name, id int) {
	w.t.Helper()
	require.NoError(w.t, s.Exec(func(tx *dbtest.Tx) error { return tx.Delete(name, key(id)) }))
}

func (w *world) insert(s *dbtest.Server, name schema.Name, row db.Row) {
	w.t.Helper()
	require.NoError(w.t, s.Exec(func(tx *dbtest.Tx) error { return tx.Insert(name, row) }))
}

func (w *world) head() db.Position {
	w.t.Helper()
	head, err := w.source.Source().Head(w.t.Context())
	require.NoError(w.t, err)
	return head
}

func (w *world) applied(ctx context.Context) (db.Position, error) {
	at, err := w.target.Target("move").Ledger().Get(ctx, db.FactPosition)
	return db.Position(at), err
}

// follow replicates until the test ends: one transaction at a time, rows and position together.
func (w *world) follow() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	ledger := w.target.Target("move").Ledger()
	require.NoError(w.t, ledger.Create(ctx))
	require.NoError(w.t, ledger.Put(ctx, db.FactPosition, w.head().String()))
	w.opts.Applied = w.applied
	applier, err := w.target.Target("move").NewApplier(ctx, db.ApplyOptions{})
	require.NoError(w.t, err)
	stream, err := w.source.Source().Stream(ctx, applier.Position(), w.routes, nil)
	require.NoError(w.t, err)
	var group sync.WaitGroup
	group.Go(func() {
		for ctx.Err() == nil {
			part, err := stream.Next(ctx, time.Millisecond)
			if err == nil && part != nil {
				err = apply(ctx, applier, part)
			}
			if err == nil && stream.Position() != applier.Position() && (part == nil || part.End) {
				err = applier.Commit(ctx, stream.Position())
			}
			if ctx.Err() == nil {
				assert.NoError(w.t, err)
			}
		}
	})
	w.t.Cleanup(func() { cancel(); group.Wait() })
}

func apply(ctx context.Context, applier db.Applier, part *db.Part) error {
	for _, c := range part.Changes {
		b := db.TableBatch{Route: c.Route}
		if c.Before != nil {
			b.Deletes = []db.Row{c.Before}
			if len(c.Route.Target.Key) > 0 {
				b.Deletes = []db.Row{c.Before.Pick(c.Route.Target.Key)}
			}
		}
		if c.After != nil {
			b.Upserts = []db.Row{c.After}
		}
		if _, err := applier.Apply(ctx, &db.Batch{Tables: []db.TableBatch{b}}); err != nil {
			return err
		}
	}
	return nil
}

// caughtUp waits until the target holds what the source holds now.
func (w *world) caughtUp() {
	w.t.Helper()
	head := w.head()
	require.Eventually(w.t, func() bool {
		at, err := w.applied(w.t.Context())
		if err != nil {
			return false
		}
		reached, err := w.source.Source().Reached(at, head)
		return err == nil && reached
	}, time.Minute, time.Millisecond)
}

func (w *world) assertEqual() {
	w.t.Helper()
	assert.Equal(w.t, w.source.All(w.from), w.target.All(w.to))
}

// counts writes a report's counts for comparison.
func counts(r *verify.Report) string {
	t := r.Tables[0]
	return fmt.Sprintf("differing=%d missing=%d extra=%d flux=%d repaired=%d", t.Differing, t.Missing, t.Extra,
		t.InFlux, t.Repaired)
}

func listed(r *verify.Report) string { return list(r, true) }

// wrong is listed without rows in flux.
func wrong(r *verify.Report) string { return list(r, false) }

func list(r *verify.Report, flux bool) string {
	var out []string
	for _, d := range r.Tables[0].Listed {
		if d.Kind == verify.InFlux && !flux {
			continue
		}
		text := string(d.Kind) + " " + d.Key
		if d.Repaired {
			text += " repaired"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}
