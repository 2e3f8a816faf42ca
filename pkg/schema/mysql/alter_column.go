package mysql

import (
	"wherry/pkg/schema"
)

// columns writes what happens to columns. Additions and moves stand in the order of to, so that each may be put behind
// one that is in place already. The names behind AFTER are the new ones on both families: for (a, b) to (c, a2, b) with
// a renamed it is ADD COLUMN c FIRST, RENAME COLUMN a TO a2.
func (a *alteration) columns() {
	for i := range a.from.Columns {
		if !a.keeps(i) {
			a.clause("DROP COLUMN %s", Quote(a.from.Columns[i].Name))
		}
	}
	anchor := -1 // the last column that stays where it is
	for i, at := range a.former {
		if at >= 0 && !a.moved[i] {
			anchor = i
		}
	}
	for i, at := range a.former {
		place := ""
		if a.moved[i] || at < 0 && i < anchor {
			place = " FIRST"
			if i > 0 {
				place = " AFTER " + Quote(a.to.Columns[i-1].Name)
			}
		}
		a.column(&a.to.Columns[i], at, a.changed[i] || a.moved[i], place)
	}
}

// column writes what happens to one column of to, which is at a position of from or new.
func (a *alteration) column(c *schema.Column, at int, redefined bool, place string) {
	// Without a table's collation the column's own is written out: it must not follow the table's default, old or new.
	definition := a.dialect.column(&schema.Table{}, c) + place
	switch {
	case at < 0:
		a.clause("ADD COLUMN %s", definition)
	case a.newName(at) && (redefined || !a.flavor.HasRenameColumn()):
		a.clause("CHANGE COLUMN %s %s", Quote(a.from.Columns[at].Name), definition)
	case a.newName(at):
		a.clause("RENAME COLUMN %s TO %s", Quote(a.from.Columns[at].Name), Quote(c.Name))
	case redefined:
		a.clause("MODIFY COLUMN %s", definition)
	}
}

// moves returns which columns of to have to be moved: as few as possible. The others are a longest increasing
// subsequence of the old positions. Of (a, b, c, d) to (d, a, b, c) only d moves. Each move writes the column's whole
// definition, so needless ones would be needless risks.
func (a *alteration) moves() []bool {
	moved := make([]bool, len(a.former))
	length, before := make([]int, len(a.former)), make([]int, len(a.former))
	end := -1
	for i, at := range a.former {
		if at < 0 {
			continue
		}
		moved[i] = true
		length[i], before[i] = 1, -1
		for j := range i {
			if a.former[j] >= 0 && a.former[j] < at && length[j] >= length[i] {
				length[i], before[i] = length[j]+1, j
			}
		}
		if end < 0 || length[i] > length[end] {
			end = i
		}
	}
	for ; end >= 0; end = before[end] {
		moved[end] = false
	}
	return moved
}
