package binlog

import (
	"math"
	"time"

	"wherry/pkg/db/canon"
)

// The temporal formats are described in mysql-server sql-common/my_time.cc (my_time_packed_from_binary and its kin).
// The kinds with a 2 came with MySQL 5.6 and MariaDB 10.1; tables made before keep the old ones until rebuilt. Two
// columns of one table may therefore differ. MariaDB's mysql56_temporal_format=OFF makes new ones in the old format
// too.

// appendTemporal writes a date or time as the server prints it, TIMESTAMP in UTC. Zero and invalid dates, such as
// 2024-02-00, are written as they are: Go's time package would turn them into others.
func (c *decodeColumn) appendTemporal(dst, value []byte) ([]byte, error) {
	switch c.kind {
	case decodeDate:
		v := int(decodeUint64(value))
		return canon.AppendDate(dst, v>>9, v>>5&15, v&31), nil
	case decodeYear:
		if value[0] == 0 {
			return append(dst, "0000"...), nil
		}
		return canon.AppendDigits(dst, 1900+int(value[0]), 4), nil
	case decodeTime:
		v := int(int32(decodeUint64(value)<<8)) >> 8 //nolint:gosec // sign extension of 3 bytes
		if v < 0 {
			dst, v = append(dst, '-'), -v
		}
		return canon.AppendClock(dst, v/10000, v/100%100, v%100), nil
	case decodeDatetime:
		v := decodeUint64(value)
		day, clock := int(v/1000000%1e8), int(v%1000000) //nolint:gosec // bounded by the divisor
		dst = append(canon.AppendDate(dst, day/10000, day/100%100, day%100), ' ')
		return canon.AppendClock(dst, clock/10000, clock/100%100, clock%100), nil
	case decodeTimestamp:
		return appendUnix(dst, int64(decodeUint64(value))), nil //nolint:gosec // 4 bytes
	case decodeTime2:
		return appendTime2(dst, value, c.scale), nil
	case decodeDatetime2:
		return appendFraction(appendDatetime2(dst, decodeBig(value[:5])-1<<39), value[5:], c.scale), nil
	case decodeTimestamp2:
		return appendFraction(appendUnix(dst, int64(decodeBig(value[:4]))), value[4:], c.scale),
			nil //nolint:gosec // 4 bytes
	default:
		return nil, errImage
	}
}

// fractionBytes returns the bytes that fractional second digits take: a byte holds two digits, as a number up to 99.
func fractionBytes(digits int) int { return (digits + 1) / 2 }

// appendDatetime2 writes year*13+month, day, hour, minute, second, packed.
func appendDatetime2(dst []byte, v uint64) []byte {
	day, clock := v>>17, int(v&(1<<17-1)) //nolint:gosec // 17 bits
	month := int(day >> 5 & (1<<18 - 1))  //nolint:gosec // 18 bits
	dst = append(canon.AppendDate(dst, month/13, month%13, int(day&31)), ' ')
	return canon.AppendClock(dst, clock>>12, clock>>6&63, clock&63)
}

// appendTime2 writes a time: 24 bits (1 unused, 10 for hours, 6 for minutes, 6 for seconds, from the second bit on) and
// the fraction, all in one number with an offset of half its range. So -00:00:01.5 is not -1 and .5, but one negative
// number.
func appendTime2(dst, value []byte, scale int) []byte {
	bits := 8 * len(value)
	v := int64(decodeBig(value)) - 1<<(bits-1) //nolint:gosec // at most 48 bits
	if v < 0 {
		dst, v = append(dst, '-'), -v
	}
	clock := int(v >> (bits - 24))
	dst = canon.AppendClock(dst, clock>>12&1023, clock>>6&63, clock&63)
	if scale == 0 {
		return dst
	}
	return appendFractionOf(dst, int(v&(1<<(bits-24)-1)), len(value)-3, scale)
}

// appendUnix writes seconds since 1970 in UTC. 0 is the zero date, not 1970. The number has no sign: MariaDB 11.5
// counts up to 2106 with the same 32 bits.
func appendUnix(dst []byte, seconds int64) []byte {
	if seconds == 0 {
		return append(dst, "0000-00-00 00:00:00"...)
	}
	at := time.Unix(seconds&math.MaxUint32, 0).UTC()
	year, month, day := at.Date()
	dst = append(canon.AppendDate(dst, year, int(month), day), ' ')
	return canon.AppendClock(dst, at.Hour(), at.Minute(), at.Second())
}

// appendFraction writes a fraction of a second that is stored as a big-endian number, such as .500 for scale 3.
func appendFraction(dst, value []byte, scale int) []byte {
	if scale == 0 {
		return dst
	}
	return appendFractionOf(dst, int(decodeBig(value)), len(value), scale) //nolint:gosec // at most 3 bytes
}

// appendFractionOf writes the leading digits of a fraction that is kept as two digits per byte.
func appendFractionOf(dst []byte, v, bytes, scale int) []byte {
	dst = append(dst, '.')
	dst = canon.AppendDigits(dst, v, 2*bytes)
	return dst[:len(dst)-(2*bytes-scale)]
}
