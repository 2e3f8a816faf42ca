package mysql

import (
	"fmt"
	"slices"
	"strings"
)

// partitions empties, drops and adds partitions by statements of their own, as the servers' grammar has it. If that
// does not lead to the plan it returns a whole PARTITION BY clause, by which the server puts every row where it
// belongs, at the cost of copying the table.
//
// Rows must go only with partitions that are listed in empties. So a partition that the plan lacks and that is not
// listed is never dropped: its rows go into other partitions.
func (a *alteration) partitions(empties []string) (string, error) {
	have := readPartitioning(a.from.Partition)
	if len(empties) > 0 && a.from.Partition == "" {
		return "", fmt.Errorf("cannot empty partition %s of a table that has none", empties[0])
	}
	stale := mentions(a.from.Partition, true, func(name string) bool {
		_, renamed := a.renamed[name]
		return a.gone[name] || renamed && a.restate
	})
	plan := readPartitioning(a.to.Partition)
	empties = slices.DeleteFunc(slices.Clone(empties), func(name string) bool {
		return have.dropped(name, a.from.Partition, a.to.Partition)
	})
	planned := func(p partitionPart) bool {
		return slices.ContainsFunc(plan.parts, func(other partitionPart) bool { return other.name == p.name })
	}
	var kept []partitionPart
	var drops []string
	for _, part := range have.parts {
		if part.named(empties) && !planned(part) && a.to.Partition != "" {
			drops = append(drops, part.name)
		} else {
			kept = append(kept, part)
		}
	}
	if len(kept) == 0 { // a table has at least one
		drops = nil
	}
	truncates := slices.DeleteFunc(slices.Clone(empties), func(name string) bool {
		return slices.ContainsFunc(drops, func(drop string) bool { return strings.EqualFold(drop, name) })
	})
	a.partitionStatement("TRUNCATE", truncates)
	a.partitionStatement("DROP", drops)
	switch added, ok := a.appended(kept, plan); {
	case stale && a.to.Partition != "":
		return a.to.Partition, nil
	case ok && len(added) > 0:
		a.last = append(a.last, "ALTER TABLE "+Quoted(a.to.Name)+" ADD PARTITION\n ("+strings.Join(added, ",\n ")+")")
		return "", nil
	case ok:
		return "", nil
	case a.to.Partition == "" && a.from.Partition != "":
		return "REMOVE PARTITIONING", nil
	}
	return a.to.Partition, nil
}

// partitionStatement adds a statement about some partitions before the ALTER TABLE, or none.
func (a *alteration) partitionStatement(verb string, names []string) {
	if len(names) > 0 {
		a.first = append(a.first, "ALTER TABLE "+Quoted(a.from.Name)+" "+verb+" PARTITION "+quoteAll(names))
	}
}

// appended returns the partitions to add behind the kept ones so that the table has those of the plan; ok is false when
// adding cannot lead there, as when one is to be inserted between two others.
func (a *alteration) appended(kept []partitionPart, plan partitioning) (added []string, ok bool) {
	base := readPartitioning(a.base.Partition)
	var parts []partitionPart
	for _, part := range base.parts {
		if slices.ContainsFunc(kept, func(k partitionPart) bool { return k.name == part.name }) {
			parts = append(parts, part)
		}
	}
	if base.scheme != plan.scheme || len(parts) > len(plan.parts) {
		return nil, false
	}
	for i, part := range plan.parts {
		switch {
		case i >= len(parts):
			added = append(added, part.text)
		case part.words != parts[i].words:
			return nil, false
		}
	}
	// Of a scheme by hash, partitions that are added get rows of all others: the whole clause says the same.
	return added, len(added) == 0 || strings.Contains(plan.scheme, " range ") || strings.Contains(plan.scheme, " list ")
}
