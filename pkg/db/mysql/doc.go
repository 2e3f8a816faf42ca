// Package mysql is MySQL and MariaDB behind the contract of pkg/db, as source and as target.
//
// Its one invariant: a value read by SELECT, the same value read from the binary log and the value read back from a
// target have the same bytes. What differs between the two flavors is a predicate of the dialect's Flavor at the spot
// where it differs. It makes no decision about a move: phases do.
//
// For example, the row {"7", "Anna"} of a source's t goes to the target in INSERT INTO `t` (`id`, `name`) VALUES
// (7,'Anna'), in one transaction with the position that it was read at. The package builds on two others: wire has
// the connections, binlog reads the source's log.
package mysql
