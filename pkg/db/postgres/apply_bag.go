package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"wherry/pkg/count"
	"wherry/pkg/db"
)

// Rows without a key are found by an image: the text of all their values, which the server makes of rows and of
// parameters alike. Text tells apart what = does not: 0 and -0, or 1 and 1.0 in a document. Of equal rows as many go as
// are to, whichever they are, by the places where they are stored.

// bag applies changes to a table without a key and returns how many rows it removed.
func (w *writer) bag(ctx context.Context, tb *db.TableBatch) (deleted int64, err error) {
	if err := w.removeCopies(ctx, tb.Deletes); err != nil {
		return 0, err
	}
	deleted = int64(len(tb.Deletes))
	return deleted, w.inPieces(tb.Upserts, func() error {
		list := w.c.list(w.c.written, "")
		n, err := w.conn.Run(ctx, "INSERT INTO "+w.c.table+" ("+list+") SELECT "+w.c.list(w.c.written, "v.")+" FROM "+
			w.rows.from(false), w.rows.params()...)
		return w.all(n, err)
	})
}

// copies are equal rows, and how many of them are to go.
type copies struct {
	row  db.Row
	gone int64
}

// removeCopies removes one row for each of the rows given.
func (w *writer) removeCopies(ctx context.Context, rows []db.Row) error {
	at := make(map[[32]byte]int, len(rows))
	var images []copies
	var buffer []byte
	for _, row := range rows {
		var digest [32]byte
		digest, buffer = row.Digest(buffer)
		n, known := at[digest]
		if !known {
			n = len(images)
			at[digest] = n
			images = append(images, copies{row: row})
		}
		images[n].gone++
	}
	for from := 0; from < len(images); {
		w.keys.reset()
		upto := from
		for upto < len(images) && w.keys.rows < statementRows && w.keys.bytes < statementBytes {
			if err := w.keys.addRow(images[upto].row); err != nil {
				return err
			}
			w.keys.count(images[upto].gone)
			upto++
		}
		if err := w.removeImages(ctx, images[from:upto]); err != nil {
			return err
		}
		from = upto
	}
	return nil
}

// image is the expression of a row's image.
func (w *writer) image(before string) string {
	return "ROW(" + w.c.list(w.c.all(), before) + ")::text"
}

// candidates is the condition by which rows are looked at. Through an index not all need be.
func (w *writer) candidates(images []copies) string {
	var parts []string
	for _, index := range w.route.Target.Table.Indexes {
		if index.Kind != 0 || len(index.Parts) == 0 || index.Parts[0].Column == "" || index.Parts[0].Prefix > 0 {
			continue
		}
		for i, p := range w.keys.positions {
			if w.c.rel.Column(p).Name != index.Parts[0].Column || w.c.types[p] != "" {
				continue
			}
			parts = append(parts, w.c.names[p]+" = ANY ($"+strconv.Itoa(i+1)+")")
			for _, m := range images {
				if m.row[p] == nil {
					parts = append(parts, w.c.names[p]+" IS NULL")
					break
				}
			}
			return " WHERE " + strings.Join(parts, " OR ")
		}
	}
	return ""
}

// removeImages removes as many copies of each image as are to go.
func (w *writer) removeImages(ctx context.Context, images []copies) error {
	number := "v." + w.keys.number()
	n, err := w.conn.Run(ctx, "WITH v AS MATERIALIZED (SELECT "+w.image("v.")+" AS image, "+number+" AS gone FROM "+
		w.keys.from(true)+"), found AS (SELECT t.place, t.image, pg_catalog.row_number() OVER (PARTITION BY t.image) "+
		"AS copy FROM (SELECT ctid AS place, "+w.image("")+" AS image FROM "+w.c.table+w.candidates(images)+
		" OFFSET 0) AS t WHERE t.image IN (SELECT image FROM v)) DELETE FROM "+w.c.table+" WHERE ctid = ANY (ARRAY("+
		"SELECT f.place FROM found f JOIN v ON v.image = f.image WHERE f.copy <= v.gone))", w.keys.params()...)
	if err != nil {
		return err
	}
	var wanted int64
	for _, m := range images {
		wanted += m.gone
	}
	if n == wanted {
		return nil
	}
	return w.lacking(ctx, images)
}

// lacking says which row the target does not hold often enough: it looks for them one by one.
func (w *writer) lacking(ctx context.Context, images []copies) error {
	// What was removed is not seen any more. Before the statement all of it was there but for what lacks now.
	if err := w.conn.Rollback(ctx); err != nil {
		return err
	}
	if err := w.conn.Exec(ctx, "BEGIN"); err != nil {
		return err
	}
	for _, m := range images {
		w.keys.reset()
		if err := w.keys.addRow(m.row); err != nil {
			return err
		}
		row, err := w.conn.One(ctx, "SELECT pg_catalog.count(*)::text FROM "+w.c.table+" WHERE "+w.image("")+
			" = (SELECT "+w.image("v.")+" FROM "+w.keys.from(false)+")", w.keys.params()...)
		if err != nil {
			return err
		}
		if have, err := strconv.ParseInt(string(row[0]), 10, 64); err != nil || have < m.gone {
			return w.lacks(&m, string(row[0]))
		}
	}
	return w.lacks(&images[0], "fewer than it should, after earlier changes of the same transaction")
}

func (w *writer) lacks(m *copies, have string) error {
	return fmt.Errorf("%w: the source removed %s equal to %s, and the target holds %s: somebody else writes to it, or "+
		"it has stored a value as another one; see wherry verify, exclude the table or copy again", db.ErrUnsupported,
		count.Of(m.gone, "row"), describe(w.c.rel, m.row, w.c.all()), have)
}
