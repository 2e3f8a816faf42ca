package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"wherry/pkg/db/canon"
	"wherry/pkg/schema"
)

// view is a value's bytes as text, for functions that keep none of it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// unknown writes what a field holds that no source column can be: it is equal to nothing there.
func unknown(dst, field []byte) ([]byte, error) { return fmt.Appendf(dst, "?%x", field), nil }

// integer is a number of 2, 4 or 8 bytes.
func integer(value *schema.Type, size int, oid uint32) (Codec, bool) {
	c := Codec{OID: oid}
	switch value.Kind {
	case schema.Integer:
		c.Encode, c.Decode = encodeInteger(size), decodeInteger
	case schema.Decimal:
		c.Encode, c.Decode = encodeInteger(size), decodeInteger
		return c, value.Scale == 0
	case schema.Year:
		c.Encode = encodeInteger(size)
		c.Decode = func(dst, field []byte) ([]byte, error) {
			n, ok := number(field)
			if !ok || n < 0 || n > 9999 {
				return unknown(dst, field)
			}
			return canon.AppendDigits(dst, int(n), 4), nil
		}
	case schema.Bit:
		c.Encode, c.Decode = encodeBitNumber(size), decodeBitNumber((value.Size+7)/8)
	default:
		return c, false
	}
	return c, true
}

func encodeInteger(size int) Func {
	return func(dst, v []byte) ([]byte, error) {
		n, err := strconv.ParseInt(view(v), 10, 8*size)
		if err != nil {
			return nil, beyond(v, size)
		}
		return appendInteger(dst, n, size), nil
	}
}

func beyond(v []byte, size int) error {
	return &ValueError{
		Why: fmt.Sprintf("%s is not within %d bytes", v, size),
		Fix: "give the column a larger type on the target",
	}
}

func appendInteger(dst []byte, n int64, size int) []byte {
	switch size {
	case 2:
		return binary.BigEndian.AppendUint16(dst, uint16(n)) //nolint:gosec // within its range
	case 4:
		return binary.BigEndian.AppendUint32(dst, uint32(n)) //nolint:gosec // within its range
	default:
		return binary.BigEndian.AppendUint64(dst, uint64(n)) //nolint:gosec // two's complement
	}
}

// number reads an integer of any size.
func number(field []byte) (n int64, ok bool) {
	switch len(field) {
	case 2:
		return int64(int16(binary.BigEndian.Uint16(field))), true //nolint:gosec // two's complement
	case 4:
		return int64(int32(binary.BigEndian.Uint32(field))), true //nolint:gosec // two's complement
	case 8:
		return int64(binary.BigEndian.Uint64(field)), true //nolint:gosec // two's complement
	default:
		return 0, false
	}
}

func decodeInteger(dst, field []byte) ([]byte, error) {
	n, ok := number(field)
	if !ok {
		return unknown(dst, field)
	}
	return strconv.AppendInt(dst, n, 10), nil
}

// encodeBitNumber reads the bytes of a BIT column as a number.
func encodeBitNumber(size int) Func {
	return func(dst, v []byte) ([]byte, error) {
		var n uint64
		for _, b := range v {
			n = n<<8 | uint64(b)
		}
		if n > 1<<(8*size-1)-1 {
			return nil, beyond(strconv.AppendUint(nil, n, 10), size)
		}
		return appendInteger(dst, int64(n), size), nil //nolint:gosec // within its range
	}
}

func decodeBitNumber(width int) Func {
	return func(dst, field []byte) ([]byte, error) {
		n, ok := number(field)
		if !ok || n < 0 || width < 8 && n>>(8*width) != 0 {
			return unknown(dst, field)
		}
		for i := width - 1; i >= 0; i-- {
			dst = append(dst, byte(n>>(8*i)))
		}
		return dst, nil
	}
}

// float is a real or a double precision. Canonical bytes of a FLOAT are those of the double that it is.
func float(value *schema.Type, size int, oid uint32) (Codec, bool) {
	if value.Kind != schema.Float && (value.Kind != schema.Double || size != 8) {
		return Codec{}, false
	}
	return Codec{OID: oid, Encode: encodeFloat(size), Decode: decodeFloat}, true
}

func encodeFloat(size int) Func {
	return func(dst, v []byte) ([]byte, error) {
		f, err := strconv.ParseFloat(view(v), 64)
		if err != nil {
			return nil, &ValueError{Why: fmt.Sprintf("%s is no number", v)}
		}
		if size == 8 {
			return binary.BigEndian.AppendUint64(dst, math.Float64bits(f)), nil
		}
		if float64(float32(f)) != f {
			return nil, &ValueError{Why: fmt.Sprintf("%s is not exact in 4 bytes", v)}
		}
		return binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(f))), nil
	}
}

func decodeFloat(dst, field []byte) ([]byte, error) {
	switch len(field) {
	case 4:
		return canon.AppendDouble(dst, float64(math.Float32frombits(binary.BigEndian.Uint32(field)))), nil
	case 8:
		return canon.AppendDouble(dst, math.Float64frombits(binary.BigEndian.Uint64(field))), nil
	default:
		return unknown(dst, field)
	}
}

// boolean holds 0 and 1, and nothing else.
func boolean(value *schema.Type) (Codec, bool) {
	zero, one := byte('0'), byte('1')
	switch {
	case value.Kind == schema.Bit && value.Size == 1:
		zero, one = 0, 1
	case value.Kind != schema.Integer:
		return Codec{}, false
	}
	return Codec{
		OID: oidBool,
		Encode: func(dst, v []byte) ([]byte, error) {
			if len(v) != 1 || v[0] != zero && v[0] != one {
				return nil, &ValueError{
					Why: fmt.Sprintf("%q is neither 0 nor 1", v),
					Fix: "give the column type smallint on the target",
				}
			}
			return append(dst, v[0]-zero), nil
		},
		Decode: func(dst, field []byte) ([]byte, error) {
			if len(field) != 1 || field[0] > 1 {
				return unknown(dst, field)
			}
			return append(dst, zero+field[0]), nil
		},
	}, true
}
