package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"wherry/pkg/monitor"
	"wherry/pkg/move"
)

// newStartReplicaCmd is `wherry start-replica`, which a service manager runs (scripts/wherry@.service).
func newStartReplicaCmd(a *app) *cobra.Command {
	var o move.Follow
	c := &cobra.Command{
		Use:   "start-replica",
		Short: "Apply every later change, exactly once",
		Long: `Start-replica reads the source's binary log from the position that the target holds, and applies
every change of the included tables: whole transactions, in order, each exactly once, with the position committed in
the same transaction. It runs until it is stopped, reconnects when a server goes away, and ends by itself once a
cutover is done.

Schema changes of included tables are made on the target too (replicate.ddl). If one cannot be followed, start-replica
stops before it with exit status 12. Then either copy that table again with init-copy --table, or make the change on
the target by hand and continue with --skip-ddl. That checks that the tables' definitions on the target are what they
must be then; verify and the cutover compare their rows. start-replica does not touch the source. Under systemd use
Type=notify (scripts/wherry@.service).

With --reverse, after the cutover, it keeps a way back open: it applies to the old source what applications have written
to the target since it took over. The old source stays closed to applications. Its triggers on the move's tables are
dropped and its events disabled until you have gone back, because their effects arrive as rows. verify --reverse
compares both sides, and cutover --reverse goes back. With --reverse, "source" in messages means the server that is
read. Schema changes made since the takeover are followed if the old source's table is exactly what wherry would make
there. Others stop it; --skip-ddl continues after checking only columns and key.`,
		Example: `  wherry start-replica --config shop.yaml
  wherry start-replica --config shop.yaml --until-caught-up
  wherry start-replica --config shop.yaml --until binlog.000042:1547
  wherry start-replica --config shop.yaml --skip-ddl
  wherry start-replica --config shop.yaml --reverse`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.UntilCaughtUp && o.Until != "" {
				return usageError{errors.New("--until and --until-caught-up exclude each other"), c.CommandPath()}
			}
			return a.runFollow(c.Context(), o)
		},
	}
	c.Flags().BoolVar(&o.Reverse, "reverse", false,
		"after the cutover: keep the old source up to date from the target, for a way back")
	c.Flags().BoolVar(&o.UntilCaughtUp, "until-caught-up", false, "end once the target has caught up with the source")
	c.Flags().StringVar(&o.Until, "until", "",
		"end once the target holds everything up to this `position`: GTIDs, or file:offset")
	c.Flags().BoolVar(&o.SkipDDL, "skip-ddl", false,
		"the schema change that comes next was made on the target by hand: pass over it")
	return c
}

// runFollow runs the phase, and keeps the service manager informed. "Ready" is sent once changes flow, and not when the
// process starts: a unit with Type=notify that depends on this one can rely on it. A service manager that cannot be
// reached is no reason to stop.
func (a *app) runFollow(ctx context.Context, o move.Follow) error {
	notifier := monitor.NewNotifier(a.env("NOTIFY_SOCKET"), a.env("WATCHDOG_USEC"))
	watching, stop := context.WithCancel(ctx)
	defer stop()
	o.Started = func() {
		if err := notifier.Ready("following the source"); err != nil {
			a.log.Warn().Err(err).Msg("service manager not told")
		}
		go a.reportManager(watching, notifier)
	}
	err := a.runPhase(ctx, o)
	_ = notifier.Stopping() // a courtesy: the end of the process says the same
	return err
}

// statusEvery is how often the service manager gets a new status line.
const statusEvery = 2 * time.Second

// reportManager keeps the watchdog fed and shows lag and progress in `systemctl status`, until ctx ends.
func (a *app) reportManager(ctx context.Context, n *monitor.Notifier) {
	// Alive means that this process is scheduled. A server that does not answer is no reason to be restarted: the phase
	// tries again by itself, and a new process would have to do the same.
	go n.Watch(ctx, func() bool { return true })
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(statusEvery):
			p := a.progress.Snapshot().Replica
			lag, applied := monitor.Span(time.Duration(p.Lag)), monitor.Counted(p.Changes, "change")
			_ = n.Status(fmt.Sprintf("lag %s, %s applied", lag, applied))
		}
	}
}
