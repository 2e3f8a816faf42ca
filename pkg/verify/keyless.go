package verify

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// keyless compares a table without a key as a whole, also while it is written to: both ends must hold the same rows,
// each the same number of times. No row can be addressed, so one that differs cannot be read again. Instead the
// comparison is exact at once: of the source at a position S, and of the target at a position T, which is S or later.
// The log says what happened between the two.
//
// A repair removes the difference from the target: missing rows are added, as often as they are missing, and surplus
// rows are removed. Other changes only add and remove rows too, so a repair may come at any later time, but only once
// (see writer). Then the table is compared again.
func (r *run) keyless(ctx context.Context, rt *route.Route, f *found) error {
	mended := found{limit: f.limit}
	for round := 0; ; round++ {
		mend := r.repair && round < repairRounds
		var now found
		var wrote int64
		unseen, err := r.apart(ctx, func() error {
			now = found{limit: f.limit}
			n, err := r.bags(ctx, rt, &now, mend)
			wrote += n
			return err
		})
		if err != nil {
			return err
		}
		if unseen {
			f.add("(all rows: foreign keys change some all the time, unseen in the log)", InFlux, false)
			return nil
		}
		mended.table.Repaired += wrote
		if now.table.Missing+now.table.Extra > now.table.Computed && mend {
			if len(mended.table.Listed) == 0 {
				mended.table.Listed = now.table.Listed
			}
			continue
		}
		if now.table.Missing+now.table.Extra > now.table.Computed {
			mended.table.Repaired, mended.table.Listed = 0, nil // it did not help
		}
		for i := range mended.table.Listed {
			mended.table.Listed[i].Repaired = true
		}
		f.table.merge(&now.table, f.limit)
		f.table.merge(&mended.table, f.limit)
		return nil
	}
}

// bags compares a table once, and counts, lists and perhaps mends what is not equal. It returns how many rows it has
// written. After a lost connection all of it has to be done again.
func (r *run) bags(ctx context.Context, rt *route.Route, f *found, mend bool) (wrote int64, err error) {
	wrote, err = r.bagsOf(ctx, rt, f, mend, false)
	// The log has no values of generated columns here, so they are left out. The cutover compares them, when nothing is
	// written any more and the log between S and T is empty.
	if errors.Is(err, errLacks) {
		return r.bagsOf(ctx, rt, f, mend, true)
	}
	return wrote, err
}

// bagsOf is bags, with or without the values that are only compared.
func (r *run) bagsOf(ctx context.Context, rt *route.Route, f *found, mend, plain bool) (wrote int64, err error) {
	p, err := r.open(ctx, rt, mend)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if plain {
		p.cut()
	}
	rows, equal, err := p.sums(ctx)
	if err != nil {
		return 0, err
	}
	f.table.Rows += rows.source
	if equal {
		return 0, nil
	}
	computed, err := p.computed(ctx)
	if err != nil {
		return 0, err
	}
	w := &writer{p: p, f: f, mend: mend && !computed, computed: computed}
	if err := p.differences(ctx, rows.source+rows.target, w.add); err != nil {
		return w.wrote, err
	}
	return w.wrote, w.flush(ctx)
}

// cut leaves out, from now on, the values that are compared but never written: stored generated columns.
func (p *bagPair) cut() {
	p.rt = p.rt.Plain()
	p.log.width = len(p.rt.Source.Columns)
}

// computed tells of unequal bags whether they are equal without the values that the target computes by itself.
func (p *bagPair) computed(ctx context.Context) (bool, error) {
	if p.rt.Source.Computed == 0 {
		return false, nil
	}
	plain := *p
	plain.cut()
	_, equal, err := plain.sums(ctx)
	return equal, err
}

// bagPair is a table of both ends at exact positions, with what the log has between them. The rows of the source and
// those that the log adds are the left bag; the rows of the target and those that the log removes are the right one.
// With nothing wrong the two are equal, because removing from one is adding to the other.
type bagPair struct {
	r              *run
	rt             *route.Route
	source, target db.Snapshot
	log            stretch
	ticket         string // number of repairs before the target was read, see writer
}

// open takes both snapshots: first the source's, and the target's once it holds all that the source's shows. So the log
// between them is as short as the target's lag. The ticket is read before the target's snapshot: a repair that comes
// between the two makes the ticket invalid, instead of being made twice.
func (r *run) open(ctx context.Context, rt *route.Route, mend bool) (_ *bagPair, err error) {
	p := &bagPair{r: r, rt: rt}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.source, err = r.source.Snapshot(ctx, r.sources(rt)...); err != nil {
		return nil, err
	}
	from := p.source.Position()
	if err := r.await(ctx, from); err != nil {
		return nil, err
	}
	if mend {
		if p.ticket, err = r.target.Ledger().Get(ctx, db.FactRepairs); err != nil {
			return nil, err
		}
	}
	if p.target, err = r.target.Snapshot(ctx); err != nil {
		return nil, err
	}
	if r.opts.Applied == nil {
		return p, nil // nothing is replicated, and both ends rest
	}
	to := p.target.Position()
	if to.IsZero() {
		return nil, errors.New("read the target's position: it is gone")
	}
	reached, err := r.source.Reached(to, from)
	if err != nil {
		return nil, fmt.Errorf("compare positions: %w", err)
	}
	if !reached { // it was there a moment ago
		return nil, fmt.Errorf("the target is at %s, before %s, where it was already: is its data older than it was?",
			to, from)
	}
	p.log = stretch{v: r.Verify, rt: rt, from: from, to: to}
	return p, nil
}

func (p *bagPair) close() error {
	var errs []error
	for _, s := range []db.Snapshot{p.source, p.target} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// bagRows is how many rows each end holds.
type bagRows struct{ source, target int64 }

// sums compares the checksums of the two bags, which the servers compute for their part.
func (p *bagPair) sums(ctx context.Context) (rows bagRows, equal bool, err error) {
	var left, right, added, removed db.Sum
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		left, err = p.source.Sum(ctx, &p.rt.Source, db.Range{})
		return err
	})
	group.Go(func() (err error) {
		right, err = p.target.Sum(ctx, &p.rt.Target, db.Range{})
		return err
	})
	group.Go(func() (err error) {
		added, removed, err = p.log.sums(ctx)
		return err
	})
	err = group.Wait()
	return bagRows{left.Rows, right.Rows}, left.Plus(added) == right.Plus(removed), err
}

// each visits every row of both bags: sign is 1 for the left and -1 for the right. The target's own rows come first.
// A row is valid during its visit.
func (p *bagPair) each(ctx context.Context, visit func(row db.Row, sign int64) error) error {
	right := func(row db.Row) error { return visit(row, -1) }
	left := func(row db.Row) error { return visit(row, 1) }
	if err := each(func() (db.Rows, error) { return p.target.Rows(ctx, &p.rt.Target, db.Range{}) }, right); err != nil {
		return err
	}
	if err := p.log.rows(ctx, left, right); err != nil {
		return err
	}
	return each(func() (db.Rows, error) { return p.source.Rows(ctx, &p.rt.Source, db.Range{}) }, left)
}
