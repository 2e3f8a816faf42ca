package binlog

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"strconv"

	"wherry/pkg/db/canon"

	protocol "github.com/go-mysql-org/go-mysql/mysql"
)

// MySQL keeps JSON in a binary format (mysql-server sql-common/json_binary.h). It is written here as the server itself
// prints it (sql-common/json_dom.cc, Json_wrapper::to_string), so that the text equals that of SELECT. A value is a
// type byte and its data. An object's or array's data are: number of members, size in bytes, for each key its offset
// and length, for each value its type and its offset (or the value itself if it is small), then keys and values.

// Types of values in the binary format.
const (
	jsonSmallObject = 0x00
	jsonLargeObject = 0x01
	jsonSmallArray  = 0x02
	jsonLargeArray  = 0x03
	jsonLiteral     = 0x04
	jsonInt16       = 0x05
	jsonUint16      = 0x06
	jsonInt32       = 0x07
	jsonUint32      = 0x08
	jsonInt64       = 0x09
	jsonUint64      = 0x0a
	jsonDouble      = 0x0b
	jsonString      = 0x0c
	jsonOpaque      = 0x0f
)

// jsonDepth is the deepest nesting that servers accept (JSON_DOCUMENT_MAX_DEPTH), and a little more.
const jsonDepth = 110

var errJSON = errors.New("invalid JSON document in the row image")

// appendJSON writes a document's text. An empty document is what a server stores in place of NULL in a NOT NULL
// column, and prints as null. Bare is how servers print whole doubles that are not told from integers; see
// dialect.Flavor.PrintsBareDoubles.
func appendJSON(dst, document []byte, bare bool) ([]byte, error) {
	if len(document) == 0 {
		return append(dst, "null"...), nil
	}
	return jsonAppend(dst, document[0], document[1:], bare, 0)
}

// jsonAppend writes the value of a type whose bytes begin at the start of data.
func jsonAppend(dst []byte, kind byte, data []byte, bare bool, depth int) ([]byte, error) {
	if depth > jsonDepth {
		return nil, errJSON
	}
	switch kind {
	case jsonSmallObject, jsonLargeObject, jsonSmallArray, jsonLargeArray:
		return jsonAppendContainer(dst, kind, data, bare, depth)
	case jsonString:
		text, ok := jsonText(data)
		if !ok {
			return nil, errJSON
		}
		return canon.AppendJSONString(dst, text), nil
	case jsonOpaque:
		if len(data) == 0 {
			return nil, errJSON
		}
		value, ok := jsonText(data[1:])
		if !ok {
			return nil, errJSON
		}
		return jsonAppendOpaque(dst, data[0], value)
	}
	return jsonAppendScalar(dst, kind, data, bare)
}

func jsonAppendScalar(dst []byte, kind byte, data []byte, bare bool) ([]byte, error) {
	width := jsonWidth(kind)
	if width == 0 || len(data) < width {
		return nil, errJSON
	}
	data = data[:width]
	switch kind {
	case jsonLiteral:
		switch data[0] {
		case 0:
			return append(dst, "null"...), nil
		case 1:
			return append(dst, "true"...), nil
		case 2:
			return append(dst, "false"...), nil
		default:
			return nil, errJSON
		}
	case jsonDouble:
		v := math.Float64frombits(binary.LittleEndian.Uint64(data))
		if bare {
			return canon.AppendDouble(dst, v), nil
		}
		return canon.AppendJSONDouble(dst, v), nil
	default:
		return decodeAppendInt(dst, data, kind == jsonUint16 || kind == jsonUint32 || kind == jsonUint64), nil
	}
}

// jsonWidth returns the bytes of a scalar, or 0 when it has no fixed width.
func jsonWidth(kind byte) int {
	switch kind {
	case jsonLiteral:
		return 1
	case jsonInt16, jsonUint16:
		return 2
	case jsonInt32, jsonUint32:
		return 4
	case jsonInt64, jsonUint64, jsonDouble:
		return 8
	default:
		return 0
	}
}

// jsonContainer is an object or array: offsets in it count from the start of data.
type jsonContainer struct {
	data   []byte
	count  int
	wide   int // bytes of counts and offsets: 2 small, 4 large
	object bool
}

// jsonOpen reads the head of an object or array: number of members and size in bytes. ok is false when either does
// not fit into the data: no member is looked at then.
func jsonOpen(kind byte, data []byte) (c jsonContainer, ok bool) {
	c = jsonContainer{data: data, wide: 2, object: kind == jsonSmallObject || kind == jsonLargeObject}
	if kind == jsonLargeObject || kind == jsonLargeArray {
		c.wide = 4
	}
	if len(data) < 2*c.wide {
		return c, false
	}
	count, size := decodeUint64(data[:c.wide]), decodeUint64(data[c.wide:2*c.wide])
	if size > uint64(len(data)) || count > size {
		return c, false
	}
	c.count, c.data = int(count), data[:size] //nolint:gosec // bounded above
	// Each value has an entry of type and offset, and each key one of offset and length.
	entries := c.count * (1 + c.wide)
	if c.object {
		entries += c.count * (2 + c.wide)
	}
	return c, 2*c.wide+entries <= len(c.data)
}

// key returns the name of member i; ok is false when it does not lie within the container.
func (c *jsonContainer) key(i int) (key []byte, ok bool) {
	entry := c.data[2*c.wide+i*(2+c.wide):]
	offset, n := decodeUint64(entry[:c.wide]), decodeUint64(entry[c.wide:c.wide+2])
	if offset+n > uint64(len(c.data)) {
		return nil, false
	}
	return c.data[offset : offset+n], true
}

// value returns the type of a member, and its bytes with what follows them. Small values lie in the entry itself.
func (c *jsonContainer) value(i int) (kind byte, data []byte, ok bool) {
	at := 2*c.wide + i*(1+c.wide)
	if c.object {
		at += c.count * (2 + c.wide)
	}
	kind = c.data[at]
	if w := jsonWidth(kind); w > 0 && w <= c.wide {
		return kind, c.data[at+1 : at+1+c.wide], true
	}
	offset := decodeUint64(c.data[at+1 : at+1+c.wide])
	if offset >= uint64(len(c.data)) {
		return 0, nil, false
	}
	return kind, c.data[offset:], true
}

func jsonAppendContainer(dst []byte, kind byte, data []byte, bare bool, depth int) ([]byte, error) {
	c, ok := jsonOpen(kind, data)
	if !ok {
		return nil, errJSON
	}
	brackets := "[]"
	if c.object {
		brackets = "{}"
	}
	dst = append(dst, brackets[0])
	for i := range c.count {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if c.object {
			key, ok := c.key(i)
			if !ok {
				return nil, errJSON
			}
			dst = append(canon.AppendJSONString(dst, key), ": "...)
		}
		kind, value, ok := c.value(i)
		if !ok {
			return nil, errJSON
		}
		var err error
		if dst, err = jsonAppend(dst, kind, value, bare, depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, brackets[1]), nil
}

// jsonText reads bytes behind a length of 7 bits per byte, low bits first, the top bit telling that another byte
// follows.
func jsonText(data []byte) ([]byte, bool) {
	length := uint64(0)
	for i := 0; i < len(data) && i < 5; i++ {
		length |= uint64(data[i]&0x7f) << (7 * i)
		if data[i]&0x80 == 0 {
			rest := data[i+1:]
			if length > uint64(len(rest)) {
				return nil, false
			}
			return rest[:length], true
		}
	}
	return nil, false
}

// jsonAppendOpaque writes a value of a column type that JSON does not have, such as the decimal in
// JSON_ARRAY(CAST(1.5 AS DECIMAL(3,1))). Decimals and times have texts of their own. Everything else is
// "base64:typeN:..", N being MySQL's number of the type.
func jsonAppendOpaque(dst []byte, column byte, value []byte) ([]byte, error) {
	switch column {
	case protocol.MYSQL_TYPE_NEWDECIMAL:
		if len(value) < 3 || value[0] == 0 || value[0] > 65 || value[1] > value[0] ||
			len(value)-2 != decimalWidth(int(value[0]), int(value[1])) {
			return nil, errJSON
		}
		return decodeAppendDecimal(dst, value[2:], int(value[0]), int(value[1]))
	case protocol.MYSQL_TYPE_DATE, protocol.MYSQL_TYPE_NEWDATE, protocol.MYSQL_TYPE_TIME,
		protocol.MYSQL_TYPE_DATETIME, protocol.MYSQL_TYPE_TIMESTAMP:
		if len(value) != 8 {
			return nil, errJSON
		}
		return jsonAppendTemporal(dst, column, int64(binary.LittleEndian.Uint64(value))), nil //nolint:gosec // signed
	default:
		dst = append(dst, `"base64:type`...)
		dst = append(strconv.AppendUint(dst, uint64(column), 10), ':')
		return append(jsonAppendBase64(dst, value), '"'), nil
	}
}

// jsonAppendBase64 breaks lines as the server does (mysys/base64.cc), the breaks escaped.
func jsonAppendBase64(dst, value []byte) []byte {
	const line = 76 / 4 * 3
	for len(value) > line {
		dst = base64.StdEncoding.AppendEncode(dst, value[:line])
		dst = append(dst, `\n`...)
		value = value[line:]
	}
	return base64.StdEncoding.AppendEncode(dst, value)
}

// jsonAppendTemporal writes a packed date or time, which has 24 bits of microseconds.
func jsonAppendTemporal(dst []byte, column byte, v int64) []byte {
	dst = append(dst, '"')
	negative := v < 0
	if negative {
		v = -v
	}
	micros, whole := int(v&(1<<24-1)), uint64(v>>24) //nolint:gosec // not negative
	if column == protocol.MYSQL_TYPE_TIME {
		if negative {
			dst = append(dst, '-')
		}
		dst = canon.AppendClock(dst, int(whole>>12&1023), int(whole>>6&63), int(whole&63)) //nolint:gosec // few bits
	} else {
		at := len(dst)
		dst = appendDatetime2(dst, whole)
		if column == protocol.MYSQL_TYPE_DATE || column == protocol.MYSQL_TYPE_NEWDATE {
			return append(dst[:at+len("2006-01-02")], '"')
		}
	}
	return append(canon.AppendDigits(append(dst, '.'), micros, 6), '"')
}
