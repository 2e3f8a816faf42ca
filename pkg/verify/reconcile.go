package verify

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/rs/zerolog"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/route"
)

// Reconcile makes tables of the target equal to the source as of one position, at which it leaves the target, and
// returns that position. It is for tables that foreign keys changed while they were copied, which the log may not show,
// and for those that further selects.
//
// A snapshot of the source shows them and all tables that reference one another. replay brings the target to exactly
// the snapshot's position. From then on neither changes, so whatever is unequal is different, and is repaired. The
// snapshot is a transaction that stays open on the source until everything is compared. Errors other than
// db.ErrUnsupported may be tried again.
func Reconcile(ctx context.Context, source db.Source, target Target, cascades *route.Cascades, routes []*route.Route,
	further func(*route.Route) bool,
	replay func(context.Context, db.Position) error, log zerolog.Logger,
) (_ db.Position, err error) {
	var compared []*route.Route
	var rels []*route.Relation
	for _, r := range routes {
		if cascades.Reached(r) || further(r) {
			compared = append(compared, r)
		}
		// The snapshot has to include the parents: a change of a parent row is what changes these rows.
		if cascades.Involved(r) || further(r) {
			rels = append(rels, &r.Source)
		}
	}
	snapshot, err := source.Snapshot(ctx, rels...)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	pos := snapshot.Position()
	if err := replay(ctx, pos); err != nil {
		return "", fmt.Errorf("replay changes up to %s: %w", pos, err)
	}
	frozen := &frozen{Source: source, snapshot: snapshot}
	v := New(frozen, target, compared, Options{Repair: true, Workers: 1, RetryFor: 1, Log: log})
	report, err := v.Run(ctx)
	switch {
	case errors.Is(err, ErrNothingCompared):
	case err != nil:
		return "", fmt.Errorf("compare rows that the log does not tell all of, as of %s: %w", pos, err)
	case report.Differences()+report.InFlux() > 0:
		return "", fmt.Errorf("compare rows that the log does not tell all of, as of %s: still different: %s: %w", pos,
			count.Of(report.Differences()+report.InFlux(), "row"), db.ErrRetry)
	}
	log.Info().Stringer("position", pos).Int64("rows", report.Rows()).Int64("repaired",
		report.Repaired()).Msg("rows that the log does not show are reconciled")
	return pos, nil
}

// frozen is a source as a snapshot shows it. A snapshot is one connection, so the mutex lets in one read at a time.
type frozen struct {
	db.Source
	mu       sync.Mutex
	snapshot db.Snapshot
}

func (f *frozen) Bound(ctx context.Context, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snapshot.Bound(ctx, rel, after, n)
}

func (f *frozen) Sum(ctx context.Context, rel *route.Relation, r db.Range) (db.Sum, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snapshot.Sum(ctx, rel, r)
}

func (f *frozen) Rows(ctx context.Context, rel *route.Relation, r db.Range) (db.Rows, error) {
	return f.hold(func() (db.Rows, error) { return f.snapshot.Rows(ctx, rel, r) })
}

func (f *frozen) Fetch(ctx context.Context, rel *route.Relation, keys []db.Row) (db.Rows, error) {
	return f.hold(func() (db.Rows, error) { return f.snapshot.Fetch(ctx, rel, keys) })
}

// hold keeps the snapshot until its rows are closed.
func (f *frozen) hold(open func() (db.Rows, error)) (db.Rows, error) {
	f.mu.Lock()
	rows, err := open()
	if err != nil {
		f.mu.Unlock()
		return nil, err
	}
	return &heldRows{Rows: rows, release: sync.OnceFunc(f.mu.Unlock)}, nil
}

type heldRows struct {
	db.Rows
	release func()
}

func (r *heldRows) Close() error {
	defer r.release()
	return r.Rows.Close()
}

// SafePosition returns the snapshot's position, and so does Head: nothing is after it.
func (f *frozen) SafePosition(context.Context) (db.Position, error) {
	return f.snapshot.Position(), nil
}

// Head returns the snapshot's position.
func (f *frozen) Head(context.Context) (db.Position, error) { return f.snapshot.Position(), nil }

// Snapshot returns the snapshot for a table without a key.
func (f *frozen) Snapshot(context.Context, ...*route.Relation) (db.Snapshot, error) {
	return frozenView{f}, nil
}

// frozenView is the same snapshot, handed out where a comparison asks for one of its own.
type frozenView struct{ *frozen }

// Position returns the snapshot's position.
func (v frozenView) Position() db.Position { return v.snapshot.Position() }

// Close leaves the snapshot open: it is not ours.
func (v frozenView) Close() error { return nil }
