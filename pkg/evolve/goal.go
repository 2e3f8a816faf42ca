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

// goal is one thing to be done on the target. Whether it is done can be seen there, or it may be done twice.
type goal struct {
	Kind   goalKind    `json:"kind"`
	Source schema.Name `json:"source,omitzero"` // created and altered: which table, as it is named in the end
	// others: on the target; of renames a name that is free afterwards
	Table   schema.Name       `json:"table,omitzero"`
	Pairs   [][2]schema.Name  `json:"pairs,omitempty"` // of renames: from and to, in order
	Former  map[string]string `json:"former,omitempty"`
	Empties []string          `json:"empties,omitempty"`
	Copying bool              `json:"copying,omitempty"` // it lacks indexes and foreign keys until its rows are there
	Marked  bool              `json:"marked,omitempty"`  // it gets a comment too, which shows that this is done

	before   *schema.Table // of altered, on the source
	converts []string      // columns whose values were converted
}

// ordered puts drops, renames and truncations first: the shapes that follow are those of the tables' last names.
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
