package dbtest

import (
	"context"
	"errors"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// applier writes batches. Its connection holds the move's lock. Changes wait in the view and become visible at the
// commit, in the same instant as the position.
type applier struct {
	t          *target
	generation int
	pos        db.Position
	view       *view // nil: no transaction is open
	amended    []amendment
}

// amendment is one call of Amend, which waits for the commit.
type amendment struct {
	put  []db.Record
	gone []schema.Name
}

// Execute runs a schema statement while the lock is held. It commits by itself, so no transaction may be open: its
// changes would be committed without their position.
func (a *applier) Execute(ctx context.Context, statement string, _ db.Moment) error {
	if err := a.t.s.enter(ctx, "applier.execute"); err != nil {
		return fmt.Errorf("execute %.200s: %w", statement, err)
	}
	a.t.s.mu.Lock()
	err := a.locked()
	a.t.s.mu.Unlock()
	switch {
	case err != nil:
		return err
	case a.view != nil || a.amended != nil:
		return errors.New("execute a schema statement: a transaction is open")
	}
	return a.t.Execute(ctx, statement)
}

// Amend changes the records with the open transaction: they become visible together with the position.
func (a *applier) Amend(ctx context.Context, put []db.Record, gone []schema.Name) error {
	if err := a.t.s.enter(ctx, "amend"); err != nil {
		return fmt.Errorf("record the move's tables: %w", err)
	}
	a.amended = append(a.amended, amendment{put, gone})
	return nil
}

// NewApplier takes the lock and reads the position. Workers make no difference here: a commit is one instant anyway.
// The order of the checks is that of the real engines: the lock first, so that "sealed" is not said about another
// wherry's move.
func (t *target) NewApplier(ctx context.Context, _ db.ApplyOptions) (db.Applier, error) {
	if err := t.s.enter(ctx, "applier"); err != nil {
		return nil, fmt.Errorf("lock move %s on the target: %w", t.move, err)
	}
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	b := t.s.ledgers[t.move]
	switch {
	case b == nil:
		return nil, fmt.Errorf("read position of move %s: no bookkeeping", t.move)
	case t.s.appliers[t.move] != nil:
		return nil, fmt.Errorf("lock move %s on the target: %w", t.move, db.ErrLocked)
	case b.sealed():
		return nil, fmt.Errorf("read position of move %s: %w", t.move, db.ErrSealed)
	}
	a := &applier{t: t, generation: t.s.generation, pos: db.Position(b.facts[db.FactPosition])}
	t.s.appliers[t.move] = a
	return a, nil
}

// Position returns the durable position.
func (a *applier) Position() db.Position { return a.pos }

// Apply writes a batch within the open transaction.
func (a *applier) Apply(ctx context.Context, b *db.Batch) (applied db.Applied, err error) {
	if err := a.t.s.enter(ctx, "apply"); err != nil {
		return applied, fmt.Errorf("apply batch: %w", err)
	}
	a.t.s.mu.Lock()
	defer a.t.s.mu.Unlock()
	if err := a.locked(); err != nil {
		return applied, err
	}
	if a.view == nil {
		a.view = newView(a.t.s)
	}
	return a.view.apply(b)
}

// locked tells whether the applier still has the lock: Disconnect and Close take it away. s.mu is held.
func (a *applier) locked() error {
	if err := a.t.s.alive(a.generation); err != nil {
		return err
	}
	if a.t.s.appliers[a.t.move] != a {
		return errors.New("apply batch: the applier is closed")
	}
	return nil
}

// Commit makes the applied changes and the position durable.
func (a *applier) Commit(ctx context.Context, pos db.Position) error {
	if err := a.t.s.enter(ctx, "commit.before"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	// Without changes only the position moves, also in a transaction: it must be refused once the move is sealed.
	v := a.view
	if v == nil {
		v = newView(a.t.s)
	}
	err := v.commit(ctx, false, func() error {
		if err := a.locked(); err != nil {
			return err
		}
		b := a.t.s.ledgers[a.t.move]
		switch {
		case b == nil:
			return errors.New("no bookkeeping")
		case b.sealed():
			return db.ErrSealed
		case b.facts[db.FactPosition] == "":
			return errors.New("no position on the target")
		}
		for _, m := range a.amended {
			if err := b.amend(m.put, m.gone, false); err != nil {
				return err
			}
			delete(b.facts, db.FactChange)
		}
		b.facts[db.FactPosition] = string(pos)
		return nil
	})
	a.amended = nil
	a.view = nil // also after a refusal: the server has rolled back
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	a.pos = pos
	if err := a.t.s.step("commit.after"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Rollback drops what was applied since the last commit.
func (a *applier) Rollback(ctx context.Context) error {
	if err := a.t.s.enter(ctx, "rollback"); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	a.view, a.amended = nil, nil
	a.t.s.mu.Lock()
	defer a.t.s.mu.Unlock()
	return a.locked()
}

// Close gives up the lock. It may be called twice, and after a Disconnect.
func (a *applier) Close() error {
	a.view = nil
	a.t.s.mu.Lock()
	defer a.t.s.mu.Unlock()
	if a.t.s.appliers[a.t.move] == a {
		delete(a.t.s.appliers, a.t.move)
	}
	return nil
}
