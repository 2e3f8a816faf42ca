package evolve

import (
	"wherry/pkg/schema"
)

// goalKind is what a goal is about.
type goalKind string

const (
	created   goalKind = "create"
	altered   goalKind = "alter"
	dropped   goalKind = "drop"
	renamed   goalKind = "rename"
	truncated goalKind = "truncate"
)

// goal is one thing to be done on the target. It must be possible to see there whether it is done, or harmless to do it
// twice: after a kill nothing else says how far the run came. Goals are kept in the ledger, so the names of the JSON
// fields must not change.
type goal struct {
	Kind goalKind `json:"kind"`
	// Source is the table of created and altered, by the name that it has on the source in the end. The target's table
	// follows from the plan.
	Source schema.Name `json:"source,omitzero"`
	// Table is the target's table of dropped and truncated. Of renamed it is a name that is free afterwards: while a
	// table has that name, the rename is still to be done.
	Table   schema.Name       `json:"table,omitzero"`
	Pairs   [][2]schema.Name  `json:"pairs,omitempty"`   // of renamed: from and to, in order
	Former  map[string]string `json:"former,omitempty"`  // of altered, see schema.Dialect.Alter
	Empties []string          `json:"empties,omitempty"` // of altered: partitions whose rows go
	Copying bool              `json:"copying,omitempty"` // the table lacks indexes until its rows are there
	Marked  bool              `json:"marked,omitempty"`  // the ALTER also sets the comment mark, see alter

	// What exact needs to judge an alteration. It is not kept: begun goals were judged.
	before   *schema.Table // of altered: the source's table before
	converts []string      // of altered: columns whose values were converted
}

// ordered puts drops, renames and truncations first, then new tables, then alterations. The goals of created and
// altered go by the plan, and so by the last names of the tables. New tables come before alterations because a foreign
// key that an ALTER adds may reference one of them.
func ordered(goals []goal) (out []goal) {
	for _, g := range goals {
		if g.Kind != created && g.Kind != altered {
			out = append(out, g)
		}
	}
	for _, kind := range []goalKind{created, altered} {
		for _, g := range goals {
			if g.Kind == kind {
				out = append(out, g)
			}
		}
	}
	return out
}
