// Package schema knows what a table is, what a dialect has to write of it, and what may be lost when a table moves
// from one dialect to another.
//
// Its one invariant: a table that it cannot describe completely is an error, never a partial description. It talks to
// no server and moves no rows.
//
// For example `v VARCHAR(9) DEFAULT 'x'` is a Column with the Type {Kind: Varchar, Size: 9, ..} and the Default
// {Literal: true, Text: "x"}. Where a target has no such collation, Dialect.Map returns another one and a Loss named
// "collation".
package schema

import (
	"regexp"
	"slices"
	"strings"
)

// Name is a table's full name. On PostgreSQL, Database holds the schema's name.
type Name struct {
	Database string
	Table    string
}

// String returns db.table, unquoted, as it is written in configuration and messages.
func (n Name) String() string { return n.Database + "." + n.Table }

// IsZero returns whether n names nothing.
func (n Name) IsZero() bool { return n == Name{} }

// ParseName reads db.table. The first dot separates; ok is false when there is none or a part is empty.
func ParseName(s string) (name Name, ok bool) {
	db, table, found := strings.Cut(s, ".")
	return Name{db, table}, found && db != "" && table != ""
}

// Table is a base table as a server defines it.
type Table struct {
	Name        Name
	Columns     []Column
	Primary     *Index // nil when the table has no primary key
	Indexes     []Index
	ForeignKeys []ForeignKey
	Checks      []Check

	Engine        string // as the server prints it, such as "InnoDB"; empty where a dialect has no engines
	Charset       string // default character set of new columns
	Collation     string // default collation of new columns
	RowFormat     string // upper case; empty when not given
	Comment       string
	AutoIncrement uint64   // next value to hand out; 0 when none or unknown
	Options       []string // further table options, verbatim, in the server's order
	Partition     string   // the partition clause, verbatim; empty when not partitioned

	// RowKey names the index that identifies rows. It is set on the plan of a target table, whose rows are identified
	// as the source's are; empty means that the table's own definition decides, see KeyIndex.
	RowKey string

	// DatabaseCollation is that of new tables in the table's database, and of variables in its routines.
	DatabaseCollation string

	Kind       TableKind
	Rows       int64  // the server's estimate
	Bytes      int64  // the server's estimate of data and index bytes
	Definition string // the server's own CREATE statement, verbatim
	Flavor     Flavor // of the server whose language the expressions and options are in
}

// TableKind distinguishes base tables from what servers list among them.
type TableKind int

// The kinds of thing that a server lists among its tables.
const (
	BaseTable TableKind = iota
	View
	Sequence
	SystemVersioned
)

// HoldsRows returns whether it is a table, rather than a view or a sequence. One that keeps its history holds rows,
// which do not move: to leave it out without a word would lose it.
func (k TableKind) HoldsRows() bool { return k == BaseTable || k == SystemVersioned }

// Column is one column of a table.
type Column struct {
	Name          string
	Type          Type
	Nullable      bool
	Default       *Default // nil when none was given
	OnUpdate      string   // "CURRENT_TIMESTAMP" with its precision, or empty
	AutoIncrement bool
	Generated     Generation
	Expr          string // of a generated column, without the outer parentheses
	Invisible     bool
	Check         string // a column's own CHECK expression (MariaDB), without the outer parentheses
	Comment       string
	Extra         []string // further attributes, verbatim

	// From is set on the plan of a target table whose column has another name than the source's: that one.
	From string `json:",omitempty"`
}

// Origin returns the name of the source's column that a planned column is for.
func (c *Column) Origin() string {
	if c.From != "" {
		return c.From
	}
	return c.Name
}

// Generation is how a column gets its value.
type Generation int

// A column is written by the client, or computed when read, or computed when written.
const (
	NotGenerated Generation = iota
	Virtual
	Stored
)

// Default is a column's default: exactly one of NULL, a literal or an expression.
type Default struct {
	Null    bool
	Literal bool   // Text is the value itself, unquoted
	Text    string // value or expression
}

// Index is a primary, unique, plain, fulltext or spatial index.
type Index struct {
	Name      string // "PRIMARY" for the primary key
	Unique    bool
	Kind      IndexKind
	Parts     []Part
	Using     string // "BTREE" or "HASH" when given
	Invisible bool
	Comment   string
	Extra     []string // further options, verbatim
}

// IndexKind is the structure of an index.
type IndexKind int

// The structures of an index.
const (
	BTree IndexKind = iota
	Fulltext
	Spatial
	VectorIndex // MariaDB's, over a vector column
)

// Part is one element of an index: a column or an expression.
type Part struct {
	Column string
	Prefix int // leading characters (bytes for binary types); 0 means the whole column
	Desc   bool
	Expr   string // of a functional part, without the outer parentheses; Column is empty then
}

// ForeignKey is a reference to another table. Actions are upper case; empty and "RESTRICT" and "NO ACTION" mean the
// same.
type ForeignKey struct {
	Name          string
	Columns       []string
	Parent        Name
	ParentColumns []string
	OnDelete      string
	OnUpdate      string
	NotValid      bool `json:",omitempty"` // rows that were there were not looked at yet (PostgreSQL)
}

// Cascades returns whether the key changes rows of its table when rows of the parent change.
func (f ForeignKey) Cascades() bool {
	for _, action := range []string{f.OnDelete, f.OnUpdate} {
		switch action {
		case "CASCADE", "SET NULL", "SET DEFAULT":
			return true
		}
	}
	return false
}

// Check is a table's CHECK constraint. Expr has no outer parentheses.
type Check struct {
	Name        string
	Expr        string
	NotEnforced bool
}

// Clone returns a table that shares nothing with t that may be changed.
func (t *Table) Clone() *Table {
	out := *t
	out.Columns = slices.Clone(t.Columns)
	for i := range out.Columns {
		c := &out.Columns[i]
		c.Extra = slices.Clone(c.Extra)
		if c.Default != nil {
			value := *c.Default
			c.Default = &value
		}
	}
	out.Indexes = slices.Clone(t.Indexes)
	for i := range out.Indexes {
		out.Indexes[i] = out.Indexes[i].clone()
	}
	if t.Primary != nil {
		primary := t.Primary.clone()
		out.Primary = &primary
	}
	out.ForeignKeys = slices.Clone(t.ForeignKeys)
	for i, key := range out.ForeignKeys {
		out.ForeignKeys[i].Columns, out.ForeignKeys[i].ParentColumns = slices.Clone(key.Columns),
			slices.Clone(key.ParentColumns)
	}
	out.Checks = slices.Clone(t.Checks)
	out.Options = slices.Clone(t.Options)
	return &out
}

func (i Index) clone() Index {
	i.Parts, i.Extra = slices.Clone(i.Parts), slices.Clone(i.Extra)
	return i
}

// Column returns the position of the named column, or -1. Column names are compared as MySQL does, ignoring case.
func (t *Table) Column(name string) int {
	for i := range t.Columns {
		if strings.EqualFold(t.Columns[i].Name, name) {
			return i
		}
	}
	return -1
}

// ColumnOf returns the position of the planned column that is for the named one of the source, or -1.
func (t *Table) ColumnOf(source string) int {
	for i := range t.Columns {
		if strings.EqualFold(t.Columns[i].Origin(), source) {
			return i
		}
	}
	return -1
}

// Shape returns the table's definition without its automatic counter, which moves as rows come in. Two readings of a
// table with equal shapes had no schema change between them that matters to its rows.
func (t *Table) Shape() string { return counter.ReplaceAllString(t.Definition, "") }

var counter = regexp.MustCompile(` AUTO_INCREMENT=[0-9]+`)

// Equal returns whether two names are the same.
func (n Name) Equal(other Name) bool { return n == other }
