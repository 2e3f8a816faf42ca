package dbtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"wherry/pkg/charset"
	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// retries is how often Exec runs a transaction that another one has beaten. Each time somebody has made progress, so
// a test that reaches the limit has more writers than rows.
const retries = 1000

// Tx is a transaction of a test's own writer, the application of the test. It is used by one goroutine. It gives and
// takes text in UTF-8, as a client does, whatever character sets tables have.
type Tx struct {
	v          *view
	rolledBack bool
	unchecked  bool
}

// Begin opens a transaction.
func (s *Server) Begin() *Tx { return &Tx{v: newView(s)} }

// Exec runs f in a transaction and commits it unless f returns an error. It runs f again when another transaction has
// come first, so f must not keep what it has read.
func (s *Server) Exec(f func(tx *Tx) error) error { return s.ExecContext(context.Background(), f) }

// ExecContext is Exec that stops waiting for a fence when ctx is over. An application that meets a fence behaves so:
// it waits, and gives up in the end.
func (s *Server) ExecContext(ctx context.Context, f func(tx *Tx) error) (err error) {
	for range retries {
		tx := s.Begin()
		if err = f(tx); err != nil {
			return err
		}
		if err = tx.Commit(ctx); !errors.Is(err, db.ErrRetry) {
			return err
		}
	}
	return err
}

// Commit makes the transaction's changes visible and logs them as one transaction. It waits for a fence on their
// tables, until ctx is over, and is refused while the server is read-only.
func (tx *Tx) Commit(ctx context.Context) error { return tx.v.commit(ctx, tx.rolledBack, nil) }

// RollBackLogged has Commit log the transaction as one that was rolled back: its parts are streamed, marked so, and
// no row changes. MySQL logs such a one when it has changed a table that cannot roll back. (A transaction whose
// function returns an error leaves no trace at all.)
func (tx *Tx) RollBackLogged() { tx.rolledBack = true }

// Unchecked switches the actions of foreign keys off for what the transaction does from now on, or on, as
// foreign_key_checks does for a session.
func (tx *Tx) Unchecked(yes bool) { tx.unchecked = yes }

// Insert adds a row, given in the order of the table's columns. NULL in an automatic column takes the next value. The
// row is checked as by a server in strict mode.
func (tx *Tx) Insert(table schema.Name, row db.Row) error {
	return tx.with(table, func(o *overlay) error {
		row, err := o.encoded(nil, row)
		if err != nil {
			return err
		}
		return tx.v.write(o, "", row)
	})
}

// Update gives the row that has the key (the whole row where a table has none) new values.
func (tx *Tx) Update(table schema.Name, key, row db.Row) error {
	return tx.with(table, func(o *overlay) error {
		found, err := o.findEncoded(key)
		if err != nil {
			return err
		}
		if row, err = o.encoded(nil, row); err != nil {
			return err
		}
		if len(found) == 0 {
			return fmt.Errorf("update row of %s: no row %s", table, show(key))
		}
		return tx.change(o, found[0], row)
	})
}

// Delete removes the row that has the key (the whole row where a table has none).
func (tx *Tx) Delete(table schema.Name, key db.Row) error {
	return tx.with(table, func(o *overlay) error {
		found, err := o.findEncoded(key)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fmt.Errorf("delete row of %s: no row %s", table, show(key))
		}
		return tx.change(o, found[0], nil)
	})
}

// Get returns the row that has the key as this transaction sees it, or nil. The row is the caller's.
func (tx *Tx) Get(table schema.Name, key db.Row) (row db.Row, err error) {
	err = tx.with(table, func(o *overlay) error {
		found, err := o.findEncoded(key)
		if err == nil && len(found) > 0 {
			row = o.t.decoded(o.get(found[0]).row)
		}
		return err
	})
	return row, err
}

// with runs f on the transaction's view of a table, with the lock held.
func (tx *Tx) with(table schema.Name, f func(o *overlay) error) error {
	tx.v.s.mu.Lock()
	defer tx.v.s.mu.Unlock()
	o, err := tx.v.table(table)
	if err != nil {
		return err
	}
	return f(o)
}

// findEncoded finds a row by its key with text in UTF-8.
func (o *overlay) findEncoded(key db.Row) ([]string, error) {
	columns := o.keyColumns()
	own, err := o.encoded(columns, key)
	if err != nil {
		return nil, err
	}
	return o.find(columns, own, 1), nil
}

// encoded returns values of columns (nil: all of them), given with text in UTF-8, as the table has them.
func (o *overlay) encoded(columns []int, values db.Row) (db.Row, error) {
	out := values.Clone()
	for i, v := range out {
		at := i
		if columns != nil {
			at = columns[i]
		}
		if at >= len(o.t.def.Columns) || v == nil {
			continue
		}
		c := &o.t.def.Columns[at]
		set, ok := charset.Find(c.Type.Charset)
		if !ok {
			continue
		}
		if out[i], ok = set.Encode([]byte{}, v); !ok {
			return nil, fmt.Errorf("write %.40q to column %s of %s: it is no text in %s", v, c.Name, o.t.def.Name,
				c.Type.Charset)
		}
	}
	return out, nil
}

// decoded returns a row with its text in UTF-8.
func (t *table) decoded(own db.Row) db.Row {
	row := own.Clone()
	for i, v := range row {
		if set, ok := charset.Find(t.def.Columns[i].Type.Charset); ok && v != nil {
			row[i], _ = set.Decode([]byte{}, v)
		}
	}
	return row
}

// keyColumns returns the columns that find a row: the key's, or all.
func (o *overlay) keyColumns() []int {
	if o.t.key != nil {
		return o.t.key
	}
	all := make([]int, len(o.t.def.Columns))
	for i := range all {
		all[i] = i
	}
	return all
}

// All returns the committed rows of a table, for tests to compare: in the key order of the first family, and with text
// in UTF-8, whatever character set the table has; nil when there is no such table. It takes no step, so a test may look
// at any time.
func (s *Server) All(name schema.Name) []db.Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[name]
	if t == nil {
		return nil
	}
	rows := make([]db.Row, 0, len(t.rows))
	alike := &table{family: first, def: t.def, key: t.key, rows: map[string]*record{}}
	for key, rec := range t.rows {
		alike.rows[key] = &record{t.decoded(rec.row)}
	}
	for _, key := range alike.sorted() {
		rows = append(rows, alike.rows[key].row)
	}
	return rows
}

// Values makes a row of nil (NULL), int, string and []byte values. For example, Values(7, "Anna", nil).
func Values(values ...any) db.Row {
	row := make(db.Row, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case nil:
		case int:
			row[i] = strconv.AppendInt([]byte{}, int64(v), 10)
		case string:
			row[i] = append([]byte{}, v...)
		case []byte:
			row[i] = append([]byte{}, v...)
		default:
			panic(fmt.Sprintf("dbtest: no value of type %T", v))
		}
	}
	return row
}
