package binlog

import (
	"errors"
	"fmt"
	"math/bits"

	protocol "github.com/go-mysql-org/go-mysql/mysql"

	"wherry/pkg/db"
)

// Row images are decoded straight to canonical bytes: the same bytes that SELECT yields. Values of many rows share
// blocks of memory, so that a row costs a fraction of an allocation.

const (
	// decodeBlock bounds the block that values share: what one kept row can keep alive besides itself.
	decodeBlock = 64 << 10
	// decodeSlots bounds the block that the values of rows point from, likewise.
	decodeSlots = 2048
)

// errImage is a row image that ends early or holds an impossible value: the log is damaged or a table map is not its
// own.
var errImage = errors.New("invalid row image")

// decoder holds the blocks that rows are decoded into. Its zero value is ready.
type decoder struct {
	arena []byte
	slots [][]byte
	spare []byte // for values that are parsed over
}

// reserve makes room for a row of about size bytes, of which about rows follow. Rows of one block are freed together: a
// large block would stay in memory as long as one of its rows does.
func (d *decoder) reserve(size, rows, columns int) {
	size = max(size, 1) // an empty value is a slice of something: nil would be NULL
	if cap(d.arena)-len(d.arena) < size {
		d.arena = make([]byte, 0, max(size, min(size*(rows+1), decodeBlock)))
	}
	if cap(d.slots)-len(d.slots) < columns {
		d.slots = make([][]byte, 0, max(columns, min(columns*(rows+1), decodeSlots)))
	}
}

// row takes n values from the slots. The capacity is cut, so that an append to one row cannot write into the next.
func (d *decoder) row(n int) db.Row {
	at := len(d.slots)
	d.slots = d.slots[:at+n]
	return d.slots[at : at+n : at+n]
}

// image decodes one row image at the start of data and returns the row and the rest of data. present are the columns
// that it has, a bit each; nil: all. rows is about how many images of this size follow. partial is nil but for
// updates that may hold JSON as differences.
func (t *decodeTable) image(
	d *decoder, data, present []byte, partial *partialImages, rows int,
) (row db.Row, rest []byte, err error) {
	count := len(t.columns)
	if present != nil {
		count = countBits(present, count)
	}
	nulls := (count + 7) / 8
	if len(data) < nulls {
		return nil, nil, errImage
	}
	nullBits, data := data[:nulls], data[nulls:]
	d.reserve(t.estimate, rows, t.kept)
	row = d.row(t.kept)
	began := len(data)
	at, refused := -1, -1 // among the columns that the image has; among those of the row
	for i := range t.columns {
		c := &t.columns[i]
		lacks := present != nil && !hasBit(present, i)
		if !lacks {
			at++
		}
		if lacks || hasBit(nullBits, at) {
			if c.out >= 0 {
				row[c.out] = nil
			}
			continue
		}
		into := d.arena
		if c.out < 0 || c.reads {
			into = d.spare[:0]
		}
		from := len(into)
		if partial != nil && c.document >= 0 {
			into, data, err = c.appendPartial(into, data, partial)
		} else {
			into, data, err = c.append(into, data)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("decode column %s: %w", c.name, err)
		}
		if c.out < 0 || c.reads {
			d.spare = into
			if c.out < 0 {
				continue
			}
			if t.reading.Null(d.spare, c.out) {
				row[c.out] = nil
				continue
			}
			from = len(d.arena)
			var good bool
			if into, good = t.reading.Append(d.arena, d.spare, c.out); !good {
				into = append(d.arena, d.spare...) // for the error
				refused = c.out
			}
		}
		d.arena = into
		row[c.out] = into[from:len(into):len(into)]
	}
	if refused >= 0 {
		return nil, nil, t.reading.Refuse(row, refused)
	}
	t.learn(began - len(data))
	return row, data, nil
}

// learn keeps the estimate of a row's text near what images of this table need. Text is up to three times as long as
// the image (an INT of 4 bytes has up to 11 characters), on average less. The estimate rises at once and falls slowly:
// too small costs another block, too large some memory.
func (t *decodeTable) learn(size int) {
	want := min(size+size/2+4*t.kept+16, decodeBlock)
	t.estimate += (want - t.estimate) / 8
	if t.estimate < want {
		t.estimate = want
	}
}

// append decodes the value at the start of data. It never returns a nil value: nil would be NULL.
func (c *decodeColumn) append(dst, data []byte) (_, rest []byte, err error) {
	switch c.kind {
	case decodeVar, decodePacked, decodeBinary, decodeUUID, decodeINET4, decodeINET6, decodeJSON:
		return c.appendVar(dst, data)
	default:
	}
	if len(data) < c.width {
		return nil, nil, errImage
	}
	value, rest := data[:c.width], data[c.width:]
	switch c.kind {
	case decodeInt, decodeUint:
		dst = decodeAppendInt(dst, value, c.kind == decodeUint)
	case decodeDecimal:
		dst, err = decodeAppendDecimal(dst, value, c.size, c.scale)
	case decodeFloat, decodeDouble:
		dst = decodeAppendReal(dst, value)
	case decodeRaw:
		dst = append(dst, value...)
	case decodeEnum, decodeSet:
		dst, err = c.appendLabels(dst, decodeUint64(value))
	default:
		dst, err = c.appendTemporal(dst, value)
	}
	return dst, rest, err
}

// appendVar decodes a value behind its length. BINARY(n) is logged without its trailing zeros, which SELECT prints:
// they are restored.
func (c *decodeColumn) appendVar(dst, data []byte) (_, rest []byte, err error) {
	n, size, ok := decodeLength(data, c.prefix)
	if !ok {
		return nil, nil, errImage
	}
	value, rest := data[size:size+n], data[size+n:]
	switch c.kind {
	case decodeJSON:
		dst, err = appendJSON(dst, value, c.bare)
	case decodePacked:
		dst, err = c.inflater.append(dst, value)
	case decodeUUID, decodeINET4, decodeINET6:
		dst, err = c.appendFixed(dst, value)
	case decodeBinary:
		dst = append(dst, value...)
		for ; n < c.size; n++ {
			dst = append(dst, 0)
		}
	default:
		dst = append(dst, value...)
	}
	return dst, rest, err
}

// appendLabels writes an enum's label or a set's labels. An enum is logged as the number of its label from 1, 0 being
// the error value, which prints as ”. A set is a bit per label. A number beyond the labels means that the table had
// another definition at this place.
func (c *decodeColumn) appendLabels(dst []byte, v uint64) ([]byte, error) {
	if c.out < 0 || v == 0 {
		return dst, nil
	}
	if c.kind == decodeEnum {
		if v > uint64(len(c.labels)) {
			return nil, fmt.Errorf("%w: schema at this position differs, enum value %d of %d",
				db.ErrUnsupported, v, len(c.labels))
		}
		return append(dst, c.labels[v-1]...), nil
	}
	if bits.Len64(v) > len(c.labels) {
		return nil, fmt.Errorf("%w: schema at this position differs, set bits %#x of %d members",
			db.ErrUnsupported, v, len(c.labels))
	}
	for i := 0; v != 0; i, v = i+1, v>>1 {
		if v&1 == 0 {
			continue
		}
		dst = append(dst, c.labels[i]...)
		if v > 1 {
			dst = append(dst, c.comma...)
		}
	}
	return dst, nil
}

// decodeLength reads a length of prefix bytes and checks that so much data follows. A damaged length would otherwise
// read beyond the event, into the next one.
func decodeLength(data []byte, prefix int) (n, size int, ok bool) {
	if len(data) < prefix {
		return 0, 0, false
	}
	v := decodeUint64(data[:prefix])
	return int(v), prefix, v <= uint64(len(data)-prefix) //nolint:gosec // bounded by the comparison
}

// decodeUint64 reads up to 8 bytes, low byte first.
func decodeUint64(data []byte) uint64 {
	var v uint64
	for i := len(data) - 1; i >= 0; i-- {
		v = v<<8 | uint64(data[i])
	}
	return v
}

// decodeBig reads up to 8 bytes, high byte first.
func decodeBig(data []byte) uint64 {
	var v uint64
	for _, b := range data {
		v = v<<8 | uint64(b)
	}
	return v
}

// decodeInflate undoes MariaDB's log_bin_compress. The first byte says in its low three bits how many bytes the
// length has.
func decodeInflate(data []byte) (_ []byte, err error) {
	if len(data) < 2 || len(data) < 1+int(data[0]&7) {
		return nil, errImage
	}
	return protocol.DecompressMariadbData(data)
}
