package ddl

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// foreign adds a foreign key and returns the index that is made for it, which prune may drop. highest is the largest
// number in a name like t_ibfk_3 so far: InnoDB counts on from there, also when lower numbers are free.
func (b *builder) foreign(def *foreignDef, highest *int) key {
	f := schema.ForeignKey{
		Name: def.name, Columns: b.spelled(def.columns), Parent: def.parent,
		ParentColumns: def.parents, OnDelete: def.onDelete, OnUpdate: def.onUpdate,
	}
	index := key{generated: true}
	index.Name = def.name
	if index.Name == "" {
		index.Name = def.index
	}
	// FOREIGN KEY x (p): x names the index, and on MariaDB the constraint too.
	if f.Name == "" && b.w.ctx.Flavor.Family == schema.MariaDB {
		f.Name = def.index
	}
	if f.Name == "" {
		*highest++
		f.Name = numberedName(b.t.Name.Table, "_ibfk_", *highest)
	}
	if f.ParentColumns == nil {
		f.ParentColumns = b.parentKey(def.parent)
	}
	for _, column := range f.Columns {
		index.Parts = append(index.Parts, schema.Part{Column: column})
	}
	if b.w.ctx.Flavor.Family == schema.MariaDB && b.w.ctx.Flavor.Version >= 120000 {
		b.doubt("the name of a foreign key")
	}
	b.t.ForeignKeys = append(b.t.ForeignKeys, f)
	return index
}

// parentKey returns the columns of a table's primary key, which a foreign key that names no columns references. The
// table may reference itself, and then the primary key may be one that the statement makes.
func (b *builder) parentKey(parent schema.Name) []string {
	t := b.w.table(parent)
	if parent == b.t.Name {
		t = b.t
	}
	if t == nil || t.Primary == nil {
		b.doubt("the columns that a foreign key refers to")
		return nil
	}
	var columns []string
	for _, part := range t.Primary.Parts {
		columns = append(columns, part.Column)
	}
	return columns
}

// spelled returns columns in the spelling of the table: names are compared without case, and servers print the table's.
func (b *builder) spelled(columns []string) []string {
	spelled := make([]string, len(columns))
	for i, column := range columns {
		spelled[i] = column
		if at := b.t.Column(column); at >= 0 {
			spelled[i] = b.t.Columns[at].Name
		} else {
			b.doubt("a key over " + column)
		}
	}
	return spelled
}

// numberedName returns the name that a server gives a constraint: t_ibfk_2, t_chk_1.
func numberedName(table, infix string, n int) string { return fmt.Sprintf("%s%s%d", table, infix, n) }

// highest returns the largest number among the names that a server made from the table's, 0 when there are none.
func (b *builder) highest(names []string, infix string) int {
	most := 0
	for _, name := range names {
		most = max(most, numbered(name, b.t.Name.Table, infix))
	}
	return most
}

// foreignNames returns the names of the table's foreign keys in lower case.
func (b *builder) foreignNames() []string {
	var names []string
	for _, f := range b.t.ForeignKeys {
		names = append(names, strings.ToLower(f.Name))
	}
	return names
}

// checks adds the table's checks. Those without a name get one: MySQL counts on from the highest t_chk_n, MariaDB takes
// the first free CONSTRAINT_n. lost are the names that the same statement frees: whether a server gives them to a new
// check is unknown.
func (b *builder) checks(defs []checkDef, lost map[string]bool) {
	have := map[string]bool{}
	var names []string
	for _, check := range b.t.Checks {
		have[strings.ToLower(check.Name)] = true
		names = append(names, check.Name)
	}
	highest := b.highest(names, "_chk_")
	for _, def := range defs {
		if def.optional && have[strings.ToLower(def.name)] {
			continue
		}
		check := schema.Check{Name: def.name, Expr: def.expr.sql(b.t.Columns), NotEnforced: def.notEnforced}
		if what := def.expr.unsure(b.t.Columns); what != "" {
			b.doubt("how the server prints " + what)
		}
		if check.Name == "" && len(lost) > 0 {
			b.doubt("the name of a check beside one that is dropped")
		}
		if check.Name == "" && b.w.ctx.Flavor.Family == schema.MariaDB {
			for n := 1; check.Name == "" || have[strings.ToLower(check.Name)]; n++ {
				check.Name = fmt.Sprintf("CONSTRAINT_%d", n)
			}
		} else if check.Name == "" {
			highest++
			check.Name = numberedName(b.t.Name.Table, "_chk_", highest)
		}
		have[strings.ToLower(check.Name)] = true
		b.t.Checks = append(b.t.Checks, check)
	}
}
