package binlog

import (
	"bytes"
	"fmt"
	"strings"

	protocol "github.com/go-mysql-org/go-mysql/mysql"

	"wherry/pkg/db"
	"wherry/pkg/db/canon"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// decodeKind says how a column's value is read from a row image and written as canonical bytes.
type decodeKind uint8

const (
	decodeInt decodeKind = iota
	decodeUint
	decodeDecimal
	decodeFloat
	decodeDouble
	decodeRaw    // width bytes as they are
	decodeVar    // bytes behind a length
	decodeBinary // likewise, trailing zeros restored
	decodePacked // likewise, with a byte before that tells how they are compressed
	decodeUUID
	decodeINET4
	decodeINET6
	decodeJSON
	decodeEnum
	decodeSet
	decodeDate
	decodeYear
	decodeTime
	decodeDatetime
	decodeTimestamp
	decodeTime2
	decodeDatetime2
	decodeTimestamp2
)

// decodeColumn is one column of a row image.
type decodeColumn struct {
	name      string
	out       int // position in the row, or -1 to parse over
	generated bool
	reads     bool // see canon.Reading
	kind      decodeKind
	width     int // bytes of the value, where fixed
	prefix    int // bytes of the length, where not
	size      int // precision of a decimal, bytes of a binary
	scale     int // of a decimal, fractional digits of temporal types
	document  int // number among the table's JSON columns, or -1
	labels    [][]byte
	comma     []byte
	bare      bool      // see appendJSON
	inflater  *inflater // of compressed columns
}

// decodeTable decodes the row images of one table map.
type decodeTable struct {
	route     *route.Route
	columns   []decodeColumn
	kept      int
	documents int // JSON columns
	reading   *canon.Reading
	described []byte // the part of the table map that it was made from
	estimate  int    // bytes of a row's text
}

// newDecodeTable matches a table map with the source of a route. Columns are matched by their order, because names are
// in the log only with binlog_row_metadata=FULL; if they are, they must agree. That finds two columns of one type that
// were exchanged.
func newDecodeTable(r *route.Route, m *tableMap) (*decodeTable, error) {
	source := r.Source.Table
	mapped, ok := m.columns()
	if !ok {
		return nil, fmt.Errorf("read table map of %s: %w", source.Name, errImage)
	}
	if len(mapped.types) != len(source.Columns) {
		return nil, decodeDiffers(source.Name,
			fmt.Sprintf("%d columns in the log, %d in the table", len(mapped.types), len(source.Columns)))
	}
	t := &decodeTable{
		route: r, columns: make([]decodeColumn, len(mapped.types)), kept: len(r.Source.Columns),
		described: bytes.Clone(m.rest),
	}
	for i := range t.columns {
		t.columns[i] = decodeColumn{
			name: source.Columns[i].Name, out: -1, document: -1,
			bare:      dialect.Flavor(source.Flavor).PrintsBareDoubles(),
			generated: source.Columns[i].Generated != schema.NotGenerated,
		}
		if mapped.names != nil &&
			(i >= len(mapped.names) || !strings.EqualFold(string(mapped.names[i]), source.Columns[i].Name)) {
			return nil, decodeDiffers(source.Name, fmt.Sprintf("column %d is not %s in the log", i+1,
				source.Columns[i].Name))
		}
	}
	reading, err := canon.NewReading(&r.Source)
	if err != nil {
		return nil, err
	}
	t.reading = reading
	for out, i := range r.Source.Columns {
		t.columns[i].out, t.columns[i].reads = out, reading.Changes(out)
	}
	for i := range t.columns {
		c := &t.columns[i]
		if !c.layout(mapped.types[i], mapped.meta[i]) {
			return nil, decodeDiffers(source.Name,
				fmt.Sprintf("column %s has a type %d unknown to this version", c.name, mapped.types[i]))
		}
		if c.kind == decodeJSON {
			c.document = t.documents
			t.documents++
		}
		if c.out < 0 {
			if c.kind == decodeJSON {
				c.kind = decodeVar
			}
			continue
		}
		if err := c.match(&source.Columns[i].Type); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", source.Name, c.name, err)
		}
		if unsigned, known := mapped.isUnsigned(i); known && unsigned != source.Columns[i].Type.Unsigned &&
			c.kind != decodeYear {
			return nil, decodeDiffers(source.Name, fmt.Sprintf("column %s has another sign in the log", c.name))
		}
	}
	return t, nil
}

// without tells whether images that have only the columns of bits lack values of the rows that are only compared. It
// is an error when they lack what a row cannot do without. MariaDB 11.8 leaves every generated column out of what an
// UPDATE or DELETE writes, whatever binlog_row_image says (seen on 11.8.9): the target computes its own.
func (t *decodeTable) without(bits []byte) (lacks bool, err error) {
	source := &t.route.Source
	for i := range t.columns {
		c := &t.columns[i]
		switch {
		case hasBit(bits, i) || c.generated && c.out < 0:
		case c.generated && c.out >= len(source.Columns)-source.Computed:
			lacks = true
		case c.generated:
			return false, fmt.Errorf("%w: rows of %s lack generated column %s, which is part of the key: "+
				"%s leaves it out of the log; give the table a primary key over other columns, or exclude it",
				db.ErrUnsupported, source.Name(), c.name, dialect.Flavor(source.Table.Flavor))
		default:
			return false, fmt.Errorf("%w: rows of %s lack column %s, a session writes with binlog_row_image other "+
				"than FULL",
				db.ErrUnsupported, source.Name(), c.name)
		}
	}
	return lacks, nil
}

// countBits counts which of the first n columns are in an image.
func countBits(bits []byte, n int) (set int) {
	for i := range n {
		if hasBit(bits, i) {
			set++
		}
	}
	return set
}

// decodeDiffers is the error about a table that had another definition at this place of the log than the route knows.
func decodeDiffers(table schema.Name, what string) error {
	return &db.CopyAgain{
		Tables: []schema.Name{table},
		Why:    fmt.Sprintf("%s: the schema at this position of the log differs, %s", table, what),
	}
}

// layout sets how many bytes a value takes and what its type alone tells. It returns false for an unknown type. Also
// columns that are not kept need it: values stand one behind the other, without their lengths.
func (c *decodeColumn) layout(t byte, meta uint16) bool {
	switch t {
	case protocol.MYSQL_TYPE_TINY:
		c.kind, c.width = decodeInt, 1
	case protocol.MYSQL_TYPE_SHORT:
		c.kind, c.width = decodeInt, 2
	case protocol.MYSQL_TYPE_INT24:
		c.kind, c.width = decodeInt, 3
	case protocol.MYSQL_TYPE_LONG:
		c.kind, c.width = decodeInt, 4
	case protocol.MYSQL_TYPE_LONGLONG:
		c.kind, c.width = decodeInt, 8
	case protocol.MYSQL_TYPE_FLOAT:
		c.kind, c.width = decodeFloat, 4
	case protocol.MYSQL_TYPE_DOUBLE:
		c.kind, c.width = decodeDouble, 8
	case protocol.MYSQL_TYPE_NEWDECIMAL:
		c.kind, c.size, c.scale = decodeDecimal, int(meta>>8), int(meta&0xff)
		if c.size < 1 || c.size > 65 || c.scale > c.size {
			return false
		}
		c.width = decimalWidth(c.size, c.scale)
	case protocol.MYSQL_TYPE_BIT:
		c.kind, c.width = decodeRaw, (int(meta>>8)*8+int(meta&0xff)+7)/8
	case protocol.MYSQL_TYPE_VARCHAR, protocol.MYSQL_TYPE_VAR_STRING:
		c.kind, c.prefix, c.size = decodeVar, 1, int(meta)
		if meta > 255 {
			c.prefix = 2
		}
	case mapVarcharCompressed:
		// the length counts the byte before
		c.kind, c.prefix, c.size, c.inflater = decodePacked, 1, int(meta)-1, &inflater{}
		if meta > 255 {
			c.prefix = 2
		}
		return meta > 0
	case mapBlobCompressed:
		c.kind, c.prefix, c.inflater = decodePacked, int(meta), &inflater{}
		return meta >= 1 && meta <= 4
	case protocol.MYSQL_TYPE_BLOB, protocol.MYSQL_TYPE_GEOMETRY, protocol.MYSQL_TYPE_VECTOR:
		c.kind, c.prefix = decodeVar, int(meta)
		return meta >= 1 && meta <= 4
	case protocol.MYSQL_TYPE_JSON:
		c.kind, c.prefix = decodeJSON, int(meta)
		return meta >= 1 && meta <= 4
	case protocol.MYSQL_TYPE_STRING:
		return c.layoutString(meta)
	default:
		return c.layoutTemporal(t, meta)
	}
	return true
}

// layoutString reads the metadata of CHAR, BINARY, ENUM and SET: the real type, with the upper bits of long lengths
// folded into it, and the length (mysql-server, Field_string::do_save_field_metadata).
func (c *decodeColumn) layoutString(meta uint16) bool {
	real, length := byte(meta>>8), int(meta&0xff)
	if real&0x30 != 0x30 {
		length |= int(real&0x30^0x30) << 4
		real |= 0x30
	}
	switch real {
	case protocol.MYSQL_TYPE_ENUM, protocol.MYSQL_TYPE_SET:
		c.kind, c.width = decodeEnum, length
		if real == protocol.MYSQL_TYPE_SET {
			c.kind = decodeSet
		}
		return length >= 1 && length <= 8
	case protocol.MYSQL_TYPE_STRING:
		c.kind, c.prefix, c.size = decodeBinary, 1, length
		if length > 255 {
			c.prefix = 2
		}
		return true
	default:
		return false
	}
}

// layoutTemporal reads the types of dates and times; meta is the number of fractional digits, two of which take a
// byte.
func (c *decodeColumn) layoutTemporal(t byte, meta uint16) bool {
	if meta > 6 {
		return false
	}
	switch t {
	case protocol.MYSQL_TYPE_DATE, protocol.MYSQL_TYPE_NEWDATE:
		c.kind, c.width = decodeDate, 3
	case protocol.MYSQL_TYPE_YEAR:
		c.kind, c.width = decodeYear, 1
	case protocol.MYSQL_TYPE_TIME:
		c.kind, c.width = decodeTime, 3
	case protocol.MYSQL_TYPE_DATETIME:
		c.kind, c.width = decodeDatetime, 8
	case protocol.MYSQL_TYPE_TIMESTAMP:
		c.kind, c.width = decodeTimestamp, 4
	case protocol.MYSQL_TYPE_TIME2:
		c.kind, c.width = decodeTime2, 3
	case protocol.MYSQL_TYPE_DATETIME2:
		c.kind, c.width = decodeDatetime2, 5
	case protocol.MYSQL_TYPE_TIMESTAMP2:
		c.kind, c.width = decodeTimestamp2, 4
	default:
		return false
	}
	c.scale = int(meta)
	c.width += fractionBytes(c.scale)
	return true
}
