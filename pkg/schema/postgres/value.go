package postgres

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// class is what a part of an expression computes, as far as the two servers' rules for it differ.
type class int

// The classes. Anything is NULL without a type.
const (
	anything class = iota
	truth          // of a comparison: 0 and 1 on the source, a boolean here
	whole          // integers
	exact          // decimals
	double         // floating point, 8 bytes
	characters
	octets
	day     // a date
	moment  // DATETIME
	instant // TIMESTAMP
	clock   // TIME
	document
	unknown // a column of a table that is not known
)

// value is a translated part of an expression.
type value struct {
	sql   string // with parentheses around it where it needs them
	class class
	// literal is that the part is a literal, whose value is text.
	literal bool
	text    string
	big     bool // of whole: values may be beyond a signed integer of 8 bytes

	// of characters:
	bytewise bool     // the source compares them by code points, in which case counts
	padded   bool     // the source takes blanks at the end for nothing when it compares
	unicode  bool     // the source's character set has the bytes and the order of UTF-8
	ascii    bool     // all are ASCII
	labels   []string // of an ENUM: all values that there can be
}

// columnValue returns the value of a column.
func (t *translator) columnValue(source *schema.Column) value {
	v := value{sql: t.before + Quote(t.m.columnName(source.Name)), class: classOf(&source.Type)}
	at := t.m.target.Column(t.m.columnName(source.Name))
	if at < 0 || t.as == asDefault {
		t.fail("column %s", source.Name)
		return v
	}
	s, target := &source.Type, &t.m.target.Columns[at]
	if source.Generated != schema.NotGenerated && t.as == asGenerated {
		v.sql = t.inlined(source, target)
	}
	switch {
	case target.Type.Kind == schema.Boolean:
		v.class = truth
		return v
	case classOf(&target.Type) != v.class, v.class == anything, v.class == document && target.Type.Name != "jsonb":
		t.fail("column %s, which is %s", source.Name, target.Type.Text)
		return v
	}
	switch s.Kind {
	case schema.Integer, schema.Year:
		v.big = s.Unsigned && s.Size >= 4
	case schema.Float:
		v.sql = v.sql + "::double precision"
	case schema.Char, schema.Varchar, schema.Text, schema.Enum:
		v.bytewise = strings.HasSuffix(s.Collation, "_bin") || s.Collation == "binary"
		v.padded = !strings.Contains(s.Collation, "nopad") && !strings.Contains(s.Collation, "_0900_")
		v.unicode = slices.Contains([]string{"utf8mb4", "utf8mb3", "utf8", "ascii"}, s.Charset)
		v.ascii = s.Charset == "ascii"
		v.sql += "::text"
		if s.Kind == schema.Enum {
			v.labels = s.Labels
		}
	default:
	}
	return v
}

// inlined returns what a generated column is computed from.
func (t *translator) inlined(source, target *schema.Column) string {
	v, err := t.m.translate(source.Expr, asGenerated)
	text, ok := t.m.stored(source, target, v, err)
	if !ok {
		t.fail("column %s", source.Name)
	}
	return "(" + text + ")::" + target.Type.Text
}

// classOf returns the class of a column's values, on either server.
func classOf(t *schema.Type) class {
	switch t.Kind {
	case schema.Integer, schema.Year:
		return whole
	case schema.Decimal:
		if t.Name == "numeric" && t.Precision == 20 && t.Scale == 0 { // what BIGINT UNSIGNED becomes
			return whole
		}
		return exact
	case schema.Float, schema.Double:
		return double
	case schema.Char, schema.Varchar, schema.Text, schema.Enum:
		return characters
	case schema.Binary, schema.Varbinary, schema.Blob:
		return octets
	case schema.Date:
		return day
	case schema.Datetime:
		return moment
	case schema.Timestamp:
		return instant
	case schema.Time:
		return clock
	case schema.JSON:
		return document
	default:
		return anything
	}
}

// number returns a value that arithmetic takes: no smaller type, whose sums would not fit.
func (t *translator) number(v value) value {
	switch v.class {
	case truth:
		return value{sql: "(" + v.sql + ")::integer::bigint", class: whole}
	case whole:
		if v.big {
			return value{sql: v.sql + "::numeric", class: whole, big: true}
		}
		return value{sql: v.sql + "::bigint", class: whole}
	case exact, double:
		return v
	case anything:
		return value{sql: v.sql + "::bigint", class: whole}
	default:
		t.fail("a number of %s", v.sql)
		return v
	}
}

// condition returns a value that is true, false or NULL.
func (t *translator) condition(v value) string {
	switch v.class {
	case truth:
		return v.sql
	case whole, exact, double:
		return "(" + v.sql + " <> 0)"
	case anything:
		return v.sql + "::boolean"
	default:
		t.fail("the truth of %s", v.sql)
		return v.sql
	}
}

// plain returns a value as a column would hold it: a truth is a number.
func plain(v value) value {
	if v.class == truth {
		return value{sql: "(" + v.sql + ")::integer", class: whole}
	}
	return v
}

// wrap puts parentheses around an operator and its operands.
func wrap(words ...string) string { return "(" + strings.Join(words, " ") + ")" }
