package evolve

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// The move writes only to tables that it made, or found and was allowed to use. The ledger lists them (db.Owned).
// Before a schema change gives a table a new name, the target is asked whether something has that name: `CREATE TABLE
// t` on the source must not make the move write into somebody else's t.

// nameTakenError means that a table of the move is to get a name that another table has on the target.
type nameTakenError struct {
	reasons []string
	accept  bool // schema.existing allows existing tables, so the advice must not suggest that
}

func (e *nameTakenError) Error() string { return strings.Join(e.reasons, "; ") }

// Unwrap makes it a db.ErrUnsupported: nothing was done.
func (e *nameTakenError) Unwrap() error { return db.ErrUnsupported }

// advice returns how to go on, for the user.
func (e *nameTakenError) advice() string {
	fit := ", or allow it to be taken with schema.existing: accept, if it is empty and as planned"
	if e.accept {
		fit = ", or make it empty and as planned"
	}
	return "give it another name there, or exclude the source's table (tables.exclude)" + fit +
		"; then run the same command again"
}

// admit refuses a change that gives a table a name that another one has on the target. An existing table that may be
// used, because schema.existing allows it and it is empty and as planned, is recorded as the move's.
//
// A name that the change itself frees is allowed: in a swap of t and u the table that has the name is the move's own.
func (c *change) admit(ctx context.Context) error {
	var made []plan.Existing
	taking, freed := map[schema.Name]bool{}, map[schema.Name]bool{}
	for _, g := range c.goals {
		switch g.Kind {
		case created:
			s := plan.Existing{Source: c.records[g.Source].Shape, Plan: wanted(c.next, g.Source)}
			made = append(made, s)
		case dropped:
			freed[g.Table] = true
		default:
		}
	}
	for _, g := range c.goals {
		for _, pair := range g.Pairs {
			if !freed[pair[1]] {
				taking[pair[1]] = true
			}
			freed[pair[0]] = true
		}
	}
	for _, s := range made {
		if !freed[s.Plan.Name] {
			taking[s.Plan.Name] = true
		}
	}
	if len(taking) == 0 {
		return nil
	}
	there, err := c.target.Tables(ctx, func(n schema.Name) bool { return taking[n] })
	if err != nil || len(there) == 0 {
		return err
	}
	owned, err := db.ReadOwned(ctx, c.target.Ledger())
	if err != nil {
		return err
	}
	return admit(ctx, c.target, c.target.Ledger(), owned, there, made, c.opts.Accept)
}

// admit judges the tables there, which have names that are to be given to others. made are the planned tables among
// those. A table that fits its plan is recorded as found; for a rename there is no plan, and nothing fits. A table that
// the move owned before is refused as well: it left the move, see leave, and its rows are not the new table's.
func admit(
	ctx context.Context, target plan.Judge, ledger db.Ledger, owned db.Owned, there []*schema.Table,
	made []plan.Existing, accept bool,
) error {
	taken := &nameTakenError{accept: accept}
	refuse := func(format string, args ...any) {
		taken.reasons = append(taken.reasons, fmt.Sprintf("table "+format, args...))
	}
	var fit []plan.Existing
	for _, t := range there {
		at := slices.IndexFunc(made, func(s plan.Existing) bool { return s.Plan.Name == t.Name })
		switch _, ours := owned[t.Name]; {
		case ours:
			refuse("%s is on the target: it left the move and kept that name", t.Name)
		case at < 0:
			refuse("%s is on the target, and this move did not make it", t.Name)
		default:
			s := made[at]
			s.Found = t
			fit = append(fit, s)
		}
	}
	unfit, err := plan.Unfit(ctx, target, fit, accept)
	if err != nil {
		return err
	}
	put := db.Owned{}
	for _, s := range fit {
		put[s.Plan.Name] = db.Found
		for _, reason := range unfit[s.Plan.Name] {
			refuse("%s %s", s.Plan.Name, reason)
		}
	}
	if len(taken.reasons) > 0 {
		return taken
	}
	return ledger.Own(ctx, put, nil)
}

// owns refuses routes to tables that are not the move's. That cannot happen unless the ledger was changed by hand, or
// is another move's.
func owns(ctx context.Context, ledger db.Ledger, routes []*route.Route) error {
	owned, err := db.ReadOwned(ctx, ledger)
	if err != nil {
		return err
	}
	taken := &nameTakenError{}
	for _, r := range routes {
		if _, ours := owned[r.Target.Name()]; !ours {
			reason := fmt.Sprintf("the target's bookkeeping does not tell that table %s is this move's",
				r.Target.Name())
			taken.reasons = append(taken.reasons, reason)
		}
	}
	if len(taken.reasons) > 0 {
		return fmt.Errorf("%w; nothing was changed: %s", taken, taken.advice())
	}
	return nil
}
