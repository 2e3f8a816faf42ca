// Package postgres is the dialect of PostgreSQL as a target: what a table of MySQL or MariaDB becomes there, the
// statements that make it, and how it is read back.
//
// Its one invariant: what it maps is either the same on PostgreSQL or a named loss, never a silent difference. Types
// hold every value that the source's hold, or the loss says which do not fit; expressions are translated from a closed
// list of operators and functions (see translate), and compared by their meaning (see normal).
//
// It has no connection: CatalogSQL is a query whose rows ReadTable turns into tables, and the engine runs it. It knows
// nothing of how values travel.
package postgres
