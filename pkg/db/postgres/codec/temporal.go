package codec

import (
	"encoding/binary"
	"fmt"
	"math"

	"wherry/pkg/db/canon"
	"wherry/pkg/schema"
)

// PostgreSQL counts days and microseconds from the first of January 2000.
const (
	epoch     = 730425 // days from the first of March of the year 0 until then
	dayMicros = 86400 * 1000 * 1000
	maxDay    = 9999
)

var noDate = &ValueError{Why: "it is no date of the calendar", Loss: schema.ZeroDate}

// date holds dates of the calendar.
func date(value *schema.Type) (Codec, bool) {
	return Codec{
		OID: oidDate,
		Encode: func(dst, v []byte) ([]byte, error) {
			days, ok := readDate(v)
			if !ok || len(v) != len("yyyy-mm-dd") {
				return nil, noDate
			}
			return appendInteger(dst, days, 4), nil
		},
		Decode: func(dst, field []byte) ([]byte, error) {
			n, ok := number(field)
			if len(field) != 4 || !ok || n == math.MinInt32 || n == math.MaxInt32 {
				return unknown(dst, field)
			}
			if dst, ok = appendDays(dst, n); !ok {
				return unknown(dst, field)
			}
			return dst, nil
		},
	}, value.Kind == schema.Date
}

// readDate reads yyyy-mm-dd in front of a text, as days since 2000.
func readDate(v []byte) (days int64, ok bool) {
	if len(v) < 10 || v[4] != '-' || v[7] != '-' {
		return 0, false
	}
	year, a := readDigits(v[:4])
	month, b := readDigits(v[5:7])
	day, c := readDigits(v[8:10])
	if !a || !b || !c || year < 1 || month < 1 || month > 12 || day < 1 || day > monthDays(year, month) {
		return 0, false
	}
	return daysOf(year, month, day), true
}

func readDigits(v []byte) (n int, ok bool) {
	for _, c := range v {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

func monthDays(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
}

// daysOf counts from 2000, by years that begin in March: then the leap day is the last of its year.
func daysOf(year, month, day int) int64 {
	if month < 3 {
		year, month = year-1, month+12
	}
	return int64(365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - epoch)
}

// appendDays writes a date of the years 1 to 9999; ok is false for others, and dst is as it was.
func appendDays(dst []byte, days int64) (_ []byte, ok bool) {
	n := days + epoch
	if n < 306 || n > 3652424+306 { // from the first of January of the year 1 on
		return dst, false
	}
	era := n / 146097
	of := n - era*146097
	year := (of - of/1460 + of/36524 - of/146096) / 365
	of -= 365*year + year/4 - year/100
	month := (5*of + 2) / 153
	day := of - (153*month+2)/5 + 1
	year += 400 * era
	if month += 3; month > 12 {
		year, month = year+1, month-12
	}
	if year > maxDay {
		return dst, false
	}
	return canon.AppendDate(dst, int(year), int(month), int(day)), true
}

// moment is a timestamp, with or without a time zone: in UTC both are the same.
func moment(value, column *schema.Type, oid uint32) (Codec, bool) {
	if value.Kind != schema.Datetime && value.Kind != schema.Timestamp {
		return Codec{}, false
	}
	scale := value.Scale
	return Codec{
		OID:    oid,
		Encode: encodeMoment,
		Decode: func(dst, field []byte) ([]byte, error) {
			n, ok := number(field)
			if len(field) != 8 || !ok || n == math.MinInt64 || n == math.MaxInt64 {
				return unknown(dst, field)
			}
			days := n / dayMicros
			if n %= dayMicros; n < 0 {
				days, n = days-1, n+dayMicros
			}
			at := len(dst)
			if dst, ok = appendDays(dst, days); !ok {
				return unknown(dst, field)
			}
			if dst, ok = appendMicros(append(dst, ' '), n, scale); !ok {
				return unknown(dst[:at], field)
			}
			return dst, nil
		},
	}, value.Scale <= column.Scale
}

func encodeMoment(dst, v []byte) ([]byte, error) {
	days, ok := readDate(v)
	if !ok || len(v) < len("yyyy-mm-dd hh:mm:ss") || v[10] != ' ' {
		return nil, noDate
	}
	micros, ok := readClock(v[11:])
	if !ok || micros >= dayMicros {
		return nil, noDate
	}
	return appendInteger(dst, days*dayMicros+micros, 8), nil
}

// readClock reads hours of two or three digits, minutes, seconds and a fraction as microseconds.
func readClock(v []byte) (micros int64, ok bool) {
	colon := 2
	if len(v) > 3 && v[2] != ':' {
		colon = 3
	}
	if len(v) < colon+6 || v[colon] != ':' || v[colon+3] != ':' {
		return 0, false
	}
	hour, a := readDigits(v[:colon])
	minute, b := readDigits(v[colon+1 : colon+3])
	second, c := readDigits(v[colon+4 : colon+6])
	fraction, d := readFraction(v[colon+6:])
	return (int64(hour)*3600+int64(minute)*60+int64(second))*1000*1000 + fraction,
		a && b && c && d && minute < 60 && second < 60
}

// readFraction reads a point and up to six digits.
func readFraction(v []byte) (micros int64, ok bool) {
	if len(v) == 0 {
		return 0, true
	}
	n, ok := readDigits(v[1:])
	if !ok || v[0] != '.' || len(v) > 7 {
		return 0, false
	}
	for i := len(v); i < 7; i++ {
		n *= 10
	}
	return int64(n), true
}

// appendMicros writes a time of day or longer with as many digits of its fraction as the source's column has; ok is
// false when it has others.
func appendMicros(dst []byte, n int64, scale int) (_ []byte, ok bool) {
	seconds, fraction := n/1e6, int(n%1e6)
	dst = canon.AppendClock(dst, int(seconds/3600), int(seconds/60%60), int(seconds%60))
	unit := 1
	for i := scale; i < 6; i++ {
		unit *= 10
	}
	if fraction%unit != 0 {
		return dst, false
	}
	if scale > 0 {
		dst = canon.AppendDigits(append(dst, '.'), fraction/unit, scale)
	}
	return dst, true
}

// clock is a time of day.
func clock(value, column *schema.Type) (Codec, bool) {
	scale := value.Scale
	return Codec{
		OID: oidTime,
		Encode: func(dst, v []byte) ([]byte, error) {
			n, ok := readClock(v)
			if !ok || n > dayMicros {
				return nil, &ValueError{
					Why: fmt.Sprintf("%s is no time of a day", v),
					Fix: "give the column type interval or text on the target",
				}
			}
			return appendInteger(dst, n, 8), nil
		},
		Decode: func(dst, field []byte) ([]byte, error) {
			n, ok := number(field)
			if len(field) != 8 || !ok || n < 0 || n > dayMicros {
				return unknown(dst, field)
			}
			at := len(dst)
			if dst, ok = appendMicros(dst, n, scale); !ok {
				return unknown(dst[:at], field)
			}
			return dst, nil
		},
	}, value.Kind == schema.Time && value.Scale <= column.Scale
}

// interval holds every time that MySQL has, from -838:59:59 to 838:59:59: microseconds, and neither days nor months.
func interval(value *schema.Type) (Codec, bool) {
	scale := value.Scale
	return Codec{
		OID: oidInterval,
		Encode: func(dst, v []byte) ([]byte, error) {
			text, sign := v, int64(1)
			if len(text) > 0 && text[0] == '-' {
				text, sign = text[1:], -1
			}
			n, ok := readClock(text)
			if !ok || n == 0 && sign < 0 {
				return nil, &ValueError{Why: fmt.Sprintf("%s is no interval", v)}
			}
			return append(appendInteger(dst, sign*n, 8), 0, 0, 0, 0, 0, 0, 0, 0), nil
		},
		Decode: func(dst, field []byte) ([]byte, error) {
			if len(field) != 16 || binary.BigEndian.Uint64(field[8:]) != 0 {
				return unknown(dst, field)
			}
			n, _ := number(field[:8])
			at := len(dst)
			if n < 0 {
				dst, n = append(dst, '-'), -n
			}
			if n >= 1000*3600*1e6 || n < 0 {
				return unknown(dst[:at], field)
			}
			dst, ok := appendMicros(dst, n, scale)
			if !ok {
				return unknown(dst[:at], field)
			}
			return dst, nil
		},
	}, value.Kind == schema.Time
}
