package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/evolve"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// The state file is a mirror for people and for the next command. If it is lost or old, it is written again from the
// ledger, which tells what phases are done and whether a cutover has closed the source.

// recalled is the detail of phases that were found done.
const recalled = "done, according to the target's bookkeeping"

// forgetful tells whether the state file may know less than the target: it has no phases, it does not admit this
// phase, or this is a cutover of which it has no step, while an earlier one may have closed the source. In all other
// cases the target is not asked, and a command without servers stays one.
func forgetful(st *state.State, s spec) bool {
	var admitted error
	if s.reverse {
		admitted = st.RequireReverse(s.name)
	} else if !st.Over() {
		admitted = st.Require(s.name)
	}
	way := st.Way(s.reverse)
	return len(st.Phases) == 0 || errors.Is(admitted, state.ErrOutOfOrder) ||
		s.name == state.PhaseCutover && way.Cutover.Step == "" && !way.Cutover.Done
}

// recall adds to the state what the target knows. If the target cannot be reached and the state refuses the phase
// anyway, the state alone decides and the error is nil.
func (m *Move) recall(ctx context.Context, st *state.State, s spec) (*state.State, error) {
	if m.source == nil {
		if err := m.connect(ctx); err != nil {
			if !s.reverse && errors.Is(st.Require(s.name), state.ErrOutOfOrder) {
				m.log.Warn().Err(err).Msg("the target cannot be asked how far the move is")
				return st, nil
			}
			return nil, err
		}
	}
	begun, err := m.begun(ctx)
	if err != nil || begun == (identity{}) {
		return st, err
	}
	if begun.Fingerprint != m.cfg.Fingerprint() {
		return nil, m.otherRules()
	}
	found, err := m.remembered(ctx)
	if err != nil {
		return nil, fmt.Errorf("read from the target how far the move is: %w", err)
	}
	changed := false
	err = m.file.Update(func(st *state.State) error {
		changed = found.into(st)
		return nil
	})
	if changed {
		m.log.Warn().Str("state", m.file.Path()).Msg("the state file did not know how far the move is: it is " +
			"written again from the target's bookkeeping; what it alone knew, such as the last verification, has to " +
			"be done again")
	}
	if err != nil {
		return nil, err
	}
	return m.file.Read()
}

// memory is what the target's ledger knows of a move: phases that are done, positions, tables, and the cutover.
type memory struct {
	created, copied bool
	sealed          bool
	positions       state.Positions
	tables          []state.Table
	journal         cutover.Record
	turned          string // where the way back begins, if it was begun
}

// remembered reads a memory from the ledger and from the target's tables.
func (m *Move) remembered(ctx context.Context) (mem memory, err error) {
	facts := map[string]string{}
	for _, name := range []string{
		db.FactStart, db.FactConsistent, db.FactPosition, db.FactFinal, db.FactCutover,
		db.FactCascades, db.FactDisplaced, db.FactReverse, db.FactReturn,
	} {
		if facts[name], err = m.target.Ledger().Get(ctx, name); err != nil {
			return mem, err
		}
	}
	mem.sealed = facts[db.FactCutover] != ""
	mem.positions = state.Positions{
		Start: facts[db.FactStart], Consistent: facts[db.FactConsistent],
		Applied: facts[db.FactPosition] + facts[db.FactFinal],
	}
	if facts[db.FactReverse] != "" {
		mem.turned = facts[db.FactReturn]
	}
	if mem.journal, err = readJournal(ctx, m.target.Ledger(), m.cfg.Move); err != nil {
		return mem, err
	}
	reconciled := facts[db.FactConsistent] != "" && facts[db.FactCascades]+facts[db.FactDisplaced] == ""
	return mem, m.rememberTables(ctx, &mem, reconciled)
}

// rememberTables finds out how far the tables are. The phase init-schema is done when all exist, and init-copy when
// each is copied and has its indexes and foreign keys. reconciled: no table waits to be compared, see reconcile.
func (m *Move) rememberTables(ctx context.Context, mem *memory, reconciled bool) error {
	records, err := m.target.Ledger().Records(ctx)
	if err != nil {
		return err
	}
	plan := m.planOf(evolve.Shapes(records))
	named := map[schema.Name]bool{}
	for _, r := range plan.Routes {
		named[r.Target.Name()] = true
	}
	listed, err := m.target.Tables(ctx, func(n schema.Name) bool { return named[n] })
	if err != nil {
		return err
	}
	there := map[schema.Name]*schema.Table{}
	for _, t := range listed {
		there[t.Name] = t
	}
	copying := map[schema.Name]bool{}
	for _, r := range records {
		copying[r.Source] = r.Copy
	}
	mem.created, mem.copied = len(plan.Routes) > 0, reconciled && len(plan.Routes) > 0
	for _, r := range plan.Routes {
		got := there[r.Target.Name()]
		t := state.Table{
			Source: r.Source.Name().String(), Target: r.Target.Name().String(), Status: state.TableCreated,
			Definition: r.Source.Table.Shape(),
		}
		switch {
		case got == nil:
			mem.created, mem.copied, t.Status = false, false, state.TablePlanned
		case !reconciled || copying[r.Source.Name()] ||
			len(m.target.Dialect().Differences(r.Target.Table, got, true, true)) > 0:
			mem.copied = false
		default:
			t.Status = state.TableIndexed
		}
		mem.tables = append(mem.tables, t)
	}
	return nil
}

// into adds to a state what it lacks, and tells whether it changed anything. It never takes anything away: what the
// state file alone knows, such as the last verification, stays.
func (mem *memory) into(st *state.State) (changed bool) {
	done := func(name string) {
		if !st.Done(name) {
			now := time.Now().UTC().Truncate(time.Millisecond)
			found := state.Phase{Name: name, Status: state.StatusDone, Started: now, Finished: now, Detail: recalled}
			if p := st.Phase(name); p != nil {
				*p = found
			} else {
				st.Phases = append(st.Phases, found)
			}
			changed = true
		}
	}
	if mem.created || mem.sealed {
		done(state.PhaseInitSchema)
	}
	if mem.copied || mem.sealed {
		done(state.PhaseInitCopy)
	}
	if len(st.Tables) == 0 {
		st.Tables = mem.tables
	}
	if st.Positions == (state.Positions{}) {
		st.Positions = mem.positions
	}
	if mem.sealed && !st.Over() && (!mem.journal.Sealed || mem.journal.Step == "") {
		// The takeover is recorded, but not how far the cutover came after it. The first step after the seal is
		// assumed: that step and every later one finds out by itself whether it was done.
		mem.journal.Sealed, mem.journal.Step = true, cutover.StepSwitch
	}
	if mem.journal.Step != "" && st.Cutover.Step == "" && !st.Over() {
		st.Cutover = cutoverState(mem.journal)
		changed = true
	}
	if mem.turned != "" && !st.Turned() {
		st.Reverse.Positions.Start = mem.turned
		changed = true
	}
	return changed
}

// recallBack adds the journal of the way back's cutover, which the old source has recorded.
func (m *Move) recallBack(ctx context.Context, st *state.State) error {
	if st.Reverse.Cutover.Step != "" || st.Back() {
		return nil
	}
	record, err := readJournal(ctx, m.target.Ledger(), m.cfg.Move)
	if err != nil {
		return err
	}
	if record.Step == "" {
		return nil
	}
	return m.file.Update(func(st *state.State) error {
		st.Reverse.Cutover = cutoverState(record)
		return nil
	})
}
