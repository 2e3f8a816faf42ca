// Package move runs a whole move: it opens both servers, plans which table goes where, and runs the phases that copy,
// follow, compare and switch. The command line is one user of it; any Go program can be another:
//
//	m, err := move.Open(cfg, move.Options{})
//	...
//	defer m.Close()
//	for _, phase := range []move.Phase{
//		move.InitSchema{}, move.InitCopy{}, move.Follow{UntilCaughtUp: true}, move.Verify{}, move.Cutover{},
//	} {
//		if _, err := m.Run(ctx, phase); err != nil {
//			return err
//		}
//	}
//
// Its one invariant: what counts is on the target. The state file only mirrors it, so a process that is killed within
// any phase runs that phase again, and so does another process, on another machine.
//
// It is the only place where engines, phases and the state file meet. It prints nothing, and asks nobody: statements of
// a dry run, progress and what a phase has found are handed to the caller.
package move

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"wherry/pkg/config"
	"wherry/pkg/monitor"
	"wherry/pkg/route"
	"wherry/pkg/state"
)

// Options are optional: the zero value runs a move in silence.
type Options struct {
	// Version of the program, kept in the state file.
	Version string
	// Log gets what phases log.
	Log zerolog.Logger
	// Progress shows how far a phase is, and is where hooks write to.
	Progress *monitor.Progress
	// Observe is called about once a second while a phase does its work, and once more at its end; from other
	// goroutines than Run's, but never twice at once.
	Observe func(monitor.Snapshot)
	// Statement is told each statement or step of a dry run, in its order. subject is a table, or the step's number.
	Statement func(subject, statement string)
}

// Move is one move: a configuration, its state file and both servers. It is used by one goroutine.
type Move struct {
	opts     Options
	cfg      *config.Config
	log      zerolog.Logger
	progress *monitor.Progress
	file     *state.File
	lock     *state.Lock
	kept     bool   // the lock and the connections are kept until Close, see Lock
	phase    string // that was begun last, as the state file names it; empty before any
	step     string // last step of a cutover that is not finished

	*way                // the direction that the phase runs in, with its ends; never nil
	opened []io.Closer  // what is to be closed besides the ends
	rules  *route.Rules // which tables move; nil until connect
	noting sync.Mutex   // several appliers may add to one fact, see displaced
}

// Phase is a phase with its options: Check, InitSchema, InitCopy, Follow, Verify, Cutover or Cleanup.
type Phase interface{ spec() spec }

// Name returns a phase's name, as the command line has it.
func Name(p Phase) string { return p.spec().name }

// Open reads the state file, and connects to no server yet. Errors are those of state.Open.
func Open(cfg *config.Config, opts Options) (*Move, error) {
	if opts.Progress == nil {
		opts.Progress = monitor.NewProgress(monitor.Options{})
	}
	file, err := state.Open(cfg.State, state.OpenOptions{
		Move: cfg.Move, Fingerprint: cfg.Fingerprint(), Wherry: opts.Version, Clock: time.Now,
	})
	if err != nil {
		return nil, err
	}
	m := &Move{opts: opts, cfg: cfg, log: opts.Log, progress: opts.Progress, file: file}
	m.way = m.newForward()
	return m, nil
}

// State returns what the state file says now.
func (m *Move) State() (*state.State, error) { return m.file.Read() }

// Lock takes the move's lock for several phases: they run on the same connections, and no other process runs one in
// between. Without it Run takes the lock for its phase alone. state.ErrLocked: another process has it.
func (m *Move) Lock() (err error) {
	m.lock, err = m.file.Lock(state.RunPrefix + state.PhaseCheck)
	m.kept = err == nil
	return err
}

// Run runs a phase to its end. A phase that is done already does nothing, and one that was interrupted goes on.
//
// An error for which IsResult is true is a result: rows differ, or a dry run has found something to do. After a
// canceled context, and after most errors, the same phase may be run again; Code tells the kinds apart.
func (m *Move) Run(ctx context.Context, p Phase) (Result, error) {
	s := p.spec()
	m.phase, m.step = "", ""
	if !s.bare {
		m.phase = s.record()
	}
	err := m.enter(s)
	if err != nil {
		return Result{}, err
	}
	var result Result
	if s.bare {
		result, err = s.run(ctx, m)
	} else {
		result, err = m.frame(ctx, s)
	}
	if s.name == state.PhaseCutover && !s.dry {
		err = m.unfinished(ctx, err, s.reverse)
	}
	if IsResult(err) && result.Facts != nil {
		result.Facts["code"] = monitor.CodeDifferences
	}
	if !m.kept {
		m.release()
	}
	return result, err
}

// enter takes the lock for a phase. If the lock is kept for several phases, it shows others which phase runs now. A
// phase that may run beside start-replica takes a second lock when start-replica holds the first.
func (m *Move) enter(s spec) (err error) {
	switch {
	case m.kept:
		return m.lock.SetPhase(state.RunPrefix + s.name)
	case s.beside:
		m.lock, err = m.file.LockBeside(s.record())
	default:
		m.lock, err = m.file.Lock(s.record())
	}
	return err
}

// Close gives up the lock and every connection. The move can be gone on with by another Run.
func (m *Move) Close() {
	m.kept = false
	m.release()
}

// release closes all that a phase had opened, and then gives up the lock: in the other order the next process could
// find the connections of this one still at work.
func (m *Move) release() {
	err := m.disconnect()
	if m.lock != nil {
		err = errors.Join(err, m.lock.Release())
	}
	m.lock = nil
	if err != nil {
		m.log.Debug().Err(err).Msg("close")
	}
}

// statement tells of a statement that a dry run does not run.
func (m *Move) statement(subject, statement string) {
	if m.opts.Statement != nil {
		m.opts.Statement(subject, statement)
	}
}
