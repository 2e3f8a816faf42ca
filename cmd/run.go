package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"wherry/pkg/state"
)

type runOptions struct {
	cutover bool
	confirm string
}

func newRunCmd(a *app) *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run",
		Short: "Run all phases in order in one process, up to the cutover",
		Long: `Run goes through check, init-schema, init-copy, start-replica until it has caught up, and verify, on the same state file
as the single commands; phases that are done are passed over, so it continues where anything stopped. It ends before the
cutover with both sides proved equal; start-replica or another run keeps them so. With --cutover it goes on and
switches over.`,
		Example: `  wherry run --config shop.yaml
  wherry run --config shop.yaml --cutover --confirm=shop`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runAll(c.Context(), a, o) },
	}
	c.Flags().BoolVar(&o.cutover, "cutover", false, "switch over in the end")
	c.Flags().StringVar(&o.confirm, "confirm", "", "the `move`'s name, needed with --cutover when not on a terminal")
	return c
}

func runAll(ctx context.Context, a *app, o runOptions) error {
	s, printed, err := a.configure()
	if err != nil || printed {
		return err
	}
	if err := s.openState(); err != nil {
		return err
	}
	if o.cutover {
		if err := s.confirm(o.confirm, cutoverOptions{}.asks(s)); err != nil {
			return err
		}
	}
	if err := s.takeLock(state.RunPrefix+state.PhaseCheck, false); err != nil {
		return err
	}
	defer func() {
		if err := s.close(); err != nil {
			s.log.Debug().Err(err).Msg("close")
		}
	}()
	specs := []phaseSpec{
		{name: state.PhaseCheck, once: true, run: func(ctx context.Context, s *session) (outcome, error) { return s.check(ctx, checkOptions{}) }},
		initSchemaSpec(initSchemaOptions{}), initCopySpec(initCopyOptions{}), startReplicaSpec(startReplicaOptions{untilCaughtUp: true}),
		verifySpec(verifyOptions{}),
	}
	if o.cutover {
		specs = append(specs, cutoverSpec(cutoverOptions{}))
	}
	for i, spec := range specs {
		if err := s.lock.SetPhase(state.RunPrefix + spec.name); err != nil {
			return err
		}
		s.more = i < len(specs)-1
		if err := s.phase(ctx, spec); err != nil {
			if errors.Is(err, errDifferences) {
				return err
			}
			return fmt.Errorf("%s: %w", spec.name, err)
		}
	}
	return nil
}
