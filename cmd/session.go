package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"wherry/pkg/config"
	"wherry/pkg/db"
	"wherry/pkg/db/mysql"
	"wherry/pkg/evolve"
	"wherry/pkg/monitor"
	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// session is an open move: its configuration, its state file and both ends.
type session struct {
	app      *app
	cfg      *config.Config
	log      zerolog.Logger
	progress *monitor.Progress
	file     *state.File
	lock     *state.Lock
	source   db.Source
	target   db.Target
	opened   []io.Closer // besides source and target
	noting   sync.Mutex  // see displaced
	spool    spool       // of the source's log
	back     *ends       // of the way forward, when this is the way back
	rules    *route.Rules
	plan     *plan.Plan
	records  []db.Record                                      // that the plan was made of; none before init-schema
	objects  func(ctx context.Context) (*plan.Objects, error) // what becomes of views and the like, as of now
	clock    time.Duration                                    // the source's clock minus ours
	took     *stopwatch
	more     bool // further phases follow in this process
}

// configure reads the configuration and prepares the log. printed is true when that was all that was asked for.
func (a *app) configure() (s *session, printed bool, err error) {
	cfg, err := a.load()
	if err != nil {
		return nil, false, err
	}
	if a.global.printConfig {
		return nil, true, cfg.Print(a.stdout)
	}
	s = &session{app: a, cfg: cfg}
	level, err := zerolog.ParseLevel(cfg.Log.Level)
	if err != nil {
		return nil, false, fmt.Errorf("log.level: %w: %w", err, config.ErrInvalid)
	}
	s.progress = a.newProgress(cfg, level)
	s.log = a.newLogger(cfg, level, s.progress.Writer())
	for _, warning := range cfg.Warnings() {
		s.log.Warn().Msg(warning)
	}
	return s, false, nil
}

// openState opens the state file.
func (s *session) openState() (err error) {
	s.file, err = state.Open(s.cfg.State, state.OpenOptions{
		Move: s.cfg.Move, Fingerprint: s.cfg.Fingerprint(), Wherry: version, Clock: time.Now,
	})
	return err
}

// connect opens both ends.
func (s *session) connect(ctx context.Context) (err error) {
	if s.rules, err = s.readRules(); err != nil {
		return err
	}
	if s.source, err = s.openSource(ctx); err != nil {
		return err
	}
	if s.target, err = s.openTarget(ctx); err != nil {
		return err
	}
	s.source = db.FromSnapshots(s.source, s.target.Ledger())
	return nil
}

func (s *session) openSource(ctx context.Context) (db.Source, error) {
	cfg, err := s.endpoint(ctx, &s.cfg.Source.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	cfg.SpoolDir = s.cfg.SpoolDir()
	if !s.lock.Beside() { // else start-replica reads with the configured one
		cfg.ServerID = s.cfg.Source.ServerID
	}
	cfg.Follows = s.rules.Follows
	source, err := mysql.OpenSource(ctx, cfg)
	if err != nil {
		return nil, connectError{fmt.Errorf("source: %w", err)}
	}
	s.spool = source
	return source, nil
}

func (s *session) openTarget(ctx context.Context) (db.Target, error) {
	target, err := s.openWritable(ctx, "target", &s.cfg.Target)
	if err != nil {
		return nil, err // not a nil *mysql.Target, which is no nil db.Target
	}
	return target, nil
}

// openWritable opens an end to write to it.
func (s *session) openWritable(ctx context.Context, end string, e *config.Endpoint) (*mysql.Target, error) {
	cfg, err := s.endpoint(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", end, err)
	}
	target, err := mysql.OpenTarget(ctx, cfg)
	if err != nil {
		return nil, connectError{fmt.Errorf("%s: %w", end, err)}
	}
	return target, nil
}

// endpoint is the one place that knows which engine an endpoint has.
func (s *session) endpoint(ctx context.Context, e *config.Endpoint) (mysql.Config, error) {
	password, err := e.ResolvePassword(ctx)
	if err != nil {
		return mysql.Config{}, fmt.Errorf("%w: %w", err, config.ErrInvalid)
	}
	tls, fallback, err := mysql.NewTLS(mysql.TLSOptions{Mode: e.TLS.Mode, CA: e.TLS.CA, Cert: e.TLS.Cert, Key: e.TLS.Key}, e.Host)
	if err != nil {
		return mysql.Config{}, fmt.Errorf("%w: %w", err, config.ErrInvalid)
	}
	return mysql.Config{
		Host: e.Host, Port: e.Port, Socket: e.Socket, User: e.User, Password: password, TLS: tls, TLSFallback: fallback,
		ConnectTimeout: e.ConnectTimeout, Move: s.cfg.Move, LoadMethod: s.cfg.Copy.Load, BinlogOnTarget: s.cfg.Copy.BinlogOnTarget,
	}, nil
}

func (s *session) readRules() (*route.Rules, error) {
	renames := make([]route.Rename, len(s.cfg.Routes))
	for i, r := range s.cfg.Routes {
		renames[i] = route.Rename{From: r.From, To: r.To}
	}
	filters := make([]route.Where, len(s.cfg.Filters))
	for i, f := range s.cfg.Filters {
		filters[i] = route.Where{Table: f.Table, Where: f.Where}
	}
	rules, err := route.NewRules(s.cfg.Tables.Include, s.cfg.Tables.Exclude, renames, filters)
	if err == nil {
		_, err = route.NewAllowances(s.cfg.Schema.AllowLosses)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, config.ErrInvalid)
	}
	return rules, nil
}

// planObjects works out what becomes of views and the like.
func (s *session) planObjects(ctx context.Context) (*plan.Objects, error) {
	opts := plan.ObjectOptions{Groups: s.cfg.Cutover.Objects, Current: s.cfg.Cutover.Definer == config.DefinerCurrent}
	if d := s.cfg.Cutover.Definer; d != config.DefinerKeep && !opts.Current {
		var err error
		if opts.Definer, err = schema.ParseAccount(d); err != nil {
			return nil, fmt.Errorf("cutover.definer: %w: %w", err, config.ErrInvalid)
		}
	}
	return plan.BuildObjects(ctx, s.source, s.target.Dialect(), s.rules, s.plan.Routes, opts)
}

// planMove plans the move of the tables that are recorded on the target, as they were at its position; before any are, or
// when the source is asked for, of those that the source has.
func (s *session) planMove(ctx context.Context, source bool) (err error) {
	s.objects = s.planObjects
	if !source {
		if s.records, err = s.target.Ledger().Records(ctx); err != nil {
			return err
		}
		if len(s.records) > 0 {
			s.plan = s.planOf(evolve.Shapes(s.records))
			return nil
		}
	}
	s.plan, err = plan.Build(ctx, s.source, s.target.Dialect(), s.rules, s.planOptions())
	return err
}

func (s *session) planOf(tables []*schema.Table) *plan.Plan {
	opts := s.planOptions()
	opts.Dangling, opts.Proved = true, true
	return plan.Of(tables, s.target.Dialect(), s.rules, opts)
}

func (s *session) planOptions() plan.Options {
	allowed, err := route.NewAllowances(s.cfg.Schema.AllowLosses)
	if err != nil {
		panic(err) // readRules has read them
	}
	return plan.Options{Allowed: allowed, Objects: s.cfg.Cutover.Objects}
}

// admissible refuses a plan with failed findings.
func (s *session) admissible() error {
	if problems := findingErrors(s.plan.Refused()); len(problems) > 0 {
		return fmt.Errorf("%w: %w", errRefused, errors.Join(problems...))
	}
	return nil
}

func findingErrors(findings []db.Finding) []error {
	problems := make([]error, len(findings))
	for i, f := range findings {
		problems[i] = fmt.Errorf("%s: %s %s: %s", f.Check, f.Subject, f.What, f.Fix)
	}
	return problems
}

// sameServers refuses a source or target that is not the one that the move began with.
func (s *session) sameServers(ctx context.Context) error {
	source, err := s.source.Identity(ctx)
	if err != nil {
		return err
	}
	target, err := s.target.Identity(ctx)
	if err != nil {
		return err
	}
	for _, end := range []db.Identity{source, target} {
		if end.Clock.Abs() > time.Second {
			s.log.Warn().Str("server", end.Host).Stringer("ahead", end.Clock).Msg("the server's clock differs from ours")
		}
	}
	s.clock = source.Clock
	begun, err := s.begun(ctx)
	if err != nil {
		return err
	}
	return s.file.Update(func(st *state.State) error {
		if s.back != nil { // they are exchanged
			source, target = target, source
		}
		if st.Target.UUID != "" && st.Target.UUID != target.UUID {
			return fmt.Errorf("the target at %s is another server (%s) than the move began with (%s): %w",
				target.Host, target.UUID, st.Target.UUID, state.ErrOtherMove)
		}
		switch changed := st.Source.UUID != "" && st.Source.UUID != source.UUID; {
		case changed && begun.Source == source.UUID: // which was proved to have the same history
			s.forget(st)
		case changed:
			return fmt.Errorf("the source at %s is another server (%s) than the move began with (%s): %w",
				source.Host, source.UUID, st.Source.UUID, state.ErrOtherMove)
		}
		st.Source, st.Target = serverRecord(source), serverRecord(target)
		return nil
	})
}

func serverRecord(id db.Identity) state.Server {
	host, port, err := net.SplitHostPort(id.Host)
	if err != nil {
		host, port = id.Host, ""
	}
	return state.Server{UUID: id.UUID, Host: host, Port: port, Version: id.Version, Flavor: id.Flavor}
}

// mine returns which target tables this move has made.
func (s *session) mine(ctx context.Context) (func(schema.Name) bool, error) {
	text, err := s.target.Ledger().Get(ctx, db.FactTables)
	if err != nil || text == "" {
		return func(schema.Name) bool { return false }, err
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, fmt.Errorf("read fact %s: %w", db.FactTables, err)
	}
	return func(n schema.Name) bool { return slices.Contains(names, n.String()) }, nil
}

// applied returns how far the target durably is.
func (s *session) applied(ctx context.Context) (db.Position, error) {
	for _, fact := range []string{db.FactPosition, db.FactFinal} {
		value, err := s.target.Ledger().Get(ctx, fact)
		if err != nil || value != "" {
			return db.Position(value), err
		}
	}
	return "", errors.New("no position on the target: run init-copy first")
}

// close releases everything that is open.
func (s *session) close() error {
	errs := []error{s.disconnect()}
	for _, end := range s.opened {
		errs = append(errs, end.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Release())
	}
	return errors.Join(errs...)
}

// configFlags returns the flags that lead to the same move, for the commands that are shown.
func (s *session) configFlags() string {
	var b strings.Builder
	for _, name := range s.app.global.config {
		b.WriteString(" --config " + name)
	}
	if s.app.global.state != "" {
		b.WriteString(" --state " + s.app.global.state)
	}
	return b.String()
}
