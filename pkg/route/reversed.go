package route

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// Mapping says which tables move, and where to.
type Mapping interface {
	Includes(name schema.Name) bool
	Follows(name schema.Name) bool
	Named(name schema.Name) bool
	Target(name schema.Name) schema.Name
	Where(name schema.Name) string
	Collisions(names []schema.Name) error
}

// Reversed are rules the other way round: from the tables of a target back to those of its source. A table that the
// move did not know goes back to the one name that the rules lead to its own. Where there is none, or several, it is
// not followed.
type Reversed struct {
	rules *Rules
	known map[schema.Name]schema.Name // tables of the target -> their sources
}

// Reverse turns the rules round. known are the tables of the move, by their names on the target.
func (r *Rules) Reverse(known map[schema.Name]schema.Name) *Reversed { return &Reversed{r, known} }

// Includes tells whether the table goes back.
func (r *Reversed) Includes(name schema.Name) bool {
	_, ok := r.back(name)
	return ok
}

// Follows tells whether schema changes of the name matter: it goes back, or it is the shadow of a table that does.
func (r *Reversed) Follows(name schema.Name) bool {
	_, _, shadows := r.shadows(name)
	return shadows || r.Includes(name)
}

// Named tells whether the table was one of the move before.
func (r *Reversed) Named(name schema.Name) bool {
	_, known := r.known[name]
	return known
}

// Target returns where the table goes back to; one that does not keeps its name.
func (r *Reversed) Target(name schema.Name) schema.Name {
	if of, around, ok := r.shadows(name); ok {
		to := r.Target(of)
		to.Table = around[0] + to.Table + around[1]
		return to
	}
	if to, ok := r.back(name); ok {
		return to
	}
	return name
}

// Where returns the row filter that the table has on the way forward.
func (r *Reversed) Where(name schema.Name) string { return r.rules.Where(r.Target(name)) }

// Collisions returns an error that names every table that two or more of the tables go back to.
func (r *Reversed) Collisions(names []schema.Name) error { return collisions(r.Target, names) }

func (r *Reversed) shadows(name schema.Name) (of schema.Name, around [2]string, ok bool) {
	m := shadow.FindStringSubmatch(name.Table)
	if m == nil || r.Includes(name) {
		return of, around, false
	}
	of = schema.Name{Database: name.Database, Table: m[2]}
	return of, [2]string{m[1], m[3]}, r.Includes(of)
}

// back returns the one included name that the rules lead to the given one.
func (r *Reversed) back(name schema.Name) (schema.Name, bool) {
	if to, known := r.known[name]; known {
		return to, true
	}
	candidates := []schema.Name{name}
	for _, rename := range r.rules.renames {
		databases, ok := inverse(rename.from.database, rename.to.Database, name.Database)
		tables, matches := inverse(rename.from.table, rename.to.Table, name.Table)
		if !ok || !matches {
			continue
		}
		if databases == "" || tables == "" {
			return schema.Name{}, false // any of many
		}
		candidates = append(candidates, schema.Name{Database: databases, Table: tables})
	}
	var found []schema.Name
	for _, of := range candidates {
		if r.rules.Includes(of) && r.rules.Target(of) == name && !slices.Contains(found, of) {
			found = append(found, of)
		}
	}
	if len(found) != 1 {
		return schema.Name{}, false
	}
	return found[0], true
}

// inverse returns which half of a name substitute made this one of: "" when it may be one of many. ok is false when it
// made it of none.
func inverse(from, to, name string) (half string, ok bool) {
	before, after, star := strings.Cut(to, "*")
	switch {
	case !star && to != name:
		return "", false
	case !star && strings.ContainsAny(from, "*?"):
		return "", true
	case !star:
		return from, true
	case len(name) < len(before)+len(after) || !strings.HasPrefix(name, before) || !strings.HasSuffix(name, after):
		return "", false
	}
	matched := name[len(before) : len(name)-len(after)]
	switch {
	case !strings.ContainsAny(from, "*?"): // the * of to stands for that half as a whole
		return from, matched == from
	case strings.Contains(from, "?"):
		return "", true
	default:
		return strings.Replace(from, "*", matched, 1), true
	}
}
