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

// Live is what the state file does not tell, without asking the servers. A phase of this process does not count as
// running.
func (m *Move) Live() (live monitor.Live, err error) {
	live = monitor.Live{
		Now: time.Now(), Path: m.file.Path(), Missing: !m.file.Exists(), MaxLag: m.cfg.Cutover.MaxLag,
		Spool: engines()[m.cfg.Source.Engine].spoolSize(m.cfg.SpoolDir()),
	}
	if path, err := filepath.Abs(live.Path); err == nil {
		live.Path = path // whose folder is the question when there is none
	}
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

// Asking asks both servers how a move stands, for status alone. Their answers are kept while a status is watched,
// and so are the connections.
type Asking struct {
	m       *Move
	read    readEnd     // the end that changes are read from
	written writtenEnd  // the end that they are applied to
	at      time.Time   // of the last answers
	from    monitor.End // the end that is read
	to      monitor.End
	reached *bool
}

// Look puts what the servers say into live. On the way back the ends are exchanged.
func (a *Asking) Look(ctx context.Context, st state.State, live *monitor.Live) {
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

// ask asks both servers at once. Lag is told by comparing what is applied with the end of the log.
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

// askRead returns the end of the log, "" when it is not told.
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
		if errors.Is(err, db.ErrAccess) || errors.Is(err, db.ErrSetup) { // it answers, and tells no head
			return nil
		}
		return err
	}()
	if err != nil {
		a.from.Error = told(ctx, err)
		if a.read != nil {
			_ = a.read.Close()
			a.read = nil
		}
	}
	return head
}

// askWritten returns up to where changes are applied, "" when it is not told.
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
		a.to.Error = told(ctx, err)
		if a.written != nil {
			_ = a.written.Close()
			a.written = nil
		}
	}
	return applied
}

// hasty is an endpoint that is not waited for.
func hasty(e *config.Endpoint) *config.Endpoint {
	limited := *e
	limited.ConnectTimeout = min(e.ConnectTimeout, askFor)
	return &limited
}

// told is an error for people: of a time that is over, that it is.
func told(ctx context.Context, err error) string {
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
