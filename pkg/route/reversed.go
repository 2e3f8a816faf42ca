package route

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// Mapping says which tables move, and where to. Rules are one, and Reversed is one for the way back.
type Mapping interface {
	// Includes returns whether the table moves.
	Includes(name schema.Name) bool
	// Follows returns whether schema changes of the name matter: it moves, or is the shadow of a table that does.
	Follows(name schema.Name) bool
	// Named returns whether the table is meant by its very name, not by a pattern.
	Named(name schema.Name) bool
	// Target returns the name that the table has on the target.
	Target(name schema.Name) schema.Name
	// Where returns the table's row filter, "" for all rows.
	Where(name schema.Name) string
	// Collisions returns an error if two of the tables go to one target.
	Collisions(names []schema.Name) error
}

// Reversed are rules the other way round: from the tables of a target back to those of its source. A table of the move
// goes back where it came from. A new table goes to the one name that the rules lead to its own. If there is no such
// name, or several, it is not followed: under shop_a.* -> shop.* and shop_b.* -> shop.* nobody can say where a new
// shop.t belongs.
type Reversed struct {
	rules *Rules
	known map[schema.Name]schema.Name // tables of the target -> their sources
}

// Reverse turns the rules round. known are the tables of the move, by their names on the target.
func (r *Rules) Reverse(known map[schema.Name]schema.Name) *Reversed { return &Reversed{r, known} }

// Includes returns whether the table goes back.
func (r *Reversed) Includes(name schema.Name) bool {
	_, ok := r.back(name)
	return ok
}

// Follows returns whether schema changes of the name matter: it goes back, or it is the shadow of a table that does.
func (r *Reversed) Follows(name schema.Name) bool {
	_, _, shadows := r.shadows(name)
	return shadows || r.Includes(name)
}

// Named returns whether the table was one of the move before.
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

// Where returns the row filter that the table has on the way forward. plan refuses a way back for such a table.
func (r *Reversed) Where(name schema.Name) string { return r.rules.Where(r.Target(name)) }

// Collisions returns an error that names every table that two or more of the tables go back to.
func (r *Reversed) Collisions(names []schema.Name) error { return collisions(r.Target, names) }

// shadows is as of Rules.
func (r *Reversed) shadows(name schema.Name) (of schema.Name, around [2]string, ok bool) {
	m := shadow.FindStringSubmatch(name.Table)
	if m == nil || r.Includes(name) {
		return of, around, false
	}
	of = schema.Name{Database: name.Database, Table: m[2]}
	return of, [2]string{m[1], m[3]}, r.Includes(of)
}

// back returns the one included name that the rules lead to the given one. Candidates are the name itself, which a
// table keeps that no rule matches, and per rule the name that it would make this one of. The rules then decide about
// each: a more specific rule may lead a candidate elsewhere.
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
			return schema.Name{}, false // the rule leads many names here
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

// inverse undoes substitute for half of a name: it returns the half from which substitute makes name. "" means that
// there are many; ok is false when there is none.
//
//	from       to      name     half
//	log_*      old_*   old_24   log_24
//	orders     new_*   new_x    none: only orders goes there, as new_orders
//	*          all     all      many
//	a?_*       b_*     b_1      many: nobody knows what the ? was
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
	case !strings.ContainsAny(from, "*?"): // the * of to stands for the whole of from
		return from, matched == from
	case strings.Contains(from, "?"):
		return "", true
	default:
		return strings.Replace(from, "*", matched, 1), true
	}
}
