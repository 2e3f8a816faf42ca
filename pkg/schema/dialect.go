package schema

// Dialect writes tables in one server's language. A Dialect is a value without connection; it is safe for
// concurrent use.
type Dialect interface {
	// Map returns the table as it will be on the dialect's server under the name to, and what that loses.
	// The parents of foreign keys are renamed by rename. It returns an error when the table cannot be held at all.
	Map(source *Table, to Name, rename func(Name) Name) (*Table, []Loss, error)

	// DropTable returns the statement that removes a table if it is there.
	DropTable(name Name) string
	// TruncateTable returns the statement that removes a table's rows.
	TruncateTable(name Name) string
	// RenameTables returns the one statement that renames tables, each from and to, one after the other.
	RenameTables(pairs [][2]Name) string

	// CreateDatabase returns the statement that makes a database when it is absent, with the given default collation, or the
	// server's when it is empty.
	CreateDatabase(name, collation string) string
	// CreateTable returns the CREATE TABLE statement: with every index and no foreign key, or, when deferred, with the
	// row key's index and whatever indexes the server demands at creation, leaving the rest to AddIndexes.
	CreateTable(t *Table, deferred bool) string
	// AddIndexes returns the one statement that adds the indexes of t that existing lacks, or "" when none.
	AddIndexes(t, existing *Table) string
	// AddForeignKeys returns the one statement that adds the foreign keys of t that existing lacks, or "" when none.
	AddForeignKeys(t, existing *Table) string
	// AddIncrement returns the statement that sets the next automatic value, or "" when the table has none.
	SetAutoIncrement(t *Table, next uint64) string
	// Alter returns the statements that turn the table from, as it is on the server, into to, keeping its rows: at most one ALTER
	// TABLE unless the server demands more. Where the names differ, the table is renamed as well, by that statement or, when
	// nothing else changes, by one of its own.
	// former tells, for each column of to that from has, by what name; a column of to that is not in former is new, one of from
	// that is not named is dropped. A generated column may be made anew: its values follow from the others.
	// empties lists partitions of from whose rows must go first. A partition that to lacks is dropped with its rows only if it
	// is listed; otherwise its rows stay, and go where the partitions of to have them. A listed one that neither has went before the
	// sequence was interrupted.
	// The sequence can be interrupted between two statements: only foreign keys, partitions and the table's name are changed by
	// statements of their own, all else is one statement. The next automatic value is not set.
	// No statements when the two are equal, see Differences. An error when it cannot be written. The names and collations of to are the
	// server's own: to is what Map returned, or was read from the server.
	Alter(from, to *Table, former map[string]string, empties []string) ([]string, error)
	// Differences returns how the table read back differs from the plan, in words; nothing when they are equal.
	// Indexes that the plan defers are compared only when indexes is true, foreign keys only when foreign is true.
	Differences(plan, got *Table, indexes, foreign bool) []string

	ObjectDialect
}
