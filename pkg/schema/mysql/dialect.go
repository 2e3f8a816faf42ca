package mysql

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// dialect is the dialect of both MySQL and MariaDB.
type dialect struct {
	flavor     Flavor
	collations Collations
}

// New returns the dialect of a MySQL or MariaDB server that knows the given collations. Without any, every
// collation counts as known. Statements expect a session with the default quoting of sql_mode.
func New(flavor Flavor, collations Collations) schema.Dialect {
	return dialect{flavor: flavor, collations: collations}
}

// DropTable implements schema.Dialect.
func (d dialect) DropTable(name schema.Name) string {
	return "DROP TABLE IF EXISTS " + Quoted(name)
}

// Analyze returns "": InnoDB counts anew whenever a tenth of a table has changed (innodb_stats_auto_recalc).
func (dialect) Analyze(schema.Name) string { return "" }

// TruncateTable implements schema.Dialect.
func (d dialect) TruncateTable(name schema.Name) string {
	return "TRUNCATE TABLE " + Quoted(name)
}

// RenameTables implements schema.Dialect.
func (d dialect) RenameTables(pairs [][2]schema.Name) string {
	renames := make([]string, len(pairs))
	for i, pair := range pairs {
		renames[i] = Quoted(pair[0]) + " TO " + Quoted(pair[1])
	}
	return "RENAME TABLE " + strings.Join(renames, ", ")
}

// CreateDatabase implements schema.Dialect.
func (d dialect) CreateDatabase(name, collation string) string {
	if collation != "" {
		collation = " CHARACTER SET " + d.charsetName(d.collations.Charset(collation)) + " COLLATE " +
			d.collationName(collation)
	}
	return "CREATE DATABASE IF NOT EXISTS " + Quote(name) + collation
}

// DropDatabase implements schema.Dialect.
func (d dialect) DropDatabase(name string) string {
	return "DROP DATABASE IF EXISTS " + Quote(name)
}

// CreateTable implements schema.Dialect.
func (d dialect) CreateTable(t *schema.Table, deferred bool) []string {
	return []string{d.createTable(t, deferred, false)}
}

// createTable writes a CREATE TABLE, with foreign keys if asked for.
func (d dialect) createTable(t *schema.Table, deferred, foreign bool) string {
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
	return "CREATE TABLE " + Quoted(t.Name) + " (\n  " + strings.Join(elements, ",\n  ") + "\n)" + d.tableOptions(t)
}

// demandedIndexes returns which of t.Indexes must exist from the start: the row key, and one for the AUTO_INCREMENT
// column, which servers want to be the first of some index (error 1075). If neither the primary nor the row key begins
// with it, that is the first index that begins with it, or else, as MyISAM allows, one that has it anywhere.
func demandedIndexes(t *schema.Table) map[int]bool {
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

// holds returns whether an index has the column, as its first part when leading is asked for.
func holds(index *schema.Index, column string, leading bool) bool {
	if index == nil || index.Kind != schema.BTree {
		return false
	}
	for i, part := range index.Parts {
		if strings.EqualFold(part.Column, column) && (i == 0 || !leading) {
			return true
		}
	}
	return false
}

// AddIndexes implements schema.Dialect.
func (d dialect) AddIndexes(t, existing *schema.Table) []string {
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
		if t.Indexes[i].Kind == schema.Fulltext {
			fulltexts++
		}
	}
	if fulltexts > 1 && strings.EqualFold(t.Engine, "InnoDB") {
		// In place, InnoDB makes one fulltext index at a time (MySQL error 1795).
		adds = append(adds, "ALGORITHM=COPY")
	}
	return alter(t.Name, adds)
}

// AddForeignKeys implements schema.Dialect.
func (d dialect) AddForeignKeys(t, existing *schema.Table) []string {
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
	for i := range t.Columns {
		if at := existing.Column(t.Columns[i].Name); unasked(&t.Columns[i]) && at >= 0 &&
			existing.Columns[at].Default != nil {
			adds = append(adds, dropDefault(&t.Columns[i]))
		}
	}
	return alter(t.Name, adds)
}

// unasked returns whether a server gives the column DEFAULT NULL by itself when it is created, though its definition
// has none. Such a column comes from ALTER COLUMN .. DROP DEFAULT, which only MySQL keeps: INSERT has to name it.
func unasked(c *schema.Column) bool {
	return c.Nullable && c.Default == nil && c.Generated == schema.NotGenerated
}

func dropDefault(c *schema.Column) string {
	return "ALTER COLUMN " + Quote(c.Name) + " DROP DEFAULT"
}

// foreignKey writes a foreign key as it stands in CREATE TABLE and behind ADD.
func foreignKey(key schema.ForeignKey) string {
	var b strings.Builder
	if key.Name != "" {
		b.WriteString("CONSTRAINT " + Quote(key.Name) + " ")
	}
	fmt.Fprintf(&b, "FOREIGN KEY (%s) REFERENCES %s (%s)", quoteAll(key.Columns), Quoted(key.Parent),
		quoteAll(key.ParentColumns))
	if key.OnDelete != "" {
		b.WriteString(" ON DELETE " + key.OnDelete)
	}
	if key.OnUpdate != "" {
		b.WriteString(" ON UPDATE " + key.OnUpdate)
	}
	return b.String()
}

// alter returns the one statement that alters a table, or none.
func alter(name schema.Name, adds []string) []string {
	if len(adds) == 0 {
		return nil
	}
	return []string{"ALTER TABLE " + Quoted(name) + "\n  " + strings.Join(adds, ",\n  ")}
}

// LateForeignKeys implements schema.Dialect: sessions that write rows turn foreign_key_checks off.
func (d dialect) LateForeignKeys() bool { return false }

// Triggers implements schema.Dialect: columns do by themselves what they did on the source.
func (d dialect) Triggers(*schema.Table) []string { return nil }

// UniqueNames implements schema.Dialect.
func (d dialect) UniqueNames() (foreignKeys, checks bool) {
	return !d.flavor.HasForeignKeyNamesPerTable(), !d.flavor.HasCheckNamesPerTable()
}

// SetAutoIncrement implements schema.Dialect.
func (d dialect) SetAutoIncrement(t *schema.Table, next uint64) string {
	for i := range t.Columns {
		if t.Columns[i].AutoIncrement {
			return fmt.Sprintf("ALTER TABLE %s AUTO_INCREMENT = %d", Quoted(t.Name), next)
		}
	}
	return ""
}
