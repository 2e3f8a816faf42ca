package binlog

import (
	"encoding/binary"
	"math"
	"strconv"
)

func decodeAppendInt(dst, value []byte, unsigned bool) []byte {
	v := decodeUint64(value)
	if unsigned {
		return strconv.AppendUint(dst, v, 10)
	}
	shift := 64 - 8*len(value)
	return strconv.AppendInt(dst, int64(v<<shift)>>shift, 10) //nolint:gosec // sign extension
}

// decodeAppendReal writes a FLOAT or DOUBLE of 4 or 8 bytes; with plainZero, -0 as 0.
func decodeAppendReal(dst, value []byte, plainZero bool) []byte {
	var v float64
	if len(value) == 4 {
		v = float64(math.Float32frombits(binary.LittleEndian.Uint32(value)))
	} else {
		v = math.Float64frombits(binary.LittleEndian.Uint64(value))
	}
	if plainZero && v == 0 {
		v = 0
	}
	return AppendDouble(dst, v)
}

// AppendDouble writes the shortest digits that read back to v, laid out as MySQL does: plain while the decimal point
// is within 15 digits of the first or there are digits behind it, else with an exponent (mysql-server
// strings/dtoa.cc, my_gcvt; MAX_DECPT_FOR_F_FORMAT).
func AppendDouble(dst []byte, v float64) []byte {
	const maxPoint = 15
	var scratch [32]byte
	text := strconv.AppendFloat(scratch[:0], v, 'e', -1, 64) // -d.ddde±xx
	if text[0] == '-' {
		dst, text = append(dst, '-'), text[1:]
	}
	if v == 0 {
		return append(dst, '0')
	}
	if math.IsNaN(v) || math.IsInf(v, 0) { // which no column holds
		return append(dst, text...)
	}
	mark := len(text) - 1
	for text[mark] != 'e' {
		mark--
	}
	exponent, _ := strconv.Atoi(string(text[mark+1:])) // digits
	digits := append(text[:1], text[min(2, mark):mark]...)
	point := exponent + 1
	switch {
	case point < 1-maxPoint || point > maxPoint && len(digits) <= point:
		dst = append(dst, digits[0])
		if len(digits) > 1 {
			dst = append(append(dst, '.'), digits[1:]...)
		}
		return strconv.AppendInt(append(dst, 'e'), int64(exponent), 10)
	case point <= 0:
		dst = append(dst, '0', '.')
		for ; point < 0; point++ {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	case len(digits) <= point:
		dst = append(dst, digits...)
		for i := len(digits); i < point; i++ {
			dst = append(dst, '0')
		}
		return dst
	default:
		dst = append(append(dst, digits[:point]...), '.')
		return append(dst, digits[point:]...)
	}
}

// decimalGroup is the digits in 4 bytes of the binary decimal format.
const decimalGroup = 9

// decimalBytes returns the bytes that fewer than 10 digits take (mysql-server strings/decimal.cc, dig2bytes).
func decimalBytes(digits int) int {
	return [decimalGroup + 1]int{0, 1, 1, 2, 2, 3, 3, 4, 4, 4}[digits]
}

// decimalWidth returns the bytes of a DECIMAL(precision, scale).
func decimalWidth(precision, scale int) int {
	whole := precision - scale
	return whole/decimalGroup*4 + decimalBytes(whole%decimalGroup) +
		scale/decimalGroup*4 + decimalBytes(scale%decimalGroup)
}

// decodeAppendDecimal writes a binary decimal: groups of 9 digits as big-endian numbers, the sign as the inverted top
// bit, and all bits inverted when negative.
func decodeAppendDecimal(dst, value []byte, precision, scale int) ([]byte, error) {
	if len(value) == 0 || len(value) > 32 {
		return nil, errImage
	}
	var scratch [32]byte
	data := append(scratch[:0], value...)
	data[0] ^= 0x80
	if data[0]&0x80 != 0 {
		dst = append(dst, '-')
		for i := range data {
			data[i] = ^data[i]
		}
	}
	start := len(dst)
	whole := precision - scale
	for left := whole; left > 0; {
		n := left % decimalGroup // the short group leads
		if n == 0 {
			n = decimalGroup
		}
		width := decimalBytes(n)
		dst = decimalAppendGroup(dst, decodeBig(data[:width]), n)
		data, left = data[width:], left-n
	}
	zeros := start
	for zeros < len(dst) && dst[zeros] == '0' {
		zeros++
	}
	dst = append(dst[:start], dst[zeros:]...)
	if len(dst) == start {
		dst = append(dst, '0')
	}
	if scale == 0 {
		return dst, nil
	}
	dst = append(dst, '.')
	for left := scale; left > 0; {
		n := min(left, decimalGroup) // the short group ends
		width := decimalBytes(n)
		dst = decimalAppendGroup(dst, decodeBig(data[:width]), n)
		data, left = data[width:], left-n
	}
	return dst, nil
}

func decimalAppendGroup(dst []byte, v uint64, digits int) []byte {
	at := len(dst)
	dst = append(dst, "000000000"[:digits]...)
	for i := at + digits - 1; i >= at; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}
