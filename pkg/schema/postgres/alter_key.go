package postgres

import (
	"strings"

	"wherry/pkg/schema"
)

// drops removes what to lacks, and what depends on a column that is dropped or gets another type: it is added again
// under the names of to.
func (a *alteration) drops() {
	now := a.renamed()
	_, extra := unmatched(a.to.ForeignKeys, now.ForeignKeys, foreignKeyText)
	for _, i := range extra {
		a.table("DROP CONSTRAINT %s", Quote(a.from.ForeignKeys[i].Name))
	}
	_, extra = unmatched(a.to.Checks, now.Checks, checkText)
	for _, i := range extra {
		a.table("DROP CONSTRAINT %s", Quote(a.from.Checks[i].Name))
	}
	_, extra = unmatched(a.to.Indexes, now.Indexes, indexText)
	for _, i := range extra {
		a.add("DROP INDEX %s", Quoted(schema.Name{Database: a.from.Name.Database, Table: a.from.Indexes[i].Name}))
	}
	if a.from.Primary != nil && primaryText(now.Primary) != primaryText(a.to.Primary) {
		a.add("%s", dropPrimary(a.from.Name))
	}
	for i := range a.from.Columns {
		if !a.kept[i] {
			a.table("DROP COLUMN %s", Quote(a.from.Columns[i].Name))
		}
	}
}

// dropPrimary writes what drops a primary key, whose name the server chose.
func dropPrimary(name schema.Name) string {
	return dollarQuoted(`BEGIN EXECUTE (SELECT pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', ` +
		`conrelid::regclass, ` +
		`conname) FROM pg_catalog.pg_constraint WHERE contype = 'p' AND conrelid = ` + Literal(Quoted(name)) +
		`::pg_catalog.regclass); END`)
}

// adds adds what from lacks.
func (a *alteration) adds() {
	now, t := a.renamed(), a.from.Name
	if a.to.Primary != nil && primaryText(now.Primary) != primaryText(a.to.Primary) {
		a.table("ADD PRIMARY KEY (%s)", parts(a.to.Primary))
	}
	lacking, _ := unmatched(a.to.Indexes, now.Indexes, indexText)
	for _, i := range lacking {
		a.add("%s", createIndex(t, &a.to.Indexes[i]))
	}
	lacking, _ = unmatched(a.to.Checks, now.Checks, checkText)
	for _, i := range lacking {
		a.table("ADD %s", constraint(a.to.Checks[i]))
	}
	lacking, _ = unmatched(a.to.ForeignKeys, now.ForeignKeys, foreignKeyText)
	for _, i := range lacking {
		a.add("%s", addForeignKey(t, a.to.ForeignKeys[i]))
		a.add("%s", validate(t, a.to.ForeignKeys[i]))
	}
	commented := *a.to
	commented.Name = t
	a.statements = append(a.statements, commentChanges(&commented, now)...)
}

// renamed returns from as it is when columns and table have their new names. What uses a column that is dropped or
// retyped is marked, so that it equals nothing of to and is made anew.
func (a *alteration) renamed() *schema.Table {
	t := a.from.Clone()
	names, anew := map[string]string{}, map[string]bool{}
	for i, at := range a.former {
		if at >= 0 {
			names[a.from.Columns[at].Name] = a.to.Columns[i].Name
			t.Columns[at].Name = a.to.Columns[i].Name
			anew[a.from.Columns[at].Name] = a.changed[i]
		}
	}
	for i := range a.from.Columns {
		if !a.kept[i] {
			anew[a.from.Columns[i].Name] = true
			t.Columns[i].Name = "\x00" + t.Columns[i].Name
		}
	}
	uses := func(expr string) bool { return mentionsAny(expr, anew) }
	for i := range t.Checks {
		if uses(t.Checks[i].Expr) {
			t.Checks[i].NotEnforced = !t.Checks[i].NotEnforced
		}
		t.Checks[i].Expr = renameIn(t.Checks[i].Expr, names)
	}
	for i := range t.Indexes {
		renameParts(&t.Indexes[i], names, anew)
	}
	if t.Primary != nil {
		renameParts(t.Primary, names, anew)
	}
	for i := range t.ForeignKeys {
		a.renameForeignKey(&t.ForeignKeys[i], names, anew)
	}
	return t
}

func (a *alteration) renameForeignKey(key *schema.ForeignKey, names map[string]string, anew map[string]bool) {
	for j, column := range key.Columns {
		if anew[column] {
			key.OnDelete += "\x00"
		}
		if name, ok := names[column]; ok {
			key.Columns[j] = name
		}
	}
	if key.Parent != a.from.Name {
		return
	}
	key.Parent = a.to.Name
	for j, column := range key.ParentColumns {
		if name, ok := names[column]; ok {
			key.ParentColumns[j] = name
		}
	}
}

func renameParts(index *schema.Index, names map[string]string, anew map[string]bool) {
	for i := range index.Parts {
		part := &index.Parts[i]
		if anew[part.Column] || part.Expr != "" && mentionsAny(part.Expr, anew) {
			index.Extra = append(index.Extra, "\x00")
		}
		if name, ok := names[part.Column]; ok && part.Expr == "" {
			part.Column = name
		}
		part.Expr = renameIn(part.Expr, names)
	}
}

// dollarQuoted writes a block of PL/pgSQL.
func dollarQuoted(body string) string { return "DO " + dollars(body) }

// dollars puts a text in quotes that it does not have itself.
func dollars(body string) string {
	tag := "wherry"
	for strings.Contains(body, "$"+tag+"$") {
		tag += "_"
	}
	return "$" + tag + "$ " + body + " $" + tag + "$"
}
