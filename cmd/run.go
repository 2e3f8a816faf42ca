package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"wherry/pkg/move"
)

// runOptions are the flags of `wherry run`.
type runOptions struct {
	cutover bool
	confirm string
}

// newRunCmd is `wherry run`: the same phases as the single commands, one after another.
func newRunCmd(a *app) *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run",
		Short: "Run all phases in order in one process, up to the cutover",
		Long: `Run runs check, init-schema, init-copy, start-replica until it has caught up, and verify, on the same
state file as the single commands. It skips phases that are done, so it continues wherever an earlier run or a single
command stopped. It ends before the cutover, with both sides proved equal. To keep the target up to date after that,
start start-replica, or run it again. With --cutover it goes on and switches over.`,
		Example: `  wherry run --config shop.yaml
  wherry run --config shop.yaml --cutover --confirm=shop`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.runAll(c.Context(), o) },
	}
	c.Flags().BoolVar(&o.cutover, "cutover", false, "switch over in the end")
	c.Flags().StringVar(&o.confirm, "confirm", "", "the `move`'s name, needed with --cutover when not on a terminal")
	return c
}

// runAll runs the phases under one lock: no other wherry can come in between. The question before a cutover is asked at
// the beginning, while somebody is there to answer; the cutover may come hours later.
func (a *app) runAll(ctx context.Context, o runOptions) error {
	if printed, err := a.open(); err != nil || printed {
		return err
	}
	defer a.move.Close()
	phases := []move.Phase{
		move.Check{Once: true}, move.InitSchema{}, move.InitCopy{}, move.Follow{UntilCaughtUp: true}, move.Verify{},
	}
	// Asked before the lock is taken: while somebody thinks about the answer, other commands may run.
	if o.cutover {
		if err := a.confirm(o.confirm, a.asks(move.Cutover{})); err != nil {
			return err
		}
		phases = append(phases, move.Cutover{})
	}
	if err := a.move.Lock(); err != nil {
		return err
	}
	for i, phase := range phases {
		result, err := a.move.Run(ctx, phase)
		if err := a.finish(move.Name(phase), result, err, i < len(phases)-1); err != nil {
			// Differences are a result and were printed as one. A failure names its phase: the command was only "run".
			if move.IsResult(err) {
				return err
			}
			return fmt.Errorf("%s: %w", move.Name(phase), err)
		}
	}
	return nil
}
