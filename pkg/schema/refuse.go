package schema

import (
	"context"
	"fmt"
	"maps"
	"strings"
)

// objections lists all that speaks against the plan. unwelcome tells why tables that are there already may not stay.
func (i *Init) objections(unwelcome map[Name][]string) []string {
	var all []string
	object := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	seen := map[Name]Name{}
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
		for _, reason := range unwelcome[to] {
			object("table %s: %s", to, reason)
		}
	}
	return append(all, i.constraintClashes()...)
}

func place(loss Loss) string {
	if loss.Column == "" {
		return "table " + loss.Table.String()
	}
	return "table " + loss.Table.String() + ", column " + loss.Column
}

// unwelcome tells why tables that are there already may not stay, if so.
func (i *Init) unwelcome(ctx context.Context, existing map[Name]*Table) (map[Name][]string, error) {
	var strangers []Stranger
	mine := map[Name][]string{}
	for _, step := range i.steps {
		name := step.Target.Name
		switch found := existing[name]; {
		case found == nil:
		case !i.opts.Mine(name):
			strangers = append(strangers, Stranger{Source: step.Source, Plan: step.Target, Found: found})
		case found.Kind != BaseTable:
			mine[name] = []string{"is no base table on the target"}
		default:
			mine[name] = nil
			for _, difference := range i.target.Dialect().Differences(step.Target, found, false, false) {
				mine[name] = append(mine[name], "exists on the target but not as planned: "+difference)
			}
		}
	}
	reasons, err := Unwelcome(ctx, i.target, strangers, i.opts.Accept)
	if err != nil {
		return nil, err
	}
	maps.Copy(reasons, mine)
	return reasons, nil
}

// constraintClashes finds names of foreign keys, and of checks, that two tables of one target database share. Servers
// keep one name space for each per database, but MariaDB one for the checks of each table. Tables that come from one
// database bring no other clash than those.
func (i *Init) constraintClashes() []string {
	type key struct{ kind, database, name string }
	seen := map[key]Name{}
	var all []string
	note := func(kind string, step Step, name string) {
		k := key{kind, step.Target.Name.Database, strings.ToLower(name)}
		other, ok := seen[k]
		fresh := other.Database != step.Source.Name.Database || kind == "check" && step.Source.Flavor.MariaDB
		if ok && name != "" && other != step.Source.Name && fresh {
			all = append(all, fmt.Sprintf("table %s: %s %s has the name of one of %s, which goes to the same database", step.Source.Name, kind, name, other))
		}
		seen[k] = step.Source.Name
	}
	for _, step := range i.steps {
		for _, foreign := range step.Target.ForeignKeys {
			note("foreign key", step, foreign.Name)
		}
		for _, check := range step.Target.Checks {
			if !step.Target.Flavor.MariaDB {
				note("check", step, check.Name)
			}
		}
	}
	return all
}

// refused returns an error that lists the objections, or nil when there are none.
func refused(objections []string) error {
	if len(objections) == 0 {
		return nil
	}
	return fmt.Errorf("create schema: %w, %d reasons:\n  %s", ErrRefused, len(objections), strings.Join(objections, "\n  "))
}
