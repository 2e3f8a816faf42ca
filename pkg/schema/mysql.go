package schema

import (
	"fmt"
	"strings"
)

// mysqlDialect is the dialect of both MySQL and MariaDB.
type mysqlDialect struct {
	flavor     Flavor
	collations Collations
}

// NewMySQL returns the dialect of a MySQL or MariaDB server that knows the given collations. Without any, every collation
// is taken as known. Statements expect a session with the default quoting of sql_mode.
func NewMySQL(flavor Flavor, collations Collations) Dialect {
	return mysqlDialect{flavor: flavor, collations: collations}
}

// DropTable implements Dialect.
func (d mysqlDialect) DropTable(name Name) string { return "DROP TABLE IF EXISTS " + name.Quoted() }

// TruncateTable implements Dialect.
func (d mysqlDialect) TruncateTable(name Name) string { return "TRUNCATE TABLE " + name.Quoted() }

// RenameTables implements Dialect.
func (d mysqlDialect) RenameTables(pairs [][2]Name) string {
	renames := make([]string, len(pairs))
	for i, pair := range pairs {
		renames[i] = pair[0].Quoted() + " TO " + pair[1].Quoted()
	}
	return "RENAME TABLE " + strings.Join(renames, ", ")
}

// CreateDatabase implements Dialect.
func (d mysqlDialect) CreateDatabase(name, collation string) string {
	if collation != "" {
		collation = " CHARACTER SET " + d.charsetName(d.collations.charset(collation)) + " COLLATE " + d.collationName(collation)
	}
	return "CREATE DATABASE IF NOT EXISTS " + Quote(name) + collation
}

// CreateTable implements Dialect.
func (d mysqlDialect) CreateTable(t *Table, deferred bool) string {
	return d.createTable(t, deferred, false)
}

// createTable writes a CREATE TABLE, with foreign keys if asked for.
func (d mysqlDialect) createTable(t *Table, deferred, foreign bool) string {
	var elements []string
	for i := range t.Columns {
		elements = append(elements, d.column(t, &t.Columns[i]))
	}
	if t.Primary != nil {
		elements = append(elements, d.index(t.Primary))
	}
	demanded := demandedIndexes(t)
	for i := range t.Indexes {
		if !deferred || demanded[i] {
			elements = append(elements, d.index(&t.Indexes[i]))
		}
	}
	for _, check := range t.Checks {
		elements = append(elements, d.check(check))
	}
	for i := range t.ForeignKeys {
		if foreign {
			elements = append(elements, foreignKey(t.ForeignKeys[i]))
		}
	}
	for _, option := range t.Options {
		if strings.HasPrefix(option, periodOption) {
			elements = append(elements, option)
		}
	}
	return "CREATE TABLE " + t.Name.Quoted() + " (\n  " + strings.Join(elements, ",\n  ") + "\n)" + d.tableOptions(t)
}

// demandedIndexes tells which of t.Indexes must be there from the start: the one that is the row key, and one that
// leads with the AUTO_INCREMENT column, or at least holds it, when neither the primary nor the row key does.
func demandedIndexes(t *Table) map[int]bool {
	demanded := map[int]bool{}
	key := t.KeyIndex()
	auto := ""
	for i := range t.Columns {
		if t.Columns[i].AutoIncrement {
			auto = t.Columns[i].Name
		}
	}
	covered := auto == "" || holds(t.Primary, auto, true) || holds(key, auto, true)
	for i := range t.Indexes {
		if &t.Indexes[i] == key {
			demanded[i] = true
		}
	}
	for _, leading := range []bool{true, false} {
		covered = covered || !leading && holds(t.Primary, auto, false)
		for i := range t.Indexes {
			if !covered && holds(&t.Indexes[i], auto, leading) {
				demanded[i], covered = true, true
			}
		}
	}
	return demanded
}

// holds tells whether an index has the column, as its first part when leading is asked for.
func holds(index *Index, column string, leading bool) bool {
	if index == nil || index.Kind != BTree {
		return false
	}
	for i, part := range index.Parts {
		if strings.EqualFold(part.Column, column) && (i == 0 || !leading) {
			return true
		}
	}
	return false
}

// AddIndexes implements Dialect.
func (d mysqlDialect) AddIndexes(t, existing *Table) string {
	have := map[string]bool{}
	for i := range existing.Indexes {
		have[strings.ToLower(existing.Indexes[i].Name)] = true
	}
	var adds []string
	if t.Primary != nil && existing.Primary == nil {
		adds = append(adds, "ADD "+d.index(t.Primary))
	}
	fulltexts := 0
	for i := range t.Indexes {
		if have[strings.ToLower(t.Indexes[i].Name)] {
			continue
		}
		adds = append(adds, "ADD "+d.index(&t.Indexes[i]))
		if t.Indexes[i].Kind == Fulltext {
			fulltexts++
		}
	}
	if fulltexts > 1 && strings.EqualFold(t.Engine, "InnoDB") {
		// In place, InnoDB makes one fulltext index at a time (MySQL error 1795).
		adds = append(adds, "ALGORITHM=COPY")
	}
	return alter(t.Name, adds)
}

// AddForeignKeys implements Dialect.
func (d mysqlDialect) AddForeignKeys(t, existing *Table) string {
	have := map[string]bool{}
	for _, key := range existing.ForeignKeys {
		have[strings.ToLower(key.Name)] = true
	}
	var adds []string
	for _, key := range t.ForeignKeys {
		if !have[strings.ToLower(key.Name)] {
			adds = append(adds, "ADD "+foreignKey(key))
		}
	}
	return alter(t.Name, adds)
}

func foreignKey(key ForeignKey) string {
	var b strings.Builder
	if key.Name != "" {
		b.WriteString("CONSTRAINT " + Quote(key.Name) + " ")
	}
	fmt.Fprintf(&b, "FOREIGN KEY (%s) REFERENCES %s (%s)", quoteAll(key.Columns), key.Parent.Quoted(), quoteAll(key.ParentColumns))
	if key.OnDelete != "" {
		b.WriteString(" ON DELETE " + key.OnDelete)
	}
	if key.OnUpdate != "" {
		b.WriteString(" ON UPDATE " + key.OnUpdate)
	}
	return b.String()
}

func alter(name Name, adds []string) string {
	if len(adds) == 0 {
		return ""
	}
	return "ALTER TABLE " + name.Quoted() + "\n  " + strings.Join(adds, ",\n  ")
}

// SetAutoIncrement implements Dialect.
func (d mysqlDialect) SetAutoIncrement(t *Table, next uint64) string {
	for i := range t.Columns {
		if t.Columns[i].AutoIncrement {
			return fmt.Sprintf("ALTER TABLE %s AUTO_INCREMENT = %d", t.Name.Quoted(), next)
		}
	}
	return ""
}
