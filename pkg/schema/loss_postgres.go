package schema

import "slices"

// ZeroDate is the loss of dates that no calendar has.
const ZeroDate = "zero-date"

// ZeroByte is the loss of the character 0x00.
const ZeroByte = "zero-byte"

// postgresLosses are the losses on the way to PostgreSQL alone.
var postgresLosses = []LossName{
	{"default-expression", "a default that PostgreSQL cannot hold, or may compute otherwise, is dropped: INSERT has " +
		"to name the column"},
	{"enum", "an ENUM column becomes text with a CHECK: it sorts as text, not by the number of its label"},
	{"foreign-key", "a foreign key that PostgreSQL cannot hold is dropped"},
	{"fulltext-index", "a FULLTEXT index is dropped, or becomes a GIN index: searches are written anew"},
	{"functional-index", "an index over an expression that PostgreSQL may compute otherwise is dropped, and the rule " +
		"of a unique one with it"},
	{"generated-column", "a generated column becomes a plain one: its values are copied, and no longer computed"},
	{"geometry", "a geometry column becomes bytes, SRID and WKB: geometric functions do not take it"},
	{"json-text", "text that a CHECK holds to JSON becomes JSONB: blanks, the order of keys and repeated keys are " +
		"not kept"},
	{"on-update", "ON UPDATE CURRENT_TIMESTAMP becomes a trigger that is made at the cutover: it also acts when a " +
		"statement sets the column to the value that it has"},
	{"set", "a SET column becomes an array of text with a CHECK: it sorts as an array, and functions for sets do not " +
		"take it"},
	{"spatial-index", "a SPATIAL index is dropped, because PostGIS is not there"},
	{"uuid-order", "a UUID column sorts by its bytes, which MariaDB does in another order"},
	{"vector-array", "a VECTOR column becomes an array of REAL: its size is not checked, and vector functions do not " +
		"take it"},
	{ZeroByte, "the character 0x00 in text, which PostgreSQL does not hold, is taken out; without this the first row " +
		"that has one stops the move"},
	{ZeroDate, "a date that no calendar has, such as 0000-00-00, becomes NULL, and its column takes NULL; without " +
		"this the first row that has one stops the move"},
}

// PostgresOnly tells whether a loss happens on the way to PostgreSQL alone.
func PostgresOnly(name string) bool {
	return slices.ContainsFunc(postgresLosses, func(l LossName) bool { return l.Name == name })
}
