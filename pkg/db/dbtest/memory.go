// Package dbtest holds what tests of both ends of a move share: a conformance suite that every engine passes (Run), an
// engine in memory that phases are tested with (Server), and a wrapper that injects faults.
//
// Its one invariant: the engine in memory passes the same suite as the real ones, so that what a phase may rely on
// there holds everywhere. It knows no SQL and no server. For example, a test that loses the answer of a commit:
//
//	server := dbtest.NewServer("target")
//	server.OnStep(func(step string) error {
//		if step == "commit.after" {
//			return db.ErrConnection // the commit has happened
//		}
//		return nil
//	})
package dbtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

const (
	partChanges = 100             // changes of one Part, small so that tests see several
	lockWait    = 5 * time.Second // how long a writer waits for a table that a fence has locked
)

// Server is a database server in memory: tables, a log of committed transactions, and the bookkeeping of moves. It
// may be source and target at once, and of any number of moves. Everything is safe for concurrent use. One mutex
// guards all: a commit is one instant, so the log has the transactions in the order in which they became visible.
//
// Transactions see the committed rows and their own; of two that change the same row the second to commit gets
// ErrRetry, as after a deadlock. Every commit is logged, also an Applier's: that is what a way back reads. Foreign
// keys are checked when they are added, not afterwards.
//
// What it leaves out on purpose: character sets, types that two servers treat differently, and time. Those are tested
// with real servers.
type Server struct {
	name   string
	family *family
	born   time.Time

	mu         sync.Mutex
	tables     map[schema.Name]*table
	objects    map[string]*schema.Object // by objectKey
	unreadable map[schema.Name]bool      // views, see BreakView
	log        []entry
	first      int           // the position before log[0]
	changed    chan struct{} // closed and replaced whenever something has happened that others wait for
	rowID      int           // the last hidden identifier of a row without key
	ledgers    map[string]*books
	appliers   map[string]*applier
	readOnly   bool
	locked     map[schema.Name]*fence
	leaky      bool
	generation int // of connections: those of an older one are lost, see Disconnect
	onStep     func(step string) error
	findings   []db.Finding
	retention  time.Duration
	follows    func(schema.Name) bool
}

// Source returns the server as the end that rows are read from.
func (s *Server) Source() db.Source { return &source{reader{s}} }

// Target returns the server as the end that rows are written to, in the move of the given name.
func (s *Server) Target(move string) db.Target { return &target{reader: reader{s}, move: move} }

// OnStep has f called, by the goroutine concerned and with no lock held, at every named step. An error that f returns
// becomes the step's: before the effect of a plain step, after it for one that ends in ".after", whose answer is thus
// lost. f may wait, and may use the server. nil ends it. The steps are:
//
//	orphans referencing
//	tables objects bound rows rows.next sum fetch identity check snapshot
//	safe_position head stream stream.next
//	fence.raise fence.raise.after fence.holds fence.lift fence.lift.after
//	scratch scratch.execute try_view
//	obstacles try_trigger execute execute.after load load.rows load.commit load.commit.after
//	ledger.get ledger.put ledger.put.after ledger.chunks ledger.plan ledger.plan.after ledger.seal ledger.seal.after
//	ledger.create ledger.drop ledger.amend ledger.own (with .after) ledger.records ledger.owned applier.execute
//	amend applier apply commit.before commit.after rollback repair repair.after
func (s *Server) OnStep(f func(step string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onStep = f
}

// Disconnect breaks every open applier, stream, result and fence, as a network or a killed process does: open
// transactions are rolled back, locks are free, and further calls on them return ErrConnection. A read_only fence
// stays: it is a setting of the server.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation++
	clear(s.appliers)
	clear(s.locked)
	s.wake()
}

// Truncate removes the log up to a position, as a server purges old files: what has not read it yet gets
// ErrPositionGone.
func (s *Server) Truncate(upto db.Position) error {
	n, err := parsePosition(upto)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > s.head() {
		return fmt.Errorf("truncate log to %s: it ends at mem:%d", upto, s.head())
	}
	if n > s.first {
		s.log, s.first = s.log[n-s.first:], n
		s.wake()
	}
	return nil
}

// Leak makes fences leak, or stop leaking. One that leaks can be raised, stops nobody, and says so when it is asked to
// prove that it holds. It stands for a writer with SUPER, or an operator who turns read_only off.
func (s *Server) Leak(leaky bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaky = leaky
	s.wake()
}

// Find adds a finding to what Check returns on the end that the finding names. So tests of check and of the gates
// need no server that is set up wrongly.
func (s *Server) Find(f db.Finding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.findings = append(s.findings, f)
}

// Follow says which names belong to the move, whether there is such a table or not: the log then has their schema
// changes too, as with tables.include of a configuration.
func (s *Server) Follow(follows func(schema.Name) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follows = follows
}

// Retain sets what Retention returns; the log itself is kept until Truncate.
func (s *Server) Retain(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retention = d
}

// enter begins a call: it ends early when ctx is over or a test wants the step to fail. Nothing has happened then.
func (s *Server) enter(ctx context.Context, step string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.step(step)
}

// step asks the test's function, with no lock held: it may use the server, also to write rows at this very step.
func (s *Server) step(step string) error {
	s.mu.Lock()
	f := s.onStep
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(step)
}

// alive tells whether a connection of the given generation still stands. s.mu is held.
func (s *Server) alive(generation int) error {
	if generation != s.generation {
		return fmt.Errorf("talk to %s: %w", s.name, db.ErrConnection)
	}
	return nil
}

// wake makes everyone who waits check once more what they wait for. s.mu is held.
func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// check returns one finding that all is well, and what tests have added for this end.
func (s *Server) check(ctx context.Context, end string) ([]db.Finding, error) {
	if err := s.enter(ctx, "check"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []db.Finding{{Check: "version", End: end, Level: db.OK, What: "memory 1.0.0"}}
	for _, f := range s.findings {
		if f.End == end {
			found = append(found, f)
		}
	}
	return found, nil
}
