package lab

import (
	"strconv"
)

// TSV builds rows in the format that LOAD DATA reads by default: columns end in tabs, rows in newlines, a
// backslash quotes both, NULL is \N. The zero value is an empty buffer.
type TSV struct {
	buf     []byte
	started bool
}

// Bytes is what was built since the last Reset.
func (t *TSV) Bytes() []byte { return t.buf }

// Reset forgets what was built.
func (t *TSV) Reset() { t.buf, t.started = t.buf[:0], false }

// End ends the row.
func (t *TSV) End() { t.buf, t.started = append(t.buf, '\n'), false }

func (t *TSV) column() {
	if t.started {
		t.buf = append(t.buf, '\t')
	}
	t.started = true
}

// Int adds a number.
func (t *TSV) Int(n int64) {
	t.column()
	t.buf = strconv.AppendInt(t.buf, n, 10)
}

// Cents adds a decimal number with two digits after the point.
func (t *TSV) Cents(n int64) {
	t.column()
	t.buf = AppendCents(t.buf, n)
}

// AppendCents writes n hundredths as a decimal number.
func AppendCents(buf []byte, n int64) []byte {
	if n < 0 {
		buf, n = append(buf, '-'), -n
	}
	buf = strconv.AppendInt(buf, n/100, 10)
	return append(buf, '.', byte('0'+n%100/10), byte('0'+n%10))
}

// Null adds NULL.
func (t *TSV) Null() {
	t.column()
	t.buf = append(t.buf, `\N`...)
}

// Text adds a string of any bytes.
func (t *TSV) Text(s string) {
	t.column()
	for i := range len(s) {
		t.quoted(s[i])
	}
}

// Raw adds any bytes.
func (t *TSV) Raw(s []byte) {
	t.column()
	for _, c := range s {
		t.quoted(c)
	}
}

func (t *TSV) quoted(c byte) {
	switch c {
	case '\\', '\t', '\n':
		t.buf = append(t.buf, '\\', c)
	case 0:
		t.buf = append(t.buf, '\\', '0')
	default:
		t.buf = append(t.buf, c)
	}
}
