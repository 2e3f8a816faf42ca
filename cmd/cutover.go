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

// newCutoverCmd is `wherry cutover`. --abort, --dry-run and --rehearse are three ways not to switch, so they exclude
// each other.
func newCutoverCmd(a *app) *cobra.Command {
	var o move.Cutover
	var confirm string
	c := &cobra.Command{
		Use:   "cutover",
		Short: "Stop writes on the source, wait for the last change, compare, switch to the target",
		Long: `Cutover checks everything that can be checked while writes go on, then stops writes on the source
(cutover.fence), waits until the target has applied the last of them, compares what changed since the last
verification, sets AUTO_INCREMENT counters, and records on the target that it has taken over: the point of no return.
Then it runs hooks.switch.

Before that record, any failure or timeout puts everything back, and the move goes on as before. After it, running
cutover again only goes forward. The source stays read-only. cutover prints how long writes were blocked.

With --rehearse it does everything but the takeover and the switch, hooks.before_cutover and the fence included. Then
it opens writes again and prints how long they were blocked. The move goes on as before.

Views, triggers, routines, events and sequences move too, if cutover.objects names their kind. Triggers are made, and
events enabled, after the target has taken over; the rest is made before writes are stopped. On the source all of them
stay. Its events still run while it is read-only, and fail; SET GLOBAL event_scheduler = OFF there ends that.

With --reverse it goes back: the same, from the target to the old source. The old source is opened for writes before
hooks.switch runs (with WHERRY_DIRECTION=reverse); the target stays closed. To move once more after that, run cleanup
and begin anew with an empty target.

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

// runCutover asks for confirmation and runs the phase. Nothing is asked if nothing will be stopped: for --abort and
// --dry-run, and if the cutover is done already, so that a script may simply run it again.
func (a *app) runCutover(ctx context.Context, o move.Cutover, confirm string) error {
	if printed, err := a.open(); err != nil || printed {
		return err
	}
	defer a.move.Close()
	st, err := a.move.State()
	if err != nil {
		return err
	}
	// Over in the direction that was asked for: the phase only says so, or repeats what came after the takeover.
	over := st.Back() || st.Over() && !o.Reverse
	if !o.Abort && !o.DryRun && !over {
		if err := a.confirm(confirm, a.asks(o)); err != nil {
			return err
		}
	}
	result, err := a.move.Run(ctx, o)
	return a.finish(move.Name(o), result, err, false)
}

// asks says what is going to happen, with the address of the server whose writes are stopped: a person who has two
// moves open in two windows sees which one this is.
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

// confirm asks for the move's name, on the terminal or by flag. The name and not "yes": it cannot be typed by habit. A
// script without a terminal must give the flag; without it the cutover is refused and nothing is changed.
func (a *app) confirm(given, happens string) error {
	// Both must be terminals: a question that is written to a file, or answered by a pipe, is no confirmation.
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
