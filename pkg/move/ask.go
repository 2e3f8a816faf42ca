package move

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"wherry/pkg/config"
	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/monitor"
	"wherry/pkg/state"
)

const (
	askFor   = 3 * time.Second // a server, whatever connect_timeout says: somebody waits at a terminal
	askEvery = 2 * time.Second // while the status is watched
)

// Ask begins to ask both servers how a move stands.
func (m *Move) Ask() *Asking { return &Asking{m: m} }

// Live is what the state file does not tell, without asking the servers: who holds the locks, how large the spool is,
// and which limits the configuration sets. A phase of this process does not count as running: the command that prints
// "next: ..." at its end still holds the lock, and would otherwise advise to wait for itself.
func (m *Move) Live() (live monitor.Live, err error) {
	live = monitor.Live{
		Now: time.Now(), Path: m.file.Path(), Missing: !m.file.Exists(), MaxLag: m.cfg.Cutover.MaxLag,
		NoReturn: !m.returns(),
		Spool:    engines()[m.cfg.Source.Engine].spoolSize(m.cfg.SpoolDir()),
	}
	if path, err := filepath.Abs(live.Path); err == nil {
		// The whole path: if the file is missing, the reader asks which folder was searched.
		live.Path = path
	}
	// A cutover that compares everything needs no earlier verification, so none can be too old for it.
	if m.cfg.Cutover.Verify == cutover.VerifyChanged {
		live.MaxVerifyAge = m.cfg.Cutover.MaxVerifyAge
	}
	if live.Running, live.PID, err = m.file.Holder(); err != nil {
		return live, err
	}
	if live.Beside, live.BesidePID, err = m.file.SideHolder(); err != nil {
		return live, err
	}
	if live.PID == os.Getpid() {
		live.Running, live.PID = "", 0
	}
	if live.BesidePID == os.Getpid() {
		live.Beside, live.BesidePID = "", 0
	}
	return live, nil
}

// Asking asks both servers how a move stands, for status alone. The state file holds what was recorded last; only the
// servers know what is true now. Answers and connections are kept between calls: `status --watch` draws every second,
// and one connection per draw and server would fill the servers' logs.
type Asking struct {
	m       *Move
	read    readEnd     // the end that changes are read from; nil before it answered, and after an error
	written writtenEnd  // the end that they are applied to; nil likewise
	at      time.Time   // of the last answers
	from    monitor.End // the end that is read
	to      monitor.End
	reached *bool // whether the target had all that the source had; nil: one of them did not say
}

// Fill puts what the servers say into live. On the way back the ends are exchanged: changes are read from the target
// then, and live names the servers as the configuration does.
func (a *Asking) Fill(ctx context.Context, st state.State, live *monitor.Live) {
	back := st.Turned() && !st.Back()
	if a.at.IsZero() || time.Since(a.at) > askEvery {
		a.ask(ctx, back)
		a.at = time.Now()
	}
	live.Source, live.Target, live.Reached = a.from, a.to, a.reached
	if back {
		live.Source, live.Target = a.to, a.from
	}
	live.Now = time.Now()
}

// ask asks both servers at once, so that two that do not answer cost one timeout. Comparing the applied position with
// the end of the log shows whether the target has caught up, also when no start-replica runs that would say so.
func (a *Asking) ask(ctx context.Context, back bool) {
	ctx, cancel := context.WithTimeoutCause(ctx, askFor, fmt.Errorf("no answer within %s", askFor))
	defer cancel()
	source, target := &a.m.cfg.Source.Endpoint, &a.m.cfg.Target
	if back {
		source, target = target, source
	}
	var applied, head db.Position
	var group sync.WaitGroup
	group.Go(func() { applied = a.askWritten(ctx, target) })
	group.Go(func() { head = a.askRead(ctx, source) })
	group.Wait()
	a.reached = nil
	if a.read == nil || applied == "" || head == "" {
		return
	}
	if reached, err := a.read.Reached(applied, head); err == nil {
		a.reached = &reached
	}
}

// askRead returns the end of the log; "" if it could not be read. After an error the connection is dropped, and the
// next call opens another: a server that comes back is seen without a restart of `status --watch`.
func (a *Asking) askRead(ctx context.Context, e *config.Endpoint) (head db.Position) {
	a.from = monitor.End{Asked: true}
	err := func() (err error) {
		if a.read == nil {
			if a.read, err = a.m.openRead(ctx, hasty(e), opening{}); err != nil {
				a.read = nil
				return err
			}
		}
		head, err = a.read.Head(ctx)
		// An account without the privilege, or a server without a log: it answers, and that is the question here.
		if errors.Is(err, db.ErrAccess) || errors.Is(err, db.ErrSetup) {
			return nil
		}
		return err
	}()
	if err != nil {
		a.from.Error = reason(ctx, err)
		if a.read != nil {
			_ = a.read.Close()
			a.read = nil
		}
	}
	return head
}

// askWritten returns the position up to which changes are applied; "" if it could not be read, or nothing was copied
// yet. It also notes whether the target holds the move's bookkeeping, and whether it has taken over.
func (a *Asking) askWritten(ctx context.Context, e *config.Endpoint) (applied db.Position) {
	a.to = monitor.End{Asked: true}
	err := func() (err error) {
		if a.written == nil {
			if a.written, err = a.m.openWritten(ctx, hasty(e)); err != nil {
				a.written = nil
				return err
			}
		}
		ledger := a.written.Ledger()
		facts := map[string]string{db.FactMove: "", db.FactPosition: "", db.FactCutover: ""}
		for name := range facts {
			if facts[name], err = ledger.Get(ctx, name); err != nil {
				return err
			}
		}
		a.to.Holds, a.to.Over = facts[db.FactMove] != "", facts[db.FactCutover] != ""
		applied = db.Position(facts[db.FactPosition])
		return nil
	}()
	if err != nil {
		a.to.Error = reason(ctx, err)
		if a.written != nil {
			_ = a.written.Close()
			a.written = nil
		}
	}
	return applied
}

// hasty is the endpoint with a connect timeout that somebody at a terminal will wait for.
func hasty(e *config.Endpoint) *config.Endpoint {
	limited := *e
	limited.ConnectTimeout = min(e.ConnectTimeout, askFor)
	return &limited
}

// reason is an error for people. After the time limit it is the limit's text, not the driver's "i/o timeout".
func reason(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err.Error()
}

// Close closes the connections.
func (a *Asking) Close() {
	if a.read != nil {
		_ = a.read.Close() // nothing was written
	}
	if a.written != nil {
		_ = a.written.Close()
	}
}
