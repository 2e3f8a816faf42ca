package mysql

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-mysql-org/go-mysql/replication"

	"wherry/pkg/db"
	"wherry/pkg/schema"
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
}

// Bits of sql_mode that change how a statement is read (mysql-server sql/system_variables.h).
const (
	modeANSIQuotes         = 1 << 2
	modeNoBackslashEscapes = 1 << 20
	modeStrict             = 1<<21 | 1<<22 // STRICT_TRANS_TABLES, STRICT_ALL_TABLES
	modeTruncateFractions  = 1 << 32       // TIME_TRUNCATE_FRACTIONAL (MySQL)
	modeRoundFractions     = 1 << 34       // TIME_ROUND_FRACTIONAL (MariaDB)
)

func parseQueryEvent(e *logEvent) (*queryEvent, error) {
	r := logReader{data: e.body}
	r.bytes(8)                     // thread, duration
	databaseSize := int(r.uint(1)) //nolint:gosec // 1 byte
	r.bytes(2)                     // error code
	statusSize := int(r.uint(2))   //nolint:gosec // 2 bytes
	if e.kind == replication.EXECUTE_LOAD_QUERY_EVENT {
		r.bytes(13) // file number and where in the statement its name is
	}
	status := logReader{data: r.bytes(statusSize)}
	q := &queryEvent{database: string(r.bytes(databaseSize))}
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
	q.statement = queryText(statement)
	q.readStatus(status)
	return q, nil
}

// readStatus reads what is told of the session, in the order in which servers write it (mysql-server libs/mysql/binlog/event,
// statement_events.h; MariaDB sql/log_event.h). It ends at the first that is not known: what follows has no known size.
func (q *queryEvent) readStatus(status logReader) {
	for len(status.data) > 0 && !status.bad {
		switch code := status.uint(1); code {
		case 0:
			q.flags = status.uint(4)
		case 1:
			q.sqlMode = status.uint(8)
		case 3: // auto_increment
			status.bytes(4)
		case 4: // character sets
			status.bytes(6)
		case 5:
			q.timeZone = string(status.bytes(int(status.uint(1)))) //nolint:gosec // 1 byte
		case 6: // catalog
			status.bytes(int(status.uint(1))) //nolint:gosec // 1 byte
		case 7, 8, 18: // lc_time_names, the database's character set, default_collation_for_utf8mb4
			status.bytes(2)
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

// flagExplicitTimestamps is explicit_defaults_for_timestamp among the flags of MariaDB (sql/sql_priv.h, OPTION_EXPLICIT_DEF_TIMESTAMP).
const flagExplicitTimestamps = 1 << 8

// context is what the statement means beyond its text.
func (q *queryEvent) context(flavor schema.Flavor) schema.StatementContext {
	return schema.StatementContext{
		Database: q.database, TimeZone: q.timeZone, Flavor: flavor,
		ANSIQuotes: q.sqlMode&modeANSIQuotes != 0, NoBackslashEscapes: q.sqlMode&modeNoBackslashEscapes != 0,
		ImplicitTimestamps: flavor.MariaDB && q.flags&flagExplicitTimestamps == 0 || !flavor.MariaDB && q.implicit,
	}
}

// change describes a schema change that began in the given second.
func (q *queryEvent) change(when uint32, flavor schema.Flavor, tables []schema.Name) *db.DDL {
	return &db.DDL{
		Statement: q.statement, Tables: tables, Context: q.context(flavor),
		Moment: db.Moment{
			Time:     time.Unix(int64(when), int64(q.micros)*int64(time.Microsecond)), //nolint:gosec // 3 bytes
			TimeZone: q.timeZone, Strict: q.sqlMode&modeStrict != 0,
			Rounds: flavor.MariaDB && q.sqlMode&modeRoundFractions != 0 || !flavor.MariaDB && q.sqlMode&modeTruncateFractions == 0,
		},
	}
}

// queryText returns a statement as UTF-8. Sessions of other character sets are read as latin1: only names matter, and those
// that are not ASCII are then compared wrongly but never cut short.
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
	controlPass // within a transaction, without effect
)

// control reads statements that bound transactions. Servers write them themselves, in few words.
func (q *queryEvent) control() (verb queryControl, name string) {
	if len(q.statement) > 512 {
		return controlNone, ""
	}
	words := strings.Fields(strings.TrimRight(q.statement, "; \t\r\n"))
	if len(words) == 0 {
		return controlNone, ""
	}
	last := words[len(words)-1]
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
		if second == "TO" {
			return controlRollbackTo, last
		}
		return controlRollback, ""
	case "SAVEPOINT":
		return controlSavepoint, last
	case "RELEASE":
		return controlPass, ""
	case "XA":
		switch second {
		case "START", "BEGIN":
			return controlBegin, ""
		case "END":
			return controlPass, ""
		case "COMMIT", "ROLLBACK": // of what was prepared in an earlier group
			return controlCommit, ""
		}
	}
	return controlNone, ""
}

// queryExcerpt shortens a statement for a message.
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
