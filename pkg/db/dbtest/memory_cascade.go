package dbtest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// cascadeDepth is how deep actions may nest (InnoDB, FK_MAX_CASCADE_DEL).
const cascadeDepth = 15

// change writes a row of a test's own writer, and has the foreign keys act as InnoDB does: right after it, depth first,
// and unlogged. So a phase has to work out what they did, as with MySQL before 9.6 and MariaDB. Whether a referenced
// row exists is not checked.
func (tx *Tx) change(o *overlay, from string, row db.Row) error {
	before := o.get(from).row
	if err := tx.v.write(o, from, row); err != nil || tx.unchecked {
		return err
	}
	tx.v.changes[len(tx.v.changes)-1].cascades = true
	logged := len(tx.v.changes)
	err := tx.v.cascade(o.t.def.Name, before, row, 0)
	// What the actions changed stays in the rows and leaves the log.
	tx.v.changes = tx.v.changes[:logged]
	return err
}

// foreignKey is one of a child table's keys, with the table.
type foreignKey struct {
	schema.ForeignKey
	child *table
}

// id is the key's full name. Several keys act in its order, so that a test that fails does so each time.
func (k *foreignKey) id() string { return k.child.def.Name.Database + "/" + k.Name }

// cascade carries out the actions of all foreign keys that reference a row which is updated, or deleted (after is nil).
func (v *view) cascade(parent schema.Name, before, after db.Row, depth int) error {
	if depth > cascadeDepth {
		return fmt.Errorf("change row of %s: foreign keys act more than %d levels deep", parent, cascadeDepth)
	}
	var keys []foreignKey
	for _, t := range v.s.tables {
		for _, f := range t.def.ForeignKeys {
			if f.Parent == parent {
				keys = append(keys, foreignKey{f, t})
			}
		}
	}
	slices.SortFunc(keys, func(a, b foreignKey) int { return strings.Compare(a.id(), b.id()) })
	for i := range keys {
		if err := v.act(&keys[i], before, after, depth); err != nil {
			return err
		}
	}
	return nil
}

// act carries out one foreign key's action. A NULL references nothing, and an update that leaves the referenced
// values alone does nothing.
func (v *view) act(k *foreignKey, before, after db.Row, depth int) error {
	from, to := columnsOf(k.child.def, k.Columns), columnsOf(v.s.tables[k.Parent].def, k.ParentColumns)
	old := before.Pick(to)
	if slices.ContainsFunc(old, func(v []byte) bool { return v == nil }) || after != nil &&
		slices.EqualFunc(old, after.Pick(to), sameValue) {
		return nil
	}
	action := k.OnUpdate
	if after == nil {
		action = k.OnDelete
	}
	if action != "CASCADE" && action != "SET NULL" {
		return nil
	}
	o, err := v.table(k.child.def.Name)
	if err != nil {
		return err
	}
	for _, key := range o.find(from, old, 0) {
		if o.get(key) == nil { // an action further down removed it
			continue
		}
		was := o.get(key).row
		var row db.Row
		if after != nil || action == "SET NULL" {
			row = was.Clone()
			for i, p := range from {
				row[p] = nil
				if action == "CASCADE" {
					row[p] = after[to[i]]
				}
			}
		}
		if err := v.write(o, key, row); err != nil {
			return err
		}
		if err := v.cascade(o.t.def.Name, was, row, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func sameValue(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

func columnsOf(def *schema.Table, names []string) []int {
	out := make([]int, len(names))
	for i, name := range names {
		out[i] = def.Column(name)
	}
	return out
}

// Referencing finds rows by the values of a foreign key's columns, as the open transaction has them.
func (a *applier) Referencing(ctx context.Context, l *db.Lookup) ([]db.Row, error) {
	if err := a.t.s.enter(ctx, "referencing"); err != nil {
		return nil, fmt.Errorf("look for rows of %s: %w", l.Route.Target.Name(), err)
	}
	a.t.s.mu.Lock()
	defer a.t.s.mu.Unlock()
	if err := a.locked(); err != nil {
		return nil, err
	}
	if a.view == nil {
		a.view = newView(a.t.s)
	}
	o, err := a.view.table(l.Route.Target.Name())
	if err != nil {
		return nil, err
	}
	columns, err := locate(o.t.def, &l.Route.Target)
	if err != nil {
		return nil, err
	}
	var rows []db.Row
	seen := map[string]bool{}
	for _, values := range l.Values {
		for _, key := range o.find(pick(columns, l.Columns), values, 0) {
			row := o.get(key).row.Pick(columns)
			if len(rows) < db.LookupRows && !seen[key] && !l.Excludes(row) {
				rows, seen[key] = append(rows, row.Clone()), true
			}
		}
	}
	return rows, nil
}

// pick returns where in the table the columns of a lookup are: its positions count within the route's rows.
func pick(columns, positions []int) []int {
	out := make([]int, len(positions))
	for i, p := range positions {
		out[i] = columns[p]
	}
	return out
}
