// Package mysql is the dialect of MySQL and MariaDB: it reads what they print of a table or another object, writes it
// for either of them, and says what the other cannot hold. For example MySQL's
//
//	`name` varchar(20) COLLATE utf8mb4_0900_ai_ci
//
// becomes a column with COLLATE utf8mb4_uca1400_nopad_ai_ci on MariaDB 10.11, and a loss of the name "collation".
//
// Files by what they do: parse*.go read SHOW CREATE TABLE, map*.go make of a source's table what the target will have,
// write.go and dialect.go write CREATE TABLE, compare.go finds differences, alter*.go write ALTER TABLE, object_*.go
// are views, triggers, routines, events and sequences, session.go finds what depends on the session.
//
// Its one invariant: a table is understood completely or not at all. What differs between the two families, and
// between their versions, is a predicate of Flavor with its source beside it. It talks to no server.
package mysql
