package binlog

import (
	"encoding/binary"
	"slices"

	protocol "github.com/go-mysql-org/go-mysql/mysql"
)

// logReader reads the fields of an event. After a read beyond the end it only yields zeros, and bad is set: so a
// function reads all of its fields and checks once.
type logReader struct {
	data []byte
	bad  bool
}

// bytes returns the next n bytes as a view into the event.
func (r *logReader) bytes(n int) []byte {
	if n < 0 || n > len(r.data) {
		r.bad, r.data = true, nil
		return nil
	}
	out := r.data[:n]
	r.data = r.data[n:]
	return out
}

// uint reads n bytes, low byte first.
func (r *logReader) uint(n int) uint64 { return decodeUint64(r.bytes(n)) }

// packed reads a length-encoded integer: one byte up to 250, or a byte that says how many follow.
func (r *logReader) packed() uint64 {
	first := r.uint(1)
	switch {
	case first < 0xfb:
		return first
	case first == 0xfc:
		return r.uint(2)
	case first == 0xfd:
		return r.uint(3)
	case first == 0xfe:
		return r.uint(8)
	default:
		r.bad = true
		return 0
	}
}

// packedBytes reads a length-encoded string.
func (r *logReader) packedBytes() []byte {
	n := r.packed()
	if n > uint64(len(r.data)) {
		r.bad = true
		return nil
	}
	return r.bytes(int(n)) //nolint:gosec // bounded above
}

// tableMap is a TABLE_MAP event: which table a number stands for until the statement ends, and the types of its
// columns. Names and types are views into the event.
type tableMap struct {
	id              uint64
	database, table []byte
	rest            []byte // what describes the columns, see columns
}

// parseTableMap reads a TABLE_MAP event: number, flags, and database and table each as length, bytes and a zero byte;
// then the columns.
func parseTableMap(body []byte, idSize int) (m tableMap, ok bool) {
	r := logReader{data: body}
	m.id = r.uint(idSize)
	r.bytes(2) // flags
	m.database = r.bytes(int(r.uint(1)))
	r.bytes(1)
	m.table = r.bytes(int(r.uint(1)))
	r.bytes(1)
	m.rest = r.data
	return m, !r.bad
}

// mapColumns is how a table map describes columns.
type mapColumns struct {
	types    []byte
	meta     []uint16
	names    [][]byte // nil unless binlog_row_metadata=FULL
	unsigned []byte   // one bit per numeric column from the top bit down; nil when it is not in the event
}

// Kinds of optional metadata (mysql-server libs/mysql/binlog/event/rows_event.h, Optional_metadata_field_type).
const (
	mapSignedness = 1
	mapNames      = 4
)

// columns reads the description of the columns: their number, a type byte for each, metadata, a bitmap of those that
// may be NULL, and optional fields. Which optional fields there are is up to binlog_row_metadata. The sign of numbers
// is always sent by MySQL 8.0, and names only with FULL.
func (m *tableMap) columns() (c mapColumns, ok bool) {
	r := logReader{data: m.rest}
	count := r.packed()
	if count > 4096+64 { // more than any server allows
		return c, false
	}
	c.types = r.bytes(int(count)) //nolint:gosec // bounded above
	meta := logReader{data: r.packedBytes()}
	c.meta = make([]uint16, len(c.types))
	for i, t := range c.types {
		c.meta[i] = mapMeta(&meta, t)
	}
	r.bytes((int(count) + 7) / 8) //nolint:gosec // bounded above
	if r.bad || meta.bad {
		return c, false
	}
	for len(r.data) > 0 && !r.bad {
		kind, value := r.uint(1), r.packedBytes()
		switch kind {
		case mapSignedness:
			c.unsigned = value
		case mapNames:
			names := logReader{data: value}
			for len(names.data) > 0 {
				c.names = append(c.names, names.bytes(int(names.uint(1))))
			}
		}
	}
	return c, !r.bad
}

// mapMeta reads a type's metadata (mysql-server, Table_map_event, "Column metadata").
func mapMeta(r *logReader, t byte) uint16 {
	switch t {
	case protocol.MYSQL_TYPE_STRING, protocol.MYSQL_TYPE_NEWDECIMAL, protocol.MYSQL_TYPE_ENUM, protocol.MYSQL_TYPE_SET:
		if b := r.bytes(2); b != nil {
			return binary.BigEndian.Uint16(b)
		}
		return 0
	case protocol.MYSQL_TYPE_VARCHAR, protocol.MYSQL_TYPE_VAR_STRING, protocol.MYSQL_TYPE_BIT:
		return uint16(r.uint(2))
	case protocol.MYSQL_TYPE_FLOAT, protocol.MYSQL_TYPE_DOUBLE, protocol.MYSQL_TYPE_BLOB, protocol.MYSQL_TYPE_GEOMETRY,
		protocol.MYSQL_TYPE_JSON, protocol.MYSQL_TYPE_VECTOR,
		protocol.MYSQL_TYPE_TIME2, protocol.MYSQL_TYPE_DATETIME2, protocol.MYSQL_TYPE_TIMESTAMP2,
		mapBlobCompressed:
		return uint16(r.uint(1))
	case mapVarcharCompressed:
		return uint16(r.uint(2))
	default:
		return 0
	}
}

// MariaDB's types of columns with the COMPRESSED attribute.
const (
	mapBlobCompressed    = 140
	mapVarcharCompressed = 141
)

// isUnsigned tells what the map says of a column's sign; known is false when it says nothing. Only numeric columns have
// a bit, so the column's number among them counts.
func (c *mapColumns) isUnsigned(column int) (yes, known bool) {
	if c.unsigned == nil || !mapNumeric(c.types[column]) {
		return false, false
	}
	at := 0
	for _, t := range c.types[:column] {
		if mapNumeric(t) {
			at++
		}
	}
	if at/8 >= len(c.unsigned) {
		return false, false
	}
	return c.unsigned[at/8]&(0x80>>(at%8)) != 0, true
}

func mapNumeric(t byte) bool {
	return slices.Contains([]byte{
		protocol.MYSQL_TYPE_TINY, protocol.MYSQL_TYPE_SHORT, protocol.MYSQL_TYPE_INT24, protocol.MYSQL_TYPE_LONG,
		protocol.MYSQL_TYPE_LONGLONG, protocol.MYSQL_TYPE_NEWDECIMAL, protocol.MYSQL_TYPE_FLOAT,
		protocol.MYSQL_TYPE_DOUBLE,
		protocol.MYSQL_TYPE_YEAR,
	}, t)
}
