package mysql

import (
	"context"
	"fmt"
	"strings"

	protocol "github.com/go-mysql-org/go-mysql/mysql"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// statement builds one multi-row INSERT or REPLACE in a buffer that is reused: head, rows, tail. The buffer begins with a
// packet's header, so that it is sent as it stands.
type statement struct {
	rel    *route.Relation
	types  []*schema.Type
	head   []byte
	tail   string
	buf    []byte
	rows   int
	limit  int // aimed bytes
	packet int // hard limit of the server
}

func newStatement(t *Target, rel *route.Relation, verb, tail string) *statement {
	names := make([]string, len(rel.Columns))
	st := &statement{
		rel: rel, tail: tail, types: make([]*schema.Type, len(rel.Columns)),
		limit: min(insertBytes, t.maxPacket-statementMargin), packet: t.maxPacket - statementMargin,
	}
	for i := range rel.Columns {
		names[i] = schema.Quote(rel.Column(i).Name)
		st.types[i] = &rel.Column(i).Type
	}
	st.head = append([]byte{0, 0, 0, 0, protocol.COM_QUERY}, verb+rel.Name().Quoted()+" ("+strings.Join(names, ", ")+") VALUES "...)
	return st
}

// fits tells whether a row may join those added since the last run. The size is a safe guess: escapes double a byte.
func (st *statement) fits(row db.Row) bool {
	return st.rows == 0 || len(st.buf)+row.Size()+row.Size()/8+16*len(row) < st.limit
}

// add appends a row; it refuses one that no packet can carry.
func (st *statement) add(row db.Row) error {
	if st.rows == 0 {
		st.buf = append(st.buf[:0], st.head...)
	} else {
		st.buf = append(st.buf, ',')
	}
	st.buf = append(st.buf, '(')
	for i, v := range row {
		if i > 0 {
			st.buf = append(st.buf, ',')
		}
		st.buf = appendValue(st.buf, st.types[i], v)
	}
	st.buf = append(st.buf, ')')
	st.rows++
	if st.rows == 1 && len(st.buf)+len(st.tail) > st.packet {
		return fmt.Errorf("write row of %d bytes to %s: the target's max_allowed_packet is too small; raise it above %d: %w",
			row.Size(), st.rel.Name(), len(st.buf)+statementMargin, db.ErrUnsupported)
	}
	return nil
}

// run sends the rows added and begins anew.
func (st *statement) run(ctx context.Context, w *wire) (result, error) {
	st.buf = append(st.buf, st.tail...)
	st.rows = 0
	res, err := w.execPacket(ctx, st.buf)
	if cap(st.buf) > 4*insertBytes { // one huge row must not stay in memory
		st.buf = nil
	}
	return res, classify(err)
}
