package move

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"wherry/pkg/cleanup"
	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/state"
)

// Cleanup removes what a move that is over leaves on the servers.
type Cleanup struct {
	DryRun  bool
	Abandon bool // give up a move that is under way: drop the tables that it made on the target
	Keep    bool // end a move that is under way and keep its tables, without a cutover
	// Confirm is asked before a move is given up or ended early, and told what that does; its error ends the phase.
	// nil: it is meant.
	Confirm func(what string) error
}

func (o Cleanup) spec() spec {
	return spec{
		name: state.PhaseCleanup, bare: true,
		run: func(ctx context.Context, m *Move) (Result, error) {
			out, err := m.cleanup(ctx, o)
			out.Last = true // and there is no state to take a next phase from
			return out, err
		},
	}
}

// cleanup opens the target alone. It does not use connect: of a move that is half removed there is nothing to plan, and
// the source may be switched off for good by then.
func (m *Move) cleanup(ctx context.Context, o Cleanup) (Result, error) {
	if o.Abandon && o.Keep {
		return Result{}, OptionError{
			state.PhaseCleanup, errors.New("--abandon drops the tables that --keep keeps: give one of them"),
		}
	}
	st, err := m.file.Read()
	if err != nil {
		return Result{}, err
	}
	if st.Cutover.Step != "" && !st.Over() {
		return Result{}, errCutoverOpen
	}
	target, err := m.cleanTarget(ctx, st)
	if err != nil {
		return Result{}, err
	}
	c := cleanup.New(target, cleanup.Options{
		Bookkeeping: engines()[m.cfg.Target.Engine].bookkeeping(m.cfg.Move), Abandon: o.Abandon, Keep: o.Keep,
		Log:    m.log,
		Source: func(ctx context.Context) (cleanup.End, error) { return m.openOldSource(ctx) },
	})
	p, err := c.Plan(ctx)
	if err != nil {
		return Result{}, abandonable(err, m.cfg.Move)
	}
	if o.DryRun {
		for _, step := range p.Steps {
			m.statement(step.End+": "+step.Subject, step.Statement)
		}
		return pending(len(p.Steps), "statement")
	}
	if o.Confirm != nil && (o.Abandon && (!p.Over || p.Back == cleanup.Begun) || len(p.Kept) > 0) {
		if err := o.Confirm(m.warns(p)); err != nil {
			return Result{}, err
		}
	}
	if err := c.Run(ctx, p); err != nil {
		return Result{}, err
	}
	return m.retire(p, st, o.Keep)
}

var errCutoverOpen = fmt.Errorf("%w: a cutover was interrupted: run wherry cutover to finish it, "+
	"or wherry cutover --abort", ErrRefused)

// cleanTarget opens the target. It refuses another server than the move's, whose bookkeeping of that name would be
// somebody else's, and one that waits for a cutover to end.
func (m *Move) cleanTarget(ctx context.Context, st *state.State) (writtenEnd, error) {
	target, err := m.openWritten(ctx, &m.cfg.Target)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	m.opened = append(m.opened, target)
	id, err := target.Identity(ctx)
	if err != nil {
		return nil, err
	}
	if st.Target.UUID != "" && st.Target.UUID != id.UUID {
		return nil, otherServer("target", id, st.Target.UUID)
	}
	return target, m.notFenced(ctx, target)
}

// notFenced refuses while a cutover has closed the source. The state file may have been lost since; the journal on the
// target still has it. Without the journal nobody would know how to open the source again.
func (m *Move) notFenced(ctx context.Context, target db.Target) error {
	sealed, err := target.Ledger().Get(ctx, db.FactCutover)
	if err != nil || sealed != "" {
		return err
	}
	record, err := readJournal(ctx, target.Ledger(), m.cfg.Move)
	if err == nil && record.Step != "" {
		err = errCutoverOpen
	}
	return err
}

// abandonable adds to the error of a move that is under way how to go on.
func abandonable(err error, move string) error {
	switch {
	case errors.Is(err, cleanup.ErrIncomplete):
		return fmt.Errorf("%w, nothing was changed: run init-copy again, or give the move up with --abandon "+
			"--confirm=%s", err, move)
	case errors.Is(err, cleanup.ErrUnderWay):
		return fmt.Errorf("%w, nothing was changed: finish it, give it up with --abandon --confirm=%s, or end it "+
			"and keep its tables with --keep --confirm=%[2]s (look first with --dry-run)", err, move)
	}
	return err
}

// warns says what giving up a move will do.
func (m *Move) warns(p *cleanup.Plan) string {
	if p.Over {
		return "This gives up the way back."
	}
	if len(p.Kept) > 0 {
		return fmt.Sprintf("This ends the move without a cutover: %s on %s stay as they are, and no more changes are "+
			"applied to them.", count.Of(len(p.Kept), "table"), m.cfg.Target.Address())
	}
	var tables []string
	for _, step := range p.Steps {
		if step.Subject != cleanup.Bookkeeping && step.Subject != cleanup.Scratch {
			tables = append(tables, step.Subject)
		}
	}
	return fmt.Sprintf("This gives up the move and drops %s on %s (%s).",
		count.Of(len(tables), "table"), m.cfg.Target.Address(), strings.Join(tables, ", "))
}

// retire renames the state file, last of all, and says what was left. A crash before that leaves the file, and cleanup
// runs again: it finds nothing on the servers and comes here. The lock is given up first, since its file goes too.
func (m *Move) retire(p *cleanup.Plan, st *state.State, keep bool) (Result, error) {
	ending, detail := ".abandoned", "the move is given up"
	over := p.Over || st.Over()
	switch {
	case over:
		ending, detail = ".done", "the move's bookkeeping is removed"
	case keep:
		ending = ".kept"
		detail = fmt.Sprintf("the move is ended without a cutover, and its %s stay on the target",
			count.Of(len(p.Kept), "table"))
	}
	if len(p.Steps) == 0 {
		detail = "nothing of the move is on the servers"
	}
	if err := m.lock.Release(); err != nil {
		return Result{}, err
	}
	if err := os.RemoveAll(m.cfg.SpoolDir()); err != nil {
		return Result{}, err
	}
	kept, err := m.file.Retire(ending)
	if err != nil {
		return Result{}, err
	}
	if kept != "" {
		detail += "; its record is kept in " + kept
	}
	for _, name := range p.Left {
		detail += fmt.Sprintf("; table %s was there before the move and is left, with the rows that were copied", name)
	}
	closed := m.cfg.Source.Address()
	if p.Back == cleanup.Finished {
		closed = m.cfg.Target.Address()
	}
	if over && m.cfg.Cutover.Fence == string(db.FenceReadOnly) {
		detail += fmt.Sprintf("; %s stays read-only; to open it for writes again: SET GLOBAL read_only = OFF", closed)
	}
	return Result{Detail: detail, Facts: map[string]any{"statements": len(p.Steps), "state": kept}}, nil
}
