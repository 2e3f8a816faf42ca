package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// Which tables of the target are the move's is in the bookkeeping's table owned, by name. A statement that gives or
// takes a name is noted there before it is run, and the note is replaced by the result when the answer has come. If it
// never came, the tables show what happened:
//
//   - create: the table is there, was created at or shortly after the note, and is empty.
//   - drop: if there is a table, its time of creation is as noted, or it is another one, made since.
//   - rename: one of the two names is free. When both are taken, the time of creation decides. If the table with the
//     old name has the time that is noted, it was not renamed, and the one with the new name is somebody else's.
//     Otherwise it was renamed, and the one with the old name is somebody else's.
//
// Times of creation are whole seconds. So a table must be older than a second before a note relies on its time (see
// afterCreation): otherwise another table of the same name could be made in that very second. MySQL takes the time from
// the session's timestamp, which for an ALTER TABLE is set to the source's time. So it identifies a table, and is not
// compared with a clock.

// What a note says is being done.
const (
	noteNone    = ""
	noteCreate  = "create"
	noteDrop    = "drop"
	noteRename  = "rename"  // other: a name that is taken once it is done
	noteRenamed = "renamed" // other: a name that is free once it is done
)

// createPatience is how many seconds after its note a table can have been created by the noted statement: more than a
// statement waits for locks (ddlLockWait). A table that is created later is somebody else's.
const createPatience = 120

// factOwned is set once the list of owned tables is whole.
const factOwned = "owned"

// ownedRow is a name in the list.
type ownedRow struct {
	name   schema.Name
	origin db.Origin
	note   string
	// of noteCreate, when it was made; of others, when the table was created whose name goes; in seconds
	since int64
	other schema.Name // see noteRename
}

// createOwned makes the list.
func (l *ledger) createOwned() string {
	return "CREATE TABLE IF NOT EXISTS " + l.table("owned") + ` (
			db VARCHAR(64) NOT NULL,
			name VARCHAR(64) NOT NULL,
			origin VARCHAR(16) NOT NULL,
			note VARCHAR(16) NOT NULL DEFAULT '' COMMENT 'what is being done',
			since BIGINT NOT NULL DEFAULT 0 COMMENT 'when that was noted, or its table created',
			other_db VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'of a rename',
			other_name VARCHAR(64) NOT NULL DEFAULT '',
			PRIMARY KEY (db, name)
		) ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
		COMMENT='wherry: the tables of this server that are the move''s'`
}

// Owned returns the tables that are the move's.
func (l *ledger) Owned(ctx context.Context) (db.Owned, error) {
	whole, err := l.Get(ctx, factOwned)
	if err != nil || whole == "" {
		return nil, err
	}
	rows, err := l.ownedRows(ctx, "TRUE")
	if err != nil {
		return nil, err
	}
	owned := make(db.Owned, len(rows))
	for _, r := range rows {
		ours, err := l.judge(ctx, &r)
		if err != nil {
			return nil, err
		}
		if ours {
			owned[r.name] = r.origin
		}
	}
	return owned, nil
}

// Own records tables as the move's and removes others from the list, after open notes are resolved.
func (l *ledger) Own(ctx context.Context, put db.Owned, gone []schema.Name) error {
	if _, err := l.resolve(ctx, "note <> ''", true); err != nil || put == nil && gone == nil {
		return err
	}
	if whole, err := l.Get(ctx, factOwned); err != nil {
		return err
	} else if whole == "" { // an earlier version made the bookkeeping
		if _, err := l.t.admin.ExecContext(ctx, l.createOwned()); err != nil {
			return fmt.Errorf("create bookkeeping %s: %w", l.database, wire.Classify(err))
		}
	}
	rows := make([]ownedRow, 0, len(put))
	for name, origin := range put {
		rows = append(rows, ownedRow{name: name, origin: origin})
	}
	statements := append(l.forgetOwned(gone), l.putOwned(rows)...)
	return l.writeOwned(ctx, append(statements, "REPLACE INTO "+l.table("facts")+" (name, value) VALUES ("+
		wire.Quoted(factOwned)+", 'recorded')"))
}

// ownedAtOnce is how many names one statement writes.
const ownedAtOnce = 500

func (l *ledger) putOwned(rows []ownedRow) (statements []string) {
	for len(rows) > 0 {
		n := min(len(rows), ownedAtOnce)
		values := make([]string, n)
		for i, r := range rows[:n] {
			since := "UNIX_TIMESTAMP()"
			if r.note != noteCreate {
				since = strconv.FormatInt(r.since, 10)
			}
			values[i] = fmt.Sprintf("(%s, %s, %s, %s, %s, %s, %s)", wire.Quoted(r.name.Database),
				wire.Quoted(r.name.Table), wire.Quoted(string(r.origin)), wire.Quoted(r.note), since,
				wire.Quoted(r.other.Database), wire.Quoted(r.other.Table))
		}
		statements = append(statements, "REPLACE INTO "+l.table("owned")+" (db, name, origin, note, since, other_db, "+
			"other_name) VALUES "+strings.Join(values, ", "))
		rows = rows[n:]
	}
	return statements
}

func (l *ledger) forgetOwned(names []schema.Name) (statements []string) {
	for _, n := range names {
		statements = append(statements, "DELETE FROM "+l.table("owned")+" WHERE db = "+wire.Quoted(n.Database)+
			" AND name = "+wire.Quoted(n.Table))
	}
	return statements
}

// writeOwned runs statements in one transaction.
func (l *ledger) writeOwned(ctx context.Context, statements []string) (err error) {
	if len(statements) == 1 {
		if _, err := l.t.admin.ExecContext(ctx, statements[0]); err != nil {
			return fmt.Errorf("record which tables are the move's: %w", wire.Classify(err))
		}
		return nil
	}
	tx, err := l.t.admin.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("record which tables are the move's: %w", wire.Classify(err))
	}
	defer func() {
		if rerr := tx.Rollback(); !errors.Is(rerr, sql.ErrTxDone) {
			err = errors.Join(err, rerr)
		}
	}()
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("record which tables are the move's: %w", wire.Classify(err))
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("record which tables are the move's: %w", wire.Classify(err))
	}
	return nil
}

// resolve replaces notes by what has become of them, in those rows of the list that meet a condition or have one of the
// names. It returns which of the tables are the move's.
//
// The note of a DROP that was not carried out stays: the server may still carry it out. It goes when the next statement
// on the table is another one (keepDrops is false). An ALTER or TRUNCATE gives the table a new time of creation, by
// which the note would take it for somebody else's.
func (l *ledger) resolve(ctx context.Context, where string, keepDrops bool, names ...schema.Name) (db.Owned, error) {
	rows, err := l.ownedRows(ctx, where, names...)
	if err != nil {
		return nil, err
	}
	owned := db.Owned{}
	var put []ownedRow
	var gone []schema.Name
	for _, r := range rows {
		ours, err := l.judge(ctx, &r)
		if err != nil {
			return nil, err
		}
		if ours {
			owned[r.name] = r.origin
		}
		switch {
		case r.note == noteNone, r.note == noteCreate && !ours, r.note == noteDrop && ours &&
			(keepDrops || !slices.Contains(names, r.name)):
		case ours:
			put = append(put, ownedRow{name: r.name, origin: r.origin})
		default:
			gone = append(gone, r.name)
		}
	}
	if len(put)+len(gone) == 0 {
		return owned, nil
	}
	return owned, l.writeOwned(ctx, append(l.forgetOwned(gone), l.putOwned(put)...))
}

// ownedRows reads those rows of the list that meet a condition or have one of the names.
func (l *ledger) ownedRows(ctx context.Context, where string, names ...schema.Name) (rows []ownedRow, err error) {
	query := "SELECT db, name, origin, note, since, other_db, other_name FROM " + l.table("owned") + " WHERE " + where
	for _, n := range names {
		query += " OR (db = " + wire.Quoted(n.Database) + " AND name = " + wire.Quoted(n.Table) + ")"
	}
	found, err := l.t.admin.QueryContext(ctx, query)
	if err != nil {
		if wire.Number(err) == wire.NoTable || wire.Number(err) == wire.NoDatabase {
			return nil, nil
		}
		return nil, fmt.Errorf("read which tables are the move's: %w", wire.Classify(err))
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var r ownedRow
		if err := found.Scan(&r.name.Database, &r.name.Table, &r.origin, &r.note, &r.since, &r.other.Database,
			&r.other.Table); err != nil {
			return nil, fmt.Errorf("read which tables are the move's: %w", wire.Classify(err))
		}
		rows = append(rows, r)
	}
	return rows, wire.Classify(found.Err())
}

// judge tells whether a table of the list is the move's, as of now. The rules are those at the top of this file. When
// in doubt it says no: a table that is not touched loses nothing, while somebody else's table could be dropped.
func (l *ledger) judge(ctx context.Context, r *ownedRow) (bool, error) {
	if r.note == noteNone {
		return true, nil
	}
	there, created, err := l.t.created(ctx, r.name)
	if err != nil || !there {
		return false, err
	}
	switch r.note {
	case noteDrop:
		return created == r.since, nil
	case noteRename:
		taken, _, err := l.t.created(ctx, r.other)
		return !taken || created == r.since, err
	case noteRenamed:
		taken, other, err := l.t.created(ctx, r.other)
		return !taken || other != r.since, err
	case noteCreate:
		if created < r.since || created > r.since+createPatience {
			return false, nil
		}
		var one int
		err := l.t.admin.QueryRowContext(ctx, "SELECT 1 FROM "+dialect.Quoted(r.name)+" LIMIT 1").Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return true, nil
		}
		return false, wire.Classify(err)
	default:
		return false, fmt.Errorf("read which tables are the move's: invalid note %q of %s", r.note, r.name)
	}
}

// created tells whether anything has a name, and when that was created, in seconds of the server's clock; 0 when the
// server does not say.
func (t *Target) created(ctx context.Context, n schema.Name) (there bool, created int64, err error) {
	// information_schema hides tables that the account has no privilege for, and "hidden" must not pass for "absent".
	// A SELECT of such a table is refused.
	_, err = t.admin.ExecContext(ctx, "SELECT 1 FROM "+dialect.Quoted(n)+" LIMIT 0")
	switch {
	case wire.Number(err) == wire.NoTable, wire.Number(err) == wire.NoDatabase:
		return false, 0, nil
	case err != nil && wire.Number(err) != wire.BrokenView:
		return false, 0, fmt.Errorf("look for %s on the target: %w", n, wire.Classify(err))
	}
	err = t.admin.QueryRowContext(ctx, "SELECT COALESCE(UNIX_TIMESTAMP(MAX(CREATE_TIME)), 0) FROM "+
		"information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
		n.Database, n.Table).Scan(&created)
	if err != nil {
		return false, 0, fmt.Errorf("look for %s on the target: %w", n, wire.Classify(err))
	}
	return true, created, nil
}
