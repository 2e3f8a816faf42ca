package mysql

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// A key is compared by its columns' own rules, and walked in the order of its index. So a range is one stretch of that
// index. Compared by any other rule, rows would fall between two chunks or into both. The forms below were measured on
// MySQL 9.7 and MariaDB 10.11 with EXPLAIN; where the server has no form that uses the index the form is exact all the
// same.

// enumList is how many labels an enum may have for a range of it to be written as a list of numbers. Beyond that the
// statement would be long, and labels compare without the index.
const enumList = 500

// condition returns the WHERE clause of a range, with a leading space, or "".
func condition(rel *route.Relation, r db.Range) string {
	var terms []string
	if rel.Where != "" {
		terms = append(terms, "("+rel.Where+")")
	}
	if r.After != nil {
		terms = append(terms, beyond(rel, r.After, false))
	}
	if r.Upto != nil {
		terms = append(terms, beyond(rel, r.Upto, true))
	}
	if len(terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(terms, " AND ")
}

// beyond compares the key with a bound, value by value: keys up to the bound, or those after it. For the key (a, b)
// after (1, 2):
//
//	(a >= 1 AND ((a > 1) OR (a = 1 AND b > 2)))
//
// The first value is compared once more alone, which lets the server use the index for the range (manual, "Row
// Constructor Expression Optimization").
func beyond(rel *route.Relation, bound db.Row, upto bool) string {
	var alternatives []string
	equal := ""
	for i, p := range rel.Key {
		op := strict(rel.Descends(i) != upto)
		if upto && i == len(rel.Key)-1 {
			op += "="
		}
		alternatives = append(alternatives, equal+compared(rel, p, op, bound[i]))
		equal += compared(rel, p, "=", bound[i]) + " AND "
	}
	if len(alternatives) == 1 {
		return alternatives[0]
	}
	lead := compared(rel, rel.Key[0], strict(rel.Descends(0) != upto)+"=", bound[0])
	return "(" + lead + " AND ((" + strings.Join(alternatives, ") OR (") + ")))"
}

// strict is the operator that leaves the bound itself out.
func strict(below bool) string {
	if below {
		return "<"
	}
	return ">"
}

// compared returns the comparison of value i's column with a value, op being one of = < <= > >=.
//
// Strings compared with an enum or a set are compared as strings, while the index has numbers, so numbers are
// compared. An enum has a range in the index only as a list of equal numbers. A set of 64 members compares as a
// signed number, though its index does not: as an operand of & it is unsigned.
func compared(rel *route.Relation, i int, op string, value []byte) string {
	name, t := dialect.Quote(rel.Column(i).Name), literalType(rel, i)
	if op != "=" && (t.Kind == schema.Enum || t.Kind == schema.Set) {
		n, ok := labelNumber(t, value)
		switch {
		case !ok:
			return name + op + unknownLabel(t, value)
		case t.Kind == schema.Set:
			return "(" + name + " & " + strconv.FormatUint(math.MaxUint64, 10) + ") " + op + " " + strconv.FormatUint(n,
				10)
		case len(t.Labels) <= enumList:
			return name + enumRange(t, op, n)
		}
	}
	return name + " " + op + " " + string(appendKey(nil, t, value))
}

// enumRange lists the numbers of an enum that are beyond n, 0 being the error value.
func enumRange(t *schema.Type, op string, n uint64) string {
	var list []byte
	for i := uint64(0); i <= uint64(len(t.Labels)); i++ {
		if i == n && len(op) == 2 || i < n && op[0] == '<' || i > n && op[0] == '>' {
			list = append(strconv.AppendUint(list, i, 10), ',')
		}
	}
	if len(list) == 0 {
		return " < 0"
	}
	return " IN (" + string(list[:len(list)-1]) + ")"
}

// appendKey appends the literal that equals the column's value, and that compares with it as the column's own values
// do, but for what compared says of enums and sets.
func appendKey(b []byte, t *schema.Type, v []byte) []byte {
	switch {
	case v == nil:
		return append(b, "NULL"...)
	case t.IsNumber():
		return appendNumber(b, t, v)
	case t.Kind == schema.Enum, t.Kind == schema.Set:
		n, ok := labelNumber(t, v)
		if !ok {
			return append(b, unknownLabel(t, v)...)
		}
		return strconv.AppendInt(b, int64(n), 10) //nolint:gosec // the server compares a set as a signed number
	case t.Kind == schema.Bit:
		return strconv.AppendUint(b, bitNumber(v), 10)
	case t.IsText():
		return wire.AppendHex(append(append(append(b, '_'), t.Charset...), ' '), v)
	case t.IsBytes():
		return wire.AppendHex(b, v)
	case parsed(t):
		return wire.AppendQuoted(append(b, "_utf8mb4"...), v)
	default: // temporal types are compared as such with any string
		return wire.AppendQuoted(b, v)
	}
}

// labelNumber returns the number by which an index has an enum's or a set's value. ok is false without such a label.
func labelNumber(t *schema.Type, v []byte) (n uint64, ok bool) {
	if len(v) == 0 {
		return 0, true
	}
	labels, comma := labelBytes(t)
	if t.Kind == schema.Enum {
		for i, label := range labels {
			if bytes.Equal(label, v) {
				return uint64(i) + 1, true
			}
		}
		return 0, false
	}
	for i, label := range labels { // members stand in the order of the labels
		rest, found := bytes.CutPrefix(v, label)
		switch {
		case found && len(rest) == 0:
			return n | 1<<i, true
		case found && bytes.HasPrefix(rest, comma):
			n, v = n|1<<i, rest[len(comma):]
		}
	}
	return 0, false
}

// unknownLabel stands for the number of a label that the column's definition does not have: it names no column, so the
// server refuses the statement and its error shows the label. No row must be taken for another.
func unknownLabel(t *schema.Type, v []byte) string {
	return dialect.Quote(fmt.Sprintf("unknown %s label %.30q", t.Name, v))
}

// labelBytes returns the labels and the comma in the column's character set.
func labelBytes(t *schema.Type) (labels [][]byte, comma []byte) {
	if t.Encoded != nil {
		return t.Encoded[:len(t.Labels)], t.Encoded[len(t.Labels)]
	}
	labels = make([][]byte, len(t.Labels))
	for i, label := range t.Labels {
		labels[i] = []byte(label)
	}
	return labels, []byte(",")
}

// appendKeys appends a condition that the key is one of keys.
func appendKeys(b []byte, rel *route.Relation, keys []db.Row) []byte {
	if len(rel.Key) > 1 {
		return appendEachKey(b, rel, keys, false)
	}
	t := literalType(rel, rel.Key[0])
	b = append(append(b, dialect.Quote(rel.Column(rel.Key[0]).Name)...), " IN ("...)
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendKey(b, t, key[0])
	}
	return append(b, ')')
}

// appendEachKey is appendKeys key by key. Exact ones have the same bytes too, where the server may call others equal.
func appendEachKey(b []byte, rel *route.Relation, keys []db.Row, exact bool) []byte {
	for i, key := range keys {
		if i > 0 {
			b = append(b, " OR "...)
		}
		b = append(b, '(')
		for j, p := range rel.Key {
			if j > 0 {
				b = append(b, " AND "...)
			}
			column := rel.Column(p)
			b = append(append(b, dialect.Quote(column.Name)...), '=')
			b = appendKey(b, literalType(rel, p), key[j])
			if exact && column.Type.IsText() {
				b = append(append(append(b, " AND CAST("...), dialect.Quote(column.Name)...), " AS BINARY)="...)
				b = wire.AppendHex(b, key[j])
			}
		}
		b = append(b, ')')
	}
	return b
}

// orderBy orders by the key as its index does, so that nothing needs to be sorted.
func orderBy(rel *route.Relation) string {
	if len(rel.Key) == 0 {
		return ""
	}
	names := make([]string, len(rel.Key))
	for i, p := range rel.Key {
		names[i] = dialect.Quote(rel.Column(p).Name)
		if rel.Descends(i) {
			names[i] += " DESC"
		}
	}
	return " ORDER BY " + strings.Join(names, ", ")
}

// keyIndex returns the hint that makes the server walk the row key's index.
func keyIndex(rel *route.Relation) string {
	if index := rel.Table.KeyIndex(); index != nil {
		return " FORCE INDEX (" + dialect.Quote(index.Name) + ")"
	}
	return ""
}

// bitNumber reads the value of a BIT column: up to 8 bytes, high byte first.
func bitNumber(v []byte) (n uint64) {
	for _, b := range v {
		n = n<<8 | uint64(b)
	}
	return n
}
