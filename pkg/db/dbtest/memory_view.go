package dbtest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// view is what a transaction sees: the committed rows and, over them, its own changes. Nothing is locked. A commit
// checks whether the rows that it changes are still those that it has seen, and gets ErrRetry otherwise. Every method
// but commit is called with s.mu held.
type view struct {
	s       *Server
	tables  map[schema.Name]*overlay
	changes []logged
}

// overlay is a transaction's changes of one table.
type overlay struct {
	t      *table
	rows   map[string]*record  // as changed; nil: removed
	base   map[string]*record  // of the same keys, as found
	unique []map[string]string // as table.unique's owners
	next   uint64
}

func newView(s *Server) *view { return &view{s: s, tables: map[schema.Name]*overlay{}} }

// table returns the transaction's overlay of a table, which it keeps from its first use on. If the table is replaced
// meanwhile, by a schema change, validate finds that out.
func (v *view) table(name schema.Name) (*overlay, error) {
	if o := v.tables[name]; o != nil {
		return o, nil
	}
	t := v.s.tables[name]
	if t == nil {
		return nil, fmt.Errorf("open table %s: no such table", name)
	}
	o := &overlay{t: t, rows: map[string]*record{}, base: map[string]*record{}, next: t.next}
	for range t.unique {
		o.unique = append(o.unique, map[string]string{})
	}
	v.tables[name] = o
	return o, nil
}

func (o *overlay) get(key string) *record {
	if rec, ok := o.rows[key]; ok {
		return rec
	}
	return o.t.rows[key]
}

// set makes key hold a record within the transaction, nil for none. The committed record that it replaces is
// remembered once: validate compares with it.
func (o *overlay) set(key string, to *record) {
	from := o.get(key)
	if _, ok := o.rows[key]; !ok {
		o.base[key] = from
	}
	for i, u := range o.t.unique {
		if from != nil {
			if value, ok := u.value(from.row); ok && o.unique[i][value] == key {
				delete(o.unique[i], value)
			}
		}
		if to != nil {
			if value, ok := u.value(to.row); ok {
				o.unique[i][value] = key
			}
		}
	}
	o.rows[key] = to
}

// holder returns the key of the row that has a value in a unique index, or "". A row that this transaction has
// changed holds only what the overlay says.
func (o *overlay) holder(i int, value string) string {
	if key, ok := o.unique[i][value]; ok {
		return key
	}
	key := o.t.unique[i].owners[value]
	if _, touched := o.rows[key]; touched {
		return ""
	}
	return key
}

// conflicts returns the keys of other rows that hold a unique value of row, with the names of the indexes.
func (o *overlay) conflicts(key string, row db.Row) (keys, indexes []string) {
	for i := range o.t.unique {
		value, ok := o.t.unique[i].value(row)
		if !ok {
			continue
		}
		if other := o.holder(i, value); other != "" && other != key {
			keys, indexes = append(keys, other), append(indexes, o.t.unique[i].name)
		}
	}
	return keys, indexes
}

// find returns the keys of the rows that have the values in the columns, at most limit of them (0: all). Values are
// compared by their bytes; order is that of keys, so that a test that fails does so each time.
func (o *overlay) find(columns []int, values db.Row, limit int) []string {
	if o.t.key != nil && slices.Equal(columns, o.t.key) {
		key := encode(values)
		if o.get(key) == nil {
			return nil
		}
		return []string{key}
	}
	want, found := encode(values), []string(nil)
	match := func(key string) {
		if rec := o.get(key); rec != nil && (limit == 0 || len(found) < limit) &&
			encode(rec.row.Pick(columns)) == want {
			found = append(found, key)
		}
	}
	for _, key := range o.t.sorted() {
		match(key)
	}
	for key := range o.rows {
		if o.t.rows[key] == nil {
			match(key)
		}
	}
	return found
}

// write inserts (from is ""), replaces or removes (row is nil) one row and logs that. It refuses a duplicate: who
// wants a row to give way removes it first. A row without a key gets a hidden number, which only rises, so rows keep
// the order in which they were written.
func (v *view) write(o *overlay, from string, row db.Row) error {
	change := logged{table: o.t.def.Name}
	if from != "" {
		change.before = o.get(from).row
	}
	if row == nil {
		o.set(from, nil)
		v.changes = append(v.changes, change)
		return nil
	}
	row = row.Clone()
	if err := o.automatic(row); err != nil {
		return err
	}
	if err := checkRow(o.t.def, row); err != nil {
		return err
	}
	to := from
	switch {
	case o.t.key != nil:
		to = encode(row.Pick(o.t.key))
	case from == "":
		v.s.rowID++
		to = fmt.Sprintf("#%016d", v.s.rowID)
	}
	if to != from && o.get(to) != nil {
		return fmt.Errorf("write row of %s: duplicate key %s", o.t.def.Name, show(row.Pick(o.t.key)))
	}
	keys, indexes := o.conflicts(from, row)
	if len(keys) > 0 {
		return fmt.Errorf("write row of %s: duplicate entry of row %s for key %s", o.t.def.Name, show(row), indexes[0])
	}
	if from != "" && from != to {
		o.set(from, nil)
	}
	o.set(to, &record{row})
	change.after = row
	v.changes = append(v.changes, change)
	return nil
}

// automatic fills in the next automatic value, or learns of a larger one that was given, as AUTO_INCREMENT does.
func (o *overlay) automatic(row db.Row) error {
	if len(row) != len(o.t.def.Columns) {
		return nil
	}
	for i := range o.t.def.Columns {
		if !o.t.def.Columns[i].AutoIncrement {
			continue
		}
		if row[i] == nil {
			row[i] = strconv.AppendUint([]byte{}, o.next, 10)
		}
		if n, err := strconv.ParseUint(string(row[i]), 10, 64); err == nil && n >= o.next {
			o.next = n + 1
		}
	}
	return nil
}

// commit makes the changes visible and logs them, together with what extra does: that runs with s.mu held and may
// still refuse. It waits for tables that a fence has locked. A commit without changes is not logged, and no fence
// stops it.
func (v *view) commit(ctx context.Context, rolledBack bool, extra func() error) error {
	s := v.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(v.changes) > 0 {
		if err := s.unfenced(ctx, v.tables); err != nil {
			return err
		}
	}
	if err := v.validate(); err != nil {
		return err
	}
	if extra != nil {
		if err := extra(); err != nil {
			return err
		}
	}
	if len(v.changes) == 0 {
		return nil
	}
	s.append(entry{changes: v.changes, rolledBack: rolledBack, time: time.Now()})
	if rolledBack {
		return nil
	}
	for _, o := range v.tables {
		for key, rec := range o.rows { // removals first: they free unique values
			if rec == nil {
				o.t.set(key, nil)
			}
		}
		for key, rec := range o.rows {
			if rec != nil {
				o.t.set(key, rec)
			}
		}
		o.t.next = max(o.t.next, o.next)
	}
	return nil
}

// validate finds out whether another transaction has come first: a table was replaced, a row that this one changed is
// another one now, or a unique value that it took has gone to somebody else.
func (v *view) validate() error {
	for name, o := range v.tables {
		lost := v.s.tables[name] != o.t
		for key, base := range o.base {
			lost = lost || o.t.rows[key] != base
		}
		for i := range o.unique {
			for value, key := range o.unique[i] {
				other := o.t.unique[i].owners[value]
				_, touched := o.rows[other]
				lost = lost || other != "" && other != key && !touched
			}
		}
		if lost {
			return fmt.Errorf("commit changes of %s: another transaction came first: %w", name, db.ErrRetry)
		}
	}
	return nil
}
