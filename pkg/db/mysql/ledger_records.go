package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// Records returns the tables of the move.
func (l *ledger) Records(ctx context.Context) (records []db.Record, err error) {
	rows, err := l.t.admin.QueryContext(ctx, "SELECT record FROM "+l.table("tables")+" ORDER BY source")
	if n := wire.Number(err); n == wire.NoTable || n == wire.NoDatabase {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the move's tables: %w", wire.Classify(err))
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("read the move's tables: %w", wire.Classify(err))
		}
		record, err := db.DecodeRecord(text)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, wire.Classify(rows.Err())
}

// Amend puts records and removes others, in one transaction.
func (l *ledger) Amend(ctx context.Context, put []db.Record, gone []schema.Name) (err error) {
	statements, err := l.amendments(put, gone, true)
	if err != nil {
		return err
	}
	tx, err := l.t.admin.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("record the move's tables: %w", wire.Classify(err))
	}
	defer func() {
		if rerr := tx.Rollback(); !errors.Is(rerr, sql.ErrTxDone) {
			err = errors.Join(err, rerr)
		}
	}()
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("record the move's tables: %w", wire.Classify(err))
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("record the move's tables: %w", wire.Classify(err))
	}
	return nil
}

// amendments are the statements of an Amend. With renew the chunks of tables that are to be copied are forgotten: their
// bounds were cut from rows of another shape.
func (l *ledger) amendments(put []db.Record, gone []schema.Name, renew bool) ([]string, error) {
	forget := map[string][]string{}
	for _, name := range gone {
		forget["tables"] = append(forget["tables"], wire.Quoted(dialect.Quoted(name)))
		forget["chunks"] = append(forget["chunks"], wire.Quoted(dialect.Quoted(name)))
	}
	values := make([]string, len(put))
	for i, r := range put {
		text, err := db.EncodeRecord(r)
		if err != nil {
			return nil, err
		}
		if r.Copy && renew {
			forget["chunks"] = append(forget["chunks"], wire.Quoted(dialect.Quoted(r.Source)))
		}
		values[i] = "(" + wire.Quoted(dialect.Quoted(r.Source)) + ", " + wire.Quoted(text) + ")"
	}
	var statements []string
	for _, table := range []string{"tables", "chunks"} {
		statements = append(statements, joined("DELETE FROM "+l.table(table)+" WHERE source IN (", forget[table],
			")")...)
	}
	return append(statements, joined("REPLACE INTO "+l.table("tables")+" (source, record) VALUES ", values, "")...), nil
}

// joinedBytes is how long, in bytes, a statement with several values grows. The smallest max_allowed_packet that a
// server has by default is larger.
const joinedBytes = 256 << 10

// joined returns statements that hold all values, several each.
func joined(head string, values []string, tail string) (statements []string) {
	for len(values) > 0 {
		n, size := 1, len(values[0])
		for n < len(values) && size+len(values[n]) < joinedBytes {
			size += len(values[n])
			n++
		}
		statements = append(statements, head+strings.Join(values[:n], ", ")+tail)
		values = values[n:]
	}
	return statements
}

// Amend puts records and takes others away within the applier's transaction.
func (a *applier) Amend(ctx context.Context, put []db.Record, gone []schema.Name) error {
	l := &ledger{t: a.t, database: Bookkeeping(a.t.cfg.Move)}
	statements, err := l.amendments(put, gone, false)
	if err != nil {
		return err
	}
	if err := a.begin(ctx); err != nil {
		return err
	}
	for _, statement := range append(statements, "DELETE FROM "+l.table("facts")+" WHERE name = "+
		wire.Quoted(db.FactChange)) {
		if _, err := a.wires[0].Exec(ctx, statement); err != nil {
			return fmt.Errorf("record the move's tables: %w", wire.Classify(err))
		}
	}
	return nil
}

// Execute runs one schema statement on the connection that holds the lock.
func (a *applier) Execute(ctx context.Context, statement string, at db.Moment) error {
	if a.began {
		return errors.New("execute a schema statement: a transaction is open")
	}
	return a.t.guarded(ctx, statement, func() error { return a.execute(ctx, statement, at) })
}

func (a *applier) execute(ctx context.Context, statement string, at db.Moment) (err error) {
	settings, restore, err := a.t.moment(ctx, at)
	if err != nil {
		return err
	}
	// A new table has no rows whose values depend on the time. And its time of creation must be the server's own clock:
	// by it ledger.judge tells whose table it is.
	if strings.HasPrefix(statement, "CREATE TABLE ") {
		settings = slices.DeleteFunc(settings, func(s string) bool { return strings.HasPrefix(s, setTimestamp) })
	}
	w := a.wires[0]
	defer func() {
		for _, s := range restore { // rows would be written wrong otherwise, also after a statement that was refused
			if _, failed := w.Exec(ctx, s); failed != nil {
				err = errors.Join(err, wire.Classify(failed))
				return
			}
		}
	}()
	for _, s := range append(settings, statement) {
		if _, err := w.Exec(ctx, s); err != nil {
			return fmt.Errorf("execute %.200s: %w", s, a.blocked(ctx, wire.Classify(err)))
		}
	}
	return nil
}

// sessionMode is the sql_mode for a schema statement, so that ALTER TABLE converts values here as it did on the source.
// Modes that change a value are taken over. Modes that only forbid values (NO_ZERO_DATE, NO_ZERO_IN_DATE) are left out
// of a strict session: what the source took without an error is the same value with and without them, and the table may
// hold older rows that they would refuse.
func sessionMode(s *schema.StatementSession) string {
	switch {
	case s.Modes == nil && s.Strict:
		return wire.StrictMode
	case s.Modes == nil:
		return lenientMode
	}
	modes := []string{"NO_ENGINE_SUBSTITUTION"}
	if s.Strict {
		modes = append(modes, "STRICT_ALL_TABLES", "ALLOW_INVALID_DATES")
	}
	for _, mode := range s.Modes {
		if forbids := strings.HasPrefix(mode, "NO_ZERO_"); !s.Strict || !forbids {
			modes = append(modes, mode)
		}
	}
	return strings.Join(modes, ",")
}

const setTimestamp = "SET SESSION timestamp = "

// moment returns the statements that prepare a session to run a schema statement as of a moment, and those that put the
// session back. For example, ALTER TABLE t ADD c TIMESTAMP DEFAULT CURRENT_TIMESTAMP gives every row the time of the
// statement: here it must be the source's.
func (t *Target) moment(ctx context.Context, at db.Moment) (settings, restore []string, err error) {
	mode := sessionMode(&at.StatementSession)
	switch { // by default MySQL rounds fractions of times and MariaDB cuts them
	case at.Time.IsZero():
	case at.Rounds && t.flavor.HasRoundFractions():
		mode += ",TIME_ROUND_FRACTIONAL"
	case !at.Rounds && t.flavor.HasTruncateFractions():
		mode += ",TIME_TRUNCATE_FRACTIONAL"
	}
	// Rows are written as bytes, schema statements are text: labels and defaults are in it, in any column's character
	// set.
	settings = append(settings, "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci", "SET SESSION sql_mode = '"+mode+
		"', foreign_key_checks = 0", ddlLockWait)
	restore = append(restore, t.dialer.SessionStatement(wire.Writing), "SET SESSION timestamp = DEFAULT")
	if !at.Time.IsZero() {
		settings = append(settings, fmt.Sprintf(setTimestamp+"%d.%06d, auto_increment_increment = %d, "+
			"auto_increment_offset = %d",
			at.Time.Unix(), at.Time.Nanosecond()/1000, max(at.Step, 1), max(at.Offset, 1)))
	}
	if at.TimeZone != "" {
		settings = append(settings, "SET SESSION time_zone = "+wire.Quoted(at.TimeZone))
	}
	if t.flavor.HasDDLThreads() {
		settings = append(settings, "SET SESSION innodb_ddl_buffer_size = 67108864, innodb_ddl_threads = 2")
	}
	generated, err := t.generatesKeys(ctx)
	if generated {
		settings = append(settings, "SET SESSION sql_generate_invisible_primary_key = OFF")
	}
	return settings, restore, err
}
