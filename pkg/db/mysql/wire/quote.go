package wire

// Quoted returns a text as a string literal.
func Quoted(s string) string { return string(AppendQuoted(nil, []byte(s))) }

// AppendQuoted escapes as MySQL reads strings without NO_BACKSLASH_ESCAPES (manual, "String Literals").
func AppendQuoted(b, v []byte) []byte {
	b = append(b, '\'')
	from := 0
	for i, c := range v {
		var escaped byte
		switch c {
		case '\'', '\\':
			escaped = c
		case 0:
			escaped = '0'
		case '\n':
			escaped = 'n'
		case '\r':
			escaped = 'r'
		case 0x1a:
			escaped = 'Z'
		default:
			continue
		}
		b = append(append(b, v[from:i]...), '\\', escaped)
		from = i + 1
	}
	return append(append(b, v[from:]...), '\'')
}

const hexDigits = "0123456789ABCDEF"

// AppendHex writes bytes as a hexadecimal literal, such as X'00FF'. X” is avoided: the empty string is written as
// ”.
func AppendHex(b, v []byte) []byte {
	if len(v) == 0 {
		return append(b, "''"...)
	}
	b = append(b, "X'"...)
	for _, c := range v {
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return append(b, '\'')
}

// appendField escapes a value for LOAD DATA with the default delimiters (FIELDS TERMINATED BY '\t' ESCAPED BY '\\'
// LINES TERMINATED BY '\n'). NULL is \N, which is why a backslash must be escaped even where no delimiter follows.
func appendField(b, v []byte) []byte {
	if v == nil {
		return append(b, `\N`...)
	}
	from := 0
	for i, c := range v {
		var escaped byte
		switch c {
		case '\\', '\t', '\n':
			escaped = c
		case 0:
			escaped = '0'
		default:
			continue
		}
		b = append(append(b, v[from:i]...), '\\', escaped)
		from = i + 1
	}
	return append(b, v[from:]...)
}
