package route

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// Rule is how a value of the source is read on its way to the target's column. The zero value is the identity: the
// bytes stay as they are. Rows are equal when what the source's values are read as is what the target has.
//
// For example, the text {"b":1, "a":2} that leads to MySQL's JSON is read as {"a": 2, "b": 1}: that is how MySQL
// prints the document, and how it was written nobody can find out there.
type Rule struct {
	// Form is the kind of the target's column where that writes text in one way only: the text is read in that form.
	Form schema.Kind
	// PlainZero reads the number -0 as 0: the target cannot hold it, and that loss was allowed.
	PlainZero bool
}

// Rule returns how value i is read.
func (r *Relation) Rule(i int) Rule {
	if i < len(r.Rules) {
		return r.Rules[i]
	}
	return Rule{}
}

// Formed tells whether a value is read in another form, which the source's server cannot tell.
func (r *Relation) Formed() bool {
	return slices.ContainsFunc(r.Rules, func(rule Rule) bool { return rule.Form != schema.Other })
}

// Value returns the type that the bytes of value i have: the source column's, on both ends.
func (r *Relation) Value(i int) *schema.Type {
	if r.values != nil {
		return r.values[i]
	}
	return &r.Column(i).Type
}

// compile works out the rules of all values. Text of the key stays as it is: rows are looked for by it.
func (r *Route) compile() {
	n := len(r.Source.Columns)
	rules, values, retyped := make([]Rule, n), make([]*schema.Type, n), false
	for i := range n {
		source, target := r.Source.Column(i), r.Target.Column(i)
		if !slices.Contains(r.Source.Key, i) {
			rules[i].Form = formOf(&source.Type, &target.Type)
		}
		rules[i].PlainZero = named(r.plainZeros, source)
		values[i] = &source.Type
		retyped = retyped || source.Type.Kind != target.Type.Kind
	}
	r.Source.Rules, r.Target.values = nil, nil
	if slices.ContainsFunc(rules, func(rule Rule) bool { return rule != Rule{} }) {
		r.Source.Rules = rules
	}
	if retyped {
		r.Target.values = values
	}
}

// ReadPlainZeros has -0 read as 0 in columns of the source, by a loss that was allowed.
func (r *Route) ReadPlainZeros(columns []string) {
	r.plainZeros = columns
	r.compile()
}

func named(names []string, c *schema.Column) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, c.Name) })
}

// KeyForms returns the columns of a key whose text the other end writes in one way only.
func (r *Route) KeyForms() (columns []string) {
	for _, i := range r.Source.Key {
		if formOf(&r.Source.Column(i).Type, &r.Target.Column(i).Type) != schema.Other {
			columns = append(columns, r.Source.Column(i).Name)
		}
	}
	return columns
}

// formOf returns the kind that text takes on in a column of the target.
func formOf(source, target *schema.Type) schema.Kind {
	switch source.Kind {
	case schema.Char, schema.Varchar, schema.Text:
	default:
		return schema.Other
	}
	if !slices.Contains([]string{"utf8mb4", "utf8mb3", "utf8", "ascii"}, source.Charset) {
		return schema.Other
	}
	switch target.Kind {
	case schema.JSON, schema.UUID, schema.INET6, schema.INET4:
		return target.Kind
	default:
		return schema.Other
	}
}
