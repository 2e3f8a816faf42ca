package dbtest

import (
	"context"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Orphans counts rows that reference a row which is not there, up to limit. A row with a NULL references nothing.
func (r reader) Orphans(ctx context.Context, rel, parent *route.Relation, key schema.ForeignKey, limit int) (n int64,
	err error,
) {
	if err := r.s.enter(ctx, "orphans"); err != nil {
		return 0, fmt.Errorf("look for rows of %s that reference nothing: %w", rel.Name(), err)
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	children, err := selectRange(r.s.tables, rel, db.Range{})
	if err != nil {
		return 0, err
	}
	parents, err := selectRange(r.s.tables, parent, db.Range{})
	if err != nil {
		return 0, err
	}
	there := map[string]bool{}
	for _, row := range parents {
		there[encode(row.Pick(placesOf(parent, key.ParentColumns)))] = true
	}
	for _, row := range children {
		values, null := row.Pick(placesOf(rel, key.Columns)), false
		for _, v := range values {
			null = null || v == nil
		}
		if !null && !there[encode(values)] && n < int64(limit) {
			n++
		}
	}
	return n, nil
}

// placesOf returns where columns are in a relation's rows, in the order of the foreign key's columns.
func placesOf(rel *route.Relation, columns []string) []int {
	out := make([]int, len(columns))
	for i, name := range columns {
		for p := range rel.Columns {
			if rel.Column(p).Name == name {
				out[i] = p
			}
		}
	}
	return out
}
