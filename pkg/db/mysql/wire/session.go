package wire

import (
	"context"
	"database/sql"
	"strings"

	"wherry/pkg/db"
)

// Role is what a session of ours is for.
type Role int

// The roles.
const (
	Asking    Role = iota // metadata, bookkeeping, schema statements: text in UTF-8
	Reading               // rows of a source: bytes
	Writing               // rows of a target: bytes
	Streaming             // the binary log
	roleCount
)

// StrictMode makes every conversion that loses something an error, and still accepts what the source may hold: zero and
// invalid dates, and 0 in an AUTO_INCREMENT column.
const StrictMode = "NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION"

// roleValues are the values in which a role differs from sessionVariables.
var roleValues = [roleCount]map[string]string{
	Asking: {},
	Reading: {
		// A key such as 2024-02-31 is compared, where MySQL refuses it otherwise (error 1525).
		"sql_mode":             "'ALLOW_INVALID_DATES'",
		"character_set_client": "'binary'", "character_set_results": "'binary'", "collation_connection": "'binary'",
		"transaction_read_only": "1", "tx_read_only": "1",
	},
	Writing: {
		"sql_mode":             "'" + StrictMode + "'",
		"character_set_client": "'binary'", "character_set_results": "'binary'", "collation_connection": "'binary'",
		"transaction_isolation": "'READ-COMMITTED'", "tx_isolation": "'READ-COMMITTED'",
		// Rows come in no order that foreign keys would accept, and the source has checked them. Index dives estimate
		// each key of a long IN list one by one; 1 makes the optimizer use the index's statistics for all.
		"foreign_key_checks": "0", "eq_range_index_dive_limit": "1",
	},
	Streaming: {
		// Seconds that the server waits for a consumer that applies slowly before it drops the connection. The
		// default is 60: one large batch on the target would cost the stream.
		"net_write_timeout": "3600",
	},
}

// firstSession is for the connection that learns which variables the server has: without these it could not even ask.
// The first comment is for MySQL, the second for MariaDB (MariaDB manual, "Comment Syntax").
const firstSession = "SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION', sql_select_limit = 18446744073709551615, " +
	"sql_big_selects = 1, autocommit = 1 /*!50708 , max_execution_time = 0 */ /*M!100101 , max_statement_time = 0 */ " +
	"/*M!100300 , tmp_disk_table_size = 18446744073709551615, max_session_mem_used = 9223372036854775807 */"

// Refused is a variable that the account may not set and whose value on the server is another one than sessions need.
type Refused struct {
	Name   string
	Value  string // the server's
	Wanted string // what sessions should have, as SQL
	Why    string
	Level  db.Level // of the finding
	Writes bool     // matters on a target only
}

// PrepareSessions decides what the sessions of every role are set to, and sets that of conn as of role Asking. has
// are the session variables of the server, by their names in lower case.
func (d *Dialer) PrepareSessions(
	ctx context.Context, conn *sql.Conn, has map[string]string,
) (refused []Refused, err error) {
	for _, g := range guardedVariables {
		value, ok := has[g.name]
		if !ok {
			continue
		}
		v, _ := sessionOf(g.name)
		if _, err := conn.ExecContext(ctx, "SET SESSION "+g.name+" = "+v.value); err != nil {
			// Without a number it is no refusal: the connection was lost.
			if Number(err) == 0 {
				return nil, err
			}
			if !sameSetting(value, v.value) {
				refused = append(refused, Refused{g.name, value, v.value, v.why, g.level, g.writes})
			}
			delete(has, g.name)
		}
	}
	for role := range d.sessions {
		d.sessions[role] = sessionStatement(Role(role), has)
	}
	_, err = conn.ExecContext(ctx, d.sessions[Asking])
	return refused, err
}

// SessionStatement returns the statement that prepares a session of a role, or "" when there is nothing to set.
func (d *Dialer) SessionStatement(role Role) string { return d.sessions[role] }

// sessionOf returns what is decided of a variable, and whether anything is. An entry of that very name goes before
// one that ends in *, and of those the longest prefix counts.
func sessionOf(name string) (v sessionVariable, known bool) {
	best := -1
	for _, listed := range sessionVariables {
		prefix, many := strings.CutSuffix(listed.name, "*")
		switch {
		case !many && listed.name == name:
			return listed, true
		case many && strings.HasPrefix(name, prefix) && len(prefix) > best:
			v, known, best = listed, true, len(prefix)
		}
	}
	return v, known
}

// sessionStatement sets, in one statement, every variable of those in has that a role has a value for.
func sessionStatement(role Role, has map[string]string) string {
	var list []string
	for _, v := range sessionVariables {
		value := v.value
		if other, ok := roleValues[role][v.name]; ok {
			value = other
		}
		if _, ok := has[v.name]; ok && value != "" {
			list = append(list, v.name+" = "+value)
		}
	}
	if list == nil {
		return ""
	}
	return "SET SESSION " + strings.Join(list, ", ")
}

// sameSetting tells whether a value that the server shows, such as OFF, is one that is written so, such as 0.
func sameSetting(shown, written string) bool {
	names := map[string]string{"0": "OFF", "1": "ON", "NULL": ""}
	written = strings.Trim(written, "'")
	if name, ok := names[written]; ok && strings.EqualFold(shown, name) {
		return true
	}
	return strings.EqualFold(shown, written)
}
