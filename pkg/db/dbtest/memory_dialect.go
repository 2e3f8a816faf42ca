package dbtest

import (
	"fmt"
	"slices"

	"wherry/pkg/schema"
)

// dialect writes tables in the language of a Server of its family. Like a real one it has no server behind it: it
// knows only what is in its arguments.
type dialect struct{ family *family }

// Map returns the table under another name, in the words of the family; nothing is lost. Foreign keys point at the
// parents' new names.
func (d dialect) Map(source *schema.Table, to schema.Name, rename func(schema.Name) schema.Name) (*schema.Table,
	[]schema.Loss, error,
) {
	if source.Kind != schema.BaseTable {
		return nil, nil, fmt.Errorf("map %s: it is no table", source.Name)
	}
	t := *source
	t.Name, t.Rows, t.Bytes, t.AutoIncrement, t.Definition = to, 0, 0, 0, ""
	t.Flavor = schema.Flavor{Family: d.family.name}
	t.ForeignKeys = slices.Clone(t.ForeignKeys)
	for i := range t.ForeignKeys {
		t.ForeignKeys[i].Parent = rename(t.ForeignKeys[i].Parent)
	}
	if d.family.translate != nil {
		d.family.translate(&t)
	}
	d.family.encode(&t)
	return &t, nil, nil
}

// Regenerates finds nothing: a table is kept as it was given.
func (dialect) Regenerates(*schema.Table) []string { return nil }

// SessionColumns finds none: nothing is computed.
func (dialect) SessionColumns(*schema.Table) []string { return nil }

// Triggers are none.
func (dialect) Triggers(*schema.Table) []string { return nil }

// LateForeignKeys is false: foreign keys of the memory refuse nothing.
func (dialect) LateForeignKeys() bool { return false }

// UniqueNames asks for names that are unique in their database.
func (dialect) UniqueNames() (foreignKeys, checks bool) { return true, true }

// DropTable returns the statement that removes a table if it is there.
func (dialect) DropTable(name schema.Name) string { return DropTable(name) }

// TruncateTable returns the statement that removes a table's rows.
func (dialect) TruncateTable(name schema.Name) string { return TruncateTable(name) }

// Analyze returns a statement in the second family, whose servers count nothing by themselves.
func (d dialect) Analyze(name schema.Name) string {
	if !d.family.single {
		return ""
	}
	return write(analyzeTable, operands{Table: schema.Table{Name: name}})
}

// RenameTables returns the statement that renames tables one after the other.
func (dialect) RenameTables(pairs [][2]schema.Name) string {
	return write(renameTables, operands{Pairs: pairs})
}

// CreateDatabase returns a statement that does nothing: a database is there when a table names it.
func (dialect) CreateDatabase(name, _ string) string {
	return write(createDatabase, operands{Table: schema.Table{Name: schema.Name{Database: name}}})
}

// DropDatabase returns a statement that does nothing: a database is there while a table names it.
func (dialect) DropDatabase(name string) string {
	return write(createDatabase, operands{Table: schema.Table{Name: schema.Name{Database: name}}})
}

// CreateTable returns the statements that make a table, deferred with its row key only: other indexes come after the
// copy.
func (d dialect) CreateTable(t *schema.Table, deferred bool) []string {
	created := *t
	created.ForeignKeys = nil
	if deferred || d.family.single {
		created.Indexes = nil
		if key := t.KeyIndex(); key != nil && key != t.Primary {
			created.Indexes = []schema.Index{*key}
		}
	}
	statements := []string{write(createTable, operands{Table: created})}
	if deferred {
		return statements
	}
	return append(statements, d.AddIndexes(t, &created)...)
}

// each returns one statement for all parts of a table, or in a family that takes them singly one for each. A phase
// must run all of them, and after a kill find out which have been run.
func each[T any](d dialect, verb string, name schema.Name, all []T,
	set func(*schema.Table, []T),
) (statements []string) {
	n := len(all)
	if d.family.single {
		n = 1
	}
	for ; len(all) > 0; all = all[n:] {
		t := schema.Table{Name: name}
		set(&t, all[:n])
		statements = append(statements, write(verb, operands{Table: t}))
	}
	return statements
}

// AddIndexes returns the statements that add what existing lacks.
func (d dialect) AddIndexes(t, existing *schema.Table) []string {
	lacking := slices.DeleteFunc(slices.Clone(t.Indexes), func(index schema.Index) bool {
		return slices.ContainsFunc(existing.Indexes, func(have schema.Index) bool { return have.Name == index.Name })
	})
	return each(d, addIndexes, t.Name, lacking, func(t *schema.Table, some []schema.Index) { t.Indexes = some })
}

// AddForeignKeys returns the statements that add what existing lacks.
func (d dialect) AddForeignKeys(t, existing *schema.Table) []string {
	lacking := slices.DeleteFunc(slices.Clone(t.ForeignKeys), func(fk schema.ForeignKey) bool {
		return slices.ContainsFunc(existing.ForeignKeys, func(have schema.ForeignKey) bool {
			return have.Name == fk.Name
		})
	})
	return each(d, addForeignKeys, t.Name, lacking, func(t *schema.Table, some []schema.ForeignKey) {
		t.ForeignKeys = some
	})
}

// SetAutoIncrement returns the statement that sets the next automatic value, or "" for a table that has no such
// column.
func (dialect) SetAutoIncrement(t *schema.Table, next uint64) string {
	if !slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return c.AutoIncrement }) {
		return ""
	}
	return write(setIncrement, operands{Table: schema.Table{Name: t.Name, AutoIncrement: next}})
}

// Alter returns a statement that renames the table and one that changes it, as far as they are needed. It checks the
// lineage as a real dialect does: two columns cannot come of one.
func (d dialect) Alter(from, to *schema.Table, former map[string]string, empties []string) ([]string, error) {
	if len(empties) > 0 {
		return nil, fmt.Errorf("alter table %s: cannot empty partition %s: the engine in memory has none", from.Name,
			empties[0])
	}
	used := map[int]bool{}
	same := len(from.Columns) == len(to.Columns) && len(former) == len(to.Columns)
	for now, was := range former {
		at := from.Column(was)
		if to.Column(now) < 0 || at < 0 || used[at] {
			return nil, fmt.Errorf("alter table %s: cannot make column %s of column %s", from.Name, now, was)
		}
		used[at], same = true, same && to.Column(now) == at
	}
	var statements []string
	if from.Name != to.Name {
		statements = append(statements, RenameTable(from.Name, to.Name))
	}
	if !same || len(d.Differences(to, from, true, true)) > 0 {
		statements = append(statements, write(alterTable, operands{Table: *to, Former: former}))
	}
	return statements, nil
}

// Differences compares parts of the tables by their printed forms. Attributes that this engine does not keep are not
// compared.
func (dialect) Differences(plan, got *schema.Table, indexes, foreign bool) []string {
	var found []string
	differ := func(what string, plan, got any) {
		if p, g := fmt.Sprintf("%+v", plan), fmt.Sprintf("%+v", got); p != g {
			found = append(found, fmt.Sprintf("%s: planned %s, got %s", what, p, g))
		}
	}
	if p, g := words(plan.Columns), words(got.Columns); !slices.Equal(p, g) {
		differ("columns", p, g)
	}
	differ("primary key", parts(plan.Primary), parts(got.Primary))
	differ("row key", parts(plan.KeyIndex()), parts(got.KeyIndex()))
	if indexes {
		differ("indexes", sortedByName(plan.Indexes, func(i schema.Index) string { return i.Name }),
			sortedByName(got.Indexes, func(i schema.Index) string { return i.Name }))
	}
	if foreign {
		differ("foreign keys", sortedByName(plan.ForeignKeys, func(k schema.ForeignKey) string { return k.Name }),
			sortedByName(got.ForeignKeys, func(k schema.ForeignKey) string { return k.Name }))
	}
	return found
}

// words writes columns without the addresses of their defaults, which differ for equal values.
func words(columns []schema.Column) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = fmt.Sprintf("%s %+v nullable=%t", c.Name, c.Type, c.Nullable)
		if c.Default != nil {
			out[i] += fmt.Sprintf(" default=%+v", *c.Default)
		}
		if c.AutoIncrement {
			out[i] += " automatic"
		}
	}
	return out
}

func parts(index *schema.Index) []schema.Part {
	if index == nil {
		return nil
	}
	return index.Parts
}

// sortedByName makes lists comparable in which the order means nothing, such as a table's indexes.
func sortedByName[T any](all []T, name func(T) string) []T {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b T) int {
		if name(a) < name(b) {
			return -1
		}
		return 1
	})
	return sorted
}
