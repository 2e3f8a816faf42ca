package mysql

import (
	"context"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// comparesOtherwise tells whether the target may call values of a unique index equal that the source tells apart. That
// is so when the column's collation is another one, when it has the same name but is of the other family (each has its
// own tables of characters), or when it has no certain order (see schema.Type.Unordered). For example, 'a' and 'A' are
// two keys under utf8mb4_bin and one under utf8mb4_general_ci.
func comparesOtherwise(r *route.Route) bool {
	source, target := r.Source.Table, r.Target.Table
	across := source.Flavor.Family.Across(target.Flavor.Family)
	for _, index := range target.UniqueIndexes() {
		for _, part := range index.Parts {
			at, from := target.Column(part.Column), -1
			if at >= 0 {
				from = source.Column(target.Columns[at].Origin())
			}
			if from < 0 { // an expression
				if across {
					return true
				}
				continue
			}
			switch t := &target.Columns[at].Type; t.Kind {
			case schema.Char, schema.Varchar, schema.Text:
				if across || t.Unordered() || t.Collation != source.Columns[from].Type.Collation {
					return true
				}
			default:
			}
		}
	}
	return false
}

// exactly applies changes where the target compares otherwise than the source. An upsert of 'A' would silently replace
// the row 'a', which is another row on the source. So rows are removed by the bytes of their keys, those to be written
// too, and then written by INSERT.
//
// Whatever a new row would rightly displace has changed itself and is in the batch. So a duplicate key means two rows
// that the source holds and the target cannot. There is one exception: while the target's rows are newer than the log,
// the row in the way may be one whose change comes later in the log. Then it gives way, and the table is compared
// afterwards.
func (a *applier) exactly(ctx context.Context, i int, tb *db.TableBatch) (deleted int64, err error) {
	rel := &tb.Route.Target
	if deleted, err = a.delete(ctx, i, rel, tb.Deletes, true); err != nil || len(tb.Upserts) == 0 {
		return deleted, err
	}
	keys := make([]db.Row, len(tb.Upserts))
	for j, row := range tb.Upserts {
		keys[j] = row.Pick(rel.Key)
	}
	if _, err := a.delete(ctx, i, rel, keys, true); err != nil {
		return deleted, err
	}
	st := a.cache[i][tb.Route]
	if st == nil {
		st = newStatement(a.t, rel, "INSERT INTO ", "")
		a.cache[i][tb.Route] = st
	}
	err = st.insertAll(ctx, a.wires[i], tb.Upserts)
	if wire.Number(err) != wire.DuplicateKey {
		return deleted, err
	}
	if a.displaced != nil {
		may, noteErr := a.displaced(ctx, tb.Route)
		if noteErr != nil {
			return deleted, noteErr
		}
		if may {
			return deleted, a.overwrite(ctx, i, newStatement(a.t, rel, "REPLACE INTO ", ""), tb.Upserts)
		}
	}
	return deleted, fmt.Errorf("%w: the target calls values equal that the source tells apart, and can hold only one "+
		"of them; nothing was overwritten; "+
		"give the column on the source another value, or a collation that both ends know, and copy again: %w",
		db.ErrUnsupported, err)
}
