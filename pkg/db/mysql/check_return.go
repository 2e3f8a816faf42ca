package mysql

import (
	"context"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// CheckReturn is Check for the way back, whose source is the move's target: its log must hold all that applications do
// there.
func (s *Source) CheckReturn(ctx context.Context, plan db.Plan) ([]db.Finding, error) {
	l := &sourceChecks{checklist{s: s.server, end: "target"}} // as the move calls it
	return l.each(ctx, plan, named{check: l.product}, named{check: l.log}, named{check: l.logFilters},
		named{check: l.serverID}, named{check: l.privileges}, named{check: l.fence})
}

// CheckReturn is Check for the way back, whose target is the move's source: the account must be able to write there,
// also while the fence keeps others from it.
func (t *Target) CheckReturn(ctx context.Context, plan db.Plan) ([]db.Finding, error) {
	l := &targetChecks{checklist: checklist{s: t.server, end: "source"}, t: t}
	return l.each(ctx, plan, named{check: l.product}, named{check: l.returnPrivileges})
}

func (l *targetChecks) returnPrivileges(ctx context.Context, plan db.Plan) error {
	all, err := l.s.readGrants(ctx)
	if err != nil {
		return err
	}
	if plan.Fence == db.FenceReadOnly {
		l.need(all, schema.Name{}, bypass(l.s.flavor)...)
	}
	for _, p := range []string{"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP"} {
		l.need(all, schema.Name{Database: Bookkeeping(plan.Bookkeeping), Table: "*"}, p)
	}
	seen := map[string]bool{}
	for _, r := range plan.Routes {
		database := r.Target.Name().Database
		if seen[database] {
			continue
		}
		seen[database] = true
		for _, p := range []string{"SELECT", "INSERT", "UPDATE", "DELETE", "ALTER", "CREATE", "TRIGGER", "EVENT"} {
			l.need(all, schema.Name{Database: database, Table: "*"}, p)
		}
	}
	return nil
}

// ReadOnly tells whether the server takes no writes from applications.
func (t *Target) ReadOnly(ctx context.Context) (bool, error) {
	value, err := t.variable(ctx, "read_only")
	return err == nil && value != "0" && !strings.EqualFold(value, "OFF"), err
}
