package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"wherry/test/internal/lab"
)

// moveName is the name of the move, and what --confirm asks for.
const moveName = "shop"

// After the target has taken over, the application goes on for this long.
const afterSwitch = 3 * time.Second

// demo is one run.
type demo struct {
	options
	began      time.Time
	source     lab.Server
	target     lab.Server
	sourceDB   *pool // as the account that may do everything
	targetDB   *pool
	sourceApp  *pool // as the application
	targetApp  *pool
	tables     []table
	sizes      sizes
	wherry     *lab.Wherry
	log        *os.File
	journal    *journal
	writer     *writer
	report     report
	sealing    []*sql.Conn // to the target, open before the switch
	switchFile string
}

func logFile(dir string) string { return filepath.Join(dir, "wherry.log") }

func newDemo(o options, source, target lab.Server) *demo {
	return &demo{
		options: o, began: time.Now(), source: source, target: target,
		tables: shop(), sizes: newSizes(o.rows), switchFile: filepath.Join(o.dir, "primary"),
	}
}

// open makes the folder and the connections. Close it also when it fails: some of them are open then.
func (d *demo) open(ctx context.Context) (err error) {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := os.WriteFile(d.switchFile, []byte("source\n"), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", d.switchFile, err)
	}
	if d.log, err = os.Create(logFile(d.dir)); err != nil {
		return fmt.Errorf("make log: %w", err)
	}
	for _, p := range []struct {
		into     **pool
		server   lab.Server
		open     func(database string) (*sql.DB, error)
		database string
	}{
		{&d.sourceDB, d.source, d.source.Admin, ""},
		{&d.targetDB, d.target, d.target.Admin, ""},
		{&d.sourceApp, d.source, asApplication(d.source), database},
		{&d.targetApp, d.target, asApplication(d.target), database},
	} {
		opened, err := p.open(p.database)
		if err != nil {
			return err
		}
		opened.SetMaxIdleConns(workers)
		*p.into = newPool(p.server, opened)
	}
	for _, end := range []struct {
		server lab.Server
		db     *pool
		text   *string
	}{{d.source, d.sourceDB, &d.report.source}, {d.target, d.targetDB, &d.report.target}} {
		version, err := lab.Version(ctx, end.db.DB)
		if err != nil {
			return fmt.Errorf("%s: %w", end.server.Name, err)
		}
		*end.text = describe(end.server.Flavor, version)
	}
	return nil
}

func asApplication(s lab.Server) func(database string) (*sql.DB, error) {
	return func(database string) (*sql.DB, error) { return s.Open(application, appPassword, database) }
}

func (d *demo) close() {
	for _, conn := range d.sealing {
		conn.Close()
	}
	for _, pool := range []*pool{d.sourceApp, d.targetApp, d.sourceDB, d.targetDB} {
		if pool != nil {
			pool.Close()
		}
	}
	if d.log != nil {
		d.log.Close()
	}
}

// say tells what happens, under the clock of the demo.
func (d *demo) say(format string, args ...any) {
	fmt.Printf("%5.1f s  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// run is the demo, from the empty servers to the report.
func (d *demo) run(ctx context.Context) error {
	if err := d.fill(ctx); err != nil {
		return err
	}
	stop, err := d.startWriter(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = stop() }() // twice is as good as once
	if err := d.configure(); err != nil {
		return err
	}
	for _, phase := range []func(context.Context) error{d.check, d.initSchema, d.initCopy} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	replica, err := d.startReplica(ctx)
	if err != nil {
		return err
	}
	defer endReplica(replica)
	if err := d.verify(ctx); err != nil {
		return err
	}
	if err := d.measureLag(ctx); err != nil {
		return err
	}
	sealed, err := d.cutover(ctx)
	if err != nil {
		return err
	}
	if err := d.replicaEnds(ctx, replica); err != nil {
		return err
	}
	d.say("the application goes on writing to %s for %s", d.report.target, afterSwitch)
	if err := pause(ctx, afterSwitch); err != nil {
		return err
	}
	if err := stop(); err != nil {
		return fmt.Errorf("application: %w", err)
	}
	return d.prove(ctx, sealed)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// fill creates the shop.
func (d *demo) fill(ctx context.Context) error {
	d.say("%s on port %d moves to %s on port %d", d.report.source, d.source.Port, d.report.target, d.target.Port)
	for _, end := range []*pool{d.sourceDB, d.targetDB} {
		if err := end.prepare(ctx); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := fill(ctx, d.sourceDB.DB, d.tables, d.sizes, d.seed); err != nil {
		return err
	}
	total := d.sizes.total(d.tables)
	d.say("the shop has %s rows in %d tables, loaded in %s", count(total), len(d.tables), short(time.Since(began)))
	s, err := readStart(ctx, d.sourceApp)
	d.report.start = s
	return err
}

// startWriter starts the application. What it returns stops it and waits for its last transaction.
func (d *demo) startWriter(ctx context.Context) (stop func() error, err error) {
	if d.journal, err = createJournal(filepath.Join(d.dir, "journal")); err != nil {
		return nil, err
	}
	d.writer = &writer{journal: d.journal, sizes: d.sizes, seed: d.seed, rate: d.rate}
	d.writer.primary.Store(d.sourceApp)
	writing, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	var failure error
	go func() {
		defer close(ended)
		if failure = d.writer.run(writing); failure != nil {
			fmt.Fprintf(os.Stderr, "demo: the application fails: %v\n", failure)
		}
	}()
	d.say("the application writes %s rows/s over %d connections", count(d.rate), workers)
	closed := false
	return func() error {
		cancel()
		<-ended
		if closed {
			return failure
		}
		closed = true
		return errors.Join(failure, d.journal.close())
	}, nil
}

// configure writes what wherry needs to know.
func (d *demo) configure() (err error) {
	extra := []string{fmt.Sprintf("hooks: {switch: \"echo target > '%s'\"}", d.switchFile)}
	extra = append(extra, losses(d.from, d.to)...)
	move := lab.Move{
		Name: moveName, State: filepath.Join(d.dir, "state.json"), Source: d.source, Target: d.target,
		Include: database + ".*",
		Extra:   extra,
	}
	d.wherry, err = move.Write(d.options.wherry, filepath.Join(d.dir, "wherry.yaml"))
	if err == nil {
		d.wherry.Stderr = d.log
	}
	return err
}

// losses allows what the shop loses on its way, each by its name.
func losses(from, to string) []string {
	switch {
	case to == lab.Postgres:
		allowed := "collation, enum"
		if from == lab.MariaDB {
			allowed += ", json-text" // MariaDB keeps a document as it was written
		}
		return []string{
			"# PostgreSQL compares text otherwise, and an ENUM is text with a CHECK there.",
			"schema: {allow_losses: [" + allowed + "]}",
		}
	case from == lab.MySQL && to == lab.MariaDB:
		return []string{
			"# MariaDB keeps JSON as text: its values are the same, and sort and compare as text.",
			"schema: {allow_losses: [json]}",
		}
	}
	return nil
}
