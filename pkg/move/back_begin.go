package move

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// begin makes the old source ready to be written to by this move alone. start-replica begins the way back or continues
// it; other phases need it begun.
//
// The order of the steps is the order in which a killed run can be cleaned up. announce comes first, so that cleanup
// knows of bookkeeping on the source before there is any. The source's position comes last: without it every step is
// repeated, and each of them may be.
func (b *back) begin(ctx context.Context, phase string) error {
	if err := b.m.ownTables(ctx); err != nil {
		return err
	}
	if err := b.m.sameServers(ctx); err != nil {
		return err
	}
	ledger := b.m.target.Ledger()
	sealed, err := ledger.Get(ctx, db.FactCutover)
	if err != nil {
		return err
	}
	if sealed != "" { // the source has taken over again: the phase finds that itself, and says so
		return b.old.Admit(ctx)
	}
	if err := b.stillClosed(ctx); err != nil {
		return err
	}
	if phase != state.PhaseStartReplica {
		if _, err := b.m.applied(ctx); err != nil {
			return fmt.Errorf("go back: %w: the source has no position yet: run `wherry start-replica --reverse` first",
				state.ErrOutOfOrder)
		}
		return b.old.Admit(ctx)
	}
	if err := b.can(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		b.announce, b.old.Admit, ledger.Create, b.m.recordIdentity, b.recordTables, b.disarm,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	start, err := ledger.Begin(ctx, b.start)
	if err != nil {
		return err
	}
	return b.m.file.Update(func(st *state.State) error {
		st.Reverse.Positions.Start = start.String()
		return nil
	})
}

// stillClosed refuses a source that takes writes from applications: the cutover had closed it. Rows that somebody wrote
// there since would be overwritten, or clash with what comes back. Only the fence read_only can be checked this way:
// lock_tables ended with its process, and of a hook wherry knows nothing.
func (b *back) stillClosed(ctx context.Context) error {
	if b.record.Fence != db.FenceReadOnly {
		return nil
	}
	closed, err := b.old.ReadOnly(ctx)
	if err == nil && !closed {
		err = fmt.Errorf("%w: the source at %s takes writes, although the cutover had closed it: it was restarted, or "+
			"opened by hand; SET GLOBAL read_only = ON there, and look what was written to it, since verify --reverse "+
			"will find differences", ErrRefused, b.m.cfg.Source.Address())
	}
	return err
}

// can checks that both servers can go back: settings and privileges, the target's log, and definitions. Warnings are
// logged. ErrRefused lists everything that fails at once. db.ErrPositionGone: the log no longer reaches back.
func (b *back) can(ctx context.Context) error {
	findings, err := b.check(ctx, b.m.plan)
	if err != nil {
		return err
	}
	for _, f := range findings {
		if f.Level == db.Warn {
			b.m.log.Warn().Str("check", f.Check).Str("subject", f.Subject).Msg(f.What)
		}
	}
	made, err := db.ReadObjects(ctx, b.forward.target.Ledger())
	if err != nil {
		return err
	}
	for _, o := range made.Made {
		if o.Kind == schema.SequenceObject {
			b.m.log.Warn().Stringer("sequence", o.Name).
				Msg("the source's sequence stays where the cutover found it: set it by hand when you have gone back")
		}
	}
	if failed := findingErrors(plan.Failed(findings)); len(failed) > 0 {
		return fmt.Errorf("%w: %w", ErrRefused, errors.Join(failed...))
	}
	at, err := b.m.target.Ledger().Get(ctx, db.FactPosition)
	if err != nil {
		return err
	}
	if err := b.m.source.Retained(ctx, cmp.Or(db.Position(at), b.start)); err != nil {
		return err
	}
	return b.unexplained(ctx)
}

// check asks both servers what is right and wrong for the way back.
func (b *back) check(ctx context.Context, reversed *plan.Plan) ([]db.Finding, error) {
	intent := db.Plan{
		Routes: reversed.Routes, Bookkeeping: b.m.cfg.Move, Fence: db.FenceKind(b.m.cfg.Cutover.Fence),
	}
	findings, err := b.now.CheckReturn(ctx, intent)
	if err != nil {
		return nil, err
	}
	more, err := b.old.CheckReturn(ctx, intent)
	return append(findings, more...), err
}

// announce notes on the target that the source will have bookkeeping, before it has: cleanup finds it there.
func (b *back) announce(ctx context.Context) error {
	ledger := b.forward.target.Ledger()
	if begun, err := ledger.Get(ctx, db.FactReverse); err != nil || begun != "" {
		return err
	}
	return ledger.Put(ctx, db.FactReverse, time.Now().UTC().Format(time.RFC3339Nano))
}
