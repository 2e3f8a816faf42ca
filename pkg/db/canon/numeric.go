package canon

import (
	"bytes"
	"strconv"
)

// mostExponent is how far PostgreSQL's numeric reaches; numbers beyond stay as they are, and are refused there.
const mostExponent = 131072

// AppendNumeric writes a number of a JSON text as PostgreSQL's numeric prints it: without an exponent, with the digits
// behind the point that are left when the point has moved, and 0 without a sign (numeric.c, set_var_from_str).
func AppendNumeric(dst, number []byte) []byte {
	mantissa, exponent := number, 0
	if at := bytes.IndexAny(number, "eE"); at >= 0 {
		e, err := strconv.Atoi(string(number[at+1:]))
		if err != nil || e > mostExponent || e < -mostExponent {
			return append(dst, number...)
		}
		mantissa, exponent = number[:at], e
	}
	digits := bytes.TrimPrefix(mantissa, []byte("-"))
	whole, fraction, _ := bytes.Cut(digits, []byte("."))
	all := append(append(make([]byte, 0, len(digits)), whole...), fraction...)
	point := len(whole) + exponent // place of the point among all digits
	for point > len(all) {
		all = append(all, '0')
	}
	for ; point <= 0; point++ {
		all = append([]byte{'0'}, all...)
	}
	lead := all[:point]
	for len(lead) > 1 && lead[0] == '0' {
		lead = lead[1:]
	}
	if len(digits) < len(mantissa) && len(bytes.Trim(all, "0")) > 0 {
		dst = append(dst, '-')
	}
	dst = append(dst, lead...)
	if point < len(all) {
		dst = append(append(dst, '.'), all[point:]...)
	}
	return dst
}
