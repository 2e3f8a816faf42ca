package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"wherry/test/internal/lab"
)

// counts are what all episodes have done.
type counts struct {
	episodes, kills, crashes, cuts, rows, changes, damaged, ddl, failovers, rehearsals, back atomic.Int64
}

// episode is one whole move: tables, rows, writers, events, phases, and the comparison of both ends.
type episode struct {
	plan           *plan
	features       featureSet
	dir            string // configuration, state, logs
	state          string // the state file
	switched       string // begins the names of files that the switch hook makes
	wherry         *lab.Wherry
	source, target *server
	pair           *pair // behind the source's address, or nil
	count          *counts

	catalog    *catalog
	load       *load
	endChanges func()
	latest     atomic.Pointer[lab.Child] // the wherry that was started last
	replica    *replica
	disturbed  atomic.Int64 // events so far
	happening  atomic.Int32 // events at this moment
	fencing    atomic.Bool  // wherry may have the source read-only
	runs       atomic.Int64
	events     atomic.Int64
	rows       int64
	began      time.Time
	others     []string          // what the tables of somebody else on the target were
	globals    map[string]string // by server and name: values to put back

	mu     sync.Mutex
	log    *os.File
	failed error
	cancel context.CancelCauseFunc
}

// soak is what episodes have in common.
type soak struct {
	binary   string
	dir      string
	servers  []lab.Server
	features featureSet
	combo    string
	count    counts
	out      io.Writer
}

// episode runs the episode of a seed. Its folder stays when it fails.
func (s *soak) episode(ctx context.Context, seed uint64) error {
	p := newPlan(seed, s.combo, s.features)
	e := &episode{
		plan: p, features: s.features, count: &s.count, began: time.Now(), endChanges: func() {},
		globals: map[string]string{}, catalog: &catalog{tables: p.tables}, dir: filepath.Join(s.dir, p.move()),
	}
	fmt.Fprintf(s.out, "seed %d: %s ", seed, p.describe())
	ctx, e.cancel = context.WithCancelCause(ctx)
	defer e.cancel(nil)
	if err := e.open(ctx, s); err != nil {
		return errors.Join(err, e.close())
	}
	ddl := s.count.ddl.Load()
	before := s.count.kills.Load()
	err := e.run(ctx)
	err = errors.Join(err, e.close())
	if err != nil {
		fmt.Fprintln(s.out, "FAILED")
		e.keep(context.WithoutCancel(ctx))
		e.note("failed: %v", err)
		return fmt.Errorf("seed %d, %s:\n%w", seed, e.dir, err)
	}
	s.count.episodes.Add(1)
	fmt.Fprintf(s.out, "%d rows equal, %d changes, %d of the schema, %d kills, %d events, %.0f s\n",
		e.rows, e.load.changes.Load(), s.count.ddl.Load()-ddl, s.count.kills.Load()-before, e.events.Load(),
		time.Since(e.began).Seconds())
	return os.RemoveAll(e.dir)
}

// open makes the folder, the configuration and the connections.
func (e *episode) open(ctx context.Context, s *soak) error {
	if err := os.RemoveAll(e.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(e.dir, "runs"),
		0o755); err != nil { //nolint:gosec // it holds the passwords of private servers
		return err
	}
	dir, err := filepath.Abs(e.dir)
	if err != nil {
		return err
	}
	e.switched, e.state = filepath.Join(dir, "switched"), filepath.Join(dir, "state.yaml")
	if e.log, err = os.Create(filepath.Join(dir, "episode.log")); err != nil {
		return err
	}
	from, to, err := lab.Pair(s.servers, e.plan.from, e.plan.to)
	if err != nil {
		return err
	}
	if err := e.openSource(ctx, from); err != nil {
		return err
	}
	if e.target, err = openServer(to); err != nil {
		return err
	}
	move := lab.Move{
		Name: e.plan.move(), State: e.state, Source: e.source.Server, Target: to,
		Include: e.plan.move() + "_*.*", Extra: e.plan.configuration(e.switched),
	}
	if e.wherry, err = move.Write(s.binary, filepath.Join(dir, "wherry.yaml")); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "schema.sql"), []byte(e.schema()), 0o600)
}

func (e *episode) openSource(ctx context.Context, from lab.Server) (err error) {
	if !e.plan.failover {
		e.source, err = openServer(from)
		return err
	}
	if e.pair, err = newPair(ctx, from.Flavor); err != nil {
		return err
	}
	e.source, err = e.pair.source()
	return err
}

func (e *episode) schema() string {
	var b strings.Builder
	for _, t := range e.plan.tables {
		fmt.Fprintf(&b, "%s;\n\n", t.create())
	}
	return b.String()
}

// close ends what the episode has started.
func (e *episode) close() error {
	e.cancel(nil)
	e.endChanges()
	if e.replica != nil {
		e.replica.end()
	}
	if e.load != nil {
		e.load.end()
	}
	err := e.restoreGlobals(context.Background())
	if e.pair != nil {
		err = errors.Join(err, e.pair.close())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return errors.Join(e.failed, err)
}

// fail ends the episode.
func (e *episode) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.failed == nil {
		e.failed = err
	}
	e.cancel(err)
}

// note writes a line to the episode's log.
func (e *episode) note(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	fmt.Fprintf(e.log, "%8.3f %s\n", time.Since(e.began).Seconds(), fmt.Sprintf(format, args...))
}

// keep copies the ends of the servers' error logs beside the episode's.
func (e *episode) keep(ctx context.Context) {
	for _, s := range []*server{e.source, e.target} {
		_ = s.control(ctx, "thaw") // it may not be frozen
		text, err := os.ReadFile(filepath.Join(os.Getenv("WHERRY_SERVERS_DIR"), s.Name, "log"))
		if err != nil {
			continue
		}
		_ = os.WriteFile(filepath.Join(e.dir, s.Name+".log"), text[max(0, len(text)-1<<20):], 0o600)
	}
}
