// Package races forces the races between the copy, the log and the application into a known order, and looks at the
// outcome by its own SQL.
//
// Its one invariant: a race happens at a moment that the test names, never by chance; a moment that was not met fails
// the test. What can only happen by chance (a commit that becomes visible late) is provoked often and counted.
package races

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/copy"
	"wherry/pkg/db"
	engine "wherry/pkg/db/mysql"
	"wherry/pkg/initschema"
	"wherry/pkg/plan"
	"wherry/pkg/replicate"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

const (
	move       = "races"
	sourceName = "wherry_races"
	targetName = "wherry_races_moved"
)

// world is a move between two servers, its databases fresh.
type world struct {
	t       *testing.T
	ctx     context.Context //nolint:containedctx // a test's own
	app     *harness.Server // writes to the source, several statements at a time
	look    *harness.Server // reads the target
	source  db.Source
	target  db.Target
	routes  []*route.Route
	moments *moments
	workers int // that replay; 0: 1
}

// newWorld makes a move whose target tables are those that wherry makes: unique indexes come after the rows.
func newWorld(t *testing.T, source, target *harness.Server, statements ...string) *world {
	t.Helper()
	return newWorldWith(t, source, target, deferred, statements...)
}

// indexing is when the target gets its unique indexes.
type indexing string

const (
	deferred indexing = "unique indexes deferred"
	present  indexing = "unique indexes present" // the tables are there before the move, with all of their indexes
)

func newWorldWith(t *testing.T, source, target *harness.Server, unique indexing, statements ...string) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, ctx: ctx, moments: &moments{t: t}}
	// A fresh log file, because MariaDB finds a position by reading the file up to there.
	source.Batch(t, "").Exec(w.t, "FLUSH BINARY LOGS", "DROP DATABASE IF EXISTS "+sourceName,
		"CREATE DATABASE "+sourceName+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
	w.look = target.Batch(t, "")
	w.look.Exec(w.t, "DROP DATABASE IF EXISTS "+targetName, "DROP DATABASE IF EXISTS "+engine.Bookkeeping(move))
	w.app = source.Batch(t, sourceName)
	w.app.Exec(w.t, statements...)

	from, err := engine.OpenSource(ctx, config(source))
	require.NoError(t, err)
	t.Cleanup(func() { _ = from.Close() })
	to, err := engine.OpenTarget(ctx, config(target))
	require.NoError(t, err)
	t.Cleanup(func() { _ = to.Close() })
	w.source, w.target = &tellingSource{from, w.moments}, &tellingTarget{to, w.moments}
	w.plan(unique)
	return w
}

// in returns the same world for a test within the test.
func (w *world) in(t *testing.T) *world {
	inner := *w
	inner.t, inner.ctx = t, t.Context()
	return &inner
}

func config(s *harness.Server) engine.Config {
	return engine.Config{
		Host: s.Host, Port: s.Port, User: lab.User, Password: lab.Password, Move: move,
		BinlogOnTarget: true,
	}
}

// plan plans the move of all tables to another database, table renamed to another name, and creates them there.
func (w *world) plan(unique indexing) {
	w.t.Helper()
	rules, err := route.NewRules([]string{sourceName + ".*"}, nil, []route.Rename{
		{From: sourceName + ".*", To: targetName + ".*"}, {
			From: sourceName + ".renamed",
			To:   targetName + ".another name",
		},
	}, nil)
	require.NoError(w.t, err)
	planned, err := plan.Build(w.ctx, w.source, w.target.Dialect(), rules, plan.Options{})
	require.NoError(w.t, err)
	require.Empty(w.t, planned.Refused())
	w.routes = planned.Routes
	if unique == present {
		w.look.Exec(w.t, w.target.Dialect().CreateDatabase(targetName, ""))
		for _, step := range planned.Steps {
			w.look.Exec(w.t, w.target.Dialect().CreateTable(step.Target, false)...)
		}
	}
	require.NoError(w.t, initschema.New(w.target, planned.Steps, initschema.Options{
		Defer: true, Accept: true,
		Claim: w.claim,
	}).Run(w.ctx))
}

// claim makes the bookkeeping, with the tables that were there before.
func (w *world) claim(ctx context.Context, _, taken []schema.Name) error {
	found := db.Owned{}
	for _, n := range taken {
		found[n] = db.Found
	}
	return errors.Join(w.target.Ledger().Create(ctx), w.target.Ledger().Own(ctx, found, nil))
}

func (w *world) replicator(o replicate.Options) *replicate.Replicator {
	o.Workers = max(o.Workers, w.workers)
	o.Log = zerolog.New(zerolog.NewTestWriter(w.t)).Level(zerolog.WarnLevel)
	o.RetryFor = 20 * time.Second
	return replicate.New(w.source, w.target, w.routes, o)
}

// copy runs the copy to its end.
func (w *world) copy(o copy.Options) {
	w.t.Helper()
	o.RetryFor = 20 * time.Second
	require.NoError(w.t, copy.New(w.source, w.target, w.routes, w.replicator(replicate.Options{}), o).Run(w.ctx))
}

// follow applies everything that the source has committed so far. Nothing may be absent on the target that the source
// deletes.
func (w *world) follow(o replicate.Options) {
	w.t.Helper()
	head, err := w.source.Head(w.ctx)
	require.NoError(w.t, err)
	var absent int64
	o.Report = func(p replicate.Progress) { absent = p.Absent }
	require.NoError(w.t, w.replicator(o).ReplayTo(w.ctx, head))
	assert.Zero(w.t, absent, "rows that the target lacked when they were to be deleted")
}

// same compares every table of both sides, row by row.
func (w *world) same() {
	w.t.Helper()
	for _, r := range w.routes {
		want := dump(w.t, w.app, r.Source.Name())
		assert.Equal(w.t, want, dump(w.t, w.look, r.Target.Name()), "rows of %s", r.Source.Name())
	}
}

// dump returns all rows as text.
func dump(t *testing.T, s *harness.Server, name schema.Name) []string {
	t.Helper()
	return s.Lines(t, "SELECT * FROM "+dialect.Quoted(name))
}
