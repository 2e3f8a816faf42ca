package mysql

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	dialect "wherry/pkg/schema/mysql"
)

// Rows without a key are found by a hash of all their bytes. If the table has no index, each search reads all of it. So
// the rows of a batch are searched together: one reading counts the target's copies of each image, another removes all
// copies of those images. Copies that were removed beyond the number wanted are written again. For an image with many
// copies a DELETE with LIMIT is cheaper, because it soon finds enough of them.
//
// For example, the source removed 2 rows ('x'), and the target holds 5: all 5 are removed, and 3 are inserted.
const (
	scanImages   = 2000 // images of one reading of a table without an index
	lookupImages = 500  // and by an index
	singleImages = 2    // of so few each is removed alone: that ends at the row, and does not read the table twice
	rewriteMost  = 100  // copies of an image that are removed and written again rather than removed one by one
)

// image is a distinct row and how many of its copies are to go.
type image struct {
	hash string // what imageHash yields for the row, in hexadecimal digits
	row  db.Row
	gone int64
	have int64 // copies that the target holds
}

// keyless applies changes to a table without a key and returns how many rows it removed.
func (a *applier) keyless(ctx context.Context, i int, tb *db.TableBatch) (deleted int64, err error) {
	rel := &tb.Route.Target
	inserts := tb.Upserts
	if len(tb.Deletes) > 0 {
		r := &remover{a: a, w: a.wires[i], rel: rel, hash: imageHash(rel), indexed: indexedColumns(rel)}
		rewrite, err := r.remove(ctx, r.images(tb.Deletes))
		if err != nil {
			return 0, err
		}
		inserts = append(rewrite, inserts...)
	}
	if len(inserts) == 0 {
		return int64(len(tb.Deletes)), nil
	}
	st := a.cache[i][tb.Route]
	if st == nil {
		st = newStatement(a.t, rel, "INSERT INTO ", "")
		a.cache[i][tb.Route] = st
	}
	return int64(len(tb.Deletes)), st.insertAll(ctx, a.wires[i], inserts)
}

// insertAll writes rows and sees to it that every one of them counts.
func (st *statement) insertAll(ctx context.Context, w *wire.Conn, rows []db.Row) error {
	for _, row := range rows {
		if !st.fits(row) {
			if err := st.insert(ctx, w); err != nil {
				return err
			}
		}
		var err error
		if st.huge(row) {
			err = st.stream(ctx, w, row, false)
		} else {
			err = st.add(row)
		}
		if err != nil {
			return err
		}
	}
	return st.insert(ctx, w)
}

// remover removes rows of one table.
type remover struct {
	a       *applier
	w       *wire.Conn
	rel     *route.Relation
	hash    string // expression
	indexed []int
}

// images counts how often each distinct row is to go, in the order of their first coming.
func (r *remover) images(rows []db.Row) []image {
	at := make(map[string]int, len(rows))
	var images []image
	var buffer []byte
	for _, row := range rows {
		var hash string
		hash, buffer = hashImage(r.rel, row, buffer)
		n, known := at[hash]
		if !known {
			n = len(images)
			at[hash] = n
			images = append(images, image{hash: hash, row: row})
		}
		images[n].gone++
	}
	return images
}

// remove removes images, and returns rows that it removed beyond that and that are to be written again.
func (r *remover) remove(ctx context.Context, images []image) (rewrite []db.Row, err error) {
	most := scanImages
	if len(r.indexed) > 0 {
		most = lookupImages
	}
	for len(images) > 0 {
		group := images[:r.fitting(images[:min(most, len(images))])]
		images = images[len(group):]
		if len(group) > singleImages {
			var rewritten []db.Row
			if group, rewritten, err = r.together(ctx, group); err != nil {
				return nil, err
			}
			rewrite = append(rewrite, rewritten...)
		}
		for i := range group {
			if err := r.alone(ctx, &group[i]); err != nil {
				return nil, err
			}
		}
	}
	return rewrite, nil
}

// fitting returns how many of the images one statement has room for, at least one. The 64 bytes are for the
// comparison around each indexed value; a value in hexadecimal takes two digits a byte.
func (r *remover) fitting(images []image) int {
	size := 2*len(r.hash) + statementMargin
	for i := range images {
		size += len(images[i].hash) + 3
		for _, p := range r.indexed {
			size += 2*len(images[i].row[p]) + 2*len(r.rel.Column(p).Name) + 64
		}
		if size > min(insertBytes, r.a.t.maxPacket-statementMargin) {
			return max(i, 1)
		}
	}
	return len(images)
}

// together removes all copies of the images, but for those that have too many of them, which it returns.
func (r *remover) together(ctx context.Context, images []image) (left []image, rewrite []db.Row, err error) {
	if err := r.count(ctx, images); err != nil {
		return nil, nil, err
	}
	all := make([]image, 0, len(images))
	var copies int64
	for _, m := range images {
		// A target that holds fewer copies than the source removed has lost rows. To remove what there is would hide
		// it.
		surplus := m.have - m.gone
		if surplus < 0 {
			return nil, nil, r.lacking(&m)
		}
		if surplus > rewriteMost {
			left = append(left, m)
			continue
		}
		all = append(all, m)
		copies += m.have
		for range surplus {
			rewrite = append(rewrite, m.row)
		}
	}
	if len(all) == 0 {
		return left, nil, nil
	}
	res, err := r.run(ctx, "DELETE FROM "+dialect.Quoted(r.rel.Name()), all, "")
	if err != nil {
		return nil, nil, err
	}
	// The rows were locked by the counting, so nobody else can have removed one: the transaction starts over.
	if int64(res.Affected) != copies { //nolint:gosec // far below 2^63
		return nil, nil, fmt.Errorf("delete %s: the target removed %d: %w", count.Of(copies, "row"), res.Affected,
			db.ErrRetry)
	}
	return left, rewrite, nil
}

// count finds out how many copies of each image the target holds, and locks them: between counting and removing
// nobody may add or remove a copy.
func (r *remover) count(ctx context.Context, images []image) error {
	// GROUP BY 1, by place: a name that we gave the hash might also be the name of a column, which would be preferred
	// (MySQL manual, "SELECT Statement").
	b := r.statement("SELECT "+r.hash+", COUNT(*) FROM "+dialect.Quoted(r.rel.Name()), images, " GROUP BY 1 FOR UPDATE")
	rows, err := r.w.Query(ctx, string(b[5:]))
	if err != nil {
		return wire.Classify(err)
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return err
	}
	copies := make(map[string]int64, len(found))
	for _, row := range found {
		if copies[string(row[0])], err = strconv.ParseInt(string(row[1]), 10, 64); err != nil {
			return err
		}
	}
	for i := range images {
		images[i].have = copies[images[i].hash]
	}
	return nil
}

// alone removes as many copies of an image as are to go.
func (r *remover) alone(ctx context.Context, m *image) error {
	res, err := r.run(ctx, "DELETE FROM "+dialect.Quoted(r.rel.Name()), []image{*m},
		" LIMIT "+strconv.FormatInt(m.gone, 10))
	if err != nil {
		return err
	}
	if m.have = int64(res.Affected); m.have != m.gone { //nolint:gosec // far below 2^63
		return r.lacking(m)
	}
	return nil
}

func (r *remover) run(ctx context.Context, verb string, images []image, tail string) (wire.Result, error) {
	res, err := r.w.ExecPacket(ctx, r.statement(verb, images, tail))
	return res, wire.Classify(err)
}

// statement writes a packet with a condition that the images meet, and no other row:
//
//	DELETE FROM `d`.`t` WHERE (`a` <=> 7 OR `a` <=> 8) AND SHA2(..) IN ('01ab..','77c0..')
//
// The first part is there only for the server to use an index. Without an index on the table it is left out.
func (r *remover) statement(verb string, images []image, tail string) []byte {
	b := append(wire.Begin(nil), verb+" WHERE "...)
	if len(r.indexed) > 0 {
		b = append(appendLookup(append(b, '('), r.rel, r.indexed, images), ") AND "...)
	}
	b = append(append(b, r.hash...), " IN ("...)
	return append(append(appendHashes(b, images), ')'), tail...)
}

// lacking is the error about a row that the target does not hold. It is not retried: the rows will not come by
// themselves.
func (r *remover) lacking(m *image) error {
	return fmt.Errorf("%w: the source removed %s equal to %s, and the target holds %d: somebody else writes to it, "+
		"or it has stored a value as another one; see wherry verify, exclude the "+
		"table or copy again", db.ErrUnsupported, count.Of(m.gone, "row"), describeRow(r.rel, m.row), m.have)
}

const (
	describedValue = 40  // bytes of a value in a message
	describedRow   = 400 // and of a row
)

// describeRow renders a row for messages, shortened.
func describeRow(rel *route.Relation, row db.Row) string {
	var b strings.Builder
	for i, v := range row {
		if b.Len() > describedRow {
			b.WriteString(", ..")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(rel.Column(i).Name + "=")
		switch t := &rel.Column(i).Type; {
		case v == nil:
			b.WriteString("NULL")
		case t.IsNumber():
			b.Write(v)
		default:
			b.WriteString(strconv.Quote(string(v[:min(len(v), describedValue)])))
			if len(v) > describedValue {
				b.WriteString("..")
			}
		}
	}
	return "(" + b.String() + ")"
}
