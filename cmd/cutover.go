package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"wherry/pkg/move"
)

func newCutoverCmd(a *app) *cobra.Command {
	var o move.Cutover
	var confirm string
	c := &cobra.Command{
		Use:   "cutover",
		Short: "Stop writes on the source, drain, check, switch to the target",
		Long: `Cutover checks everything that can be checked while writes go on, then stops writes on the source
(cutover.fence), waits until the target has applied the last of them, compares what changed since the last
verification, sets automatic counters, and records on the target that it has taken over: the point of no return.
Then it runs your switch hook.

Up to that record any failure, and the timeout, puts everything back, and the move goes on as before. After it,
running cutover again only goes forward. The source stays read-only afterwards. The time that writes were blocked is
printed.

With --rehearse it turns back just before that record: all is done but the takeover and the switch, also
hooks.before_cutover and the fence, then writes are open again, and the time that they were blocked is printed. The
move runs on as before.

Views, triggers, routines, events and sequences move with it as cutover.objects says: what does no harm is made
before writes are stopped, triggers once the target has taken over, and events are enabled then. Those of the source
stay as they are: its events go on being tried there and fail while it is read-only, unless you turn event_scheduler
off.

With --reverse it goes back: the same, from the target to the old source, which is opened for writes before
hooks.switch runs (with WHERRY_DIRECTION=reverse), while the target stays closed. To move once more after that, run
cleanup and begin anew.

It does not move accounts, and it does not redirect your application unless hooks.switch does.`,
		Example: `  wherry cutover --config shop.yaml --confirm=shop
  wherry cutover --config shop.yaml --dry-run
  wherry cutover --config shop.yaml --rehearse --confirm=shop
  wherry cutover --config shop.yaml --abort
  wherry cutover --config shop.yaml --reverse --confirm=shop`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.Abort && o.DryRun || o.Abort && o.Rehearse || o.DryRun && o.Rehearse {
				return usageError{errors.New("--abort, --dry-run and --rehearse exclude each other"), c.CommandPath()}
			}
			return a.runCutover(c.Context(), o, confirm)
		},
	}
	c.Flags().StringVar(&confirm, "confirm", "", "the `move`'s name, needed when not on a terminal")
	c.Flags().BoolVar(&o.Abort, "abort", false,
		"lift the fence that an interrupted cutover left behind, and stop there")
	c.Flags().BoolVar(&o.DryRun, "dry-run", false,
		"make the checks that come before the fence and print the steps; exit status 3")
	c.Flags().BoolVar(&o.Reverse, "reverse", false, "go back: from the target, which has taken over, to the old source")
	c.Flags().BoolVar(&o.Rehearse, "rehearse", false,
		"do all but the takeover and the switch, open writes again, and print for how long they were blocked")
	return c
}

func (a *app) runCutover(ctx context.Context, o move.Cutover, confirm string) error {
	if printed, err := a.open(); err != nil || printed {
		return err
	}
	defer a.move.Close()
	st, err := a.move.State()
	if err != nil {
		return err
	}
	over := st.Back() || st.Over() && !o.Reverse
	if !o.Abort && !o.DryRun && !over {
		if err := a.confirm(confirm, a.asks(o)); err != nil {
			return err
		}
	}
	result, err := a.move.Run(ctx, o)
	return a.finish(move.Name(o), result, err, false)
}

// asks says what is going to happen.
func (a *app) asks(o move.Cutover) string {
	from, to := a.cfg.Source.Address(), a.cfg.Target.Address()
	if o.Reverse {
		from, to = to, from
	}
	if o.Rehearse {
		return fmt.Sprintf("This stops writes on %s for a moment, for %s at most, and opens them again.",
			from, a.cfg.Cutover.Timeout)
	}
	return fmt.Sprintf("This stops writes on %s and switches to %s.", from, to)
}

// confirm asks for the move's name, on the terminal or by flag.
func (a *app) confirm(given, happens string) error {
	if given == "" && terminal(a.stdin) && terminal(a.stderr) {
		fmt.Fprintf(a.stderr, "%s Type the name of the move to go on: ", happens)
		line, err := bufio.NewReader(a.stdin).ReadString('\n')
		if err != nil {
			return fmt.Errorf("read confirmation: %w", err)
		}
		given = strings.TrimSpace(line)
	}
	switch given {
	case a.cfg.Move:
		return nil
	case "":
		return fmt.Errorf("%w: this must be confirmed: add --confirm=%s", move.ErrRefused, a.cfg.Move)
	default:
		return fmt.Errorf("%w: --confirm=%s is not the name of the move, %s", move.ErrRefused, given, a.cfg.Move)
	}
}
