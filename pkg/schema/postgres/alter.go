package postgres

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// alteration is the work of one Alter.
type alteration struct {
	from, to *schema.Table
	former   []int // per column of to: its position in from, or -1 when it is new
	kept     map[int]bool
	changed  []bool // per column of to: whether what depends on it has to be made anew, because its type is another

	statements []string
}

// Alter implements schema.Dialect. It is one text of several statements, which the server runs in one transaction. The
// order of columns stays: no statement of PostgreSQL changes it. Partitions are none, so rows of one that the source
// empties cannot be told from others.
func (d Dialect) Alter(from, to *schema.Table, former map[string]string, empties []string) ([]string, error) {
	a := &alteration{from: from, to: to, kept: map[int]bool{}}
	if err := a.lineage(former); err != nil {
		return nil, fmt.Errorf("alter table %s: %w", from.Name, err)
	}
	if len(empties) > 0 {
		return nil, fmt.Errorf("alter table %s: cannot remove the rows of partition %s: the table has no partitions "+
			"on PostgreSQL", from.Name, empties[0])
	}
	a.drops()
	a.renames()
	if err := a.columns(); err != nil {
		return nil, fmt.Errorf("alter table %s: %w", from.Name, err)
	}
	a.adds()
	a.rename()
	if len(a.statements) == 0 {
		return nil, nil
	}
	lock := "LOCK TABLE " + Quoted(from.Name) + " IN ACCESS EXCLUSIVE MODE"
	return []string{strings.Join(append([]string{lock}, a.statements...), between)}, nil
}

// lineage reads former.
func (a *alteration) lineage(former map[string]string) error {
	for _, t := range []*schema.Table{a.from, a.to} {
		if t.Kind != schema.BaseTable {
			return fmt.Errorf("cannot change what is no base table")
		}
	}
	byName, used := map[string]string{}, map[int]string{}
	for now, was := range former {
		at := a.from.Column(was)
		if a.to.Column(now) < 0 || at < 0 {
			return fmt.Errorf("cannot make column %s of column %s: no such column", now, was)
		}
		if used[at] != "" {
			return fmt.Errorf("cannot make two columns of column %s", was)
		}
		used[at], byName[strings.ToLower(now)] = now, was
	}
	a.former, a.changed = make([]int, len(a.to.Columns)), make([]bool, len(a.to.Columns))
	for i := range a.to.Columns {
		c := &a.to.Columns[i]
		a.former[i] = -1
		was, ok := byName[strings.ToLower(c.Name)]
		if !ok {
			continue
		}
		at := a.from.Column(was)
		old := &a.from.Columns[at]
		if !sameGeneration(old, c, a.expr(old.Expr)) {
			if c.Generated == schema.NotGenerated {
				// DROP EXPRESSION keeps the values.
				a.former[i], a.kept[at] = at, true
			}
			continue // made anew: its values follow from the others
		}
		a.former[i], a.kept[at] = at, true
		a.changed[i] = typeClause(&old.Type) != typeClause(&c.Type)
	}
	return nil
}

// sameGeneration tells whether two columns are computed alike, or both are not.
func sameGeneration(old, c *schema.Column, expr string) bool {
	return old.Generated == schema.NotGenerated && c.Generated == schema.NotGenerated ||
		old.Generated != schema.NotGenerated && c.Generated != schema.NotGenerated && expr == normal(c.Expr)
}

// expr returns the normal form of an expression of from under the names of to.
func (a *alteration) expr(text string) string { return normal(text) }

func (a *alteration) add(format string, args ...any) {
	a.statements = append(a.statements, fmt.Sprintf(format, args...))
}

// table adds a clause of ALTER TABLE, on the table's old name.
func (a *alteration) table(format string, args ...any) {
	a.add("ALTER TABLE "+Quoted(a.from.Name)+" "+format, args...)
}

// rename gives the table its new name.
func (a *alteration) rename() {
	if a.from.Name != a.to.Name {
		a.statements = append(a.statements, renameTable(a.from.Name, a.to.Name)...)
	}
}
