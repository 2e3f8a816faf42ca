package evolve

import (
	"reflect"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// A table that changes while its rows are copied is copied anew, unless the change leaves the rows as they are or takes
// whole partitions of them away: then what is copied is right, and the change is made in its turn. Else a table whose
// partitions are rotated more often than it can be copied would never be there. (Where its new rows are in partitions
// that the target gets only in its turn, it is not: copy such a table when it is small, or make partitions ahead of
// their rows.)

// inPlace tells whether the change can be made to tables that are being copied.
func (c *change) inPlace(copying []schema.Name, effects []schema.Effect) bool {
	for _, name := range copying {
		of := func(e schema.Effect) bool { return e.Name == name || e.To == name }
		at := slices.IndexFunc(effects, of)
		if at < 0 || slices.ContainsFunc(effects[at+1:], of) {
			return false
		}
		if len(c.shape(name).Key()) == 0 {
			return false // what its rows show is not replayed again, also not behind partitions that go
		}
		e, before := &effects[at], c.shape(name)
		if e.Kind != schema.Altered || e.Opaque != "" || e.After == nil || !sameRows(before, e.After) ||
			reuses(before, e) {
			return false
		}
	}
	return true
}

// sameRows tells whether the rows of two tables are alike, and are told apart alike: they have the same columns and the
// same key.
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

// deferred is a table without the indexes and foreign keys that it has not got yet, see plan.Deferred.
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
