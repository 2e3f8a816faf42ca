package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"wherry/pkg/cleanup"
	"wherry/pkg/db"
	"wherry/pkg/db/mysql"
	"wherry/pkg/state"
)

type cleanupOptions struct {
	abandon bool
	confirm string
	dryRun  bool
}

func newCleanupCmd(a *app) *cobra.Command {
	var o cleanupOptions
	c := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove every trace of a move that is over, or give one up",
		Long: `Cleanup removes what the move keeps on the servers for itself: the database wherry_<move> on the target, and the one on the
source that a way back makes. The state file is kept under another name, with .done behind its own; lock files go. Nothing
else is touched: no table, no setting. After it there is no way back. The source of a move stays read-only, as the cutover
left it: when it shall take writes again, turn read_only off there yourself.

While the move is under way cleanup refuses, with exit status 12. With --abandon it gives the move up: the tables that the
move made on the target are dropped too, as long as the target has not taken over, so that you can begin again. Tables
that were there before (schema.existing: accept) stay, with the rows that were copied, and so do databases. The source is
not touched. --dry-run prints every statement first.

Killed, it continues when it is run again.`,
		Example: `  wherry cleanup --config shop.yaml
  wherry cleanup --config shop.yaml --dry-run
  wherry cleanup --config shop.yaml --abandon --confirm=shop`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runCleanup(c.Context(), a, o) },
	}
	c.Flags().BoolVar(&o.abandon, "abandon", false, "give up a move that is under way: drop the tables that it made on the target")
	c.Flags().StringVar(&o.confirm, "confirm", "", "the `move`'s name, needed with --abandon when not on a terminal")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "print the exact SQL and change nothing; exit status 3 when there is something to do")
	return c
}

func runCleanup(ctx context.Context, a *app, o cleanupOptions) error {
	s, printed, err := a.configure()
	if err != nil || printed {
		return err
	}
	if err := s.openState(); err != nil {
		return err
	}
	if err := s.takeLock(state.PhaseCleanup, false); err != nil {
		return err
	}
	defer func() {
		if err := s.close(); err != nil {
			s.log.Debug().Err(err).Msg("close")
		}
	}()
	return s.cleanup(ctx, o)
}

func (s *session) cleanup(ctx context.Context, o cleanupOptions) (err error) {
	st, err := s.file.Read()
	if err != nil {
		return err
	}
	if st.Cutover.Step != "" && !st.Over() {
		return fmt.Errorf("%w: a cutover was interrupted: run wherry cutover to finish it, or wherry cutover --abort", errRefused)
	}
	target, err := s.openWritable(ctx, "target", &s.cfg.Target)
	if err != nil {
		return err
	}
	s.opened = append(s.opened, target)
	id, err := target.Identity(ctx)
	if err != nil {
		return err
	}
	if st.Target.UUID != "" && st.Target.UUID != id.UUID {
		return fmt.Errorf("the target at %s is another server (%s) than the move began with (%s): %w", id.Host, id.UUID, st.Target.UUID, state.ErrOtherMove)
	}
	c := cleanup.New(target, cleanup.Options{
		Bookkeeping: mysql.Bookkeeping(s.cfg.Move), Abandon: o.abandon, Log: s.log,
		Source: func(ctx context.Context) (cleanup.End, error) {
			source, err := s.openWritable(ctx, "source", &s.cfg.Source.Endpoint)
			if err == nil {
				s.opened = append(s.opened, source)
			}
			return source, err
		},
	})
	p, err := c.Plan(ctx)
	if err != nil {
		return abandonable(err, s.cfg.Move)
	}
	if o.dryRun {
		for _, step := range p.Steps {
			s.printStatement(step.End+": "+step.Subject, step.Statement)
		}
		out, err := s.pending(len(p.Steps))
		return s.cleaned(out, err)
	}
	if o.abandon && (!p.Over || p.Back == cleanup.Begun) {
		if err := s.confirm(o.confirm, s.warns(p)); err != nil {
			return err
		}
	}
	if err := c.Run(ctx, p); err != nil {
		return err
	}
	return s.retire(p, st)
}

// abandonable says how to go on with a move that is under way.
func abandonable(err error, move string) error {
	if !errors.Is(err, cleanup.ErrUnderWay) {
		return err
	}
	return fmt.Errorf("%w, nothing was changed: finish it, or give it up with --abandon --confirm=%s (look first with --abandon --dry-run)", err, move)
}

// warns says what giving up a move will do.
func (s *session) warns(p *cleanup.Plan) string {
	if p.Over {
		return "This gives up the way back."
	}
	var tables []string
	for _, step := range p.Steps {
		if step.Subject != cleanup.Bookkeeping {
			tables = append(tables, step.Subject)
		}
	}
	return fmt.Sprintf("This gives up the move and drops %d tables on %s (%s).", len(tables), s.cfg.Target.Address(), strings.Join(tables, ", "))
}

// retire ends the state file, last of all, and says what was left.
func (s *session) retire(p *cleanup.Plan, st *state.State) error {
	ending, detail := ".abandoned", "the move is given up"
	over := p.Over || st.Over()
	if over {
		ending, detail = ".done", "the move's bookkeeping is removed"
	}
	if len(p.Steps) == 0 {
		detail = "nothing of the move is on the servers"
	}
	if err := s.lock.Release(); err != nil {
		return err
	}
	if err := os.RemoveAll(s.cfg.SpoolDir()); err != nil {
		return err
	}
	kept, err := s.file.Retire(ending)
	if err != nil {
		return err
	}
	if kept != "" {
		detail += "; its record is kept in " + kept
	}
	for _, name := range p.Left {
		detail += fmt.Sprintf("; table %s was there before the move and is left, with the rows that were copied", name)
	}
	closed := s.cfg.Source.Address()
	if p.Back == cleanup.Finished {
		closed = s.cfg.Target.Address()
	}
	if over && s.cfg.Cutover.Fence == string(db.FenceReadOnly) {
		detail += fmt.Sprintf("; %s stays read-only: turn read_only off there when it shall take writes again", closed)
	}
	return s.cleaned(outcome{Detail: detail, Facts: map[string]any{"statements": len(p.Steps), "state": kept}}, nil)
}

// cleaned prints the result. There is no next command, and no state to take one from.
func (s *session) cleaned(out outcome, err error) error {
	if errors.Is(err, errDifferences) {
		out.Facts["code"] = codeDifferences
	}
	return errors.Join(err, s.result(state.PhaseCleanup, out, false))
}
