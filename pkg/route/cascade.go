package route

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// A server carries out ON DELETE CASCADE inside the storage engine, and its log has none of the child rows that go. If
// only the log were applied, they would stay on the target. So what foreign keys do is worked out from the parent's
// change: `DELETE FROM parent WHERE id = 7` also removes the target's child rows that hold 7.

// Action is what a foreign key does to the rows that reference a row, when that row is deleted or its referenced values
// change.
type Action int

// The actions. With NoAction the server refuses the change of a row that is referenced.
const (
	NoAction Action = iota
	Remove          // CASCADE on delete: referencing rows are removed
	Empty           // SET NULL: their values become NULL
	Follow          // CASCADE on update: referencing values become the new values
)

// Reference is a foreign key with an action between two tables of a move.
type Reference struct {
	Name          string
	Parent, Child *Route
	From          []int // positions of the referencing values within rows of Child
	To            []int // positions of the referenced values within rows of Parent; To[i] belongs to From[i]
	OnDelete      Action
	OnUpdate      Action
	Obstacle      string // why its actions cannot be worked out from the log; empty when they can
}

// Cascades are the foreign keys of a move that act. The value never changes after NewCascades.
type Cascades struct {
	references map[*Route][]*Reference // by parent
	reached    map[*Route]bool         // tables that actions change
}

// NewCascades finds the foreign keys that act among the tables of the routes. Keys to tables outside of the move do not
// act here: plan refuses them.
func NewCascades(routes []*Route) *Cascades {
	c := &Cascades{references: map[*Route][]*Reference{}, reached: map[*Route]bool{}}
	byName := make(map[schema.Name]*Route, len(routes))
	for _, r := range routes {
		byName[r.Source.Name()] = r
	}
	for _, child := range routes {
		for _, f := range child.Source.Table.ForeignKeys {
			parent := byName[f.Parent]
			if parent == nil || !f.Cascades() {
				continue
			}
			c.references[parent] = append(c.references[parent], newReference(f, parent, child))
			c.reached[child] = true
		}
	}
	for _, references := range c.references {
		// The server goes by the names of the constraints (InnoDB, dict_foreign_compare): where the columns of two keys
		// overlap, the first of them decides.
		slices.SortFunc(references, func(a, b *Reference) int { return cmp.Compare(a.id(), b.id()) })
		for _, r := range references {
			if r.Obstacle == "" {
				r.Obstacle = c.obstacle(r)
			}
		}
	}
	return c
}

// id is the name that InnoDB sorts foreign keys by: db/constraint.
func (r *Reference) id() string { return r.Child.Source.Name().Database + "/" + r.Name }

// newReference finds the positions of both ends' columns. A generated column has none, since rows do not carry it.
func newReference(f schema.ForeignKey, parent, child *Route) *Reference {
	r := &Reference{
		Name: f.Name, Parent: parent, Child: child, OnDelete: action(f.OnDelete, Remove),
		OnUpdate: action(f.OnUpdate, Follow),
	}
	for i := range f.Columns {
		from, to := child.Source.position(f.Columns[i]), parent.Source.position(f.ParentColumns[i])
		if from < 0 || to < 0 {
			r.Obstacle = "a generated column is part of it"
			return r
		}
		r.From, r.To = append(r.From, from), append(r.To, to)
	}
	if f.OnDelete == "SET DEFAULT" || f.OnUpdate == "SET DEFAULT" {
		r.Obstacle = "it has the action SET DEFAULT"
	}
	return r
}

// action reads the words of a foreign key's clause. cascade is what CASCADE means there: Remove on delete, Follow on
// update.
func action(text string, cascade Action) Action {
	switch text {
	case "CASCADE":
		return cascade
	case "SET NULL":
		return Empty
	default:
		return NoAction
	}
}

// position returns which value of a row a column is, or -1.
func (r *Relation) position(column string) int {
	return slices.Index(r.Columns, r.Table.Column(column))
}

// obstacle returns why the actions of a key cannot be worked out from the log and the target's rows, or "". They are
// worked out there, so every row that takes part must be on the target, and must compare there as on the source.
func (c *Cascades) obstacle(r *Reference) string {
	child, parent := r.Child.Source.Name(), r.Parent.Source.Name()
	through := c.reached[r.Parent]
	switch {
	case r.writes() && r.Child.Filter != nil && slices.ContainsFunc(r.From, r.Child.Filter.uses):
		return fmt.Sprintf("the row filter of %s looks at columns that it changes: rows would begin to match that "+
			"are not on the target", child)
	case through && r.Parent.Filter != nil:
		return fmt.Sprintf("%s has a row filter, and other foreign keys change rows of %s that are not on the target",
			parent, parent)
	case through && len(r.Child.Source.Key) == 0:
		return fmt.Sprintf("%s has no key, and is reached through %s, whose rows are changed by a foreign key too",
			child, parent)
	}
	for i := range r.From {
		if what := r.differs(i); what != "" {
			return what
		}
	}
	return ""
}

// writes returns whether rows are changed rather than removed.
func (r *Reference) writes() bool {
	return r.OnDelete == Empty || r.OnUpdate != NoAction
}

// differs returns how a pair of columns compares, or stores a value, unlike on the source; "" when it does not. A child
// row is found by comparing its value with the parent's: under a collation that does not equate 'a' and 'A' on the
// target, child rows that the source removed would stay.
func (r *Reference) differs(i int) string {
	from, to := r.Child.Source.Column(r.From[i]), r.Parent.Source.Column(r.To[i])
	if r.OnUpdate == Follow && (from.Type.Kind != to.Type.Kind ||
		from.Type.Kind == schema.Binary && from.Type.Size != to.Type.Size) {
		return fmt.Sprintf("ON UPDATE CASCADE takes values of %s, which is of another type than %s", to.Name, from.Name)
	}
	target := r.Child.Target.Column(r.From[i])
	here, there := r.Child.Source.Table.Flavor.Family, r.Child.Target.Table.Flavor.Family
	switch t := &target.Type; t.Kind {
	case schema.Char, schema.Varchar:
		if t.Collation != from.Type.Collation || !mysql.SharesCollation(here, there, t.Collation) {
			return fmt.Sprintf("the values of %s are compared by collation %s, which the target has not, or which "+
				"is not known to call the same values equal there: give them a "+
				"collation that both have, such as %s_bin", from.Name, from.Type.Collation, from.Type.Charset)
		}
	default:
	}
	return ""
}

// Empty returns whether no foreign key of the move acts.
func (c *Cascades) Empty() bool { return len(c.reached) == 0 }

// Of returns the foreign keys that act when a row of the table changes, in the order in which they do.
func (c *Cascades) Of(parent *Route) []*Reference { return c.references[parent] }

// All returns every foreign key that acts, in the order of their names.
func (c *Cascades) All() []*Reference {
	var all []*Reference
	for _, references := range c.references {
		all = append(all, references...)
	}
	slices.SortFunc(all, func(a, b *Reference) int { return cmp.Compare(a.id(), b.id()) })
	return all
}

// Reached returns whether actions change rows of the table.
func (c *Cascades) Reached(r *Route) bool { return c.reached[r] }

// Involved returns whether the table is the parent or the child of a key that acts.
func (c *Cascades) Involved(r *Route) bool { return c.reached[r] || len(c.references[r]) > 0 }

// Reach returns the tables that a foreign key's action may change, directly or through others: deleting a customer
// removes orders, and that removes order lines. Keys may form a ring, so each table is visited once.
func (c *Cascades) Reach(r *Reference) map[*Route]bool {
	seen := map[*Route]bool{}
	var visit func(*Reference)
	visit = func(r *Reference) {
		if seen[r.Child] {
			return
		}
		seen[r.Child] = true
		for _, next := range c.references[r.Child] {
			visit(next)
		}
	}
	visit(r)
	return seen
}

// Acts returns what the foreign key does when a row of its parent changes from before to after. after is nil when the
// row is deleted; before is nil when it is inserted, which acts on nothing.
func (r *Reference) Acts(before, after [][]byte) Action {
	if before == nil {
		return NoAction
	}
	changed := false
	for _, p := range r.To {
		if before[p] == nil { // NULL: no row references it, whatever the other columns hold
			return NoAction
		}
		changed = changed || after != nil && (after[p] == nil || !bytes.Equal(before[p], after[p]))
	}
	switch {
	case after == nil:
		return r.OnDelete
	case changed:
		return r.OnUpdate
	default:
		return NoAction
	}
}

// uses returns whether the filter depends on a value of the row.
func (f *Filter) uses(column int) bool { return reads(f.where, column) }

// Uses returns whether the filter depends on a column of the relation that it was made for.
func (f *Filter) Uses(of *Relation, column string) bool {
	at := of.position(column)
	return at >= 0 && f.uses(at)
}

// reads returns whether a predicate, or a part of it, reads the value.
func reads(p predicate, column int) bool {
	switch p := p.(type) {
	case and:
		return reads(p.a, column) || reads(p.b, column)
	case or:
		return reads(p.a, column) || reads(p.b, column)
	case xor:
		return reads(p.a, column) || reads(p.b, column)
	case not:
		return reads(p.a, column)
	case isNull:
		return p.column == column
	case *compare:
		return p.column == column
	case *in:
		return p.column == column
	case never:
		return false
	default:
		return true // a predicate that is not listed here may read any: too many refusals are safe, too few are not
	}
}
