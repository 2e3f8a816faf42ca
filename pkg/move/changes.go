package move

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/monitor"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	"wherry/pkg/verify"
)

// mostChanges is how often a comparison or a cutover begins anew because the schema has changed meanwhile. Each round
// leaves out what is compared already, so only a schema that changes without end reaches it.
const mostChanges = 20

// throughChanges compares the tables. A table whose schema changed meanwhile was compared in its old form, so it is
// compared again; the results of all others are kept. An error of the comparison counts only if no schema changed: with
// a changed schema it may be a column that is gone, and the next round decides.
func (m *Move) throughChanges(
	ctx context.Context, selected func(schema.Name) bool, repair bool,
) (report *verify.Report, err error) {
	for range mostChanges {
		had := report
		tables := func(n schema.Name) bool { return (selected == nil || selected(n)) && !had.Has(n) }
		m.progress.Step(monitor.StepVerify) // the count begins at 0 in every round
		now, err := m.verifier(tables, repair, m.watchVerify()).Run(ctx)
		if ctx.Err() != nil {
			return nil, err
		}
		changed, lookErr := m.outrun(ctx, err)
		if lookErr != nil {
			return nil, errors.Join(err, lookErr)
		}
		report = report.Join(now, changed)
		if changed == nil {
			return report, err
		}
		m.log.Info().Msg("the schema of tables has changed meanwhile: they are compared again")
		if err := m.planAgain(ctx); err != nil {
			return nil, err
		}
		report = report.Join(nil, m.touched(changed))
		left := func(r *route.Route) bool {
			return (selected == nil || selected(r.Source.Name())) && !report.Has(r.Source.Name())
		}
		if report != nil && !slices.ContainsFunc(m.plan.Routes, left) {
			return report, nil
		}
	}
	return nil, fmt.Errorf("the schema changes all the time: %d comparisons were begun in vain", mostChanges)
}

// followIn is how long the target is given to follow a schema change that an error hints at.
const followIn = 10 * time.Second

// outrun is changed, after a comparison or a cutover that ended with err. An error of no kind may be a column that was
// dropped since the plan was made. The source drops it first, and the records change when the target follows: so the
// target is waited for, up to where the source is now.
func (m *Move) outrun(ctx context.Context, err error) (func(schema.Name) bool, error) {
	changed, lookErr := m.changed(ctx)
	if err == nil || changed != nil || lookErr != nil || Code(err) != monitor.CodeFailed {
		return changed, lookErr
	}
	head, lookErr := m.source.Head(ctx)
	if lookErr != nil {
		return nil, lookErr
	}
	for began := time.Now(); time.Since(began) < followIn; {
		at, lookErr := m.applied(ctx)
		if lookErr != nil {
			return nil, lookErr
		}
		reached, lookErr := m.source.Reached(at, head)
		if lookErr != nil || reached {
			break
		}
		if lookErr := db.Pause(ctx, 50*time.Millisecond); lookErr != nil {
			return nil, lookErr
		}
	}
	return m.changed(ctx)
}

// changed tells which tables of the move are no longer recorded as they were when the plan was made; nil: none. The
// records are compared both ways: a table may have come or gone. Since tells two definitions of one table apart.
func (m *Move) changed(ctx context.Context) (func(schema.Name) bool, error) {
	records, err := m.target.Ledger().Records(ctx)
	if err != nil {
		return nil, err
	}
	other := map[schema.Name]bool{}
	for _, pair := range [][2][]db.Record{{records, m.records}, {m.records, records}} {
		for _, r := range pair[0] {
			if !slices.ContainsFunc(pair[1], func(x db.Record) bool {
				return x.Source == r.Source && x.Since == r.Since
			}) {
				other[r.Source] = true
			}
		}
	}
	if len(other) == 0 {
		return nil, nil //nolint:nilnil // nil means none
	}
	return func(n schema.Name) bool { return other[n] }, nil
}

// steady tells whether the tables of the move are recorded as they were when the plan was made.
func (m *Move) steady(ctx context.Context) (bool, error) {
	changed, err := m.changed(ctx)
	return changed == nil, err
}

// touched tells which tables changed, or are reached by foreign keys from those. A cascade changes rows of the latter,
// and MariaDB does not log that: a comparison that relies on the log has to read them anew.
func (m *Move) touched(changed func(schema.Name) bool) func(schema.Name) bool {
	cascades, reached := route.NewCascades(m.plan.Routes), map[schema.Name]bool{}
	for _, ref := range cascades.All() {
		if !changed(ref.Parent.Source.Name()) {
			continue
		}
		for r := range cascades.Reach(ref) {
			reached[r.Source.Name()] = true
		}
	}
	return func(n schema.Name) bool { return changed(n) || reached[n] }
}

// since returns the position from which on a table has the form that the plan has of it.
func (m *Move) since() map[schema.Name]db.Position {
	since := map[schema.Name]db.Position{}
	for _, r := range m.records {
		since[r.Source] = r.Since
	}
	return since
}
