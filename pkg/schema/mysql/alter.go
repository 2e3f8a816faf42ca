package mysql

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// alteration is the work of one Alter. Columns of from are identified by their lower-case names there.
type alteration struct {
	dialect
	from *schema.Table
	to   *schema.Table
	base *schema.Table // from under the names of to: what a server makes of it when columns and table are only renamed

	former  []int             // per column of to: its position in from, or -1 when it is new
	moved   []bool            // per column of to: whether it has to be put elsewhere
	changed []bool            // per column of to: whether its definition is another, apart from the name
	renamed map[string]string // old name -> new name, of columns that have another
	// old names that mean no column any more, or another that is added: what uses them is written anew
	gone    map[string]bool
	restate bool // the server does not put new names of columns into expressions, so they are written out

	clauses []string // of the one ALTER TABLE
	first   []string // whole statements before it
	last    []string // whole statements after it
}

// Alter implements schema.Dialect. Servers gather the clauses of an ALTER TABLE by kind, so only the order of columns
// matters to them. What cannot be a clause of the one ALTER TABLE goes before it (first) or after it (last).
func (d dialect) Alter(from, to *schema.Table, former map[string]string, empties []string) ([]string, error) {
	a := &alteration{dialect: d, from: from, to: to, renamed: map[string]string{}, gone: map[string]bool{}}
	if err := a.prepare(former); err != nil {
		return nil, fmt.Errorf("alter table %s: %w", from.Name, err)
	}
	a.droppedChecks()
	keys := a.foreignKeyDrops()
	a.indexDrops()
	a.columns()
	a.indexAdds()
	a.addedChecks()
	a.foreignKeyAdds(keys)
	if err := a.tableOptions(); err != nil {
		return nil, fmt.Errorf("alter table %s: %w", from.Name, err)
	}
	partitioning, err := a.partitions(empties)
	if err != nil {
		return nil, fmt.Errorf("alter table %s: %w", from.Name, err)
	}
	return a.statements(partitioning), nil
}

// statements puts the clauses together. partitioning stands behind them without a comma, as the servers' grammar has
// it. A table that is renamed and nothing else gets RENAME TABLE: MariaDB's ALTER TABLE .. RENAME would copy it where
// another clause is with it, and lose its foreign keys (see losesKeysByRename).
func (a *alteration) statements(partitioning string) []string {
	all, name := a.first, a.from.Name
	rename := name != a.to.Name
	changes := len(a.clauses) > 0 || partitioning != ""
	if rename && (!changes || a.flavor.losesKeysByRename()) {
		all = append(all, "RENAME TABLE "+Quoted(name)+" TO "+Quoted(a.to.Name))
		rename, name = false, a.to.Name
	}
	if rename {
		a.clause("RENAME TO %s", Quoted(a.to.Name))
	}
	if changes {
		statement := "ALTER TABLE " + Quoted(name)
		if len(a.clauses) > 0 {
			statement += "\n  " + strings.Join(a.clauses, ",\n  ")
		}
		if partitioning != "" {
			statement += "\n" + partitioning
		}
		all = append(all, statement)
	}
	all = append(all, a.last...)
	return append(all, alter(a.to.Name, a.defaultDrops())...)
}

// defaultDrops removes the defaults that a server gives by itself: `c INT` means DEFAULT NULL, and only ALTER COLUMN c
// DROP DEFAULT makes a column that may be NULL and that INSERT must name.
func (a *alteration) defaultDrops() (clauses []string) {
	for i, at := range a.former {
		if c := &a.to.Columns[i]; unasked(c) && (at < 0 || a.changed[i] || a.moved[i] ||
			a.from.Columns[at].Default != nil) {
			clauses = append(clauses, dropDefault(c))
		}
	}
	return clauses
}

// clause adds one to the ALTER TABLE.
func (a *alteration) clause(format string, args ...any) {
	a.clauses = append(a.clauses, fmt.Sprintf(format, args...))
}

// prepare finds out which column becomes which, and which definitions must be written anew for it: those that differ,
// and those whose expressions use a column that is dropped or renamed.
func (a *alteration) prepare(former map[string]string) error {
	for _, t := range []*schema.Table{a.from, a.to} {
		if t.Kind != schema.BaseTable {
			return fmt.Errorf("cannot change what is no base table, or keeps its history")
		}
	}
	if err := a.lineage(former); err != nil {
		return err
	}
	a.base = a.rename()
	a.changed, a.moved = make([]bool, len(a.to.Columns)), a.moves()
	a.restate = !a.flavor.renamesInExpressions()
	for i, at := range a.former {
		if at < 0 {
			continue
		}
		c := &comparison{unasked: true}
		c.column(&a.to.Columns[i], &a.base.Columns[at])
		a.changed[i] = len(c.found) > 0
		if a.newName(at) && (a.changed[i] || a.moved[i]) {
			a.restate = true // unlike RENAME COLUMN, CHANGE COLUMN puts the new name into no expression
		}
	}
	for i, at := range a.former {
		c := &a.from.Columns[max(at, 0)]
		if at >= 0 && (a.stale(c.Expr) || a.stale(c.Check) ||
			c.Default != nil && !c.Default.Literal && a.stale(c.Default.Text)) {
			a.changed[i] = true
		}
	}
	return nil
}

// lineage reads former: which position in from each column of to comes from. A column that becomes virtual, or no
// longer is, has to be dropped and added: no server changes it, and its values follow from the others.
func (a *alteration) lineage(former map[string]string) error {
	byName, used := map[string]string{}, map[int]bool{}
	for now, was := range former {
		if a.to.Column(now) < 0 || a.from.Column(was) < 0 {
			return fmt.Errorf("cannot make column %s of column %s: no such column", now, was)
		}
		byName[strings.ToLower(now)] = was
	}
	a.former = make([]int, len(a.to.Columns))
	for i := range a.to.Columns {
		c := &a.to.Columns[i]
		was, ok := byName[strings.ToLower(c.Name)]
		if a.former[i] = -1; !ok {
			continue
		}
		at := a.from.Column(was)
		if used[at] {
			return fmt.Errorf("cannot make two columns of column %s", was)
		}
		used[at] = true
		old := &a.from.Columns[at]
		switch {
		case old.Generated == schema.Virtual && c.Generated == schema.NotGenerated:
			return fmt.Errorf("cannot keep the values of virtual column %s in column %s, which is not generated", was,
				c.Name)
		case (old.Generated == schema.Virtual) == (c.Generated == schema.Virtual):
			a.former[i] = at
			if old.Name != c.Name {
				a.renamed[strings.ToLower(old.Name)] = c.Name
			}
		}
	}
	for i := range a.from.Columns {
		if !a.keeps(i) {
			a.gone[lower(a.from.Columns[i].Name)] = true
		}
	}
	for i, at := range a.former {
		// A server takes the new column for the old one of the name that an index had, which is renamed (seen on
		// MySQL 9.7).
		if at < 0 && a.from.Column(a.to.Columns[i].Name) >= 0 {
			a.gone[lower(a.to.Columns[i].Name)] = true
		}
	}
	return nil
}

// keeps returns whether a column of from becomes one of to.
func (a *alteration) keeps(at int) bool {
	for _, other := range a.former {
		if other == at {
			return true
		}
	}
	return false
}

// newName returns whether a column of from gets another name.
func (a *alteration) newName(at int) bool {
	_, yes := a.renamed[strings.ToLower(a.from.Columns[at].Name)]
	return yes
}

// stale returns whether an expression of from must be written anew: it uses a column that is dropped, or one that is
// renamed and whose new name the server does not put into expressions.
func (a *alteration) stale(expr string) bool {
	return mentions(expr, false, func(name string) bool {
		_, renamed := a.renamed[name]
		return a.gone[name] || renamed && a.restate
	})
}
