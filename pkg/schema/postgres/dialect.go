package postgres

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// DropTable implements schema.Dialect.
func (Dialect) DropTable(name schema.Name) string { return "DROP TABLE IF EXISTS " + Quoted(name) }

// TruncateTable implements schema.Dialect.
func (Dialect) TruncateTable(name schema.Name) string { return "TRUNCATE TABLE " + Quoted(name) }

// Analyze returns the statement that counts what is in a table. Autovacuum would come to it within minutes; the first
// queries after a cutover come before.
func (Dialect) Analyze(name schema.Name) string { return "ANALYZE " + Quoted(name) }

// CreateDatabase implements schema.Dialect. It makes a schema. Collations are the database's.
func (Dialect) CreateDatabase(name, _ string) string {
	return "CREATE SCHEMA IF NOT EXISTS " + Quote(name)
}

// DropDatabase implements schema.Dialect. It drops a schema.
func (Dialect) DropDatabase(name string) string {
	return "DROP SCHEMA IF EXISTS " + Quote(name) + " CASCADE"
}

// CreateTable implements schema.Dialect. The primary key has no name: PostgreSQL finds a free one.
func (d Dialect) CreateTable(t *schema.Table, deferred bool) []string {
	var elements []string
	for i := range t.Columns {
		elements = append(elements, column(&t.Columns[i]))
	}
	if t.Primary != nil {
		elements = append(elements, "PRIMARY KEY ("+parts(t.Primary)+")")
	}
	for _, check := range t.Checks {
		elements = append(elements, constraint(check))
	}
	create := "CREATE TABLE " + Quoted(t.Name) + " (\n  " + strings.Join(elements, ",\n  ") + "\n)"
	key := t.KeyIndex()
	if key != nil && key != t.Primary {
		create += between + createIndex(t.Name, key)
	}
	statements := append([]string{create}, comments(t)...)
	for i := range t.Indexes {
		if index := &t.Indexes[i]; !deferred && index != key {
			statements = append(statements, createIndex(t.Name, index))
		}
	}
	return statements
}

// AddIndexes implements schema.Dialect. What a CREATE TABLE that was interrupted left out is added too.
func (d Dialect) AddIndexes(t, existing *schema.Table) (statements []string) {
	if t.Primary != nil && existing.Primary == nil {
		statements = append(statements, "ALTER TABLE "+Quoted(t.Name)+" ADD PRIMARY KEY ("+parts(t.Primary)+")")
	}
	lacking, _ := unmatched(t.Indexes, existing.Indexes, indexText)
	for _, i := range lacking {
		statements = append(statements, createIndex(t.Name, &t.Indexes[i]))
	}
	return append(statements, commentChanges(t, existing)...)
}

// AddForeignKeys implements schema.Dialect. Rows that are there are checked by a statement of its own, which locks
// nobody out.
func (d Dialect) AddForeignKeys(t, existing *schema.Table) (statements []string) {
	lacking, _ := unmatched(t.ForeignKeys, existing.ForeignKeys, foreignKeyText)
	for _, i := range lacking {
		statements = append(statements, addForeignKey(t.Name, t.ForeignKeys[i]), validate(t.Name, t.ForeignKeys[i]))
	}
	for _, key := range existing.ForeignKeys {
		if key.NotValid {
			statements = append(statements, validate(t.Name, key))
		}
	}
	return statements
}

// SetAutoIncrement implements schema.Dialect. The start of the sequence is set as well: until a value was handed out,
// that is the next one (see ReadTable).
func (Dialect) SetAutoIncrement(t *schema.Table, next uint64) string {
	for i := range t.Columns {
		if t.Columns[i].AutoIncrement {
			return fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET START WITH %d RESTART", Quoted(t.Name),
				Quote(t.Columns[i].Name), next)
		}
	}
	return ""
}

// Regenerates implements schema.Dialect. Tables of PostgreSQL are never a source: there is nothing to prove.
func (Dialect) Regenerates(*schema.Table) []string { return nil }

// SessionColumns implements schema.Dialect. PostgreSQL takes only immutable expressions in stored columns.
func (Dialect) SessionColumns(*schema.Table) []string { return nil }

// LateForeignKeys implements schema.Dialect. Only a superuser can turn them off, so they are not there until the end.
func (Dialect) LateForeignKeys() bool { return true }

// UniqueNames implements schema.Dialect. Names of constraints are their table's own.
func (Dialect) UniqueNames() (foreignKeys, checks bool) { return false, false }
