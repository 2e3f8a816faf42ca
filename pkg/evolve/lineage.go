package evolve

import "wherry/pkg/schema"

// sameNames returns the lineage of columns if every column kept its name: by the name after, the name before. It is nil
// when both sides have a column that the other lacks: (a, b) and (a, c) may be a rename of b, or a DROP and an ADD,
// which leave different values in c.
func sameNames(before, after *schema.Table) map[string]string {
	former := map[string]string{}
	for i := range after.Columns {
		if at := before.Column(after.Columns[i].Name); at >= 0 {
			former[after.Columns[i].Name] = before.Columns[at].Name
		}
	}
	if len(former) < len(after.Columns) && len(former) < len(before.Columns) {
		return nil
	}
	return former
}

// last returns the name that a table has after the renames of net.
func last(net map[schema.Name]schema.Name, name schema.Name) schema.Name {
	if now, renamed := net[name]; renamed {
		return now
	}
	return name
}

// unobserved returns the names that have not been looked up yet. A name that maps to nil has.
func unobserved(names []schema.Name, seen shapes) (out []schema.Name) {
	for _, n := range names {
		if _, looked := seen[n]; !looked {
			out = append(out, n)
		}
	}
	return out
}

// there returns the tables that exist.
func there(shapes shapes) (tables []*schema.Table) {
	for _, t := range shapes {
		if t != nil {
			tables = append(tables, t)
		}
	}
	return tables
}
