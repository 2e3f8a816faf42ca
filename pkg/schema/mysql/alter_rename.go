package mysql

import (
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// mentions returns whether an expression has a name in backticks, or any word when words is set, that is one of those
// asked for. It is asked in lower case.
func mentions(expr string, words bool, asked func(string) bool) bool {
	if expr == "" {
		return false
	}
	tokens, err := sqltext.Lex(expr, printed)
	if err != nil {
		return true // what cannot be read is written anew
	}
	for _, t := range tokens {
		if (t.Kind == sqltext.Name || words && t.Kind == sqltext.Word) && asked(strings.ToLower(t.Text)) {
			return true
		}
	}
	return false
}

// substitute replaces names in an expression, all at once, so that two may be exchanged: with a and b exchanged `a` +
// `b` becomes `b` + `a`. With words set, names without backticks are replaced too, as MySQL prints them in partitions.
func substitute(expr string, words bool, renamed map[string]string) string {
	tokens, err := sqltext.Lex(expr, printed)
	if err != nil || len(renamed) == 0 {
		return expr
	}
	var b strings.Builder
	done := 0
	for _, t := range tokens {
		if t.Kind != sqltext.Name && (!words || t.Kind != sqltext.Word) {
			continue
		}
		if name, ok := renamed[strings.ToLower(t.Text)]; ok {
			b.WriteString(expr[done:t.From] + Quote(name))
			done = t.To
		}
	}
	return b.String() + expr[done:]
}

// rename returns from as a server would have it after the table and columns got the names of to and nothing else
// changed. Whatever of that differs from to needs a clause.
func (a *alteration) rename() *schema.Table {
	t := a.from.Clone()
	t.Name = a.to.Name
	for i := range t.Columns {
		c := &t.Columns[i]
		c.Name = a.nameOf(c.Name)
		c.Expr, c.Check = substitute(c.Expr, false, a.renamed), substitute(c.Check, false, a.renamed)
		if c.Default != nil && !c.Default.Literal && !c.Default.Null {
			c.Default.Text = substitute(c.Default.Text, false, a.renamed)
		}
	}
	if t.Primary != nil {
		a.renameParts(t.Primary)
	}
	for i := range t.Indexes {
		a.renameParts(&t.Indexes[i])
	}
	for i := range t.Checks {
		t.Checks[i].Expr = substitute(t.Checks[i].Expr, false, a.renamed)
		if a.flavor.Family == schema.MySQL {
			t.Checks[i].Name = a.constraintName(t.Checks[i].Name, "_chk_")
		}
	}
	for i := range t.ForeignKeys {
		key := &t.ForeignKeys[i]
		key.Name = a.constraintName(key.Name, "_ibfk_")
		key.Columns = a.namesOf(key.Columns)
		if key.Parent == a.from.Name {
			key.Parent, key.ParentColumns = a.to.Name, a.namesOf(key.ParentColumns)
		}
	}
	t.Partition = substitute(t.Partition, true, a.renamed)
	return t
}

// nameOf returns the new name of a column, or its own when that stays.
func (a *alteration) nameOf(column string) string {
	if name, ok := a.renamed[strings.ToLower(column)]; ok {
		return name
	}
	return column
}

// namesOf returns the new names of columns.
func (a *alteration) namesOf(columns []string) []string {
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = a.nameOf(column)
	}
	return names
}

// renameParts gives an index the new names of its columns, in place.
func (a *alteration) renameParts(index *schema.Index) {
	for i := range index.Parts {
		part := &index.Parts[i]
		part.Column, part.Expr = a.nameOf(part.Column), substitute(part.Expr, false, a.renamed)
	}
}

// constraintName returns the name that a constraint has after the table is renamed: names that the server made begin
// with the table's, and follow it (MySQL manual 15.1.9; InnoDB's foreign keys on both families).
func (a *alteration) constraintName(name, infix string) string {
	number, ok := strings.CutPrefix(name, a.from.Name.Table+infix)
	if !ok || a.from.Name.Table == a.to.Name.Table || strings.Trim(number, "0123456789") != "" {
		return name
	}
	return a.to.Name.Table + infix + number
}
