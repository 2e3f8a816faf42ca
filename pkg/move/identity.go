package move

import (
	"context"
	"encoding/json"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/state"
)

// identity is what may not change while a move runs. It is a fact on the target (db.FactMove), because the state
// file can be lost, and another one can be used on another machine. Example: somebody narrows a row filter after half
// of the rows are copied; the rows that it now leaves out would stay on the target and never change again.
type identity struct {
	Fingerprint string `json:"fingerprint"` // of the configuration's routes and filters
	Source      string `json:"source"`      // the server's own identity
}

func (m *Move) identity(ctx context.Context) (identity, error) {
	source, err := m.source.Identity(ctx)
	return identity{Fingerprint: m.cfg.Fingerprint(), Source: source.UUID}, err
}

// begun returns which move the target holds; zero if none, which also means that init-schema has not begun.
func (m *Move) begun(ctx context.Context) (begun identity, err error) {
	text, err := m.target.Ledger().Get(ctx, db.FactMove)
	if err != nil || text == "" {
		return begun, err
	}
	if err := json.Unmarshal([]byte(text), &begun); err != nil {
		return begun, fmt.Errorf("read fact %s on the target: %w", db.FactMove, err)
	}
	return begun, nil
}

// recordIdentity keeps on the target which move it is.
func (m *Move) recordIdentity(ctx context.Context) error {
	now, err := m.identity(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(now)
	if err != nil {
		return err
	}
	return m.target.Ledger().Put(ctx, db.FactMove, string(text))
}

// sameMove refuses a target that holds a move of this name with other routes or filters. If another server answers as
// the source, that one is adopted, if it has the same history (see adopt).
func (m *Move) sameMove(ctx context.Context) error {
	begun, err := m.begun(ctx)
	if err != nil || begun == (identity{}) {
		return err
	}
	now, err := m.identity(ctx)
	if err != nil {
		return err
	}
	switch {
	case begun.Fingerprint != now.Fingerprint:
		return m.otherRules()
	case begun.Source != now.Source:
		return m.adopt(ctx, begun, now)
	}
	return nil
}

// otherRules is the error for a configuration whose routes or filters are not those that the move began with.
func (m *Move) otherRules() error {
	return fmt.Errorf("%w: the target holds move %s with other routes or filters than the configuration has: put it "+
		"back as it was, or drop the target's tables and its bookkeeping and begin again; nothing was changed",
		state.ErrOtherMove, m.cfg.Move)
}

// notOver refuses to begin a move again once its target has taken over. The phases are written down as done in the
// state file, which did not know it, so that cutover is the next phase there too.
func (m *Move) notOver(ctx context.Context, phase string) error {
	if phase != state.PhaseInitSchema && phase != state.PhaseInitCopy {
		return nil // all other phases ask for the takeover themselves
	}
	sealed, err := m.target.Ledger().Get(ctx, db.FactCutover)
	if err != nil || sealed == "" {
		return err
	}
	for _, done := range []string{state.PhaseInitSchema, state.PhaseInitCopy} {
		if err := m.file.Phase(done).Finish("the target has it"); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w, and the state file did not know: nothing was changed but the state file; "+
		"run wherry cutover to finish what may be left", db.ErrSealed)
}
