package move

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/state"
)

// journal keeps the cutover's steps in the state file, and those that writes do not wait for in the bookkeeping
// too. If the file is lost while the source is closed, the bookkeeping still tells that it is, and how to open it.
type journal struct {
	file    *state.File
	ledger  db.Ledger
	reverse bool
}

// Load returns the cutover that is under way, or was done; zero when none was begun.
func (j journal) Load(context.Context) (cutover.Record, error) {
	st, err := j.file.Read()
	if err != nil {
		return cutover.Record{}, err
	}
	c := st.Way(j.reverse).Cutover
	return cutover.Record{
		Step: cutover.Step(c.Step), FenceKind: db.FenceKind(c.FenceKind), Saved: c.SourceReadOnly["saved"],
		FencedAt: c.FencedAt,
		Head:     db.Position(c.Head), Blocked: time.Duration(c.Blocked), Sealed: c.Note == "sealed" ||
			c.Done, Done: c.Done,
	}, nil
}

// Save keeps a step, in the state file first: that is a local write of milliseconds, and the target may be what fails.
func (j journal) Save(ctx context.Context, r cutover.Record) error {
	err := j.file.Update(func(st *state.State) error {
		*st.Way(j.reverse).Cutover = cutoverState(r)
		return nil
	})
	// At the seal the fence is recorded already, and the takeover records itself.
	if err != nil || r.Step == cutover.StepSeal || r.Sealed && r.Step == cutover.StepSwitch {
		return err
	}
	// An empty step: the fence is lifted. If the target cannot be told and the file is lost later, the next cutover
	// takes itself for an interrupted one and lifts the fence once more, which does no harm.
	if r.Step == "" {
		ctx, cancel := context.WithTimeout(ctx, clearingTimeout)
		defer cancel()
		_ = j.ledger.Put(ctx, db.FactJournal, "")
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return j.ledger.Put(ctx, db.FactJournal, string(text))
}

// clearingTimeout is how long a cutover that was undone waits for the target. The target may be the reason for the
// undo, and then it does not answer now either.
const clearingTimeout = 5 * time.Second

// cutoverState is a record as the state file has it.
func cutoverState(r cutover.Record) state.Cutover {
	c := state.Cutover{
		Step: string(r.Step), FenceKind: string(r.FenceKind), FencedAt: r.FencedAt, Head: r.Head.String(),
		Blocked: state.Duration(r.Blocked), Done: r.Done,
	}
	if r.Saved != "" {
		c.SourceReadOnly = map[string]string{"saved": r.Saved}
	}
	if r.Sealed {
		c.Note = "sealed"
	}
	return c
}

// readJournal reads what a cutover of a move has recorded in the bookkeeping; zero if none is under way. The
// bookkeeping may contradict itself, as after a repair by hand: a takeover that is noted in the journal alone is
// cutover.ErrOutcomeUnknown, and never counts as done.
func readJournal(ctx context.Context, l db.Ledger, move string) (record cutover.Record, err error) {
	text, err := l.Get(ctx, db.FactJournal)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &record)
	}
	if err != nil {
		return record, fmt.Errorf("read fact %s: %w", db.FactJournal, err)
	}
	// The journal is read first: a takeover is recorded before its journal, so a cutover that goes on meanwhile is
	// no contradiction.
	sealed, err := l.Get(ctx, db.FactCutover)
	if err != nil {
		return record, fmt.Errorf("read fact %s: %w", db.FactCutover, err)
	}
	return record, record.Against(sealed, move)
}
