// Package canon writes values as canonical bytes (see package db), for engines that have them in another form.
//
// Its one invariant: what it writes is what MySQL prints. It reads nothing, and knows no server.
package canon

import (
	"encoding/hex"
	"math"
	"strconv"
	"time"
)

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

// AppendDate writes a date as yyyy-mm-dd.
func AppendDate(dst []byte, year, month, day int) []byte {
	dst = append(AppendDigits(dst, year, 4), '-')
	dst = append(AppendDigits(dst, month, 2), '-')
	return AppendDigits(dst, day, 2)
}

// IsDate tells whether a text begins with a date of the calendar, as yyyy-mm-dd, from the year 1 on. MySQL also holds
// 0000-00-00, dates with a month or day of zero, and with ALLOW_INVALID_DATES others, such as 2024-02-31 (MySQL manual,
// "The DATE, DATETIME, and TIMESTAMP Types").
func IsDate(text []byte) bool {
	if len(text) < len(time.DateOnly) {
		return false
	}
	at, err := time.Parse(time.DateOnly, string(text[:len(time.DateOnly)]))
	return err == nil && at.Year() > 0
}

// AppendClock writes hours, which may be up to 838, minutes and seconds.
func AppendClock(dst []byte, hour, minute, second int) []byte {
	if hour > 99 {
		dst = AppendDigits(dst, hour, 3)
	} else {
		dst = AppendDigits(dst, hour, 2)
	}
	dst = append(AppendDigits(append(dst, ':'), minute, 2), ':')
	return AppendDigits(dst, second, 2)
}

// AppendDigits writes the low digits of v, with leading zeros: at most 6.
func AppendDigits(dst []byte, v, digits int) []byte {
	at := len(dst)
	dst = append(dst, "000000"[:digits]...)
	for i := at + digits - 1; i >= at; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}

// AppendINET6 writes as MariaDB prints (Inet6::to_string): the first of the longest runs of zero groups, also a run
// of one, becomes "::", and what follows six zero groups, or five and ffff, is written like an inet4.
func AppendINET6(dst []byte, v *[16]byte) []byte {
	group := func(i int) uint64 { return uint64(v[2*i])<<8 | uint64(v[2*i+1]) }
	gap, length := -1, 0
	for i := 0; i < 8; i++ {
		n := 0
		for i+n < 8 && group(i+n) == 0 {
			n++
		}
		if n > length {
			gap, length = i, n
		}
		i += n
	}
	for i := 0; i < 8; i++ {
		switch {
		case i == gap:
			if i == 0 {
				dst = append(dst, ':')
			}
			dst = append(dst, ':')
			i += length - 1
		case i == 6 && gap == 0 && (length == 6 || length == 5 && group(5) == 0xffff):
			return AppendINET4(dst, v[12:])
		default:
			dst = strconv.AppendUint(dst, group(i), 16)
			if i < 7 {
				dst = append(dst, ':')
			}
		}
	}
	return dst
}

// AppendUUID writes a uuid as 8-4-4-4-12 hexadecimal digits.
func AppendUUID(dst []byte, v *[16]byte) []byte {
	from := 0
	for _, upto := range [...]int{4, 6, 8, 10, 16} {
		if from > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, v[from:upto])
		from = upto
	}
	return dst
}

// AppendINET4 writes four bytes as decimal numbers with dots between.
func AppendINET4(dst, v []byte) []byte {
	for i, b := range v {
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = strconv.AppendUint(dst, uint64(b), 10)
	}
	return dst
}
