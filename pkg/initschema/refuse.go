package initschema

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"wherry/pkg/count"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
)

// objections lists all that speaks against the plan. unfit has the reasons why existing tables cannot be used.
func (i *Init) objections(unfit map[schema.Name][]string) []string {
	var all []string
	object := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	seen := map[schema.Name]schema.Name{}
	for _, step := range i.steps {
		to := step.Target.Name
		if other, twice := seen[to]; twice {
			object("table %s: invalid target %s, where %s goes already", step.Source.Name, to, other)
		}
		seen[to] = step.Source.Name
		for _, loss := range step.Losses {
			if loss.Refuses() {
				object("%s: %s: %s", place(loss), loss.Name, loss.What)
			}
		}
		for _, reason := range unfit[to] {
			object("table %s: %s", to, reason)
		}
	}
	return all
}

func place(loss schema.Loss) string {
	if loss.Column == "" {
		return "table " + loss.Table.String()
	}
	return "table " + loss.Table.String() + ", column " + loss.Column
}

// unfit returns why existing tables cannot be used, by their names. A table of an earlier run must be as planned, apart
// from indexes that come later; a table of somebody else must be allowed by Options.Accept, and fit (plan.Unfit).
func (i *Init) unfit(ctx context.Context,
	existing map[schema.Name]*schema.Table,
) (map[schema.Name][]string, error) {
	var others []plan.Existing
	mine := map[schema.Name][]string{}
	for _, step := range i.steps {
		name := step.Target.Name
		switch found := existing[name]; {
		case found == nil:
		case !i.opts.Mine(name):
			others = append(others, plan.Existing{Source: step.Source, Plan: step.Target, Found: found})
		case found.Kind != schema.BaseTable:
			mine[name] = []string{"is no base table on the target"}
		default:
			mine[name] = nil
			for _, difference := range i.target.Dialect().Differences(step.Target, found, false, false) {
				mine[name] = append(mine[name], "exists on the target but not as planned: "+difference)
			}
		}
	}
	reasons, err := plan.Unfit(ctx, i.target, others, i.opts.Accept)
	if err != nil {
		return nil, err
	}
	maps.Copy(reasons, mine)
	return reasons, nil
}

// refused returns an error that lists the objections, or nil when there are none.
func refused(objections []string) error {
	if len(objections) == 0 {
		return nil
	}
	return fmt.Errorf("create schema: %w, for %s:\n  %s", ErrRefused, count.Of(len(objections), "reason"),
		strings.Join(objections, "\n  "))
}
