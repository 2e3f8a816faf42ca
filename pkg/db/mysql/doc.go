// Package mysql is MySQL and MariaDB behind the contract of pkg/db, as source and as target.
//
// Its one invariant: a value read by SELECT, the same value read from the binary log and the value read back from a target
// have the same bytes. What differs between the two flavors is a predicate of schema.Flavor at the spot where it
// differs. It makes no decision about a move: phases do.
package mysql
