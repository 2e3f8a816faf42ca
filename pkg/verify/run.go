package verify

import (
	"context"
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
	mended   db.Position // visible-safe position before the first repair that settle has not followed up
}

// tally is a table's outcome so far. The report's table is filled by it.
type tally struct {
	route   *route.Route
	table   Table
	pending int  // pieces of work that are not compared yet
	whole   bool // no more pieces will come
}

func (v *Verify) begin(pos db.Position) *run {
	r := &run{Verify: v, repair: v.opts.Repair, seen: map[*route.Route]map[digest]struct{}{}, report: &Report{Position: pos, Started: v.opts.Now()}}
	for _, rt := range v.routes {
		r.tallies = append(r.tallies, &tally{route: rt, table: Table{Source: rt.Source.Name(), Target: rt.Target.Name()}})
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

// merge adds what was found, of a promised piece of work or of rows looked at besides.
func (r *run) merge(t *tally, f *found, promised bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.table.merge(&f.table, r.opts.MaxListed)
	if promised {
		t.pending--
		if t.whole && t.pending == 0 {
			r.done++
		}
	}
	p := Progress{Table: t.table.Source, Tables: len(r.tallies), TablesDone: r.done, Estimate: r.estimate}
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
