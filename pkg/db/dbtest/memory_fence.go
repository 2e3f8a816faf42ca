package dbtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

var errReadOnly = errors.New("the server is read only")

// fence stops writes. read_only lasts until it is lifted, whatever dies; locks on tables last as long as the
// connection. Phases must cope with both: after a kill the first is found standing, the second is gone.
type fence struct {
	s          *Server
	kind       db.FenceKind
	tables     []schema.Name
	saved      string
	generation int
	raised     bool // or perhaps raised by the run before
}

// NewFence prepares a fence. With saved state a run before may have raised it, so Lift must put the server back even
// if Raise is not called in this run.
func (s *source) NewFence(ctx context.Context, kind db.FenceKind, tables []schema.Name, saved string) (db.Fence,
	error,
) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if kind != db.FenceReadOnly && kind != db.FenceLockTables {
		return nil, fmt.Errorf("prepare fence: no fence %s here", kind)
	}
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	f := &fence{s: s.s, kind: kind, tables: tables, saved: saved, generation: s.s.generation, raised: saved != ""}
	if saved == "" {
		f.saved = string(kind)
		if kind == db.FenceReadOnly {
			f.saved = fmt.Sprintf("read_only=%t", s.s.readOnly)
		}
	} else if !strings.HasPrefix(saved, string(kind)) {
		return nil, fmt.Errorf("prepare fence %s: invalid saved state %q", kind, saved)
	}
	return f, nil
}

// Saved describes what Lift will put back.
func (f *fence) Saved() string { return f.saved }

// Raise stops writes. Transactions that are open need not be waited for: they check the fence when they commit, so
// none of them can get through afterwards.
func (f *fence) Raise(ctx context.Context) error {
	return f.do(ctx, "fence.raise", func() error {
		f.raised = true
		if f.kind == db.FenceReadOnly {
			f.s.readOnly = true
			return nil
		}
		f.generation = f.s.generation
		for _, name := range f.tables {
			if other := f.s.locked[name]; other != nil && other != f {
				return fmt.Errorf("lock %s: another fence has it: %w", name, db.ErrRetry)
			}
			f.s.locked[name] = f
		}
		return nil
	})
}

// Holds proves that writes are stopped. It checks the server and not what this fence has done: somebody may have
// undone it.
func (f *fence) Holds(ctx context.Context) error {
	if err := f.s.enter(ctx, "fence.holds"); err != nil {
		return err
	}
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	holds := !f.s.leaky
	if f.kind == db.FenceReadOnly {
		holds = holds && f.s.readOnly
	} else {
		for _, name := range f.tables {
			holds = holds && f.s.locked[name] == f
		}
	}
	if !holds {
		return fmt.Errorf("hold fence %s: writes get through on %s", f.kind, f.s.name)
	}
	return nil
}

// Lift puts back what Raise changed.
func (f *fence) Lift(ctx context.Context) error {
	return f.do(ctx, "fence.lift", func() error {
		if f.raised && f.kind == db.FenceReadOnly {
			f.s.readOnly = f.saved == "read_only=true"
		}
		f.raised = false
		f.unlock()
		return nil
	})
}

// Release gives up the locks. A read_only fence stays up, which is what it is for: applications must not write to the
// old source after the takeover.
func (f *fence) Release() error {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.unlock()
	f.s.wake()
	return nil
}

// unlock frees only locks that are this fence's: after a Disconnect another one may have taken them.
func (f *fence) unlock() {
	for _, name := range f.tables {
		if f.s.locked[name] == f {
			delete(f.s.locked, name)
		}
	}
}

// do changes the fence within one step, and wakes those who wait for it. The step's ".after" comes last: then the
// fence is already up, and only the caller does not know it.
func (f *fence) do(ctx context.Context, step string, change func() error) error {
	if err := f.s.enter(ctx, step); err != nil {
		return err
	}
	f.s.mu.Lock()
	err := change()
	f.s.wake()
	f.s.mu.Unlock()
	if err != nil {
		return err
	}
	return f.s.step(step + ".after")
}

// unfenced waits until no fence keeps a transaction that changes the tables from committing. A read-only server refuses
// at once, a locked table is waited for, as with real servers. s.mu is held, but not while it waits; afterwards
// everything must be looked at once more.
func (s *Server) unfenced(ctx context.Context, tables map[schema.Name]*overlay) error {
	timeout := time.NewTimer(lockWait)
	defer timeout.Stop()
	for {
		if s.leaky {
			return nil
		}
		if s.readOnly {
			return errReadOnly
		}
		var blocked schema.Name
		for name := range tables {
			if s.locked[name] != nil {
				blocked = name
			}
		}
		if blocked.IsZero() {
			return nil
		}
		changed := s.changed
		s.mu.Unlock()
		var err error
		select {
		case <-changed:
		case <-timeout.C:
			err = fmt.Errorf("wait for the lock on %s: %w", blocked, db.ErrRetry)
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		s.mu.Lock()
		if err != nil {
			return err
		}
	}
}
