package mysql

import (
	"bytes"
	"strconv"
	"strings"

	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Statements are written for a session with SET NAMES binary: a string literal is bytes, and bytes assigned to a column
// of characters are taken as they are. Only where characters are compared, or a JSON document is parsed, must the
// literal say its character set.

const hexDigits = "0123456789ABCDEF"

// appendValue appends the literal that stores v in the column.
func appendValue(b []byte, t *schema.Type, v []byte) []byte {
	switch {
	case v == nil:
		return append(b, "NULL"...)
	case t.IsNumber():
		return appendNumber(b, t, v)
	case t.Kind == schema.JSON:
		return appendDocument(b, v)
	case parsed(t):
		return appendQuoted(append(b, "_utf8mb4"...), v)
	case t.Kind == schema.Bit:
		return appendHex(b, v)
	default:
		return appendQuoted(b, v)
	}
}

// parsed tells whether the server reads values from characters and takes bytes for something else: MySQL refuses them for JSON
// (error 3144), MariaDB stores them as they are in uuid and inet.
func parsed(t *schema.Type) bool {
	switch t.Kind {
	case schema.JSON, schema.UUID, schema.INET4, schema.INET6:
		return true
	default:
		return false
	}
}

// appendNumber writes digits as the server takes them for the type: without an exponent they would be a decimal, which has 30
// digits after the point at most.
func appendNumber(b []byte, t *schema.Type, v []byte) []byte {
	b = append(b, v...)
	if (t.Kind == schema.Float || t.Kind == schema.Double) && bytes.IndexByte(v, 'e') < 0 {
		b = append(b, "e0"...)
	}
	return b
}

func appendHex(b, v []byte) []byte {
	if len(v) == 0 {
		return append(b, "''"...)
	}
	b = append(b, "X'"...)
	for _, c := range v {
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return append(b, '\'')
}

// appendQuoted escapes as MySQL reads strings without NO_BACKSLASH_ESCAPES (manual, "String Literals").
func appendQuoted(b, v []byte) []byte {
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

// appendField escapes a value for LOAD DATA with the default delimiters.
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

// selectList returns the expressions that yield the canonical bytes of a relation's columns.
func selectList(rel *route.Relation, positions []int) string {
	var b strings.Builder
	for i, p := range positions {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(canonical(rel.Column(p)))
	}
	return b.String()
}

// canonical returns the expression that yields a column's canonical bytes: the column itself but where the server's own
// text loses or adds something.
func canonical(c *schema.Column) string {
	name := schema.Quote(c.Name)
	switch {
	case c.Type.PlainZero:
		return "(" + name + " * 1e0 + 0e0)" // -0 + 0 is 0
	case c.Type.Kind == schema.Double && strings.Contains(c.Type.Text, "("):
		return "(" + name + " * 1e0)" // DOUBLE(M,D) prints a fixed number of digits
	case c.Type.Kind == schema.Float:
		return "(" + name + " * 1e0)" // FLOAT prints 6 digits (MySQL bug #36829); a product keeps the sign of zero
	case c.Type.Zerofill:
		return "(" + name + " + 0)"
	default:
		return name
	}
}

// allColumns returns 0..n-1 for the values of the relation's rows.
func allColumns(rel *route.Relation) []int {
	positions := make([]int, len(rel.Columns))
	for i := range positions {
		positions[i] = i
	}
	return positions
}

func itoa(n int) string { return strconv.Itoa(n) }
