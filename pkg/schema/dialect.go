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
	// RenameTables returns the one statement that renames tables, each from and to, one after the other. The server
	// carries out all of it or nothing: when tables change places, names alone do not show how far an interrupted
	// sequence came.
	RenameTables(pairs [][2]Name) string

	// CreateDatabase returns the statement that makes a database when it is absent, with the given default collation,
	// or the server's when it is empty.
	CreateDatabase(name, collation string) string
	// DropDatabase returns the statement that removes a database with all that is in it, if it is there.
	DropDatabase(name string) string
	// CreateTable returns the statements that make a table: with every index and no foreign key, or, when deferred,
	// with the row key's index and whatever indexes the server demands at creation, leaving the rest to AddIndexes.
	// The first makes the table, with its row key. What those behind it add, AddIndexes adds as well: so it completes
	// a sequence that was interrupted.
	CreateTable(t *Table, deferred bool) []string
	// AddIndexes returns the statements that add the indexes of t that existing lacks.
	AddIndexes(t, existing *Table) []string
	// AddForeignKeys returns the statements that add the foreign keys of t that existing lacks. They also remove
	// defaults that CREATE TABLE cannot leave out.
	AddForeignKeys(t, existing *Table) []string
	// Analyze returns the statement that has the server count what is in a table, for its plans, or "" if it does that
	// by itself while rows are loaded.
	Analyze(name Name) string
	// SetAutoIncrement returns the statement that sets the next automatic value, or "" when the table has none.
	SetAutoIncrement(t *Table, next uint64) string
	// Alter returns the statements that turn the table from, as it is on the server, into to, keeping its rows: none
	// when they are equal (see Differences), and at most one ALTER TABLE unless the server demands more. Names and
	// collations of to are the server's own: to is what Map returned, or was read from the server. The next automatic
	// value is not set. It is an error when the change cannot be written.
	//
	// Where the names differ the table is renamed as well, by the ALTER TABLE, or by a statement of its own when
	// nothing else changes.
	//
	// former gives, by the name of a column of to, the name that it has in from. A column of to without one is new,
	// and a column of from that is not named is dropped. A generated column may be made anew: its values follow from
	// the others.
	//
	// empties lists partitions of from whose rows must go first. A partition that to lacks is dropped with its rows
	// only if it is listed; else its rows go where the partitions of to have them. A listed partition that
	// neither table has was dropped by an earlier try, which was interrupted.
	//
	// A try can be interrupted between two statements. Foreign keys, partitions, the table's name, and defaults that
	// the server gives unasked are changed by statements of their own; all else is one statement.
	Alter(from, to *Table, former map[string]string, empties []string) ([]string, error)
	// Differences returns how the table read back differs from the plan, in words; nothing when they are equal.
	// Indexes that the plan defers are compared only when indexes is true, foreign keys, and what comes with them
	// (see AddForeignKeys), only when foreign is true.
	Differences(plan, got *Table, indexes, foreign bool) []string

	// Regenerates proves that a table was understood as its server meant it: it writes the CREATE TABLE of t, which a
	// server of the dialect's family printed, reads that in turn, and returns how the two differ, in words; nothing
	// when they are equal. A table that comes from no server has nothing to prove.
	Regenerates(t *Table) []string
	// SessionColumns names the stored generated columns of a table, which a server of the dialect's family printed,
	// whose values depend for certain on the session that wrote the row, as HOUR() of a TIMESTAMP does. Another
	// server may compute others.
	SessionColumns(t *Table) []string
	// LateForeignKeys tells that foreign keys act on whatever is written, also on applied changes, which contain
	// already what they did on the source. For example, a row that is removed and written again would take its
	// children with it. Then they are added once the target has taken over, and a plan has none until then:
	// AddForeignKeys begins with a statement that adds a key as long as one lacks, and what looks at existing rows,
	// and may be refused because of them, comes after all keys are there.
	LateForeignKeys() bool
	// Triggers returns the statements that make triggers for what the columns of a table do elsewhere by themselves,
	// such as ON UPDATE CURRENT_TIMESTAMP. They are run once the target has taken over: before, they would change
	// rows that are the source's. Made again they change nothing.
	Triggers(t *Table) []string
	// UniqueNames returns which constraints must have names of their own in their database. Where they need not, a name
	// has to be unique in its table only.
	UniqueNames() (foreignKeys, checks bool)

	ObjectDialect
}

// Surveyor is a Dialect that maps a table better when it knows the others of the move: one type for columns that
// foreign keys tie together, names that are free, views whose columns have known types.
type Surveyor interface {
	// Survey returns the dialect for a move of exactly these source tables. to names the table that one becomes.
	Survey(tables []*Table, to func(Name) Name) Dialect
}

// Surveyed returns the dialect for a move of the given tables; most dialects map each table by itself.
func Surveyed(d Dialect, tables []*Table, to func(Name) Name) Dialect {
	if s, ok := d.(Surveyor); ok {
		return s.Survey(tables, to)
	}
	return d
}
