package ddl

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// oldConstraints drops foreign keys and checks, and puts new names of columns into those that stay. A foreign key of
// the table to itself has such names on both sides.
func (a *alteration) oldConstraints() error {
	for _, d := range a.s.drops {
		if err := a.dropConstraint(d); err != nil {
			return err
		}
	}
	for i := range a.t.ForeignKeys {
		f := &a.t.ForeignKeys[i]
		rename(f.Columns, a.names)
		if f.Parent == a.s.name {
			rename(f.ParentColumns, a.names)
		}
	}
	a.t.Checks = slices.DeleteFunc(a.t.Checks, a.orphan)
	for i := range a.t.Checks {
		a.t.Checks[i].Expr, _ = renamed(a.t.Checks[i].Expr, a.w.ctx, a.names)
	}
	for _, name := range sortedKeys(a.s.enforced) {
		at := slices.IndexFunc(a.t.Checks, func(c schema.Check) bool { return strings.EqualFold(c.Name, name) })
		if at < 0 {
			return fmt.Errorf("no check %s", name)
		}
		a.t.Checks[at].NotEnforced = !a.s.enforced[name]
	}
	return nil
}

// orphan returns whether a check is dropped along with its columns: `CHECK (a > 0)` goes with `DROP a`. Of a check over
// a dropped and a kept column that is left open.
func (a *alteration) orphan(check schema.Check) bool {
	if len(a.gone) == 0 {
		return false
	}
	// Words may be functions too: a check with the function left() counts as one over a column of that name. Then it
	// is over a kept column as well, and the shape is left open.
	words := mentions(check.Expr, a.w.ctx)
	gone, left := false, false
	for _, c := range a.before.Columns {
		lower := strings.ToLower(c.Name)
		gone = gone || words[lower] && a.gone[lower]
		left = left || words[lower] && !a.gone[lower]
	}
	if gone && left {
		a.doubt("what becomes of check " + check.Name)
	}
	if gone {
		a.lost[strings.ToLower(check.Name)] = true
	}
	return gone
}

// dropConstraint does the DROP clauses of foreign keys and checks. DROP CONSTRAINT names a foreign key, a check, or a
// unique index; they are tried in this order.
func (a *alteration) dropConstraint(d drop) error {
	found := false
	if d.what == dropForeign || d.what == dropConstraint {
		at := slices.IndexFunc(a.t.ForeignKeys, func(f schema.ForeignKey) bool {
			return strings.EqualFold(f.Name, d.name)
		})
		if at >= 0 {
			found = true
			// t_ibfk_2 is dropped, and a foreign key without a name is added: it is unknown whether the number 2 is
			// free for it.
			if numbered(d.name, a.t.Name.Table, "_ibfk_") == a.highest(a.foreignNames(), "_ibfk_") &&
				slices.ContainsFunc(a.s.foreign, func(f foreignDef) bool { return f.name == "" }) {
				a.doubt("the name of a foreign key beside one that is dropped")
			}
			a.t.ForeignKeys = slices.Delete(a.t.ForeignKeys, at, at+1)
		}
	}
	if !found && (d.what == dropCheck || d.what == dropConstraint) {
		at := slices.IndexFunc(a.t.Checks, func(c schema.Check) bool { return strings.EqualFold(c.Name, d.name) })
		if at >= 0 {
			found = true
			a.lost[strings.ToLower(d.name)] = true
			a.t.Checks = slices.Delete(a.t.Checks, at, at+1)
		}
	}
	switch {
	case found, a.constraintWas(d.name), d.optional, d.what == dropColumn, d.what == dropIndex, d.what == dropPrimary:
		return nil
	case d.what == dropConstraint && (strings.EqualFold(d.name, "PRIMARY") || a.indexNamed(d.name) != nil):
		return nil // an index, see indexes
	}
	return fmt.Errorf("no constraint %s", d.name)
}

// indexNamed returns an index by its name, without case, or nil.
func (a *alteration) indexNamed(name string) *schema.Index {
	for i := range a.t.Indexes {
		if strings.EqualFold(a.t.Indexes[i].Name, name) {
			return &a.t.Indexes[i]
		}
	}
	return nil
}

// indexes drops and renames indexes, and works into the others what became of the columns. An index that has lost its
// last column is dropped.
func (a *alteration) indexes() error {
	for _, d := range a.s.drops {
		if err := a.dropIndex(d); err != nil {
			return err
		}
	}
	if err := a.changeIndexes(); err != nil {
		return err
	}
	a.remap(a.t.Primary)
	if a.t.Primary != nil && len(a.t.Primary.Parts) == 0 {
		a.t.Primary = nil
	}
	for i := range a.t.Indexes {
		a.remap(&a.t.Indexes[i])
	}
	a.t.Indexes = slices.DeleteFunc(a.t.Indexes, func(index schema.Index) bool { return len(index.Parts) == 0 })
	return nil
}

// changeIndexes renames indexes, and hides or shows them. All are found by their old names before the first gets a new
// one: `RENAME INDEX a TO b, RENAME INDEX b TO a` exchanges them.
func (a *alteration) changeIndexes() error {
	moved := make([]*schema.Index, len(a.s.renames))
	for i, pair := range a.s.renames {
		if moved[i] = a.indexNamed(pair[0]); moved[i] == nil && !a.s.absent[pair[0]] {
			return fmt.Errorf("no index %s", pair[0])
		}
	}
	for i, pair := range a.s.renames { // after all were found
		if moved[i] != nil {
			moved[i].Name = pair[1]
		}
	}
	for _, name := range sortedKeys(a.s.visible) {
		switch index := a.indexNamed(name); {
		case index != nil:
			index.Invisible = !a.s.visible[name]
		case !a.s.absent[name]:
			return fmt.Errorf("no index %s", name)
		}
	}
	return nil
}

// dropIndex does a DROP clause of an index or of the primary key.
func (a *alteration) dropIndex(d drop) error {
	primary := d.what == dropPrimary || d.what == dropConstraint && strings.EqualFold(d.name, "PRIMARY")
	switch {
	case primary && a.t.Primary != nil:
		a.t.Primary = nil
	case primary && !d.optional:
		return fmt.Errorf("no primary key")
	case d.what == dropIndex, d.what == dropConstraint:
		index := a.indexNamed(d.name)
		if index == nil && d.what == dropIndex && !d.optional {
			return fmt.Errorf("no index %s", d.name)
		}
		if index != nil && (d.what == dropIndex || index.Unique && !a.constraintWas(d.name)) {
			name := index.Name
			a.t.Indexes = slices.DeleteFunc(a.t.Indexes, func(i schema.Index) bool { return i.Name == name })
		}
	}
	return nil
}

// constraintWas returns whether a foreign key or check had the name before. DROP CONSTRAINT means that one then, even
// if an index has the same name.
func (a *alteration) constraintWas(name string) bool {
	return slices.ContainsFunc(a.before.ForeignKeys, func(f schema.ForeignKey) bool {
		return strings.EqualFold(f.Name, name)
	}) ||
		slices.ContainsFunc(a.before.Checks, func(c schema.Check) bool { return strings.EqualFold(c.Name, name) })
}

// remap works into an index what became of its columns. A part follows its renamed column, and goes with a dropped one,
// unless the statement adds a column by the same name: after `DROP c, ADD c INT` an index over c is over the new c.
func (a *alteration) remap(index *schema.Index) {
	if index == nil {
		return
	}
	var parts []schema.Part
	for _, part := range index.Parts {
		if part.Expr != "" {
			part.Expr, _ = renamed(part.Expr, a.w.ctx, a.names)
			parts = append(parts, part)
			continue
		}
		from := a.before.Column(part.Column)
		at := slices.Index(a.from, from)
		if from >= 0 && at < 0 {
			if at = a.t.Column(part.Column); at >= 0 && a.from[at] >= 0 {
				at = -1 // an existing column was renamed to it, which takes over no index
			}
			if at >= 0 && partial(&a.t.Columns[at].Type) {
				a.doubt("the index over the new column " + part.Column)
			}
		}
		if at < 0 {
			continue
		}
		// The column's present name. Its type may have changed too, and the prefix with it.
		part.Column = a.t.Columns[at].Name
		if from >= 0 && a.defs[at] != nil {
			a.refit(index, &part, &a.before.Columns[from].Type, &a.t.Columns[at].Type)
		}
		parts = append(parts, part)
	}
	index.Parts = parts
}

// refit makes the prefix of an index part fit its column's new type: an index over v(10) of a TEXT becomes one over all
// of v when v becomes VARCHAR(10).
func (a *alteration) refit(index *schema.Index, part *schema.Part, before, after *schema.Type) {
	long := after.Kind == schema.Text || after.Kind == schema.Blob
	switch {
	case index.Kind != schema.BTree:
		return
	case index.Using == "HASH" && a.w.ctx.Flavor.Family == schema.MariaDB:
		a.doubt("whether index " + index.Name + " stays a hash")
	case !partial(before) || !partial(after), part.Prefix > 0 && !long && part.Prefix >= after.Size:
		part.Prefix = 0
	}
	// An index over the whole of a TEXT: an error, or a hash on MariaDB.
	if long && part.Prefix == 0 {
		a.doubt("the index over the whole of " + part.Column)
	}
	size := part.Prefix
	if size == 0 {
		size = after.Size
	}
	if partial(after) && size*width(after.Charset) > a.longest()/len(index.Parts) {
		a.doubt("what becomes of an index of many bytes")
	}
}

// partial returns whether an index may have a prefix of such a column: v(10).
func partial(t *schema.Type) bool {
	switch t.Kind {
	case schema.Char, schema.Varchar, schema.Text, schema.Binary, schema.Varbinary, schema.Blob:
		return true
	default:
		return false
	}
}
