// Package postgres is the engine for PostgreSQL, as the end that rows are written to.
//
// Its one invariant: schema statements, the list of the move's tables, rows and progress commit in one transaction
// each,
// so that nothing but a lost answer of a COMMIT leaves anything open, and the ledger tells what came of that.
//
// How values travel is package codec's, connections are package wire's, and the statements that make tables are the
// dialect's (pkg/schema/postgres). It reads no change log: PostgreSQL is no source.
package postgres
