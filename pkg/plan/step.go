package plan

import (
	"wherry/pkg/schema"
)

// Step is one table to create: what Dialect.Map made of its source.
type Step struct {
	Source *schema.Table
	Target *schema.Table
	Losses []schema.Loss
	// Late are foreign keys that the target gets once it has taken over, see schema.Dialect.LateForeignKeys. Target has
	// none of them.
	Late []schema.ForeignKey
}

// Whole returns the table as it will be once the target has taken over.
func (s *Step) Whole() *schema.Table {
	if len(s.Late) == 0 {
		return s.Target
	}
	whole := *s.Target
	whole.ForeignKeys = s.Late
	return &whole
}

// withoutUnique returns the table without its unique indexes, apart from the row key and the index that an
// AUTO_INCREMENT column needs. While chunks are read at different moments, two rows may hold one unique value: x moved
// from row 1 to row 2 in between. A unique index would refuse the second.
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

// small is the size up to which a table gets its plain indexes when it is created: in 1 MiB an insert into an index
// costs little, and a later ALTER TABLE costs its fixed time.
const small = 1 << 20

// Deferred returns whether a table's indexes come after its rows, if that is wanted at all. For a large table building
// an index once is far cheaper than inserting every row into it.
func Deferred(source *schema.Table, wanted bool) bool { return wanted && source.Bytes > small }

// First returns the statements that make a table before its rows are copied, and the table as it is then. Unique
// indexes always come later, see withoutUnique; with deferred the plain ones do too.
func First(d schema.Dialect, plan *schema.Table, deferred bool) (*schema.Table, []string) {
	if !deferred {
		plan = withoutUnique(plan)
	}
	return plan, d.CreateTable(plan, deferred)
}
