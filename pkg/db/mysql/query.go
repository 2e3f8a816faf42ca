package mysql

import (
	"strings"
	"unicode/utf8"

	"github.com/go-mysql-org/go-mysql/replication"
)

// queryEvent is a statement in the log.
type queryEvent struct {
	statement string
	database  string // the session's default database
	sqlMode   uint64
}

// Bits of sql_mode that change how a statement is read (mysql-server sql/system_variables.h).
const (
	modeANSIQuotes         = 1 << 2
	modeNoBackslashEscapes = 1 << 20
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
	for len(status.data) > 0 { // flags and sql_mode come first
		switch status.uint(1) {
		case 0: // Q_FLAGS2_CODE
			status.bytes(4)
		case 1: // Q_SQL_MODE_CODE
			q.sqlMode = status.uint(8)
		default:
			status.data = nil
		}
	}
	return q, nil
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
