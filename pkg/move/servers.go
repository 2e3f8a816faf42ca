package move

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// sameServers refuses a source or target that is not the one that the move began with, and notes the servers in the
// state file. A host name may lead to another server tomorrow; the server's own UUID does not change. A source that was
// proved to have the same history (adopt) is accepted, and what belonged to the former one is forgotten.
func (m *Move) sameServers(ctx context.Context) error {
	source, err := m.source.Identity(ctx)
	if err != nil {
		return err
	}
	target, err := m.target.Identity(ctx)
	if err != nil {
		return err
	}
	for _, end := range []db.Identity{source, target} {
		if end.Clock.Abs() > time.Second {
			m.log.Warn().Str("server", end.Host).Stringer("ahead",
				end.Clock).Msg("the server's clock differs from ours")
		}
	}
	m.clock = source.Clock
	begun, err := m.begun(ctx)
	if err != nil {
		return err
	}
	return m.file.Update(func(st *state.State) error {
		read, written := m.half(st).From, m.half(st).To
		if written.UUID != "" && written.UUID != target.UUID {
			return otherServer(m.to.name, target, written.UUID)
		}
		switch changed := read.UUID != "" && read.UUID != source.UUID; {
		case changed && m.heir && begun.Source == source.UUID: // adopt has recorded it on the target
			m.forget(st)
		case changed && begun == (identity{}) && len(st.Tables) == 0:
			// A run that was killed before it began anything on the target: nothing of that source was used.
		case changed:
			return otherServer(m.from.name, source, read.UUID)
		}
		*read, *written = serverRecord(source), serverRecord(target)
		return nil
	})
}

func otherServer(end string, now db.Identity, began string) error {
	return fmt.Errorf("the %s at %s is another server (%s) than the move began with (%s): %w",
		end, now.Host, now.UUID, began, state.ErrOtherMove)
}

// serverRecord is a server as the state file has it.
func serverRecord(id db.Identity) state.Server {
	host, port, err := net.SplitHostPort(id.Host)
	if err != nil {
		host, port = id.Host, ""
	}
	return state.Server{UUID: id.UUID, Host: host, Port: port, Version: id.Version, Flavor: id.Flavor}
}

// mine returns which target tables are this move's.
func (m *Move) mine(ctx context.Context) (func(schema.Name) bool, error) {
	owned, err := db.ReadOwned(ctx, m.target.Ledger())
	return func(n schema.Name) bool { _, ours := owned[n]; return ours }, err
}

// ownTables writes the list of the move's tables into bookkeeping of an older version, which kept no list. Without the
// list the engine refuses every schema statement.
func (m *Move) ownTables(ctx context.Context) error {
	ledger := m.target.Ledger()
	listed, err := ledger.Owned(ctx)
	if err != nil || listed != nil {
		return err
	}
	owned, err := db.ReadOwned(ctx, ledger)
	if err != nil || len(owned) == 0 {
		return err
	}
	there, err := m.target.Tables(ctx, func(n schema.Name) bool { return owned[n] != "" })
	if err != nil {
		return err
	}
	put := db.Owned{}
	for _, t := range there {
		put[t.Name] = owned[t.Name]
	}
	return ledger.Own(ctx, put, nil)
}

// applied returns the position up to which the target has everything, durably. After the takeover the position of the
// applier is gone, and the final one counts. An error if there is neither: nothing was copied yet.
func (m *Move) applied(ctx context.Context) (db.Position, error) {
	for _, fact := range []string{db.FactPosition, db.FactFinal} {
		value, err := m.target.Ledger().Get(ctx, fact)
		if err != nil || value != "" {
			return db.Position(value), err
		}
	}
	return "", errors.New("no position on the target: run init-copy first")
}
