package schema

import (
	"fmt"
	"strings"
)

// objections lists all that speaks against the plan.
func (i *Init) objections(existing map[Name]*Table) []string {
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
			if loss.Fatal {
				object("%s: %s: %s", place(loss), loss.Name, loss.What)
			}
		}
		if table := existing[to]; table != nil {
			all = append(all, i.unwelcome(step.Target, table)...)
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

// unwelcome tells why a table that is there already may not stay, if so.
func (i *Init) unwelcome(plan, found *Table) []string {
	if !i.opts.Mine(plan.Name) {
		return []string{fmt.Sprintf("table %s: exists on the target, and this move did not make it", plan.Name)}
	}
	if found.Kind != BaseTable {
		return []string{fmt.Sprintf("table %s: is no base table on the target", plan.Name)}
	}
	var all []string
	for _, difference := range i.target.Dialect().Differences(plan, found, false, false) {
		all = append(all, fmt.Sprintf("table %s: exists on the target but not as planned: %s", plan.Name, difference))
	}
	return all
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
