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

// notSystem leaves out the server's own databases.
const notSystem = " NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')"

// objectLists are queries whose columns are kind, database, name, database and name of a trigger's table, sql_mode,
// character_set_client, collation_connection, collation of the database, time zone, language, and whether it is an
// unsafe function: one that a server with a binary log refuses from accounts without SUPER. The session settings
// matter, because the server stores them with the object and runs it under them: ANSI_QUOTES, for example, changes what
// its text means. Triggers come in the order in which they fire, which is the order of their creation.
var objectLists = []string{
	`SELECT 'view', TABLE_SCHEMA, TABLE_NAME, '', '', '', CHARACTER_SET_CLIENT, COLLATION_CONNECTION, '', '', '', 0
	FROM information_schema.VIEWS WHERE TABLE_SCHEMA` + notSystem + ` ORDER BY TABLE_SCHEMA, TABLE_NAME`,
	`SELECT 'trigger', TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, SQL_MODE,
	CHARACTER_SET_CLIENT, COLLATION_CONNECTION, DATABASE_COLLATION, '', '', 0
	FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA` + notSystem + `
	ORDER BY EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER`,
	`SELECT CASE WHEN ROUTINE_TYPE LIKE 'PACKAGE%' THEN 'package' ELSE LOWER(ROUTINE_TYPE) END,
	ROUTINE_SCHEMA, ROUTINE_NAME, '', '', SQL_MODE,
	CHARACTER_SET_CLIENT, COLLATION_CONNECTION, DATABASE_COLLATION, '', COALESCE(EXTERNAL_LANGUAGE, 'SQL'),
	ROUTINE_TYPE = 'FUNCTION' AND IS_DETERMINISTIC = 'NO' AND SQL_DATA_ACCESS IN ('CONTAINS SQL', 'MODIFIES SQL DATA')
	FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA` + notSystem + ` ORDER BY ROUTINE_TYPE, ROUTINE_SCHEMA, ` +
		`ROUTINE_NAME`,
	`SELECT 'event', EVENT_SCHEMA, EVENT_NAME, '', '', SQL_MODE, CHARACTER_SET_CLIENT, COLLATION_CONNECTION,
	DATABASE_COLLATION, TIME_ZONE, '', 0 FROM information_schema.EVENTS WHERE EVENT_SCHEMA` + notSystem +
		` ORDER BY EVENT_SCHEMA, EVENT_NAME`,
	`SELECT 'sequence', TABLE_SCHEMA, TABLE_NAME, '', '', '', '', '', '', '', '', 0
	FROM information_schema.TABLES WHERE TABLE_TYPE = 'SEQUENCE' AND TABLE_SCHEMA` + notSystem +
		` ORDER BY TABLE_SCHEMA, TABLE_NAME`,
}

// Objects lists views, triggers, routines, events and sequences with their definitions.
func (s *server) Objects(ctx context.Context, match func(schema.Name) bool) ([]*schema.Object, error) {
	var all []*schema.Object
	for _, query := range objectLists {
		listed, err := s.listObjects(ctx, query, match)
		if err != nil {
			return nil, fmt.Errorf("list views, triggers, routines and events: %w", wire.Classify(err))
		}
		all = append(all, listed...)
	}
	for _, o := range all {
		err := s.define(ctx, o)
		switch {
		case wire.Number(err) == wire.NoTable || wire.Number(err) == wire.NoRoutine ||
			wire.Number(err) == wire.NoEvent || wire.Number(err) == wire.NoTrigger:
			o.Name = schema.Name{} // dropped meanwhile
		case isPrivilege(err):
			o.Hidden = err.Error()
		case err != nil:
			return nil, fmt.Errorf("describe %s: %w", o, wire.Classify(err))
		}
	}
	return slices.DeleteFunc(all, func(o *schema.Object) bool { return o.Name.IsZero() }), nil
}

// listObjects runs one of objectLists. MariaDB lists a package and its body as two routines of one name; the first of
// them stands for both.
func (s *server) listObjects(ctx context.Context, query string, match func(schema.Name) bool) (found []*schema.Object,
	err error,
) {
	rows, err := s.admin.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		o := &schema.Object{Flavor: schema.Flavor(s.flavor)}
		in := &o.Session
		if err := rows.Scan(&o.Kind, &o.Name.Database, &o.Name.Table, &o.Table.Database, &o.Table.Table, &in.SQLMode,
			&in.Charset, &in.Collation,
			&in.DatabaseCollation, &in.TimeZone, &o.Language, &o.Unsafe); err != nil {
			return nil, err
		}
		if o.Language == "SQL" {
			o.Language = ""
		}
		known := o.Name
		if o.Kind == schema.TriggerObject {
			known = o.Table
		}
		if match(known) && !slices.ContainsFunc(found, func(f *schema.Object) bool {
			return f.Kind == schema.Package &&
				f.Name == o.Name
		}) {
			found = append(found, o)
		}
	}
	return found, rows.Err()
}

// definitionColumns are the columns of SHOW CREATE that hold the definition.
var definitionColumns = map[schema.ObjectKind]int{
	schema.ViewObject: 1, schema.TriggerObject: 2, schema.Procedure: 2, schema.Function: 2, schema.EventObject: 3,
	schema.SequenceObject: 1,
}

// define reads the definition. On a connection of character set binary it comes in that of the client who created it,
// in which it has to be sent again (mysqldump does the same); without a default database views name that of each
// table.
func (s *server) define(ctx context.Context, o *schema.Object) error {
	if o.Kind == schema.Package || o.Language != "" {
		return nil // never moved
	}
	found, err := s.readAll(ctx, "SHOW CREATE "+strings.ToUpper(string(o.Kind))+" "+dialect.Quoted(o.Name))
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0][definitionColumns[o.Kind]] == nil {
		o.Hidden = "the server shows it only to its definer and to accounts that may see every routine (GRANT " +
			"SHOW_ROUTINE ON *.* on MySQL, SELECT ON mysql.proc on MariaDB)"
		return nil
	}
	o.Definition = string(found[0][definitionColumns[o.Kind]])
	if err := dialect.ParseObject(o); err != nil {
		o.Hidden = err.Error()
		return nil
	}
	switch o.Kind {
	case schema.ViewObject:
		if o.Columns, err = s.columnNames(ctx, o.Name); wire.Number(err) == wire.ReadOnlySession {
			o.Hidden, err = "it calls a function that writes, and sessions here only read", nil
		}
	case schema.SequenceObject:
		if found, err = s.readAll(ctx, "SELECT next_not_cached_value FROM "+dialect.Quoted(o.Name)); err == nil {
			o.Next = string(found[0][0])
		}
	case schema.TriggerObject, schema.Procedure, schema.Function, schema.Package, schema.EventObject:
	}
	return err
}

func (s *server) readAll(ctx context.Context, statement string) ([]db.Row, error) {
	rows, err := s.rows(ctx, statement)
	if err != nil {
		return nil, err
	}
	return db.ReadAll(rows)
}

// columnNames returns a view's columns, none when the view is broken.
func (s *server) columnNames(ctx context.Context, view schema.Name) ([]string, error) {
	found, err := s.readAll(ctx, "SHOW COLUMNS FROM "+dialect.Quoted(view))
	if wire.Number(err) == wire.BrokenView {
		return nil, nil
	}
	names := make([]string, len(found))
	for i, row := range found {
		names[i] = string(row[0])
	}
	return names, err
}

// ExecuteIn runs one statement in a session of the given settings.
func (t *Target) ExecuteIn(ctx context.Context, in schema.Session, statement string) error {
	return t.guarded(ctx, statement, func() error { return t.executeIn(ctx, in, statement) })
}

func (t *Target) executeIn(ctx context.Context, in schema.Session, statement string) (err error) {
	conn, err := t.admin.Conn(ctx)
	if err != nil {
		return wire.Classify(err)
	}
	defer func() { err = errors.Join(err, closeConn(conn)) }()
	for _, s := range append(sessionSettings(in), statement) {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("execute %.200s: %w", s, t.blocked(ctx, wire.Classify(err)))
		}
	}
	return nil
}

// sessionSettings returns the statements that make a session so; what it says of text comes last, for it may be of a
// character set that the others are not in.
func sessionSettings(in schema.Session) []string {
	settings := []string{ddlLockWait}
	if in.Database != "" {
		settings = append(settings, "USE "+dialect.Quote(in.Database))
	}
	set := "SET SESSION sql_mode = " + wire.Quoted(in.SQLMode)
	if in.TimeZone != "" {
		set += ", time_zone = " + wire.Quoted(in.TimeZone)
	}
	if in.Collation != "" {
		set += ", collation_connection = " + wire.Quoted(in.Collation)
	}
	if in.Charset != "" {
		set += ", character_set_client = " + wire.Quoted(in.Charset)
	}
	return append(settings, set)
}

// tried is the name of the scratch table in the bookkeeping, and of the trigger on it. The bookkeeping is the one
// database that surely exists and is the move's.
const tried = "tried_trigger"

// TryTrigger makes the trigger on a copy of its table.
func (t *Target) TryTrigger(ctx context.Context, o *schema.Object) error {
	scratch := schema.Name{Database: Bookkeeping(t.cfg.Move), Table: tried}
	drop := "DROP TABLE IF EXISTS " + dialect.Quoted(scratch) // and the trigger with it
	for _, statement := range []string{drop, "CREATE TABLE " + dialect.Quoted(scratch) + " LIKE " +
		dialect.Quoted(o.Table)} {
		if err := t.Execute(ctx, statement); err != nil {
			return fmt.Errorf("try %s: %w", o, err)
		}
	}
	trial := *o
	trial.Name, trial.Table = scratch, scratch
	err := t.ExecuteIn(ctx, o.Session, t.Dialect().CreateObject(&trial))
	if err != nil {
		err = fmt.Errorf("try %s: %w", o, err)
	}
	return errors.Join(err, t.Execute(ctx, drop))
}

// viewPatience is how many seconds a view is read for. What is broken shows at once, when the view is opened; a view
// over large tables may take hours for its first row.
const viewPatience = 2

// TryView reads a view as an application would, in a session with the server's own settings. With our settings a view
// could work that fails for applications, for example under ONLY_FULL_GROUP_BY. PREPARE opens the view without running
// it.
func (s *server) TryView(ctx context.Context, view schema.Name, read bool) (err error) {
	conn, err := s.admin.Conn(ctx)
	if err != nil {
		return wire.Classify(err)
	}
	defer func() { err = errors.Join(err, closeConn(conn)) }()
	limit := fmt.Sprintf("max_execution_time = %d", viewPatience*1000)
	if s.flavor.Family == schema.MariaDB {
		limit = fmt.Sprintf("max_statement_time = %d", viewPatience)
	}
	statement := "SELECT * FROM " + dialect.Quoted(view) + " LIMIT 1"
	if !read {
		statement = "PREPARE wherry_view FROM " + wire.Quoted(statement)
	}
	for _, set := range []string{
		"SET NAMES utf8mb4", fmt.Sprintf("SET SESSION sql_mode = @@GLOBAL.sql_mode, time_zone = @@GLOBAL.time_zone, "+
			"lock_wait_timeout = %d, %s", viewPatience, limit),
		"SET SESSION TRANSACTION READ ONLY", statement,
	} {
		err := discard(ctx, conn, set)
		switch wire.Number(err) {
		case wire.StatementTime, wire.ExecutionTime, wire.ReadOnlySession: // nothing was wrong until then
			return nil
		}
		if err != nil {
			return wire.Classify(err)
		}
	}
	return nil
}

// discard runs a statement and reads what it returns to the end: an error may come with any row.
func discard(ctx context.Context, conn *sql.Conn, statement string) (err error) {
	rows, err := conn.QueryContext(ctx, statement)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		continue
	}
	return rows.Err()
}

// account tells whether an account or role exists; known is false when this account may not read mysql.user.
func (s *server) account(ctx context.Context, a schema.Account) (exists, known bool, err error) {
	var one int
	err = s.admin.QueryRowContext(ctx, "SELECT 1 FROM mysql.user WHERE User = ? AND Host = ?", a.User,
		a.Host).Scan(&one)
	switch {
	case err == nil:
		return true, true, nil
	case errors.Is(err, sql.ErrNoRows):
		return false, true, nil
	case isPrivilege(err):
		return false, false, nil
	default:
		return false, false, fmt.Errorf("look for account %s: %w", a, wire.Classify(err))
	}
}
