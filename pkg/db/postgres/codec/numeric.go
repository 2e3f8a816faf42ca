package codec

import (
	"encoding/binary"
	"fmt"

	"wherry/pkg/schema"
)

// A numeric is, in two bytes each, the number of its digits to the base 10,000, the weight of the first of them, its
// sign, how many decimal digits it shows behind the point, and its digits (PostgreSQL source, utils/adt/numeric.c,
// numeric_send). Zeros in front and behind are left out.
const (
	numericNegative = 0x4000
	numericNaN      = 0xc000
	numericGroup    = 4 // decimal digits in a digit
)

// numeric holds every decimal and integer. With a precision it shows as many digits behind the point as it has;
// without,
// as many as were written.
func numeric(value, column *schema.Type) (Codec, bool) {
	if column.Precision > 0 && column.Scale != value.Scale {
		return Codec{}, false
	}
	switch value.Kind {
	case schema.Integer, schema.Decimal:
		return Codec{OID: oidNumeric, Encode: encodeNumeric, Decode: decodeNumeric}, true
	default:
		return Codec{}, false
	}
}

// encodeNumeric reads digits with at most one point, and a sign before them.
func encodeNumeric(dst, v []byte) ([]byte, error) {
	text, sign := v, 0
	if len(text) > 0 && text[0] == '-' {
		text, sign = text[1:], numericNegative
	}
	point := len(text)
	for i, c := range text {
		switch {
		case c == '.' && point == len(text):
			point = i
		case c < '0' || c > '9':
			return nil, &ValueError{Why: fmt.Sprintf("%q is no number", v)}
		}
	}
	scale := max(len(text)-point-1, 0)
	whole, fraction := text[:point], text[min(point+1, len(text)):]
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	weight := (len(whole)+numericGroup-1)/numericGroup - 1
	lead := len(whole) - weight*numericGroup // digits of the first group
	for i := 0; i <= weight; i++ {
		from := max(0, lead+(i-1)*numericGroup)
		dst = appendGroup(dst, whole[from:lead+i*numericGroup])
	}
	for i := 0; i < len(fraction); i += numericGroup {
		dst = appendGroup(dst, fraction[i:min(i+numericGroup, len(fraction))], true)
	}
	dst, weight = trimGroups(dst, at+8, weight)
	n := (len(dst) - at - 8) / 2
	if n == 0 {
		weight, sign = 0, 0
	}
	head := dst[at:at]
	for _, x := range []int{n, weight, sign, scale} {
		head = binary.BigEndian.AppendUint16(head, uint16(x)) //nolint:gosec // a decimal has at most 65 digits
	}
	return dst, nil
}

// appendGroup appends up to four decimal digits as one; behind tells that they stand behind the point, where digits
// that lack are zeros at the end.
func appendGroup(dst, digits []byte, behind ...bool) []byte {
	n := 0
	for _, c := range digits {
		n = 10*n + int(c-'0')
	}
	for i := len(digits); len(behind) > 0 && i < numericGroup; i++ {
		n *= 10
	}
	return append(dst, byte(n>>8), byte(n))
}

// trimGroups takes zeros away from both ends of the digits that begin at a place.
func trimGroups(dst []byte, from, weight int) ([]byte, int) {
	for len(dst) > from && dst[len(dst)-1] == 0 && dst[len(dst)-2] == 0 {
		dst = dst[:len(dst)-2]
	}
	skip := from
	for skip < len(dst) && dst[skip] == 0 && dst[skip+1] == 0 {
		skip, weight = skip+2, weight-1
	}
	return append(dst[:from], dst[skip:]...), weight
}

func decodeNumeric(dst, field []byte) ([]byte, error) {
	if len(field) < 8 || len(field) != 8+2*int(binary.BigEndian.Uint16(field)) {
		return unknown(dst, field)
	}
	weight := int(int16(binary.BigEndian.Uint16(field[2:]))) //nolint:gosec // two's complement
	sign, scale := binary.BigEndian.Uint16(field[4:]), int(binary.BigEndian.Uint16(field[6:]))
	switch {
	case sign == numericNegative:
		dst = append(dst, '-')
	case sign != 0: // NaN, and infinity since version 14
		return append(dst, "NaN"...), nil
	}
	digits := field[8:]
	group := func(i int) int { // of weight i
		at := 2 * (weight - i)
		if at < 0 || at >= len(digits) {
			return 0
		}
		return int(binary.BigEndian.Uint16(digits[at:]))
	}
	start := len(dst)
	for i := weight; i >= 0; i-- {
		dst = appendDigits4(dst, group(i), len(dst) > start)
	}
	if len(dst) == start {
		dst = append(dst, '0')
	}
	if scale == 0 {
		return dst, nil
	}
	dst = append(dst, '.')
	end := len(dst) + scale
	for i := -1; len(dst) < end; i-- {
		dst = appendDigits4(dst, group(i), true)
	}
	return dst[:end], nil
}

// appendDigits4 appends a digit to the base 10,000, with zeros in front when something stands before it.
func appendDigits4(dst []byte, n int, padded bool) []byte {
	for unit := 1000; unit > 0; unit /= 10 {
		if d := n / unit % 10; d != 0 || padded {
			dst, padded = append(dst, byte('0'+d)), true
		}
	}
	return dst
}
