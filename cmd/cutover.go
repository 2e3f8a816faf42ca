package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/hook"
	"wherry/pkg/monitor"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
	"wherry/pkg/state"
	"wherry/pkg/verify"
)

type cutoverOptions struct {
	confirm  string
	abort    bool
	dryRun   bool
	rehearse bool
	reverse  bool
}

func newCutoverCmd(a *app) *cobra.Command {
	var o cutoverOptions
	c := &cobra.Command{
		Use:   "cutover",
		Short: "Stop writes on the source, drain, check, switch to the target",
		Long: `Cutover checks everything that can be checked while writes go on, then stops writes on the source (cutover.fence), waits
until the target has applied the last of them, compares what changed since the last verification, sets automatic
counters, and records on the target that it has taken over: the point of no return. Then it runs your switch hook.

Up to that record any failure, and the timeout, puts everything back, and the move goes on as before. After it, running
cutover again only goes forward. The source stays read-only afterwards. The time that writes were blocked is printed.

With --rehearse it turns back just before that record: all is done but the takeover and the switch, also hooks.before_cutover
and the fence, then writes are open again, and the time that they were blocked is printed. The move runs on as before.

Views, triggers, routines, events and sequences move with it as cutover.objects says: what does no harm is made before writes
are stopped, triggers once the target has taken over, and events are enabled then. Those of the source stay as they are:
its events go on being tried there and fail while it is read-only, unless you turn event_scheduler off.

With --reverse it goes back: the same, from the target to the old source, which is opened for writes before hooks.switch runs
(with WHERRY_DIRECTION=reverse), while the target stays closed. To move once more after that, run cleanup and begin anew.

It does not move accounts, and it does not redirect your application unless hooks.switch does.`,
		Example: `  wherry cutover --config shop.yaml --confirm=shop
  wherry cutover --config shop.yaml --dry-run
  wherry cutover --config shop.yaml --rehearse --confirm=shop
  wherry cutover --config shop.yaml --abort
  wherry cutover --config shop.yaml --reverse --confirm=shop`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.abort && o.dryRun || o.abort && o.rehearse || o.dryRun && o.rehearse {
				return usageError{errors.New("--abort, --dry-run and --rehearse exclude each other"), c.CommandPath()}
			}
			return runCutover(c.Context(), a, o)
		},
	}
	c.Flags().StringVar(&o.confirm, "confirm", "", "the `move`'s name, needed when not on a terminal")
	c.Flags().BoolVar(&o.abort, "abort", false, "lift the fence that an interrupted cutover left behind, and stop there")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "make the checks that come before the fence and print the steps; exit status 3")
	c.Flags().BoolVar(&o.reverse, "reverse", false, "go back: from the target, which has taken over, to the old source")
	c.Flags().BoolVar(&o.rehearse, "rehearse", false, "do all but the takeover and the switch, open writes again, and print for how long they were blocked")
	return c
}

func runCutover(ctx context.Context, a *app, o cutoverOptions) error {
	s, printed, err := a.configure()
	if err != nil || printed {
		return err
	}
	if err := s.openState(); err != nil {
		return err
	}
	st, err := s.file.Read()
	if err != nil {
		return err
	}
	over := st.Back() || st.Over() && !o.reverse
	if !o.abort && !o.dryRun && !over {
		if err := s.confirm(o.confirm, o.asks(s)); err != nil {
			return err
		}
	}
	if err := s.takeLock(cutoverSpec(o).record(), true); err != nil {
		return err
	}
	defer func() {
		if err := s.close(); err != nil {
			s.log.Debug().Err(err).Msg("close")
		}
	}()
	return s.phase(ctx, cutoverSpec(o))
}

func cutoverSpec(o cutoverOptions) phaseSpec {
	return phaseSpec{
		name: state.PhaseCutover, reverse: o.reverse, beside: true, dry: o.dryRun || o.abort, trial: o.rehearse,
		run: func(ctx context.Context, s *session) (outcome, error) { return s.cutover(ctx, o) },
	}
}

// asks says what is going to happen.
func (o cutoverOptions) asks(s *session) string {
	from, to := s.cfg.Source.Address(), s.cfg.Target.Address()
	if o.reverse {
		from, to = to, from
	}
	if o.rehearse {
		return fmt.Sprintf("This stops writes on %s for a moment, for %s at most, and opens them again.", from, s.cfg.Cutover.Timeout)
	}
	return fmt.Sprintf("This stops writes on %s and switches to %s.", from, to)
}

// confirm asks for the move's name, on the terminal or by flag.
func (s *session) confirm(given, happens string) error {
	if given == "" && terminal(s.app.stdin) && terminal(s.app.stderr) {
		fmt.Fprintf(s.app.stderr, "%s Type the name of the move to go on: ", happens)
		line, err := bufio.NewReader(s.app.stdin).ReadString('\n')
		if err != nil {
			return fmt.Errorf("read confirmation: %w", err)
		}
		given = strings.TrimSpace(line)
	}
	switch given {
	case s.cfg.Move:
		return nil
	case "":
		return fmt.Errorf("%w: this must be confirmed: add --confirm=%s", errRefused, s.cfg.Move)
	default:
		return fmt.Errorf("%w: --confirm=%s is not the name of the move, %s", errRefused, given, s.cfg.Move)
	}
}

func (s *session) cutover(ctx context.Context, o cutoverOptions) (outcome, error) {
	st, err := s.file.Read()
	if err != nil {
		return outcome{}, err
	}
	options := s.cutoverOptions(st)
	options.Rehearse = o.rehearse
	if o.dryRun && !s.lock.Beside() {
		options.Lag = nil // nobody applies changes now: the cutover itself will, and only then is there a lag to judge
	}
	c := cutover.New(s.source, s.target, s.plan.Routes, options)
	if o.abort {
		if err := c.Abort(ctx); err != nil {
			return outcome{}, err
		}
		return outcome{Detail: "the fence is lifted, writes on the source are open; the move runs as before"}, nil
	}
	if o.dryRun {
		return s.dryCutover(ctx, c)
	}
	s.progress.Step("cutover")
	var result *cutover.Result
	err = s.observed(ctx, s.mirrorReplica, func(ctx context.Context) error {
		return s.flowing(ctx, func(ctx context.Context) (err error) {
			for range mostChanges {
				if err := s.recordReturn(ctx); err != nil {
					return err
				}
				result, err = c.Run(ctx)
				if !errors.Is(err, cutover.ErrReshaped) && !errors.Is(err, verify.ErrSchemaChange) || ctx.Err() != nil {
					return err
				}
				s.log.Warn().Err(err).Msg("schema change during the cutover: writes go on, and it is planned anew")
				if err := s.planAgain(ctx); err != nil {
					return err
				}
				c = cutover.New(s.source, s.target, s.plan.Routes, options)
			}
			return err
		})
	})
	if err != nil {
		return outcome{}, err
	}
	if o.rehearse {
		return s.rehearsed(result)
	}
	taken := "the target has taken over"
	if s.back != nil {
		taken = "the source has taken over again and takes writes, and the target is closed"
	}
	return outcome{
		Detail: fmt.Sprintf("%s; writes were blocked for %s", taken, monitor.Span(result.Blocked)),
		Facts: map[string]any{
			"blocked_seconds": result.Blocked.Seconds(), "head": result.Head, "position": result.Final, "verified_rows": result.Verified, "stray_changes": result.Stray,
		},
	}, nil
}

func (s *session) dryCutover(ctx context.Context, c *cutover.Cutover) (outcome, error) {
	steps, err := c.DryRun(ctx)
	if err != nil {
		return outcome{}, err
	}
	for i, step := range steps {
		s.printStatement(fmt.Sprintf("cutover step %d", i+1), "-- "+step)
	}
	return s.pending(len(steps))
}

func (s *session) cutoverOptions(st *state.State) cutover.Options {
	verified := st.Way(s.back != nil).Verify
	options := cutover.Options{
		Move: s.cfg.Move, Fence: db.FenceKind(s.cfg.Cutover.Fence), Timeout: s.cfg.Cutover.Timeout, MaxLag: s.cfg.Cutover.MaxLag,
		Verify: s.cfg.Cutover.Verify, MaxVerifyAge: s.cfg.Cutover.MaxVerifyAge, Gates: s.gates(), Applied: s.applied, Lag: s.lag,
		VerifiedUpTo: db.Position(verified.Position), VerifiedAt: verified.Finished, Steady: s.steady,
		VerifyChanged: func(ctx context.Context, from, to db.Position) (cutover.Verified, error) {
			report, err := s.verifier(nil, false, nil).Changed(ctx, from, to)
			if err != nil {
				return cutover.Verified{}, err
			}
			return cutover.Verified{Differences: report.Differences(), Position: report.Position, Rows: report.Rows()}, nil
		},
		VerifyFull: func(ctx context.Context) (cutover.Verified, error) {
			report, err := s.verifier(nil, false, nil).Run(ctx)
			if err != nil {
				return cutover.Verified{}, err
			}
			return cutover.Verified{Differences: report.Differences(), Position: report.Position, Rows: report.Rows()}, nil
		},
		Objects: s.cutoverObjects, Strangers: func(ctx context.Context, plans []schema.ObjectPlan) ([]string, error) {
			return db.Strangers(ctx, s.target, plans)
		},
		Hook: s.runHook, Journal: journal{s.file, s.back != nil}, Log: s.log,
		Observe: func(step cutover.Step, detail string) {
			s.progress.Note(strings.TrimSpace(string(step) + " " + detail))
		},
	}
	if s.back != nil {
		options.Objects, options.Strangers = nil, nil // the source has its own
		options.Open = s.openOld
	}
	return options
}

// cutoverObjects plans what moves besides tables; what was asked for and cannot be moved is an error.
func (s *session) cutoverObjects(ctx context.Context) ([]schema.ObjectPlan, error) {
	if len(s.cfg.Cutover.Objects) == 0 { // none of them is looked for while writes are blocked
		return nil, nil
	}
	objects, err := s.objects(ctx)
	if err != nil {
		return nil, err
	}
	return objects.Plans, errors.Join(findingErrors(plan.Failed(objects.Findings))...)
}

// gates are the preconditions that only the record of the move can tell.
func (s *session) gates() []cutover.Gate {
	return []cutover.Gate{
		{Name: "verify", Check: func(context.Context) error {
			st, err := s.file.Read()
			if err != nil {
				return err
			}
			v := st.Way(s.back != nil).Verify
			if s.cfg.Cutover.Verify == cutover.VerifyChanged && !v.Finished.IsZero() && !v.Clean {
				return errors.New("the last verification found differences: run verify --repair")
			}
			return nil
		}},
		{Name: "foreign_keys", Check: func(ctx context.Context) error {
			return verify.References(ctx, s.source, s.target, s.plan.Routes, s.log)
		}},
		{Name: "hooks", Check: func(context.Context) error {
			var errs []error
			for _, f := range s.checkHooks() {
				if f.Level == db.Fail {
					errs = append(errs, fmt.Errorf("%s: %s", f.Subject, f.What))
				}
			}
			return errors.Join(errs...)
		}},
	}
}

// lag returns how far the target is behind, as whoever applies changes last said. A start-replica that has just begun is
// given the time to say something.
func (s *session) lag(ctx context.Context) (time.Duration, error) {
	if !s.lock.Beside() {
		return s.ownLag(ctx)
	}
	for deadline := time.Now().Add(5 * mirrorEvery); ; {
		st, err := s.file.Read()
		if err != nil {
			return 0, err
		}
		positions := st.Way(s.back != nil).Positions
		at := positions.AppliedAt
		switch age := time.Since(at); {
		case age <= 2*mirrorEvery:
			return time.Duration(positions.Lag), nil
		case time.Now().Before(deadline):
		case at.IsZero():
			return 0, errors.New("start-replica runs and has applied nothing yet: look at its log")
		default:
			return time.Duration(positions.Lag) + age, nil // start-replica has not said anything for long
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// ownLag waits for the first commit of the replicator in this process: before it nothing is known.
func (s *session) ownLag(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("no change was applied within a minute"))
	defer cancel()
	for {
		if p := s.progress.Snapshot().Replica; !p.At.IsZero() {
			return time.Duration(p.Lag), nil
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

type hookCommand struct{ key, command string }

func (s *session) hooks() []hookCommand {
	h := s.cfg.Hooks
	return []hookCommand{
		{"before_cutover", h.BeforeCutover}, {"switch", h.Switch}, {"after_cutover", h.AfterCutover}, {"fence", h.Fence}, {"unfence", h.Unfence},
	}
}

// runHook runs the user's command for a point of the cutover, if there is one.
func (s *session) runHook(ctx context.Context, name string, facts map[string]string) error {
	key := strings.ReplaceAll(name, "-", "_")
	for _, h := range s.hooks() {
		if h.key != key || h.command == "" {
			continue
		}
		env := map[string]string{"move": s.cfg.Move, "hook": name, "direction": "forward", "source": s.cfg.Source.Address(), "target": s.cfg.Target.Address()}
		if s.back != nil {
			env["direction"], env["source"], env["target"] = "reverse", env["target"], env["source"]
		}
		for k, v := range facts {
			env[k] = v
		}
		s.log.Info().Str("hook", name).Msg("hook runs")
		return hook.Run(ctx, hook.Hook{
			Name: "hooks." + key, Command: h.command, Timeout: s.cfg.Hooks.Timeout, Env: env, Stdout: s.progress.Writer(), Stderr: s.progress.Writer(),
		})
	}
	return nil
}

// journal keeps the cutover's steps in the state file.
type journal struct {
	file    *state.File
	reverse bool
}

func (j journal) Load(context.Context) (cutover.Record, error) {
	st, err := j.file.Read()
	if err != nil {
		return cutover.Record{}, err
	}
	c := st.Way(j.reverse).Cutover
	return cutover.Record{
		Step: cutover.Step(c.Step), FenceKind: db.FenceKind(c.FenceKind), Saved: c.SourceReadOnly["saved"], FencedAt: c.FencedAt,
		Head: db.Position(c.Head), Blocked: time.Duration(c.Blocked), Sealed: c.Note == "sealed" || c.Done, Done: c.Done,
	}, nil
}

func (j journal) Save(_ context.Context, r cutover.Record) error {
	return j.file.Update(func(st *state.State) error {
		c := st.Way(j.reverse).Cutover
		*c = state.Cutover{
			Step: string(r.Step), FenceKind: string(r.FenceKind), FencedAt: r.FencedAt, Head: r.Head.String(), Blocked: state.Duration(r.Blocked), Done: r.Done,
		}
		if r.Saved != "" {
			c.SourceReadOnly = map[string]string{"saved": r.Saved}
		}
		if r.Sealed {
			c.Note = "sealed"
		}
		return nil
	})
}
