package mysql

import (
	"fmt"
	"slices"
	"strings"
)

// partitions empties, drops and adds partitions by statements of their own, as the servers' grammar has it, or
// returns the clause that gives the table other ones and puts every row where it belongs then.
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

func (a *alteration) partitionStatement(verb string, names []string) {
	if len(names) > 0 {
		a.first = append(a.first, "ALTER TABLE "+Quoted(a.from.Name)+" "+verb+" PARTITION "+quoteAll(names))
	}
}

// appended returns what has to be added behind the partitions that are kept to have those of the plan; ok is false
// when that does not lead there.
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
