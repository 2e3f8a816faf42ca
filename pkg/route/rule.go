package route

import (
	"cmp"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// Rule is how a value of the source is read on its way to the target's column. The zero value is the identity: the
// bytes stay as they are. Two rows are equal if the source's values, read by their rules, are the target's bytes.
//
// For example, the text {"b":1, "a":2} that leads to MySQL's JSON is read as {"a": 2, "b": 1}. That is how MySQL
// prints the document; how it was written cannot be found out there any more. Without the rule every such row would be
// a difference.
type Rule struct {
	// Charset is the character set of the source's column if the target's has another one: the text is read as UTF-8.
	// Text that is not well formed, or has a character in other than its one form, refuses the row: no two texts become
	// one. For example, E9 in latin1 is read as C3 A9.
	Charset string
	// Into is the character set that UTF-8 is written in then; empty if the target's column has UTF-8.
	Into string
	// Form is the kind of the target's column if that kind prints each value in one way only, else schema.Other. The
	// text is read in that form: a UUID in lower case, JSON with sorted keys.
	Form schema.Kind
	// Numeric is a Form of JSON in which numbers keep all their digits and none has an exponent, as PostgreSQL's jsonb
	// prints them: 1.50 stays 1.50, and 1e3 is read as 1000.
	Numeric bool
	// PlainZero reads the number -0 as 0: the target cannot hold -0, and the user allowed that loss.
	PlainZero bool
	// ZeroDate reads a date that no calendar has, such as 0000-00-00 or 2024-02-30, as NULL: the target cannot hold it,
	// and the user allowed that loss.
	ZeroDate bool
	// ZeroByte reads text without its characters 0x00, for the same reasons.
	ZeroByte bool
}

// recodes returns whether the bytes of a text change with its character set.
func (r Rule) recodes() bool {
	return r.Charset != "" && (!schema.IsUTF8(r.Charset) || r.Into != "" && !schema.IsUTF8(r.Into))
}

// Rule returns how value i of a row is read; the identity where there are no rules.
func (r *Relation) Rule(i int) Rule {
	if i < len(r.Rules) {
		return r.Rules[i]
	}
	return Rule{}
}

// Formed returns whether some value is read in a way that the source's server cannot compute. So a sum that it computes
// over its rows cannot be compared with the target's. What it can: the characters of a text in UTF-8, and 0 for -0.
func (r *Relation) Formed() bool {
	return slices.ContainsFunc(r.Rules, func(rule Rule) bool {
		return rule.Form != schema.Other || rule.Into != "" || rule.ZeroDate || rule.ZeroByte
	})
}

// Value returns the type that the bytes of value i have once they are read: on both ends the source column's, in the
// character set that its rule writes. A value is read from the
// source and written to the target in the same bytes, so the source's type says what they mean: 1e3 that leads from
// VARCHAR to INT is a text, and must be quoted.
func (r *Relation) Value(i int) *schema.Type {
	if r.values != nil {
		return r.values[i]
	}
	return &r.Column(i).Type
}

// compile works out the rules of all values. It runs whenever the columns change. Text of the key takes on no other
// form: rows are looked up by their key on the source, which knows it only as it was written. The characters of a key
// may be read, since they can be written back.
func (r *Route) compile() {
	n := len(r.Source.Columns)
	rules, values, retyped := make([]Rule, n), make([]*schema.Type, n), false
	for i := range n {
		source, target := r.Source.Column(i), r.Target.Column(i)
		if !slices.Contains(r.Source.Key, i) {
			rules[i].Form = formOf(&source.Type, &target.Type)
			rules[i].Numeric = rules[i].Form == schema.JSON && target.Type.Name == "jsonb"
		}
		rules[i].PlainZero = named(r.allowed[schema.NegativeZero], source)
		// Not of a key, which is written back to look rows up: two keys could become one.
		if !slices.Contains(r.Source.Key, i) {
			rules[i].ZeroDate = named(r.allowed[schema.ZeroDate], source)
			rules[i].ZeroByte = named(r.allowed[schema.ZeroByte], source)
		}
		values[i] = &source.Type
		if rules[i].Charset, rules[i].Into = charsets(&source.Type, &target.Type); rules[i].Charset != "" {
			read := source.Type
			read.Charset, read.Encoded = cmp.Or(rules[i].Into, "utf8mb4"), nil
			values[i] = &read
		}
		retyped = retyped || values[i] != &source.Type || source.Type.Kind != target.Type.Kind ||
			source.Type.Size != target.Type.Size || source.Type.Scale != target.Type.Scale
	}
	r.Source.Rules, r.Target.values = nil, nil
	if slices.ContainsFunc(rules, func(rule Rule) bool { return rule != Rule{} }) {
		r.Source.Rules = rules
	}
	if retyped {
		r.Target.values = values
	}
}

// Allow has columns of the source read by the rules of losses that were allowed for them. columns are names, by the
// name of the loss: schema.NegativeZero, schema.ZeroDate, schema.ZeroByte; other losses have no rule.
func (r *Route) Allow(columns map[string][]string) {
	r.allowed = columns
	r.compile()
}

// named returns whether the column is among the names, which both families compare without case.
func named(names []string, c *schema.Column) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, c.Name) })
}

// KeyForms returns the key columns whose text the other end prints in one way only. A key 'A0EE..' that is a UUID there
// comes back as 'a0ee..': by the bytes of the key that row has no counterpart.
func (r *Route) KeyForms() (columns []string) {
	for _, i := range r.Source.Key {
		if formOf(&r.Source.Column(i).Type, &r.Target.Column(i).Type) != schema.Other {
			columns = append(columns, r.Source.Column(i).Name)
		}
	}
	return columns
}

// charsets returns the character set that text is read from, and the one that it is written in then, see Rule: none
// when it stays as it is.
func charsets(source, target *schema.Type) (from, into string) {
	if !source.IsText() || source.Charset == "" {
		return "", ""
	}
	switch target.Kind {
	case schema.JSON, schema.UUID, schema.INET6, schema.INET4, schema.Array: // characters, and those of UTF-8
		if schema.IsUTF8(source.Charset) || source.Charset == "ascii" {
			return "", ""
		}
		return source.Charset, ""
	default:
	}
	switch {
	case !target.IsText() || target.Charset == "" || modern(source.Charset) == modern(target.Charset):
		return "", ""
	case target.Charset == "utf8mb4":
		return source.Charset, ""
	default:
		return source.Charset, target.Charset
	}
}

// modern returns the name that newer servers have for a character set.
func modern(charset string) string {
	if charset == "utf8" {
		return "utf8mb3"
	}
	return charset
}

// formOf returns the kind that text takes on in a column of the target, schema.Other when it stays as it is. Only text
// in UTF-8 or ASCII is read in another form: in other character sets its bytes are not the characters of JSON or UUID.
func formOf(source, target *schema.Type) schema.Kind {
	switch source.Kind {
	case schema.Char, schema.Varchar, schema.Text:
	case schema.JSON: // whose numbers another server may print otherwise
		if target.Name != "jsonb" {
			return schema.Other
		}
	default:
		return schema.Other
	}
	switch target.Kind {
	case schema.JSON, schema.UUID, schema.INET6, schema.INET4:
		return target.Kind
	default:
		return schema.Other
	}
}
