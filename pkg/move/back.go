package move

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/evolve"
	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// The way back is the same move with its ends exchanged: the target, which has taken over, is its source, and the
// old source its target, with bookkeeping of its own. It begins where the target's log ended when it took over
// (db.FactReturn). Nothing is copied: at that position both ends were equal, as the cutover proved, so following from
// there is enough.

// errBackGone is a way back that is cut off.
var errBackGone = errors.New("the way back is cut off, the target's log no longer reaches back to where it goes on")

const overBack = "the way back is over: the source has taken over again; to move once more, run wherry cleanup " +
	"and begin anew with an empty target"

// back is the direction from the target, which has taken over, to the old source.
type back struct {
	m       *Move
	forward *way        // the way that the move came, with its connections
	start   db.Position // in the target's log, at its takeover
	record  takeover
	now     readEnd    // the target, as it is read from
	old     writtenEnd // the source, as it is written to

	atTakeover []db.Record // the tables as of the takeover, Source being the target's name
	reversed   *route.Reversed
	fixed      map[string]fixedTable // by the target's tables
	returns    *plan.Return
}

// takeover is what the target has recorded of the cutover, as far as it matters for the way back.
type takeover struct {
	Fence db.FenceKind `json:"fence"`
	Saved string       `json:"saved"`
}

// turn exchanges the ends: from here on m.source is the server that has taken over, and m.target the old source.
// The connections of the way forward are kept, and closed with the rest: the target's ledger still tells how it took
// over, and the source's fence is lifted through its own connection.
func (m *Move) turn(ctx context.Context) error {
	if !m.returns() {
		return errNoReturn
	}
	if err := m.admissible(); err != nil {
		return err
	}
	if err := m.sameMove(ctx); err != nil {
		return err
	}
	b := &back{m: m, forward: m.way}
	if err := b.readTakeover(ctx); err != nil {
		return err
	}
	if err := b.readReturn(ctx); err != nil {
		return err
	}
	if err := b.connect(ctx); err != nil {
		return err
	}
	m.opened = append(m.opened, m.source, m.target)
	source, target := m.ends()
	m.way = &way{
		direction: b, source: db.FromSnapshots(b.now, b.old.Ledger()), target: b.old,
		name: "reverse", reverse: true, from: target, to: source, gone: errBackGone,
		over:     "the way back is over, the source has taken over again",
		tookOver: "the source has taken over again and takes writes, and the target is closed",
	}
	return b.replan(ctx)
}

// readTakeover reads from the target's bookkeeping how it took over, and from which position of its log on the way
// back reads. state.ErrOutOfOrder: it has not taken over. ErrRefused: its log did not exist or could not be read then,
// and changes from that time would be missing.
func (b *back) readTakeover(ctx context.Context) error {
	ledger := b.forward.target.Ledger()
	sealed, err := ledger.Get(ctx, db.FactCutover)
	if err != nil {
		return err
	}
	if sealed == "" {
		return fmt.Errorf("go back: %w: the target has not taken over, as its bookkeeping says: "+
			"run `wherry cutover` first", state.ErrOutOfOrder)
	}
	if err := json.Unmarshal([]byte(sealed), &b.record); err != nil {
		return fmt.Errorf("read fact %s: %w", db.FactCutover, err)
	}
	start, err := ledger.Get(ctx, db.FactReturn)
	if err != nil {
		return err
	}
	if start == "" {
		return fmt.Errorf("%w: there is no way back: when the target took over it kept no binary log that this "+
			"account may read, so nobody knows what was written since", ErrRefused)
	}
	b.start = db.Position(start)
	return nil
}

// connect opens the target to read from, and the source to write to. check calls it too, before the move, to find out
// whether there will be a way back; nothing is reversed yet then, and no table is followed.
func (b *back) connect(ctx context.Context) (err error) {
	var o opening
	if b.reversed != nil {
		o.follows = b.follows()
	}
	if b.now, err = b.m.openRead(ctx, &b.m.cfg.Target, o); err != nil {
		return fmt.Errorf("target: %w", err)
	}
	b.m.opened = append(b.m.opened, b.now)
	b.old, err = b.m.openOldSource(ctx)
	return err
}

// evolver follows schema changes on the way back, but not of tables that stay as they are.
func (b *back) evolver(opts evolve.Options) *evolve.Evolver {
	fixed := b.fixed
	opts.Plan, opts.Advice = b.returns.Of, b.advice
	opts.Fixed = func(name schema.Name) string {
		if f, ok := fixed[name.String()]; ok {
			return "its definition cannot be carried back: " + f.Why
		}
		return ""
	}
	return evolve.New(b.m.source, b.m.target, b.reversed, opts)
}

// checked does nothing: begin has checked what the way back needs.
func (b *back) checked(context.Context, string) error { return nil }

// list does nothing: the state file lists the tables of the way forward.
func (b *back) list(context.Context) {}

// leave does nothing: there is no way back from the way back.
func (b *back) leave(context.Context) error { return nil }

// crossing moves no objects: the source has its own. It is opened for writes instead.
func (b *back) crossing(opts *cutover.Options) { opts.Open = b.open }

// open lets applications write to the source again, once it has taken over: what the cutover's fence had changed
// is put back. The values from before the fence come from the takeover's record on the target. A fresh fence could not
// know them: it would find read_only = ON and take that for the owner's setting.
func (b *back) open(ctx context.Context) error {
	record := b.record
	if record.Fence == "" { // of a cutover that recorded less
		st, err := b.m.file.Read()
		if err != nil {
			return err
		}
		record = takeover{Fence: db.FenceKind(st.Cutover.FenceKind), Saved: st.Cutover.SourceReadOnly["saved"]}
	}
	switch record.Fence {
	case db.FenceHook:
		return b.m.runHook(ctx, cutover.HookUnfence, map[string]string{
			"direction": "forward", "source": b.m.cfg.Source.Address(), "target": b.m.cfg.Target.Address(),
			"fence": string(record.Fence),
		})
	case db.FenceReadOnly:
		fence, err := b.forward.source.NewFence(ctx, record.Fence, nil, record.Saved)
		if err != nil {
			return err
		}
		return errors.Join(fence.Lift(ctx), fence.Release())
	default: // locks ended with their process, and what nobody closed is open
		return nil
	}
}
