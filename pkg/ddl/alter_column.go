package ddl

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// slot is a column while columns are put in order.
type slot struct {
	col  schema.Column
	from int // its position before, or -1 of a new one
	def  *columnDef
}

// columns puts the columns in order, as mysql_prepare_alter_table of both servers does: first the existing columns in
// their order, then clause by clause the new ones are inserted, and the moved ones are removed and inserted. AFTER
// names a column by its new name, so `CHANGE a b INT, ADD c INT AFTER b` is right, and AFTER a would be an error.
func (a *alteration) columns() error {
	if err := a.columnDrops(); err != nil {
		return err
	}
	changes, err := a.columnChanges()
	if err != nil {
		return err
	}
	var slots []slot
	for i, old := range a.before.Columns {
		c := changes[i]
		switch {
		case a.gone[strings.ToLower(old.Name)]:
		case c == nil:
			slots = append(slots, slot{col: a.kept(old), from: i})
		default:
			slots = append(slots, a.changed(c, i))
		}
	}
	for i := range a.s.columns {
		c := &a.s.columns[i]
		from := slices.Index(changes, c) // the column that the clause changes, -1 of ADD
		switch {
		case from >= 0 && (c.first || c.after != ""):
			at := slices.IndexFunc(slots, func(s slot) bool { return s.from == from })
			if at < 0 {
				return fmt.Errorf("no column %s", c.old)
			}
			moved := slots[at]
			slots, err = insert(slices.Delete(slots, at, at+1), moved, c)
		case c.old == "" && !a.skips(c):
			slots, err = insert(slots, a.changed(c, -1), c)
		}
		if err != nil {
			return err
		}
	}
	return a.setColumns(slots)
}

// setColumns gives the table its columns, and notes which of them have other names than before.
func (a *alteration) setColumns(slots []slot) error {
	a.t.Columns = nil
	for _, s := range slots {
		if a.t.Column(s.col.Name) >= 0 {
			return fmt.Errorf("column %s is there already", s.col.Name)
		}
		a.t.Columns = append(a.t.Columns, s.col)
		a.from, a.defs = append(a.from, s.from), append(a.defs, s.def)
		if s.from >= 0 && s.col.Name != a.before.Columns[s.from].Name {
			a.names[strings.ToLower(a.before.Columns[s.from].Name)] = s.col.Name
		}
	}
	if len(slots) == 0 {
		return fmt.Errorf("no column is left")
	}
	return nil
}

// insert puts a column where its clause says: FIRST, AFTER another, or at the end.
func insert(slots []slot, s slot, c *columnChange) ([]slot, error) {
	switch {
	case c.first:
		return slices.Insert(slots, 0, s), nil
	case c.after == "":
		return append(slots, s), nil
	}
	at := slices.IndexFunc(slots, func(o slot) bool { return strings.EqualFold(o.col.Name, c.after) })
	if at < 0 {
		return nil, fmt.Errorf("no column %s to stand after", c.after)
	}
	return slices.Insert(slots, at+1, s), nil
}

// columnDrops notes the columns that are dropped. It comes before all else, since a clause may add a column by the same
// name: `DROP c, ADD c INT`.
func (a *alteration) columnDrops() error {
	for _, d := range a.s.drops {
		if d.what != dropColumn {
			continue
		}
		if a.before.Column(d.name) < 0 {
			if d.optional {
				continue
			}
			return fmt.Errorf("no column %s", d.name)
		}
		a.gone[strings.ToLower(d.name)] = true
	}
	return nil
}

// columnChanges returns, per column that was there, its clause or nil.
func (a *alteration) columnChanges() ([]*columnChange, error) {
	changes := make([]*columnChange, len(a.before.Columns))
	for i := range a.s.columns {
		c := &a.s.columns[i]
		if c.old == "" {
			continue
		}
		switch at := a.before.Column(c.old); {
		case at < 0 && c.optional:
		case at < 0:
			return nil, fmt.Errorf("no column %s", c.old)
		default:
			changes[at] = c
		}
	}
	return changes, nil
}

// skips returns whether ADD COLUMN IF NOT EXISTS has nothing to do (MariaDB).
func (a *alteration) skips(c *columnChange) bool {
	return c.optional && a.before.Column(c.name) >= 0 && !a.gone[strings.ToLower(c.name)]
}

// kept returns an existing column without a clause of its own. Only CONVERT TO CHARACTER SET changes it.
func (a *alteration) kept(old schema.Column) schema.Column {
	if a.s.convert == nil || !old.Type.IsText() {
		return old
	}
	before := old.Type
	old.Type.Charset, old.Type.Collation = a.t.Charset, a.t.Collation
	grown := width(old.Type.Charset) > width(before.Charset)
	switch {
	case before.Kind == schema.Text && grown:
		// A TEXT in latin1 that becomes utf8mb4 needs up to four times the bytes, so the server makes it MEDIUMTEXT.
		most := []int{0, 1<<8 - 1, 1<<16 - 1, 1<<24 - 1, 1<<32 - 1}[before.Size] / width(before.Charset)
		if t, err := mysql.ParseType(sized("text", most*width(old.Type.Charset))); err == nil && t.Size > before.Size {
			t.Charset, t.Collation = old.Type.Charset, old.Type.Collation
			old.Type = t
		}
	// The server refuses the statement, or makes a TEXT of the column, by sql_mode.
	case before.Kind == schema.Varchar && before.Size*width(old.Type.Charset) > 65535:
		a.doubt("a column that is longer than its type may be")
	}
	return old
}

// changed returns a column that has a clause of its own. from is its position before, -1 of a new one.
func (a *alteration) changed(c *columnChange, from int) slot {
	if c.renaming { // RENAME COLUMN changes nothing else; CHANGE replaces the whole definition
		col := a.kept(a.before.Columns[from])
		col.Name = c.name
		return slot{col: col, from: from}
	}
	col, what := a.w.column(&c.columnDef, a.t)
	a.doubt(what)
	if a.s.convert != nil && col.Type.IsText() {
		col.Type.Charset, col.Type.Collation = a.t.Charset, a.t.Collation
	}
	if a.s.convert != nil && (col.Type.Kind == schema.Text || col.Type.Kind == schema.Blob) {
		a.doubt("the size of a text that is converted")
	}
	return slot{col: col, from: from, def: &c.columnDef}
}

// columnDefaults does ALTER COLUMN. It names columns as they were before the statement: in `RENAME COLUMN a TO b, ALTER
// a SET DEFAULT 1` the second clause means b.
func (a *alteration) columnDefaults() error {
	for _, d := range a.s.defaults {
		old := a.before.Column(d.name)
		at := slices.Index(a.from, old)
		if old < 0 || at < 0 {
			if old >= 0 {
				a.doubt("the default of a column that is dropped")
			} else if !d.optional {
				return fmt.Errorf("no column %s", d.name)
			}
			continue
		}
		c := &a.t.Columns[at]
		if a.defs[at] != nil { // MODIFY c INT DEFAULT 1, ALTER c SET DEFAULT 2
			a.doubt("a default beside a new definition of the column")
		}
		switch {
		case d.visible != nil:
			c.Invisible = !*d.visible
		case c.Generated != schema.NotGenerated, c.AutoIncrement,
			a.w.ctx.Flavor.Family == schema.MySQL && !takesLiteral(c.Type.Kind):
			a.doubt("a default of column " + c.Name + ", which has none")
		case d.def == nil:
			// DROP DEFAULT: on MySQL INSERT must name the column from now on, even if it may be NULL. On MariaDB a
			// column that may be NULL has DEFAULT NULL all the same.
			c.Default = nil
			if c.Nullable && (a.w.ctx.Flavor.Family == schema.MariaDB || !takesLiteral(c.Type.Kind)) {
				c.Default = &schema.Default{Null: true}
			}
		case d.def.expr != nil:
			a.doubtExpression(d.def.expr)
			if d.def.expr.constant() && a.w.ctx.Flavor.Family == schema.MariaDB {
				a.doubt("how the server prints a literal in parentheses")
			}
			c.Default = &schema.Default{Text: d.def.expr.sql(a.t.Columns)}
		default:
			var what string
			c.Default, what = a.w.value(d.def, &c.Type)
			a.doubt(what)
			a.doubt(a.w.precision(c))
		}
	}
	return nil
}

// doubtExpression notes what of an expression the server may print differently from how it was written.
func (a *alteration) doubtExpression(e expression) {
	if what := e.unsure(a.t.Columns); what != "" {
		a.doubt("how the server prints " + what)
	}
}

// expressionsOf fills in the expressions of new definitions, and renames columns in existing ones. It comes after all
// columns are in place: a generated column may be computed from one that a later clause adds.
func (a *alteration) expressionsOf() error {
	for i := range a.t.Columns {
		c := &a.t.Columns[i]
		if a.defs[i] != nil {
			a.doubt(a.w.expressions(a.defs[i], c, a.t.Columns))
			continue
		}
		// The text that the server printed, with the new names of columns in it.
		c.Expr, _ = renamed(c.Expr, a.w.ctx, a.names)
		c.Check, _ = renamed(c.Check, a.w.ctx, a.names)
		if c.Default != nil && !c.Default.Null && !c.Default.Literal {
			def := *c.Default
			def.Text, _ = renamed(def.Text, a.w.ctx, a.names)
			c.Default = &def
		}
	}
	return nil
}

// converts returns whether a column's values may not be what they were, in the bytes that the log has of them.
// VARCHAR(9) to VARCHAR(20) keeps all bytes. INT to VARCHAR counts as a conversion.
func converts(before, after *schema.Column, names map[string]string, ctx Context) bool {
	if expr, _ := renamed(before.Expr, ctx, names); before.Generated != after.Generated || expr != after.Expr {
		return true
	}
	// NULL becomes 0 or '' outside of strict mode; 0 and NULL become numbers in a column that counts.
	if before.Nullable && !after.Nullable || !before.AutoIncrement && after.AutoIncrement {
		return true
	}
	from, to := before.Type, after.Type
	// Every text in utf8mb3 has the same bytes in utf8mb4.
	if from.IsText() && from.Charset != to.Charset && (from.Charset != "utf8mb3" || to.Charset != "utf8mb4") {
		return true
	}
	if from.Text == to.Text { // an SRID that is demanded now refuses values, and one that is not changes none
		return from.Kind == schema.Geometry && from.SRID != to.SRID && to.SRID != nil
	}
	return !widens(from, to)
}

// widens returns whether every value of one type is the same value, in the same bytes, of another: INT to BIGINT,
// DECIMAL(5,2) to DECIMAL(9,2), an enum to one with further labels behind.
func widens(from, to schema.Type) bool {
	// Kinds with one number hold the same values. CHAR is a source only: it drops trailing spaces.
	text := map[schema.Kind]int{schema.Char: 1, schema.Varchar: 1, schema.Text: 1, schema.Varbinary: 2, schema.Blob: 2}
	switch {
	case from.Zerofill || to.Zerofill: // as many digits as the width demands
		return false
	case from.Kind == schema.Integer && to.Kind == schema.Integer:
		return from.Unsigned == to.Unsigned && to.Size >= from.Size || from.Unsigned && to.Size > from.Size
	case from.Kind == schema.Decimal && to.Kind == schema.Decimal:
		return from.Scale == to.Scale && from.Precision <= to.Precision && (from.Unsigned || !to.Unsigned)
	case from.Kind == schema.Enum && to.Kind == schema.Enum, from.Kind == schema.Set && to.Kind == schema.Set:
		return len(from.Labels) <= len(to.Labels) && slices.Equal(from.Labels, to.Labels[:len(from.Labels)])
	case text[from.Kind] != 0 && text[from.Kind] == text[to.Kind] && to.Kind != schema.Char:
		return capacity(from) <= capacity(to)
	case from.Kind == schema.Char && to.Kind == schema.Char, from.Kind == schema.Bit && to.Kind == schema.Bit:
		return from.Size <= to.Size
	default:
		return false
	}
}

// capacity returns the most bytes of a value of a text or binary type.
func capacity(t schema.Type) int {
	if t.Kind == schema.Text || t.Kind == schema.Blob {
		return []int{0, 1<<8 - 1, 1<<16 - 1, 1<<24 - 1, 1<<32 - 1}[t.Size]
	}
	return t.Size * width(t.Charset)
}

// takesLiteral returns whether columns of the kind have literal defaults on MySQL. Of other kinds, such as TEXT, a
// column that may be NULL prints no DEFAULT NULL.
func takesLiteral(kind schema.Kind) bool {
	switch kind {
	case schema.Text, schema.Blob, schema.JSON, schema.Geometry, schema.Vector:
		return false
	default:
		return true
	}
}
