package binlog

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-mysql-org/go-mysql/replication"

	"wherry/pkg/db"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// queryEvent is a statement in the log.
type queryEvent struct {
	statement string
	database  string // the session's default database
	sqlMode   uint64
	flags     uint64 // of the session
	implicit  bool   // MySQL: explicit_defaults_for_timestamp is off; MariaDB tells it in flags
	micros    uint64 // of the second in which it began
	timeZone  string // of the session
	step      int    // auto_increment_increment and auto_increment_offset, 0 when they are 1
	offset    int
	client    int    // the collation's number of character_set_client, 0 when it is not in the log
	literals  int    // collation_connection, likewise
	server    int    // collation_server, likewise
	defaults  []int  // collations that character sets have by default in the session
	open      string // why the text does not tell for certain what it means, see schema.StatementContext
	raw       []byte // the statement as it is in the log, valid until the next event
	by        sessionKey
	specific  bool // see flagThreadSpecific
}

// Bits of sql_mode that change how a statement is read (mysql-server sql/system_variables.h).
const (
	modeANSIQuotes         = 1 << 2
	modeNoBackslashEscapes = 1 << 20
	modeStrict             = 1<<21 | 1<<22 // STRICT_TRANS_TABLES, STRICT_ALL_TABLES
	modeTruncateFractions  = 1 << 32       // TIME_TRUNCATE_FRACTIONAL (MySQL)
	modeRoundFractions     = 1 << 34       // TIME_ROUND_FRACTIONAL (MariaDB)
)

// Bits of sql_mode by which types and texts are other ones than they say. The last three are MariaDB's
// (sql/sql_class.h).
const (
	modeRealAsFloat = 1 << 0
	modeOracle      = 1 << 9
	modeMaxDB       = 1 << 12
	modeEmptyIsNull = 1 << 32
)

// modeBits are those of schema.ValueModes.
var modeBits = map[string]uint64{
	"NO_UNSIGNED_SUBTRACTION": 1 << 6, "NO_AUTO_VALUE_ON_ZERO": 1 << 19,
	"NO_ZERO_IN_DATE": 1 << 23, "NO_ZERO_DATE": 1 << 24,
	"ALLOW_INVALID_DATES": 1 << 25, "PAD_CHAR_TO_FULL_LENGTH": 1 << 31,
}

// parseQueryEvent reads a statement: the session's number (4 bytes), duration (4), length of the database's name (1),
// error code (2), length of the status (2), the status, the database and a zero byte, the statement.
func parseQueryEvent(e *logEvent) (*queryEvent, error) {
	r := logReader{data: e.body}
	thread := uint32(r.uint(4))    //nolint:gosec // 4 bytes
	r.bytes(4)                     // duration
	databaseSize := int(r.uint(1)) //nolint:gosec // 1 byte
	r.bytes(2)                     // error code
	statusSize := int(r.uint(2))   //nolint:gosec // 2 bytes
	if e.kind == replication.EXECUTE_LOAD_QUERY_EVENT {
		r.bytes(13) // file number and where in the statement its name is
	}
	status := logReader{data: r.bytes(statusSize)}
	q := &queryEvent{
		database: string(r.bytes(databaseSize)), by: sessionKey{e.server, thread},
		specific: e.flags&flagThreadSpecific != 0,
	}
	r.bytes(1)
	if r.bad {
		return nil, errEvent
	}
	statement := r.data
	if e.kind == replication.MARIADB_QUERY_COMPRESSED_EVENT {
		var err error
		if statement, err = decodeInflate(statement); err != nil {
			return nil, err
		}
	}
	q.raw, q.statement = statement, queryText(statement)
	q.readStatus(status)
	return q, nil
}

// readStatus reads the settings of the session, a code byte and a value each, in the order in which servers write them
// (mysql-server libs/mysql/binlog/event, statement_events.h; MariaDB sql/log_event.h). It ends at the first code that
// is not known: the size of its value is not known either. The settings that matter come early.
func (q *queryEvent) readStatus(status logReader) {
	for len(status.data) > 0 && !status.bad {
		switch code := status.uint(1); code {
		case 0:
			q.flags = status.uint(4)
		case 1:
			q.sqlMode = status.uint(8)
		case 3:
			q.step, q.offset = int(status.uint(2)), int(status.uint(2)) //nolint:gosec // 2 bytes
		case 4: // character sets: of the client, the connection, the server
			q.client, q.literals = int(status.uint(2)), int(status.uint(2)) //nolint:gosec // 2 bytes
			q.server = int(status.uint(2))                                  //nolint:gosec // 2 bytes
		case 5:
			q.timeZone = string(status.bytes(int(status.uint(1)))) //nolint:gosec // 1 byte
		case 6: // catalog
			status.bytes(int(status.uint(1))) //nolint:gosec // 1 byte
		case 7, 8: // lc_time_names, the database's character set
			status.bytes(2)
		case 18: // default_collation_for_utf8mb4
			q.defaults = append(q.defaults, int(status.uint(2))) //nolint:gosec // 2 bytes
		// The second byte of flags of the GTID event; of the end of a two-phase ALTER TABLE the number of its begin
		// too.
		case 130:
			if status.uint(1)&(mariaAlterCommitted|mariaAlterGivenUp) != 0 {
				status.bytes(8)
			}
		case 131: // character_set_collations (MariaDB 11.2): pairs of a character set and its collation
			for n := status.uint(1); n > 0 && !status.bad; n-- {
				status.bytes(2)
				q.defaults = append(q.defaults, int(status.uint(2))) //nolint:gosec // 2 bytes
			}
		case 9, 17, 129: // tables of an update, the number of the transaction
			status.bytes(8)
		case 10:
			status.bytes(4)
		case 11: // who runs it
			status.bytes(int(status.uint(1))) //nolint:gosec // 1 byte
			status.bytes(int(status.uint(1))) //nolint:gosec // 1 byte
		case 12: // databases, each ended by a zero byte; 254 is too many to tell
			for n := status.uint(1); n > 0 && n < 254 && !status.bad; n-- {
				for !status.bad && status.uint(1) != 0 { // read on
				}
			}
		case 13, 128: // MySQL, MariaDB
			q.micros = status.uint(3)
		case 16: // explicit_defaults_for_timestamp
			q.implicit = status.uint(1) == 0
		case 19, 20: // sql_require_primary_key, default_table_encryption
			status.bytes(1)
		default:
			return
		}
	}
}

// flagExplicitTimestamps is explicit_defaults_for_timestamp among the flags of MariaDB (sql/sql_priv.h,
// OPTION_EXPLICIT_DEF_TIMESTAMP).
const flagExplicitTimestamps = 1 << 8

// context is what the statement means beyond its text. The same CREATE TABLE gives other columns under ANSI_QUOTES,
// another default collation or explicit_defaults_for_timestamp = OFF.
func (q *queryEvent) context(flavor dialect.Flavor) schema.StatementContext {
	return schema.StatementContext{
		StatementSession: q.session(flavor), Database: q.database, Flavor: schema.Flavor(flavor),
		ANSIQuotes: q.sqlMode&modeANSIQuotes != 0, NoBackslashEscapes: q.sqlMode&modeNoBackslashEscapes != 0,
		Collations: q.defaults, ServerCollation: q.server, Open: cmp.Or(q.open, q.dialect(flavor)),
		ImplicitTimestamps: flavor.Family == schema.MariaDB && q.flags&flagExplicitTimestamps == 0 ||
			flavor.Family == schema.MySQL && q.implicit,
	}
}

// dialect tells which words of sql_mode give types or texts of a statement another meaning, or "". Under REAL_AS_FLOAT,
// for example, REAL is a FLOAT and not a DOUBLE.
func (q *queryEvent) dialect(flavor dialect.Flavor) string {
	mode := func(bit uint64) bool { return q.sqlMode&bit != 0 }
	switch {
	case mode(modeRealAsFloat) && realType.MatchString(q.statement):
		return "REAL under sql_mode REAL_AS_FLOAT"
	case flavor.Family == schema.MariaDB && mode(modeOracle|modeMaxDB|modeEmptyIsNull):
		return "a statement under sql_mode ORACLE, MAXDB or EMPTY_STRING_IS_NULL"
	default:
		return ""
	}
}

var realType = regexp.MustCompile(`(?i)\breal\b`)

// session is what values that the statement gives to rows depend on: ADD COLUMN c TIMESTAMP DEFAULT NOW(), for
// example, on time and time zone.
func (q *queryEvent) session(flavor dialect.Flavor) schema.StatementSession {
	s := schema.StatementSession{
		TimeZone: q.timeZone, Strict: q.sqlMode&modeStrict != 0, Step: q.step, Offset: q.offset, Modes: []string{},
		Rounds: flavor.Family == schema.MariaDB && q.sqlMode&modeRoundFractions != 0 ||
			flavor.Family == schema.MySQL && q.sqlMode&modeTruncateFractions == 0,
	}
	for _, mode := range schema.ValueModes {
		if q.sqlMode&modeBits[mode] != 0 {
			s.Modes = append(s.Modes, mode)
		}
	}
	return s
}

// change describes a schema change that began in the given second. Its microseconds are in the status of the event.
func (q *queryEvent) change(when uint32, flavor dialect.Flavor, v *queryVerdict) *db.DDL {
	d := &db.DDL{
		Statement: q.statement, Tables: v.tables, Database: v.database, Context: q.context(flavor),
		Moment: db.Moment{
			Time:             time.Unix(int64(when), int64(q.micros)*int64(time.Microsecond)), //nolint:gosec // 3 bytes
			StatementSession: q.session(flavor),
		},
	}
	if v.parsed != nil {
		d.Parsed = v.parsed
	}
	return d
}

// queryText returns a statement as UTF-8, as far as it is that. Other bytes are read as latin1, so that none is lost:
// see StatementDecoder.
func queryText(statement []byte) string {
	if utf8.Valid(statement) {
		return string(statement)
	}
	runes := make([]rune, len(statement))
	for i, b := range statement {
		runes[i] = rune(b)
	}
	return string(runes)
}

// queryControl is what a statement does to the transaction around it.
type queryControl int

const (
	controlNone queryControl = iota
	controlBegin
	controlCommit
	controlRollback
	controlSavepoint
	controlRollbackTo
	controlCommitPrepared   // of an XA transaction that an earlier group prepared
	controlRollbackPrepared // likewise
	controlPass             // within a transaction, without effect
)

// control reads statements that begin or end transactions. Servers write them themselves, in few words, such as BEGIN,
// SAVEPOINT `a` or XA COMMIT X'31',X”,1. A longer statement is none of them and need not be cut into words.
func (q *queryEvent) control() (verb queryControl, name string) {
	if len(q.statement) > 512 {
		return controlNone, ""
	}
	words := strings.Fields(strings.TrimRight(q.statement, "; \t\r\n"))
	if len(words) == 0 {
		return controlNone, ""
	}
	second := ""
	if len(words) > 1 {
		second = strings.ToUpper(words[1])
	}
	switch strings.ToUpper(words[0]) {
	case "BEGIN":
		return controlBegin, ""
	case "START":
		if second == "TRANSACTION" {
			return controlBegin, ""
		}
	case "COMMIT":
		return controlCommit, ""
	case "ROLLBACK":
		at := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, "TO") })
		if at == 1 || at == 2 && second == "WORK" {
			return controlRollbackTo, savepointName(words[at+1:])
		}
		return controlRollback, ""
	case "SAVEPOINT":
		return controlSavepoint, savepointName(words[1:])
	case "RELEASE":
		return controlPass, ""
	case "XA":
		switch second {
		case "START", "BEGIN":
			return controlBegin, ""
		case "END":
			return controlPass, ""
		case "COMMIT":
			return controlCommitPrepared, strings.ToLower(strings.Join(words[2:], ""))
		case "ROLLBACK":
			return controlRollbackPrepared, strings.ToLower(strings.Join(words[2:], ""))
		}
	}
	return controlNone, ""
}

// savepointName reads the name of a savepoint, which may be of several words and stand behind the word SAVEPOINT.
// Case does not matter, so ROLLBACK TO A finds SAVEPOINT a.
func savepointName(words []string) string {
	if len(words) > 1 && strings.EqualFold(words[0], "SAVEPOINT") {
		words = words[1:]
	}
	name := strings.ToLower(strings.Join(words, " "))
	return strings.ReplaceAll(strings.Trim(name, "`"), "``", "`")
}

// queryExcerpt shortens a statement for a message, to 200 bytes in one line. A statement may hold megabytes of rows.
func queryExcerpt(statement string) string {
	const most = 200
	text := strings.Join(strings.Fields(statement), " ")
	if len(text) <= most {
		return text
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}
