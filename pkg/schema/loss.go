package schema

import (
	"slices"
	"strings"
)

// Loss is something that a target cannot hold as the source had it.
type Loss struct {
	Name    string // stable and configurable, such as "collation"
	Table   Name   // on the source
	Column  string // empty when the whole table is meant
	What    string // in words: from what, to what, and what that means
	Grade   Grade
	Allowed bool // whether the user allowed it by name; means nothing for other grades than Lossy
}

// Grade is how much a loss matters.
type Grade int

// The grades of losses.
const (
	// Note: nothing about rows, rules or the results of queries can differ. It is only reported.
	Note Grade = iota
	// Rare: only rows with certain values lose something. The first of them stops the move unless the user allowed the
	// loss by name.
	Rare
	// Lossy: rows, rules or results can differ. The move is refused unless the user allowed the loss by name.
	Lossy
	// Fatal: the rows cannot be carried right at all. The move is refused.
	Fatal
)

// Refuses returns whether the loss forbids the move.
func (l Loss) Refuses() bool { return l.Grade == Fatal || l.Grade == Lossy && !l.Allowed }

// LossName is a loss that users may allow.
type LossName struct{ Name, Means string }

// NegativeZero is the loss of the sign of zero.
const NegativeZero = "negative-zero"

// SessionExpression is the loss of values that depended on the session that wrote them.
const SessionExpression = "session-expression"

// LossNames are all losses that users may allow, sorted by name. The names are part of the configuration.
var LossNames = slices.SortedFunc(slices.Values(slices.Concat(familyLosses, postgresLosses)),
	func(a, b LossName) int { return strings.Compare(a.Name, b.Name) })

// familyLosses are those on the way from MySQL or MariaDB to one of them. Some happen on the way to PostgreSQL too.
var familyLosses = []LossName{
	{"check", "a CHECK constraint is dropped, because the target ignores it or may compute it otherwise"},
	{"collation", "a column gets another collation of its character set: values may sort and compare differently"},
	{"column-option", "an attribute of a column is dropped, because the target has no such attribute"},
	{"compressed-column", "a COMPRESSED column is stored plainly: its values are the same and take more space"},
	{"default", "a default holds a question mark, which on MariaDB may stand for a character that it cannot show"},
	{"encryption", "a table or its tablespace is no longer encrypted at rest"},
	{"engine", "a table gets another storage engine"},
	{"fulltext-parser", "a FULLTEXT index loses its parser: searches may find other rows"},
	{"generated-not-null", "a generated column is no longer held to NOT NULL"},
	{"index-option", "an option of an index is dropped, because the target has no such option"},
	{"inet4", "an INET4 column becomes text: its values are the same text, sort as text, and are no longer checked"},
	{"inet6", "an INET6 column becomes text: its values are the same text, sort as text, and are no longer checked"},
	{"invisible-column", "an invisible column becomes visible: SELECT * and INSERT without a column list see it"},
	{"json", "a JSON column becomes text with a CHECK: it is stored, compared and sorted as text"},
	{NegativeZero, "the value -0 of a FLOAT or DOUBLE column becomes 0, which it equals; without this the first row " +
		"that has one stops the move"},
	{"no-default", "a column that INSERT has to name although it may be NULL gets DEFAULT NULL"},
	{"period", "a PERIOD of a table is dropped, and with it the rule that it begins before it ends"},
	{SessionExpression, "what a stored generated column or an index holds depends on the session that wrote the " +
		"row: the target computes it anew, and it is not compared; a CHECK that does is not enforced"},
	{"srid", "a geometry column is no longer held to one SRID: its values keep theirs"},
	{"table-option", "an option of a table is dropped, because the target has no such option"},
	{"uuid", "a UUID column becomes text: its values are the same text, sort as text, and are no longer checked"},
	{"vector", "a VECTOR column becomes a BLOB of the same bytes: it is no longer checked, and vector functions do " +
		"not take it"},
	{"vector-index", "a VECTOR index is dropped"},
}

// String returns the grade in words.
func (g Grade) String() string {
	return [...]string{Note: "note", Rare: "rare", Lossy: "loss", Fatal: "fatal"}[g]
}
