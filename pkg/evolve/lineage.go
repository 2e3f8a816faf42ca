package evolve

import "wherry/pkg/schema"

// sameNames is the lineage of columns by their names, or nil when a column may have got another name.
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

// last is the name that a table has after renames.
func last(net map[schema.Name]schema.Name, name schema.Name) schema.Name {
	if now, renamed := net[name]; renamed {
		return now
	}
	return name
}

// unobserved are the names that a look has not been at.
func unobserved(names []schema.Name, seen shapes) (out []schema.Name) {
	for _, n := range names {
		if _, looked := seen[n]; !looked {
			out = append(out, n)
		}
	}
	return out
}

// there are the tables that are not nil.
func there(shapes shapes) (tables []*schema.Table) {
	for _, t := range shapes {
		if t != nil {
			tables = append(tables, t)
		}
	}
	return tables
}
