package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// Records returns the tables of the move.
func (l *ledger) Records(ctx context.Context) (records []db.Record, err error) {
	rows, err := l.t.admin.QueryContext(ctx, "SELECT record FROM "+l.table("tables")+" ORDER BY source")
	if n := number(err); n == errNoTable || n == errNoDatabase {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the move's tables: %w", classify(err))
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("read the move's tables: %w", classify(err))
		}
		record, err := db.DecodeRecord(text)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, classify(rows.Err())
}

// Amend puts records and takes others away.
func (l *ledger) Amend(ctx context.Context, put []db.Record, gone []schema.Name) (err error) {
	statements, err := l.amendments(put, gone, true)
	if err != nil {
		return err
	}
	tx, err := l.t.admin.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("record the move's tables: %w", classify(err))
	}
	defer func() {
		if rerr := tx.Rollback(); !errors.Is(rerr, sql.ErrTxDone) {
			err = errors.Join(err, rerr)
		}
	}()
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("record the move's tables: %w", classify(err))
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("record the move's tables: %w", classify(err))
	}
	return nil
}

// amendments are the statements of an Amend. renew forgets the chunks of tables that are to be copied.
func (l *ledger) amendments(put []db.Record, gone []schema.Name, renew bool) ([]string, error) {
	var statements []string
	forget := func(table, source string) {
		statements = append(statements, "DELETE FROM "+l.table(table)+" WHERE source = "+quoted(source))
	}
	for _, name := range gone {
		forget("tables", name.Quoted())
		forget("chunks", name.Quoted())
	}
	for _, r := range put {
		text, err := db.EncodeRecord(r)
		if err != nil {
			return nil, err
		}
		if r.Copy && renew {
			forget("chunks", r.Source.Quoted())
		}
		statements = append(statements, "REPLACE INTO "+l.table("tables")+" (source, record) VALUES ("+quoted(r.Source.Quoted())+", "+quoted(text)+")")
	}
	return statements, nil
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
	for _, statement := range append(statements, "DELETE FROM "+l.table("facts")+" WHERE name = "+quoted(db.FactChange)) {
		if _, err := a.wires[0].exec(ctx, statement); err != nil {
			return fmt.Errorf("record the move's tables: %w", classify(err))
		}
	}
	return nil
}

// Execute runs one schema statement on the connection that holds the lock.
func (a *applier) Execute(ctx context.Context, statement string, at db.Moment) (err error) {
	if a.began {
		return errors.New("execute a schema statement: a transaction is open")
	}
	settings, restore, err := a.t.moment(ctx, at)
	if err != nil {
		return err
	}
	w := a.wires[0]
	defer func() {
		for _, s := range restore { // rows would be written wrong otherwise, also after a statement that was refused
			if _, failed := w.exec(ctx, s); failed != nil {
				err = errors.Join(err, classify(failed))
				return
			}
		}
	}()
	for _, s := range append(settings, statement) {
		if _, err := w.exec(ctx, s); err != nil {
			return fmt.Errorf("execute %.200s: %w", s, a.blocked(ctx, classify(err)))
		}
	}
	return nil
}

// moment returns what a session has to set to run a schema statement as of a moment, and to unset.
func (t *Target) moment(ctx context.Context, at db.Moment) (settings, restore []string, err error) {
	mode := lenientMode
	if at.Strict {
		mode = strictMode
	}
	switch { // by default MySQL rounds fractions of times and MariaDB cuts them
	case at.Time.IsZero():
	case at.Rounds && t.flavor.HasRoundFractions():
		mode += ",TIME_ROUND_FRACTIONAL"
	case !at.Rounds && t.flavor.HasTruncateFractions():
		mode += ",TIME_TRUNCATE_FRACTIONAL"
	}
	// Rows are written as bytes, schema statements are text: labels and defaults are in it, in any column's character set.
	settings = append(settings, "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci", "SET SESSION sql_mode = '"+mode+"', foreign_key_checks = 0", ddlLockWait)
	restore = append(restore, "SET NAMES binary", "SET SESSION sql_mode = '"+strictMode+"', time_zone = '+00:00', timestamp = DEFAULT")
	if !at.Time.IsZero() {
		settings = append(settings, fmt.Sprintf("SET SESSION timestamp = %d.%06d", at.Time.Unix(), at.Time.Nanosecond()/1000))
	}
	if at.TimeZone != "" {
		settings = append(settings, "SET SESSION time_zone = "+quoted(at.TimeZone))
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
