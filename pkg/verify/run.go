package verify

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// run is one comparison on its way.
type run struct {
	*Verify
	tallies []*tally
	repair  bool

	mu       sync.Mutex // guards what follows and the tallies' counts
	report   *Report
	done     int                                  // tables
	seen     map[*route.Route]map[digest]struct{} // keys of rows that were found different
	estimate int64
	mended   db.Position // visible-safe position before the first repair; recheck begins there and clears it
}

// tally is a table's outcome so far. The report's table is filled by it.
type tally struct {
	route   *route.Route
	table   Table
	pending int  // pieces of work that are not compared yet
	whole   bool // no more pieces will come
	failed  error

	// Rows that unequal ranges had on either end, and whether the table is compared by its keys instead, see weigh.
	sourceRows, targetRows int64
	scattered              bool
}

func (v *Verify) begin(pos db.Position) *run {
	r := &run{
		Verify: v, repair: v.opts.Repair, seen: map[*route.Route]map[digest]struct{}{},
		report: &Report{Position: pos, Started: v.opts.Now()},
	}
	for _, rt := range v.routes {
		r.tallies = append(r.tallies, &tally{route: rt, table: Table{
			Source: rt.Source.Name(),
			Target: rt.Target.Name(),
		}})
		r.estimate += rt.Source.Table.Rows
	}
	return r
}

// promise counts a piece of work that is to come, which may be the table's last.
func (r *run) promise(t *tally, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.pending++
	t.whole = last
}

// fail notes that a table cannot be compared, and returns nil: the others can. Errors of a server or an account are
// returned, since no other table could be compared either.
func (r *run) fail(ctx context.Context, t *tally, err error) error {
	err = fmt.Errorf("verify table %s: %w", t.route.Source.Name(), err)
	for _, of := range []error{
		db.ErrConnection, db.ErrAccess, db.ErrSetup, db.ErrSpace, db.ErrRetry,
		db.ErrPositionGone, db.ErrSealed, db.ErrOtherServer, db.ErrLost,
	} {
		if errors.Is(err, of) {
			return err
		}
	}
	if ctx.Err() != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.failed == nil {
		t.failed = err
	}
	return nil
}

func (r *run) hasFailed(t *tally) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return t.failed != nil
}

// failures returns what kept tables from being compared.
func (r *run) failures() error {
	var errs []error
	for _, t := range r.tallies {
		errs = append(errs, t.failed)
	}
	return errors.Join(errs...)
}

// merge adds what was found, of a promised piece of work or of rows looked at besides.
func (r *run) merge(t *tally, f *found, promised bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.table.merge(&f.table, r.opts.MaxListed)
	finished := false
	if promised {
		t.pending--
		if finished = t.whole && t.pending == 0; finished {
			r.done++
		}
	}
	p := Progress{
		Table: t.table.Source, Finished: finished, Tables: len(r.tallies), TablesDone: r.done,
		Estimate: r.estimate,
	}
	for _, t := range r.tallies {
		p.Rows += t.table.Rows
		p.Differing += t.table.Differing + t.table.Missing + t.table.Extra + t.table.Repaired
	}
	r.opts.Observe(p)
}

// finish closes the report.
func (r *run) finish() *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Tables = nil
	for _, t := range r.tallies {
		if t.failed != nil {
			continue
		}
		t.table.sort()
		r.report.Tables = append(r.report.Tables, t.table)
	}
	r.report.Finished = r.opts.Now()
	r.opts.Log.Info().Int64("rows", r.report.Rows()).Int64("differences", r.report.Differences()).
		Int64("repaired", r.report.Repaired()).Int64("in_flux", r.report.InFlux()).
		Stringer("position", r.report.Position).Msg("compared")
	return r.report
}

// any tells whether a table has a row, whatever the route's filter says.
func (r *run) any(ctx context.Context, rel *route.Relation) (some bool, err error) {
	if len(rel.Key) > 0 {
		first, err := r.bound(ctx, r.source, rel, nil, 1)
		return first != nil, err
	}
	all := *rel
	all.Where = ""
	sum, err := r.sum(ctx, r.source, &all, db.Range{})
	return sum.Rows > 0, err
}
