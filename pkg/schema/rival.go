package schema

import (
	"slices"
	"strings"
)

// Rivals returns the unique indexes of a table that is there, besides the one that is the plan's row key: two rows may
// compete for a value in them.
func Rivals(plan, found *Table) []*Index {
	key := plan.KeyIndex()
	var rivals []*Index
	add := func(index *Index) {
		if index.Unique && (key == nil || !strings.EqualFold(index.Name, key.Name)) {
			rivals = append(rivals, index)
		}
	}
	if found.Primary != nil {
		add(found.Primary)
	}
	for i := range found.Indexes {
		add(&found.Indexes[i])
	}
	return rivals
}

// Blurred returns the columns whose text tells rows apart, in the row key or in a rival, under another collation than
// the source has for them: two rows that differ on the source may be one to that index.
func Blurred(source, plan, found *Table) []string {
	indexes := Rivals(plan, found)
	if key := plan.KeyIndex(); key != nil {
		indexes = append(indexes, key)
	}
	var blurred []string
	for i := range found.Columns {
		column := &found.Columns[i]
		at := -1
		if planned := plan.Column(column.Name); planned >= 0 {
			at = source.Column(plan.Columns[planned].Origin())
		}
		if at < 0 || !column.Type.IsText() || column.Type.Collation == source.Columns[at].Type.Collation {
			continue
		}
		if slices.ContainsFunc(indexes, func(index *Index) bool { return index.mayUse(column.Name) }) {
			blurred = append(blurred, column.Name)
		}
	}
	return blurred
}

// mayUse tells whether an index is over a column. An expression may use any.
func (i *Index) mayUse(column string) bool {
	return slices.ContainsFunc(i.Parts, func(p Part) bool {
		return p.Expr != "" || strings.EqualFold(p.Column, column)
	})
}
