package cmd

import (
	"context"
	"encoding/json"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/state"
)

// identity is what a move may not change while it runs, kept on the target as FactMove: the state file may be lost, or another
// one be used on another machine, and what is copied already was copied like this.
type identity struct {
	Fingerprint string `json:"fingerprint"` // of the configuration's routes and filters
	Source      string `json:"source"`      // the server's own identity
}

func (s *session) identity(ctx context.Context) (identity, error) {
	source, err := s.source.Identity(ctx)
	return identity{Fingerprint: s.cfg.Fingerprint(), Source: source.UUID}, err
}

// recordIdentity keeps on the target which move it is.
func (s *session) recordIdentity(ctx context.Context) error {
	now, err := s.identity(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(now)
	if err != nil {
		return err
	}
	return s.target.Ledger().Put(ctx, db.FactMove, string(text))
}

// sameMove refuses a target that holds rows of a move with this name that was configured otherwise.
func (s *session) sameMove(ctx context.Context) error {
	begun, err := s.begun(ctx)
	if err != nil || begun == (identity{}) {
		return err
	}
	now, err := s.identity(ctx)
	if err != nil {
		return err
	}
	const next = "put it back as it was, or drop the target's tables and its bookkeeping and begin again; nothing was changed"
	switch {
	case begun.Fingerprint != now.Fingerprint:
		return fmt.Errorf("%w: the target holds move %s with other routes or filters than the configuration has: %s", state.ErrOtherMove, s.cfg.Move, next)
	case begun.Source != now.Source:
		return s.adopt(ctx, begun, now)
	}
	return nil
}

// notOver refuses to begin a move again whose target has taken over, and teaches a state file that does not know.
func (s *session) notOver(ctx context.Context, phase string) error {
	if phase != state.PhaseInitSchema && phase != state.PhaseInitCopy {
		return nil // which look themselves
	}
	sealed, err := s.target.Ledger().Get(ctx, db.FactCutover)
	if err != nil || sealed == "" {
		return err
	}
	for _, done := range []string{state.PhaseInitSchema, state.PhaseInitCopy} {
		if err := s.file.Phase(done).Finish("the target has it"); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w, and the state file did not know: nothing was changed but the state file; run wherry cutover to finish what may be left", db.ErrSealed)
}
