// Package wire connects to PostgreSQL: sessions that are the same on every server, statements, rows in the binary form,
// COPY, and the kinds of a server's errors.
//
// Its one invariant: a connection that it gives out leads to the server and database that it is for, with every
// setting that matters to rows set by itself. It knows bytes and statements, not tables.
package wire
