package schema

import (
	"slices"
	"strings"
)

// CompetingIndexes returns the unique indexes of an existing table besides the plan's row key: two rows with different
// keys may compete for one value in them. While rows are copied at different moments that happens without any fault:
// row 1 had the email x when it was read, and row 2 has it when it is read later.
func CompetingIndexes(plan, found *Table) []*Index {
	key := plan.KeyIndex()
	var competing []*Index
	add := func(index *Index) {
		if index.Unique && (key == nil || !strings.EqualFold(index.Name, key.Name)) {
			competing = append(competing, index)
		}
	}
	if found.Primary != nil {
		add(found.Primary)
	}
	for i := range found.Indexes {
		add(&found.Indexes[i])
	}
	return competing
}

// RecollatedColumns returns the text columns of the row key, or of a competing index, whose collation is not the
// source's. Two rows that differ on the source, 'a' and 'A', may then be one row to that index, and the second would
// displace the first.
func RecollatedColumns(source, plan, found *Table) []string {
	indexes := CompetingIndexes(plan, found)
	if key := plan.KeyIndex(); key != nil {
		indexes = append(indexes, key)
	}
	var recollated []string
	for i := range found.Columns {
		column := &found.Columns[i]
		at := -1 // the source's column, which may have another name
		if planned := plan.Column(column.Name); planned >= 0 {
			at = source.Column(plan.Columns[planned].Origin())
		}
		if at < 0 || !column.Type.IsText() || column.Type.Collation == source.Columns[at].Type.Collation {
			continue
		}
		if slices.ContainsFunc(indexes, func(index *Index) bool { return index.mayUse(column.Name) }) {
			recollated = append(recollated, column.Name)
		}
	}
	return recollated
}

// mayUse returns whether an index may depend on a column. An expression is not read: it may use any.
func (i *Index) mayUse(column string) bool {
	return slices.ContainsFunc(i.Parts, func(p Part) bool {
		return p.Expr != "" || strings.EqualFold(p.Column, column)
	})
}
