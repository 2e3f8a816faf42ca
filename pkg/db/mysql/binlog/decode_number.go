package binlog

import (
	"encoding/binary"
	"math"
	"strconv"

	"wherry/pkg/db/canon"
)

// decodeAppendInt writes an integer of 1 to 8 bytes, low byte first. The log does not say whether the top bit is a
// sign: the table's definition does.
func decodeAppendInt(dst, value []byte, unsigned bool) []byte {
	v := decodeUint64(value)
	if unsigned {
		return strconv.AppendUint(dst, v, 10)
	}
	shift := 64 - 8*len(value)
	return strconv.AppendInt(dst, int64(v<<shift)>>shift, 10) //nolint:gosec // sign extension
}

// decodeAppendReal writes a FLOAT or DOUBLE of 4 or 8 bytes.
func decodeAppendReal(dst, value []byte) []byte {
	var v float64
	if len(value) == 4 {
		v = float64(math.Float32frombits(binary.LittleEndian.Uint32(value)))
	} else {
		v = math.Float64frombits(binary.LittleEndian.Uint64(value))
	}
	return canon.AppendDouble(dst, v)
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

// decodeAppendDecimal writes a binary decimal: groups of 9 digits as big-endian numbers of 4 bytes, the sign as the
// inverted top bit, and all bits inverted when negative. The incomplete groups are at the outer ends: DECIMAL(14,4) has
// 10 digits before the point, 1 and 9, and 4 behind it. For example, 1234567890.1234 is 81 0D FB 38 D2 04 D2
// (mysql-server strings/decimal.cc, decimal2bin).
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
