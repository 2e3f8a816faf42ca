package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"wherry/pkg/db"
	"wherry/pkg/monitor"
	"wherry/pkg/state"
)

type startReplicaOptions struct {
	untilCaughtUp bool
	until         string
	skipDDL       bool
	reverse       bool
}

func newStartReplicaCmd(a *app) *cobra.Command {
	var o startReplicaOptions
	c := &cobra.Command{
		Use:   "start-replica",
		Short: "Apply every later change, exactly once",
		Long: `Start-replica reads the source's binary log from the position that the target holds, and applies every change of the
included tables: whole transactions, in order, each exactly once, with the position committed in the same transaction. It
runs until it is stopped, reconnects when a server goes away, and ends by itself once a cutover is done.

Schema changes of included tables are made on the target too (replicate.ddl). One that cannot be followed stops it with exit status 12
before the change, with the position kept: copy that table again with init-copy --table, or make the change on the target by hand and go
on with --skip-ddl, which looks whether the target is as it must be. It does not touch the source. Under systemd use Type=notify (scripts/wherry@.service).

With --reverse, after the cutover, it keeps a way back open: it applies to the old source what was written to the target since it
took over, from the end that the target's log had then. The old source stays closed to applications; its triggers on the move's
tables are dropped and its events disabled until you have gone back, for what they did arrives as rows. verify --reverse compares,
and cutover --reverse goes back. Their messages call source what is read from. Schema changes made since the takeover are followed too, of
tables that the old source has exactly as they would be made there; others stop it, and --skip-ddl goes on; of those it looks at columns and key only.`,
		Example: `  wherry start-replica --config shop.yaml
  wherry start-replica --config shop.yaml --until-caught-up
  wherry start-replica --config shop.yaml --until binlog.000042:1547
  wherry start-replica --config shop.yaml --skip-ddl
  wherry start-replica --config shop.yaml --reverse`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.untilCaughtUp && o.until != "" {
				return usageError{errors.New("--until and --until-caught-up exclude each other"), c.CommandPath()}
			}
			return a.runPhase(c.Context(), startReplicaSpec(o))
		},
	}
	c.Flags().BoolVar(&o.reverse, "reverse", false, "after the cutover: keep the old source up to date from the target, for a way back")
	c.Flags().BoolVar(&o.untilCaughtUp, "until-caught-up", false, "end once the target has caught up with the source")
	c.Flags().StringVar(&o.until, "until", "", "end once the target holds everything up to this `position`: GTIDs, or file:offset")
	c.Flags().BoolVar(&o.skipDDL, "skip-ddl", false, "take the schema change that comes next as made on the target by hand")
	return c
}

func startReplicaSpec(o startReplicaOptions) phaseSpec {
	return phaseSpec{
		name: state.PhaseStartReplica, reverse: o.reverse,
		admit: func(ctx context.Context, s *session) error {
			_, err := s.goal(ctx, o.until)
			return err
		},
		run: func(ctx context.Context, s *session) (outcome, error) { return s.startReplica(ctx, o) },
	}
}

func (s *session) startReplica(ctx context.Context, o startReplicaOptions) (outcome, error) {
	began := time.Now()
	goal, err := s.goal(ctx, o.until)
	if err != nil {
		return outcome{}, err
	}
	s.progress.Step(monitor.StepReplicate)
	notifier := monitor.NewNotifier(s.app.env("NOTIFY_SOCKET"), s.app.env("WATCHDOG_USEC"))
	if err := notifier.Ready("following the source"); err != nil {
		s.log.Warn().Err(err).Msg("service manager not told")
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go s.tellManager(watching, notifier)

	r := s.replicator(true, s.evolver(false, o.skipDDL))
	err = s.observed(ctx, s.mirrorReplica, func(ctx context.Context) error {
		switch {
		case o.untilCaughtUp:
			return r.CatchUp(ctx)
		case goal != "":
			return r.ReplayTo(ctx, goal)
		default:
			return r.Run(ctx)
		}
	})
	_ = notifier.Stopping() // nobody needs it
	p := s.progress.Snapshot().Replica
	seconds := time.Since(began).Seconds()
	out := outcome{
		Detail: fmt.Sprintf("%s changes applied, position %s", monitor.Count(p.Changes), p.Position),
		Facts: map[string]any{
			"changes": p.Changes, "rows": p.Rows, "position": p.Position, "seconds": seconds, "changes_per_second": int64(float64(p.Changes) / seconds),
		},
	}
	if errors.Is(err, db.ErrSealed) {
		over := "the move is over, the target has taken over; "
		if s.back != nil {
			over = "the way back is over, the source has taken over again; "
		}
		out.Detail = over + out.Detail
		return out, nil
	}
	return out, err
}

// goal reads the position of --until. Whether the engine understands it shows now, not after hours.
func (s *session) goal(ctx context.Context, until string) (db.Position, error) {
	if until == "" {
		return "", nil
	}
	goal := db.Position(until)
	at, err := s.applied(ctx)
	if err != nil {
		return "", err
	}
	if _, err := s.source.Reached(at, goal); err != nil {
		return "", usageError{fmt.Errorf("invalid --until: %w", err), "wherry start-replica"}
	}
	return goal, nil
}

// tellManager keeps the service manager informed.
func (s *session) tellManager(ctx context.Context, n *monitor.Notifier) {
	go n.Watch(ctx, func() bool { return true })
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(mirrorEvery):
			p := s.progress.Snapshot().Replica
			_ = n.Status(fmt.Sprintf("lag %s, %s changes applied", monitor.Span(time.Duration(p.Lag)), monitor.Count(p.Changes)))
		}
	}
}
