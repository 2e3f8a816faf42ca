package wire

import (
	"context"
	"fmt"

	"wherry/pkg/db"
)

// settings are what every session has from its first moment on, whatever the server, the database or the account have
// for others: a statement_timeout could end even the statement that takes it away.
var settings = map[string]string{
	"application_name":                    "wherry",
	"array_nulls":                         "on",
	"bytea_output":                        "hex",
	"client_encoding":                     "UTF8",
	"client_min_messages":                 "error",
	"DateStyle":                           "ISO, YMD",
	"default_transaction_deferrable":      "off",
	"default_transaction_isolation":       "read committed",
	"extra_float_digits":                  "1",
	"idle_in_transaction_session_timeout": "0",
	"IntervalStyle":                       "postgres",
	"jit":                                 "off", // compiling takes longer than our statements
	"lock_timeout":                        "0",
	// Lists of keys differ in length: a plan for one of them is none for another.
	"plan_cache_mode":       "force_custom_plan",
	"quote_all_identifiers": "off",
	// Where a policy hides rows from the account, reading is an error and not a table with fewer rows.
	"row_security":                "off",
	"search_path":                 "",
	"standard_conforming_strings": "on",
	"statement_timeout":           "0",
	"TimeZone":                    "UTC",
	"transform_null_equals":       "off",
	"xmloption":                   "content",
}

// prologue sets what only some versions know, and sees to it that a commit that was answered is on disk.
const prologue = `SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
	WHERE name IN ('idle_session_timeout', 'transaction_timeout');
SELECT pg_catalog.set_config('synchronous_commit', 'on', false)
	WHERE pg_catalog.current_setting('synchronous_commit') = 'off'`

// prepare sets what a session has, and makes sure that it is one: a pooler that gives every transaction another
// session of the server would mix them up.
func (c *Conn) prepare(ctx context.Context) error {
	if err := c.Exec(ctx, prologue); err != nil {
		return err
	}
	row, err := c.One(ctx, "SELECT pg_catalog.pg_backend_pid()::text")
	if err != nil {
		return err
	}
	if _, err := fmt.Sscan(string(row[0]), &c.PID); err != nil {
		return err
	}
	if c.PID != c.pg.PID() {
		return pooler("the session is another one than the server said")
	}
	return nil
}

// Tag tells servers and databases apart: the number that a cluster got when it was made, and the database's.
func (c *Conn) Tag(ctx context.Context) (string, error) {
	row, err := c.One(ctx, "SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system())::text || '/' || "+
		"(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())::text")
	if err != nil {
		return "", err
	}
	return string(row[0]), nil
}

// pooler refuses what gives sessions of the server to several clients by turns.
func pooler(why string) error {
	return fmt.Errorf("%w: %s: a pooler is in between, such as pgbouncer, and locks and settings belong to sessions; "+
		"connect to the server itself", db.ErrSetup, why)
}
