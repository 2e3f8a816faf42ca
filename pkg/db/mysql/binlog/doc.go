// Package binlog is the change log of a MySQL or MariaDB server: it reads the log, decodes its rows, puts them together
// to transactions, and keeps the log in a local spool.
//
// Its one invariant: a row that is read from the log has the very bytes that SELECT returns for it, and a position
// moves on only at the end of a transaction. Whatever in the log cannot be carried exactly is an error, never a guess.
//
// For example, UPDATE t SET name = 'Anna' WHERE id = 7 arrives as a part whose only change is {Route: t, Before: {"7",
// "Ana"}, After: {"7", "Anna"}}, and the position after it is "gtid=3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5
// file=binlog.000002:4711 server=3e11fa47-...". An event passes through the files in this order: stream (connection and
// queue), assemble (transactions), query (statements: what they mean for the move's tables), decode and json (rows),
// gtid and position (how far).
//
// The formats are read here, and not by go-mysql's parser, of which only names of constants and two rare events are
// used: its rows are Go values, from which the exact text cannot be had back (a decimal's zeros, a float's digits,
// bytes that are no characters), and it keeps a whole event as values in memory.
package binlog
