// Package races forces the races between the copy, the log and the application into a known order, and looks at the
// outcome by its own SQL.
//
// Its one invariant: a race happens at a moment that the test names, never by chance; a moment that was not met fails
// the test. What can only happen by chance (a commit that becomes visible late) is provoked often and counted.
package races

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
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
	"wherry/test/internal/lab"
)

const (
	move       = "races"
	sourceName = "wherry_races"
	targetName = "wherry_races_moved"
)

// The pairs of servers that a race is run on: within a family, and across.
var (
	pairs  = [][2]string{{lab.MySQL, lab.MySQL}, {lab.MariaDB, lab.MariaDB}}
	across = [][2]string{{lab.MySQL, lab.MariaDB}, {lab.MariaDB, lab.MySQL}}
)

// onPairs runs a test from a server to another of the same family, for each family.
func onPairs(t *testing.T, test func(t *testing.T, source, target lab.Server)) { on(t, pairs, test) }

// on runs a test on each pair of flavors.
func on(t *testing.T, flavors [][2]string, test func(t *testing.T, source, target lab.Server)) {
	t.Helper()
	list := os.Getenv("WHERRY_TEST_SERVERS")
	required := os.Getenv("WHERRY_REQUIRE_SERVERS") == "1"
	if strings.TrimSpace(list) == "" {
		if required {
			t.Fatal("no WHERRY_TEST_SERVERS, and WHERRY_REQUIRE_SERVERS=1")
		}
		t.Skip("SKIPPED WITHOUT SERVERS: set WHERRY_TEST_SERVERS, see scripts/servers.sh")
	}
	servers, err := lab.ParseServers(list)
	require.NoError(t, err)
	for _, pair := range flavors {
		name := pair[0]
		if pair[1] != name {
			name += " to " + pair[1]
		}
		t.Run(name, func(t *testing.T) {
			source, target, err := lab.Pair(servers, pair[0], pair[1])
			if err != nil {
				if required {
					t.Fatal(err)
				}
				t.Skip("SKIPPED WITHOUT SERVERS: ", err)
			}
			test(t, source, target)
		})
	}
}

// world is a move between two servers, its databases fresh.
type world struct {
	t       *testing.T
	ctx     context.Context //nolint:containedctx // a test's own
	app     *sql.DB         // writes to the source, several statements at a time
	look    *sql.DB         // reads the target
	source  db.Source
	target  db.Target
	routes  []*route.Route
	moments *moments
	workers int // that replay; 0: 1
}

// newWorld makes a move whose target tables are those that wherry makes: unique indexes come after the rows.
func newWorld(t *testing.T, source, target lab.Server, statements ...string) *world {
	t.Helper()
	return newWorldWith(t, source, target, deferred, statements...)
}

// indexing is when the target gets its unique indexes.
type indexing string

const (
	deferred indexing = "unique indexes deferred"
	present  indexing = "unique indexes present" // the tables are there before the move, with all of their indexes
)

func newWorldWith(t *testing.T, source, target lab.Server, unique indexing, statements ...string) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, ctx: ctx, moments: &moments{t: t}}
	// A fresh log file, because MariaDB finds a position by reading the file up to there.
	w.exec(open(t, source, ""), "FLUSH BINARY LOGS", "DROP DATABASE IF EXISTS "+sourceName,
		"CREATE DATABASE "+sourceName+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
	w.look = open(t, target, "")
	w.exec(w.look, "DROP DATABASE IF EXISTS "+targetName, "DROP DATABASE IF EXISTS "+engine.Bookkeeping(move))
	w.app = open(t, source, sourceName)
	w.exec(w.app, statements...)

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

func config(s lab.Server) engine.Config {
	return engine.Config{
		Host: s.Host, Port: s.Port, User: lab.User, Password: lab.Password, Move: move,
		BinlogOnTarget: true,
	}
}

func open(t *testing.T, s lab.Server, database string) *sql.DB {
	t.Helper()
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.DBName = "tcp", s.Address(), lab.User, lab.Password, database
	c.MultiStatements, c.InterpolateParams, c.Logger = true, true, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	require.NoError(t, err)
	pool := sql.OpenDB(connector)
	t.Cleanup(func() { _ = pool.Close() })
	return pool
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
		w.exec(w.look, w.target.Dialect().CreateDatabase(targetName, ""))
		for _, step := range planned.Steps {
			w.exec(w.look, w.target.Dialect().CreateTable(step.Target, false)...)
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

func (w *world) exec(pool *sql.DB, statements ...string) {
	w.t.Helper()
	for _, s := range statements {
		_, err := pool.ExecContext(w.ctx, s)
		require.NoError(w.t, err, "%.200s", s)
	}
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

// dump returns all rows as text, in key order.
func dump(t *testing.T, pool *sql.DB, name schema.Name) []string {
	t.Helper()
	rows, err := pool.QueryContext(t.Context(), "SELECT * FROM "+dialect.Quoted(name)+" ORDER BY 1")
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var all []string
	for rows.Next() {
		values, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		var b strings.Builder
		for _, v := range values {
			if v == nil {
				b.WriteString("NULL ")
				continue
			}
			fmt.Fprintf(&b, "%q ", string(v))
		}
		all = append(all, b.String())
	}
	require.NoError(t, rows.Err())
	return all
}

// number reads a single number.
func number(t *testing.T, pool *sql.DB, query string) (n int64) {
	t.Helper()
	require.NoError(t, pool.QueryRowContext(t.Context(), query).Scan(&n), query)
	return n
}
