package move

import (
	"context"
	"fmt"
	"time"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/evolve"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// way is a direction of the move: its two ends, the plan between them, and what differs between going and going back.
// The way back is another value, with the ends exchanged (see back). No phase asks which of both it runs on.
type way struct {
	direction
	source  db.Source
	target  db.Target
	spool   spool         // keeps the read end's log on this machine; nil: nothing does
	clock   time.Duration // the read end's, minus ours
	plan    *plan.Plan
	records []db.Record // what the plan was made of; none before init-schema

	name     string // "forward" or "reverse", as hooks get it
	reverse  bool   // which half of the state file belongs to it
	from, to end    // the end that is read, and the one that is written to
	over     string // what follow says once the written end has taken over
	tookOver string // what a cutover says at its end
	gone     error  // wraps db.ErrPositionGone where that means more than "copy again"; nil: it does not
	heir     bool   // another server with the same history may take the read end's place
}

// end is a server as messages name it.
type end struct {
	name    string // "source" or "target", as the configuration has it
	address string
}

// direction is what differs in work, not in words alone.
type direction interface {
	// begin makes the ends ready for a phase, and refuses one that comes too early or too late.
	begin(ctx context.Context, phase string) error
	// replan plans the tables as they are recorded by now.
	replan(ctx context.Context) error
	// evolver follows schema changes.
	evolver(opts evolve.Options) *evolve.Evolver
	// checked makes the checks again that a phase relies on.
	checked(ctx context.Context, phase string) error
	// list keeps in the state file which tables the move has by now.
	list(ctx context.Context)
	// leave keeps on the target what a way back from there will need.
	leave(ctx context.Context) error
	// crossing adds what a cutover does beside moving rows.
	crossing(opts *cutover.Options)
}

// half is what the state file has of this way.
func (w *way) half(st *state.State) state.Way { return st.Way(w.reverse) }

// ends returns the names and addresses of both ends.
func (m *Move) ends() (source, target end) {
	return end{"source", m.cfg.Source.Address()}, end{"target", m.cfg.Target.Address()}
}

// forward is the direction from the source to the target.
type forward struct{ *Move }

// newForward returns the way forward, without its ends yet.
func (m *Move) newForward() *way {
	source, target := m.ends()
	return &way{
		direction: forward{m}, name: "forward", from: source, to: target, heir: true,
		over: "the move is over, the target has taken over", tookOver: "the target has taken over",
	}
}

// begin refuses to make tables for a move that is over, and completes bookkeeping of an older version.
func (f forward) begin(ctx context.Context, phase string) error {
	if err := f.notOver(ctx, phase); err != nil {
		return err
	}
	return f.ownTables(ctx)
}

func (f forward) replan(ctx context.Context) error { return f.planMove(ctx, false) }

func (f forward) evolver(opts evolve.Options) *evolve.Evolver {
	opts.Plan, opts.Accept = f.planOf, f.accepts()
	return evolve.New(f.source, f.target, f.rules, opts)
}

// crossing moves objects too: triggers, views and the like.
func (f forward) crossing(opts *cutover.Options) {
	opts.Objects, opts.Tables = f.cutoverObjects, f.lateTables
	opts.Conflicts = func(ctx context.Context, plans []schema.ObjectPlan) ([]string, error) {
		return db.ObjectConflicts(ctx, f.target, plans)
	}
}

// cutOff says of a log that no longer reaches back what that means on this way: forward the copy begins again, but the
// way back is lost, since nothing was copied there.
func (m *Move) cutOff(err error) error {
	if m.gone == nil || !is(err, db.ErrPositionGone) {
		return err
	}
	return fmt.Errorf("%w: %w", m.gone, err)
}
