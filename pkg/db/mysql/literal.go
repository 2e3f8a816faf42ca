package mysql

import (
	"strconv"
	"strings"

	"wherry/pkg/db"
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
		return append(b, v...)
	case t.Kind == schema.JSON:
		return appendQuoted(append(b, "_utf8mb4"...), v)
	case t.Kind == schema.Bit:
		return appendHex(b, v)
	default:
		return appendQuoted(b, v)
	}
}

// appendKey appends the literal that compares with the column as the column's own values do.
func appendKey(b []byte, t *schema.Type, v []byte) []byte {
	switch {
	case v == nil:
		return append(b, "NULL"...)
	case t.IsNumber():
		return append(b, v...)
	case t.IsText():
		return appendHex(append(append(append(b, '_'), t.Charset...), ' '), v)
	case t.IsBytes():
		return appendHex(b, v)
	default: // temporal types are compared as such with any string
		return appendQuoted(b, v)
	}
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

// condition returns the WHERE clause of a range, with a leading space, or "".
func condition(rel *route.Relation, r db.Range) string {
	var terms []string
	if rel.Where != "" {
		terms = append(terms, "("+rel.Where+")")
	}
	if r.After != nil {
		terms = append(terms, beyond(rel, r.After, ">", ">"))
	}
	if r.Upto != nil {
		terms = append(terms, beyond(rel, r.Upto, "<", "<="))
	}
	if len(terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(terms, " AND ")
}

// beyond compares the key with a bound, value by value. The first value is compared once more alone, which lets the server
// use the index for the range (manual, "Row Constructor Expression Optimization").
func beyond(rel *route.Relation, bound db.Row, strict, last string) string {
	var alternatives []string
	equal := ""
	for i, p := range rel.Key {
		name := schema.Quote(rel.Column(p).Name)
		literal := string(appendKey(nil, &rel.Column(p).Type, bound[i]))
		op := strict
		if i == len(rel.Key)-1 {
			op = last
		}
		alternatives = append(alternatives, equal+name+" "+op+" "+literal)
		equal += name + " = " + literal + " AND "
	}
	if len(alternatives) == 1 {
		return alternatives[0]
	}
	first := rel.Column(rel.Key[0])
	lead := schema.Quote(first.Name) + " " + strict + "= " + string(appendKey(nil, &first.Type, bound[0]))
	return "(" + lead + " AND ((" + strings.Join(alternatives, ") OR (") + ")))"
}

// appendKeys appends a condition that the key is one of keys.
func appendKeys(b []byte, rel *route.Relation, keys []db.Row) []byte {
	if len(rel.Key) == 1 {
		column := rel.Column(rel.Key[0])
		b = append(append(b, schema.Quote(column.Name)...), " IN ("...)
		for i, key := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendKey(b, &column.Type, key[0])
		}
		return append(b, ')')
	}
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
			b = append(append(b, schema.Quote(column.Name)...), '=')
			b = appendKey(b, &column.Type, key[j])
		}
		b = append(b, ')')
	}
	return b
}

func orderBy(rel *route.Relation) string {
	if len(rel.Key) == 0 {
		return ""
	}
	names := make([]string, len(rel.Key))
	for i, p := range rel.Key {
		names[i] = schema.Quote(rel.Column(p).Name)
	}
	return " ORDER BY " + strings.Join(names, ", ")
}

// keyIndex returns the hint that makes the server walk the row key's index.
func keyIndex(rel *route.Relation) string {
	if index := rel.Table.KeyIndex(); index != nil {
		return " FORCE INDEX (" + schema.Quote(index.Name) + ")"
	}
	return ""
}

func itoa(n int) string { return strconv.Itoa(n) }
