// Package wire is one conversation with a MySQL or MariaDB server: connecting, the text protocol, sessions, and what
// goes wrong on the way.
//
// Its one invariant: a connection that is handed out leads to the server that was met first, and its session is set up
// as its role says. Whatever goes wrong on it, Classify tells the kind by which a phase knows what to do.
//
// For example, the answer to "SELECT id, name FROM t" arrives as the rows {"7", "Anna"} and {"8", nil}: slices of the
// read buffer, valid until the next row is read. The package knows bytes and statements. It does not know what a table,
// a route or an event of the binary log is.
package wire
