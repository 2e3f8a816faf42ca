package canon

import (
	"bytes"
	"strconv"
)

// isJSONNumber tells whether a number is written as JSON has it.
func isJSONNumber(number []byte) bool {
	digits := func() bool {
		begin := len(number)
		for len(number) > 0 && number[0] >= '0' && number[0] <= '9' {
			number = number[1:]
		}
		return len(number) < begin
	}
	number = bytes.TrimPrefix(number, []byte("-"))
	if len(number) > 1 && number[0] == '0' && number[1] >= '0' && number[1] <= '9' || !digits() {
		return false
	}
	if len(number) > 0 && number[0] == '.' {
		if number = number[1:]; !digits() {
			return false
		}
	}
	if len(number) > 0 && number[0]|0x20 == 'e' {
		if number = number[1:]; len(number) > 0 && (number[0] == '+' || number[0] == '-') {
			number = number[1:]
		}
		return digits() && len(number) == 0
	}
	return len(number) == 0
}

// NumberEnd returns where the number that begins at i ends. It takes any run of the characters that numbers have:
// whether it is a number is another question.
func NumberEnd(document []byte, i int) int {
	for i < len(document) && (document[i] == '-' || document[i] == '+' || document[i] == '.' ||
		document[i]|0x20 == 'e' ||
		document[i] >= '0' && document[i] <= '9') {
		i++
	}
	return i
}

// PlainNumber tells whether a number that a server printed reads back as itself from JSON text. Numbers with an
// exponent are doubles. 1.5 is plain; 1.50, which only a decimal prints, and integers of more than 64 bits are not.
func PlainNumber(number []byte) bool {
	if bytes.ContainsAny(number, "eE") {
		return true
	}
	if bytes.IndexByte(number, '.') < 0 {
		digits := bytes.TrimPrefix(number, []byte("-"))
		most := "18446744073709551615"
		if len(digits) < len(number) {
			most = "9223372036854775808"
		}
		return len(digits) < len(most) || len(digits) == len(most) && string(digits) <= most
	}
	v, err := strconv.ParseFloat(string(number), 64)
	var scratch [40]byte
	return err == nil && bytes.Equal(AppendJSONDouble(scratch[:0], v), number)
}
