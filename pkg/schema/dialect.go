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

	// CreateDatabase returns the statement that makes a database when it is absent.
	CreateDatabase(name string) string
	// CreateTable returns the CREATE TABLE statement: with every index and no foreign key, or, when deferred, with the
	// row key's index and whatever indexes the server demands at creation, leaving the rest to AddIndexes.
	CreateTable(t *Table, deferred bool) string
	// AddIndexes returns the one statement that adds the indexes of t that existing lacks, or "" when none.
	AddIndexes(t, existing *Table) string
	// AddForeignKeys returns the one statement that adds the foreign keys of t that existing lacks, or "" when none.
	AddForeignKeys(t, existing *Table) string
	// AddIncrement returns the statement that sets the next automatic value, or "" when the table has none.
	SetAutoIncrement(t *Table, next uint64) string
	// Differences returns how the table read back differs from the plan, in words; nothing when they are equal.
	// Indexes that the plan defers are compared only when indexes is true, foreign keys only when foreign is true.
	Differences(plan, got *Table, indexes, foreign bool) []string
}
