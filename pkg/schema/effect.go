package schema

import "errors"

// ErrUnknownStatement is a schema change that cannot be read.
var ErrUnknownStatement = errors.New("statement is not understood")

// StatementSession is what the log says about the session of a statement, as far as the values that rows get depend on
// it. It goes with the statement from the log to the statements on the target.
type StatementSession struct {
	TimeZone string // as the server names it; empty when not known
	Strict   bool   // values that do not fit are errors
	Rounds   bool   // fractions of times that do not fit are rounded, else cut
	// Modes are further words of sql_mode, see ValueModes; nil when they are not known.
	Modes []string
	// Step and Offset are auto_increment_increment and auto_increment_offset; 0 is 1.
	Step, Offset int
}

// ValueModes are the words of sql_mode that decide what values become when a table is altered, besides those for
// which Session has fields.
var ValueModes = []string{
	"NO_AUTO_VALUE_ON_ZERO", "NO_ZERO_IN_DATE", "NO_ZERO_DATE", "ALLOW_INVALID_DATES",
	"PAD_CHAR_TO_FULL_LENGTH", "NO_UNSIGNED_SUBTRACTION",
}

// StatementContext is what a statement means beyond its text.
type StatementContext struct {
	StatementSession
	Database           string // the session's default database
	ANSIQuotes         bool   // sql_mode
	NoBackslashEscapes bool   // sql_mode
	Flavor             Flavor
	// ImplicitTimestamps is that explicit_defaults_for_timestamp is off: then a TIMESTAMP column is NOT NULL and has
	// a default though nothing says so.
	ImplicitTimestamps bool
	// Collations are the numbers of collations that character sets have by default in the session, where those are
	// its own.
	Collations []int
	// ServerCollation is the number of the collation that databases get in the session when nothing is said; 0 when
	// not known.
	ServerCollation int
	// Databases are the default collations of the databases, by their names in lower case, before the statement. nil:
	// those that they have now count.
	Databases map[string]string
	// Open is why the text alone does not decide what tables become; empty when it does.
	Open string
	// Spare is what to assume about indexes that another one makes needless.
	Spare Spare
}

// Spare is what becomes of indexes that a new one makes needless: ADD INDEX (a, b) does that to an index over a. A
// server drops such an index if it made it by itself for a foreign key, and keeps one that a user made. No definition
// shows which is which.
type Spare int

// What becomes of such indexes.
const (
	SpareUnknown Spare = iota // the table's shape is left open
	SpareStays
	SpareGoes
)

// EffectKind is what becomes of a table.
type EffectKind int

// What a schema change does to a table.
const (
	Altered   EffectKind = iota // has another shape; or other rows, see Empties and Opaque
	Created                     // is there now, and was not before
	Dropped                     // is gone, with its rows
	Renamed                     // has another name, and the same shape but for what follows the name, see After
	Truncated                   // is there, without rows
	Database                    // not a table: a database is there with this Collation for new tables; or is gone
)

// Effect is what a schema change does to one table.
type Effect struct {
	Kind EffectKind
	Name Name // of the table before, or of the created one
	To   Name // of a renamed table: its new name

	// After is the shape of an altered or created table, as SHOW CREATE TABLE would print it afterwards; nil when the
	// statement leaves that open. Its Definition is empty. Of an altered table it may be equal to what was
	// before: nothing changed. Of a renamed table it is its shape under the new name: names that a server made from
	// the old one (t_ibfk_1, t_chk_1) follow.
	After *Table
	// Former has, for each column of an altered table that comes from one before, that one's name; nil when that is
	// unknown.
	Former map[string]string
	// Converts lists the columns (by their new names) whose values the server converts, so that they may not be what
	// they were.
	Converts []string
	// Empties lists the partitions whose rows are removed.
	Empties []string
	// Opaque is why rows changed, or came, in a way that the log does not show and no other server can repeat, in
	// words; empty when they did not.
	Opaque string
	// Collation is that of new tables in a database from here on. "": the database is gone, or it is not known.
	Collation string
	// Logged means that the rows of a created table follow in the log (CREATE TABLE .. SELECT in row format). Only
	// MySQL 8.0.21 and later marks such a statement; elsewhere it reads like any other that creates a table, and its
	// rows follow all the same.
	Logged bool
}
