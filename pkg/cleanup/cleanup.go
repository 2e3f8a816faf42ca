// Package cleanup is the phase that removes every trace of a move from its servers, when it is over or given up.
//
// Its one invariant: it removes the move's bookkeeping, its scratch databases and tables that this move itself made,
// nothing else, and no table once the target has taken over. What it still has to know after a crash it removes last:
// the bookkeeping lists the tables, so the tables go first. For example, killed after half of the tables, the next run
// finds the other half in the list.
//
// It does not open a server that a fence has closed, and leaves databases, accounts and settings alone.
package cleanup

import (
	"context"
	"errors"
	"fmt"

	"github.com/rs/zerolog"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// ErrUnderWay is a move that is not over.
var ErrUnderWay = errors.New("the move is under way")

// ErrIncomplete is a copy that is to be kept and lacks rows.
var ErrIncomplete = errors.New("the copy is not complete")

// End is what is needed of a server.
type End interface {
	Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error)
	Dialect() schema.Dialect
	Ledger() db.Ledger
	NewApplier(ctx context.Context, opts db.ApplyOptions) (db.Applier, error)
	// Admit lets this account write where a fence has made the server read-only.
	Admit(ctx context.Context) error
	Execute(ctx context.Context, statement string) error
	// Leftovers returns the scratch databases of a check that was killed.
	Leftovers(ctx context.Context) ([]string, error)
	ExecuteIn(ctx context.Context, in schema.Session, statement string) error
}

// Options configure a Cleanup.
type Options struct {
	Bookkeeping string // the database of the move's bookkeeping, on either server
	Abandon     bool   // also of a move that is under way: with the tables that it made, for beginning again
	// Keep ends a move that is under way without a cutover: its tables stay as they are. It is refused
	// (ErrIncomplete) before the copy is consistent: such tables lack rows, and unique indexes.
	Keep bool
	// Source opens the source to write to. It is called only if a way back was begun, which keeps its bookkeeping
	// there.
	Source func(ctx context.Context) (End, error)
	Log    zerolog.Logger
}

// Bookkeeping is the subject of the steps that remove it.
const Bookkeeping = "bookkeeping"

// Scratch is the subject of the steps that remove what a check that was killed has left.
const Scratch = "scratch database"

// Step is one thing to remove.
type Step struct {
	End       string // "source" or "target"
	Subject   string // a table, Bookkeeping or Scratch
	Statement string
	on        End
	in        schema.Session // what it puts back was made in; zero for all else
}

// Plan is what there is to remove, in its order, and what is known of the move.
type Plan struct {
	Steps []Step
	Over  bool          // the target has taken over
	Back  Stage         // of the way back
	Left  []schema.Name // tables that the move has filled and did not make
	Kept  []schema.Name // tables that stay although the move has not come to its end
	ends  []End
	own   db.Owned // what the bookkeeping of an older version does not list
}

// Stage is how far the way back has come.
type Stage string

// The stages of a way back.
const (
	NotBegun Stage = ""
	Begun    Stage = "begun"
	Finished Stage = "finished"
)

// Cleanup is the phase.
type Cleanup struct {
	target End
	opts   Options
}

// New returns the phase.
func New(target End, opts Options) *Cleanup { return &Cleanup{target: target, opts: opts} }

// Plan finds what there is to remove, and refuses a move that is under way (ErrUnderWay). It changes nothing.
func (c *Cleanup) Plan(ctx context.Context) (*Plan, error) {
	p := &Plan{}
	ledger := c.target.Ledger()
	sealed, err := ledger.Get(ctx, db.FactCutover)
	if err != nil {
		return nil, err
	}
	tables, err := ledger.Get(ctx, db.FactTables)
	if err != nil {
		return nil, err
	}
	p.Over = sealed != ""
	if err := c.wayBack(ctx, p); err != nil {
		return nil, err
	}
	switch {
	case !p.Over && c.opts.Keep && p.Back == NotBegun:
		if err := c.keep(ctx, p); err != nil {
			return nil, err
		}
	case !p.Over && tables != "" && !c.opts.Abandon:
		return nil, fmt.Errorf("%w: the target has not taken over", ErrUnderWay)
	case p.Back == Begun && !c.opts.Abandon:
		return nil, fmt.Errorf("%w: the way back was begun, and the source has not taken over again", ErrUnderWay)
	case !p.Over:
		if err := c.made(ctx, p); err != nil {
			return nil, err
		}
	}
	left, err := c.target.Leftovers(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range left {
		p.Steps = append(p.Steps, Step{
			End: "target", Subject: Scratch,
			Statement: c.target.Dialect().DropDatabase(name), on: c.target,
		})
	}
	there, err := c.kept(ctx, c.target)
	if there {
		p.ends = append(p.ends, c.target)
		p.Steps = append(p.Steps, c.books("target", c.target))
	}
	return p, err
}

// keep lists the tables that stay, and refuses those that lack rows.
func (c *Cleanup) keep(ctx context.Context, p *Plan) error {
	consistent, err := c.target.Ledger().Get(ctx, db.FactConsistent)
	if err != nil {
		return err
	}
	owned, err := db.ReadOwned(ctx, c.target.Ledger())
	if err != nil {
		return err
	}
	tables, err := c.target.Tables(ctx, func(n schema.Name) bool { return owned[n] != "" })
	if err != nil {
		return err
	}
	for _, t := range tables {
		p.Kept = append(p.Kept, t.Name)
	}
	if consistent == "" && len(p.Kept) > 0 {
		return fmt.Errorf("%w: init-copy has not come to its end", ErrIncomplete)
	}
	return nil
}

// wayBack finds what a way back has left on the source. The target knows whether there was one, and is asked first: the
// source of most moves may be switched off by now, and is not needed.
func (c *Cleanup) wayBack(ctx context.Context, p *Plan) error {
	begun, err := c.target.Ledger().Get(ctx, db.FactReverse)
	if err != nil || begun == "" {
		return err
	}
	source, err := c.opts.Source(ctx)
	if err != nil {
		return fmt.Errorf("open the source, where the way back keeps its bookkeeping: %w", err)
	}
	there, err := c.kept(ctx, source)
	if err != nil {
		return err
	}
	sealed, err := source.Ledger().Get(ctx, db.FactCutover)
	if err != nil {
		return err
	}
	p.Back = Begun
	if sealed != "" || !there { // gone already: an earlier run was interrupted
		p.Back = Finished
	}
	if !there {
		return nil
	}
	p.ends = append(p.ends, source)
	if p.Back == Begun {
		if err := c.putBack(ctx, p, source); err != nil {
			return err
		}
	}
	p.Steps = append(p.Steps, c.books("source", source))
	return nil
}

// putBack adds what a way back that is given up had taken away from the source: triggers and events.
func (c *Cleanup) putBack(ctx context.Context, p *Plan, source End) error {
	objects, err := db.ReadObjects(ctx, source.Ledger())
	if err != nil {
		return err
	}
	for _, o := range objects.Late {
		step := Step{End: "source", Subject: string(o.Kind) + " " + o.Name.String(), on: source}
		if o.Kind == schema.TriggerObject { // an interrupted run may have made it already
			step.Statement = drop(source, o.ObjectName)
			p.Steps = append(p.Steps, step)
		}
		step.Statement, step.in = string(o.Statement), o.Session
		p.Steps = append(p.Steps, step)
	}
	return nil
}

// kept tells whether a server has bookkeeping of the move.
func (c *Cleanup) kept(ctx context.Context, end End) (bool, error) {
	found, err := end.Tables(ctx, func(n schema.Name) bool { return n.Database == c.opts.Bookkeeping })
	return len(found) > 0, err
}

func (c *Cleanup) books(name string, end End) Step {
	return Step{End: name, Subject: Bookkeeping, Statement: end.Dialect().DropDatabase(c.opts.Bookkeeping), on: end}
}

func drop(end End, o db.ObjectName) string {
	return end.Dialect().DropObject(&schema.Object{Kind: o.Kind, Name: o.Name})
}

// made adds what the move made: tables, and what a cutover that was undone or rehearsed made besides. Tables that it
// found and took are left.
func (c *Cleanup) made(ctx context.Context, p *Plan) error {
	objects, err := db.ReadObjects(ctx, c.target.Ledger())
	if err != nil {
		return err
	}
	for _, o := range objects.Made {
		p.Steps = append(p.Steps, Step{
			End: "target", Subject: string(o.Kind) + " " + o.Name.String(), Statement: drop(c.target, o), on: c.target,
		})
	}
	listed, err := c.target.Ledger().Owned(ctx)
	if err != nil {
		return err
	}
	owned, err := db.ReadOwned(ctx, c.target.Ledger())
	if err != nil {
		return err
	}
	if listed == nil {
		p.own = owned
	}
	tables, err := c.target.Tables(ctx, func(n schema.Name) bool { return owned[n] != "" })
	if err != nil {
		return err
	}
	for _, t := range tables {
		if owned[t.Name] == db.Found {
			p.Left = append(p.Left, t.Name)
			continue
		}
		p.Steps = append(p.Steps, Step{
			End: "target", Subject: t.Name.String(), Statement: c.target.Dialect().DropTable(t.Name), on: c.target,
		})
	}
	return nil
}

// Run removes what a plan lists. While it does, no other wherry applies changes or copies.
func (c *Cleanup) Run(ctx context.Context, p *Plan) (err error) {
	for _, end := range p.ends {
		if err := end.Admit(ctx); err != nil {
			return err
		}
		lock, err := end.NewApplier(ctx, db.ApplyOptions{})
		if errors.Is(err, db.ErrSealed) {
			continue
		}
		if err != nil {
			return fmt.Errorf("take the move's lock: %w", err)
		}
		defer func() { err = errors.Join(err, lock.Close()) }()
	}
	if len(p.own) > 0 {
		if err := c.target.Ledger().Own(ctx, p.own, nil); err != nil {
			return err
		}
	}
	for _, s := range p.Steps {
		c.opts.Log.Info().Str("end", s.End).Str("statement", s.Statement).Msg("cleanup")
		run := s.on.Execute
		if s.in != (schema.Session{}) {
			run = func(ctx context.Context, statement string) error { return s.on.ExecuteIn(ctx, s.in, statement) }
		}
		if err := run(ctx, s.Statement); err != nil {
			return fmt.Errorf("clean up %s on the %s: %w", s.Subject, s.End, err)
		}
	}
	return nil
}
