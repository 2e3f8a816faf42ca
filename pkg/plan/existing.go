package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// Existing is a table that the target already has under the name of a planned one. Source is the table that moves, Plan
// what the move would make of it, Found what the target has.
type Existing struct {
	Source, Plan, Found *schema.Table
}

// Judge is what Unfit needs of the target.
type Judge interface {
	Dialect() schema.Dialect
	// Obstacles is that of db.Target.
	Obstacles(ctx context.Context, tables []schema.Name) (map[schema.Name][]string, error)
}

// Unfit returns why existing tables cannot hold the move's rows: reasons in words, by the table's name; a table that
// can has none. Without accept the reason is that the table exists. It changes nothing.
//
// For example, a table that a migration tool made: accepted if it is empty, has no triggers and is as planned, even if
// it lacks indexes; refused if a column is VARCHAR(20) where VARCHAR(40) is planned.
func Unfit(ctx context.Context, target Judge, existing []Existing, accept bool) (map[schema.Name][]string, error) {
	reasons := map[schema.Name][]string{}
	var fit []schema.Name
	for _, s := range existing {
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
		return nil, fmt.Errorf("read the target's tables: %w", err)
	}
	for name, found := range obstacles {
		reasons[name] = append(reasons[name], found...)
	}
	return reasons, nil
}

// unfit compares an existing table with its plan. What it has must be as planned. Indexes and foreign keys that it
// lacks are no reason, apart from the row key: they are added after the rows, as for every table.
func (s Existing) unfit(dialect schema.Dialect) (reasons []string) {
	differences := s.Differences(dialect)
	for i, difference := range differences {
		if slices.Index(differences, difference) == i {
			reasons = append(reasons, "exists on the target but not as planned: "+difference)
		}
	}
	if competing := schema.CompetingIndexes(s.Plan, s.Found); len(competing) > 0 {
		for _, column := range schema.RecollatedColumns(s.Source, s.Plan, s.Found) {
			reasons = append(reasons, fmt.Sprintf("has the unique index %s already, and column %s has another "+
				"collation than on the source: rows that differ there could displace each other; drop that index, "+
				"it is added after the rows", competing[0].Name, column))
		}
	}
	return reasons
}

// Differences returns how a table differs from its plan, in words. An index or foreign key that it lacks is none, since
// it is added later; one that it has and that is not planned is a difference.
//
// Two comparisons find that: the plan without indexes, which includes what must be there from the start, and the plan
// with just those indexes that the table has.
func (s Existing) Differences(dialect schema.Dialect) []string {
	return append(dialect.Differences(s.Plan, s.Found, false, false),
		dialect.Differences(s.present(), s.Found, true, true)...)
}

// present returns the plan without the indexes and foreign keys that the table lacks.
func (s Existing) present() *schema.Table {
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
