package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"wherry/pkg/check"
	"wherry/pkg/db"
	"wherry/pkg/hook"
	"wherry/pkg/monitor"
	"wherry/pkg/plan"
	"wherry/pkg/state"
)

type checkOptions struct{ all bool }

func newCheckCmd(a *app) *cobra.Command {
	var o checkOptions
	c := &cobra.Command{
		Use:   "check",
		Short: "Check every precondition on both sides, changing nothing",
		Long: `Check connects to both servers and looks at everything that a move needs: versions, privileges, the source's binary log
and how long it is kept, replication settings, every included table with its engine, key, types and foreign keys, the
target's settings and space, clocks and hooks. It prints what is wrong with the fix for each, and changes nothing on
either side.

Views, triggers, routines, events and sequences are listed with what becomes of them at the cutover: moved (cutover.objects),
left behind, or impossible to move, and why.

A finding that fails refuses the move; a warning is for you to weigh. The phases make the checks that concern them again.`,
		Example: `  wherry check --config shop.yaml
  wherry check --config shop.yaml --all --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runCheck(c.Context(), a, o) },
	}
	c.Flags().BoolVar(&o.all, "all", false, "list the checks that are ok too")
	return c
}

func runCheck(ctx context.Context, a *app, o checkOptions) error {
	return a.runPhase(ctx, phaseSpec{
		name: state.PhaseCheck,
		run:  func(ctx context.Context, s *session) (outcome, error) { return s.check(ctx, o) },
	})
}

func (s *session) check(ctx context.Context, o checkOptions) (outcome, error) {
	mine, err := s.mine(ctx)
	if err != nil {
		return outcome{}, err
	}
	objects, err := s.objects(ctx)
	if err != nil {
		return outcome{}, err
	}
	intent := db.Plan{
		Routes: s.plan.Routes, Bookkeeping: s.cfg.Move, Fence: db.FenceKind(s.cfg.Cutover.Fence),
		BinlogOnWrite: s.cfg.Copy.BinlogOnTarget, LoadMethod: s.cfg.Copy.Load, Accept: s.accepts(),
		Objects: objects.Plans, ObjectGroups: s.cfg.Cutover.Objects,
	}
	findings, err := check.New(s.source, s.target, intent, mine).Run(ctx)
	if err != nil {
		return outcome{}, err
	}
	findings = append(append(append(findings, s.plan.Findings...), objects.Findings...), s.checkHooks()...)
	back, err := s.wayBack(ctx)
	if err != nil {
		return outcome{}, err
	}
	findings = append(findings, back, db.Finding{
		Check: "tables", End: "move", Level: db.OK, What: fmt.Sprintf("%d tables will be moved", len(s.plan.Routes)) + alsoObjects(objects),
	})
	if err := s.printFindings(findings, o.all); err != nil {
		return outcome{}, err
	}
	out := outcome{Detail: monitor.Tally(findings), Facts: map[string]any{"tables": len(s.plan.Routes)}}
	if failed := plan.Failed(findings); len(failed) > 0 {
		return out, fmt.Errorf("%w: %s", errRefused, monitor.Tally(findings))
	}
	return out, nil
}

func alsoObjects(o *plan.Objects) string {
	if len(o.Plans) == 0 {
		return ""
	}
	return fmt.Sprintf(", and %d views, triggers, routines, events and sequences at the cutover", len(o.Plans))
}

func (s *session) printFindings(findings []db.Finding, all bool) error {
	if s.app.json == nil {
		width := 0
		if terminal(s.app.stdout) {
			width = 120
		}
		return monitor.WriteFindings(s.app.stdout, findings, width, all)
	}
	for _, f := range findings {
		if err := s.app.json.Emit("finding", f); err != nil {
			return err
		}
	}
	return nil
}

// checkHooks looks whether the commands that the cutover will run are there.
func (s *session) checkHooks() (findings []db.Finding) {
	for _, h := range s.hooks() {
		if h.command == "" {
			continue
		}
		f := db.Finding{Check: "hook", End: "move", Level: db.OK, Subject: "hooks." + h.key, What: "can be run"}
		if err := hook.Check(h.command); err != nil {
			f.Level, f.What, f.Fix = db.Fail, err.Error(), "give a command that sh can run"
		}
		findings = append(findings, f)
	}
	return findings
}
