// Package mysql is the dialect of MySQL and MariaDB: it reads what they print of a table or another object, writes it
// for either of them, and tells what the other cannot hold. For example MySQL's
//
//	`name` varchar(20) COLLATE utf8mb4_0900_ai_ci
//
// becomes a column with COLLATE utf8mb4_uca1400_nopad_ai_ci on MariaDB 10.11, and a loss of the name "collation".
//
// Its one invariant: a table is understood completely or not at all. What differs between the two families, and
// between their versions, is a predicate of Flavor with its source beside it. It talks to no server.
package mysql
