package mysql

import (
	"context"
	"fmt"
	"io"
	"strings"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// statement builds one multi-row INSERT or REPLACE in a buffer that is reused: head, rows, tail. The buffer begins
// with a packet's header, so that it is sent as it stands. For example
//
//	INSERT INTO `d`.`t` (`id`, `name`) VALUES (7,'Anna'),(8,NULL) AS `new_row` ON DUPLICATE KEY UPDATE ..
type statement struct {
	t        *Target
	rel      *route.Relation
	types    []*schema.Type // nil for values that are not written
	signless []int          // see Target.signless
	blank    []int          // see blanks
	blanks   int            // error values of enums in the rows added
	loose    int            // where the buffer has room for loosen
	head     []byte
	tail     string
	buf      []byte
	rows     int
	limit    int // aimed bytes; one row may be larger
	packet   int // hard limit of the server
}

func newStatement(t *Target, rel *route.Relation, verb, tail string) *statement {
	var names []string
	st := &statement{
		t: t, rel: rel, tail: tail, types: make([]*schema.Type, len(rel.Columns)),
		limit: min(insertBytes, t.maxPacket-statementMargin), packet: t.maxPacket - statementMargin,
		signless: t.signless(rel),
	}
	for i := range rel.Columns {
		if rel.Written(i) {
			names = append(names, dialect.Quote(rel.Column(i).Name))
			st.types[i] = literalType(rel, i)
		}
	}
	if st.blank = blanks(rel); st.blank != nil {
		verb, st.loose = roomForLoose(t.flavor, verb)
	}
	st.head = append(wire.Begin(nil), verb+dialect.Quoted(rel.Name())+" ("+strings.Join(names, ", ")+") VALUES "...)
	return st
}

// fits tells whether a row may join those added since the last run. The size is a safe guess: escapes double a byte,
// and paths lengthen a document.
func (st *statement) fits(row db.Row) bool {
	if st.rows == 0 {
		return true
	}
	size := row.Size() + row.Size()/8 + 16*len(row)
	for i, t := range st.types {
		if t != nil && t.Kind == schema.JSON && !plainDocument(row[i]) {
			size += documentGrowth * len(row[i])
		}
	}
	return len(st.buf)+size < st.limit && st.blanks < maxBlanks
}

// huge tells whether a row is to be streamed, because it may be too large for a packet of its own: escapes double a
// byte at most, and hexadecimal does.
func (st *statement) huge(row db.Row) bool {
	return st.rows == 0 && len(st.head)+len(st.tail)+2*row.Size()+16*len(row) > st.packet && st.t.useLoadData()
}

// stream writes a huge row by LOAD DATA, whose packets need not hold a whole row. With replace a row in its way is
// removed, without it is an error.
func (st *statement) stream(ctx context.Context, w *wire.Conn, row db.Row, replace bool) error {
	plain := st.t.plainRows(st.rel, &oneRow{row: row})
	_, err := st.t.loadData(ctx, w, st.rel, plain, replace)
	if err == nil && plain.left != nil {
		err = fmt.Errorf("write row of %d bytes to %s: a row with decimals in a document, or an error value of an "+
			"enum, is too large for the target's max_allowed_packet; SET GLOBAL max_allowed_packet = %d there: %w",
			row.Size(), st.rel.Name(), roundPacket(documentGrowth*row.Size()), db.ErrUnsupported)
	}
	return err
}

// add appends a row; it refuses one that no packet can carry.
func (st *statement) add(row db.Row) error {
	if err := negativeZero(st.rel, st.signless, row); err != nil {
		return err
	}
	if st.rows == 0 {
		st.buf = append(st.buf[:0], st.head...)
	} else {
		st.buf = append(st.buf, ',')
	}
	separator := byte('(')
	for i, v := range row {
		if st.types[i] == nil {
			continue
		}
		st.buf = appendValue(append(st.buf, separator), st.types[i], v)
		separator = ','
	}
	st.buf = append(st.buf, ')')
	st.rows++
	st.blanks += countBlanks(st.blank, row)
	if st.rows == 1 && len(st.buf)+len(st.tail) > st.packet {
		return fmt.Errorf("write row of %d bytes to %s: the target's max_allowed_packet is too small; SET GLOBAL "+
			"max_allowed_packet = %d on the target, "+
			"or local_infile = ON there: %w", row.Size(), st.rel.Name(),
			roundPacket(len(st.buf)+len(st.tail)+statementMargin), db.ErrUnsupported)
	}
	return nil
}

// roundPacket returns the packet size to set for a statement of so many bytes: whole MiB.
func roundPacket(bytes int) int { return (bytes>>20 + 1) << 20 }

// run sends the rows added and begins anew.
func (st *statement) run(ctx context.Context, w *wire.Conn) (wire.Result, error) {
	st.buf = append(st.buf, st.tail...)
	expected := st.blanks
	if expected > 0 {
		loosen(st.buf[wire.Prefix:], st.t.flavor, st.loose)
	}
	st.rows, st.blanks = 0, 0
	res, err := w.ExecPacket(ctx, st.buf)
	res.Warnings = unexpected(res.Warnings, expected)
	if cap(st.buf) > 4*insertBytes { // one huge row must not stay in memory
		st.buf = nil
	}
	return res, wire.Classify(err)
}

// insert sends the rows added, if any, of an INSERT that must take every one of them.
func (st *statement) insert(ctx context.Context, w *wire.Conn) error {
	n := st.rows
	if n == 0 {
		return nil
	}
	res, err := st.run(ctx, w)
	if err == nil && (res.Affected != uint64(n) || res.Warnings != 0) { //nolint:gosec // a count
		err = fmt.Errorf("insert %s into %s: the target took %d with %s: %s: %w", count.Of(n, "row"), st.rel.Name(),
			res.Affected,
			count.Of(res.Warnings, "warning"), w.Warnings(ctx), db.ErrUnsupported)
	}
	return err
}

// oneRow is a row to be read once.
type oneRow struct {
	row  db.Row
	read bool
}

// Next implements db.Rows.
func (r *oneRow) Next() (db.Row, error) {
	if r.read {
		return nil, io.EOF
	}
	r.read = true
	return r.row, nil
}

// Close implements db.Rows.
func (r *oneRow) Close() error { return nil }
