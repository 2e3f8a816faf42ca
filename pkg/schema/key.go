package schema

import "strings"

// Key returns the positions of the columns that identify a row, in the order of KeyIndex, or nil when there is none.
func (t *Table) Key() []int {
	index := t.KeyIndex()
	if index == nil {
		return nil
	}
	key := make([]int, len(index.Parts))
	for i, part := range index.Parts {
		if key[i] = t.Column(part.Column); key[i] < 0 {
			return nil
		}
	}
	return key
}

// KeyIndex returns the index that identifies rows and orders them, or nil when no index does both: the primary key,
// or in a table without one the first unique index that can. One over columns that clients write comes before one
// over generated columns. A primary key that cannot is not replaced by another index: it is there from the table's
// first row on, while rows that are copied at different moments may collide in every unique index but the row key's.
func (t *Table) KeyIndex() *Index {
	all := t.UniqueIndexes()
	if t.RowKey != "" {
		for _, index := range all {
			if index.Name == t.RowKey {
				return index
			}
		}
		return nil
	}
	if t.Primary != nil {
		if t.identifies(t.Primary) {
			return t.Primary
		}
		return nil
	}
	for _, generated := range []bool{false, true} {
		for _, index := range all {
			if t.identifies(index) && t.generated(index) == generated {
				return index
			}
		}
	}
	return nil
}

// OtherUnique returns whether a unique index besides the row key's exists, so that two rows may compete for a value.
func (t *Table) OtherUnique() bool {
	key := t.KeyIndex()
	for _, index := range t.UniqueIndexes() {
		if index != key {
			return true
		}
	}
	return false
}

// UniqueIndexes returns the primary key, if there is one, and the unique indexes in their order.
func (t *Table) UniqueIndexes() []*Index {
	var all []*Index
	if t.Primary != nil {
		all = append(all, t.Primary)
	}
	for i := range t.Indexes {
		if t.Indexes[i].Unique {
			all = append(all, &t.Indexes[i])
		}
	}
	return all
}

// identifies returns whether a unique index gives each row a place of its own in an order that a range of it can be
// read by: its parts are whole columns that are never NULL, and it is no hash. An index that the optimizer passes over
// is left out too: reading a range by it would sort the table.
func (t *Table) identifies(index *Index) bool {
	if index.Kind != BTree || index.Invisible || index.WithoutOverlaps() {
		return false
	}
	if index.Using == "HASH" && !strings.EqualFold(t.Engine, "MEMORY") && t.Flavor.Family == MariaDB {
		return false // MariaDB's unique index over long values (MDEV-371); elsewhere HASH is read as BTREE
	}
	for _, part := range index.Parts {
		at := t.Column(part.Column)
		if part.Expr != "" || part.Prefix != 0 || at < 0 || t.Columns[at].Nullable ||
			!t.Columns[at].Type.distinguishes() {
			return false
		}
		if c := &t.Columns[at].Type; t.Flavor.Family == MariaDB && c.Kind == Char &&
			strings.Contains(c.Collation, "nopad") {
			// The index compares such values filled with spaces, a WHERE without: they differ about 'x' and 'x\t'
			// (seen on 10.11).
			return false
		}
	}
	return true
}

func (t *Table) generated(index *Index) bool {
	for _, part := range index.Parts {
		if at := t.Column(part.Column); at >= 0 && t.Columns[at].Generated != NotGenerated {
			return true
		}
	}
	return false
}

// WithoutOverlaps is the entry of Index.Extra that stands behind the last part (MariaDB's application-time periods).
const WithoutOverlaps = "WITHOUT OVERLAPS"

// WithoutOverlaps returns whether the index keeps periods of time apart (MariaDB), which no other index does.
func (i *Index) WithoutOverlaps() bool {
	for _, extra := range i.Extra {
		if extra == WithoutOverlaps {
			return true
		}
	}
	return false
}

// distinguishes returns whether two values that an index distinguishes always have two texts. Of an enum they may not:
// its error value, number 0, reads as the empty string, as does an empty label; and outside of strict mode servers
// accept two equal labels, which have two numbers and one text.
func (t *Type) distinguishes() bool {
	switch t.Kind {
	case Text, Blob, JSON, Geometry, Vector:
		return false // no index has such a column whole, but by a hash
	case Enum, Set:
		seen := map[string]bool{"": true}
		for _, label := range t.Labels {
			if seen[label] {
				return false
			}
			seen[label] = true
		}
	default:
	}
	return true
}
