package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// Stranger is a table that is on the target before the move has made any, in the place of one that is planned.
type Stranger struct {
	Source, Plan, Found *schema.Table
}

// Judge is what is needed of a server to judge its tables.
type Judge interface {
	Dialect() schema.Dialect
	// Obstacles is that of db.Target.
	Obstacles(ctx context.Context, tables []schema.Name) (map[schema.Name][]string, error)
}

// Unwelcome tells why strangers cannot take the move's rows, in words, per table; nothing of those that can. Unless
// they are to be accepted, that is for being there. It changes nothing.
func Unwelcome(ctx context.Context, target Judge, strangers []Stranger, accept bool) (map[schema.Name][]string, error) {
	reasons := map[schema.Name][]string{}
	var fit []schema.Name
	for _, s := range strangers {
		name := s.Plan.Name
		switch {
		case !accept:
			reasons[name] = []string{"exists on the target, and this move did not make it"}
		case s.Found.Kind != schema.BaseTable:
			reasons[name] = []string{"is no base table on the target"}
		default:
			reasons[name] = s.unfit(target.Dialect())
			fit = append(fit, name)
		}
	}
	if len(fit) == 0 {
		return reasons, nil
	}
	obstacles, err := target.Obstacles(ctx, fit)
	if err != nil {
		return nil, fmt.Errorf("look into the target's tables: %w", err)
	}
	for name, found := range obstacles {
		reasons[name] = append(reasons[name], found...)
	}
	return reasons, nil
}

// unfit compares a stranger with its plan. Indexes that it lacks, apart from what identifies rows, and foreign keys are
// added after the rows like those of every table; what it has must be as planned.
func (s Stranger) unfit(dialect schema.Dialect) (reasons []string) {
	differences := s.Amiss(dialect)
	for i, difference := range differences {
		if slices.Index(differences, difference) == i {
			reasons = append(reasons, "exists on the target but not as planned: "+difference)
		}
	}
	if rivals := schema.Rivals(s.Plan, s.Found); len(rivals) > 0 {
		for _, column := range schema.Blurred(s.Source, s.Plan, s.Found) {
			reasons = append(reasons, fmt.Sprintf("has the unique index %s already, and column %s has another "+
				"collation than on the source: rows that differ there could displace each other; drop that index, "+
				"it is added after the rows", rivals[0].Name, column))
		}
	}
	return reasons
}

// Amiss returns how a table differs from its plan, in words, but for the indexes and foreign keys that are still to
// be added: one that is there and not planned is a difference.
func (s Stranger) Amiss(dialect schema.Dialect) []string {
	return append(dialect.Differences(s.Plan, s.Found, false, false),
		dialect.Differences(s.present(), s.Found, true, true)...)
}

// present is the plan without the indexes and foreign keys that the stranger lacks.
func (s Stranger) present() *schema.Table {
	plan := *s.Plan
	plan.Indexes = slices.DeleteFunc(slices.Clone(plan.Indexes), func(planned schema.Index) bool {
		return !slices.ContainsFunc(s.Found.Indexes, func(i schema.Index) bool {
			return strings.EqualFold(i.Name, planned.Name)
		})
	})
	plan.ForeignKeys = slices.DeleteFunc(slices.Clone(plan.ForeignKeys), func(planned schema.ForeignKey) bool {
		return !slices.ContainsFunc(s.Found.ForeignKeys, func(f schema.ForeignKey) bool {
			return strings.EqualFold(f.Name, planned.Name)
		})
	})
	return &plan
}
