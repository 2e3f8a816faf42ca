package mysql

import (
	"bytes"
	"strconv"
	"strings"

	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// Statements are written for a session with SET NAMES binary: a string literal is bytes, and bytes assigned to a column
// of characters are taken as they are. Only where characters are compared, or a JSON document is parsed, must the
// literal say its character set. For example, 'é' of a latin1 column is stored from '\\xe9', and compared with
// _latin1 X'E9'.

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
		return wire.AppendQuoted(append(b, "_utf8mb4"...), v)
	case t.Kind == schema.Bit:
		return wire.AppendHex(b, v)
	default:
		return wire.AppendQuoted(b, v)
	}
}

// literalType returns the type by which literals of value i are written: the column's, but for a number that the
// bytes are not. For example, the text "1 OR 1=1" of a source that leads to an integer must not stand there without
// quotes: the server is to convert it, or to refuse it.
func literalType(rel *route.Relation, i int) *schema.Type {
	value, column := rel.Value(i), &rel.Column(i).Type
	if value.Kind != column.Kind && (column.IsNumber() || column.Kind == schema.Bit) {
		return value
	}
	return column
}

// parsed tells whether the server reads values from characters and takes bytes for something else: MySQL refuses them
// for JSON (error 3144), MariaDB stores them as they are in uuid and inet.
func parsed(t *schema.Type) bool {
	switch t.Kind {
	case schema.JSON, schema.UUID, schema.INET4, schema.INET6:
		return true
	default:
		return false
	}
}

// appendNumber writes digits as the server takes them for the type. A literal without an exponent is a decimal, which
// has 30 digits after the point at most: 1e-40 as digits would become 0. With e0 it is a double.
func appendNumber(b []byte, t *schema.Type, v []byte) []byte {
	b = append(b, v...)
	if (t.Kind == schema.Float || t.Kind == schema.Double) && bytes.IndexByte(v, 'e') < 0 {
		b = append(b, "e0"...)
	}
	return b
}

// selectList returns the expressions that yield the canonical bytes of a relation's columns.
func selectList(rel *route.Relation, positions []int) string {
	var b strings.Builder
	for i, p := range positions {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(canonical(rel, p))
	}
	return b.String()
}

// canonical returns the expression that yields the canonical bytes of value i, as it is read: the column itself but
// where the server's own text loses or adds something. A rule that asks for another form is not the server's matter.
func canonical(rel *route.Relation, i int) string {
	c := rel.Column(i)
	name := dialect.Quote(c.Name)
	switch {
	case rel.Rule(i).PlainZero:
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
