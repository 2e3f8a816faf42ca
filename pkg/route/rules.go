package route

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// Rename leads tables that match From to To. Both are db.table; the first dot separates. From may hold the wildcards *
// (any run of characters) and ? (one character). A * in To stands for what the * of the same half of From matched, or
// for that half as a whole when From has none there.
type Rename struct{ From, To string }

// Where is a row filter for the tables that match Table.
type Where struct{ Table, Where string }

// Rules say which tables move, where to and which rows of them. The zero value moves every table to its own name. Case
// counts in names: on Linux servers shop.T and shop.t are two tables. Of several rules for one table the most specific
// counts: a full name, then a full database, then the one with the most characters that are no wildcards, then the
// first.
type Rules struct {
	include, exclude []glob
	renames          []rename
	filters          []filter
}

type rename struct {
	from glob
	to   schema.Name
}

type filter struct {
	table glob
	where string
}

// NewRules compiles rules. No include means every table. Rules are sorted once, the most specific first, so that the
// first match counts later; the sort is stable, and keeps the user's order among equals.
func NewRules(include, exclude []string, routes []Rename, filters []Where) (*Rules, error) {
	r := &Rules{}
	for _, list := range []struct {
		of    string
		texts []string
		into  *[]glob
	}{{"include", include, &r.include}, {"exclude", exclude, &r.exclude}} {
		for _, text := range list.texts {
			g, err := parseGlob(text)
			if err != nil {
				return nil, fmt.Errorf("read %s %q: %w", list.of, text, err)
			}
			*list.into = append(*list.into, g)
		}
	}
	for _, route := range routes {
		compiled, err := parseRename(route)
		if err != nil {
			return nil, fmt.Errorf("read route from %q to %q: %w", route.From, route.To, err)
		}
		r.renames = append(r.renames, compiled)
	}
	for _, f := range filters {
		g, err := parseGlob(f.Table)
		if err == nil && strings.TrimSpace(f.Where) == "" {
			err = fmt.Errorf("no condition")
		}
		if err != nil {
			return nil, fmt.Errorf("read filter of %q: %w", f.Table, err)
		}
		r.filters = append(r.filters, filter{g, f.Where})
	}
	slices.SortStableFunc(r.renames, func(a, b rename) int { return b.from.weight() - a.from.weight() })
	slices.SortStableFunc(r.filters, func(a, b filter) int { return b.table.weight() - a.table.weight() })
	return r, nil
}

// parseRename compiles one route. A * in the target's name must stand for one thing only: from a_*_* to b_* could mean
// either, so it is an error.
func parseRename(route Rename) (rename, error) {
	from, err := parseGlob(route.From)
	if err != nil {
		return rename{}, err
	}
	to, ok := schema.ParseName(route.To)
	if !ok {
		return rename{}, fmt.Errorf("invalid name %q, not db.table", route.To)
	}
	for _, half := range [][2]string{{from.database, to.Database}, {from.table, to.Table}} {
		switch {
		case strings.Contains(half[1], "?"), strings.Count(half[1], "*") > 1:
			return rename{}, fmt.Errorf("invalid wildcards in %q, only one * may stand", half[1])
		case strings.Contains(half[1], "*") && strings.Count(half[0], "*") > 1:
			return rename{}, fmt.Errorf("invalid wildcards in %q, the * of %q could mean either", half[0], half[1])
		}
	}
	return rename{from, to}, nil
}

// Includes returns whether the table moves: some include matches and no exclude does.
func (r *Rules) Includes(name schema.Name) bool {
	matches := func(g glob) bool { return g.match(name) }
	return (len(r.include) == 0 || slices.ContainsFunc(r.include, matches)) && !slices.ContainsFunc(r.exclude, matches)
}

// Target returns where the table goes. Without a route it keeps its name. A shadow goes beside its table: if shop.t
// goes to newshop.orders, shop._t_gho goes to newshop._orders_gho.
func (r *Rules) Target(name schema.Name) schema.Name {
	if of, around, ok := r.shadows(name); ok {
		to := r.Target(of)
		to.Table = around[0] + to.Table + around[1]
		return to
	}
	for _, rename := range r.renames {
		if rename.from.match(name) {
			return schema.Name{
				Database: substitute(rename.from.database, rename.to.Database, name.Database),
				Table:    substitute(rename.from.table, rename.to.Table, name.Table),
			}
		}
	}
	return name
}

// Home returns the database that routines and events of a source database go to. Routes are for tables, so it is where
// they lead a table that only rules for the whole database match.
func (r *Rules) Home(database string) string {
	return r.Target(schema.Name{Database: database}).Database
}

// Where returns the row filter of a source table, or "" for all rows. A shadow has its table's: in the end it takes
// that table's place.
func (r *Rules) Where(name schema.Name) string {
	if of, _, ok := r.shadows(name); ok {
		name = of
	}
	for _, filter := range r.filters {
		if filter.table.match(name) {
			return filter.where
		}
	}
	return ""
}

// Collisions returns an error that names every target that two or more of the source tables go to.
func (r *Rules) Collisions(names []schema.Name) error { return collisions(r.Target, names) }

// collisions names all targets that several tables go to, in a fixed order.
func collisions(target func(schema.Name) schema.Name, names []schema.Name) error {
	sources := map[schema.Name][]string{}
	for _, name := range names {
		to := target(name)
		sources[to] = append(sources[to], name.String())
	}
	var found []string
	for to, from := range sources {
		if len(from) > 1 {
			slices.Sort(from)
			found = append(found, fmt.Sprintf("%s all go to %s", strings.Join(from, ", "), to))
		}
	}
	if found == nil {
		return nil
	}
	slices.Sort(found)
	return fmt.Errorf("invalid routes: %s", strings.Join(found, "; "))
}
