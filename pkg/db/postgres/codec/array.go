package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"

	"wherry/pkg/schema"
)

// AppendArray begins an array of n elements of a type, which may be NULL (PostgreSQL source, utils/adt/arrayfuncs.c,
// array_recv).
func AppendArray(dst []byte, element uint32, n int) []byte {
	if n == 0 {
		return append(dst, 0, 0, 0, 0, 0, 0, 0, 0, byte(element>>24), byte(element>>16), byte(element>>8),
			byte(element))
	}
	for _, x := range [...]uint32{1, 1, element, uint32(n), 1} { //nolint:gosec // rows of a statement
		dst = binary.BigEndian.AppendUint32(dst, x)
	}
	return dst
}

// elements calls f for every element of a flat array; false: it is another array, or one of them is NULL.
func elements(field []byte, element uint32, f func(v []byte)) bool {
	if len(field) < 12 || binary.BigEndian.Uint32(field[8:]) != element {
		return false
	}
	dimensions := binary.BigEndian.Uint32(field)
	if dimensions == 0 {
		return true
	}
	if dimensions != 1 || len(field) < 20 || binary.BigEndian.Uint32(field[16:]) != 1 {
		return false
	}
	rest := field[20:]
	for range binary.BigEndian.Uint32(field[12:]) {
		if len(rest) < 4 {
			return false
		}
		n := int32(binary.BigEndian.Uint32(rest)) //nolint:gosec // -1 is NULL
		if rest = rest[4:]; n < 0 || int(n) > len(rest) {
			return false
		}
		f(rest[:n])
		rest = rest[n:]
	}
	return len(rest) == 0
}

// labels are the labels of a set, as an array of text.
func labels(value *schema.Type) (Codec, bool) {
	return Codec{
		OID: oidText, Cast: "text[]",
		Encode: func(dst, v []byte) ([]byte, error) {
			if err := characters(v); err != nil {
				return nil, err
			}
			if len(v) == 0 {
				return AppendArray(dst, oidText, 0), nil
			}
			dst = AppendArray(dst, oidText, bytes.Count(v, comma)+1)
			for rest, more := v, true; more; {
				var label []byte
				label, rest, more = bytes.Cut(rest, comma)
				dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(label))), label...) //nolint:gosec // short
			}
			return dst, nil
		},
		Decode: func(dst, field []byte) ([]byte, error) {
			at := len(dst)
			ok := elements(field, oidText, func(label []byte) {
				if len(dst) > at {
					dst = append(dst, ',')
				}
				dst = append(dst, label...)
			})
			if !ok {
				return unknown(dst[:at], field)
			}
			return dst, nil
		},
		Param: func(dst, v []byte) ([]byte, error) {
			if err := characters(v); err != nil {
				return nil, err
			}
			dst = append(dst, '{')
			for rest, more := v, len(v) > 0; more; {
				var label []byte
				label, rest, more = bytes.Cut(rest, comma)
				dst = appendLabel(dst, label)
				if more {
					dst = append(dst, ',')
				}
			}
			return append(dst, '}'), nil
		},
	}, value.Kind == schema.Set && slices.Contains(unicode, value.Charset)
}

var comma = []byte{','}

func appendLabel(dst, label []byte) []byte {
	dst = append(dst, '"')
	for _, c := range label {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

// vector are the numbers of a VECTOR, four bytes each, the low one first.
func vector(value *schema.Type) (Codec, bool) {
	return Codec{
		OID: oidText, Cast: "real[]",
		Encode: func(dst, v []byte) ([]byte, error) {
			if err := wholeVector(v); err != nil {
				return nil, err
			}
			dst = AppendArray(dst, oidFloat4, len(v)/4)
			for ; len(v) > 0; v = v[4:] {
				dst = append(dst, 0, 0, 0, 4, v[3], v[2], v[1], v[0])
			}
			return dst, nil
		},
		Decode: func(dst, field []byte) ([]byte, error) {
			at := len(dst)
			whole := true
			ok := elements(field, oidFloat4, func(v []byte) {
				if whole = whole && len(v) == 4; whole {
					dst = append(dst, v[3], v[2], v[1], v[0])
				}
			})
			if !ok || !whole {
				return unknown(dst[:at], field)
			}
			return dst, nil
		},
		Param: func(dst, v []byte) ([]byte, error) {
			if err := wholeVector(v); err != nil {
				return nil, err
			}
			dst = append(dst, '{')
			for i := 0; i < len(v); i += 4 {
				if i > 0 {
					dst = append(dst, ',')
				}
				f := math.Float32frombits(binary.LittleEndian.Uint32(v[i:]))
				dst = strconv.AppendFloat(dst, float64(f), 'g', -1, 32)
			}
			return append(dst, '}'), nil
		},
	}, value.Kind == schema.Vector
}

// wholeVector refuses what is no vector, and numbers that are none, whose bits PostgreSQL need not keep.
func wholeVector(v []byte) error {
	if len(v)%4 != 0 {
		return &ValueError{Why: fmt.Sprintf("it has %d bytes, and a vector has four for each number", len(v))}
	}
	for i := 0; i < len(v); i += 4 {
		f := float64(math.Float32frombits(binary.LittleEndian.Uint32(v[i:])))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return &ValueError{Why: "one of its numbers is none"}
		}
	}
	return nil
}
