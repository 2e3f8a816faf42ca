package plan

import (
	"wherry/pkg/schema"
)

// Step is one table to create: what Dialect.Map made of its source.
type Step struct {
	Source *schema.Table
	Target *schema.Table
	Losses []schema.Loss
}

// withoutUnique returns the table without its unique indexes, apart from the one that identifies rows and one that the
// automatic column needs.
func withoutUnique(t *schema.Table) *schema.Table {
	reduced, key := *t, t.KeyIndex()
	reduced.Indexes = nil
	for at := range t.Indexes {
		index := &t.Indexes[at]
		first := t.Column(index.Parts[0].Column)
		automatic := first >= 0 && t.Columns[first].AutoIncrement
		if !index.Unique || index == key || automatic {
			reduced.Indexes = append(reduced.Indexes, *index)
		}
	}
	return &reduced
}

// small is the most bytes of a table that gets its indexes when it is created.
const small = 1 << 20

// Deferred tells whether a table's indexes come after its rows: not those of a small table, where another statement
// costs more than it saves.
func Deferred(source *schema.Table, wanted bool) bool { return wanted && source.Bytes > small }

// First returns the statements that make a table before its rows are copied, and the table as it is then.
func First(d schema.Dialect, plan *schema.Table, deferred bool) (*schema.Table, []string) {
	if !deferred {
		plan = withoutUnique(plan)
	}
	return plan, d.CreateTable(plan, deferred)
}
