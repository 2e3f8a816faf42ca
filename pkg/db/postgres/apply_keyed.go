package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// writer writes the changes of one table on one connection.
type writer struct {
	a     *applier
	conn  *wire.Conn
	route *route.Route
	c     *columns
	keys  *arrays // of rows to remove
	rows  *arrays // to write
	// competing are the unique indexes besides the row key's.
	competing []*schema.Index
}

func (a *applier) newWriter(i int, r *route.Route) (*writer, error) {
	c, err := newColumns(&r.Target)
	if err != nil {
		return nil, err
	}
	w := &writer{a: a, conn: a.wires[i], route: r, c: c, keys: newArrays(c, r.Target.Key), rows: newArrays(c,
		c.written)}
	if len(r.Target.Key) == 0 {
		w.keys = newArrays(c, c.all())
	} else {
		w.competing = schema.CompetingIndexes(r.Target.Table, r.Target.Table)
	}
	return w, nil
}

// keyed removes rows by their keys and writes others, and returns how many there were of those to remove.
func (w *writer) keyed(ctx context.Context, tb *db.TableBatch) (deleted int64, err error) {
	if deleted, err = w.remove(ctx, tb.Deletes); err != nil || len(tb.Upserts) == 0 {
		return deleted, err
	}
	if len(w.competing) > 0 {
		// Of a batch no two rows hold one unique value in the end, but on the way they would: all that changed go
		// first.
		keys := make([]db.Row, len(tb.Upserts))
		for i, row := range tb.Upserts {
			keys[i] = row.Pick(w.c.rel.Key)
		}
		if _, err := w.remove(ctx, keys); err != nil {
			return deleted, err
		}
	}
	return deleted, w.inPieces(tb.Upserts, func() error {
		if len(w.competing) > 0 {
			return w.insert(ctx)
		}
		return w.upsert(ctx)
	})
}

// inPieces fills the parameters with rows, and calls f for each statement.
func (w *writer) inPieces(rows []db.Row, f func() error) error {
	w.rows.reset()
	for i, row := range rows {
		if err := w.rows.addRow(row); err != nil {
			return err
		}
		if w.rows.rows < statementRows && w.rows.bytes < statementBytes && i < len(rows)-1 {
			continue
		}
		if err := f(); err != nil {
			return err
		}
		w.rows.reset()
	}
	return nil
}

// remove removes rows by their keys, and returns how many there were. Fewer than keys is no error here: the caller
// knows how many the target must hold.
func (w *writer) remove(ctx context.Context, keys []db.Row) (deleted int64, err error) {
	w.keys.reset()
	for i, key := range keys {
		if err := w.keys.add(key, w.c.rel.Key); err != nil {
			return deleted, err
		}
		if w.keys.rows < statementRows && w.keys.bytes < statementBytes && i < len(keys)-1 {
			continue
		}
		n, err := w.conn.Run(ctx, "DELETE FROM "+w.c.table+" WHERE "+w.keys.among(w.c, w.c.rel.Key), w.keys.params()...)
		if err != nil {
			return deleted, err
		}
		deleted += n
		w.keys.reset()
	}
	return deleted, nil
}

// into begins a statement that writes the rows.
func (w *writer) into() string {
	list := w.c.list(w.c.written, "")
	return "INSERT INTO " + w.c.table + " (" + list + ") SELECT " + w.c.list(w.c.written, "v.") + " FROM " +
		w.rows.from(false) + " ON CONFLICT "
}

// upsert makes rows equal to their after-images.
func (w *writer) upsert(ctx context.Context) error {
	var sets []string
	for _, p := range w.c.written {
		if !slices.Contains(w.c.rel.Key, p) {
			sets = append(sets, w.c.names[p]+" = EXCLUDED."+w.c.names[p])
		}
	}
	if sets == nil { // all of a row is its key: one that is there is as it should be
		_, err := w.conn.Run(ctx, w.into()+"DO NOTHING", w.rows.params()...)
		return err
	}
	n, err := w.conn.Run(ctx, w.into()+"("+w.c.list(w.c.rel.Key, "")+") DO UPDATE SET "+strings.Join(sets, ", "),
		w.rows.params()...)
	return w.all(n, err)
}

func (w *writer) all(n int64, err error) error {
	if err == nil && n != int64(w.rows.rows) {
		err = fmt.Errorf("write %s: the target took %d: %w", count.Of(w.rows.rows, "row"), n, db.ErrUnsupported)
	}
	return err
}

// insert writes rows whose keys are not there. What is in the way of one by another unique value was not in the batch:
// it is a row that the log has not come to yet, and gives way; or one that the target calls equal and the source does
// not.
func (w *writer) insert(ctx context.Context) error {
	n, err := w.conn.Run(ctx, w.into()+"DO NOTHING", w.rows.params()...)
	if err != nil || n == int64(w.rows.rows) {
		return err
	}
	if err := w.mayDisplace(ctx); err != nil {
		return err
	}
	for _, index := range w.competing {
		if _, err := w.conn.Run(ctx, w.c.removal(index, w.rows.from(false)), w.rows.params()...); err != nil {
			return err
		}
	}
	more, err := w.conn.Run(ctx, w.into()+"DO NOTHING", w.rows.params()...)
	return w.all(n+more, err)
}

// mayDisplace refuses where the row in the way may be another one to the source, for good.
func (w *writer) mayDisplace(ctx context.Context) error {
	if !slices.ContainsFunc(w.competing, func(i *schema.Index) bool { return comparesOtherwise(w.route, i) }) &&
		!keyComparesOtherwise(w.route) {
		return nil
	}
	if w.a.displaced != nil {
		if may, err := w.a.displaced(ctx, w.route); err != nil || may {
			return err
		}
	}
	return fmt.Errorf("%w: the target calls values equal that the source tells apart, and can hold only one of them; "+
		"nothing was overwritten; give the column on the source another value, or another type on the target, "+
		"and copy again", db.ErrUnsupported)
}

// bytewise are the collations besides the database's own, which tell all texts apart that differ.
var bytewise = []string{"", "C", "POSIX", "ucs_basic", "default"}

// comparesOtherwise tells whether an index of the target may call values equal that the source tells apart: by a
// collation or a type that ignores case, by an expression, or because what is written is not what the source has.
func comparesOtherwise(r *route.Route, index *schema.Index) bool {
	for _, p := range index.Parts {
		if p.Expr != "" {
			return true
		}
		for i := range r.Target.Columns {
			c := r.Target.Column(i)
			if c.Name == p.Column && (c.Type.Name == "citext" || isText(&c.Type) &&
				!slices.Contains(bytewise, c.Type.Collation) || r.Source.Rule(i) != route.Rule{}) {
				return true
			}
		}
	}
	return false
}

// keyComparesOtherwise tells whether the index of the row key does.
func keyComparesOtherwise(r *route.Route) bool {
	key := r.Target.Table.KeyIndex()
	return key != nil && comparesOtherwise(r, key)
}
