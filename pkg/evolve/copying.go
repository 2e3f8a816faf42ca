package evolve

import (
	"reflect"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// A table that changes while its rows are copied is copied anew, unless the change leaves rows as they are, or removes
// whole partitions. Then the copied rows stay valid, and the change is made when the log reaches it. Without this
// exception a table whose partitions are rotated daily (`ALTER TABLE t DROP PARTITION p0`, then `ADD PARTITION`) and
// whose copy takes more than a day would never be copied.
//
// One case remains: new rows may be in a partition that the target gets only when the log reaches its ADD PARTITION.
// Such rows do not fit until then, so such a table is not copied either. Make partitions ahead of their rows, or copy
// the table while it is small.

// inPlace returns whether the change can be made to tables while they are copied.
func (c *change) inPlace(copying []schema.Name, effects []schema.Effect) bool {
	for _, name := range copying {
		of := func(e schema.Effect) bool { return e.Name == name || e.To == name }
		at := slices.IndexFunc(effects, of)
		if at < 0 || slices.ContainsFunc(effects[at+1:], of) { // it is renamed too, for instance
			return false
		}
		// A table without a key is read in one snapshot, and changes before the snapshot are not replayed. A TRUNCATE
		// PARTITION that is made in its turn would remove rows that came after it, and nothing would bring them back.
		if len(c.shape(name).Key()) == 0 {
			return false
		}
		e, before := &effects[at], c.shape(name)
		if e.Kind != schema.Altered || e.Opaque != "" || e.After == nil || !sameRows(before, e.After) ||
			reuses(before, e) {
			return false
		}
	}
	return true
}

// sameRows returns whether rows of one table are rows of the other: both have the same columns in the same order, and
// the same key. What only new rows depend on (defaults, comments, visibility) does not count.
func sameRows(a, b *schema.Table) bool {
	if a == nil || !slices.Equal(a.Key(), b.Key()) || a.KeyIndex() != nil && a.KeyIndex().Name != b.KeyIndex().Name {
		return false
	}
	plain := func(c schema.Column) schema.Column {
		c.Default, c.OnUpdate, c.Comment, c.Invisible = nil, "", "", false
		return c
	}
	same := func(x, y schema.Column) bool { return reflect.DeepEqual(plain(x), plain(y)) }
	return slices.EqualFunc(a.Columns, b.Columns, same)
}

// deferred returns what a table must be while its rows are copied: want without the indexes and foreign keys that got
// lacks. They come after the rows, see plan.Deferred, and must not count as differences before.
func deferred(want, got *schema.Table) *schema.Table {
	out := *want
	out.Indexes = slices.DeleteFunc(slices.Clone(want.Indexes), func(x schema.Index) bool {
		return !slices.ContainsFunc(got.Indexes, func(y schema.Index) bool { return strings.EqualFold(x.Name, y.Name) })
	})
	out.ForeignKeys = slices.DeleteFunc(slices.Clone(want.ForeignKeys), func(x schema.ForeignKey) bool {
		same := func(y schema.ForeignKey) bool { return strings.EqualFold(x.Name, y.Name) }
		return !slices.ContainsFunc(got.ForeignKeys, same)
	})
	return &out
}
